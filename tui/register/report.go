package register

import (
	"strconv"
	"strings"

	"till/device"
	"till/protocol"
)

// PaperReport is an X or Z report.
const PaperReport PaperKind = "report"

// The labels of reports.
const (
	LabelX         Label = "x_report"
	LabelZ         Label = "z_report"
	LabelOpened    Label = "shift_opened"
	LabelClosed    Label = "shift_closed"
	LabelSales     Label = "sales_paid"
	LabelRevenue   Label = "revenue"
	LabelTips      Label = "tips"
	LabelDiscounts Label = "discounts"
	LabelCancelled Label = "sales_cancelled"
	LabelPaidBy    Label = "paid_by"
	LabelTaxes     Label = "taxes"
	LabelRefunds   Label = "refunds"
	LabelCoinsSold Label = "coins_sold"
	LabelDrawer    Label = "drawer"
	LabelFloat     Label = "float"
	LabelCashSales Label = "cash_sales"
	LabelPaidIn    Label = "paid_in"
	LabelDropped   Label = "dropped"
	LabelExpected  Label = "expected"
	LabelCounted   Label = "counted"
	LabelVariance  Label = "variance"
	LabelReason    Label = "reason"
	LabelOpenings  Label = "drawer_openings"
	LabelOverrides Label = "overrides"
	LabelNumbers   Label = "sale_numbers"
	LabelEntries   Label = "journal_entries"
	LabelIgnored   Label = "entries_ignored"
)

// ReportLabels lists the labels of reports.
func ReportLabels() []Label {
	return []Label{
		LabelX, LabelZ, LabelOpened, LabelClosed, LabelSales, LabelRevenue, LabelTips, LabelDiscounts, LabelCancelled, LabelPaidBy,
		LabelTaxes, LabelRefunds, LabelCoinsSold, LabelDrawer, LabelFloat, LabelCashSales, LabelPaidIn, LabelDropped, LabelExpected,
		LabelCounted, LabelVariance, LabelReason, LabelOpenings, LabelOverrides, LabelNumbers, LabelEntries, LabelIgnored,
	}
}

// ReportRow is a row of a report: words at the left, a figure at the right. Rule
// is a line across instead; Bold is a heading or what counts most.
type ReportRow struct {
	Left, Right string
	Bold, Rule  bool
}

// ReportTitle is "Z REPORT 12", or "X REPORT".
func ReportTitle(r protocol.Report, s Style) string {
	if r.ZNumber == 0 {
		return s.Word(LabelX)
	}
	return s.Word(LabelZ) + " " + strconv.FormatInt(r.ZNumber, 10)
}

// ReportRows is a report below its title: the same on the screen, on paper and
// from the command. name gives a person's name by id.
func ReportRows(r protocol.Report, s Style, name func(id string) string) []ReportRow {
	w := reportWriter{style: s}
	w.people(r, name)
	w.sums(r)
	w.drawer(r.Drawer)
	w.trail(r)
	return w.rows
}

type reportWriter struct {
	style Style
	rows  []ReportRow
}

func (w *reportWriter) row(label Label, right string) {
	w.rows = append(w.rows, ReportRow{Left: w.style.Word(label), Right: right})
}

func (w *reportWriter) money(label Label, m protocol.Money) { w.row(label, w.style.Money(m)) }

// some is an amount that is left out where there was none.
func (w *reportWriter) some(label Label, m protocol.Money) {
	if m.Minor != 0 {
		w.money(label, m)
	}
}

func (w *reportWriter) heading(label Label, right string) {
	w.rows = append(w.rows, ReportRow{Rule: true}, ReportRow{Left: w.style.Word(label), Right: right, Bold: true})
}

// times is "12 × Sales".
func (w *reportWriter) times(n int64, what string, right string) {
	w.rows = append(w.rows, ReportRow{Left: strconv.FormatInt(n, 10) + " x " + what, Right: right})
}

func (w *reportWriter) people(r protocol.Report, name func(string) string) {
	at := func(t protocol.Time, who string) string {
		return strings.TrimSpace(w.style.Moment(t) + "  " + name(who))
	}
	if r.Opened != 0 {
		w.row(LabelOpened, at(r.Opened, r.OpenedBy))
	}
	if r.Closed != 0 {
		w.row(LabelClosed, at(r.Closed, r.ClosedBy))
	}
}

