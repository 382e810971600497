package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"till/device"
	"till/tui/register"
	"till/tui/widget"
)

// fps is how often a frame may be written; a key's frame waits for at most one
// of these.
const fps = 120

// Options is what the program is made of. Terminal, Stretch, Clock, Log and
// Version are needed.
type Options struct {
	Terminal Terminal
	Spool    *Spool            // papers and the printer; nil: none is configured
	Drawer   Opener            // nil: none
	Devices  map[string]Device // further devices by name: scanner, card, display
	Changed  <-chan struct{}   // has a value when one of Devices is in another state; nil: never
	Scans    <-chan string     // what a serial scanner read, "" one that was refused; nil: none
	Display  Display           // faces the customer; nil: none
	Paper    Paper             // what a simulated printer has printed; nil: paper is paper
	Card     device.CardReader // reads and writes cards; nil: none
	Stripes  device.Coercivity // of the cards that are written; hi when empty
	Swipe    func()            // pulls the card of a simulated reader through; nil: cards are real
	Customer Customer          // practice only; nil: none
	User     string            // who is signed in at the start; "" nobody
	Practice bool              // screens and paper say PRACTICE
	Stretch  register.Stretch  // Argon2id, for approvals by PIN
	Version  string            // "till/1.0.0 linux/arm64"
	Log      *slog.Logger
	Clock    func() time.Time // wall clock
	Zone     *time.Location   // of what is shown; Local when nil
	// Hand is a stopwatch that times key strokes, so that a scanner that types
	// is told from a hand; Clock when nil.
	Hand func() time.Duration
	// After is a timer; time.After when nil.
	After func(time.Duration) <-chan time.Time

	Theme  string // of widget.ThemeNames; dark when empty
	Locale string // of the screen; the shop's when empty
	Mouse  bool   // mouse and touch work
	Silent bool   // no bell
	// Receipt is when a receipt is printed: auto when a sale is first accepted
	// (also when empty), ask or never.
	Receipt string
	Keys    map[Action][]string // other keys for actions
	Kiosk   *Kiosk              // nobody attends it; nil: a cashier does
}

// Console is where the program is seen.
type Console struct {
	In  io.Reader
	Out io.Writer
	Env []string
	// Width and Height are the size where Out is no tty.
	Width, Height int
	// HalfBlocks tells that a Linux console's font has ▀ ▄ █.
	HalfBlocks bool
	// Colours overrides what Env says: none, 16, 256, true.
	Colours string
	// Mark takes lines that are no input out of it (RunAloud); nil: there are none.
	Mark func(line string) (tea.Msg, bool)
	// Filter sees every message before the program does; nil: nobody.
	Filter func(tea.Model, tea.Msg) tea.Msg
}

// App is the terminal program.
type App struct {
	o    Options
	seen atomic.Pointer[Seen]
	live atomic.Pointer[tea.Program] // while it runs
}

