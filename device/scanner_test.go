package device_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"till/device"
	"till/device/sim"
)

func TestSplitterCutsAtTheSuffix(t *testing.T) {
	for _, c := range []struct {
		suffix device.Suffix
		in     string
		want   []string
		left   bool
	}{
		{device.AnySuffix, "abc\r", []string{"abc"}, false},
		{device.AnySuffix, "abc\r\ndef\n\nx", []string{"abc", "def"}, true},
		{device.CRSuffix, "a\nb\rc", []string{"a\nb"}, true},
		{device.LFSuffix, "a\r\nb", []string{"a\r"}, true},
		{device.NoSuffix, "a\r\nb", nil, true},
		{device.AnySuffix, "\r\n\r\n", nil, false},
	} {
		s := device.NewSplitter(c.suffix, device.NoTrigger)
		var got []string
		for _, b := range []byte(c.in) {
			for _, scan := range s.Feed([]byte{b}) {
				got = append(got, string(scan))
			}
		}
		if !slices.Equal(got, c.want) || s.Pending() != c.left {
			t.Errorf("%s of %q: %q, pending %v", c.suffix, c.in, got, s.Pending())
		}
	}
}

func TestCheckScan(t *testing.T) {
	for in, want := range map[string]string{
		"4006381333931":     "4006381333931",
		"4006381333931\r\n": "4006381333931",
		"BITCOIN:BC1Q\r":    "BITCOIN:BC1Q",
		"grüße €":           "grüße €",
	} {
		if got, err := device.CheckScan([]byte(in)); got != want || err != nil {
			t.Errorf("scan %q is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "\r\n", "a\x1b[A", "a\x00", "a\tb", "a\r\r\n", "a\x7f", "\xc2\x9b", "\xff", strings.Repeat("a", 4097)} {
		if got, err := device.CheckScan([]byte(in)); !errors.Is(err, device.ErrScan) {
			t.Errorf("scan %.20q is %.20q, %v", in, got, err)
		}
	}
	if _, err := device.CheckScan([]byte(strings.Repeat("a", 4096))); err != nil {
		t.Errorf("4096 bytes: %v", err)
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("4006381333931\r\nBITCOIN:BC1Q\r"), "any")
	f.Add([]byte("\x1b[A\x02\x00\x00\x01\x003\x31x"), "none")
	f.Fuzz(func(t *testing.T, in []byte, word string) {
		suffix, err := device.ParseSuffix(word)
		if err != nil {
			return
		}
		s := device.NewSplitter(suffix, device.GM65)
		for _, scan := range append(s.Feed(in), s.Silence()...) {
			text, err := device.CheckScan(scan)
			if err == nil && (text == "" || len(text) > 4096 || strings.ContainsFunc(text, unicode.IsControl)) {
				t.Errorf("scan %q passes as %q", scan, text)
			}
		}
		if s.Pending() {
			t.Error("bytes are pending after silence")
		}
	})
}

// scans is a scanner driver on a simulated scanner.
type scans struct {
	mu   sync.Mutex
	text []string
}

func (s *scans) heard(text string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		text = "refused"
	}
	s.text = append(s.text, text)
}

func (s *scans) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.text)
}

func TestScansArriveWithAndWithoutSuffix(t *testing.T) {
	for _, suffix := range []string{"", "\r", "\n", "\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			reader := sim.NewScanner(suffix)
			defer reader.Close()
			var got scans
			driver := device.NewScanner(reader.Dial, device.AnySuffix, device.NoTrigger, got.heard, func(device.Status) {})
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { driver.Run(ctx) })
			synctest.Wait()
			for _, line := range []string{"scan 4006381333931", `scan a\x1b[A`, "scan grüße"} {
				if err := reader.Obey(line, nil); err != nil {
					t.Fatal(err)
				}
				time.Sleep(60 * time.Millisecond)
			}
			if err := reader.Obey("unplug", nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if driver.Status().State != device.Absent {
				t.Errorf("unplugged: %+v", driver.Status())
			}
			_ = reader.Obey("replug", nil)
			time.Sleep(3 * time.Second)
			if err := reader.Scan(ctx, "again"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
			synctest.Wait()
			if want := []string{"4006381333931", "refused", "grüße", "again"}; !slices.Equal(got.all(), want) {
				t.Errorf("suffix %q: %q", suffix, got.all())
			}
			cancel()
			running.Wait()
		})
	}
}

func TestTriggersStartAScan(t *testing.T) {
	for _, trigger := range []device.Trigger{device.Honeywell, device.GM65} {
		synctest.Test(t, func(t *testing.T) {
			reader := sim.NewScanner("")
			defer reader.Close()
			var got scans
			driver := device.NewScanner(reader.Dial, device.AnySuffix, trigger, got.heard, func(device.Status) {})
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { driver.Run(ctx) })
			synctest.Wait()
			reader.Place("4006381333931")
			if err := driver.Trigger(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
			synctest.Wait()
			if want := []string{"4006381333931"}; !slices.Equal(got.all(), want) || reader.Fired() != 1 {
				t.Errorf("%s: %q after %d triggers", trigger, got.all(), reader.Fired())
			}
			cancel()
			running.Wait()
		})
	}
}

// typed makes keys of text, with a gap between any two.
func typed(text string, start, gap time.Duration) (keys []device.Key) {
	for i, r := range []rune(text) {
		keys = append(keys, device.Key{Rune: r, At: start + time.Duration(i)*gap})
	}
	return keys
}

func TestAWedgeIsToldFromAPerson(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		keys    []device.Key
		silence time.Duration // after the last key; 0 for none
		want    string
	}{
		{"a scanner with Enter", typed("4006381333931\r", 0, 5*ms), 0, "4006381333931/13"},
		{"a scanner with Tab", typed("BITCOIN:x\t", 0, 30*ms), 0, "BITCOIN:x/9"},
		{"a scanner without suffix", typed("4006381333931", 0, 5*ms), 60 * ms, "4006381333931/13"},
		{"too short a silence", typed("4006381333931", 0, 5*ms), 59 * ms, ""},
		{"a person", typed("1250\r", 0, 150*ms), 60 * ms, ""},
		{"a fast person", typed("123456\r", 0, 31*ms), 60 * ms, ""},
		{"too few keys", typed("12345\r", 0, 5*ms), 0, ""},
		{"a key held down", typed("5555555555\r", 0, 30*ms), 0, ""},
		{"a person, then a scanner", append(typed("12", 0, 150*ms), typed("4006381333931\r", 1000*ms, 5*ms)...), 0, "4006381333931/13"},
		{"a clock that runs back", append(typed("123", 900*ms, ms), typed("456\r", 0, ms)...), 0, ""},
	} {
		var w device.Wedge
		got := ""
		note := func(s device.Scan, found bool) {
			if found {
				got += fmt.Sprintf("%s/%d", s.Text, s.Typed)
			}
		}
		for _, k := range c.keys {
			note(w.Key(k))
		}
		if c.silence > 0 {
			note(w.Silence(c.keys[len(c.keys)-1].At + c.silence))
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzWedge(f *testing.F) {
	f.Add("4006381333931\r", int64(5))
	f.Fuzz(func(t *testing.T, text string, gap int64) {
		if gap < 0 || gap > 1000 {
			return
		}
		var w device.Wedge
		for _, k := range typed(text, 0, time.Duration(gap)*time.Millisecond) {
			if s, found := w.Key(k); found && (gap > 30 || s.Typed < 6 || s.Typed > len([]rune(text))) {
				t.Errorf("%q at %d ms is a scan: %+v", text, gap, s)
			}
		}
	})
}
