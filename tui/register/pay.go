package register

import (
	"slices"

	"till/protocol"
)

// Reasons that the register gives in the journal.
const (
	ReasonRecalled = "recalled"      // sale_cancelled: its lines are back in the cart
	ReasonSwitched = "switched"      // tender_removed: another tender took its place
	ReasonLapsed   = "lapsed"        // tender_removed: its price ran out, or its payment was taken away
	ReasonLate     = "late_accepted" // sale_paid: the cashier took late money
	ReasonLeft     = "left"          // sale_cancelled: nobody paid at a kiosk, which began again
	ReasonNotTaken = "not_taken"     // tender_removed: the key held nothing that could be taken
)

// pay is what the cashier does while a sale is being paid.
func (r Register) pay(e Event) (Register, []Effect) {
	switch e := e.(type) {
	case Digits:
		r.Entry = r.Entry.Typed(e.Text, r.Currency().Exponent())
	case Point:
		r.Entry = r.Entry.Pointed()
	case Erase:
		r.Entry = r.Entry.Erased()
	case Move:
		return r.quick(e.By), nil
	case Choose:
		return r.tender(e.Kind)
	case Redeem:
		return r.redeem(e.Amount)
	case Withdraw:
		return r.ask(Record{Sale: r.Sale.Opening.Sale, Remove: &protocol.TenderRemoved{Tender: e.Tender, Reason: e.Reason}}, Choosing)
	case Next:
		return r.onward()
	case Back:
		if r.Phase == Choosing {
			r.Phase = Ringing
		} else {
			r.Phase, r.Entry = Choosing, Entry{}
		}
	case Cancel:
		return r.cancel(e)
	case Park:
		if r.Sale == nil {
			r, open := r.opening()
			return r.ask(Record{Open: &open, End: protocol.EntrySaleParked, Draft: &Cart{}}, Ringing)
		}
		return r.ask(Record{Sale: r.Sale.Opening.Sale, End: protocol.EntrySaleParked, Draft: &Cart{}}, Ringing)
	}
	return r, nil
}

// tender goes to a means of paying.
func (r Register) tender(kind protocol.TenderKind) (Register, []Effect) {
	switch kind {
	case protocol.TenderCash, protocol.TenderCard:
		r.Phase, r.Takes, r.Entry = Counting, kind, Entry{}
		return r, nil
	case protocol.TenderKey:
		return r, nil // waits for the key: Redeem
	}
	if r.Offered(kind) {
		r.Phase = Waiting
		return r, nil
	}
	rec := Record{Remove: r.replaced(), Add: &protocol.TenderAdded{Kind: kind, Amount: r.CashDue()}}
	r, rec = r.named(rec)
	return r.ask(rec, Waiting)
}

// named gives a record its sale: the present one, or the cart's, opened with it.
func (r Register) named(rec Record) (Register, Record) {
	if r.Sale != nil {
		rec.Sale = r.Sale.Opening.Sale
		return r, rec
	}
	r, open := r.opening()
	rec.Open, rec.Draft = &open, &Cart{}
	return r, rec
}

// onward is Enter while paying.
func (r Register) onward() (Register, []Effect) {
	switch r.Phase {
	case Choosing:
		return r.tender(protocol.TenderBitcoin)
	case Counting:
		return r.counted()
	}
	return r.finish(ReasonLate, protocol.Money{Currency: r.Currency()})
}

