package server

import (
	"context"
	"fmt"

	"till/protocol"
)

// Sum is how many there are of something, and how much money that is.
type Sum struct {
	Count    int64
	Sat      protocol.Sat
	Currency protocol.Currency // "" where there is no amount in money
	Minor    int64
}

// SaleSum is the sales in one state; Minor is what they asked for.
type SaleSum struct {
	State protocol.SaleState
	Sum
}

// PayoutSum is the payouts in one state, without those that were refused before
// they were accepted; Sat includes fees.
type PayoutSum struct {
	Of    protocol.PayoutKind
	State protocol.PayoutState
	Sum
}

// Figures is what the books hold at one moment, in sums.
type Figures struct {
	Sales    []SaleSum
	Payouts  []PayoutSum
	Received Sum   // in bitcoin, at the wallet's receiving addresses
	Mempool  Sum   // of that, not in a block yet
	Ecash    []Sum // accepted by mints
	Owed     []Sum // open debts to customers, bitcoin first

	Outbox   int64         // effects not done
	Overdue  protocol.Time // when the oldest of them was due, 0 none
	Deposits int64         // e-cash that mints have not answered for
}

// FigureRows sums the books up.
type FigureRows interface {
	Sum() (*Figures, error)
}

// Figures sums the books up. It reads every sale: ask now and then, not on the
// way of a sale.
func (s *Server) Figures(ctx context.Context) (f *Figures, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		f, err = tx.Figures.Sum()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum up: %w", err)
	}
	return f, nil
}

// Condition is how the server stands to what it depends on.
type Condition struct {
	Tip     Tip
	Silent  bool              // the chain does not answer
	Behind  bool              // its tip is old
	Watched int               // addresses followed
	NoQuote *protocol.NoQuote // why no price can be given, nil when one can
}

// Condition tells it from memory: nothing is asked.
func (s *Server) Condition() Condition {
	c := Condition{}
	s.watch.mu.Lock()
	c.Tip, c.Silent, c.Behind, c.Watched = s.watch.chain.tip, s.watch.silent, s.watch.behind, len(s.watch.scripts)
	s.watch.mu.Unlock()
	_, c.NoQuote = s.o.Rates.Current(s.o.Clock())
	return c
}
