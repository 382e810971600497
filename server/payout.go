package server

import (
	"context"

	"till/protocol"
)

// unfinished stands where payouts are being written.
var unfinished = protocol.Errorf(protocol.CodeInternal, "not built yet")

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
