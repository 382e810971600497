package story

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How a hand and a scanner move. Faster typing would be taken for a scan
// (devices.md §6: no gap above 30 ms), and a key too soon behind Escape for a
// part of the same sequence (Bubble Tea waits 50 ms, up to twice).
const (
	keyGap    = 35 * time.Millisecond
	escGap    = 120 * time.Millisecond
	personGap = 130 * time.Millisecond
	wedgeCalm = 80 * time.Millisecond // before and behind a scan
)

// frameTime is what the slowest renderer takes from a view to its frame: two
// ticks of 60 a second.
const frameTime = 34 * time.Millisecond

// answerTime is how long a program without [Filter] gets for a key.
const answerTime = 150 * time.Millisecond

// hand is what was pressed, and how fast the program followed.
type hand struct {
	last       time.Time // of the last key
	escape     bool      // it was Escape
	dirty      bool      // something was pressed since the program was last seen to have handled all
	firstFrame time.Duration
	waiting    bool // for the frame that follows the last key
	before     int  // number of the frame shown when it was pressed
	took       []time.Duration
}

// forget begins with a new run of the program; the times stay.
func (h *hand) forget() { *h = hand{firstFrame: h.firstFrame, took: h.took} }

// quantile99 is the 99th percentile of the times from key to frame.
func (h *hand) quantile99() time.Duration {
	if len(h.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(h.took))
	return sorted[(len(sorted)*99+99)/100-1]
}

// handStep carries out what a person's hands do; false when it is none of it.
func (r *runner) handStep(ctx context.Context, step Step) (bool, error) {
	switch do := step.(type) {
	case Press:
		for _, key := range do.Keys {
			if err := r.press(ctx, key); err != nil {
				return true, err
			}
		}
		return true, nil
	case Hold:
		for range do.Times {
			if err := r.press(ctx, do.Key); err != nil {
				return true, err
			}
		}
		return true, nil
	case TypeText:
		return true, r.typeText(ctx, r.string(do.Text))
	case Paste:
		if r.Lines {
			return true, r.strike(ctx, "<"+r.string(do.Text)+"\n")
		}
		brackets, _ := r.screen.modes()
		return true, r.strike(ctx, pasted(r.string(do.Text), brackets))
	case Scan:
		return true, r.scan(ctx, r.string(do.Text), do.By)
	case Act:
		return true, r.act(ctx, do.Action)
	case SignIn:
		return true, r.signIn(ctx, do)
	case SignOut:
		if err := r.act(ctx, "sign-out"); err != nil {
			return true, err
		}
		return true, r.reach(ctx, "sign-in")
	case Ring:
		return true, r.ring(ctx, do.Amount.Decimal, do.Name)
	case Add:
		return true, r.addItem(ctx, do)
	}
	return false, nil
}

// string is the text to send.
func (r *runner) string(t Text) string {
	if t.Var != "" {
		return r.vars[t.Var]
	}
	return t.Literal
}

// press presses a key.
func (r *runner) press(ctx context.Context, key string) error {
	if r.Lines {
		return r.strike(ctx, ":"+key+"\n")
	}
	_, application := r.screen.modes()
	bytes, err := keyBytes(r.term, key, application)
	if err != nil {
		return err
	}
	return r.strike(ctx, bytes)
}

// typeText types a text, Enter for its line feeds.
func (r *runner) typeText(ctx context.Context, text string) error {
	if r.Lines {
		return r.typeLines(ctx, text)
	}
	for _, c := range text {
		if c == '\n' {
			c = '\r'
		}
		if err := r.strike(ctx, string(c)); err != nil {
			return err
		}
	}
	return nil
}

