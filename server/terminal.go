package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"till/protocol"
)

// TerminalStatus is one line of the list of terminals.
type TerminalStatus struct {
	Terminal                       // as stored, with the presence known now
	CertificateUntil protocol.Time // of its newest certificate
	// What follows is known since the server began.
	Config  int64          // version it said it holds, 0 not known
	Drift   *time.Duration // its clock less the server's, nil not known
	Overdue bool           // it was to check in and did not
}

// overdueAfter is how many of the slowest idle check-ins may be missed.
const overdueAfter = 3 * protocol.MaxPoll * time.Second

// Authenticate finds who speaks with the certificate: by its serial (hex) and
// the SHA-256 of its SubjectPublicKeyInfo. It is asked on every request, so that
// revocation holds on open connections. A suspended terminal is returned without
// error: the front door lets it check in only. Errors: [ErrCertificateUnknown],
// [ErrRevoked], and [ErrCertificateExpired] together with the terminal.
func (s *Server) Authenticate(ctx context.Context, serial string, keyHash protocol.Hash) (*Terminal, error) {
	var t *Terminal
	key, err := s.keyOf(ctx, serial)
	if err == nil {
		t, err = s.terminalOf(ctx, key.Terminal)
	}
	now := s.o.Clock()
	switch {
	case errors.Is(err, ErrNotFound), err == nil && key.Hash != keyHash:
		return nil, ErrCertificateUnknown
	case err != nil:
		return nil, fmt.Errorf("find terminal: %w", err)
	case t.State == TerminalRevoked:
		return nil, ErrRevoked
	case key.Until != 0 && now > key.Until, now > key.NotAfter.Add(renewGrace):
		return nil, ErrCertificateUnknown
	case now > key.NotAfter:
		return t, ErrCertificateExpired
	}
	return t, nil
}

// Renew gives the terminal a certificate for a new key. Those it had before stay
// good for 24 hours. What is wrong with the request is invalid_params.
func (s *Server) Renew(ctx context.Context, id protocol.TerminalID, serial string, p protocol.Renew) (*protocol.RenewResult, error) {
	key, err := signingRequest(p.CSR)
	if err != nil {
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "csr", Message: "is not a signed request for a P-256 key"}
	}
	certificate, row, err := s.ca.terminalCertificate(id, key, s.o.Clock().Time())
	if err != nil {
		return nil, fmt.Errorf("renew certificate: %w", err)
	}
	err = s.write(ctx, func(w *work) error {
		if err := w.living(id); err != nil {
			return err
		}
		before, err := w.Keys.Of(id)
		if err != nil {
			return fmt.Errorf("list certificates: %w", err)
		}
		for _, old := range before {
			if old.Until != 0 {
				continue
			}
			if err := w.Keys.Retire(old.Serial, w.now.Add(oldCertificate)); err != nil {
				return fmt.Errorf("retire certificate: %w", err)
			}
		}
		return w.Keys.Insert(row)
	})
	if err != nil {
		return nil, fmt.Errorf("renew certificate: %w", err)
	}
	s.o.Log.InfoContext(ctx, "certificate renewed", "terminal", id, "serial", row.Serial, "replaces", serial)
	return &protocol.RenewResult{Certificate: certificate}, nil
}

// Terminals lists all, revoked ones too, by creation.
func (s *Server) Terminals(ctx context.Context) (list []TerminalStatus, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		list = nil
		all, err := tx.Terminals.List()
		if err != nil {
			return err
		}
		for _, t := range all {
			heard, drift := s.lines.heard(t.ID)
			heard.on(t)
			status := TerminalStatus{Terminal: *t, Config: heard.config, Drift: drift}
			status.Overdue = t.State == TerminalLiving && s.o.Clock().Sub(t.LastSeen) > overdueAfter
			keys, err := tx.Keys.Of(t.ID)
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				status.CertificateUntil = keys[0].NotAfter
			}
			list = append(list, status)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list terminals: %w", err)
	}
	return list, nil
}

// Suspend stops a terminal for a reason, a word; its journal is still taken.
// Unknown name: [ErrNotFound], as for the following methods.
func (s *Server) Suspend(ctx context.Context, name, reason string) error {
	return s.change(ctx, "suspend", name, func(w *work, t *Terminal) error {
		if t.State == TerminalLiving {
			t.State, t.Reason, t.Since = TerminalSuspended, reason, w.now
		}
		return nil
	})
}

// Resume lets a suspended terminal work again. After a fork it closes the
// journal at its last good entry: the terminal appends its own after it.
func (s *Server) Resume(ctx context.Context, name string) error {
	return s.change(ctx, "resume", name, func(w *work, t *Terminal) error {
		if t.State == TerminalSuspended {
			t.State, t.Reason, t.Forked, t.Since = TerminalLiving, "", false, w.now
		}
		return nil
	})
}

// Revoke ends a terminal for good.
func (s *Server) Revoke(ctx context.Context, name string) error {
	return s.change(ctx, "revoke", name, func(w *work, t *Terminal) error {
		w.revoke(t, SuspendedByOwner)
		return nil
	})
}

// Rename gives a living terminal another name; [ErrExists] when it is taken.
func (s *Server) Rename(ctx context.Context, name, to string) error {
	if !protocol.ValidTerminalName(to) {
		return fmt.Errorf("rename terminal: %q is not 1 to 64 of A-Z a-z 0-9 . _ -", to)
	}
	return s.change(ctx, "rename", name, func(w *work, t *Terminal) error {
		switch _, err := w.Terminals.Named(to); {
		case err == nil && name != to:
			return fmt.Errorf("%q %w", to, ErrExists)
		case err != nil && !errors.Is(err, ErrNotFound):
			return err
		}
		t.Name = to
		return nil
	})
}

// change edits the terminal of the name and wakes its waiting check-in.
func (s *Server) change(ctx context.Context, what, name string, edit func(w *work, t *Terminal) error) error {
	err := s.write(ctx, func(w *work) error {
		t, err := w.Terminals.Named(name)
		if err != nil {
			return err
		}
		if err := edit(w, t); err != nil {
			return err
		}
		w.told[t.ID] = struct{}{}
		return w.Terminals.Update(t)
	})
	if err != nil {
		return fmt.Errorf("%s terminal %q: %w", what, name, err)
	}
	s.o.Log.InfoContext(ctx, "terminal changed", "what", what, "name", name)
	return nil
}

// revoke ends the terminal; the caller stores the row.
func (w *work) revoke(t *Terminal, reason string) {
	t.State, t.Reason, t.Forked, t.Since = TerminalRevoked, reason, false, w.now
	w.told[t.ID] = struct{}{}
}