// counted takes what the customer gives in cash, or what the bank's terminal took
// from a card; nothing typed is the exact amount. Less than is due is a part, and
// the rest is left to another tender; of more, the change goes back: tenders are
// the total and the change.
func (r Register) counted() (Register, []Effect) {
	due, given := r.CashDue(), r.Amount()
	if r.Entry.Empty() {
		given = due
	}
	rec := Record{Remove: r.replaced(), Add: &protocol.TenderAdded{Kind: r.Takes, Amount: given}}
	r.Entry = Entry{}
	r, rec = r.named(rec)
	var opens []Effect
	if r.Takes == protocol.TenderCash {
		opens = []Effect{Drawer{Reason: protocol.ReasonSale}}
	}
	if given.Minor < due.Minor {
		return r.ask(rec, Choosing, opens...)
	}
	change := protocol.Money{Currency: due.Currency, Minor: given.Minor - due.Minor}
	rec.End = protocol.EntrySalePaid
	if change.Minor > 0 {
		rec.Ended.Change = &change
	}
	paper := r.receipt(change)
	if rec.Remove != nil {
		paper.Tenders = slices.DeleteFunc(paper.Tenders, func(t Tender) bool { return t.Tender == rec.Remove.Tender })
	}
	rec.Receipt = &paper
	r.Outcome = Outcome{Paid: true, Change: change}
	return r.ask(rec, Settled, opens...)
}

// redeem tenders what a key holds.
func (r Register) redeem(amount protocol.Money) (Register, []Effect) {
	rec := Record{Remove: r.replaced(), Add: &protocol.TenderAdded{Kind: protocol.TenderKey, Amount: amount}}
	r.Entry = Entry{}
	r, rec = r.named(rec)
	return r.ask(rec, Waiting)
}

// replaced takes back the tender that another takes the place of: one that
// failed, or one asked for by a code that nothing has arrived for.
func (r Register) replaced() *protocol.TenderRemoved {
	if r.Sale == nil {
		return nil
	}
	t, pending := r.Sale.Pending()
	switch {
	case !pending:
		return nil
	case r.Lapsed:
		return &protocol.TenderRemoved{Tender: t.Tender, Reason: ReasonLapsed}
	case t.open():
		return &protocol.TenderRemoved{Tender: t.Tender, Reason: ReasonSwitched}
	}
	return nil
}

// CashDue is what cash has to cover: all that other tenders do not, one that is
// asked for by a code counting as none.
func (r Register) CashDue() protocol.Money {
	due := r.Rest()
	if r.Sale == nil || r.Lapsed {
		return due
	}
	if t, pending := r.Sale.Pending(); pending && t.open() {
		due.Minor += t.Amount.Minor
	}
	return due
}

// cancel gives the sale up; what arrived for it is owed to the customer.
func (r Register) cancel(e Cancel) (Register, []Effect) {
	if r.Sale == nil {
		r.Phase = Ringing
		if !e.Keep {
			r.Cart = Cart{}
			return r, []Effect{Save{}}
		}
		return r, nil
	}
	kept := Cart{}
	if e.Keep {
		kept = r.Cart.clone()
	}
	var opens []Effect
	if r.Sale.Cash() > 0 { // it goes back
		opens = []Effect{Drawer{Reason: protocol.ReasonSale}}
	}
	return r.ask(Record{
		Sale: r.Sale.Opening.Sale, End: protocol.EntrySaleCancelled, Ended: protocol.SaleEnded{Reason: e.Reason}, Draft: &kept,
	}, Ringing, opens...)
}

// Cash is what lies in the drawer for the sale, in minor units.
func (s Sale) Cash() int64 {
	sum := int64(0)
	for _, t := range s.Tenders {
		if t.Kind == protocol.TenderCash {
			sum += t.Amount.Minor
		}
	}
	return sum
}

// recall takes a sale up again. One that nobody was asked to pay becomes the
// cart, so that it can be added to.
func (r Register) recall(s Sale) (Register, []Effect) {
	cart := Cart{Lines: slices.Clone(s.Opening.Lines), Note: s.Opening.Note}
	if s.Opening.Tip != nil {
		cart.Tip = s.Opening.Tip.Minor
	}
	r.Cart, r.Cleared, r.Entry, r.Selected, r.Lapsed = cart, nil, Entry{}, -1, false
	r.Sale = &s
	if len(s.Tenders) == 0 {
		kept := cart.clone()
		return r.ask(Record{
			Sale: s.Opening.Sale, End: protocol.EntrySaleCancelled, Ended: protocol.SaleEnded{Reason: ReasonRecalled}, Draft: &kept,
		}, Ringing)
	}
	r.Phase = Choosing
	if _, pending := s.Pending(); pending {
		r.Phase = Waiting
	}
	return r.judge()
}

