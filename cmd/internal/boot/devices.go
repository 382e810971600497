package boot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"till/cmd/internal/config"
	"till/device"
	"till/device/escpos"
	"till/device/msr605"
	"till/device/sim"
	"till/protocol"
)

// The speeds of serial ports whose URLs name none (devices.md section 1).
const (
	printerBaud = 38400
	deviceBaud  = 9600
)

// scansKept is how many scans wait for the program to take them; a hand that
// scans faster than that has lost count itself.
const scansKept = 32

// DeviceNames are the devices of a counter as the configuration's sections, the
// screens and `till devices check` name them.
func DeviceNames() []string { return []string{"printer", "card", "scanner", "display"} }

// Counter is the hardware of one counter. A device that is not configured is
// nil. Run works them all.
type Counter struct {
	Printer *device.Printer
	Drawer  *device.Drawer // behind the printer
	Card    *msr605.Reader
	Scanner *device.Scanner
	Display *device.Display
	// Paper is the simulated printer that "sim:" stands for.
	Paper *sim.Printer
	// Swipe pulls the card of the simulated reader through; nil: cards are real.
	Swipe func()
	// Scans is what the scanner read; "" is a scan that was refused.
	Scans chan string
	// Changed has a value when the state of a device is another.
	Changed chan struct{}

	hooks CounterHooks
	run   []func(context.Context)
	sims  []sim.Peripheral

	mu     sync.Mutex
	names  []string // of those that are configured, in order
	states map[string]device.Status
}

// CounterHooks hear what the devices tell; nil ones hear nothing.
type CounterHooks struct {
	Printer  func(device.Status)
	Progress func(device.JobReport)
	// States hears the state of every configured device at each change, in the
	// words of a check-in.
	States func([]protocol.DeviceState)
}

// OpenCounter makes the devices that are configured; nothing is opened before
// [Counter.Run]. simulate allows the address "sim:".
func OpenCounter(c *config.Config, hooks CounterHooks, simulate bool) (*Counter, error) {
	counter := &Counter{
		Scans: make(chan string, scansKept), Changed: make(chan struct{}, 1),
		hooks: hooks, states: map[string]device.Status{},
	}
	for _, open := range []func(*config.Config, bool) error{counter.openPrinter, counter.openCard, counter.openScanner, counter.openDisplay} {
		if err := open(c, simulate); err != nil {
			counter.close()
			return nil, err
		}
	}
	counter.tell()
	return counter, nil
}

// place finds where a device is; open is nil when none is configured. simulator
// makes what "sim:" stands for.
func (c *Counter) place(name, url string, baud int, simulate bool, simulator func() (sim.Peripheral, error)) (open device.Dialer, err error) {
	address, err := device.ParseURL(url, baud)
	if err != nil {
		return nil, fmt.Errorf("%s.url: %w", name, err)
	}
	if address.None {
		return nil, nil
	}
	var dial device.Dialer
	if address.Sim && simulate {
		simulated, err := simulator()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.sims = append(c.sims, simulated)
		dial = simulated.Dial
	}
	c.names = append(c.names, name)
	return address.Dialer(dial), nil
}

func (c *Counter) openPrinter(set *config.Config, simulate bool) error {
	open, err := c.place("printer", set.Printer.URL, printerBaud, simulate, func() (sim.Peripheral, error) {
		paper, err := sim.NewPrinter(set.Printer.Profile, nil)
		c.Paper = paper
		return paper, err
	})
	if err != nil || open == nil {
		return err
	}
	language, err := escpos.NewLanguage(set.Printer.Profile)
	if err != nil {
		return fmt.Errorf("printer.profile: %w", err)
	}
	polarity := device.OpenHigh
	if set.Drawer.OpenWhen == "low" {
		polarity = device.OpenLow
	}
	hear, progress := c.hear("printer"), c.hooks.Progress
	c.Printer, err = device.NewPrinter(device.PrinterConfig{
		Open: open, Language: language, Polarity: polarity,
		Report: func(s device.Status) {
			hear(s)
			if c.hooks.Printer != nil {
				c.hooks.Printer(s)
			}
		},
		Progress: func(r device.JobReport) {
			if progress != nil {
				progress(r)
			}
		},
	})
	if err != nil {
		return err
	}
	c.run = append(c.run, c.Printer.Run)
	c.Drawer = device.NewDrawer(c.Printer, int(set.Drawer.Pin), drawerTime(set.Drawer.OnMS), drawerTime(set.Drawer.OffMS))
	return nil
}

