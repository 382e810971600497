package crowd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"till/protocol"
)

// Tally gathers what a crowd met. Its methods may be called at once.
type Tally struct {
	CheckIn Latency // without entries and without waiting
	Held    Latency // beyond the time that the server was asked to hold
	Stored  Latency // check-ins with entries
	Address Latency
	Paid    Latency // from a customer's payment to its first alert

	sales, coins atomic.Int64
	offline      atomic.Int64
	now          func() time.Time
	size         int64

	mu         sync.Mutex
	healed     map[string]int64
	broken     []string
	brokenMore int64
	outages    []Outage
	lost       time.Time // when the outage under way began, zero without one
	back       time.Time // its first success
}

// Outage is a time in which more than half of all terminals were cut off.
type Outage struct {
	FirstBack float64 `json:"first_back_s"` // from its beginning to the first success
	AllBack   float64 `json:"all_back_s"`   // from there until all had succeeded
}

func newTally(size int, now func() time.Time) *Tally {
	return &Tally{now: now, size: int64(size), healed: map[string]int64{}}
}

// fail counts an error that a retry is to heal, and gives it.
func (t *Tally) fail(err error) error {
	word := "unreachable"
	var e *protocol.Error
	var h *protocol.HTTPError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &e):
		word = string(e.Code)
		switch e.Code {
		case protocol.CodeJournalFork, protocol.CodeJournalGap, protocol.CodeInvalidParams, protocol.CodeNoMethod, protocol.CodeTerminalSuspended:
			t.breaks("%v", err)
		}
	case errors.As(err, &h):
		word = fmt.Sprint("http_", h.Status)
	case errors.Is(err, protocol.ErrRevoked), errors.Is(err, protocol.ErrNoCertificate):
		t.breaks("%v", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.healed[word]++
	return err
}

// mostBroken bounds how many breaches are kept in words.
const mostBroken = 20

// breaks notes what the protocol does not allow.
func (t *Tally) breaks(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.broken) < mostBroken {
		t.broken = append(t.broken, fmt.Sprintf(format, args...))
	} else {
		t.brokenMore++
	}
}

// wentOff notes that a terminal lost its server, cameBack that it has it again.
func (t *Tally) wentOff() {
	if t.offline.Add(1) <= t.size/2 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost.IsZero() {
		t.lost = t.now()
	}
}

func (t *Tally) cameBack() {
	left := t.offline.Add(-1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost.IsZero() {
		return
	}
	now := t.now()
	if t.back.IsZero() {
		t.back = now
	}
	if left == 0 {
		t.outages = append(t.outages, Outage{t.back.Sub(t.lost).Seconds(), now.Sub(t.back).Seconds()})
		t.lost, t.back = time.Time{}, time.Time{}
	}
}

// Report is what a crowd met.
type Report struct {
	Terminals int              `json:"terminals"`
	Seconds   float64          `json:"seconds"`
	CheckIns  uint64           `json:"checkins"`
	PerSecond float64          `json:"checkins_per_s"`
	CheckIn   Summary          `json:"checkin"`
	Held      Summary          `json:"held"`
	Stored    Summary          `json:"stored"`
	Address   Summary          `json:"address"`
	Paid      Summary          `json:"paid"`
	Sales     int64            `json:"sales"`
	Coins     int64            `json:"bitcoin_sales"`
	Offline   int64            `json:"offline"` // at the end
	Healed    map[string]int64 `json:"healed"`  // errors that a retry healed, by word
	Outages   []Outage         `json:"outages"`
	Broken    []string         `json:"broken"` // what the protocol does not allow: must be empty
	More      int64            `json:"broken_more"`
}

// Report sums up after so long.
func (t *Tally) Report(d time.Duration) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{
		Terminals: int(t.size), Seconds: d.Seconds(), CheckIn: t.CheckIn.Summary(), Held: t.Held.Summary(), Stored: t.Stored.Summary(),
		Address: t.Address.Summary(), Paid: t.Paid.Summary(), Sales: t.sales.Load(), Coins: t.coins.Load(), Offline: t.offline.Load(),
		Healed: map[string]int64{}, Outages: append([]Outage{}, t.outages...), Broken: append([]string{}, t.broken...), More: t.brokenMore,
	}
	for word, n := range t.healed {
		r.Healed[word] = n
	}
	r.CheckIns = r.CheckIn.Count + r.Held.Count + r.Stored.Count
	r.PerSecond = float64(r.CheckIns) / max(d.Seconds(), 1e-3)
	return r
}
