package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"till/protocol"
)

// allowanceAge is how long a terminal's rest of the day is told without being
// summed again; a payout by this process is told at once.
const allowanceAge = 15 * time.Second

// allowance remembers what the day's limits still let out, by terminal.
type allowance struct {
	mu sync.Mutex
	of map[protocol.TerminalID]allowed
}

type allowed struct {
	at   protocol.Time
	left *protocol.Money
}

func newAllowance() allowance { return allowance{of: map[protocol.TerminalID]allowed{}} }

// forget has everything summed again.
func (a *allowance) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.of)
}

// payoutLeft is the least that the limits of the day leave to a terminal, in the
// shop's currency; nil where nothing is paid out or nothing limited. It is told,
// not promised: the payout's own transaction decides.
func (s *Server) payoutLeft(ctx context.Context, id protocol.TerminalID) (*protocol.Money, error) {
	l := s.rules().Limits
	if !s.identity.Hot || l.PerTerminalDay == nil && l.PerTerminalDaySat == nil && l.ShopDay == nil && l.ShopDaySat == nil {
		return nil, nil
	}
	now := s.o.Clock()
	s.left.mu.Lock()
	known, ok := s.left.of[id]
	s.left.mu.Unlock()
	if age := now.Sub(known.at); ok && age >= 0 && age < allowanceAge {
		return known.left, nil
	}
	day := now.Time().In(s.rules().Zone).Format(time.DateOnly)
	var here, shop PayoutSums
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		if here, err = tx.Payouts.Limits().OfTerminal(id, day); err == nil {
			shop, err = tx.Payouts.Limits().OfShop(day)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum payouts: %w", err)
	}
	left := protocol.Money{Currency: s.rules().Currency, Minor: protocol.MaxMinor}
	q := s.presentQuote()
	for _, b := range []struct {
		money *protocol.Money
		sat   *protocol.Sat
		used  PayoutSums
	}{{l.PerTerminalDay, l.PerTerminalDaySat, here}, {l.ShopDay, l.ShopDaySat, shop}} {
		if b.money != nil {
			left.Minor = min(left.Minor, max(0, b.money.Minor-b.used.Minor))
		}
		if b.sat != nil && q != nil {
			if worth, err := q.Sell.Value(max(0, *b.sat-b.used.Sat)); err == nil {
				left.Minor = min(left.Minor, worth)
			}
		}
	}
	told := &left
	if left.Minor == protocol.MaxMinor {
		told = nil
	}
	s.left.mu.Lock()
	s.left.of[id] = allowed{now, told}
	s.left.mu.Unlock()
	return told, nil
}
