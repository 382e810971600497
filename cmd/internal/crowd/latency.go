package crowd

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Durations are counted in microseconds, in 16 steps an octave: what is read off
// is at most a sixteenth too long.
const (
	steps   = 16
	octaves = 40
)

// Latency counts durations. Its methods may be called at once.
type Latency struct {
	counts [steps * octaves]atomic.Uint64
	total  atomic.Uint64
	most   atomic.Int64 // microseconds
}

// Add counts a duration.
func (l *Latency) Add(d time.Duration) {
	us := max(d.Microseconds(), 0)
	l.counts[bucket(uint64(us))].Add(1)
	l.total.Add(1)
	for {
		most := l.most.Load()
		if us <= most || l.most.CompareAndSwap(most, us) {
			return
		}
	}
}

func bucket(us uint64) int {
	if us < steps {
		return int(us)
	}
	shift := bits.Len64(us) - 5 // leaves 16 to 31
	return min(steps*(shift+1)+int(us>>shift)-steps, steps*octaves-1)
}

// ceiling is the longest duration of a bucket.
func ceiling(b int) time.Duration {
	if b < steps {
		return time.Duration(b) * time.Microsecond
	}
	shift := b/steps - 1
	return time.Duration(uint64(b%steps+steps+1)<<shift-1) * time.Microsecond
}

// Count is how many were counted.
func (l *Latency) Count() uint64 { return l.total.Load() }

// Max is the longest.
func (l *Latency) Max() time.Duration { return time.Duration(l.most.Load()) * time.Microsecond }

// Share gives the duration that the share, 0 to 1, of all stayed within.
func (l *Latency) Share(of float64) time.Duration {
	want := uint64(of*float64(l.total.Load()) + 0.5)
	seen := uint64(0)
	for b := range l.counts {
		if seen += l.counts[b].Load(); seen >= want && seen > 0 {
			return min(ceiling(b), l.Max())
		}
	}
	return 0
}

// Summary is what is told of durations.
type Summary struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

// Summary sums up in milliseconds.
func (l *Latency) Summary() Summary {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return Summary{l.Count(), ms(l.Share(0.5)), ms(l.Share(0.9)), ms(l.Share(0.99)), ms(l.Share(0.999)), ms(l.Max())}
}
