package boot

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"till/cmd/internal/config"
	"till/device"
	"till/device/sim"
	"till/protocol"
)

func configured(t *testing.T, pairs ...string) *config.Config {
	t.Helper()
	flags := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		flags[pairs[i]] = pairs[i+1]
	}
	c, err := config.Load(config.Sources{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// told are the states that a check-in would carry, each time they changed.
type told struct {
	mu   sync.Mutex
	last []protocol.DeviceState
	news chan struct{}
}

func (s *told) hear(states []protocol.DeviceState) {
	s.mu.Lock()
	s.last = states
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *told) await(t *testing.T, want protocol.DeviceState) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		s.mu.Lock()
		last := s.last
		s.mu.Unlock()
		if slices.Contains(last, want) {
			return
		}
		select {
		case <-s.news:
		case <-late:
			t.Fatalf("%+v was not told; last %+v", want, last)
		}
	}
}

// TestCheckInsTellTheDevicesAsTheyAre: in the words of the terminal protocol,
// where a device that needs a person has the state fault.
func TestCheckInsTellTheDevicesAsTheyAre(t *testing.T) {
	states := &told{news: make(chan struct{}, 1)}
	c, err := OpenCounter(configured(t, "printer.url", "sim:", "card.url", "sim:", "scanner.url", "sim:", "display.url", "sim:", "printer.profile", "epson-80"),
		CounterHooks{States: states.hear}, true)
	if err != nil {
		t.Fatal(err)
	}
	if want := (protocol.DeviceState{Name: "printer", State: "absent"}); len(states.last) != 4 || states.last[0] != want {
		t.Errorf("before anything was opened: %+v", states.last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	defer running.Wait()
	defer cancel()
	for _, name := range DeviceNames() {
		states.await(t, protocol.DeviceState{Name: name, State: "ready"})
	}
	for _, step := range []struct {
		line string
		want protocol.DeviceState
	}{
		{"cover open", protocol.DeviceState{Name: "printer", State: "fault", Fault: "cover_open"}},
		{"cover closed", protocol.DeviceState{Name: "printer", State: "ready"}},
		{"paper near", protocol.DeviceState{Name: "printer", State: "ready", Fault: "paper_near_end"}},
		{"unplug", protocol.DeviceState{Name: "printer", State: "absent", Fault: "unplugged"}},
	} {
		if err := c.Paper.Obey(step.line, nil); err != nil {
			t.Fatal(err)
		}
		states.await(t, step.want)
	}
	if err := c.Drawer.Open(alreadyOver()); err == nil {
		t.Error("a drawer behind an unplugged printer opened")
	}
}

func alreadyOver() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestAPracticeReaderIsSwipedByItself, or a card could never be practised.
func TestAPracticeReaderIsSwipedByItself(t *testing.T) {
	c, err := OpenCounter(configured(t, "card.url", "sim:"), CounterHooks{}, true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	defer running.Wait()
	defer cancel()
	stripe := device.Stripe{device.TextOf("%XTEST?")}
	asked := 0
	if err := device.MakeCard(ctx, c.Card, stripe, device.HiCo, func(device.CardStep) { asked++ }); err != nil || asked != 2 {
		t.Errorf("after %d swipes: %v", asked, err)
	}
}

// TestADisplayBehindThePrinterIsShownThroughIt, and the paper stays clean.
func TestADisplayBehindThePrinterIsShownThroughIt(t *testing.T) {
	states := &told{news: make(chan struct{}, 1)}
	c, err := OpenCounter(configured(t, "printer.url", "sim:", "display.behind_printer", "true", "display.set", "cd5220"), CounterHooks{States: states.hear}, true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	defer running.Wait()
	defer cancel()
	c.Display.Show("PAID", "5.00 EUR")
	states.await(t, protocol.DeviceState{Name: "display", State: "ready"})
	glass := c.sims[len(c.sims)-1].(*sim.Display)
	for late := time.Now().Add(10 * time.Second); glass.Line(1) != "PAID" || glass.Line(2) != "5.00 EUR"; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("the display shows %q, %q", glass.Line(1), glass.Line(2))
		}
	}
	if text := c.Paper.Text(); text != "" {
		t.Errorf("on the paper: %q", text)
	}
}

func TestWrongDevicesAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"printer.url", "usb:1", "printer.url"},
		{"card.url", "serial://ttyUSB0", "card.url"},
		{"scanner.url", "tcp://x", "scanner.url"},
		{"display.url", "serial:///dev/ttyS0?baud=1", "display.url"},
		{"display.behind_printer", "true", "printer"},
	} {
		if _, err := OpenCounter(configured(t, c.key, c.value), CounterHooks{}, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: %v", c.key, c.value, err)
		}
	}
}
