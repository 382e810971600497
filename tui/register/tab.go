package register

import "till/protocol"

// States of a tab (merchant.md §4).
const (
	TabOffered = "offered"
	TabLocked  = "locked"
	TabCharged = "charged"
	TabPaid    = "paid"
	TabLapsing = "lapsing"
	TabLost    = "lost"
)

// Tab is a tab that is open: a coin of the customer's is held, rounds are charged on
// it, and the customer's wallet signs for them.
type Tab struct {
	Sale    protocol.SaleID
	Tender  protocol.TenderID
	Max     protocol.Money
	Charged protocol.Money // all rounds
	Signed  protocol.Money
	State   string // the server's last word, "" before it
	Closed  bool
	Until   protocol.Time // the coin is held; 0 not known
}

// Held reports whether the customer's coin is held.
func (t Tab) Held() bool { return t.State == TabLocked || t.State == TabCharged }

// Over reports whether no round is taken any more.
func (t Tab) Over() bool {
	return t.Closed || t.State == TabLapsing || t.State == TabPaid || t.State == TabLost
}

// Unsigned is what was charged and not signed for.
func (t Tab) Unsigned() protocol.Money {
	return protocol.Money{Currency: t.Charged.Currency, Minor: max(0, t.Charged.Minor-t.Signed.Minor)}
}

// Left is what may still be charged.
func (t Tab) Left() protocol.Money {
	return protocol.Money{Currency: t.Max.Currency, Minor: max(0, t.Max.Minor-t.Charged.Minor)}
}

// WhyNoRound tells why the cart cannot be charged on a tab; "" it can.
func (r Register) WhyNoRound(t Tab) Why {
	total := r.Totals().Total
	switch {
	case r.Phase != Ringing, total.Minor <= 0:
		return WhyCartEmpty
	case t.Over():
		return WhyTabOver
	case !t.Held():
		return WhyNoCoinHeld
	}
	return unless(total.Minor <= t.Left().Minor, WhyAboveTab)
}

// Round is the cart as the next round of a tab. A tip, which a round has no place
// for, is a line called tip, and so is a note.
func (r Register) Round(t Tab, tip string) protocol.TabCharged {
	totals := r.Totals()
	lines := r.Cart.clone().Lines
	if totals.Tip.Minor != 0 {
		lines = append(lines, protocol.Line{Name: tip, Quantity: 1000, Price: totals.Tip})
	}
	if r.Cart.Note != "" {
		lines = append(lines, protocol.Line{Name: "“" + r.Cart.Note + "”", Quantity: 1000, Price: protocol.Money{Currency: r.Currency()}})
	}
	amount := t.Charged
	amount.Minor += totals.Total.Minor
	return protocol.TabCharged{Sale: t.Sale, Tender: t.Tender, Amount: amount, Lines: lines}
}

// shares are the taxes of lines that came in rounds, which carry none themselves.
func (r Register) shares(o protocol.SaleOpened) []protocol.TaxShare {
	if len(o.Tax) > 0 || len(o.Lines) == 0 {
		return o.Tax
	}
	t, err := Cart{Lines: o.Lines}.Totals(o.Total.Currency, r.Config.Tax)
	if err != nil {
		return nil
	}
	return t.Tax
}
