package protocol

import "fmt"

// ReadEntries gives the entries of one terminal's journal behind after up to and
// with upTo, in order.
type ReadEntries func(after, upTo int64) ([]Entry, error)

// lookBack is how many entries are read at once to find how a sale began that
// was opened before the report's entries.
const lookBack = 1000

// ReportOf adds up the entries behind after up to and with upTo. A Z report runs
// from behind the shift_closed before to its own; so every entry stands in
// exactly one. Its cost is that of its own entries, and of those since the oldest
// sale that they speak of was opened. currency is the shop's; "" is that of the
// first amount.
func ReportOf(read ReadEntries, currency Currency, after, upTo int64) (Report, error) {
	var entries []Entry
	if after < upTo {
		var err error
		if entries, err = read(after, upTo); err != nil {
			return Report{}, fmt.Errorf("read entries %d to %d: %w", after+1, upTo, err)
		}
	}
	t := tally{report: Report{FirstSeq: after + 1, LastSeq: upTo}, sales: map[SaleID]*tallied{}, payouts: map[PayoutID]bool{}, refunds: map[RefundID]*refunded{}}
	t.report.in(currency)
	if err := t.recall(read, entries, after); err != nil {
		return Report{}, err
	}
	for _, e := range entries {
		t.take(e)
	}
	return t.report, nil
}

// tally adds up a journal, entry by entry.
type tally struct {
	report  Report
	sales   map[SaleID]*tallied
	payouts map[PayoutID]bool // coins sold: true counted, false not
	refunds map[RefundID]*refunded
	earlier bool // what is taken lies before the report: it is known, not summed
}

// tallied is a sale as the journal has told it so far.
type tallied struct {
	opening SaleOpened
	tenders []TenderAdded // not removed
	lines   []Line        // rounds of a tab
	paid    bool
}

// refunded is a refund, which counts until its coins certainly never left.
type refunded struct {
	Refund
	counted bool
}

// recall finds the beginnings of sales that the entries speak of.
func (t *tally) recall(read ReadEntries, entries []Entry, after int64) error {
	missing := map[SaleID]bool{}
	opened := map[SaleID]bool{}
	for _, e := range entries {
		var of struct {
			Sale SaleID `json:"sale"`
		}
		if !concernsSale(e.Kind) || DecodeResult(e.Body, &of) != nil || of.Sale == "" {
			continue
		}
		if e.Kind == EntrySaleOpened {
			opened[of.Sale] = true
		} else if !opened[of.Sale] {
			missing[of.Sale] = true
		}
	}
	var found []Entry // of the missing ones, in order
	for to := after; len(missing) > 0 && to > 0; to -= lookBack {
		chunk, err := read(max(0, to-lookBack), to)
		if err != nil {
			return fmt.Errorf("read entries before %d: %w", to, err)
		}
		found = append(chunk, found...)
		for _, e := range chunk {
			var o SaleOpened
			if e.Kind == EntrySaleOpened && DecodeResult(e.Body, &o) == nil {
				delete(missing, o.Sale)
			}
		}
	}
	t.earlier = true
	for _, e := range found {
		if concernsSale(e.Kind) {
			t.take(e)
		}
	}
	t.earlier = false
	return nil
}

// concernsSale reports whether what an entry says of a sale rests on how the
// sale began.
func concernsSale(k EntryKind) bool {
	switch k {
	case EntrySaleOpened, EntryTenderAdded, EntryTenderRemoved, EntrySalePaid, EntrySaleCancelled, EntryTabOpened, EntryTabCharged:
		return true
	}
	return false
}

// take adds one entry up.
func (t *tally) take(e Entry) {
	var ok bool
	switch e.Kind {
	case EntrySaleOpened:
		ok = read(e, t.saleOpened)
	case EntryTenderAdded:
		ok = read(e, t.tenderAdded)
	case EntryTenderRemoved:
		ok = read(e, t.tenderRemoved)
	case EntryTabOpened:
		ok = read(e, t.tabOpened)
	case EntryTabCharged:
		ok = read(e, t.tabCharged)
	case EntrySalePaid:
		ok = read(e, t.salePaid)
	case EntrySaleCancelled:
		ok = read(e, t.saleCancelled)
	case EntryRefund:
		ok = read(e, t.refund)
	case EntryPayout:
		ok = read(e, t.payout)
	case EntryDrawerOpened:
		ok = read(e, t.drawerOpened)
	case EntryShiftOpened:
		ok = read(e, func(b ShiftOpened) bool { return t.shiftOpened(e.At, b) })
	case EntryShiftClosed:
		ok = read(e, func(b ShiftClosed) bool { return t.shiftClosed(e.At, b) })
	case EntryOverride:
		t.report.Overrides++
		return
	default:
		return
	}
	if !ok && !t.earlier {
		t.report.Ignored++
	}
}

func read[B any](e Entry, do func(B) bool) bool {
	var body B
	return DecodeResult(e.Body, &body) == nil && do(body)
}

