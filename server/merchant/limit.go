package merchant

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// What one address may ask: so many a second in the long run, and so many at once.
// A shop's customers may share one address.
const (
	perSecond    = 200
	atOnce       = 2000
	maxAddresses = 10_000 // counted at a time
	prefix4      = 32     // bits of an address that make it one
	prefix6      = 64
)

// limits counts requests by address. An entry is forgotten when its bucket is full.
type limits struct {
	mu sync.Mutex
	by map[netip.Prefix]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimits() *limits { return &limits{by: map[netip.Prefix]*bucket{}} }

// wait counts a request and gives how long it has to wait, 0 when it may go on.
func (l *limits) wait(remote string, now time.Time) time.Duration {
	at := prefixOf(remote)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.by[at]
	if b == nil {
		if len(l.by) >= maxAddresses {
			l.sweep(now)
		}
		b = &bucket{tokens: atOnce, at: now}
		l.by[at] = b
	}
	b.fill(now)
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	b.tokens--
	return 0
}

func (b *bucket) fill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(atOnce, b.tokens+d.Seconds()*perSecond)
	}
	b.at = now
}

// sweep forgets who asked nothing for a while; when all are busy, everybody: better
// than to lock out who comes next.
func (l *limits) sweep(now time.Time) {
	for at, b := range l.by {
		if b.fill(now); b.tokens >= atOnce {
			delete(l.by, at)
		}
	}
	if len(l.by) >= maxAddresses {
		clear(l.by)
	}
}

// prefixOf gives the network that counts as one caller.
func prefixOf(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	ip, err2 := netip.ParseAddr(host)
	if err != nil || err2 != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := prefix6
	if ip.Is4() {
		bits = prefix4
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
