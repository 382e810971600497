package crowd

import (
	"testing"
	"time"
)

func TestAShareIsAtMostASixteenthTooLong(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 15 * time.Microsecond, 16 * time.Microsecond, 17 * time.Microsecond, 31 * time.Microsecond,
		32 * time.Microsecond, 999 * time.Microsecond, time.Millisecond, 1234567 * time.Microsecond, time.Hour} {
		b := bucket(uint64(d.Microseconds()))
		if top := ceiling(b); top < d || top > d+d/16+time.Microsecond {
			t.Errorf("%v is told as %v", d, top)
		}
		if b > 0 && ceiling(b-1) >= d {
			t.Errorf("%v fits the bucket below", d)
		}
	}
}

func TestSharesAreThoseOfWhatWasCounted(t *testing.T) {
	var l Latency
	for i := range 1000 {
		l.Add(time.Duration(i+1) * time.Millisecond)
	}
	for _, want := range []struct {
		share float64
		d     time.Duration
	}{{0.5, 500 * time.Millisecond}, {0.9, 900 * time.Millisecond}, {0.99, 990 * time.Millisecond}, {1, time.Second}} {
		if got := l.Share(want.share); got < want.d || got > want.d+want.d/16+time.Millisecond {
			t.Errorf("%v of all within %v, want %v", want.share, got, want.d)
		}
	}
	if l.Count() != 1000 || l.Max() != time.Second {
		t.Errorf("%d counted, longest %v", l.Count(), l.Max())
	}
}
