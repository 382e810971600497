package register

import (
	"errors"

	"till/protocol"
	"till/protocol/bitcoin"
)

// Handle takes an event.
func (p Payout) Handle(e Event) (Payout, []Effect) {
	if why := p.WhyNot(e); why != "" {
		p.Note = Said{Why: why}
		return p, nil
	}
	if _, quiet := e.(Terms); !quiet {
		p.Note = Said{}
	}
	switch e := e.(type) {
	case Terms:
		return p.terms(e)
	case Digits:
		return p.typed(p.Entry.Typed(e.Text, p.decimals())), nil
	case Point:
		return p.typed(p.Entry.Pointed()), nil
	case Erase:
		return p.typed(p.Entry.Erased()), nil
	case Unit:
		if p.Refund != nil {
			r := *p.Refund
			r.Now = !r.Now
			p.Refund = &r
			return p, nil
		}
		p.Satoshi, p.Entry = !p.Satoshi, Entry{}
	case Cash:
		p.Method = ""
		return p.makeKey("")
	case Deliver:
		return p.by(e.Method)
	case Hand:
		p.Phase, p.text = SellWorking, e.Text
		p.ticket++
		return p, []Effect{Journal{p.ticket, TokenOf(e.Text.Reveal(), p.Network)}}
	case Noted:
		return p.noted(e)
	case Keyed:
		return p.keyed(e), nil
	case Approved:
		p.Approver, p.code = e.Approval.User, e.Approval.Code
		p.Phase = SellConfirming
	case Confirm:
		return p.confirm()
	case Made:
		return p.made(e)
	case Paid:
		return p.paid(e)
	case Next:
		return p.next()
	case Back:
		return p.back()
	}
	return p, nil
}

func (p Payout) decimals() int {
	switch {
	case p.Refund != nil:
		return p.Refund.Most.Currency.Exponent()
	case p.Satoshi || p.Quote == nil:
		return 8
	}
	return p.Quote.Currency.Exponent()
}

// typed takes the amount as typed; of a refund nothing typed is all of it.
func (p Payout) typed(e Entry) Payout {
	p.Entry = e
	if p.Refund != nil {
		r := *p.Refund
		r.Amount = r.usual()
		if !e.Empty() {
			r.Amount = e.Money(r.Most.Currency)
		}
		p.Refund = &r
	}
	return p
}

// terms takes the price and what the counter can do. An order that was reviewed
// keeps the price that it names until that lapses.
func (p Payout) terms(t Terms) (Payout, []Effect) {
	p.Limits, p.Left, p.Cards, p.Paper = t.Limits, t.Left, t.Cards, t.Paper
	switch {
	case p.Phase >= SellMaking:
		return p, nil
	case p.Phase >= SellReviewing && p.Refund == nil && t.Quote != nil && p.Quote != nil && t.Quote.At < p.Quote.Until:
		return p, nil
	case p.Phase >= SellReviewing && p.Refund == nil:
		p.Quote = t.Quote
		return p.giveUp(SellPricing, Said{Why: WhyQuoteLapsed})
	}
	p.Quote = t.Quote
	return p, nil
}

// giveUp goes back; the key that was made and the approval are void.
func (p Payout) giveUp(to SellPhase, note Said) (Payout, []Effect) {
	p.Wipe()
	p.Phase, p.Note, p.Order, p.Approver = to, note, protocol.Dispense{}, protocol.User{}
	p.Method, p.Address, p.carrier, p.Failure = "", "", false, Failure{}
	return p, []Effect{Discard{}}
}

func (p Payout) by(m protocol.Method) (Payout, []Effect) {
	p.Method, p.Address = m, ""
	if m == protocol.MethodAddress {
		p.Phase = SellAddressing
		return p, nil
	}
	return p.makeKey("")
}

func (p Payout) makeKey(address string) (Payout, []Effect) {
	p.Phase = SellWorking
	p.ticket++
	return p, []Effect{MakeKey{p.ticket, p.Method, address}}
}

// noted judges the address that was handed over, now that it is journaled.
func (p Payout) noted(e Noted) (Payout, []Effect) {
	if e.Ticket != p.ticket || p.Phase != SellWorking {
		return p, nil
	}
	text := p.text
	defer text.Wipe()
	p.Phase, p.text = SellAddressing, protocol.Secret{}
	if p.Method == "" {
		p.Phase = SellChoosing
	}
	if e.Why != "" {
		p.Note = Said{Why: e.Why}
		return p, nil
	}
	found, err := bitcoin.Recognise(text.Reveal(), p.Network)
	defer found.Key.Wipe()
	switch {
	case errors.Is(err, bitcoin.ErrWrongNetwork):
		p.Note = Said{Why: WhyWrongNetwork}
	case err != nil, found.Kind != bitcoin.KindAddress && found.Kind != bitcoin.KindURI, len(found.URI.Addresses) == 0:
		p.Note = Said{Why: WhyBadAddress}
	default:
		p.Method, p.Address = protocol.MethodAddress, found.URI.Addresses[0].String()
		return p.makeKey(p.Address)
	}
	return p, nil
}

