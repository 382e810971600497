package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// attempts is how often a transaction that met another one is tried.
const attempts = 8

// work is one writing transaction with what it leaves to do once it is durable.
type work struct {
	*Tx
	s   *Server
	now protocol.Time

	told   map[protocol.TerminalID]struct{}  // whose waiting check-in has news
	sales  map[protocol.SaleID]struct{}      // to be compared with the chain
	due    map[protocol.SaleID]protocol.Time // when the clock may change a sale, 0 never
	leased []Address                         // to be watched
	alarms []Alarm
	effect bool // the outbox has news
	mints  bool // a mint is to be asked something
}

// write runs f in one transaction, again from the start when another one came
// between; what f gathered in w is acted on after the commit.
func (s *Server) write(ctx context.Context, f func(w *work) error) error {
	for range attempts {
		var w *work
		err := s.o.Store.Write(ctx, func(tx *Tx) error {
			w = &work{
				Tx: tx, s: s, now: s.o.Clock(),
				told:  map[protocol.TerminalID]struct{}{},
				sales: map[protocol.SaleID]struct{}{},
				due:   map[protocol.SaleID]protocol.Time{},
			}
			if err := f(w); err != nil {
				return err
			}
			return w.storeAlarms()
		})
		s.roll.generation.Add(1) // whatever the outcome
		if errors.Is(err, ErrChanged) {
			continue
		}
		if err == nil {
			w.finish(ctx)
		}
		return err
	}
	return fmt.Errorf("write after %d attempts: %w", attempts, ErrChanged)
}

// finish acts on what a durable transaction left.
func (w *work) finish(ctx context.Context) {
	s := w.s
	for id := range w.told {
		s.lines.ring(id)
	}
	s.watch.add(w.leased)
	s.watch.remind(w.due)
	s.watch.look(w.sales)
	if w.effect {
		s.wakeOutbox()
	}
	if w.mints {
		s.cash.ring()
	}
	for _, a := range w.alarms {
		s.o.Log.WarnContext(ctx, "alarm", "kind", a.Kind, "terminal", a.Terminal, "message", a.Message, "over", a.Ended != 0)
	}
	if len(w.alarms) > 0 {
		for _, post := range s.posts {
			ring(post)
		}
	}
}

// alert adds a line to the terminal's alert log, or to that of the one that took
// its place; a revoked terminal without an heir is told nothing.
func (w *work) alert(id protocol.TerminalID, kind protocol.AlertKind, body any) error {
	text, err := protocol.Encode(body)
	if err != nil {
		return err
	}
	return w.alertText(id, kind, text)
}

// alertText is alert with the body as JSON.
func (w *work) alertText(id protocol.TerminalID, kind protocol.AlertKind, text []byte) error {
	if id == "" {
		return nil // an address at rest is nobody's
	}
	to, err := w.heir(id)
	if err != nil || to == "" {
		return err
	}
	if _, err := w.Alerts.Append(to, w.now, kind, text); err != nil {
		return fmt.Errorf("append %s alert: %w", kind, err)
	}
	w.told[to] = struct{}{}
	return nil
}

// alertAll tells every terminal that is not revoked.
func (w *work) alertAll(kind protocol.AlertKind, body any) error {
	all, err := w.Terminals.List()
	if err != nil {
		return fmt.Errorf("list terminals: %w", err)
	}
	for _, t := range all {
		if t.State == TerminalRevoked {
			continue
		}
		if err := w.alert(t.ID, kind, body); err != nil {
			return err
		}
	}
	return nil
}

// heir follows replacements from a revoked terminal to the one that speaks for
// it now; "" when there is none.
func (tx *Tx) heir(id protocol.TerminalID) (protocol.TerminalID, error) {
	t, err := tx.Terminals.Get(id)
	if err != nil {
		return "", fmt.Errorf("find terminal: %w", err)
	}
	if t.State != TerminalRevoked {
		return id, nil
	}
	all, err := tx.Terminals.List()
	if err != nil {
		return "", fmt.Errorf("list terminals: %w", err)
	}
	successor := map[protocol.TerminalID]*Terminal{}
	for _, other := range all {
		if other.Replaces != "" {
			successor[other.Replaces] = other
		}
	}
	for t = successor[id]; t != nil; t = successor[t.ID] {
		if t.State != TerminalRevoked {
			return t.ID, nil
		}
	}
	return "", nil
}

// speaksFor reports whether a terminal may act on what belongs to another: its
// own, or that of one it took over from.
func (tx *Tx) speaksFor(caller, owner protocol.TerminalID) (bool, error) {
	if caller == owner {
		return true, nil
	}
	heir, err := tx.heir(owner)
	return heir == caller, err
}
