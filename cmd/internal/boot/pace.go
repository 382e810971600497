package boot

import (
	"sync"
	"sync/atomic"
	"time"

	"till/protocol"
	"till/server/rpc"
)

// paceBounds are the upper bounds of the buckets of every histogram.
var paceBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// histogram counts how long things took. Its zero value is empty.
type histogram struct {
	buckets [len(paceBounds) + 1]atomic.Int64 // each alone, the last beyond all bounds
	sum     atomic.Int64                      // nanoseconds
}

func (h *histogram) add(took time.Duration) {
	i := 0
	for i < len(paceBounds) && took > paceBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(took))
}

// methods are the names calls are timed under, which bound the labels.
var methods = []string{
	protocol.CallCheckIn, rpc.Waiting, protocol.CallGetAddress, protocol.CallQueryAddress, protocol.CallSweep, protocol.CallDispense,
	protocol.CallQueryNonce, protocol.CallDiscover, "unknown",
}

// pace is how long calls and commits took since the start.
type pace struct {
	once    sync.Once
	calls   map[string]*histogram // by method, never changed once made
	commits histogram
	writes  atomic.Int64 // that the commits held
}

func (p *pace) of(method string) *histogram {
	p.once.Do(func() {
		p.calls = map[string]*histogram{}
		for _, m := range methods {
			p.calls[m] = &histogram{}
		}
	})
	return p.calls[method]
}

// call times one call.
func (p *pace) call() func(method string) {
	began := time.Now()
	return func(method string) {
		if h := p.of(method); h != nil {
			h.add(time.Since(began))
		}
	}
}

// commit times one commit.
func (p *pace) commit(writes int) func() {
	began := time.Now()
	return func() {
		p.commits.add(time.Since(began))
		p.writes.Add(int64(writes))
	}
}