// count adds to a sum, in the report's currency.
func (t *tally) count(s *Sum, n int64, m Money) {
	s.Count += n
	t.move(&s.Amount, m.Minor)
}

// move adds to an amount. What would leave its range is not added: the entry's
// own amount was in it, so that a journal of ten million such would be needed.
func (t *tally) move(m *Money, minor int64) {
	if sum, err := m.Add(Money{m.Currency, minor}); err == nil {
		*m = sum
	}
}

// cash moves what is expected in the drawer, and why.
func (t *tally) cash(why *Money, minor, sign int64) {
	t.move(why, minor)
	t.move(&t.report.Drawer.Expected, minor*sign)
}

// ours reports whether an amount is of the report's currency; the first sets it.
func (t *tally) ours(m Money) bool {
	t.report.in(m.Currency)
	return m.Valid() && m.Currency == t.report.Currency
}

func (t *tally) saleOpened(o SaleOpened) bool {
	if !t.ours(o.Total) || t.sales[o.Sale] != nil {
		return false
	}
	t.sales[o.Sale] = &tallied{opening: o}
	if t.earlier {
		return true
	}
	r := &t.report
	r.Opens++
	if r.FirstSale == "" {
		r.FirstSale = o.Number
	}
	r.LastSale = o.Number
	return true
}

func (t *tally) tenderAdded(a TenderAdded) bool {
	s := t.sales[a.Sale]
	if s == nil || !t.ours(a.Amount) {
		return false
	}
	s.tenders = append(s.tenders, a)
	if a.Kind == TenderCash && !t.earlier {
		t.cash(&t.report.Drawer.Sales, a.Amount.Minor, 1)
	}
	return true
}

func (t *tally) tenderRemoved(x TenderRemoved) bool {
	s := t.sales[x.Sale]
	if s == nil {
		return false
	}
	for i, a := range s.tenders {
		if a.Tender != x.Tender {
			continue
		}
		s.tenders = append(s.tenders[:i:i], s.tenders[i+1:]...)
		t.cashBack(a)
		return true
	}
	return false
}

// cashBack gives a tender's cash back to the customer.
func (t *tally) cashBack(a TenderAdded) {
	if a.Kind == TenderCash && !t.earlier {
		t.cash(&t.report.Drawer.Sales, -a.Amount.Minor, 1)
	}
}

// tabOpened adds an e-cash tender of nothing yet.
func (t *tally) tabOpened(o TabOpened) bool {
	s := t.sales[o.Sale]
	if s == nil || !t.ours(o.MaxAmount) {
		return false
	}
	s.tenders = append(s.tenders, TenderAdded{Sale: o.Sale, Tender: o.Tender, Kind: TenderEcash, Amount: Money{Currency: o.MaxAmount.Currency}})
	return true
}

// tabCharged sets what the tab comes to; the sale is worth that.
func (t *tally) tabCharged(c TabCharged) bool {
	s := t.sales[c.Sale]
	if s == nil || !t.ours(c.Amount) {
		return false
	}
	for i := range s.tenders {
		if s.tenders[i].Tender == c.Tender {
			s.opening.Total.Minor += c.Amount.Minor - s.tenders[i].Amount.Minor
			s.tenders[i].Amount, s.lines = c.Amount, append(s.lines, c.Lines...)
			return true
		}
	}
	return false
}

func (t *tally) salePaid(p SaleEnded) bool {
	s := t.sales[p.Sale]
	if s == nil || s.paid {
		return false
	}
	s.paid = true
	if t.earlier {
		return true
	}
	r, o := &t.report, s.opening
	t.count(&r.Sales, 1, o.Total)
	t.count(&r.Revenue, 1, o.Total)
	if o.Tip != nil && o.Tip.Minor != 0 {
		t.count(&r.Tips, 1, *o.Tip)
		t.move(&r.Revenue.Amount, -o.Tip.Minor)
	}
	for _, l := range append(o.Lines[:len(o.Lines):len(o.Lines)], s.lines...) {
		if l.Discount != nil && l.Discount.Minor != 0 {
			t.count(&r.Discounts, 1, *l.Discount)
		}
	}
	for _, share := range o.Tax {
		r.taxed(share)
	}
	change := int64(0)
	if p.Change != nil {
		change = p.Change.Minor
		t.cash(&r.Drawer.Sales, -change, 1)
	}
	for _, a := range s.tenders {
		sum := TenderSum{Kind: a.Kind, Count: 1, Amount: a.Amount, Sat: a.DueSat}
		if a.Kind == TenderCash {
			sum.Amount.Minor -= change
			change = 0
		}
		r.Tenders = added(r.Tenders, sum)
	}
	return true
}

// saleCancelled gives the cash back that was taken for the sale.
func (t *tally) saleCancelled(p SaleEnded) bool {
	s := t.sales[p.Sale]
	if s == nil {
		return false
	}
	for _, a := range s.tenders {
		t.cashBack(a)
	}
	s.tenders = nil
	if !t.earlier {
		t.report.Cancels++
	}
	return true
}
