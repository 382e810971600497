package msr605_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/msr605"
	"till/device/sim"
)

// TestTheReaderMayStallAnywhere stalls it after each byte that passes while a
// card is written and read back.
func TestTheReaderMayStallAnywhere(t *testing.T) {
	anywhere(t, (*sim.CardReader).StallAfter, "stall off")
}

// TestTheReaderMayBeUnpluggedAnywhere cuts the cable at each of them.
func TestTheReaderMayBeUnpluggedAnywhere(t *testing.T) {
	anywhere(t, (*sim.CardReader).UnplugAfter, "replug")
}

func anywhere(t *testing.T, trouble func(*sim.CardReader, int), mend string) {
	failed := 0
	for n := 1; ; n++ {
		var done bool
		synctest.Test(t, func(t *testing.T) {
			b := start(t, "msr605")
			defer b.stop()
			b.ready()
			trouble(b.sim, n)
			b.swipes(sim.GoodSwipe, sim.GoodSwipe)
			began := time.Now()
			err := device.MakeCard(t.Context(), b.reader, stripe, device.HiCo, func(device.CardStep) {})
			if took := time.Since(began); took > 75*time.Second {
				t.Errorf("after %d bytes it took %v", n, took)
			}
			switch fault := device.FaultOf(err); {
			case err == nil:
				done = true
			case fault == device.NoAnswer, fault == device.Unplugged:
				failed++
			default:
				t.Errorf("after %d bytes: %v", n, err)
			}
			if err != nil && b.sim.Text(1) != "" && b.sim.Text(1) != key {
				t.Errorf("after %d bytes the card holds %q", n, b.sim.Text(1))
			}
			time.Sleep(20 * time.Second) // an idle reader is asked, and found out
			if s := b.reader.Status(); err != nil && s.State == device.Ready {
				t.Errorf("after %d bytes the reader is %+v", n, s)
			}
			b.obey(mend)
			b.ready()
			b.works()
		})
		if done || t.Failed() {
			break
		}
	}
	// Written: key, track 2 and the frame; read back: the same and sentinels.
	if failed < 150 {
		t.Errorf("only %d places", failed)
	}
}

func TestALinkThatBreaksInARawBlockIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		b.ready()
		long := device.Stripe{device.BitsOf(bytes.Repeat([]byte{0xAA}, 80))}
		for n := 10; n < 100; n += 10 {
			b.sim.StallAfter(n)
			err := b.reader.Write(t.Context(), long, device.HiCo)
			wantFault(t, err, device.NoAnswer)
			time.Sleep(5 * time.Second) // it is opened anew meanwhile, and the rest of the block lost
			b.obey("stall off")
			b.ready()
		}
		b.works()
	})
}

func TestNonsenseIsNamedAndPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		b.ready()
		b.obey("garble 1")
		_, err := b.reader.Coercivity(t.Context())
		if fault := device.FaultOf(err); fault != device.Garbled && fault != device.NoAnswer {
			t.Errorf("%v", err)
		}
		time.Sleep(10 * time.Second)
		if s := b.reader.Status(); s.State != device.Faulted || s.Fault != device.Garbled && s.Fault != device.NoAnswer {
			t.Errorf("the reader is %+v", s)
		}
		b.obey("garble 0")
		b.ready()
		b.works()
	})
}

func TestAReaderAtRestIsFoundOutWhenItFails(t *testing.T) {
	for trouble, want := range map[string]device.Status{
		"stall on": {State: device.Faulted, Fault: device.NoAnswer},
		"unplug":   {State: device.Absent, Fault: device.Unplugged},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, "msr605")
			defer b.stop()
			b.ready()
			b.obey(trouble)
			time.Sleep(5 * time.Second)
			if s := b.reader.Status(); s != want {
				t.Errorf("%s: %+v, want %+v", trouble, s, want)
			}
		})
	}
}

// TestAfterAResetTheReaderIsLeftInPeace has a reader that babbles after it.
func TestAfterAResetTheReaderIsLeftInPeace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := device.NewPipe(256)
		r := msr605.New(func(context.Context) (device.Link, error) { return here, nil }, func(device.Status) {})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		defer func() { cancel(); _ = there.Close(); <-done }()
		p := make([]byte, 2)
		read := func(want string) time.Time {
			if n, err := there.Read(ctx, p); err != nil || string(p[:n]) != want {
				t.Fatalf("heard % x, %v, want % x", p[:n], err, want)
			}
			return time.Now()
		}
		reset := read("\x1ba")
		for range 4 {
			time.Sleep(40 * time.Millisecond)
			if _, err := there.Write(ctx, []byte("\x1b0")); err != nil {
				t.Fatal(err)
			}
		}
		if asked := read("\x1be").Sub(reset); asked != 4*40*time.Millisecond+50*time.Millisecond {
			t.Errorf("asked after %v", asked)
		}
		if _, err := there.Write(ctx, []byte("\x1b1")); err != nil { // no 'y': once more
			t.Fatal(err)
		}
		filler := make([]byte, 512)
		if n, err := there.Read(ctx, filler); err != nil || len(bytes.Trim(filler[:n], "\x00")) > 0 {
			t.Fatalf("heard % x, %v", filler[:n], err)
		}
		for n := 0; n == 0 || p[0] == 0; { // the filler's last byte, then the reset
			var err error
			if n, err = there.Read(ctx, p[:1]); err != nil {
				t.Fatal(err)
			}
		}
		reset = time.Now()
		if n, err := there.Read(ctx, p[:1]); n != 1 || err != nil || p[0] != 'a' {
			t.Fatalf("heard %x, %v", p[0], err)
		}
		if asked := read("\x1be").Sub(reset); asked != 150*time.Millisecond {
			t.Errorf("asked after %v", asked)
		}
	})
}

// TestNoDamagedCardIsTakenForAGoodOne reads and writes over a bad cable.
func TestNoDamagedCardIsTakenForAGoodOne(t *testing.T) {
	good := 0
	for i := range 60 {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, "msr605")
			defer b.stop()
			b.ready()
			b.sim.Garble(float64(i) / 5000)
			b.swipes(sim.GoodSwipe, sim.GoodSwipe)
			err := device.MakeCard(t.Context(), b.reader, stripe, device.HiCo, func(device.CardStep) {})
			if err == nil {
				good++
				if b.sim.Text(1) != key {
					t.Errorf("the card holds %q", b.sim.Text(1))
				}
			}
		})
	}
	if good == 0 || good == 60 {
		t.Errorf("%d of 60 cards were made: the cable is not bad enough or too bad", good)
	}
}
