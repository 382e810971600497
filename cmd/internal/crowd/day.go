package crowd

import (
	"context"
	"errors"
	"time"

	"till/protocol"
)

// live is a terminal's day: it checks in, and sells now and then if it is one that does.
func (t *Terminal) live(ctx context.Context, sells bool) {
	next := time.Time{}
	if sells {
		next = t.c.o.Now().Add(t.c.upTo(t.c.o.SaleEvery))
	}
	for ctx.Err() == nil {
		if sells && !t.c.o.Now().Before(next) {
			if err := t.sell(ctx); err != nil {
				return // ctx is over: nothing else ends a sale
			}
			next = t.c.o.Now().Add(t.c.o.SaleEvery/2 + t.c.upTo(t.c.o.SaleEvery))
			continue
		}
		t.idle(ctx, next)
	}
}

// idle is one check-in and the rest after it, both ended by the next sale.
func (t *Terminal) idle(ctx context.Context, until time.Time) {
	if !until.IsZero() {
		limited, cancel := context.WithTimeout(ctx, until.Sub(t.c.o.Now()))
		defer cancel()
		ctx = limited
	}
	wait := t.c.o.Wait
	if t.failures > 0 {
		wait = 0
	}
	began := t.c.o.Now()
	r, err := t.checkIn(ctx, wait)
	if err != nil {
		if ctx.Err() == nil {
			_ = t.backOff(ctx) // ended early it is as good as waited
		}
		return
	}
	t.recovered()
	if r.More {
		return
	}
	switch {
	case t.c.o.Wait == 0:
		_ = t.c.sleep(ctx, time.Duration(max(r.Poll, protocol.MinPoll))*time.Second)
	case wait > 0 && len(r.Alerts) == 0 && t.c.o.Now().Sub(began) < tooSoon:
		_ = t.c.sleep(ctx, tooSoon)
	}
}

// sell rings up a sale and has it paid, in bitcoin where a customer can pay and an
// address is to be had, else in cash.
func (t *Terminal) sell(ctx context.Context) error {
	if t.config == nil || t.quote == nil {
		if _, err := t.insist(ctx); err != nil {
			return err
		}
	}
	sale := protocol.SaleID(t.c.id())
	price := protocol.Money{Currency: t.config.Currency, Minor: 100 + int64(t.c.upTo(2000))}
	err := t.note(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: price,
		Lines: []protocol.Line{{Name: "Melange", Quantity: 1000, Price: price}}})
	if err != nil {
		return err
	}
	if _, err := t.insist(ctx); err != nil {
		return err
	}
	coin := t.c.o.Pay != nil && t.c.upTo(1000) < time.Duration(1000*t.c.o.Coins)
	if coin {
		if coin, err = t.payInBitcoin(ctx, sale, price); err != nil {
			return err
		}
	}
	if !coin {
		tender := protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(t.c.id()), Kind: protocol.TenderCash, Amount: price}
		if err := t.note(protocol.EntryTenderAdded, tender); err != nil {
			return err
		}
	}
	err = errors.Join(t.note(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale}),
		t.note(protocol.EntryReceiptPrinted, protocol.ReceiptPrinted{Sale: sale, Copy: 1}))
	if err != nil {
		return err
	}
	if _, err = t.insist(ctx); err == nil {
		t.c.tally.sales.Add(1)
	}
	return err
}

// payInBitcoin shows an address, has the customer pay and waits until the goods
// may go; false: it cannot be paid so now.
func (t *Terminal) payInBitcoin(ctx context.Context, sale protocol.SaleID, price protocol.Money) (bool, error) {
	for len(t.addresses) == 0 {
		err := t.lease(ctx, 2)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.Is(err, errShort):
			return false, nil
		case err != nil:
			if err := t.backOff(ctx); err != nil {
				return false, err
			}
		}
	}
	if _, err := t.insist(ctx); err != nil || t.quote == nil {
		return false, err
	}
	due, err := t.quote.Buy.Charge(price.Minor)
	if err != nil {
		return false, nil
	}
	tender := protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(t.c.id()), Kind: protocol.TenderBitcoin, Amount: price,
		Quote: t.quote.ID, Address: t.addresses[0], DueSat: due}
	t.addresses = t.addresses[1:]
	t.statuses[sale] = protocol.SaleStatus{}
	defer delete(t.statuses, sale)
	if err := t.note(protocol.EntryTenderAdded, tender); err != nil {
		return false, err
	}
	if _, err := t.insist(ctx); err != nil {
		return false, err
	}
	if t.statuses[sale].Verdict == protocol.VerdictRefuse {
		t.c.tally.breaks("%s: a good tender was refused: %s", t.who.Name, t.statuses[sale].Reason)
		return false, t.note(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: sale, Tender: tender.Tender})
	}
	for t.c.o.Pay(ctx, tender.Address, due) != nil {
		if err := t.c.sleep(ctx, time.Second); err != nil {
			return false, err
		}
	}
	paid, seen := t.c.o.Now(), false
	for t.statuses[sale].Verdict != protocol.VerdictAccept {
		r, err := t.checkIn(ctx, maxWait)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			if err := t.backOff(ctx); err != nil {
				return false, err
			}
			continue
		}
		t.recovered()
		if !seen && t.statuses[sale].ReceivedSat > 0 {
			seen = true
			t.c.tally.Paid.Add(t.c.o.Now().Sub(paid))
		}
		if len(r.Alerts) == 0 && t.c.o.Now().Sub(paid) > patience {
			t.c.tally.breaks("%s: %s was paid and is not accepted after %s: %+v", t.who.Name, sale, patience, t.statuses[sale])
			return true, nil
		}
	}
	if got := t.statuses[sale].ReceivedSat; got != due {
		t.c.tally.breaks("%s: %d sat were paid and %d received", t.who.Name, due, got)
	}
	t.c.tally.coins.Add(1)
	return true, nil
}

const (
	maxWait  = 25 * time.Second
	patience = 3 * time.Minute // for a payment to be accepted
)