// typeLines types a text into a program that is said.
func (r *runner) typeLines(ctx context.Context, text string) error {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			if err := r.press(ctx, "enter"); err != nil {
				return err
			}
		}
		if line == "" {
			continue
		}
		if err := r.strike(ctx, "="+line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// strike sends the bytes of one key when the hand has come down again.
func (r *runner) strike(ctx context.Context, bytes string) error {
	if !r.running || r.ended() {
		return errors.New("the program does not run")
	}
	gap := max(keyGap, r.pace(personGap))
	if r.hand.escape {
		gap = max(gap, escGap)
	}
	if err := r.rest(ctx, gap); err != nil {
		return err
	}
	r.measure()
	r.hand.waiting, r.hand.before = true, r.screen.frame().Number
	r.hand.last, r.hand.escape, r.hand.dirty = r.Now(), bytes == "\x1b", true
	r.keys.put(bytes)
	return nil
}

// rest waits until the last key is that long ago.
func (r *runner) rest(ctx context.Context, gap time.Duration) error {
	return r.pause(ctx, gap-r.Now().Sub(r.hand.last))
}

// measure notes how long the last key took to its frame, if there was one.
func (r *runner) measure() {
	if !r.hand.waiting {
		return
	}
	if frames, _ := r.screen.after(r.hand.before); len(frames) > 0 {
		r.hand.took = append(r.hand.took, frames[0].At.Sub(r.hand.last))
		r.hand.waiting = false
	}
}

// settle waits until the program has handled all keys and drawn what came of
// them. A program that has ended has.
func (r *runner) settle(ctx context.Context) error {
	if !r.hand.dirty || !r.running {
		return nil
	}
	gap := keyGap // until then a key may be the first of a scan
	if r.hand.escape {
		gap = escGap
	}
	if err := r.rest(ctx, gap); err != nil {
		return err
	}
	number, mark := r.marks.next()
	if r.Lines {
		mark += "\n"
	}
	r.keys.put(mark)
	timer := time.NewTimer(max(r.patience, defaultPatience))
	defer timer.Stop()
	silent := time.NewTimer(answerTime)
	defer silent.Stop()
	for {
		handled, changed := r.marks.state()
		if handled >= number {
			break
		}
		select {
		case <-changed:
			continue
		case <-silent.C:
			if handled > 0 { // it knows marks: it is only slow
				continue
			}
		case <-r.program.Ended():
		case <-timer.C:
			return errors.New("the program has not handled the last key")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		break
	}
	r.hand.dirty = false
	err := r.drawn(ctx)
	r.measure()
	return err
}

// drawn waits until the renderer has had time for a frame.
func (r *runner) drawn(ctx context.Context) error {
	seen := r.screen.frame().Number
	timer := time.NewTimer(frameTime)
	defer timer.Stop()
	for {
		fresh, changed := r.screen.after(seen)
		if len(fresh) > 1 {
			return nil // the second began when all was handled
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// scan gives a code to the scanner on its line, or types it as one that is a
// keyboard does.
func (r *runner) scan(ctx context.Context, text, by string) error {
	if by == "serial" {
		if err := r.settle(ctx); err != nil { // another cable overtakes the keys
			return err
		}
		r.hand.dirty = true
		return r.shop.Scanner.Scan(text)
	}
	if err := r.rest(ctx, wedgeCalm); err != nil {
		return err
	}
	// In one piece: on a busy machine a pause between two writes may grow beyond
	// what a scanner ever leaves, and the code would fall apart.
	r.hand.last, r.hand.dirty = r.Now(), true
	if r.Lines {
		r.keys.put("<" + text + "\n")
		return nil
	}
	r.keys.put(text + "\r")
	return r.rest(ctx, wedgeCalm)
}

// act presses the first key that is bound to the action, as soon as the program
// offers it.
func (r *runner) act(ctx context.Context, name string) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	var key string
	err := r.until(ctx, r.patience, func(*Frame) error {
		action := r.program.Action(name)
		key = action.Key
		switch {
		case key == "":
			return fmt.Errorf("%s is not offered on screen %s", name, r.program.Screen())
		case !action.Enabled:
			return fmt.Errorf("%s is not possible now: %s", name, action.Why)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.Lines {
		key = name
	}
	return r.press(ctx, key)
}

// reach waits for a screen.
func (r *runner) reach(ctx context.Context, name string) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	_, look := r.lookAtScreen(ctx, OnScreen{name})
	return r.until(ctx, r.patience, look)
}

// signIn signs another user in: number or name, Enter, PIN, Enter (product §3).
func (r *runner) signIn(ctx context.Context, who SignIn) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	if r.program.Screen() != "sign-in" {
		if err := r.act(ctx, "user"); err != nil {
			return err
		}
		if err := r.reach(ctx, "sign-in"); err != nil {
			return err
		}
	}
	if err := r.typeText(ctx, who.User+"\n"+who.PIN+"\n"); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.until(ctx, r.patience, func(*Frame) error {
		if r.program.Screen() == "sign-in" {
			return errors.New("still at the sign-in")
		}
		return nil
	})
}

// toRegister goes to the register if it is not shown.
func (r *runner) toRegister(ctx context.Context) error {
	if err := r.settle(ctx); err != nil || r.program.Screen() == "register" {
		return err
	}
	if err := r.act(ctx, "register"); err != nil {
		return err
	}
	return r.reach(ctx, "register")
}

// ring types an amount and adds it as a line, of a name that stands last among
// what is found.
func (r *runner) ring(ctx context.Context, decimal, name string) error {
	if err := r.toRegister(ctx); err != nil {
		return err
	}
	if !strings.Contains(decimal, ".") {
		decimal += "." // digits alone are minor units
	}
	if err := r.typeText(ctx, decimal+name); err != nil {
		return err
	}
	if name != "" {
		if err := r.press(ctx, "end"); err != nil {
			return err
		}
	}
	return r.act(ctx, "add")
}

// addItem finds an item of the catalogue by its name and takes it.
func (r *runner) addItem(ctx context.Context, item Add) error {
	if err := r.toRegister(ctx); err != nil {
		return err
	}
	for range item.Count {
		if err := r.typeText(ctx, item.Name+"\n"); err != nil {
			return err
		}
	}
	return r.settle(ctx)
}
