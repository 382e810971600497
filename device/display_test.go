package device_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

func TestADisplayShowsTwoLinesThroughUnplugging(t *testing.T) {
	for _, set := range []string{"epson", "cd5220"} {
		synctest.Test(t, func(t *testing.T) {
			glass, err := sim.NewDisplay(set)
			if err != nil {
				t.Fatal(err)
			}
			defer glass.Close()
			language, err := escpos.NewDisplayLanguage(set, false)
			if err != nil {
				t.Fatal(err)
			}
			told := make(chan device.Fault, 100)
			driver := device.NewDisplay(glass.Dial, language, func(s device.Status) { told <- s.Fault })
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { driver.Run(ctx) })
			shows := func(upper, lower string) {
				t.Helper()
				synctest.Wait()
				if glass.Line(1) != upper || glass.Line(2) != lower {
					t.Errorf("%s shows %q and %q, want %q and %q", set, glass.Line(1), glass.Line(2), upper, lower)
				}
			}
			driver.Show("Café Central", "12.30")
			shows("Café Central", "12.30")
			driver.Show("a line that is longer than twenty", "")
			shows("a line that is longe", "")
			if err := glass.Obey("unplug", nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := driver.Status(); got.State != device.Absent {
				t.Errorf("unplugged: %+v", got)
			}
			driver.Show("PAID", "thank you")
			if err := glass.Obey("replug", nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			shows("PAID", "thank you")
			if got := driver.Status(); got.State != device.Ready || !got.Unconfirmed {
				t.Errorf("plugged in: %+v", got)
			}
			if err := glass.Obey("stall on", nil); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				driver.Show("x", "y")
				synctest.Wait()
			}
			time.Sleep(5 * time.Second)
			cancel()
			running.Wait()
			close(told)
			stalled := false
			for fault := range told {
				stalled = stalled || fault == device.NoAnswer
			}
			if !stalled {
				t.Error("a stalled display is never told")
			}
		})
	}
}

func TestADisplayBehindAPrinterLeavesThePaperAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		glass, err := sim.NewDisplay("epson")
		if err != nil {
			t.Fatal(err)
		}
		s.paper.Behind(glass)
		language, err := escpos.NewDisplayLanguage("epson", true)
		if err != nil {
			t.Fatal(err)
		}
		driver := device.NewDisplayBehind(s.printer, language, func(device.Status) {})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { driver.Run(ctx) })
		driver.Show("Sum", "12,30 €")
		s.is(device.Ready, "", 5*time.Second)
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		s.wants("a", device.JobDone, 5*time.Second)
		driver.Show("PAID", "12,30 €")
		synctest.Wait()
		if glass.Line(1) != "PAID" || glass.Line(2) != "12,30 €" {
			t.Errorf("display shows %q and %q", glass.Line(1), glass.Line(2))
		}
		wantReceipts(t, s.paper, "Anna", 1)
		cancel()
		running.Wait()
	})
}