// keyed completes the order: nothing of it changes any more.
func (p Payout) keyed(e Keyed) Payout {
	if e.Ticket != p.ticket || p.Phase != SellWorking {
		return p
	}
	if e.Why != "" {
		p.Phase, p.Note = SellChoosing, Said{Why: e.Why, Detail: e.Detail}
		return p
	}
	price, amount := p.Priced()
	p.Address = e.Address
	p.Order = protocol.Dispense{ID: e.ID, AmountSat: amount, Method: p.Method, Address: p.Address}
	if p.Refund != nil {
		r := *p.Refund
		if r.ID == "" {
			r.ID = e.Refund
		}
		p.Refund, p.Order.RefundOf = &r, r.ID
	} else if p.Quote != nil {
		p.Order.Quote, p.Order.Price = p.Quote.ID, &price
	}
	p.Phase = SellReviewing
	return p
}

// confirm is y. Paper and card are made before coins move; what was made for an
// approval that was refused is good for the next.
func (p Payout) confirm() (Payout, []Effect) {
	if p.carrier || p.Method == protocol.MethodAddress || p.Method == "" {
		return p.pay()
	}
	p.Phase = SellMaking
	return p, []Effect{Make{p.Order}}
}

func (p Payout) made(e Made) (Payout, []Effect) {
	if p.Phase != SellMaking || e.ID != p.Order.ID {
		return p, nil
	}
	if e.Why != "" {
		p, effects := p.giveUp(SellChoosing, Said{Why: e.Why, Detail: e.Detail})
		return p, append(effects, Ring{SoundFailed})
	}
	p.carrier = true
	return p.pay()
}

func (p Payout) pay() (Payout, []Effect) {
	p.Phase, p.State, p.Failure = SellPaying, "", Failure{}
	if p.Method == "" {
		return p, []Effect{PayCash{p.Order.ID, Approval{p.Approver, p.code}, *p.Refund}}
	}
	return p, []Effect{Pay{p.Order, Approval{p.Approver, p.code}, p.Refund}}
}

// paid takes how far the payout is. Only what is certain ends it.
func (p Payout) paid(e Paid) (Payout, []Effect) {
	if p.Phase != SellPaying && p.Phase != SellDone || e.ID != p.Order.ID {
		return p, nil
	}
	if p.Refund != nil && e.Journaled {
		r := *p.Refund
		r.Journaled = true
		p.Refund = &r
	}
	if f := e.Failure; f != nil {
		p.Failure = *f
		if f.Unknown {
			p.State = protocol.PayoutUnknown
			return p, nil
		}
		return p.unpaid()
	}
	p.State = e.Result.State
	if e.Result.AmountSat > 0 {
		p.Result = e.Result
	} else if e.Result.TxID != "" { // a later word on its state
		p.Result.TxID = e.Result.TxID
	}
	switch p.State {
	case protocol.PayoutNever, protocol.PayoutRefused:
		return p.unpaid()
	case protocol.PayoutBroadcast, protocol.PayoutConfirmed:
		if p.Phase == SellPaying {
			p.Wipe()
			p.Phase = SellDone
			return p, []Effect{Discard{}, Ring{SoundPaid}}
		}
	}
	return p, nil
}

// unpaid: certainly nothing left. A wrong approval is asked for again, all else
// is the result.
func (p Payout) unpaid() (Payout, []Effect) {
	p.State = protocol.PayoutRefused
	p.Wipe()
	switch p.Failure.Code {
	case protocol.CodeAuthcodeWrong, protocol.CodeAuthcodeUsed:
		// Nothing was accepted: the same order, its paper included, under a new id.
		p.Approver = protocol.User{}
		next, effects := p.makeKey(p.Address)
		return next, append(effects, Ring{SoundFailed})
	}
	p.Phase = SellDone
	return p, []Effect{Discard{}, Ring{SoundFailed}}
}

func (p Payout) next() (Payout, []Effect) {
	switch p.Phase {
	case SellPricing:
		p.Phase = SellChoosing
	case SellChoosing:
		return p.by(protocol.MethodAddress)
	case SellDone:
		p.Wipe()
		return NewPayout(p.Network), nil
	}
	return p, nil
}

func (p Payout) back() (Payout, []Effect) {
	switch p.Phase {
	case SellChoosing:
		p.Phase = SellPricing
	case SellAddressing:
		p.Phase, p.Method = SellChoosing, ""
	case SellReviewing:
		return p.giveUp(SellChoosing, Said{})
	case SellConfirming:
		p.Wipe()
		p.Phase, p.Approver = SellReviewing, protocol.User{}
	}
	return p, nil
}

// Continued is a payout whose outcome was not known when the program stopped.
func (r Register) Continued(order protocol.Dispense) Payout {
	return Payout{Network: r.network(), Phase: SellPaying, Order: order, Method: order.Method, Address: order.Address, State: protocol.PayoutUnknown}
}
