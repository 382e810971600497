package register

import (
	"fmt"
	"slices"

	"till/protocol"
)

// Cart is what is being rung up. It is the draft that survives a power cut.
type Cart struct {
	Lines []protocol.Line `json:"lines,omitempty"`
	TipBP int64           `json:"tip_bp,omitempty"` // a tip in hundredths of a percent of the lines …
	Tip   int64           `json:"tip,omitempty"`    // … or in minor units
	Note  string          `json:"note,omitempty"`
}

// Empty reports whether nothing is rung up.
func (c Cart) Empty() bool { return len(c.Lines) == 0 && c.Tip == 0 && c.Note == "" }

func (c Cart) clone() Cart {
	c.Lines = slices.Clone(c.Lines)
	return c
}

// Totals is what a cart adds up to.
type Totals struct {
	Lines    protocol.Money // the lines, their discounts taken off
	Discount protocol.Money // the sum of the discounts
	Tip      protocol.Money
	Added    protocol.Money // tax that prices do not contain
	Included protocol.Money // tax that they do
	Total    protocol.Money
	Tax      []protocol.TaxShare // by rate; empty where the shop has none
}

// Totals adds the cart up with the shop's taxes. Shares of tax are rounded half
// up once a rate, not once a line. The error wraps [protocol.ErrAmount].
func (c Cart) Totals(currency protocol.Currency, taxes []protocol.Tax) (Totals, error) {
	zero := protocol.Money{Currency: currency}
	t := Totals{Lines: zero, Discount: zero, Tip: zero, Added: zero, Included: zero, Total: zero}
	byCode, codes := map[string]protocol.Money{}, []string{}
	for _, l := range c.Lines {
		amount, err := l.Total()
		if err != nil {
			return t, err
		}
		if l.Discount != nil {
			if t.Discount, err = t.Discount.Add(*l.Discount); err != nil {
				return t, fmt.Errorf("add discount: %w", err)
			}
		}
		if t.Lines, err = t.Lines.Add(amount); err != nil {
			return t, fmt.Errorf("add line %q: %w", l.Name, err)
		}
		sum, seen := byCode[l.Tax]
		if !seen {
			sum, codes = zero, append(codes, l.Tax)
		}
		if byCode[l.Tax], err = sum.Add(amount); err != nil {
			return t, fmt.Errorf("add line %q: %w", l.Name, err)
		}
	}
	t.Tip.Minor = c.Tip
	if c.TipBP > 0 {
		t.Tip.Minor = share(t.Lines.Minor, c.TipBP, 10_000)
	}
	if len(taxes) > 0 {
		slices.Sort(codes)
		for _, code := range codes {
			t.tax(code, byCode[code], taxes)
		}
	}
	var err error
	if t.Total, err = t.Lines.Add(t.Tip); err == nil {
		t.Total, err = t.Total.Add(t.Added)
	}
	return t, err
}

// tax adds the share of one rate. A code the shop does not know is taxed at 0.
func (t *Totals) tax(code string, amount protocol.Money, taxes []protocol.Tax) {
	rate := protocol.Tax{Code: code, Included: true}
	if i := slices.IndexFunc(taxes, func(x protocol.Tax) bool { return x.Code == code }); i >= 0 {
		rate = taxes[i]
	}
	s := protocol.TaxShare{Code: code, RateBP: rate.RateBP, Net: amount, Tax: amount}
	if rate.Included {
		s.Tax.Minor = share(amount.Minor, rate.RateBP, 10_000+rate.RateBP)
		s.Net.Minor -= s.Tax.Minor
		t.Included.Minor += s.Tax.Minor
	} else {
		s.Tax.Minor = share(amount.Minor, rate.RateBP, 10_000)
		t.Added.Minor += s.Tax.Minor
	}
	t.Tax = append(t.Tax, s)
}

// share is amount·part/whole rounded half up, for amounts of a sale: at most
// MaxMinor, so that the product is taken apart to stay in 64 bits.
func share(amount, part, whole int64) int64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	q, r := amount/whole, amount%whole
	rest := r * part
	rounded := (2*rest + whole) / (2 * whole)
	if 2*rest+whole < 0 && (2*rest+whole)%(2*whole) != 0 {
		rounded--
	}
	return q*part + rounded
}

// lineOf makes a line of an item. A zero price means that the cashier types it.
func lineOf(item protocol.Item, price protocol.Money, quantity int64) protocol.Line {
	return protocol.Line{SKU: item.SKU, Name: item.Name, Quantity: quantity, Price: price, Tax: item.Tax}
}

// same reports whether two lines differ in their quantity alone, so that they
// can be one.
func same(a, b protocol.Line) bool {
	return a.SKU != "" && a.SKU == b.SKU && a.Name == b.Name && a.Price == b.Price &&
		a.Tax == b.Tax && a.Discount == nil && b.Discount == nil
}