// sums are the sales, how they were paid, their tax, and what went back.
func (w *reportWriter) sums(r protocol.Report) {
	s := w.style
	w.heading(LabelSales, string(r.Currency)+" "+s.Money(r.Sales.Amount))
	w.times(r.Sales.Count, s.Word(LabelRevenue), s.Money(r.Revenue.Amount))
	if r.Tips.Count > 0 {
		w.times(r.Tips.Count, s.Word(LabelTips), s.Money(r.Tips.Amount))
	}
	if r.Discounts.Count > 0 {
		w.times(r.Discounts.Count, s.Word(LabelDiscounts), s.Money(r.Discounts.Amount))
	}
	if r.Cancels > 0 {
		w.times(r.Cancels, s.Word(LabelCancelled), "")
	}
	w.tenders(LabelPaidBy, r.Tenders)
	if len(r.Tax) > 0 {
		w.heading(LabelTaxes, "")
	}
	for _, t := range r.Tax {
		w.rows = append(w.rows, ReportRow{Left: t.Code + " " + percent(s, t.RateBP) + "  " + s.Word(LabelNet) + " " + s.Money(t.Net), Right: s.Money(t.Tax)})
	}
	w.tenders(LabelRefunds, r.Refunds)
	if r.Coins.Count != 0 {
		w.heading(LabelCoinsSold, "")
		w.times(r.Coins.Count, "BTC "+s.Bitcoin(r.Coins.Sat), s.Money(r.Coins.Amount))
	}
}

func (w *reportWriter) tenders(title Label, list []protocol.TenderSum) {
	headed := false
	for _, t := range list {
		if t.Count == 0 && t.Amount.Minor == 0 {
			continue
		}
		if !headed {
			w.heading(title, "")
			headed = true
		}
		w.times(t.Count, w.style.Tender(t.Kind), w.style.Money(t.Amount))
		if t.Sat != 0 {
			w.rows = append(w.rows, ReportRow{Left: "    BTC " + w.style.Bitcoin(t.Sat)})
		}
	}
}

func (w *reportWriter) drawer(d protocol.Drawer) {
	w.heading(LabelDrawer, "")
	w.money(LabelFloat, d.Float)
	w.money(LabelCashSales, d.Sales)
	w.some(LabelCoinsSold, d.Coins)
	minus := func(m protocol.Money) protocol.Money { return protocol.Money{Currency: m.Currency, Minor: -m.Minor} }
	w.some(LabelRefunds, minus(d.Refunds))
	w.some(LabelPaidIn, d.PaidIn)
	w.some(LabelDropped, minus(d.Dropped))
	w.rows = append(w.rows, ReportRow{Left: w.style.Word(LabelExpected), Right: w.style.Money(d.Expected), Bold: true})
	if d.Counted != nil {
		w.money(LabelCounted, *d.Counted)
	}
	if d.Variance != nil {
		w.rows = append(w.rows, ReportRow{Left: w.style.Word(LabelVariance), Right: w.style.Money(*d.Variance), Bold: true})
	}
	if d.Reason != "" {
		w.row(LabelReason, d.Reason)
	}
}

// trail is what ties the report to the journal.
func (w *reportWriter) trail(r protocol.Report) {
	w.rows = append(w.rows, ReportRow{Rule: true})
	counts := []struct {
		label Label
		n     int64
	}{{LabelOpenings, r.Drawer.Openings}, {LabelOverrides, r.Overrides}, {LabelIgnored, r.Ignored}}
	for _, c := range counts {
		if c.n > 0 {
			w.row(c.label, strconv.FormatInt(c.n, 10))
		}
	}
	span := func(from, to string) string {
		if from == to {
			return from
		}
		return from + " - " + to
	}
	if r.FirstSale != "" {
		w.row(LabelNumbers, span(r.FirstSale, r.LastSale))
	}
	if r.LastSeq >= r.FirstSeq && r.LastSeq > 0 {
		w.row(LabelEntries, span(strconv.FormatInt(r.FirstSeq, 10), strconv.FormatInt(r.LastSeq, 10)))
	}
}

// report is the report as a paper.
func (p Paper) report(s Style) device.Document {
	if p.Report == nil {
		return nil
	}
	d := device.Document{centred(ReportTitle(*p.Report, s), device.Style{Bold: true, Double: true})}
	for _, row := range ReportRows(*p.Report, s, func(id string) string { return p.Staff[id] }) {
		if row.Rule {
			d = append(d, device.Rule{})
			continue
		}
		d = append(d, device.Columns{Left: row.Left, Right: row.Right, Style: device.Style{Bold: row.Bold}})
	}
	return d
}
