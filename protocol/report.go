package protocol

import (
	"cmp"
	"fmt"
	"slices"
)

// Report is what one terminal took between two entries of its journal: an X
// report while the shift goes on, a Z report once it is closed. It follows from
// the journal alone, so that terminal and server come to the same one.
type Report struct {
	Terminal string   `json:"terminal,omitempty"` // its name, "" the whole shop
	Shift    ShiftID  `json:"shift,omitempty"`
	ZNumber  int64    `json:"z_number,omitempty"` // 0 an X report
	Opened   Time     `json:"opened,omitempty"`   // of the shift, 0 none was opened
	OpenedBy string   `json:"opened_by,omitempty"`
	Closed   Time     `json:"closed,omitempty"`
	ClosedBy string   `json:"closed_by,omitempty"`
	FirstSeq int64    `json:"first_seq"` // of the journal; above LastSeq there is no entry
	LastSeq  int64    `json:"last_seq"`
	Currency Currency `json:"currency,omitempty"`

	FirstSale string `json:"first_sale,omitempty"` // number of the first sale opened
	LastSale  string `json:"last_sale,omitempty"`
	Opens     int64  `json:"sales_opened"`
	Cancels   int64  `json:"sales_cancelled"`
	Sales     Sum    `json:"sales"`     // paid, with tips
	Revenue   Sum    `json:"revenue"`   // paid, without tips
	Tips      Sum    `json:"tips"`      // sales that had one
	Discounts Sum    `json:"discounts"` // lines that had one

	Tenders []TenderSum `json:"tenders"` // that paid the sales, by kind
	Tax     []TaxShare  `json:"tax"`     // in the sales, by code and rate
	Refunds []TenderSum `json:"refunds"` // by how they went back
	Coins   TenderSum   `json:"coins"`   // bitcoin sold for cash

	Drawer    Drawer `json:"drawer"`
	Overrides int64  `json:"overrides"` // things done with another's right
	Ignored   int64  `json:"ignored"`   // entries about money that are not understood
}

// Sum is how often and how much.
type Sum struct {
	Count  int64 `json:"count"`
	Amount Money `json:"amount"`
}

// TenderSum is the same of a means of paying, in bitcoin too where it is one.
type TenderSum struct {
	Kind   TenderKind `json:"kind,omitempty"`
	Count  int64      `json:"count"`
	Amount Money      `json:"amount"`
	Sat    Sat        `json:"amount_sat"`
}

// Drawer is the cash: expected = float + sales + coins − refunds + paid in −
// dropped.
type Drawer struct {
	Float    Money  `json:"float"`
	Sales    Money  `json:"sales"` // taken less change
	Coins    Money  `json:"coins"` // for bitcoin sold
	Refunds  Money  `json:"refunds"`
	PaidIn   Money  `json:"paid_in"`
	Dropped  Money  `json:"dropped"`
	Expected Money  `json:"expected"`
	Counted  *Money `json:"counted,omitempty"` // once it is closed
	Variance *Money `json:"variance,omitempty"`
	Reason   string `json:"reason,omitempty"` // of the variance
	Openings int64  `json:"openings"`         // without a sale
}

// amounts are the report's sums of money.
func (r *Report) amounts() []*Money {
	d := &r.Drawer
	return []*Money{&r.Sales.Amount, &r.Revenue.Amount, &r.Tips.Amount, &r.Discounts.Amount, &r.Coins.Amount,
		&d.Float, &d.Sales, &d.Coins, &d.Refunds, &d.PaidIn, &d.Dropped, &d.Expected}
}

// counts are the report's numbers of things.
func (r *Report) counts() []*int64 {
	return []*int64{&r.Opens, &r.Cancels, &r.Sales.Count, &r.Revenue.Count, &r.Tips.Count, &r.Discounts.Count, &r.Coins.Count,
		&r.Drawer.Openings, &r.Overrides, &r.Ignored}
}

// in makes the report one of a currency.
func (r *Report) in(c Currency) {
	if r.Currency != "" || c == "" {
		return
	}
	r.Currency = c
	for _, m := range r.amounts() {
		m.Currency = c
	}
}

// Add makes the report that of several terminals or shifts: sums of sums. What
// only one has, such as a Z number, is dropped. It fails with [ErrAmount] where
// the currencies differ.
func (r *Report) Add(other Report) error {
	r.in(other.Currency)
	other.in(r.Currency)
	if r.Currency != other.Currency {
		return fmt.Errorf("%w: reports in %s and %s have no sum", ErrAmount, r.Currency, other.Currency)
	}
	for i, m := range r.amounts() {
		sum, err := m.Add(*other.amounts()[i])
		if err != nil {
			return fmt.Errorf("add reports: %w", err)
		}
		*m = sum
	}
	for i, n := range r.counts() {
		*n += *other.counts()[i]
	}
	r.Coins.Sat += other.Coins.Sat
	// The report may be a copy of another, whose lists stay as they are.
	r.Tenders, r.Refunds, r.Tax = slices.Clone(r.Tenders), slices.Clone(r.Refunds), slices.Clone(r.Tax)
	for _, t := range other.Tenders {
		r.Tenders = added(r.Tenders, t)
	}
	for _, t := range other.Refunds {
		r.Refunds = added(r.Refunds, t)
	}
	for _, t := range other.Tax {
		r.taxed(t)
	}
	r.counted(other.Drawer)
	return nil
}

// counted adds what was counted, where it was.
func (r *Report) counted(d Drawer) {
	for _, pair := range []struct{ into, from **Money }{{&r.Drawer.Counted, &d.Counted}, {&r.Drawer.Variance, &d.Variance}} {
		if *pair.from == nil {
			continue
		}
		sum := **pair.from
		if *pair.into != nil {
			sum.Minor += (*pair.into).Minor
		}
		*pair.into = &sum
	}
}

// added is a list of sums with one more, by kind in the order of [TenderKinds].
func added(list []TenderSum, t TenderSum) []TenderSum {
	i := slices.IndexFunc(list, func(x TenderSum) bool { return x.Kind == t.Kind })
	if i < 0 {
		list = append(slices.Clone(list), t)
		slices.SortFunc(list, func(a, b TenderSum) int { return cmp.Compare(a.Kind.rank(), b.Kind.rank()) })
		return list
	}
	list[i].Count += t.Count
	list[i].Amount.Minor += t.Amount.Minor
	list[i].Sat += t.Sat
	return list
}

// rank is where a kind stands in a report.
func (k TenderKind) rank() int {
	return slices.Index([]TenderKind{TenderBitcoin, TenderKey, TenderLightning, TenderEcash, TenderCash, TenderCard}, k)
}

// taxed adds a share of tax.
func (r *Report) taxed(t TaxShare) {
	i := slices.IndexFunc(r.Tax, func(x TaxShare) bool { return x.Code == t.Code && x.RateBP == t.RateBP })
	if i < 0 {
		r.Tax = append(r.Tax, t)
		slices.SortFunc(r.Tax, func(a, b TaxShare) int {
			return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.RateBP, b.RateBP))
		})
		return
	}
	r.Tax[i].Net.Minor += t.Net.Minor
	r.Tax[i].Tax.Minor += t.Tax.Minor
}
