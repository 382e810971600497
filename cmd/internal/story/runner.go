package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// runner plays one story in one shop. It sits before one of the shop's terminals
// at a time, as `on NAME:` says.
type runner struct {
	Options
	*seat
	seats    map[string]*seat
	patience time.Duration
	vars     map[string]string
	lastPaid string // txid of the customer's last payment
	played   []Statement
}

// seat is a person before one terminal of the shop.
type seat struct {
	shop          *Shop
	program       Program
	width, height int
	term          string
	locale        string
	colour        string
	running       bool      // the story started the program and has not stopped it
	begun         time.Time // of the last start
	screen        *screen
	keys          *keyboard
	marks         *marks
	hand          hand
}

// mainSeat is the terminal that has the shop's server.
const mainSeat = "main"

func newRunner(o Options, shop *Shop) *runner {
	r := &runner{Options: o, seats: map[string]*seat{}, patience: defaultPatience, vars: map[string]string{}}
	r.place(mainSeat, shop)
	return r
}

// place sits down before a terminal for the first time.
func (r *runner) place(name string, shop *Shop) {
	s := &seat{shop: shop, program: shop.Program, width: r.Width, height: r.Height, term: r.Options.Term, keys: newKeyboard()}
	s.screen = newScreen(s.term, s.width, s.height, s.keys, r.Now)
	r.seats[name], r.seat = s, s
}

// sit changes to the terminal that a statement speaks of. A further one joins the
// shop when it is first spoken of, which needs the server of the first.
func (r *runner) sit(ctx context.Context, name string) error {
	if s, known := r.seats[name]; known {
		r.seat = s
		return nil
	}
	r.seat = r.seats[mainSeat]
	if r.begun.IsZero() {
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	shop, err := r.shop.Further(ctx, name)
	if err != nil {
		return fmt.Errorf("make terminal %s: %w", name, err)
	}
	r.place(name, shop)
	return nil
}

// names are those of the further terminals, then the first.
func (r *runner) names() []string {
	names := slices.Sorted(maps.Keys(r.seats))
	names = slices.DeleteFunc(names, func(n string) bool { return n == mainSeat })
	return append(names, mainSeat)
}

// play gives nil when all held.
func (r *runner) play(ctx context.Context, story []Statement) *Failure {
	defer func() {
		for _, s := range r.seats {
			s.keys.close()
			s.screen.close()
		}
	}()
	for _, s := range story {
		r.played = append(r.played, s)
		err := r.sit(ctx, s.On)
		if err == nil {
			err = r.step(ctx, s.Do)
		}
		if err == nil {
			err = r.breathe(ctx, s.Do)
		}
		if err != nil {
			failure := r.failure(ctx, s, err)
			for _, r.seat = range r.seats {
				_ = r.stop(context.WithoutCancel(ctx), "KILL") // it failed already
			}
			return failure
		}
	}
	for _, name := range r.names() {
		r.seat = r.seats[name]
		if err := r.stop(ctx, "TERM"); err != nil {
			end := r.played[len(r.played)-1]
			end.Text = "the end of the story"
			return r.failure(ctx, end, err)
		}
	}
	return nil
}

// step carries out one statement.
func (r *runner) step(ctx context.Context, step Step) error {
	switch do := step.(type) {
	case Size:
		if r.Lines {
			return nil // it has none
		}
		r.width, r.height = do.Width, do.Height
		r.screen.resize(r.width, r.height)
		if r.running {
			r.program.Resize(r.width, r.height)
			r.hand.dirty = true
		}
		return nil
	case Term:
		return r.prepare(ctx, func() { r.term = do.Name })
	case Locale:
		return r.prepare(ctx, func() { r.locale = do.Name })
	case Colour:
		return r.prepare(ctx, func() { r.colour = do.Depth })
	case Patience:
		r.patience = do.Time
		return nil
	case Say:
		return r.say(ctx, do.Text)
	case Stop:
		if do.Kill {
			return r.stop(ctx, "KILL")
		}
		return r.stop(ctx, "TERM")
	case Start:
		return r.start(ctx)
	case Pull:
		if do.Line == "power" {
			return r.stop(ctx, "KILL")
		}
		return r.shop.Cables.Pull(do.Line)
	case Plug:
		if do.Line == "power" {
			return r.start(ctx)
		}
		return r.shop.Cables.Plug(do.Line)
	}
	// Everything else needs the program, which starts by itself once.
	if r.begun.IsZero() {
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	if handled, err := r.handStep(ctx, step); handled {
		return err
	}
	if handled, err := r.lookStep(ctx, step); handled {
		return err
	}
	return r.worldStep(ctx, step)
}

// prepare changes what the program is told when it starts. One that runs is
// stopped for it and started again, as a person would.
func (r *runner) prepare(ctx context.Context, change func()) error {
	running := r.running
	if running {
		if err := r.stop(ctx, "TERM"); err != nil {
			return err
		}
	}
	change()
	if running {
		return r.start(ctx)
	}
	return nil
}

func (r *runner) say(ctx context.Context, text string) error {
	if r.Show == nil {
		_, err := fmt.Fprintln(r.Out, text)
		return err
	}
	if _, err := fmt.Fprintf(r.Show, "\x1b]2;%s\a", strings.Map(printable, text)); err != nil {
		return err
	}
	return r.pause(ctx, r.pace(time.Duration(len(text))*50*time.Millisecond))
}

func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return -1
	}
	return r
}

