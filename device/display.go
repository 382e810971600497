package device

import (
	"context"
	"errors"
	"sync"
	"time"
)

// DisplayLanguage is how a customer display of two lines is spoken to;
// escpos.DisplayLanguage is one.
type DisplayLanguage interface {
	// Start puts the display into a known state.
	Start() []byte
	// Show shows two lines; what is longer than a line is cut off. What stands
	// after a tab is flush right; the left gives way to it.
	Show(upper, lower string) []byte
}

// displayWait is the longest that a display may take for its forty characters.
const displayWait = 2 * time.Second

// displayAgain is how often the text is sent again: a display that was off
// meanwhile cannot say so.
const displayAgain = 30 * time.Second

// Display shows two lines of text to the customer. Displays are write-only: they
// are ready when their link is open, and Unconfirmed.
type Display struct {
	supervisor *Supervisor
	language   DisplayLanguage

	mu    sync.Mutex
	lines [2]string
	fresh chan struct{}
}

// NewDisplay is a display on its own link. report hears its status.
func NewDisplay(open Dialer, language DisplayLanguage, report func(Status)) *Display {
	d := &Display{language: language, fresh: make(chan struct{}, 1)}
	d.supervisor = NewSupervisor(open, d.serve, report)
	return d
}

// NewDisplayBehind is a display on the second connector of a printer, whose
// language wraps its bytes for the printer to pass on.
func NewDisplayBehind(printer Sender, language DisplayLanguage, report func(Status)) *Display {
	return NewDisplay(func(context.Context) (Link, error) {
		return behind{printer}, nil
	}, language, report)
}

// Show shows two lines from now on, through unplugging and plugging in again.
func (d *Display) Show(upper, lower string) {
	d.mu.Lock()
	d.lines = [2]string{upper, lower}
	d.mu.Unlock()
	select {
	case d.fresh <- struct{}{}:
	default:
	}
}

// Run works until the context ends.
func (d *Display) Run(ctx context.Context) { d.supervisor.Run(ctx) }

// Status is the display's status now.
func (d *Display) Status() Status { return d.supervisor.Status() }

// Reopen closes and opens the device at once.
func (d *Display) Reopen() { d.supervisor.Reopen() }

func (d *Display) serve(ctx context.Context, link Link, report func(Status)) error {
	reading, stop := context.WithCancel(ctx)
	gone := make(chan error, 1)
	var reader sync.WaitGroup
	reader.Go(func() { gone <- drained(reading, link) })
	err := d.show(ctx, link, report, gone)
	stop()
	reader.Wait()
	return err
}

func (d *Display) show(ctx context.Context, link Link, report func(Status), gone <-chan error) error {
	out := d.language.Start()
	again := time.NewTicker(displayAgain)
	defer again.Stop()
	for {
		d.mu.Lock()
		lines := d.lines
		d.mu.Unlock()
		out = append(out, d.language.Show(lines[0], lines[1])...)
		writing, cancel := context.WithTimeout(ctx, displayWait)
		_, err := link.Write(writing, out)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			return ErrMute
		case err != nil:
			return err
		}
		report(Status{State: Ready, Unconfirmed: true})
		out = nil
		select {
		case <-d.fresh:
		case <-again.C:
		case err := <-gone:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drained reads and drops what a link says, to find out when it ends.
func drained(ctx context.Context, link Link) error {
	buffer := make([]byte, 64)
	for {
		if _, err := link.Read(ctx, buffer); err != nil {
			return err
		}
	}
}

// behind is the way to a display through a printer.
type behind struct{ printer Sender }

func (b behind) Read(ctx context.Context, p []byte) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func (b behind) Write(ctx context.Context, p []byte) (int, error) {
	if err := b.printer.Send(ctx, Document{Raw{Bytes: p}}); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (b behind) Close() error { return nil }