// New checks the options.
func New(o Options) (*App, error) {
	if o.Terminal == nil || o.Clock == nil || o.Stretch == nil || o.Log == nil || o.Version == "" {
		return nil, errors.New("make the terminal program: an option is missing")
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Hand == nil {
		start := o.Clock()
		o.Hand = func() time.Duration { return o.Clock().Sub(start) }
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Stripes == "" {
		o.Stripes = device.HiCo
	}
	if o.Theme == "" {
		o.Theme = "dark"
	}
	a := &App{o: o}
	a.seen.Store(&Seen{})
	return a, nil
}

// Run shows the program until its user quits or ctx ends. Everything that was
// asked for is written before it returns.
func (a *App) Run(ctx context.Context, c Console) error {
	term, profile := c.terminal()
	theme, err := widget.NewTheme(a.o.Theme, term)
	if err != nil {
		return fmt.Errorf("start the terminal program: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newModel(ctx, a.o, theme, &a.seen)
	m.term, m.console = term, term.Glyphs == widget.Console
	if a.o.Kiosk != nil {
		m.becomeKiosk(*a.o.Kiosk)
	}
	if err := m.load(ctx); err != nil {
		return fmt.Errorf("start the terminal program: %w", err)
	}
	in := c.In
	if m.console {
		in = translated(in)
	}
	if c.Filter == nil {
		c.Filter = func(_ tea.Model, msg tea.Msg) tea.Msg { return msg }
	}
	p := tea.NewProgram(m, tea.WithFilter(c.Filter),
		tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(c.Out), tea.WithEnvironment(c.Env),
		tea.WithWindowSize(c.Width, c.Height), tea.WithFPS(fps), tea.WithColorProfile(profile), tea.WithoutSignalHandler())
	a.live.Store(p)
	_, err = p.Run()
	a.live.Store(nil)
	m.lane.finish(2 * time.Second)
	if err == nil && m.kiosk != nil && m.kiosk.again {
		return ErrRestart
	}
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// Alive returns when the program has taken a message like any other, or fails with
// ctx: a service manager asks it whether the screen still answers.
func (a *App) Alive(ctx context.Context) error {
	p := a.live.Load()
	if p == nil {
		return errors.New("the screen is not there yet")
	}
	taken := make(chan struct{})
	go func() {
		p.Send(pulse{})
		close(taken)
	}()
	select {
	case <-taken:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the screen does not answer: %w", ctx.Err())
	}
}

// pulse is nothing to act on.
type pulse struct{}

// Redraw sets the modes of the terminal and paints the whole screen anew, after
// something else has written on it.
func (a *App) Redraw() {
	if p := a.live.Load(); p != nil {
		p.Send(repainted{})
	}
}

// terminal tells what the console can show.
func (c Console) terminal() (widget.Terminal, colorprofile.Profile) {
	env := func(name string) string {
		for _, pair := range c.Env {
			if v, ok := strings.CutPrefix(pair, name+"="); ok {
				return v
			}
		}
		return ""
	}
	t := widget.Terminal{Blocks: true}
	encoding := strings.ToUpper(env("LC_ALL") + env("LC_CTYPE") + env("LANG"))
	switch {
	case env("TERM") == "linux":
		t.Glyphs, t.Blocks = widget.Console, c.HalfBlocks
	case encoding != "" && !strings.Contains(encoding, "UTF"):
		t.Glyphs, t.Blocks = widget.ASCII, false
	}
	profile := colorprofile.Env(c.Env)
	switch c.Colours {
	case "none":
		profile = colorprofile.ASCII
	case "16":
		profile = colorprofile.ANSI
	case "256":
		profile = colorprofile.ANSI256
	case "true":
		profile = colorprofile.TrueColor
	}
	switch {
	case profile >= colorprofile.TrueColor:
		t.Profile = widget.TrueColor
	case profile == colorprofile.ANSI256:
		t.Profile = widget.Color256
	case profile == colorprofile.ANSI:
		t.Profile = widget.Color16
	default:
		t.Profile = widget.NoColor
	}
	return t, profile
}

// Seen is what a script may know of the screen without knowing its layout. It
// is a snapshot after the last message was handled.
type Seen struct {
	// Screen is a name of stories.md: register, pay, sales, …; "" until the
	// shop's configuration has come and, in practice, the shift is open.
	Screen string
	Dialog string // the name of the dialog on top, "" none
	Inputs uint64 // keys, pastes and clicks handled so far
	Offers []Offer
	// Still is when, by Hand, a dialog that opened by itself takes keys; 0 at
	// once. The next key before then moves it on.
	Still time.Duration
	// Sale is the sale that the screen is about, nil none.
	Sale *SeenSale
	// Alerts is how many wait for a person.
	Alerts int
	// Spoken is the screen in words, where it is said.
	Spoken *Spoken
	// Working counts effects that are under way.
	Working int64
}

// Spoken is a screen in words.
type Spoken = spoken

// SeenSale is the figures of a sale.
type SeenSale struct {
	ID               string
	Number           string
	State            string
	Flags            []string
	DueSat, Received int64
	TxIDs            []string
}

// Offer is an action that the screen knows now.
type Offer struct {
	Action Action
	Key    string // the first key bound to it
	Words  string
	Why    string // why it can do nothing now; "" it can
}

// Seen is the last snapshot.
func (a *App) Seen() Seen { return *a.seen.Load() }

// Offer finds an action among those of the snapshot.
func (s Seen) Offer(action Action) (Offer, bool) {
	for _, o := range s.Offers {
		if o.Action == action {
			return o, true
		}
	}
	return Offer{}, false
}
