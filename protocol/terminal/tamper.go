package terminal

import (
	"context"
	"fmt"
	"time"

	"till/protocol"
)

// settingTampered is the sensor that saw the case opened.
const settingTampered = "tampered"

// lastWord is how long the server is told that the case was opened, over the
// connection that the erased key once opened.
const lastWord = 3 * time.Second

// Tampered journals that the case was opened, after the key was erased, tells the
// server while it still can, and calls nobody from then on: calls fail with
// [ErrTampered], through every restart. A second time does nothing.
func (t *Terminal) Tampered(ctx context.Context, sensor string) error {
	if t.Health().Tampered != "" {
		return nil
	}
	if _, err := t.Append(ctx, protocol.EntryTamper, protocol.Tampered{Sensor: sensor}); err != nil {
		return fmt.Errorf("journal tampering: %w", err)
	}
	if t.Health().Online {
		telling, cancel := context.WithTimeout(ctx, lastWord)
		if err := t.Flush(telling); err != nil {
			t.o.Log.WarnContext(ctx, "the server was not told of the opened case", "error", err)
		}
		cancel()
	}
	t.updateHealth(func(h *Health) { h.Tampered = sensor })
	t.wakeUp() // ends a check-in that is being held; there is no other
	return nil
}

func (c *change) tampered(ctx context.Context, _ *protocol.Entry, body protocol.Tampered) error {
	value, err := text(body.Sensor)
	if err != nil {
		return err
	}
	return c.set(ctx, settingTampered, value)
}
