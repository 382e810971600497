package rpc

import (
	"sync"

	"till/protocol"
)

// mostTurns is how many requests of one terminal are worked on at once: a held
// check-in, one that displaces it, payouts and what asks about them. Whoever
// sends more takes from the others.
const mostTurns = 16

// turns counts the requests of each terminal that are being worked on.
type turns struct {
	mu sync.Mutex
	by map[protocol.TerminalID]int
}

func newTurns() *turns { return &turns{by: map[protocol.TerminalID]int{}} }

// take begins a request of the terminal; false: it has too many.
func (t *turns) take(id protocol.TerminalID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by[id] >= mostTurns {
		return false
	}
	t.by[id]++
	return true
}

func (t *turns) giveBack(id protocol.TerminalID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by[id]--; t.by[id] == 0 {
		delete(t.by, id)
	}
}
