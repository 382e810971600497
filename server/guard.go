package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"till/protocol"
)

// What the guard calls wrong, and how often it looks.
const (
	silentAfter     = 3 * time.Minute // without a check-in
	stuckAfter      = 7 * time.Minute // of check-ins that bring nothing forward
	certificateLeft = 14 * 24 * time.Hour
	guardEvery      = 15 * time.Second
	guardDoubt      = 3 * time.Second // before a terminal counts as silent: a clock that jumped says nothing
	expiryEvery     = time.Hour
)

// guard looks for what stays wrong while nobody calls, and for its end. What it
// remembers between looks is lost at a power cut without harm; which alarms go
// on stands in the store.
type guard struct {
	bell   chan struct{} // holds a token when a look is worth it
	began  protocol.Time
	silent map[protocol.TerminalID]bool // at the last look; true: at the one before, too
	behind map[protocol.TerminalID]standstill
	expiry map[protocol.TerminalID]protocol.Time
	asked  protocol.Time // when expiry was read

	mu      sync.Mutex
	refused map[protocol.TerminalID]protocol.Time // since when entries are not taken
	reserve holdings
}

// standstill is a terminal that does not take its alerts.
type standstill struct {
	ack   int64
	since protocol.Time
}

// holdings is what is known of the hot wallet.
type holdings struct {
	known   bool
	message string // "" there is enough
}

func newGuard() *guard {
	return &guard{
		bell: make(chan struct{}, 1), silent: map[protocol.TerminalID]bool{}, behind: map[protocol.TerminalID]standstill{},
		refused: map[protocol.TerminalID]protocol.Time{},
	}
}

// journal notes whether the entries a terminal sent were taken.
func (g *guard) journal(id protocol.TerminalID, now protocol.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		delete(g.refused, id)
	} else if _, known := g.refused[id]; !known && !errors.Is(err, ErrRevoked) {
		g.refused[id] = now
	}
}

func (g *guard) noteReserve(h holdings) {
	g.mu.Lock()
	g.reserve = h
	g.mu.Unlock()
	ring(g.bell)
}

// trouble is a lasting alarm by what it is about.
type trouble struct{ kind, terminal string }

// keepGuard looks until ctx ends.
func (s *Server) keepGuard(ctx context.Context) {
	g := s.guard
	g.began = s.o.Clock()
	// Rates and the chain need a moment to be there at all.
	for next := g.began.Add(guardEvery); s.sleep(ctx, next, g.bell); {
		now := s.o.Clock()
		if now < g.began.Add(guardEvery) {
			continue
		}
		if err := s.look(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "state of the shop not looked at", "error", err)
		}
		next = now.Add(guardEvery)
		for _, sure := range g.silent {
			if !sure {
				next = now.Add(guardDoubt)
			}
		}
	}
}

// look compares what is wrong with the alarms that go on, and tells what begins
// and what ends.
func (s *Server) look(ctx context.Context) error {
	now := s.o.Clock()
	wrong := map[trouble]string{}
	if err := s.lookAtTerminals(ctx, now, wrong); err != nil {
		return err
	}
	if _, none := s.o.Rates.Current(now); none != nil {
		wrong[trouble{AlarmRates, ""}] = "no price can be given: " + none.Message
	}
	if silent, behind := s.watch.state(); silent {
		wrong[trouble{AlarmNode, ""}] = "the Bitcoin node does not answer: payments cannot be seen"
	} else if behind {
		wrong[trouble{AlarmNode, ""}] = "the Bitcoin node is behind: payments count only with a confirmation"
	}
	s.guard.mu.Lock()
	left := s.guard.reserve
	s.guard.mu.Unlock()
	if left.message != "" {
		wrong[trouble{AlarmReserve, ""}] = left.message
	}
	var lasting []*Alarm
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		lasting, err = tx.Alarms.Lasting()
		return err
	})
	if err != nil {
		return fmt.Errorf("list lasting alarms: %w", err)
	}
	var over []Alarm
	for _, a := range lasting {
		t := trouble{a.Kind, a.Terminal}
		if _, still := wrong[t]; !still && (a.Kind != AlarmReserve || left.known) {
			a.Ended = now
			over = append(over, *a)
		}
		delete(wrong, t)
	}
	if len(wrong) == 0 && len(over) == 0 {
		return nil
	}
	err = s.write(ctx, func(w *work) error {
		w.alarms = append(w.alarms, over...)
		for t, message := range wrong {
			w.alarms = append(w.alarms, Alarm{Kind: t.kind, Terminal: t.terminal, Message: message, At: w.now, Lasting: true})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tell what is wrong: %w", err)
	}
	return nil
}

func (s *Server) lookAtTerminals(ctx context.Context, now protocol.Time, wrong map[trouble]string) error {
	g := s.guard
	var all []*Terminal
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		if all, err = tx.Terminals.List(); err != nil || g.expiry != nil && now.Sub(g.asked).Abs() < expiryEvery {
			return err
		}
		g.asked, g.expiry = now, map[protocol.TerminalID]protocol.Time{}
		for _, t := range all {
			keys, err := tx.Keys.Of(t.ID)
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				g.expiry[t.ID] = keys[0].NotAfter
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list terminals: %w", err)
	}
	silent := map[protocol.TerminalID]bool{}
	for _, t := range all {
		s.lines.presence(t.ID).on(t)
		if t.State == TerminalRevoked || t.LastSeen == 0 {
			continue
		}
		if until := g.expiry[t.ID]; until != 0 && until.Sub(now) < certificateLeft {
			wrong[trouble{AlarmCertificate, t.Name}] = fmt.Sprintf("the certificate of %s ends on %s and it has not renewed it: start it, or pair it anew", t.Name, until.Time().Format("2006-01-02"))
		}
		if now.Sub(max(t.LastSeen, g.began)) >= silentAfter {
			delete(g.behind, t.ID)
			_, silent[t.ID] = g.silent[t.ID]
			if silent[t.ID] {
				wrong[trouble{AlarmSilent, t.Name}] = fmt.Sprintf("%s has not checked in since %s", t.Name, s.local(t.LastSeen))
			}
			continue
		}
		if why := s.stuck(t, now); why != "" {
			wrong[trouble{AlarmStuck, t.Name}] = why
		}
	}
	g.silent = silent
	return nil
}

// stuck tells why a terminal that calls gets nowhere, "" when it does.
func (s *Server) stuck(t *Terminal, now protocol.Time) string {
	g := s.guard
	still := g.behind[t.ID]
	if t.AlertAck >= t.AlertSeq || t.State != TerminalLiving {
		delete(g.behind, t.ID)
	} else if still.since == 0 || still.ack != t.AlertAck {
		g.behind[t.ID] = standstill{t.AlertAck, now}
	} else if now.Sub(still.since) >= stuckAfter {
		return fmt.Sprintf("%s calls but takes no alert since %s: its disk may be full", t.Name, s.local(still.since))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if since := g.refused[t.ID]; since != 0 && now.Sub(since) >= stuckAfter {
		return fmt.Sprintf("%s calls but none of its journal could be stored since %s: look at the server's log", t.Name, s.local(since))
	}
	return ""
}

// local writes a moment as the shop's clock shows it.
func (s *Server) local(t protocol.Time) string {
	return t.Time().In(s.rules().Zone).Format("2006-01-02 15:04")
}
