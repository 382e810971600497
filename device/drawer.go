package device

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// DrawerState is what a printer's drawer sense pin says, once its polarity is
// known.
type DrawerState int

// The states. Unknown: no sense pin, or no answer yet.
const (
	DrawerUnknown DrawerState = iota
	DrawerClosed
	DrawerOpen
)

// String is "unknown", "closed" or "open".
func (s DrawerState) String() string {
	switch s {
	case DrawerClosed:
		return "closed"
	case DrawerOpen:
		return "open"
	}
	return "unknown"
}

// MarshalJSON writes the word of String.
func (s DrawerState) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// Sender is where a drawer or a display hands its bytes in; a Printer is one.
type Sender interface {
	Send(ctx context.Context, d Document) error
	Status() Status
}

// Drawer is a cash drawer on a printer's drawer connector.
type Drawer struct {
	printer Sender
	pulse   Pulse
}

// NewDrawer is the drawer on a printer's pin 2 or 5, opened by a pulse of that
// length (cli.md, drawer.pin, .on_ms, .off_ms).
func NewDrawer(printer Sender, pin int, on, off time.Duration) *Drawer {
	return &Drawer{printer: printer, pulse: Pulse{Pin: pin, On: on, Off: off}}
}

// Open opens the drawer, past whatever waits to be printed. A printer that
// waits for a person is asked to do it at once.
func (d *Drawer) Open(ctx context.Context) error {
	pulse := d.pulse
	pulse.Urgent = d.printer.Status().State != Ready
	if err := d.printer.Send(ctx, Document{pulse}); err != nil {
		return fmt.Errorf("open drawer: %w", err)
	}
	return nil
}

// State tells whether the drawer is open, as far as its printer senses it.
func (d *Drawer) State() DrawerState { return d.printer.Status().Drawer }
