package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// PushState is what has become of a pushed configuration.
type PushState string

// The states. At most one push is staged and at most one holds.
const (
	PushStaged     PushState = "staged"      // tried on some terminals
	PushHolds      PushState = "holds"       // for all terminals
	PushReplaced   PushState = "replaced"    // held until a later one did
	PushRolledBack PushState = "rolled_back" // taken back, or another was staged instead
)

// Push is a configuration that was pushed over the server's own: the keys that
// differ, as text.
type Push struct {
	Seq   int64
	At    protocol.Time
	State PushState
	Text  string
	Stage []protocol.TerminalID // empty: all
}

// PushRows keeps pushes.
type PushRows interface {
	Insert(p *Push) error // with its Seq, the next
	SetState(seq int64, state PushState) error
	List() ([]*Push, error) // newest first
}

// Errors of pushing.
var (
	// ErrNotPushed: there is nothing to promote or to roll back.
	ErrNotPushed = errors.New("no configuration is pushed")
	// ErrPush: the pushed configuration is not good, as its text tells.
	ErrPush = errors.New("the configuration cannot be pushed")
)

// rulebook is the rules that hold now. It is not to be changed.
type rulebook struct {
	base   *Settings             // the server's own, without what was pushed
	all    *Settings             // of every terminal
	staged *Settings             // of those in stage; nil without one
	stage  []protocol.TerminalID // on which a push is tried
}

func (r *rulebook) tries(id protocol.TerminalID) bool {
	return r.staged != nil && slices.Contains(r.stage, id)
}

// rules are those of the shop; they may be others at the next call.
func (s *Server) rules() *Settings { return s.present.Load().all }

// rulesFor are the rules for what one terminal does.
func (s *Server) rulesFor(id protocol.TerminalID) *Settings {
	if r := s.present.Load(); r.tries(id) {
		return r.staged
	}
	return s.rules()
}

// SetSettings takes other rules in place of those the server was made with, and
// tells terminals what is different for them. Currency and the customers' address
// stay: they hold for as long as the server runs.
func (s *Server) SetSettings(ctx context.Context, settings Settings) error {
	before := s.present.Load()
	settings.Currency, settings.MerchantURL = before.base.Currency, before.base.MerchantURL
	if err := settings.Check(); err != nil {
		return fmt.Errorf("change settings: %w", err)
	}
	s.present.Store(&rulebook{base: &settings, all: before.all, staged: before.staged, stage: before.stage})
	err := s.Reload(ctx)
	if err == nil {
		err = s.write(ctx, func(w *work) error { w.touch(settingHostNames); return nil })
	}
	if err != nil {
		return fmt.Errorf("change settings: %w", err)
	}
	s.ca.forget()
	return nil
}

// readRules lays what was pushed over the server's own rules. A push that is good
// no more since those changed is left out, and the log says so.
func (s *Server) readRules(tx *Tx) (*rulebook, error) {
	base := s.present.Load().base
	r := &rulebook{base: base, all: base}
	if s.o.Pushed == nil {
		return r, nil
	}
	pushes, err := tx.Pushes.List()
	if err != nil {
		return nil, fmt.Errorf("list pushes: %w", err)
	}
	for _, p := range pushes {
		if p.State != PushHolds && p.State != PushStaged {
			continue
		}
		settings, err := s.pushed(p.Text, base)
		if err != nil {
			s.o.Log.Error("pushed configuration left out", "push", p.Seq, "error", err)
			continue
		}
		if p.State == PushHolds {
			r.all = settings
		} else {
			r.staged, r.stage = settings, p.Stage
		}
	}
	return r, nil
}

// pushed reads a push over the base.
func (s *Server) pushed(text string, base *Settings) (*Settings, error) {
	settings, err := s.o.Pushed(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPush, err)
	}
	settings.Currency, settings.MerchantURL, settings.PublicHost, settings.Hosts = base.Currency, base.MerchantURL, base.PublicHost, base.Hosts
	if err := settings.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPush, err)
	}
	return &settings, nil
}

// Push takes a configuration for the terminals of the names, or for all where
// there are none. What was staged before is taken back; what held before can be
// rolled back to. Errors: [ErrPush], [ErrNotFound] for an unknown name.
func (s *Server) Push(ctx context.Context, text string, names []string) (*Push, error) {
	if s.o.Pushed == nil {
		return nil, ErrPush
	}
	if _, err := s.pushed(text, s.present.Load().base); err != nil {
		return nil, err
	}
	p := &Push{Text: text, State: PushHolds}
	err := s.repush(ctx, func(w *work, now pushes) error {
		p.At, p.Stage = w.now, nil
		for _, name := range names {
			t, err := w.Terminals.Named(name)
			if err != nil {
				return fmt.Errorf("find terminal %q: %w", name, err)
			}
			p.State, p.Stage = PushStaged, append(p.Stage, t.ID)
		}
		if err := now.end(w, now.staged, PushRolledBack); err != nil {
			return err
		}
		if p.State == PushHolds {
			if err := now.end(w, now.holds, PushReplaced); err != nil {
				return err
			}
		}
		return w.Pushes.Insert(p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Promote lets what is staged hold for all; [ErrNotPushed] when nothing is.
func (s *Server) Promote(ctx context.Context) (p *Push, err error) {
	err = s.repush(ctx, func(w *work, now pushes) error {
		if p = now.staged; p == nil {
			return ErrNotPushed
		}
		return errors.Join(now.end(w, now.holds, PushReplaced), now.end(w, p, PushHolds))
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// RollBack takes back what is staged, or else what holds, in whose place the one
// before it holds again; [ErrNotPushed] when nothing is pushed.
func (s *Server) RollBack(ctx context.Context) (p *Push, err error) {
	err = s.repush(ctx, func(w *work, now pushes) error {
		if p = now.staged; p != nil {
			return now.end(w, p, PushRolledBack)
		}
		if p = now.holds; p == nil {
			return ErrNotPushed
		}
		return errors.Join(now.end(w, p, PushRolledBack), now.end(w, now.before, PushHolds))
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Pushes lists all, newest first.
func (s *Server) Pushes(ctx context.Context) (list []*Push, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		list, err = tx.Pushes.List()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list pushes: %w", err)
	}
	return list, nil
}

// pushes are those that matter now, nil where there is none.
type pushes struct {
	staged, holds *Push
	before        *Push // the newest that held before
}

func (pushes) end(w *work, p *Push, state PushState) error {
	if p == nil {
		return nil
	}
	p.State = state
	if state == PushHolds {
		p.Stage = nil
	}
	return w.Pushes.SetState(p.Seq, state)
}

// repush changes pushes and tells every terminal with a new version.
func (s *Server) repush(ctx context.Context, change func(w *work, now pushes) error) error {
	err := s.write(ctx, func(w *work) error {
		list, err := w.Pushes.List()
		if err != nil {
			return fmt.Errorf("list pushes: %w", err)
		}
		var now pushes
		for _, p := range slices.Backward(list) {
			switch p.State {
			case PushStaged:
				now.staged = p
			case PushHolds:
				now.holds = p
			case PushReplaced:
				now.before = p
			case PushRolledBack:
			}
		}
		return change(w, now)
	})
	if err != nil {
		return err
	}
	return s.reloadWith(ctx, true)
}
