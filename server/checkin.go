package server

import (
	"context"

	"till/protocol"
)

// CheckIn exchanges the two logs (terminal.md §4). inBatch: no waiting.
// Errors are *[protocol.Error] (invalid_params, journal_fork, journal_gap) or
// [ErrRevoked]; others are internal.
func (s *Server) CheckIn(ctx context.Context, id protocol.TerminalID, p protocol.CheckIn, inBatch bool) (*protocol.CheckInResult, error) {
	return nil, unfinished
}

// GetAddress leases addresses (terminal.md §5).
func (s *Server) GetAddress(ctx context.Context, id protocol.TerminalID, p protocol.GetAddress) (*protocol.GetAddressResult, error) {
	return nil, unfinished
}

// QueryAddress tells what foreign addresses hold (terminal.md §6).
func (s *Server) QueryAddress(ctx context.Context, id protocol.TerminalID, p protocol.QueryAddress) (*protocol.QueryAddressResult, error) {
	return nil, unfinished
}

// Sweep takes what foreign keys hold (terminal.md §7).
func (s *Server) Sweep(ctx context.Context, id protocol.TerminalID, p protocol.Sweep) (*protocol.SweepResult, error) {
	return nil, unfinished
}

// Dispense pays out (terminal.md §8).
func (s *Server) Dispense(ctx context.Context, id protocol.TerminalID, p protocol.Dispense) (*protocol.DispenseResult, error) {
	return nil, unfinished
}

// QueryNonce tells what became of a sweep or dispense (terminal.md §9): a
// *[protocol.SweepResult], a *[protocol.DispenseResult] or a [NeverUsed].
func (s *Server) QueryNonce(ctx context.Context, id protocol.TerminalID, p protocol.QueryNonce) (any, error) {
	return nil, unfinished
}

// NeverUsed answers querynonce for an id that is void from now on.
type NeverUsed struct {
	ID    protocol.PayoutID    `json:"id"`
	State protocol.PayoutState `json:"state"`
}

// Catalogue gives the goods (GET /catalogue).
func (s *Server) Catalogue(ctx context.Context) (*protocol.Catalogue, error) { return nil, unfinished }

// Sales lists sales, newest first.
func (s *Server) Sales(ctx context.Context, filter SaleFilter) ([]*Sale, error) {
	return nil, unfinished
}

// Debts lists what the shop owes customers and has not settled.
func (s *Server) Debts(ctx context.Context) ([]*Debt, error) { return nil, unfinished }

// SettleDebt notes that a debt was paid back at the counter.
func (s *Server) SettleDebt(ctx context.Context, id protocol.ID) error { return unfinished }

// Requote asks for the present rate at once instead of at the next minute.
func (s *Server) Requote(ctx context.Context) error { return unfinished }

// Reload reads people and goods again after they were changed and pushes a new
// configuration version when it differs.
func (s *Server) Reload(ctx context.Context) error { return unfinished }

// JournalReport is what verifying one terminal's journal found.
type JournalReport struct {
	Terminal protocol.TerminalID
	Name     string
	Entries  int64
	Bad      int64  // the first bad entry, 0 none
	Fault    string // what is wrong with it
	Flagged  int64  // entries stored with a flag
}
