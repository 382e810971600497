package chain

import (
	"context"
	"slices"
	"sync"

	"till/server"
)

// hub hands changes to listeners. It never waits for one: what a listener has
// not taken yet grows together into one change.
type hub struct {
	mu        sync.Mutex
	listeners []*listener
}

type listener struct {
	wake     chan struct{} // holds one token while something waits
	scripts  map[server.Script]struct{}
	tip      bool
	anything bool
}

// anything is the change that says nothing.
var anything = server.Change{}

// publish adds c to what each listener will hear next.
func (h *hub) publish(c server.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.listeners {
		l.tip = l.tip || c.TipMoved
		l.anything = l.anything || len(c.Scripts) == 0 && !c.TipMoved
		for _, s := range c.Scripts {
			l.scripts[s] = struct{}{}
		}
		l.ring()
	}
}

func (l *listener) ring() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take gives what has gathered as one change, in a fixed order.
func (h *hub) take(l *listener) server.Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := server.Change{TipMoved: l.tip}
	if l.anything {
		c = anything
	} else {
		for s := range l.scripts {
			c.Scripts = append(c.Scripts, s)
		}
		slices.Sort(c.Scripts)
	}
	l.scripts, l.tip, l.anything = map[server.Script]struct{}{}, false, false
	return c
}

// listen calls changed for each change until ctx ends, and once at the start:
// from that call on nothing is missed.
func (h *hub) listen(ctx context.Context, changed func(server.Change)) error {
	l := &listener{wake: make(chan struct{}, 1), scripts: map[server.Script]struct{}{}, anything: true}
	l.ring()
	h.mu.Lock()
	h.listeners = append(h.listeners, l)
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.listeners = slices.DeleteFunc(h.listeners, func(other *listener) bool { return other == l })
		h.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.wake:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			changed(h.take(l))
		}
	}
}
