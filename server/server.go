package server

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"till/protocol"
)

// Options are what a [Server] stands on. All but Alarms are needed.
type Options struct {
	Store  Store
	Chain  Chain
	Wallet Wallet
	Rates  Rates
	Alarms Alarms // nil: the log alone
	Clock  func() protocol.Time
	Random io.Reader
	Log    *slog.Logger
	// SealKey, 32 bytes, keeps the CA's key, the quote key and approvers' secrets
	// sealed in the database; whoever loses it pairs all terminals anew.
	SealKey  []byte
	Settings Settings
}

// Errors that a front door branches on.
var (
	// ErrRevoked: the terminal is revoked for good; HTTP 403 and nothing else.
	ErrRevoked = errors.New("this terminal is revoked")
	// ErrCertificateUnknown: the certificate was not given out by this server, or
	// a newer one took its place more than a day ago; HTTP 401.
	ErrCertificateUnknown = errors.New("this certificate is not good here")
	// ErrCertificateExpired comes with the terminal: it may renew and nothing else.
	ErrCertificateExpired = errors.New("this certificate has expired")
	// ErrPairingRefused: anything wrong with an enrolment; HTTP 403 "pairing refused".
	ErrPairingRefused = errors.New("pairing refused")
	// ErrOtherWallet: the database belongs to another network or wallet.
	ErrOtherWallet = errors.New("the database belongs to another wallet")
	// ErrExists: a living thing has this name already.
	ErrExists = errors.New("exists already")
)

// Server is the merchant's server. Its methods may be called at once from many
// goroutines.
type Server struct {
	o Options
}

// New binds the database to the network and wallet, or refuses with
// [ErrOtherWallet]; makes the CA, the quote key and the alert log's id on first
// start; and loads what it needs to answer. It starts nothing: see [Server.Run].
func New(ctx context.Context, o Options) (*Server, error) {
	return &Server{o: o}, nil
}

// Run watches the chain, the clock and the outbox until ctx ends, then ends
// every waiting check-in and returns nil. A lost chain does not end it.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// ClockMoved tells that Clock jumped (a practice control call, a machine that
// slept): everything that waits for a moment looks at the clock again.
func (s *Server) ClockMoved() {}

// unfinished stands where a rule is being written.
var unfinished = protocol.Errorf(protocol.CodeInternal, "not built yet")
