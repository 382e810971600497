package tui

import (
	"context"
	"io"
	"time"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
)

// Terminal is what the program needs of the terminal's half of the protocol;
// [terminal.Terminal] is one. No method calls the network but Flush and those of
// [Money].
type Terminal interface {
	Known
	Books
	Records
	Shifts
	Money
}

// Known is what is held in memory.
type Known interface {
	Config() (protocol.Config, bool)
	Catalogue() protocol.Catalogue
	Quote(now time.Time) (protocol.Quote, bool)
	Health() terminal.Health
	Identity() (terminal.Identity, bool)
	Facts() <-chan terminal.Fact
}

// Books is what is written.
type Books interface {
	Commit(ctx context.Context, steps ...terminal.Step) ([]protocol.Entry, error)
	FreshAddress(ctx context.Context) (protocol.Lease, error)
	Acknowledge(ctx context.Context, ids ...int64) error
	NewID() (protocol.ID, error)
	NextNumber(ctx context.Context) (string, error)
	Flush(ctx context.Context) error
}

// Money is what moves coins. See [terminal.Terminal] for what an error leaves
// open.
type Money interface {
	QueryAddress(ctx context.Context, addresses ...string) (protocol.QueryAddressResult, error)
	Sweep(ctx context.Context, p protocol.Sweep) (protocol.SweepResult, error)
	Dispense(ctx context.Context, p protocol.Dispense) (protocol.DispenseResult, error)
	Settle(ctx context.Context, id protocol.PayoutID) (protocol.QueryNonceResult, error)
	Payouts(ctx context.Context, most int) ([]protocol.PayoutStatus, error)
	Random() io.Reader
}

// Records is what is read.
type Records interface {
	Sale(ctx context.Context, id protocol.SaleID) (terminal.Sale, error)
	Sales(ctx context.Context, f terminal.SaleFilter) ([]terminal.Sale, error)
	QuoteOf(ctx context.Context, id protocol.QuoteID) (protocol.Quote, error)
	Alerts(ctx context.Context) ([]terminal.Alert, error)
	Replay(ctx context.Context, id protocol.SaleID) ([]terminal.Happened, error)
	Start
}

// Shifts is what a shift came to, and its end.
type Shifts interface {
	Reading(ctx context.Context) (protocol.Report, error)
	ZReport(ctx context.Context, number int64) (protocol.Report, error)
	CloseShift(closing *protocol.ShiftClosed) terminal.Step
}

// Start is what is read once, at the start and with a new shift.
type Start interface {
	Draft(ctx context.Context, name string) ([]byte, error)
	OpenSales(ctx context.Context) ([]terminal.Sale, error)
	Jobs(ctx context.Context) ([]terminal.Job, error)
	Shift(ctx context.Context) (terminal.Shift, bool, error)
	NextZ(ctx context.Context) (int64, error)
}

// Printer is what prints; [device.Printer] is one.
type Printer interface {
	Print(job device.Job) error
	Cancel(id string) bool
	Status() device.Status
	Reopen()
	Waiting() int
}

// Device is another thing on the counter.
type Device interface {
	Status() device.Status
	Reopen()
}

// Opener opens a cash drawer; [device.Drawer] is one.
type Opener interface {
	Open(ctx context.Context) error
}

// Display shows two lines of twenty characters to the customer;
// [device.Display] is one. Show only notes them and returns at once.
type Display interface {
	Show(upper, lower string)
}

// Paper is the roll of a simulated printer, line by line.
type Paper interface {
	Text() string
}

// Customer stands in front of a practice till. Pay pays what the payment link
// asks for, or amount where it asks for none; Tap pays an e-cash bill over amount.
type Customer interface {
	Pay(ctx context.Context, link string, amount protocol.Sat) (txid string, err error)
	Tap(ctx context.Context, link string, amount protocol.Money) error
}
