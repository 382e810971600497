package purse

import (
	"context"
	"fmt"
	"io"

	"till/protocol/taler"
)

// gamble pays an amount too small for a coin by a draw (merchant.md §5): it locks a
// whole coin, and signs over its own chance before it sees the merchant's.
func (p *Purse) gamble(ctx context.Context, link *taler.Link, text string, c *taler.Contract) (*paymentRecord, error) {
	r, err := p.hold(ctx, link, text)
	if err != nil {
		return nil, err
	}
	var l taler.Lock
	if err := taler.DecodeAnswer(r.Lock, &l); err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	t := c.Terms()
	if l.MaxAmount != t.Lottery.Value {
		return nil, fmt.Errorf("%w: the coin that is held is not the one that is played for", ErrRefused)
	}
	coin, err := p.coinOf(&l)
	if err != nil {
		return nil, err
	}
	var rc taler.Nonce
	if _, err := io.ReadFull(p.o.Random, rc[:]); err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	permission, err := coin.Pay(c, link.Merchant, t.Lottery.Value, rc)
	if err != nil {
		return nil, err
	}
	sent, err := (taler.Permissions{*permission}).Encode()
	if err != nil {
		return nil, err
	}
	return &paymentRecord{State: statePending, At: p.o.Clock(), Contract: c.Text(), Sent: sent}, nil
}

// drawn checks a lottery's outcome. Lost, the coin is the customer's again.
func (p *Purse) drawn(a *taler.Paid, c *taler.Contract, sent taler.Permissions) (state string, err error) {
	t := c.Terms()
	if t.Lottery == nil {
		return statePaid, nil
	}
	if err := a.VerifyDraw(t.Lottery, sent[0].RC); err != nil {
		return "", err
	}
	if a.Status == taler.StatusLotteryLost {
		return stateFree, nil
	}
	return statePaid, nil
}
