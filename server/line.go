package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"till/protocol"
)

// flushEvery is how often presence is written, flushAtOnce how many terminals a
// transaction takes at most: whoever stores money waits for no more.
const (
	flushEvery    = time.Minute
	flushDeadline = 3 * time.Second
	flushAtOnce   = 100
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
	here     bool          // the other processes were told that it checks in here
	presence presence
	drift    *time.Duration // its clock less the server's, nil not known
}

// presence is what a terminal last said of itself, and whether it is stored.
type presence struct {
	Presence
	ack    int64 // the alerts it has stored
	acked  int64 // what of it was written
	config int64 // version it holds
	dirty  bool
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
// one comes. came: its last one was at another process, or there was none.
func (l *lines) enter(id protocol.TerminalID, p presence) (displaced <-chan struct{}, came bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.of(id)
	close(end.displace)
	end.displace = make(chan struct{})
	came, end.here = !end.here, true
	p.ack, p.acked = max(p.ack, end.presence.ack), end.presence.acked
	end.presence = p
	return end.displace, came
}

// leave ends the check-in of a terminal that checks in at another process.
func (l *lines) leave(id protocol.TerminalID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := l.by[id]; end != nil {
		close(end.displace)
		end.displace, end.here = make(chan struct{}), false
	}
}

// elsewhere forgets who checks in here: it may have changed unheard.
func (l *lines) elsewhere() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range l.by {
		end.here = false
	}
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
	if end := l.by[id]; end != nil {
		close(end.bell)
		end.bell = make(chan struct{})
	}
}

// ringAll is ring for every terminal.
func (l *lines) ringAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range l.by {
		close(end.bell)
		end.bell = make(chan struct{})
	}
}

// shut ends every waiting check-in for good.
func (l *lines) shut() { l.shutMu.Do(func() { close(l.closed) }) }

// NoteClock keeps how far a terminal's clock is ahead of the server's, as the Date
// of its last request said, to the second.
func (s *Server) NoteClock(id protocol.TerminalID, ahead time.Duration) {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	s.lines.of(id).drift = &ahead
}

func (l *lines) presence(id protocol.TerminalID) presence {
	p, _ := l.heard(id)
	return p
}

// heard gives what is known of a terminal since the server began.
func (l *lines) heard(id protocol.TerminalID) (p presence, drift *time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := l.by[id]; end != nil {
		return end.presence, end.drift
	}
	return presence{}, nil
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
	if p.At <= t.LastSeen {
		return
	}
	t.LastSeen, t.Software, t.Devices, t.Held = p.At, p.Software, p.Devices, p.Held
	t.AlertAck = max(t.AlertAck, p.ack)
}

// flushPresence writes who was seen.
func (s *Server) flushPresence(ctx context.Context) error {
	for dirty := s.lines.takeDirty(); len(dirty) > 0; {
		some := map[protocol.TerminalID]presence{}
		for id, p := range dirty {
			if some[id] = p; len(some) == flushAtOnce {
				break
			}
		}
		err := s.write(ctx, func(w *work) error {
			for id, p := range some {
				if err := w.see(id, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store presence of terminals: %w", err)
		}
		for id, p := range some {
			s.lines.stored(id, p)
			delete(dirty, id)
		}
	}
	return nil
}

func (w *work) see(id protocol.TerminalID, p presence) error {
	if err := w.Terminals.See(id, p.Presence); err != nil || p.ack <= p.acked {
		return err
	}
	t, err := w.Terminals.Get(id)
	if err != nil {
		return err
	}
	return w.Alerts.Ack(id, min(p.ack, t.AlertSeq))
}

// stored notes what was written.
func (l *lines) stored(id protocol.TerminalID, p presence) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.of(id)
	end.presence.acked = max(end.presence.acked, p.ack)
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
