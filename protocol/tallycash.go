package protocol

// What leaves the shop and what else moves the drawer, in a [Report].

// refund counts a refund from its entry on; one in bitcoin until its coins
// certainly never left.
func (t *tally) refund(x Refund) bool {
	if !t.ours(x.Amount) || t.refunds[x.Refund] != nil {
		return false
	}
	t.refunds[x.Refund] = &refunded{Refund: x}
	t.refunding(t.refunds[x.Refund], true)
	return true
}

func (t *tally) refunding(x *refunded, counts bool) {
	if x.counted == counts {
		return
	}
	x.counted = counts
	sum := TenderSum{Kind: x.Kind, Count: 1, Amount: x.Amount, Sat: x.AmountSat}
	if !counts {
		sum.Count, sum.Amount.Minor, sum.Sat = -1, -sum.Amount.Minor, -sum.Sat
	}
	t.report.Refunds = added(t.report.Refunds, sum)
	if x.Kind == TenderCash {
		t.cash(&t.report.Drawer.Refunds, sum.Amount.Minor, -1)
	}
}

// payout counts coins sold from their first word on, since the customer has paid
// for them by then, until they certainly never left; likewise a refund in
// bitcoin. A payout that was under way before the report was counted there.
func (t *tally) payout(p PayoutNoted) bool {
	gone := p.State == PayoutRefused || p.State == PayoutNever
	if p.Of != PayoutDispense {
		return true
	}
	for _, x := range t.refunds {
		if x.Kind != TenderCash && (x.Refund.Refund == p.RefundOf || x.Dispense == p.ID) {
			t.refunding(x, !gone)
			return true
		}
	}
	if p.RefundOf != "" || p.Price == nil {
		return true
	}
	if !t.ours(*p.Price) {
		return false
	}
	before, known := t.payouts[p.ID]
	if !known {
		// An id's first entry says unknown; a later state means that it stood in an
		// earlier report.
		before = p.State != PayoutUnknown
	}
	t.payouts[p.ID] = !gone
	if before == !gone {
		return true
	}
	n := int64(1)
	if gone {
		n = -1
	}
	c := &t.report.Coins
	c.Count += n
	c.Sat += Sat(n) * p.AmountSat
	t.move(&c.Amount, n*p.Price.Minor)
	t.cash(&t.report.Drawer.Coins, n*p.Price.Minor, 1)
	return true
}

// drawerOpened moves the cash that was paid in or dropped; without an amount the
// drawer was opened for a sale, or for none.
func (t *tally) drawerOpened(o DrawerOpened) bool {
	d := &t.report.Drawer
	switch {
	case o.Amount == nil:
		if o.Reason != ReasonSale && o.Reason != ReasonRefund && o.Reason != ReasonCoins {
			d.Openings++
		}
		return true
	case !t.ours(*o.Amount):
		return false
	case o.Amount.Minor >= 0:
		t.cash(&d.PaidIn, o.Amount.Minor, 1)
	default:
		t.cash(&d.Dropped, -o.Amount.Minor, -1)
	}
	return true
}

// shiftOpened begins the drawer anew: the float was counted.
func (t *tally) shiftOpened(at Time, o ShiftOpened) bool {
	if !t.ours(o.Float) {
		return false
	}
	r, zero := &t.report, Money{Currency: o.Float.Currency}
	r.Shift, r.Opened, r.OpenedBy = o.Shift, at, o.User
	r.Drawer = Drawer{Float: o.Float, Sales: zero, Coins: zero, Refunds: zero, PaidIn: zero, Dropped: zero, Expected: o.Float, Openings: r.Drawer.Openings}
	return true
}

func (t *tally) shiftClosed(at Time, c ShiftClosed) bool {
	if !t.ours(c.Counted) {
		return false
	}
	r := &t.report
	r.Shift, r.Closed, r.ClosedBy, r.ZNumber = c.Shift, at, c.User, c.ZNumber
	r.Drawer.Counted, r.Drawer.Variance, r.Drawer.Reason = &c.Counted, &c.Variance, c.Reason
	return true
}
