package msr605_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/msr605"
	"till/device/sim"
)

const key = "%X0967N5J0RWPW42CZ4DRNT34A1P53BY4GDRYAPREX7XWBCYZRGZ4TPS98HN0G?"

var stripe = device.Stripe{device.TextOf(key), device.TextOf(";12345?")}

// bench is a reader on a simulator, in a bubble of false time.
type bench struct {
	t      testing.TB
	reader *msr605.Reader
	sim    *sim.CardReader
	stop   func()
	still  func() // ends swipes

	mu     sync.Mutex
	status []device.Status
}

func start(t testing.TB, profile string) *bench {
	t.Helper()
	paper, err := sim.NewCardReader(profile, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, sim: paper}
	b.reader = msr605.New(paper.Dial, func(s device.Status) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.status = append(b.status, s)
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.reader.Run(ctx) })
	b.still = func() {}
	b.stop = func() { b.still(); cancel(); running.Wait(); paper.Close() }
	return b
}

// swipes pulls the card through every time the reader waits, in turn.
func (b *bench) swipes(how ...sim.Swipe) {
	b.still()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	b.still = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for _, h := range how {
			if !b.sim.AwaitWaiting(ctx) {
				return
			}
			b.sim.Swipe(h)
		}
	}()
}

func (b *bench) obey(line string) {
	b.t.Helper()
	if err := b.sim.Obey(line, nil); err != nil {
		b.t.Fatal(err)
	}
}

// ready waits until the reader is, which a reader that answers must be soon.
func (b *bench) ready() {
	b.t.Helper()
	for range 60 {
		if b.reader.Status().State == device.Ready {
			return
		}
		time.Sleep(100 * time.Millisecond) // of false time
	}
	b.t.Fatalf("reader is %+v", b.reader.Status())
}

// works fails unless a card can be written and read back now.
func (b *bench) works() {
	b.t.Helper()
	b.obey("card hi")
	b.swipes(sim.GoodSwipe, sim.GoodSwipe)
	if err := device.MakeCard(b.t.Context(), b.reader, stripe, device.HiCo, func(device.CardStep) {}); err != nil {
		b.t.Errorf("afterwards: %v", err)
	}
	if got := b.sim.Text(1); got != key {
		b.t.Errorf("afterwards the card holds %q", got)
	}
}

func wantFault(t testing.TB, err error, want device.Fault) {
	t.Helper()
	var fault *device.CardError
	if !errors.As(err, &fault) || fault.Fault != want || device.FaultOf(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
	if want.Sentence() == string(want) {
		t.Errorf("%s has no sentence", want)
	}
}

func TestACardIsWrittenReadBackAndErased(t *testing.T) {
	for _, profile := range []string{"msr605", "msr606", "msr206"} {
		for _, c := range []device.Coercivity{device.HiCo, device.LoCo} {
			t.Run(profile+" "+string(c), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := start(t, profile)
					defer b.stop()
					b.obey("card " + string(c))
					b.swipes(sim.GoodSwipe, sim.GoodSwipe, sim.GoodSwipe, sim.GoodSwipe)
					var steps []device.CardStep
					if err := device.MakeCard(t.Context(), b.reader, stripe, c, func(s device.CardStep) { steps = append(steps, s) }); err != nil {
						t.Fatal(err)
					}
					if fmt.Sprint(steps) != fmt.Sprint([]device.CardStep{device.SwipeToWrite, device.SwipeToCheck}) {
						t.Errorf("asked for %v", steps)
					}
					if b.sim.Text(1) != key || b.sim.Text(2) != ";12345?" || b.sim.Text(3) != "" {
						t.Errorf("the card holds %q %q %q", b.sim.Text(1), b.sim.Text(2), b.sim.Text(3))
					}
					if err := b.reader.Erase(t.Context(), device.Track1|device.Track2, c); err != nil {
						t.Fatal(err)
					}
					_, err := b.reader.Read(t.Context())
					wantFault(t, err, device.CardEmpty)
				})
			})
		}
	}
}

func TestBitsAreWrittenAndRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		b.swipes(sim.GoodSwipe, sim.GoodSwipe, sim.GoodSwipe)
		one, err := msr605.Bits(1, []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := device.MakeCard(t.Context(), b.reader, device.Stripe{one}, device.HiCo, func(device.CardStep) {}); err != nil {
			t.Fatal(err)
		}
		// Read as text, the bits are the text they were made of.
		got, err := b.reader.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if text, err := got.Text(1); err != nil || text != key {
			t.Errorf("%q, %v", text, err)
		}
	})
}

