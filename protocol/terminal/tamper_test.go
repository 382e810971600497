package terminal

import (
	"context"
	"errors"
	"testing"

	"till/protocol"
)

// TestAnOpenedCaseIsToldAndThenNobodyIsCalled: over the connection there is, not
// over a new one, and not after a restart.
func TestAnOpenedCaseIsToldAndThenNobodyIsCalled(t *testing.T) {
	c := paired(t)
	c.run()
	c.eventually("a check-in", func() bool { return c.Health().Online })
	must(t, c.vault.Erase())
	must(t, c.Tampered(t.Context(), "gpiochip0-17"))
	c.shop.with(func() {
		last := c.shop.journal[len(c.shop.journal)-1]
		if last.Kind != protocol.EntryTamper || string(last.Body) != `{"sensor":"gpiochip0-17"}` {
			t.Errorf("the server's last entry is %s %s", last.Kind, last.Body)
		}
	})
	c.eventually("the end of the calls", func() bool { return !c.Health().Online })
	if got := c.Health().Problem; got != ErrTampered.Error() {
		t.Errorf("problem %q", got)
	}
	must(t, c.Tampered(t.Context(), "again"))
	c.restart()
	if _, err := c.QueryAddress(context.Background(), "x"); !errors.Is(err, ErrTampered) {
		t.Errorf("a call after the restart: %v", err)
	}
	if _, err := c.loop().round(context.Background()); !errors.Is(err, ErrTampered) {
		t.Errorf("a check-in after the restart: %v", err)
	}
	if got := c.Health().Tampered; got != "gpiochip0-17" {
		t.Errorf("the sensor is %q", got)
	}
	c.verify()
}
