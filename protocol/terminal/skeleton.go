package terminal

import (
	"context"
	"errors"
	"io"
	"time"

	"till/protocol"
)

var errUnwritten = errors.New("not written yet")

// Terminal is the machine at the counter.
type Terminal struct{ facts *facts }

// Step is one change; the steps of one [Terminal.Commit] are one transaction.
type Step func(*change) error

type change struct{}

func Open(ctx context.Context, o Options) (*Terminal, error) { return nil, errUnwritten }
func (t *Terminal) Close() error                             { return errUnwritten }

// Pairing.
func (t *Terminal) Identity() (Identity, bool)                             { return Identity{}, false }
func (t *Terminal) Pair(ctx context.Context, link Link, name string) error { return errUnwritten }
func SetAside(ctx context.Context, path string) (string, error)            { return "", errUnwritten }

// Link is a parsed pairing link.
type Link struct {
	Host string // HOST:PORT
	CA   protocol.Hash
	Code protocol.Secret
}

func ParseLink(text string) (Link, error) { return Link{}, errUnwritten }

// Writing: steps that stand in one Commit are one transaction.
func (t *Terminal) Commit(ctx context.Context, steps ...Step) ([]protocol.Entry, error) {
	return nil, errUnwritten
}
func Record(kind protocol.EntryKind, body any) Step { return nil }
func TakeAddress(tender *protocol.TenderAdded) Step { return nil } // fills in Address and journals tender_added
func SaveDraft(key string, value []byte) Step       { return nil } // nil removes
func QueueJob(job *Job) Step                        { return nil } // fills in ID and Copy
func StartJob(id int64) Step                        { return nil }
func FinishJob(id int64) Step                       { return nil } // journals receipt_printed
func DropJob(id int64) Step                         { return nil }
func (t *Terminal) Append(ctx context.Context, kind protocol.EntryKind, body any) (protocol.Entry, error) {
	return protocol.Entry{}, errUnwritten
}
func (t *Terminal) AddBitcoinTender(ctx context.Context, tender protocol.TenderAdded) (protocol.TenderAdded, error) {
	return protocol.TenderAdded{}, errUnwritten
}
func (t *Terminal) FreshAddress(ctx context.Context) (protocol.Lease, error) {
	return protocol.Lease{}, errUnwritten
}
func (t *Terminal) Release(ctx context.Context, addresses ...string) error { return errUnwritten }
func (t *Terminal) Acknowledge(ctx context.Context, ids ...int64) error    { return errUnwritten }

// Reading.
func (t *Terminal) Config() (protocol.Config, bool)            { return protocol.Config{}, false }
func (t *Terminal) Catalogue() protocol.Catalogue              { return protocol.Catalogue{} }
func (t *Terminal) Quote(now time.Time) (protocol.Quote, bool) { return protocol.Quote{}, false }
func (t *Terminal) QuoteOf(ctx context.Context, id protocol.QuoteID) (protocol.Quote, error) {
	return protocol.Quote{}, errUnwritten
}
func (t *Terminal) Health() Health                                          { return Health{} }
func (t *Terminal) Facts() <-chan Fact                                      { return t.facts.ch }
func (t *Terminal) Sales(ctx context.Context, f SaleFilter) ([]Sale, error) { return nil, errUnwritten }
func (t *Terminal) Sale(ctx context.Context, id protocol.SaleID) (Sale, error) {
	return Sale{}, errUnwritten
}
func (t *Terminal) OpenSales(ctx context.Context) ([]Sale, error) { return nil, errUnwritten } // open and parked
func (t *Terminal) Alerts(ctx context.Context) ([]Alert, error)   { return nil, errUnwritten } // urgent and not acknowledged, oldest first
func (t *Terminal) AlertLog(ctx context.Context, before int64, most int) ([]Alert, error) {
	return nil, errUnwritten
}
func (t *Terminal) Draft(ctx context.Context, key string) ([]byte, error) { return nil, errUnwritten } // nil when none
func (t *Terminal) Jobs(ctx context.Context) ([]Job, error)               { return nil, errUnwritten } // pending and printing
func (t *Terminal) Shift(ctx context.Context) (Shift, bool, error) {
	return Shift{}, false, errUnwritten
}                                                                         // the open one
func (t *Terminal) Shifts(ctx context.Context, most int) ([]Shift, error) { return nil, errUnwritten }
func (t *Terminal) NextZ(ctx context.Context) (int64, error)              { return 0, errUnwritten }
func (t *Terminal) NextNumber(ctx context.Context) (string, error)        { return "", errUnwritten } // of the next sale
func (t *Terminal) Payouts(ctx context.Context) ([]protocol.PayoutStatus, error) {
	return nil, errUnwritten
}                                                             // newest first
func (t *Terminal) Random() io.Reader                         { return nil } // own randomness with the server's mixed in
func (t *Terminal) NewID() (protocol.ID, error)               { return "", errUnwritten }
func (t *Terminal) SetDevices(devices []protocol.DeviceState) {}

// The network.
func (t *Terminal) Run(ctx context.Context) error   { return errUnwritten }
func (t *Terminal) Flush(ctx context.Context) error { return errUnwritten } // until the server has stored the journal
func (t *Terminal) QueryAddress(ctx context.Context, addresses ...string) (protocol.QueryAddressResult, error) {
	return protocol.QueryAddressResult{}, errUnwritten
}
func (t *Terminal) Sweep(ctx context.Context, p protocol.Sweep) (protocol.SweepResult, error) {
	return protocol.SweepResult{}, errUnwritten
}
func (t *Terminal) Dispense(ctx context.Context, p protocol.Dispense) (protocol.DispenseResult, error) {
	return protocol.DispenseResult{}, errUnwritten
}
func (t *Terminal) Settle(ctx context.Context, id protocol.PayoutID) (protocol.QueryNonceResult, error) {
	return protocol.QueryNonceResult{}, errUnwritten
}

// Verification.
type Verification struct {
	Entries int64
	Bad     int64 // seq of the first bad entry, 0 none
	Why     string
}

func (t *Terminal) VerifyJournal(ctx context.Context) (Verification, error) {
	return Verification{}, errUnwritten
}
func VerifyFile(ctx context.Context, path string) (Verification, error) {
	return Verification{}, errUnwritten
}