// told takes the server's word on the sale being paid.
func (r Register) told(status protocol.SaleStatus) (Register, []Effect) {
	if r.Sale == nil || r.Sale.Opening.Sale != status.Sale {
		return r, nil
	}
	sale := *r.Sale
	sale.Status = &status
	if old := sale.Stale; old != nil && (old.State != status.State || old.Verdict != status.Verdict || old.Reason != status.Reason) {
		sale.Stale = nil
	}
	r.Sale = &sale
	return r.judge()
}

// judge draws what follows from the server's last word.
func (r Register) judge() (Register, []Effect) {
	if r.Phase == Asking || r.Sale.Status == nil {
		return r, nil
	}
	t, pending := r.Sale.Pending()
	if !pending || !r.Sale.concerns(t) {
		return r, nil
	}
	s := r.Sale.Status
	good := s.Verdict == protocol.VerdictAccept && (s.State == protocol.SaleAccepted || s.State == protocol.SaleConfirmed)
	bad := s.Verdict == protocol.VerdictRefuse || s.State == protocol.SaleExpired || !good && t.rejected()
	paid := r.Sale.Ended == protocol.EntrySalePaid
	switch {
	case good && !paid && r.restBeside(t) == 0:
		r, effects := r.finish("", protocol.Money{Currency: r.Currency()})
		return r, append(effects, Ring{SoundPaid})
	case good && !paid && t.Kind == protocol.TenderKey && r.Phase == Waiting:
		r.Phase = Choosing // the key is good; the rest is paid in another way
		return r, []Effect{Ring{SoundMoney}}
	case bad && paid && r.Phase == Settled && r.Outcome.Paid, bad && !paid && !r.Lapsed && r.Phase != Settled:
		r.Phase, r.Entry = Settled, Entry{}
		r.Outcome = Outcome{Reason: s.Reason, Message: s.Message, Change: protocol.Money{Currency: r.Currency()}}
		if t.rejected() {
			r.Outcome.Reason, r.Outcome.Message = t.Deposit.Reason, t.Deposit.Message
		}
		return r, []Effect{Ring{SoundFailed}}
	case good && paid && r.Phase == Settled && !r.Outcome.Paid:
		r.Outcome = Outcome{Paid: true, Change: protocol.Money{Currency: r.Currency()}}
		return r, []Effect{Ring{SoundPaid}}
	case !good && !bad && !paid && r.Sale.Has(protocol.FlagLate) && (r.Phase == Choosing || r.Phase == Settled):
		r.Lapsed, r.Phase = false, Waiting
		return r, []Effect{Ring{SoundMoney}}
	}
	return r, nil
}

// concerns reports whether the server's last word is about a tender: a word
// about one that was taken back says nothing of the next. E-cash is not among the
// tenders of a status, which are those on the chain.
func (s Sale) concerns(t Tender) bool {
	if s.Stale != nil {
		return false
	}
	told := s.Status.Tenders
	return t.Kind == protocol.TenderEcash || len(told) == 0 ||
		slices.ContainsFunc(told, func(of protocol.TenderStatus) bool { return of.Tender == t.Tender })
}

// restBeside is what the other tenders leave when t is paid.
func (r Register) restBeside(t Tender) int64 {
	rest := r.Total().Minor
	for _, other := range r.Sale.Tenders {
		rest -= other.Amount.Minor
	}
	return rest
}

