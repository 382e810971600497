package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"till/protocol"
)

// flushEvery is how often presence is written.
const (
	flushEvery    = time.Minute
	flushDeadline = 3 * time.Second
)

// lines are the terminals' ends of the wire: who waits, and who was last seen.
// What they hold is lost at a power cut without harm.
type lines struct {
	mu     sync.Mutex
	by     map[protocol.TerminalID]*line
	closed chan struct{}
	shutMu sync.Once
}

// line is one terminal's.
type line struct {
	bell     chan struct{} // closed and replaced when there is news
	displace chan struct{} // closed when a later check-in comes
	presence presence
}

// presence is what a terminal last said of itself.
type presence struct {
	at       protocol.Time
	software string
	devices  []protocol.DeviceState
	held     int64
	ack      int64
	dirty    bool
}

func newLines() lines {
	return lines{by: map[protocol.TerminalID]*line{}, closed: make(chan struct{})}
}

// of gives the terminal's line; mu is held.
func (l *lines) of(id protocol.TerminalID) *line {
	end := l.by[id]
	if end == nil {
		end = &line{bell: make(chan struct{}), displace: make(chan struct{})}
		l.by[id] = end
	}
	return end
}

// enter ends the terminal's earlier check-in; the channel closes when a later
// one comes.
func (l *lines) enter(id protocol.TerminalID, p presence) (displaced <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.of(id)
	close(end.displace)
	end.displace = make(chan struct{})
	p.ack = max(p.ack, end.presence.ack)
	end.presence = p
	return end.displace
}

// bell closes at the next news. It is taken before looking, so that nothing
// falls between.
func (l *lines) bell(id protocol.TerminalID) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(id).bell
}

func (l *lines) ring(id protocol.TerminalID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.of(id)
	close(end.bell)
	end.bell = make(chan struct{})
}

// shut ends every waiting check-in for good.
func (l *lines) shut() { l.shutMu.Do(func() { close(l.closed) }) }

func (l *lines) presence(id protocol.TerminalID) presence {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := l.by[id]; end != nil {
		return end.presence
	}
	return presence{}
}

// takeDirty gives what was not written yet.
func (l *lines) takeDirty() map[protocol.TerminalID]presence {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirty := map[protocol.TerminalID]presence{}
	for id, end := range l.by {
		if end.presence.dirty {
			dirty[id] = end.presence
			end.presence.dirty = false
		}
	}
	return dirty
}

// on writes what is newer in p into the row.
func (p presence) on(t *Terminal) {
	if p.at <= t.LastSeen {
		return
	}
	t.LastSeen, t.Software, t.Devices, t.Held = p.at, p.software, p.devices, p.held
	t.AlertAck = max(t.AlertAck, p.ack)
}

// flushPresence writes who was seen, in one transaction.
func (s *Server) flushPresence(ctx context.Context) error {
	dirty := s.lines.takeDirty()
	if len(dirty) == 0 {
		return nil
	}
	err := s.write(ctx, func(w *work) error {
		for id, p := range dirty {
			t, err := w.Terminals.Get(id)
			if err != nil {
				return err
			}
			p.on(t)
			if err := w.Terminals.Update(t); err != nil {
				return err
			}
			if err := w.Alerts.Ack(id, min(p.ack, t.AlertSeq)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store presence of terminals: %w", err)
	}
	return nil
}

func (s *Server) flushPresences(ctx context.Context) {
	for next := s.o.Clock().Add(flushEvery); s.sleep(ctx, next, nil); {
		if now := s.o.Clock(); now >= next {
			next = now.Add(flushEvery)
			if err := s.flushPresence(ctx); err != nil {
				s.o.Log.ErrorContext(ctx, "presence not stored", "error", err)
			}
		}
	}
}
