package terminal

import (
	"slices"
	"sync"

	"till/protocol"
)

// Fact tells that something is different; facts that nobody has read yet run
// together into one. What is true is read with the methods of [Terminal].
type Fact struct {
	Health    bool // [Terminal.Health]
	Config    bool // [Terminal.Config]
	Catalogue bool // [Terminal.Catalogue]
	Quote     bool // [Terminal.Quote]
	Sales     []protocol.SaleID
	Payouts   []protocol.PayoutID
	// Alerts are those stored since, oldest first; at most 200, beyond that the
	// oldest fall out and [Terminal.Alerts] has them all.
	Alerts []Alert
}

// facts is a channel of one place that never blocks its writer.
type facts struct {
	mu sync.Mutex
	ch chan Fact
}

func newFacts() *facts { return &facts{ch: make(chan Fact, 1)} }

// tell adds f to what waits to be read.
func (q *facts) tell(f Fact) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case waiting := <-q.ch:
		f = waiting.with(f)
	default:
	}
	q.ch <- f // empty now: only tell writes
}

func (f Fact) with(g Fact) Fact {
	f.Health = f.Health || g.Health
	f.Config = f.Config || g.Config
	f.Catalogue = f.Catalogue || g.Catalogue
	f.Quote = f.Quote || g.Quote
	f.Sales = union(f.Sales, g.Sales)
	f.Payouts = union(f.Payouts, g.Payouts)
	f.Alerts = slices.Concat(f.Alerts, g.Alerts)
	if extra := len(f.Alerts) - protocol.MaxAlerts; extra > 0 {
		f.Alerts = f.Alerts[extra:]
	}
	return f
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
