package server

import (
	"fmt"

	"till/protocol"
)

// covered refuses what is more than a sale received and has not given back.
func (o *order) covered(sale protocol.SaleID) error {
	a, err := o.loadSale(sale)
	if err != nil {
		return err
	}
	back, err := o.givenBack(a)
	if err != nil {
		return err
	}
	if received := a.received(); o.AmountSat > received-back {
		return protocol.Errorf(protocol.CodeLimitExceeded, "the sale received %s and %s went back already", bitcoin(received), bitcoin(back))
	}
	return nil
}

// received is what all addresses of a sale received and still hold or held:
// those of removed tenders too.
func (a *account) received() (sum protocol.Sat) {
	for _, p := range a.parts {
		for _, payment := range p.payments {
			if !payment.Gone {
				sum += payment.Amount
			}
		}
	}
	return sum
}

// givenBack is what of a sale's coins went back: by payouts, by hand, and from
// the drawer beyond what had come into it.
func (w *work) givenBack(a *account) (protocol.Sat, error) {
	back, err := w.Payouts.Limits().OfSale(a.sale.ID)
	if err != nil {
		return 0, fmt.Errorf("sum refunds: %w", err)
	}
	for _, p := range a.parts {
		for _, d := range p.debts {
			if d.Settled != 0 && d.Paid == 0 {
				back += d.Sat
			}
		}
	}
	refunds, err := w.Refunds.OfSale(a.sale.ID)
	if err != nil {
		return 0, fmt.Errorf("list refunds: %w", err)
	}
	var cash int64
	for _, r := range refunds {
		if r.Kind != protocol.TenderBitcoin {
			cash += r.Amount.Minor
		}
	}
	sat, err := w.coinsFor(a, cash)
	return back + sat, err
}

// coinsFor is what so much from the drawer stands for in the sale's coins: what
// goes beyond the tenders that are not coins, at the price of the sale.
func (w *work) coinsFor(a *account, cash int64) (protocol.Sat, error) {
	var price *protocol.Quote
	for _, p := range a.parts {
		t := p.tender
		switch {
		case !t.onChain() && !t.Removed && t.Refused == "":
			cash -= t.Amount.Minor
		case t.onChain() && t.Quote != "" && price == nil:
			q, err := w.Quotes.Get(t.Quote)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return 0, fmt.Errorf("find quote: %w", err)
			}
			price = q
		}
	}
	if cash <= 0 || price == nil {
		return 0, nil
	}
	sat, err := price.Buy.Charge(cash)
	if err != nil {
		return protocol.MaxSat, nil // more than there is
	}
	return sat, nil
}

// refundDebts has a refund from the drawer pay what is owed of its sale, as far
// as it goes beyond what had come into the drawer.
func (w *work) refundDebts(r protocol.Refund) error {
	a, err := w.loadSale(r.Sale)
	if err != nil {
		return err
	}
	refunds, err := w.Refunds.OfSale(r.Sale)
	if err != nil {
		return fmt.Errorf("list refunds: %w", err)
	}
	var cash int64
	for _, o := range refunds {
		if o.Kind != protocol.TenderBitcoin {
			cash += o.Amount.Minor
		}
	}
	before, err := w.coinsFor(a, cash-r.Amount.Minor)
	if err != nil {
		return err
	}
	after, err := w.coinsFor(a, cash)
	if err != nil {
		return err
	}
	_, err = w.payOldest(r.Sale, after-before)
	return err
}
