package device_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

// cut is a cable that breaks for good after so many bytes.
type cut struct {
	device.Link
	left int
}

func (c *cut) Write(ctx context.Context, p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.Link.Write(ctx, p)
	}
	n, err := c.Link.Write(ctx, p[:c.left])
	if err != nil {
		return n, err
	}
	c.left = 0
	time.Sleep(time.Millisecond) // the printer takes them
	_ = c.Close()
	return n, device.ErrUnplugged
}

// size is how many bytes the driver sends for one receipt, all told.
func size(t *testing.T, model string) (total int) {
	synctest.Test(t, func(t *testing.T) {
		paper, err := sim.NewPrinter(model, nil)
		if err != nil {
			t.Fatal(err)
		}
		language, err := escpos.NewLanguage(model)
		if err != nil {
			t.Fatal(err)
		}
		counting := &cut{left: 1 << 20}
		s := start(t, paper, func(ctx context.Context) (device.Link, error) {
			link, err := paper.Dial(ctx)
			counting.Link = link
			return counting, err
		}, language)
		defer s.stop()
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		s.wants("a", device.JobDone, 5*time.Second)
		total = 1<<20 - counting.left
	})
	return total
}

// positions are byte positions to break a receipt at: all of a short one, and
// of a long one those that differ.
func positions(total int) []int {
	step := 1
	if total > 700 {
		step = 37
	}
	var at []int
	for n := 0; n < total; n += step {
		at = append(at, n)
	}
	return at
}

func TestACableCutAnywhereEndsInAWholeReceipt(t *testing.T) {
	for _, model := range []string{"epson-80", "clone-80", "clone-58", "generic"} {
		t.Run(model, func(t *testing.T) {
			for _, at := range positions(size(t, model)) {
				synctest.Test(t, func(t *testing.T) {
					paper, err := sim.NewPrinter(model, nil)
					if err != nil {
						t.Fatal(err)
					}
					language, err := escpos.NewLanguage(model)
					if err != nil {
						t.Fatal(err)
					}
					broken := false
					s := start(t, paper, func(ctx context.Context) (device.Link, error) {
						link, err := paper.Dial(ctx)
						if broken || err != nil {
							return link, err
						}
						broken = true
						return &cut{Link: link, left: at}, nil
					}, language)
					defer s.stop()
					if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
						t.Fatal(err)
					}
					r := s.wants("a", device.JobDone, time.Minute)
					if r.Copies > 2 {
						t.Errorf("cut at byte %d: %s", at, s.story("a"))
					}
					wantReceipts(t, paper, "Anna", r.Copies)
				})
				if t.Failed() {
					t.Fatalf("at byte %d", at)
				}
			}
		})
	}
}

func TestAStallAnywhereIsSeenAndPasses(t *testing.T) {
	for _, model := range []string{"epson-80", "clone-80", "clone-58"} {
		t.Run(model, func(t *testing.T) {
			for _, at := range positions(size(t, model)) {
				synctest.Test(t, func(t *testing.T) {
					paper, err := sim.NewPrinter(model, nil)
					if err != nil {
						t.Fatal(err)
					}
					language, err := escpos.NewLanguage(model)
					if err != nil {
						t.Fatal(err)
					}
					paper.StallAfter(at + 1)
					s := start(t, paper, paper.Dial, language)
					defer s.stop()
					if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
						t.Fatal(err)
					}
					time.Sleep(20 * time.Second)
					synctest.Wait()
					if s.last("a").State != device.JobDone {
						if status := s.printer.Status(); status.State == device.Ready && !status.Unconfirmed {
							t.Errorf("stalled at byte %d: %+v", at, status)
						}
					}
					paper.Stall(false)
					r := s.wants("a", device.JobDone, time.Minute)
					wantReceipts(t, paper, "Anna", r.Copies)
				})
				if t.Failed() {
					t.Fatalf("at byte %d", at)
				}
			}
		})
	}
}
