package terminal

import (
	"reflect"
	"time"

	"till/protocol"
)

// MaxSkew is how far the terminal's clock may be off before payouts are refused
// (terminal.md §2).
const MaxSkew = 3 * time.Minute

// Health is what the health line tells.
type Health struct {
	Paired       bool
	Online       bool
	OfflineSince protocol.Time // when calls began to fail, 0 while online
	LastCheckIn  protocol.Time // last answered, 0 never
	Problem      string        // why the last call failed, a sentence; "" while online
	Revoked      bool          // the server knows this terminal no more
	Tampered     string        // the sensor that saw the case opened; "" none did
	Suspended    *protocol.Notice
	QuoteUntil   protocol.Time // end of the price held, 0 none
	QuoteAt      protocol.Time
	NoQuote      *protocol.NoQuote // why the server gives no price
	PayoutLeft   *protocol.Money   // what payouts may still take today here, nil unlimited
	Addresses    int64             // unused ones left
	Unsent       int64             // journal entries the server has not stored
	InDoubt      int64             // payouts whose outcome is not certain
	Certificate  protocol.Time     // end of the certificate
	Skew         time.Duration     // server's clock minus ours, last seen
	Config       int64             // version held
}

// ClockWrong reports whether payouts would be refused for the clock.
func (h Health) ClockWrong() bool { return h.Skew > MaxSkew || h.Skew < -MaxSkew }

// Health gives the present state.
func (t *Terminal) Health() Health {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.health
}

// updateHealth changes the health and tells it when it is different.
func (t *Terminal) updateHealth(f func(*Health)) {
	t.mu.Lock()
	before := t.health
	f(&t.health)
	same := reflect.DeepEqual(before, t.health)
	t.mu.Unlock()
	if !same {
		t.facts.tell(Fact{Health: true})
	}
}
