package register

import "till/protocol"

// Moment is what the cashier's screen showed of a sale at a time.
type Moment struct {
	At      protocol.Time
	Sale    Sale
	Phase   Phase // Choosing, Waiting or Settled
	Outcome Outcome
}

// Replay builds the moments of a sale one after another.
type Replay struct {
	Moments []Moment
	now     Moment
}

// Entry is the next entry of the journal about the sale. Quotes are those of its
// tenders, as far as they are known. An entry that is not understood changes
// nothing.
func (r *Replay) Entry(e protocol.Entry, quotes map[protocol.QuoteID]*protocol.Quote) {
	s := &r.now.Sale
	switch e.Kind {
	case protocol.EntrySaleOpened:
		if protocol.DecodeResult(e.Body, &s.Opening) != nil {
			return
		}
		r.now.Phase = Choosing
	case protocol.EntryTenderAdded:
		var a protocol.TenderAdded
		if protocol.DecodeResult(e.Body, &a) != nil {
			return
		}
		s.Tenders = append(s.Tenders[:len(s.Tenders):len(s.Tenders)], Tender{TenderAdded: a, Quote: quotes[a.Quote], At: e.At})
		if _, pending := s.Pending(); pending {
			r.now.Phase = Waiting
		}
	case protocol.EntryTenderRemoved:
		var gone protocol.TenderRemoved
		if protocol.DecodeResult(e.Body, &gone) != nil {
			return
		}
		var left []Tender
		for _, t := range s.Tenders {
			if t.Tender != gone.Tender {
				left = append(left, t)
			}
		}
		s.Tenders, r.now.Phase = left, Choosing
	case protocol.EntrySalePaid, protocol.EntrySaleCancelled, protocol.EntrySaleParked:
		r.ended(e)
	}
	r.show(e.At)
}

func (r *Replay) ended(e protocol.Entry) {
	var said protocol.SaleEnded
	if protocol.DecodeResult(e.Body, &said) != nil {
		return
	}
	if e.Kind == protocol.EntrySaleParked {
		r.now.Phase = Choosing
		return
	}
	r.now.Sale.Ended, r.now.Phase = e.Kind, Settled
	r.now.Outcome = Outcome{Paid: e.Kind == protocol.EntrySalePaid, Reason: said.Reason, Change: protocol.Money{Currency: r.now.Sale.Opening.Total.Currency}}
	if said.Change != nil {
		r.now.Outcome.Change = *said.Change
	}
}

// Alert is the next word of the server on the sale.
func (r *Replay) Alert(a protocol.Alert) {
	s := &r.now.Sale
	switch a.Kind {
	case protocol.AlertSale:
		var status protocol.SaleStatus
		if a.Decode(&status) != nil {
			return
		}
		s.Status = &status
	case protocol.AlertContract:
		var ready protocol.ContractReady
		if a.Decode(&ready) != nil {
			return
		}
		r.tender(ready.Tender, func(t *Tender) { t.Contract = &ready })
	case protocol.AlertDeposit:
		var status protocol.DepositStatus
		if a.Decode(&status) != nil {
			return
		}
		r.tender(status.Tender, func(t *Tender) { t.Deposit = &status })
	default:
		return
	}
	r.show(a.At)
}

// tender changes one in a copy: the moments before keep theirs.
func (r *Replay) tender(id protocol.TenderID, do func(*Tender)) {
	tenders := append([]Tender(nil), r.now.Sale.Tenders...)
	for i := range tenders {
		if tenders[i].Tender == id {
			do(&tenders[i])
		}
	}
	r.now.Sale.Tenders = tenders
}

func (r *Replay) show(at protocol.Time) {
	r.now.At = at
	r.Moments = append(r.Moments, r.now)
}

// Showing is a register whose screen shows the moment.
func (r Register) Showing(m Moment) Register {
	sale := m.Sale
	return Register{Config: r.Config, Items: r.Items, Quote: r.Quote, User: r.User, Shift: r.Shift, Phase: m.Phase, Selected: -1, Discounted: -1,
		Sale: &sale, Outcome: m.Outcome, openName: r.openName}
}
