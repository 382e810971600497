package tui

import (
	"till/protocol"
	"till/tui/register"
)

// glass is what the customer's display shows.
type glass struct{ upper, lower string }

// face shows the customer how the sale stands, whatever screen the cashier looks
// at.
func (m *model) face() {
	if m.o.Display == nil {
		return
	}
	now := m.facing()
	if now != m.glass {
		m.glass = now
		m.o.Display.Show(now.upper, now.lower)
	}
}

// facing is what the display should show: the shop's name; a line and the sum;
// the amount to scan and pay; paid; the change (product.md §4).
func (m *model) facing() glass {
	r, w := m.reg, m.w.onPaper()
	switch r.Phase {
	case register.Asking:
		return m.glass // the moment between two of the others
	case register.Choosing, register.Counting:
		return glass{upper: apart(w.TotalCapital, w.moneyIn(r.Rest()))}
	case register.Waiting:
		return m.facingRequest()
	case register.Settled:
		return m.facingResult(r.Outcome)
	}
	if m.screen == onAddress && m.address.lease.Address != "" {
		return glass{m.reg.Config.Shop.Name, w.Paper[register.LabelScanToPay]}
	}
	if n := len(r.Cart.Lines); n > 0 {
		line := r.Cart.Lines[n-1]
		if r.Selected >= 0 && r.Selected < n {
			line = r.Cart.Lines[r.Selected]
		}
		name := line.Name
		if line.Quantity != 1000 {
			name = w.number(line.Quantity) + " " + name
		}
		amount, err := line.Total()
		if err != nil {
			return m.glass // a line is only added when it adds up
		}
		return glass{apart(name, w.money(amount)), apart(w.TotalCapital, w.moneyIn(r.Total()))}
	}
	idle := glass{upper: r.Config.Shop.Name}
	if m.o.Practice {
		idle.lower = w.Practice
	}
	return idle
}

// facingRequest asks for a payment, for the rest of one, or says that all of it
// is there: nobody should pay twice.
func (m *model) facingRequest() glass {
	w := m.w.onPaper()
	scan := w.Paper[register.LabelScanToPay]
	t, pending := m.reg.Sale.Pending()
	if !pending {
		return glass{w.moneyIn(m.reg.Total()), scan}
	}
	received := m.reg.Sale.Received(t.Tender)
	switch {
	case t.Kind != protocol.TenderBitcoin, received == 0:
	case m.reg.Sale.Due(t) > 0:
		return glass{apart(w.StillDue, w.bitcoin(m.reg.Sale.Due(t))), scan}
	default:
		return glass{w.moneyIn(t.Amount), w.Received}
	}
	if t.Kind == protocol.TenderKey {
		scan = w.Preparing
	}
	return glass{w.moneyIn(t.Amount), scan}
}

func (m *model) facingResult(o register.Outcome) glass {
	w := m.w.onPaper()
	if !o.Paid {
		return glass{upper: w.NotPaid}
	}
	shown := glass{upper: apart(w.Paid, w.moneyIn(m.reg.Total()))}
	if o.Change.Minor > 0 {
		shown.lower = apart(w.Change, w.moneyIn(o.Change))
	}
	return shown
}

// apart sets two texts at the two ends of a line; the left one gives way.
func apart(left, right string) string { return left + "\t" + right }
