package rpc

import (
	"net"
	"sync"
	"time"

	"till/protocol"
)

// Bounds of refused pairings: mostRefusals a minute from one address, over at
// most mostAddresses, of which the oldest is forgotten first.
const (
	mostRefusals  = 20
	mostAddresses = 4096
	refusalSpan   = time.Minute
)

// refusals counts refused pairings by address within the last minute.
type refusals struct {
	mu sync.Mutex
	by map[string][]protocol.Time
}

func newRefusals() *refusals { return &refusals{by: map[string][]protocol.Time{}} }

// take counts a try as refused before it is made, so that tries at once count as
// much as tries in a row; it gives how long the address must wait, 0 when it may.
func (r *refusals) take(remote string, now protocol.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := host(remote)
	recent := since(r.by[key], now)
	if len(recent) >= mostRefusals {
		return recent[0].Add(refusalSpan).Sub(now)
	}
	if _, known := r.by[key]; !known && len(r.by) >= mostAddresses {
		r.forget(now)
	}
	r.by[key] = append(recent, now)
	return 0
}

// giveBack uncounts a try that was not refused.
func (r *refusals) giveBack(remote string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := host(remote)
	if times := r.by[key]; len(times) > 1 {
		r.by[key] = times[:len(times)-1]
	} else {
		delete(r.by, key)
	}
}

// forget drops the addresses that were refused longest ago, at least one.
func (r *refusals) forget(now protocol.Time) {
	var oldest string
	for key, times := range r.by {
		last := times[len(times)-1]
		if now.Sub(last) >= refusalSpan {
			delete(r.by, key)
		} else if oldest == "" || last < r.by[oldest][len(r.by[oldest])-1] {
			oldest = key
		}
	}
	if len(r.by) >= mostAddresses {
		delete(r.by, oldest)
	}
}

// since keeps the times within the last minute. A clock that was set back leaves
// later times behind, which are dropped too.
func since(times []protocol.Time, now protocol.Time) []protocol.Time {
	for len(times) > 0 && (now.Sub(times[0]) >= refusalSpan || times[0] > now) {
		times = times[1:]
	}
	return times
}

func host(remote string) string {
	if h, _, err := net.SplitHostPort(remote); err == nil {
		return h
	}
	return remote
}
