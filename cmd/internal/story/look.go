package story

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"till/protocol"
)

var errNotSeen = errors.New("not seen")

// matches compares a text that is looked for with what there is.
func (r *runner) matches(t Text, in string) bool {
	if t.Pattern != nil {
		return t.Pattern.MatchString(in)
	}
	return strings.Contains(in, r.string(t))
}

// within is a statement's own time, else the story's patience.
func (r *runner) within(d time.Duration) time.Duration {
	if d == 0 {
		return r.patience
	}
	return d
}

// lookStep carries out what looks at screen, counter and books; false when it is
// none of it. Looking begins with the frame behind the last key. Where the
// answer may be on its way from the server it is waited for, also by can, let
// and drawer; not and expect look once.
func (r *runner) lookStep(ctx context.Context, step Step) (bool, error) {
	within, look := r.lookAtScreen(ctx, step)
	if look == nil {
		within, look = r.lookAtCounter(ctx, step)
	}
	switch do := step.(type) {
	case Never:
		return true, r.never(ctx, do)
	case Let:
		if do.Pattern == nil {
			r.vars[do.Var] = do.Text
			return true, nil
		}
	}
	if look == nil {
		return false, nil
	}
	if err := r.settle(ctx); err != nil {
		return true, err
	}
	return true, r.until(ctx, within, look)
}

// lookAtScreen gives what to look for on the screen, and for how long.
func (r *runner) lookAtScreen(ctx context.Context, step Step) (time.Duration, func(*Frame) error) {
	switch do := step.(type) {
	case OnScreen:
		return r.patience, func(*Frame) error {
			shown := r.program.Screen()
			return not(shown == do.Name, fmt.Errorf("the screen is %s", shown))
		}
	case See:
		return r.within(do.Within), func(f *Frame) error { return not(r.matches(do.Text, f.Text(do.In)), errNotSeen) }
	case SeeState:
		return r.within(do.Within), func(*Frame) error { return r.state(ctx, do.State) }
	case NotSee:
		return 0, func(f *Frame) error {
			return not(!r.matches(do.Text, f.Text(do.In)), errors.New("it is there"))
		}
	case Can:
		return r.patience, func(*Frame) error { return r.can(do) }
	case ReadQR:
		return r.within(do.Within), func(f *Frame) error { return r.readQR(do, f) }
	case Let:
		return r.patience, func(f *Frame) error { return r.capture(do, f) }
	}
	return 0, nil
}

// lookAtCounter gives what to look for on paper, devices and in the books.
func (r *runner) lookAtCounter(ctx context.Context, step Step) (time.Duration, func(*Frame) error) {
	switch do := step.(type) {
	case Paper:
		return r.within(do.Within), func(*Frame) error { return r.paper(do) }
	case SeeDisplay:
		return r.patience, func(*Frame) error {
			row := r.shop.Display.Row(do.Row - 1)
			return not(r.matches(do.Text, row), fmt.Errorf("the display shows %q", row))
		}
	case CardHolds:
		return r.patience, func(*Frame) error { return r.shop.Reader.Holds(do.Kind) }
	case SeeDrawer:
		return r.patience, func(*Frame) error {
			open := r.shop.Drawer.DrawerOpen()
			return not(open == (do.State == "opened"), errors.New("the drawer is not "+do.State))
		}
	case Expect:
		return 0, func(*Frame) error { return r.expect(ctx, do) }
	}
	return 0, nil
}

// not is nil when a statement holds, else why it does not.
func not(holds bool, why error) error {
	if holds {
		return nil
	}
	return why
}

// never looks at every frame of a time.
func (r *runner) never(ctx context.Context, do Never) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	seen := false
	err := r.until(ctx, do.For, func(f *Frame) error {
		seen = seen || r.matches(do.Text, f.Text(""))
		return not(seen, errNotSeen)
	})
	switch {
	case seen:
		return errors.New("seen")
	case errors.Is(err, errNotSeen):
		return nil
	}
	return err
}

// can compares what the program says about an action.
func (r *runner) can(do Can) error {
	action := r.program.Action(do.Action)
	possible := action.Key != "" && action.Enabled
	why := action.Why
	if action.Key == "" {
		why = "not offered here"
	}
	switch {
	case do.Not && possible:
		return errors.New("it is possible")
	case !do.Not && !possible:
		return fmt.Errorf("it is not possible: %s", why)
	case do.Not && do.Because != nil && !r.matches(*do.Because, why):
		return fmt.Errorf("it is not possible because %q", why)
	}
	return nil
}

// state compares the sale's state, or one of its flags.
func (r *runner) state(ctx context.Context, state string) error {
	sale, err := r.shop.Books.Sale(ctx)
	if err != nil {
		return err
	}
	if string(sale.State) == state || slices.Contains(sale.Flags, protocol.Flag(state)) {
		return nil
	}
	return fmt.Errorf("the state is %s %v", sale.State, sale.Flags)
}

func (r *runner) readQR(do ReadQR, f *Frame) error {
	codes := f.dots().codes()
	for _, text := range codes {
		if do.Text == nil || r.matches(*do.Text, text) {
			if do.As != "" {
				r.vars[do.As] = text
			}
			return nil
		}
	}
	if len(codes) == 0 {
		return errors.New("there is no QR code that a phone could read")
	}
	return fmt.Errorf("the QR code says %q", codes)
}

// capture sets a variable to what a pattern matches on the screen, or to its
// first group.
func (r *runner) capture(do Let, f *Frame) error {
	found := do.Pattern.FindStringSubmatch(f.Text(""))
	if found == nil {
		return errNotSeen
	}
	r.vars[do.Var] = found[min(1, len(found)-1)]
	return nil
}

// paper compares what was printed since the shop opened.
func (r *runner) paper(do Paper) error {
	printed := r.shop.Printer.Text()
	switch do.What {
	case "not":
		return not(!r.matches(*do.Text, printed), errors.New("it was printed"))
	case "count":
		n := r.count(*do.Text, printed)
		return not(n == do.Count, fmt.Errorf("printed %d times", n))
	case "cut":
		n := r.shop.Printer.Cuts()
		return not(n == do.Count, fmt.Errorf("cut %d times", n))
	case "qr":
		codes := r.shop.Printer.QRs()
		for _, picture := range r.shop.Printer.Pictures() {
			codes = append(codes, dotsOf(picture).codes()...)
		}
		holds := slices.ContainsFunc(codes, func(text string) bool { return do.Text == nil || r.matches(*do.Text, text) })
		return not(holds, fmt.Errorf("the codes on paper say %q", codes))
	}
	return not(r.matches(*do.Text, printed), errors.New("not printed"))
}

func (r *runner) count(t Text, in string) int {
	if t.Pattern != nil {
		return len(t.Pattern.FindAllStringIndex(in, -1))
	}
	if r.string(t) == "" {
		return 0
	}
	return strings.Count(in, r.string(t))
}