func drawerTime(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

func (c *Counter) openCard(set *config.Config, simulate bool) error {
	open, err := c.place("card", set.Card.URL, deviceBaud, simulate, func() (sim.Peripheral, error) {
		reader, err := sim.NewCardReader("", nil)
		if err == nil {
			c.run = append(c.run, func(ctx context.Context) { swipe(ctx, reader) })
			c.Swipe = func() { reader.Swipe(sim.GoodSwipe) }
		}
		return reader, err
	})
	if err != nil || open == nil {
		return err
	}
	c.Card = msr605.New(open, c.hear("card"))
	c.run = append(c.run, c.Card.Run)
	return nil
}

// swipeTime is how long the hand at a simulated reader takes to swipe.
const swipeTime = 1500 * time.Millisecond

// swipe is the hand at a simulated reader: one card, swiped when the reader waits
// to write it and to check what it wrote. For all else there is [Counter.Swipe].
func swipe(ctx context.Context, reader *sim.CardReader) {
	for reader.AwaitMaking(ctx) {
		timer := time.NewTimer(swipeTime)
		select {
		case <-timer.C:
			reader.Swipe(sim.GoodSwipe)
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (c *Counter) openScanner(set *config.Config, simulate bool) error {
	open, err := c.place("scanner", set.Scanner.URL, deviceBaud, simulate, func() (sim.Peripheral, error) { return sim.NewScanner("\r"), nil })
	if err != nil || open == nil {
		return err
	}
	suffix, trigger, err := scannerHabits(set)
	if err != nil {
		return err
	}
	c.Scanner = device.NewScanner(open, suffix, trigger, c.scanned, c.hear("scanner"))
	c.run = append(c.run, c.Scanner.Run)
	return nil
}

// scannerHabits reads how the scanner ends a code and how it is started.
func scannerHabits(set *config.Config) (device.Suffix, device.Trigger, error) {
	suffix, err := device.ParseSuffix(set.Scanner.Suffix)
	if err != nil {
		return "", "", fmt.Errorf("scanner.suffix: %w", err)
	}
	word := set.Scanner.Trigger
	if word == "none" {
		word = ""
	}
	trigger, err := device.ParseTrigger(word)
	if err != nil {
		return "", "", fmt.Errorf("scanner.trigger: %w", err)
	}
	return suffix, trigger, nil
}

func (c *Counter) openDisplay(set *config.Config, simulate bool) error {
	behind := set.Display.BehindPrinter
	language, err := escpos.NewDisplayLanguage(set.Display.Set, behind)
	if err != nil {
		return fmt.Errorf("display.set: %w", err)
	}
	if behind {
		if c.Printer == nil {
			return fmt.Errorf("display.behind_printer: there is no printer: set printer.url")
		}
		if c.Paper != nil {
			glass, err := sim.NewDisplay(set.Display.Set)
			if err != nil {
				return fmt.Errorf("display: %w", err)
			}
			c.sims = append(c.sims, glass)
			c.Paper.Behind(glass)
		}
		c.names = append(c.names, "display")
		c.Display = device.NewDisplayBehind(c.Printer, language, c.hear("display"))
		c.run = append(c.run, c.Display.Run)
		return nil
	}
	open, err := c.place("display", set.Display.URL, deviceBaud, simulate, func() (sim.Peripheral, error) { return sim.NewDisplay(set.Display.Set) })
	if err != nil || open == nil {
		return err
	}
	c.Display = device.NewDisplay(open, language, c.hear("display"))
	c.run = append(c.run, c.Display.Run)
	return nil
}

// scanned hands a scan on; one that nobody takes any more is dropped.
func (c *Counter) scanned(text string, err error) {
	if err != nil {
		text = ""
	}
	select {
	case c.Scans <- text:
	default:
	}
}

// hear is what a device tells its state to.
func (c *Counter) hear(name string) func(device.Status) {
	return func(s device.Status) {
		c.mu.Lock()
		c.states[name] = s
		c.mu.Unlock()
		c.tell()
	}
}

// Watch adds something beside the counter, such as the switch of the case; its
// state goes to what it returns.
func (c *Counter) Watch(name string) func(device.Status) {
	c.mu.Lock()
	c.names = append(c.names, name)
	c.mu.Unlock()
	return c.hear(name)
}

// tell tells all states.
func (c *Counter) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hooks.States != nil {
		states := make([]protocol.DeviceState, len(c.names))
		for i, name := range c.names {
			states[i] = deviceState(name, c.states[name])
		}
		c.hooks.States(states)
	}
	select {
	case c.Changed <- struct{}{}:
	default:
	}
}

// deviceState says a state in the words of a check-in (terminal.md section 4).
func deviceState(name string, s device.Status) protocol.DeviceState {
	out := protocol.DeviceState{Name: name, State: s.State.String(), Fault: string(s.Fault)}
	if s.State == device.Faulted {
		out.State = "fault"
	}
	if s.Fault == device.NoFault {
		out.Fault = string(s.Warning)
	}
	return out
}

// Run works the devices until ctx ends.
func (c *Counter) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, run := range c.run {
		running.Go(func() { run(ctx) })
	}
	running.Wait()
	c.close()
}

func (c *Counter) close() {
	for _, simulated := range c.sims {
		simulated.Close()
	}
}
