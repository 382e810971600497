package tui

import (
	"context"
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
)

// touched counts every use of what lies outside the model.
type touched struct{ n int }

func (c *touched) Config() (protocol.Config, bool)        { c.n++; return shop(), true }
func (c *touched) Catalogue() protocol.Catalogue          { c.n++; return protocol.Catalogue{} }
func (c *touched) Quote(time.Time) (protocol.Quote, bool) { c.n++; return *quote(), true }
func (c *touched) Health() terminal.Health                { c.n++; return terminal.Health{} }
func (c *touched) Identity() (terminal.Identity, bool)    { c.n++; return terminal.Identity{}, true }
func (c *touched) Facts() <-chan terminal.Fact            { c.n++; return nil }
func (c *touched) FreshAddress(context.Context) (protocol.Lease, error) {
	c.n++
	return protocol.Lease{}, nil
}
func (c *touched) Acknowledge(context.Context, ...int64) error { c.n++; return nil }
func (c *touched) NewID() (protocol.ID, error)                 { c.n++; return "", nil }
func (c *touched) NextNumber(context.Context) (string, error)  { c.n++; return "", nil }
func (c *touched) Flush(context.Context) error                 { c.n++; return nil }
func (c *touched) Commit(context.Context, ...terminal.Step) ([]protocol.Entry, error) {
	c.n++
	return nil, nil
}
func (c *touched) Sale(context.Context, protocol.SaleID) (terminal.Sale, error) {
	c.n++
	return terminal.Sale{}, nil
}
func (c *touched) Sales(context.Context, terminal.SaleFilter) ([]terminal.Sale, error) {
	c.n++
	return nil, nil
}
func (c *touched) QuoteOf(context.Context, protocol.QuoteID) (protocol.Quote, error) {
	c.n++
	return protocol.Quote{}, nil
}
func (c *touched) Replay(context.Context, protocol.SaleID) ([]terminal.Happened, error) {
	c.n++
	return nil, nil
}
func (c *touched) Alerts(context.Context) ([]terminal.Alert, error)   { c.n++; return nil, nil }
func (c *touched) Draft(context.Context, string) ([]byte, error)      { c.n++; return nil, nil }
func (c *touched) OpenSales(context.Context) ([]terminal.Sale, error) { c.n++; return nil, nil }
func (c *touched) Jobs(context.Context) ([]terminal.Job, error)       { c.n++; return nil, nil }
func (c *touched) NextZ(context.Context) (int64, error)               { c.n++; return 0, nil }
func (c *touched) Shift(context.Context) (terminal.Shift, bool, error) {
	c.n++
	return terminal.Shift{}, false, nil
}

func (c *touched) QueryAddress(context.Context, ...string) (protocol.QueryAddressResult, error) {
	c.n++
	return protocol.QueryAddressResult{}, nil
}

func (c *touched) Sweep(context.Context, protocol.Sweep) (protocol.SweepResult, error) {
	c.n++
	return protocol.SweepResult{}, nil
}

func (c *touched) Dispense(context.Context, protocol.Dispense) (protocol.DispenseResult, error) {
	c.n++
	return protocol.DispenseResult{}, nil
}

func (c *touched) Settle(context.Context, protocol.PayoutID) (protocol.QueryNonceResult, error) {
	c.n++
	return protocol.QueryNonceResult{}, nil
}
func (c *touched) Payouts(context.Context, int) ([]protocol.PayoutStatus, error) {
	c.n++
	return nil, nil
}
func (c *touched) Reading(context.Context) (protocol.Report, error) {
	c.n++
	return protocol.Report{}, nil
}

func (c *touched) ZReport(context.Context, int64) (protocol.Report, error) {
	c.n++
	return protocol.Report{}, nil
}

func (c *touched) CloseShift(*protocol.ShiftClosed) terminal.Step { c.n++; return nil }

func (c *touched) Random() io.Reader { c.n++; return nil }

// The printer, the drawer, the customer.
func (c *touched) Print(device.Job) error     { c.n++; return nil }
func (c *touched) Cancel(string) bool         { c.n++; return false }
func (c *touched) Status() device.Status      { c.n++; return device.Status{} }
func (c *touched) Reopen()                    { c.n++ }
func (c *touched) Waiting() int               { c.n++; return 0 }
func (c *touched) Open(context.Context) error { c.n++; return nil }
func (c *touched) Pay(context.Context, string, protocol.Sat) (string, error) {
	c.n++
	return "", nil
}

func (c *touched) Tap(context.Context, string, protocol.Money) error {
	c.n++
	return nil
}

// TestUpdateAndViewTouchNothing plays every scene, presses every key that is
// offered in it, tells it every kind of fact, and draws: nothing outside the
// model is used, all of it is left to commands.
func TestUpdateAndViewTouchNothing(t *testing.T) {
	c := &touched{}
	outside := func(o *Options) {
		o.Terminal, o.Customer, o.Drawer, o.Spool = c, c, c, &Spool{books: c, printer: c, log: o.Log}
	}
	tried := map[string]bool{}
	for _, s := range scenes {
		b := counter(t, 80, 24, outside)
		b.Init()
		s.play(b)
		for _, o := range b.seen.Load().Offers {
			what := b.seen.Load().Screen + b.seen.Load().Dialog + string(o.Action)
			if tried[what] {
				continue
			}
			tried[what] = true
			b := counter(t, 80, 24, outside)
			s.play(b)
			b.press(o.Key)
			b.send(heard{terminal.Fact{Health: true, Config: true, Sales: []protocol.SaleID{aSale}, Alerts: []terminal.Alert{saleAlert(9, "late", "x")}}},
				ticked{}, scannedText("9001234567890"), tea.PasteMsg{Content: "123456"}, devicesRead{}, reprinted{}, tea.WindowSizeMsg{Width: 100, Height: 30})
			b.View()
			if c.n != 0 {
				t.Fatalf("%s, %s: Update or View used what is outside %d times", s.name, o.Action, c.n)
			}
		}
	}
}
