package protocol

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"testing"
)

// book is a journal that is written down for a report.
type book struct {
	t       *testing.T
	entries []Entry
	reads   int // entries read so far
}

func (b *book) note(kind EntryKind, body any) *book {
	b.t.Helper()
	var prev *Entry
	if n := len(b.entries); n > 0 {
		prev = &b.entries[n-1]
	}
	e, err := NewEntry(prev, Time(1000*len(b.entries)), kind, body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.entries = append(b.entries, *e)
	return b
}

func (b *book) read(after, upTo int64) ([]Entry, error) {
	b.reads += int(upTo - after)
	return b.entries[after:upTo], nil
}

func (b *book) report(after int) Report {
	b.t.Helper()
	r, err := ReportOf(b.read, "EUR", int64(after), int64(len(b.entries)))
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// called is the id that a test calls by a name.
func called(name string) ID {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return ID(fmt.Sprintf("0193b1a0-0000-7000-8000-%012x", h.Sum32()))
}

func money(minor int64) Money { return Money{"EUR", minor} }

func moneyPtr(minor int64) *Money { m := money(minor); return &m }

// sold is a sale that one tender pays, in cash with change where it is more.
func (b *book) sold(n int, total int64, kind TenderKind, amount int64) *book {
	id := SaleID(called(fmt.Sprintf("sale-%d", n)))
	b.note(EntrySaleOpened, SaleOpened{Sale: id, Number: fmt.Sprintf("%06d", n), Total: money(total),
		Tax: []TaxShare{{Code: "A", RateBP: 2000, Net: money(total - total/6), Tax: money(total / 6)}}})
	b.note(EntryTenderAdded, TenderAdded{Sale: id, Tender: TenderID(called("tender of " + string(id))), Kind: kind, Amount: money(amount), DueSat: map[bool]Sat{true: 777}[kind == TenderBitcoin]})
	end := SaleEnded{Sale: id}
	if amount > total {
		end.Change = moneyPtr(amount - total)
	}
	return b.note(EntrySalePaid, end)
}

func TestReportAddsUpAShift(t *testing.T) {
	b := &book{t: t}
	b.note(EntryShiftOpened, ShiftOpened{Shift: ShiftID(called("s1")), User: "2", Float: money(10000)})
	b.sold(1, 1230, TenderCash, 2000).sold(2, 500, TenderBitcoin, 500).sold(3, 700, TenderCard, 700)
	// Two tenders, a tip and a discount.
	b.note(EntrySaleOpened, SaleOpened{Sale: SaleID(called("m")), Number: "000004", Total: money(1100), Tip: moneyPtr(100),
		Lines: []Line{{Name: "Tea", Quantity: 1000, Price: money(1200), Discount: moneyPtr(200)}}})
	b.note(EntryTenderAdded, TenderAdded{Sale: SaleID(called("m")), Tender: TenderID(called("m1")), Kind: TenderCash, Amount: money(400)})
	b.note(EntryTenderAdded, TenderAdded{Sale: SaleID(called("m")), Tender: TenderID(called("m2")), Kind: TenderBitcoin, Amount: money(700), DueSat: 1000})
	b.note(EntryTenderRemoved, TenderRemoved{Sale: SaleID(called("m")), Tender: TenderID(called("m2"))})
	b.note(EntryTenderAdded, TenderAdded{Sale: SaleID(called("m")), Tender: TenderID(called("m3")), Kind: TenderBitcoin, Amount: money(700), DueSat: 1001})
	b.note(EntrySalePaid, SaleEnded{Sale: SaleID(called("m"))})
	// One is given up: its cash goes back.
	b.note(EntrySaleOpened, SaleOpened{Sale: SaleID(called("x")), Number: "000005", Total: money(900)})
	b.note(EntryTenderAdded, TenderAdded{Sale: SaleID(called("x")), Tender: TenderID(called("x1")), Kind: TenderCash, Amount: money(300)})
	b.note(EntrySaleCancelled, SaleEnded{Sale: SaleID(called("x"))})
	b.note(EntryRefund, Refund{Sale: SaleID(called("sale-1")), Refund: RefundID(called("r1")), Amount: money(230), Kind: TenderCash})
	// Coins that never left count neither as a refund nor as sold.
	b.note(EntryRefund, Refund{Sale: SaleID(called("sale-2")), Refund: RefundID(called("r2")), Amount: money(500), Kind: TenderBitcoin, Dispense: PayoutID(called("p1")), AmountSat: 777})
	b.note(EntryPayout, PayoutNoted{ID: PayoutID(called("p1")), Of: PayoutDispense, State: PayoutUnknown, RefundOf: RefundID(called("r2"))})
	b.note(EntryPayout, PayoutNoted{ID: PayoutID(called("p1")), Of: PayoutDispense, State: PayoutRefused, RefundOf: RefundID(called("r2"))})
	for id, last := range map[string]PayoutState{"p2": PayoutBroadcast, "p3": PayoutNever} {
		b.note(EntryPayout, PayoutNoted{ID: PayoutID(called(id)), Of: PayoutDispense, State: PayoutUnknown, AmountSat: 5000, Price: moneyPtr(300)})
		b.note(EntryPayout, PayoutNoted{ID: PayoutID(called(id)), Of: PayoutDispense, State: last, AmountSat: 5000, Price: moneyPtr(300)})
	}
	b.note(EntryDrawerOpened, DrawerOpened{Reason: "change money", Amount: moneyPtr(2000)})
	b.note(EntryDrawerOpened, DrawerOpened{Reason: "to the safe", Amount: moneyPtr(-5000)})
	b.note(EntryDrawerOpened, DrawerOpened{Reason: "a coin was stuck"}).note(EntryDrawerOpened, DrawerOpened{Reason: ReasonSale})
	b.note(EntryOverride, PersonDid{User: "1", ApprovedBy: "2", What: "price"})

	got := b.report(0)
	want := Report{
		Shift: ShiftID(called("s1")), OpenedBy: "2", FirstSeq: 1, LastSeq: int64(len(b.entries)), Currency: "EUR",
		FirstSale: "000001", LastSale: "000005", Opens: 5, Cancels: 1,
		Sales: Sum{4, money(3530)}, Revenue: Sum{4, money(3430)}, Tips: Sum{1, money(100)}, Discounts: Sum{1, money(200)},
		Tenders: []TenderSum{{TenderBitcoin, 2, money(1200), 1778}, {TenderCash, 2, money(1630), 0}, {TenderCard, 1, money(700), 0}},
		Tax:     []TaxShare{{"A", 2000, money(1230 - 205 + 500 - 83 + 700 - 116), money(205 + 83 + 116)}},
		Refunds: []TenderSum{{TenderBitcoin, 0, money(0), 0}, {TenderCash, 1, money(230), 0}},
		Coins:   TenderSum{Count: 1, Amount: money(300), Sat: 5000},
		Drawer: Drawer{Float: money(10000), Sales: money(1630), Coins: money(300), Refunds: money(230), PaidIn: money(2000), Dropped: money(5000),
			Expected: money(10000 + 1630 + 300 - 230 + 2000 - 5000), Openings: 1},
		Overrides: 1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the report is\n%+v, not\n%+v", got, want)
	}
}

// TestReportTakesASaleOfAnEarlierShift: what was parked yesterday and is paid today
// belongs to today, its cash to the day it was given.
func TestReportTakesASaleOfAnEarlierShift(t *testing.T) {
	b := &book{t: t}
	b.note(EntryShiftOpened, ShiftOpened{Shift: ShiftID(called("s1")), Float: money(0)})
	for n := range 3000 { // far back
		b.note(EntryDrawerOpened, DrawerOpened{Reason: fmt.Sprint(n)})
	}
	b.note(EntrySaleOpened, SaleOpened{Sale: SaleID(called("a")), Number: "000001", Total: money(1000), Tip: moneyPtr(50)})
	b.note(EntryTenderAdded, TenderAdded{Sale: SaleID(called("a")), Tender: TenderID(called("a1")), Kind: TenderCash, Amount: money(400)})
	b.note(EntrySaleParked, SaleEnded{Sale: SaleID(called("a"))})
	b.note(EntryShiftClosed, ShiftClosed{Shift: ShiftID(called("s1")), Counted: money(400), Expected: money(400), Variance: money(0), ZNumber: 1})
	first := len(b.entries)
	b.note(EntryShiftOpened, ShiftOpened{Shift: ShiftID(called("s2")), Float: money(400)})
	b.note(EntryTenderAdded, TenderAdded{Sale: SaleID(called("a")), Tender: TenderID(called("a2")), Kind: TenderCard, Amount: money(600)})
	b.note(EntrySalePaid, SaleEnded{Sale: SaleID(called("a"))})

	b.reads = 0
	today := b.report(first)
	if today.Sales != (Sum{1, money(1000)}) || today.Tips != (Sum{1, money(50)}) || today.Drawer.Expected != money(400) || today.Drawer.Sales != money(0) {
		t.Errorf("today is %+v", today)
	}
	if want := []TenderSum{{TenderCash, 1, money(400), 0}, {TenderCard, 1, money(600), 0}}; !reflect.DeepEqual(today.Tenders, want) {
		t.Errorf("today was paid by %+v", today.Tenders)
	}
	if b.reads > 3+lookBack {
		t.Errorf("%d entries were read", b.reads)
	}
	yesterday, err := ReportOf(b.read, "EUR", 0, int64(first))
	if err != nil || yesterday.Sales.Count != 0 || yesterday.Drawer.Expected != money(400) || yesterday.ZNumber != 1 || *yesterday.Drawer.Variance != money(0) {
		t.Errorf("yesterday is %+v (%v)", yesterday, err)
	}
	// The parts are the whole.
	both := yesterday
	if err := both.Add(today); err != nil || both.Sales != b.report(0).Sales || both.Drawer.Float != money(400) {
		t.Errorf("both are %+v (%v)", both, err)
	}
}

// TestReportOfNonsense: entries that are stored but make no sense change nothing
// and are counted.
func TestReportOfNonsense(t *testing.T) {
	b := &book{t: t}
	b.sold(1, 500, TenderCash, 500)
	b.note(EntrySalePaid, SaleEnded{Sale: SaleID(called("sale-1"))}) // again
	b.note(EntrySalePaid, SaleEnded{Sale: SaleID(called("nobody"))})
	b.note(EntrySaleOpened, SaleOpened{Sale: SaleID(called("d")), Total: Money{"USD", 100}})
	b.note(EntryRefund, map[string]any{"refund": 7})
	got := b.report(0)
	if got.Sales != (Sum{1, money(500)}) || got.Ignored != 4 {
		t.Errorf("the report is %+v", got)
	}
}

func TestReportOfAnotherCurrencyHasNoSum(t *testing.T) {
	empty := func(c Currency) Report {
		r, err := ReportOf((&book{t: t}).read, c, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := Report{}
	if err := r.Add(empty("EUR")); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(empty("USD")); err == nil {
		t.Error("EUR and USD were added")
	}
}