// start starts the program on a fresh terminal and waits for its first whole
// frame.
func (r *runner) start(ctx context.Context) error {
	if err := r.gone(ctx); err != nil {
		return err
	}
	r.keys.close()
	r.screen.close()
	r.keys, r.marks = newKeyboard(), newMarks()
	r.screen = newScreen(r.term, r.width, r.height, r.keys, r.Now)
	r.hand.forget()
	tty := TTY{
		Input: r.keys, Output: r.screen, Width: r.width, Height: r.height,
		Env: r.env(), Locale: r.locale, Filter: r.marks.filter,
	}
	if r.Show != nil && r.seat == r.seats[mainSeat] {
		tty.Output = io.MultiWriter(r.screen, r.Show)
	}
	r.begun = r.Now()
	if err := r.program.Start(ctx, tty); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	r.running = true
	return r.until(ctx, max(r.patience, defaultPatience), func(*Frame) error {
		frames, _ := r.screen.after(-1)
		for _, f := range frames {
			if !f.blank() {
				r.hand.firstFrame = f.At.Sub(r.begun)
				return nil
			}
		}
		return errors.New("the program shows nothing")
	})
}

// gone waits for the end of a program that the story made quit by itself.
func (r *runner) gone(ctx context.Context) error {
	if err := r.settle(ctx); err != nil || !r.running {
		return err
	}
	timer := time.NewTimer(r.patience)
	defer timer.Stop()
	select {
	case <-r.program.Ended():
		return nil
	case <-timer.C:
		return errors.New("the program runs already")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// env is the environment of the program. How many colours there are is said as
// terminals do: by TERM, COLORTERM and NO_COLOR.
func (r *runner) env() []string {
	family, _, _ := strings.Cut(r.term, "-")
	term := r.term
	switch {
	case r.colour == "16" && !isLinux(term):
		term = family
	case r.colour == "256" && !isLinux(term):
		term = family + "-256color"
	}
	env := []string{"TERM=" + term}
	if r.locale != "" {
		env = append(env, "LANG="+strings.ReplaceAll(r.locale, "-", "_")+".UTF-8")
	}
	switch r.colour {
	case "none":
		env = append(env, "NO_COLOR=1")
	case "true":
		env = append(env, "COLORTERM=truecolor")
	}
	return env
}

// stopTime is how long the program may take to end (cli.md).
const stopTime = 5 * time.Second

// stop ends the program by a signal.
func (r *runner) stop(ctx context.Context, signal string) error {
	if !r.running || r.ended() {
		r.running = false
		return nil
	}
	if signal != "KILL" {
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	r.running = false
	if err := r.program.Signal(ctx, signal); err != nil {
		return fmt.Errorf("signal %s: %w", signal, err)
	}
	r.keys.close()
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-r.program.Ended():
		return nil
	case <-timer.C:
		return fmt.Errorf("the program has not ended %v after SIG%s", stopTime, signal)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ended tells whether the last run is over.
func (r *runner) ended() bool {
	select {
	case <-r.program.Ended():
		return true
	default:
		return false
	}
}

// poll is how often is looked at what makes no frame.
const poll = 20 * time.Millisecond

// until looks at the present frame and at each that follows until look is
// content, at most d; then its last complaint is the
// error.
func (r *runner) until(ctx context.Context, d time.Duration, look func(*Frame) error) error {
	end := r.Now().Add(d)
	frame := r.screen.frame()
	complaint := look(frame)
	for complaint != nil {
		left := end.Sub(r.Now())
		if left <= 0 {
			return complaint
		}
		fresh, changed := r.screen.after(frame.Number)
		if len(fresh) == 0 {
			if err := r.awake(ctx, changed, min(left, poll)); err != nil {
				return err
			}
			fresh = []*Frame{frame}
		}
		for _, frame = range fresh {
			if complaint = look(frame); complaint == nil {
				return nil
			}
		}
	}
	return nil
}

// awake waits for a frame, at most d.
func (r *runner) awake(ctx context.Context, changed <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// pause waits.
func (r *runner) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return r.awake(ctx, nil, d)
}

// pace is what a person's pause of that length is at the chosen speed.
func (r *runner) pace(d time.Duration) time.Duration {
	if r.Speed <= 0 {
		return 0
	}
	return time.Duration(float64(d) / r.Speed)
}

// breathe is a person's moment between two deeds.
func (r *runner) breathe(ctx context.Context, step Step) error {
	switch step.(type) {
	case See, SeeState, NotSee, OnScreen, Let, Expect, Paper, Size, Term, Locale, Colour, Patience:
		return nil
	}
	return r.pause(ctx, r.pace(700*time.Millisecond))
}
