package server

import (
	"fmt"

	"till/protocol"
)

// bound is one limit with what was used of it.
type bound struct {
	what  string
	money *protocol.Money
	sat   *protocol.Sat
	used  func() (PayoutSums, error)
}

// limits holds the payout, its fee included, against what the shop allows, in
// satoshi and in its currency. What earlier payouts used is read in the same
// transaction that accepts this one. Beyond: limit_exceeded.
func (o *order) limits() error {
	p := o.payout
	sat := p.Amount + p.Fee
	value, err := o.rate.Value(sat)
	if err != nil {
		return protocol.Errorf(protocol.CodeLimitExceeded, "the amount is beyond any limit")
	}
	p.Value = protocol.Money{Currency: o.s.rules().Currency, Minor: value}
	l, sums := o.s.rulesFor(p.Terminal).Limits, o.Payouts.Limits()
	alone := func() (PayoutSums, error) { return PayoutSums{}, nil }
	bounds := []bound{
		{"for one payout", l.PerPayout, l.PerPayoutSat, alone},
		{"of this terminal for a day", l.PerTerminalDay, l.PerTerminalDaySat, func() (PayoutSums, error) { return sums.OfTerminal(p.Terminal, p.Day) }},
		{"of the person who approves for a day", l.PerUserDay, l.PerUserDaySat, func() (PayoutSums, error) { return sums.OfUser(p.Approver, p.Day) }},
		{"of the shop for a day", l.ShopDay, l.ShopDaySat, func() (PayoutSums, error) { return sums.OfShop(p.Day) }},
	}
	if p.ByPIN {
		bounds = append(bounds, bound{"for one approval by PIN", l.PinApproval, nil, alone},
			bound{"of approvals by PIN for a day", l.PinApprovalDay, nil, func() (PayoutSums, error) { return sums.OfUserByPIN(p.Approver, p.Day) }})
	}
	for _, b := range bounds {
		used, err := b.used()
		if err != nil {
			return fmt.Errorf("sum payouts: %w", err)
		}
		if b.money != nil && value > b.money.Minor-used.Minor {
			return protocol.Errorf(protocol.CodeLimitExceeded, "above the limit of %s %s: %s are left", plain(*b.money), b.what,
				plain(protocol.Money{Currency: b.money.Currency, Minor: max(0, b.money.Minor-used.Minor)}))
		}
		if b.sat != nil && sat > *b.sat-used.Sat {
			return protocol.Errorf(protocol.CodeLimitExceeded, "above the limit of %s %s: %s are left", bitcoin(*b.sat), b.what, bitcoin(max(0, *b.sat-used.Sat)))
		}
	}
	return nil
}
