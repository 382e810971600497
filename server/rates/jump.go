package rates

import (
	"math/bits"
	"time"

	"till/protocol"
)

// window is how far back a price is compared and how long a new one must hold.
const window = 10 * time.Minute

// guard holds prices back that jump; the package's documentation says when. The
// zero guard with a limit has seen nothing.
type guard struct {
	limit int64         // hundredths of a percent
	given []span        // prices that were given, back to the window
	held  []span        // prices held back that are near each other
	since protocol.Time // when holding back began
}

// span is a price from its first to its last sight.
type span struct {
	from, to protocol.Time
	rate     protocol.Rate
}

// admit judges the price of a moment. When it is held back, since tells from
// when on. Prices that were given are not forgotten while others are held back.
func (g *guard) admit(now protocol.Time, rate protocol.Rate) (since protocol.Time, ok bool) {
	for len(g.held) == 0 && len(g.given) > 0 && now.Sub(g.given[0].to) > window {
		g.given = g.given[1:]
	}
	switch {
	case g.near(g.given, rate):
		g.given, g.held = see(g.given, now, rate), nil
		return 0, true
	case len(g.held) == 0:
		g.since = now
	case !g.near(g.held, rate):
		g.held = nil
	}
	g.held = see(g.held, now, rate)
	if now.Sub(g.held[0].from) < window {
		return g.since, false
	}
	g.given, g.held = g.held, nil
	return 0, true
}

func see(spans []span, now protocol.Time, rate protocol.Rate) []span {
	if n := len(spans); n > 0 && spans[n-1].rate == rate {
		spans[n-1].to = max(spans[n-1].to, now)
		return spans
	}
	return append(spans, span{now, now, rate})
}

// near reports whether rate is within the limit of all spans: of each two prices
// the larger is at most 1 + limit/10000 of the smaller.
func (g *guard) near(spans []span, rate protocol.Rate) bool {
	for _, s := range spans {
		low, high := min(s.rate, rate), max(s.rate, rate)
		leftHi, left := bits.Mul64(uint64(high), 10_000)
		rightHi, right := bits.Mul64(uint64(low), uint64(10_000+g.limit))
		if leftHi > rightHi || leftHi == rightHi && left > right {
			return false
		}
	}
	return true
}