func TestEveryFaultOfACardIsNamedAndPasses(t *testing.T) {
	read := func(ctx context.Context, r *msr605.Reader) error { _, err := r.Read(ctx); return err }
	raw := func(ctx context.Context, r *msr605.Reader) error { _, err := r.ReadRaw(ctx); return err }
	write := func(ctx context.Context, r *msr605.Reader) error { return r.Write(ctx, stripe, device.HiCo) }
	erase := func(ctx context.Context, r *msr605.Reader) error {
		return r.Erase(ctx, device.AllTracks, device.HiCo)
	}
	for _, c := range []struct {
		name, card string
		call       func(context.Context, *msr605.Reader) error
		how        []sim.Swipe
		want       device.Fault
	}{
		{"read nothing", "card hi", read, []sim.Swipe{sim.GoodSwipe}, device.CardEmpty},
		{"read nothing raw", "card hi", raw, []sim.Swipe{sim.GoodSwipe}, device.CardEmpty},
		{"read badly", "card hi " + key, read, []sim.Swipe{sim.BadSwipe}, device.CardUnreadable},
		{"read half", "card hi " + key, read, []sim.Swipe{sim.HalfSwipe}, device.CardUnreadable},
		{"write badly", "card hi", write, []sim.Swipe{sim.BadSwipe}, device.BadSwipe},
		{"write half", "card hi", write, []sim.Swipe{sim.HalfSwipe}, device.BadSwipe},
		{"write the other kind", "card lo", write, []sim.Swipe{sim.GoodSwipe}, device.CardNotWritten},
		{"erase the other kind", "card lo", erase, []sim.Swipe{sim.GoodSwipe}, device.CardNotWritten},
		{"read without a swipe", "card hi", read, nil, device.NoSwipe},
		{"write without a swipe", "card hi", write, nil, device.NoSwipe},
		{"erase without a swipe", "card hi", erase, nil, device.NoSwipe},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, "msr605")
				defer b.stop()
				b.obey(c.card)
				b.swipes(c.how...)
				wantFault(t, c.call(t.Context(), b.reader), c.want)
				if b.reader.Status().State != device.Ready {
					t.Errorf("the reader is %+v", b.reader.Status())
				}
				b.works()
			})
		})
	}
}

func TestACardOnWhichSomethingElseStandsIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		b.swipes(sim.GoodSwipe, sim.GoodSwipe)
		err := device.MakeCard(t.Context(), b.reader, stripe, device.HiCo, func(s device.CardStep) {
			if s == device.SwipeToCheck { // the cashier takes the wrong card
				b.obey("card hi %OTHER?")
			}
		})
		wantFault(t, err, device.CardDiffers)
	})
}

func TestACallMayBeCancelledWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			b.sim.AwaitWaiting(t.Context())
			cancel()
		}()
		if _, err := b.reader.Read(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if b.sim.Waiting() {
			t.Error("the reader still waits for a card")
		}
		if b.reader.Status().State != device.Ready {
			t.Errorf("the reader is %+v", b.reader.Status())
		}
		b.works()
	})
}

func TestTheSecondCallIsToldThatTheReaderIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() { _, err := b.reader.Read(ctx); first <- err }()
		b.sim.AwaitWaiting(t.Context())
		_, err := b.reader.Read(t.Context())
		wantFault(t, err, device.CardBusy)
		cancel()
		<-first
	})
}

func TestAReaderThatIsNotThereIsSaidSoSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr605")
		defer b.stop()
		b.obey("unplug")
		began := time.Now()
		_, err := b.reader.Read(t.Context())
		wantFault(t, err, device.Unplugged)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if s := b.reader.Status(); s.State != device.Absent {
			t.Errorf("the reader is %+v", s)
		}
		b.obey("replug")
		b.ready()
		b.works()
	})
}

func TestTheReaderTestsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, "msr606")
		defer b.stop()
		b.swipes(sim.GoodSwipe)
		if err := b.reader.TestSensor(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.reader.TestMemory(t.Context()); err != nil {
			t.Error(err)
		}
		if c, err := b.reader.Coercivity(t.Context()); err != nil || c != device.LoCo {
			t.Errorf("coercivity %q, %v", c, err)
		}
		if err := b.reader.Light(t.Context(), msr605.Yellow); err != nil {
			t.Error(err)
		}
		if s := b.reader.Status(); s.Model != "MSR-3 REVH6.06" {
			t.Errorf("model %q", s.Model)
		}
	})
}

func TestNothingOfACardIsPrinted(t *testing.T) {
	holder := struct{ S device.Stripe }{stripe}
	log := new(bytes.Buffer)
	slog.New(slog.NewTextHandler(log, nil)).Info("card", "track", stripe[0], "stripe", stripe)
	text := fmt.Sprintf("%v %+v %#v %s %q %x %d", stripe, holder, stripe, stripe, stripe, stripe, stripe) + log.String()
	for _, secret := range []string{"X0967", "12345", fmt.Sprintf("%x", "X0967"), "88 48"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is printed: %s", secret, text)
		}
	}
	if !strings.Contains(text, "[secret]") {
		t.Error(text)
	}
}
