package server

import (
	"context"
	"fmt"
	"time"

	"till/protocol"
)

// effect does something outside that may be repeated by ref. Done only on a
// positive answer; an error or false means again later.
type effect func(ctx context.Context, ref string) (done bool, err error)

// Pauses between tries of an effect: doubling from a second to ten minutes.
const (
	effectSoon     = time.Second
	effectLate     = 10 * time.Minute
	effectDeadline = 30 * time.Second
	perPass        = 50
)

// intend writes an effect to the outbox, to be done from the moment on once the
// transaction is durable.
func (w *work) intend(kind, ref string, due protocol.Time) (*Effect, error) {
	id, err := protocol.NewID(w.now.Time(), w.s.o.Random)
	if err != nil {
		return nil, err
	}
	e := &Effect{ID: id, Kind: kind, Ref: ref, Due: due}
	if err := w.Outbox.Add(e); err != nil {
		return nil, fmt.Errorf("intend %s: %w", kind, err)
	}
	w.effect = true
	return e, nil
}

func (s *Server) wakeOutbox() { ring(s.outbox) }

// ring leaves a token in a channel that holds one.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// runOutbox performs effects until ctx ends: what an earlier run left included.
func (s *Server) runOutbox(ctx context.Context) {
	// At the start nobody is at work on what an earlier run has only just intended.
	for ahead := effectDeadline; ; ahead = 0 {
		if err := s.passOutbox(ctx, s.o.Clock().Add(ahead)); err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "outbox not worked off", "error", err)
		}
		if !s.sleep(ctx, s.o.Clock().Add(effectSoon), s.outbox) {
			return
		}
	}
}

// passOutbox tries each effect that is due at the moment once.
func (s *Server) passOutbox(ctx context.Context, at protocol.Time) error {
	var due []*Effect
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		due, err = tx.Outbox.Due(at, perPass)
		return err
	})
	if err != nil {
		return fmt.Errorf("list effects: %w", err)
	}
	for _, e := range due {
		if err := s.perform(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) perform(ctx context.Context, e *Effect) error {
	do, known := s.effects[e.Kind]
	done := false
	if known {
		try, cancel := context.WithTimeout(ctx, effectDeadline)
		var err error
		done, err = do(try, e.Ref)
		cancel()
		if err != nil {
			s.o.Log.WarnContext(ctx, "effect not done", "kind", e.Kind, "ref", e.Ref, "tries", e.Tries+1, "error", err)
			done = false
		}
	} else {
		s.o.Log.ErrorContext(ctx, "effect of an unknown kind", "kind", e.Kind, "ref", e.Ref)
	}
	err := s.write(ctx, func(w *work) error {
		if done {
			return w.Outbox.Done(e.ID)
		}
		pause := effectSoon << min(e.Tries, 10)
		return w.Outbox.Later(e.ID, w.now.Add(min(pause, effectLate)))
	})
	if err != nil {
		return fmt.Errorf("note effect: %w", err)
	}
	return nil
}
