package boot

import (
	"sync/atomic"
	"time"

	"till/protocol"
)

// Clock is the machine's clock, which a practice shop may push forward. The
// push is forgotten at a restart.
type Clock struct{ ahead atomic.Int64 }

// Now is the time, in UTC.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())).UTC() }

// Time is [Clock.Now] in the protocol's milliseconds.
func (c *Clock) Time() protocol.Time { return protocol.TimeOf(c.Now()) }

// Advance pushes the clock forward.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }
