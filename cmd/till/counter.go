package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/device"
	"till/protocol/terminal"
	"till/tui"
)

// counter runs the cashier's terminal, with its server in the same process or
// against a remote one.
type counter struct {
	p        *program
	config   *config.Config
	sources  config.Sources
	dir      string
	practice bool
	join     bool // practice: a further terminal of a shop whose server runs elsewhere
	kiosk    bool // nobody attends it
	listen   listening
}

// counter is `till` alone.
func (p *program) counter(ctx context.Context) error {
	sources, c, err := p.sources(nil)
	if err != nil {
		return fail("start", err)
	}
	return counter{p: p, config: c, sources: sources, dir: p.dataDir()}.run(ctx)
}

func (c counter) run(ctx context.Context) (err error) {
	if c.kiosk && c.p.accessible {
		return usage("till --accessible", "start kiosk: customers are shown what they buy; plain lines are for the counter")
	}
	if !c.p.accessible && (!isTerminal(c.p.in) || !isTerminal(c.p.out)) {
		return usage("till serve for a server without a screen", "start: the cashier's terminal needs a terminal")
	}
	if c.kiosk {
		signal.Ignore(ignored...) // from the first moment on
	}
	lock, err := boot.TakeLock(c.dir)
	if err != nil {
		return fail("start", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	logFile, err := os.OpenFile(filepath.Join(c.dir, "till.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fail("open log", err)
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	return fail("run", c.open(ctx, logger(c.config, logFile)))
}

// open builds the terminal and runs it until the cashier quits. The embedded
// server opens meanwhile: the first frame does not wait for it.
func (c counter) open(ctx context.Context, log *slog.Logger) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock, embedded := &boot.Clock{}, !c.join && (c.practice || c.config.Server.URL == "")
	line, cable := boot.NewLine(), &boot.Cable{}
	safe, err := boot.OpenSafe(c.config, c.dir, rand.Reader, c.practice || c.p.puppet != "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, safe.Close()) }()
	t, err := boot.OpenTerminal(ctx, boot.TerminalOptions{Dir: c.dir, Config: c.config, Clock: clock, Random: rand.Reader, Log: log,
		Software: software(), Embedded: embedded, Line: line, Cable: cable, Safe: safe})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if _, paired := t.Identity(); !paired && !embedded {
		return &failure{exitUsage, terminal.ErrNotPaired, "till terminal add NAME on the server, then till enroll LINK here"}
	}
	spool, devices, err := c.openDevices(t, log)
	if err != nil {
		return err
	}
	back := &backroom{counter: c, terminal: t, line: line, clock: clock, log: log, stop: cancel}
	began := time.Now()
	hand := func() time.Duration { return time.Since(began) }
	options := tui.Options{
		Terminal: t, Spool: spool, Practice: c.practice, Customer: back.customer(), User: c.signedIn(), Version: software(), Stretch: boot.Stretch,
		Log: log, Clock: clock.Now, Theme: c.config.Terminal.Theme, Locale: c.locale(), Mouse: c.config.Terminal.Mouse,
		Keys: otherKeys(c.config.Keys), Silent: !c.config.Terminal.Sound, Receipt: c.config.Terminal.Receipt,
		Hand: hand,
	}
	c.furnish(&options, devices)
	if options.Kiosk, err = c.selfService(); err != nil {
		return err
	}
	report := func(device.Status) {}
	if safe.HasSwitch() {
		report, options.Devices["case"] = devices.Watch("case"), safe
	}
	guard := func(ctx context.Context) { safe.Guard(ctx, t, report, log) }
	app, err := tui.New(options)
	if err != nil {
		return err
	}
	console := tui.Console{In: c.p.in, Out: c.p.out, Env: c.p.env, HalfBlocks: halfBlocks(c.config, c.p.out)}
	if c.p.puppet != "" {
		puppet := newPuppet(app, hand, t, clock, line, cable)
		puppet.openCase = safe.OpenCase
		if err := puppet.serve(ctx, c.p.puppet); err != nil {
			return err
		}
		back.opened, console.Filter, console.Mark = puppet.open, puppet.filter, puppet.line
	}
	if c.kiosk {
		locked, l, free := lockDown(ctx, c.p.in.(*os.File), app.Redraw)
		defer free()
		ctx, console.Filter = locked, l.filter(console.Filter)
	}
	return c.play(ctx, app, console, back, devices, guard)
}

// openDevices makes the devices that are configured; papers go through the spool.
func (c counter) openDevices(t *terminal.Terminal, log *slog.Logger) (*tui.Spool, *boot.Counter, error) {
	spool := tui.NewSpool(t, log)
	hooks := boot.CounterHooks{Printer: spool.Report, Progress: spool.Progress, States: t.SetDevices}
	devices, err := boot.OpenCounter(c.config, hooks, c.practice)
	if err != nil {
		return nil, nil, &failure{exitUsage, err, "till config check"}
	}
	if devices.Printer == nil {
		return nil, devices, nil
	}
	spool.Attach(devices.Printer)
	return spool, devices, nil
}

// furnish gives the program the devices there are.
func (c counter) furnish(o *tui.Options, devices *boot.Counter) {
	o.Devices, o.Changed, o.Scans = map[string]tui.Device{}, devices.Changed, devices.Scans
	o.Stripes = device.Coercivity(c.config.Card.Coercivity)
	if devices.Drawer != nil {
		o.Drawer = devices.Drawer
	}
	if devices.Card != nil {
		o.Card, o.Devices["card"], o.Swipe = devices.Card, devices.Card, devices.Swipe
	}
	if devices.Scanner != nil {
		o.Devices["scanner"] = devices.Scanner
	}
	if devices.Display != nil {
		o.Display, o.Devices["display"] = devices.Display, devices.Display
	}
	if devices.Paper != nil {
		o.Paper = devices.Paper
	}
}

// play runs everything until the program is quit, then lets all of it end.
func (c counter) play(ctx context.Context, app *tui.App, console tui.Console, back *backroom, devices *boot.Counter, guard func(context.Context)) error {
	work, stop := context.WithCancel(ctx)
	ended := make(chan error, 5)
	paired := make(chan struct{})
	go func() { ended <- back.run(work, paired) }()
	go func() { devices.Run(work); ended <- nil }()
	go func() { guard(work); ended <- nil }()
	go func() { c.p.underManager(work, app.Alive, back.log); ended <- nil }()
	go func() { ended <- c.call(work, back.terminal, paired) }()
	show := app.Run
	if c.p.accessible {
		show = func(ctx context.Context, console tui.Console) error { return app.RunAloud(ctx, console, c.p.echo()) }
	}
	err := show(ctx, console)
	stop()
	for range cap(ended) {
		if e := <-ended; e != nil && !errors.Is(e, context.Canceled) {
			err = errors.Join(err, e)
		}
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

// call checks in until ctx ends, once the terminal is paired.
func (c counter) call(ctx context.Context, t *terminal.Terminal, paired <-chan struct{}) error {
	select {
	case <-paired:
		return t.Run(ctx)
	case <-ctx.Done():
		return nil
	}
}

// backroom is the embedded server behind a terminal, and in practice the world.
type backroom struct {
	counter  counter
	terminal *terminal.Terminal
	line     *boot.Line
	clock    *boot.Clock
	log      *slog.Logger
	stop     context.CancelCauseFunc // ends the program with the reason
	opened   func(*boot.Server)      // nil: nobody wants to know
	server   chan *boot.Server       // practice: filled once
	patron   *patron                 // practice
}

// run opens the server, pairs the terminal with it at the first start, and
// serves until ctx ends. What keeps it from opening ends the program. A terminal
// that was paired before need not wait.
func (b *backroom) run(ctx context.Context, paired chan<- struct{}) (err error) {
	c := b.counter
	_, known := b.terminal.Identity()
	if known {
		close(paired)
	}
	if c.join || !c.practice && c.config.Server.URL != "" {
		return nil
	}
	s, err := boot.OpenServer(ctx, boot.ServerOptions{Dir: c.dir, Config: c.config, Sources: c.sources, Practice: c.practice, Clock: b.clock, Random: rand.Reader,
		Log: b.log, Line: b.line, Listen: c.listen.listen()})
	if err != nil {
		b.stop(err)
		return nil
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.listen.addressesFile != "" {
		if err := boot.WriteAddresses(c.listen.addressesFile, s.Addresses()); err != nil {
			b.stop(err)
			return nil
		}
		defer func() { err = errors.Join(err, boot.RemoveAddresses(c.listen.addressesFile)) }()
	}
	if b.opened != nil {
		b.opened(s)
	}
	if c.practice {
		b.server <- s
		go s.World().MineEvery(ctx, c.config.Practice.BlockEvery)
		customers := make(chan struct{})
		go func() { b.patron.serveTabs(ctx); close(customers) }()
		defer func() { <-customers }()
	}
	if !known {
		go func() {
			if err := s.PairEmbedded(ctx, b.terminal); err != nil {
				b.stop(err)
				return
			}
			close(paired)
		}()
	}
	if err := s.Run(ctx); err != nil {
		b.stop(err)
	}
	return nil
}

// locale is that of the screen: the configured language, else the shop's.
func (c counter) locale() string {
	if c.config.Terminal.Language == "auto" {
		return ""
	}
	return c.config.Terminal.Language
}

func (c counter) signedIn() string {
	if c.practice && !c.kiosk {
		return "1"
	}
	return ""
}
