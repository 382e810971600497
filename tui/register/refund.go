package register

import (
	"till/protocol"
	"till/protocol/bitcoin"
)

// Refund is money of a sale that goes back: all of it or a part, at the rate of
// the sale or that of now, never more than was paid.
type Refund struct {
	ID      protocol.RefundID // "" until it has a destination
	Sale    protocol.SaleID
	Number  string
	Amount  protocol.Money // what goes back
	Most    protocol.Money // what can: paid, and not yet given back
	MostSat protocol.Sat   // likewise in bitcoin, 0 when none came
	Owed    protocol.Money // of Most: came beyond what was due
	OwedSat protocol.Sat
	Old     *protocol.Quote // the sale's own, nil when it was not paid in bitcoin
	Now     bool            // convert at the rate of now

	Journaled bool // its entry is in the journal
}

// RefundOf is what can be given back of a sale, and why nothing can. earlier are
// the refunds of it that were not refused.
func RefundOf(s Sale, earlier []protocol.Refund) (Refund, Why) {
	r := Refund{Sale: s.Opening.Sale, Number: s.Opening.Number, Most: protocol.Money{Currency: s.Opening.Total.Currency}}
	for _, t := range s.Tenders {
		if t.Quote != nil && t.Quote.Buy.Valid() {
			r.Old = t.Quote
		}
	}
	if s.Status != nil && r.Old != nil {
		r.MostSat = s.Status.ReceivedSat
	}
	switch {
	case s.Ended == protocol.EntrySalePaid:
		r.Most = s.Opening.Total
		if r.MostSat > 0 {
			r.OwedSat = max(0, s.Status.ReceivedSat-s.Status.DueSat)
		}
	case r.MostSat > 0:
		r.OwedSat = r.MostSat
	}
	r.Owed.Currency = r.Most.Currency
	if r.OwedSat > 0 {
		worth, err := r.Old.Buy.Value(r.OwedSat)
		if err != nil || worth > protocol.MaxMinor-r.Most.Minor {
			return r, WhyNothingPaid
		}
		r.Owed.Minor = worth
		r.Most.Minor += worth
	}
	for _, e := range earlier {
		r.Most.Minor -= e.Amount.Minor
		if e.Kind != protocol.TenderBitcoin || r.Old == nil {
			continue
		}
		if gone, err := r.Old.Buy.Payout(max(0, e.Amount.Minor)); err == nil {
			r.MostSat -= gone
			r.OwedSat -= gone
		}
	}
	for _, e := range earlier { // what is owed goes back first
		r.Owed.Minor -= e.Amount.Minor
	}
	r.MostSat = max(0, r.MostSat)
	if r.Owed.Minor <= 0 || r.OwedSat <= 0 {
		r.Owed.Minor, r.OwedSat = 0, 0
	}
	r.Amount = r.usual()
	return r, unless(r.Most.Minor > 0, WhyNothingPaid)
}

// usual is what goes back when no amount is typed: what is owed, else all.
func (r Refund) usual() protocol.Money {
	if r.Owed.Minor > 0 {
		return r.Owed
	}
	return r.Most
}

// Rate is what a bitcoin counts, false when none holds.
func (r Refund) Rate(now *protocol.Quote) (protocol.Rate, bool) {
	switch {
	case r.Now && now != nil:
		return now.Buy, true
	case !r.Now && r.Old != nil:
		return r.Old.Buy, true
	}
	return 0, false
}

// Sat is the amount in bitcoin, 0 where it cannot go back so.
func (r Refund) Sat(now *protocol.Quote) protocol.Sat {
	rate, ok := r.Rate(now)
	if !ok || r.MostSat == 0 {
		return 0
	}
	sat, err := rate.Payout(r.Amount.Minor)
	switch {
	case err != nil:
		return 0
	case r.Now:
		return sat
	case r.OwedSat > 0 && r.Amount == r.Owed:
		return r.OwedSat // to the satoshi
	case r.OwedSat > 0 && r.Amount == r.Most:
		return r.MostSat
	}
	return min(sat, r.MostSat)
}

// whyNot tells why the amount cannot be given back.
func (r Refund) whyNot(now *protocol.Quote) Why {
	switch {
	case r.Amount.Minor <= 0:
		return WhyNothingTyped
	case r.Amount.Minor > r.Most.Minor, r.Sat(now) > r.MostSat:
		return WhyAbovePaid
	}
	return ""
}

// Entry is the refund's journal entry; without an order it leaves in cash.
func (r Refund) Entry(order *protocol.Dispense, user, approvedBy string) protocol.Refund {
	e := protocol.Refund{Sale: r.Sale, Refund: r.ID, Amount: r.Amount, Kind: protocol.TenderCash, User: user, ApprovedBy: approvedBy}
	if order != nil {
		e.Kind, e.Dispense, e.AmountSat = protocol.TenderBitcoin, order.ID, order.AmountSat
	}
	return e
}

// NewRefund gives money of a sale back.
func NewRefund(net bitcoin.Network, r Refund) Payout { return Payout{Network: net, Refund: &r} }
