package device_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

func words(c device.Check) string {
	var b strings.Builder
	b.WriteString(c.State.String())
	for _, s := range c.Steps {
		b.WriteString(" " + s.What)
		if !s.OK {
			b.WriteString("!")
		}
	}
	return b.String()
}

func TestCheckOfAPrinter(t *testing.T) {
	pulse := device.Pulse{Pin: 2, On: 50 * time.Millisecond, Off: 500 * time.Millisecond}
	for _, c := range []struct {
		model, obey string
		unattended  bool
		want        string
		lines       bool
	}{
		{"epson-80", "paper in", true, "ready open status model", false},
		{"epson-80", "paper in", false, "ready open status model print drawer", true},
		{"epson-80", "paper out", false, "faulted open status!", false},
		{"epson-80", "stall on", true, "faulted open status!", false},
		{"epson-80", "unplug", true, "absent open!", false},
		{"clone-58", "paper in", false, "ready open status print drawer", true},
		{"generic", "paper in", false, "ready open status print drawer", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			paper, err := sim.NewPrinter(c.model, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer paper.Close()
			language, err := escpos.NewLanguage(c.model)
			if err != nil {
				t.Fatal(err)
			}
			obey(t, paper, c.obey)
			began := time.Now()
			check := device.CheckPrinter(t.Context(), "sim:", paper.Dial, language, pulse, c.unattended)
			if got := words(check); got != c.want {
				t.Errorf("%s, %s: %s, want %s: %+v", c.model, c.obey, got, c.want, check.Steps)
			}
			if took := time.Since(began); c.unattended && took > 6*time.Second {
				t.Errorf("took %v", took)
			}
			synctest.Wait()
			if (paper.Lines() > 0) != c.lines || (paper.Pulses() > 0) != c.lines {
				t.Errorf("%s, %s: %d lines, %d pulses", c.model, c.obey, paper.Lines(), paper.Pulses())
			}
		})
	}
}

func TestCheckOfADisplayAndAScanner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		glass, err := sim.NewDisplay("epson")
		if err != nil {
			t.Fatal(err)
		}
		defer glass.Close()
		language, err := escpos.NewDisplayLanguage("epson", false)
		if err != nil {
			t.Fatal(err)
		}
		if got := words(device.CheckDisplay(t.Context(), "sim:", glass.Dial, language)); got != "ready open write" {
			t.Errorf("display: %s", got)
		}
		reader := sim.NewScanner("\r")
		defer reader.Close()
		got := words(device.CheckScanner(t.Context(), "sim:", reader.Dial, device.AnySuffix, device.NoTrigger, true))
		if got != "ready open" {
			t.Errorf("scanner, unattended: %s", got)
		}
		reader.Place("123456")
		got = words(device.CheckScanner(t.Context(), "sim:", reader.Dial, device.AnySuffix, device.GM65, false))
		if got != "ready open trigger scan" {
			t.Errorf("scanner with a trigger: %s", got)
		}
		got = words(device.CheckScanner(t.Context(), "sim:", reader.Dial, device.AnySuffix, device.NoTrigger, false))
		if got != "ready open scan!" {
			t.Errorf("scanner without a hand: %s", got)
		}
		gone := func(context.Context) (device.Link, error) { return nil, device.ErrInUse }
		if got := words(device.CheckDisplay(t.Context(), "x", gone, language)); got != "faulted open!" {
			t.Errorf("display in use: %s", got)
		}
	})
}

func TestACheckIsOneObject(t *testing.T) {
	b, err := json.Marshal(device.Check{Device: "printer", URL: "sim:", State: device.Faulted, Steps: []device.Step{{What: "open", OK: true}}})
	want := `{"device":"printer","url":"sim:","state":"faulted","steps":[{"what":"open","ok":true,"detail":""}]}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
}