// finish says that the sale is paid and queues its receipt. The result is on the
// screen at once; the answer changes it only when nothing could be written.
func (r Register) finish(reason string, change protocol.Money) (Register, []Effect) {
	paper := r.receipt(change)
	r, effects := r.ask(Record{
		Sale: r.Sale.Opening.Sale, End: protocol.EntrySalePaid, Ended: protocol.SaleEnded{Reason: reason}, Receipt: &paper,
	}, Settled)
	r.Phase, r.Entry = Settled, Entry{}
	r.Outcome = Outcome{Paid: true, Change: change}
	sale := *r.Sale
	sale.Ended = protocol.EntrySalePaid
	r.Sale = &sale
	return r, effects
}

// settled waits for the result to be acknowledged. After PAID the next sale
// begins; after NOT PAID the same one can be paid in another way.
func (r Register) settled(e Event) (Register, []Effect) {
	if _, ok := e.(Next); !ok {
		return r, nil
	}
	if r.Outcome.Paid || r.Sale.Ended == protocol.EntrySalePaid {
		return r.fresh(), nil
	}
	r.Phase, r.Lapsed = Choosing, true
	return r, nil
}

// fresh is the register for the next sale.
func (r Register) fresh() Register {
	r.Phase, r.Sale, r.Cart, r.Cleared, r.Outcome = Ringing, nil, Cart{}, nil, Outcome{}
	r.Entry, r.Times, r.Selected, r.Lapsed, r.asked = Entry{}, 0, -1, false, Record{}
	return r.search("")
}

// recorded goes on after a record.
func (r Register) recorded(e Recorded) (Register, []Effect) {
	if e.Ticket != r.ticket || r.asked.Ticket != e.Ticket {
		return r, nil
	}
	asked := r.asked
	r.asked = Record{}
	if r.Phase != Asking {
		return r, nil // a result that was shown before it was written
	}
	sale := Sale{Opening: e.Opening}
	if r.Sale != nil {
		sale = *r.Sale
	}
	sale.Tenders = slices.Clone(sale.Tenders)
	if asked.Remove != nil {
		sale.Tenders = slices.DeleteFunc(sale.Tenders, func(t Tender) bool { return t.Tender == asked.Remove.Tender })
		r.Lapsed = false
	}
	if e.Tender != nil {
		sale.Tenders = append(sale.Tenders, Tender{TenderAdded: *e.Tender, Quote: e.Quote, At: e.At})
	}
	if e.Tender != nil {
		sale.Stale = sale.Status
	}
	r.Sale, r.Phase = &sale, r.after
	if e.Tender != nil && e.Tender.Kind == protocol.TenderKey {
		return r, []Effect{Claimed{Tendered{Tender: *e.Tender, ID: e.Payout}}}
	}
	switch asked.End {
	case protocol.EntrySaleParked:
		return r.fresh(), nil
	case protocol.EntrySaleCancelled:
		kept := *asked.Draft
		r = r.fresh()
		r.Cart = kept
		return r, nil
	case protocol.EntrySalePaid:
		sale.Ended = protocol.EntrySalePaid
		return r, []Effect{Ring{SoundPaid}}
	}
	return r.judge()
}

// refused goes back to where the cashier was; nothing was written.
func (r Register) refused(e Refused) (Register, []Effect) {
	if e.Ticket != r.ticket || r.asked.Ticket != e.Ticket {
		return r, nil
	}
	r.Note = Said{Why: e.Why, Detail: e.Detail}
	var effects []Effect
	if r.asked.Add != nil && r.asked.Add.Kind == protocol.TenderKey {
		effects = []Effect{Claimed{Tendered{Why: e.Why}}}
	}
	if r.Phase == Asking {
		r.Phase = r.before
		r.Outcome = Outcome{}
		if r.asked.End == protocol.EntrySaleCancelled && r.asked.Ended.Reason == ReasonRecalled {
			r = r.fresh()
			r.Note = Said{Why: e.Why, Detail: e.Detail}
		}
	}
	r.asked = Record{}
	return r, effects
}
