package server

import (
	"context"

	"till/protocol"
)

// Invitation is a pairing link that is good once, for an hour.
type Invitation struct {
	Name    string        `json:"name"`
	Link    string        `json:"link"` // till://HOST:PORT/enroll?ca=HEX&code=XXXX-XXXX-XXXX
	Expires protocol.Time `json:"expires"`
}

// TerminalStatus is one line of the list of terminals.
type TerminalStatus struct {
	Terminal                       // as stored, with the presence known now
	CertificateUntil protocol.Time // of its newest certificate
}

// Authenticate finds who speaks with the certificate: by its serial (hex) and
// the SHA-256 of its SubjectPublicKeyInfo. It is asked on every request, so that
// revocation holds on open connections. A suspended terminal is returned without
// error: the front door lets it check in only. Errors: [ErrCertificateUnknown],
// [ErrRevoked], and [ErrCertificateExpired] together with the terminal.
func (s *Server) Authenticate(ctx context.Context, serial string, keyHash protocol.Hash) (*Terminal, error) {
	return nil, unfinished
}

// Enroll makes a new terminal of whoever holds the code of a pairing link.
// Whatever is wrong: [ErrPairingRefused], in the same time (terminal.md §2).
func (s *Server) Enroll(ctx context.Context, p protocol.Enroll) (*protocol.EnrollResult, error) {
	return nil, unfinished
}

// Renew gives the terminal a certificate for a new key. The one with serial,
// which asked, stays good for 24 hours.
func (s *Server) Renew(ctx context.Context, id protocol.TerminalID, serial string, p protocol.Renew) (*protocol.RenewResult, error) {
	return nil, unfinished
}

// AddTerminal gives out a pairing link. A living terminal of the name is in the
// way ([ErrExists]) unless replace, which revokes it when the link is used. host
// is the HOST:PORT in the link, "" the configured one.
func (s *Server) AddTerminal(ctx context.Context, name string, replace bool, host string) (Invitation, error) {
	return Invitation{}, unfinished
}

// Terminals lists all, revoked ones too, by creation.
func (s *Server) Terminals(ctx context.Context) ([]TerminalStatus, error) { return nil, unfinished }

// Suspend stops a terminal for a reason, a word; its journal is still taken.
func (s *Server) Suspend(ctx context.Context, name, reason string) error { return unfinished }

// Resume lets a suspended terminal work again. After a fork it closes the
// journal at its last good entry.
func (s *Server) Resume(ctx context.Context, name string) error { return unfinished }

// Revoke ends a terminal for good.
func (s *Server) Revoke(ctx context.Context, name string) error { return unfinished }

// Rename gives a living terminal another name ([ErrExists] when it is taken).
func (s *Server) Rename(ctx context.Context, name, to string) error { return unfinished }
