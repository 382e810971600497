package terminal

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"till/protocol"
)

func TestSalesAreAsTheJournalAndTheAlertsTell(t *testing.T) {
	c := paired(t)
	ctx := context.Background()
	c.exchange()
	shift := protocol.ShiftID(c.id())
	c.append(protocol.EntryShiftOpened, protocol.ShiftOpened{Shift: shift, User: "1", Float: eur(15000)})
	sale, tender, cash := protocol.SaleID(c.id()), protocol.TenderID(c.id()), protocol.TenderID(c.id())
	number, err := c.NextNumber(ctx)
	must(t, err)
	c.append(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(1230), Number: number, Shift: shift,
		Lines: []protocol.Line{{Name: "Café crème ₿", Quantity: 1500, Price: eur(820)}}})
	added, err := c.AddBitcoinTender(ctx, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderBitcoin, Amount: eur(1000), Quote: "0193c0de-0000-7000-8000-000000000003", DueSat: 17205})
	must(t, err)
	c.append(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: cash, Kind: protocol.TenderCash, Amount: eur(230)})
	c.append(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: sale, Tender: cash})
	c.append(protocol.EntrySaleParked, protocol.SaleEnded{Sale: sale})
	c.append(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderCash, Amount: eur(230)})
	if open, err := c.OpenSales(ctx); err != nil || len(open) != 1 || open[0].Said != SaidOpen {
		t.Errorf("paying a parked sale takes it up: %+v, %v", open, err)
	}
	change := eur(20)
	c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale, Change: &change})
	c.append(protocol.EntryRefund, protocol.Refund{Sale: sale, Refund: protocol.RefundID(c.id()), Amount: eur(100), Kind: protocol.TenderCash})
	c.restart()

	got, err := c.Sale(ctx, sale)
	must(t, err)
	if got.ID() != sale || got.Said != SaidPaid || got.Change == nil || *got.Change != change || len(got.Tenders) != 3 || !got.Tenders[1].Removed || got.Tenders[0].Removed ||
		got.Tenders[0].Address != added.Address || added.Address == "" || len(got.Refunds) != 1 || got.Opening.Number != "000001" || got.Status != nil {
		t.Errorf("%+v", got)
	}
	if by, err := c.SaleByAddress(ctx, added.Address); err != nil || by.ID() != sale {
		t.Errorf("by address: %v, %v", by.ID(), err)
	}
	if _, err := c.Sale(ctx, protocol.SaleID(c.id())); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such sale: %v", err)
	}
	open, is, err := c.Shift(ctx)
	if err != nil || !is || open.Opening.Shift != shift {
		t.Errorf("shift %+v, %v, %v", open, is, err)
	}
	z, err := c.NextZ(ctx)
	must(t, err)
	c.append(protocol.EntryShiftClosed, protocol.ShiftClosed{Shift: shift, Counted: eur(15000), Expected: eur(15000), Variance: eur(0), ZNumber: z})
	if _, is, _ := c.Shift(ctx); is {
		t.Error("the shift is still open")
	}
	if next, err := c.NextZ(ctx); err != nil || next != z+1 {
		t.Errorf("Z %d after %d, %v", next, z, err)
	}
	if past, err := c.Shifts(ctx, 5); err != nil || len(past) != 1 || past[0].Closing == nil || past[0].Closing.ZNumber != 1 {
		t.Errorf("shifts %+v, %v", past, err)
	}
}

func TestSalesAreFoundAndPaged(t *testing.T) {
	c := newCounter(t, newShop(t))
	ctx := context.Background()
	shift := protocol.ShiftID(c.id())
	for i, name := range []string{"Espresso", "Tea 100%", "Ökobier", "Toast", "Water"} {
		o := protocol.SaleOpened{Sale: protocol.SaleID(c.id()), Total: eur(100), Lines: []protocol.Line{{Name: name, Quantity: 1000, Price: eur(100)}}}
		if i == 3 {
			o.Shift = shift
		}
		c.append(protocol.EntrySaleOpened, o)
		c.shop.clock.advance(time.Minute)
	}
	names := func(f SaleFilter) []string {
		t.Helper()
		sales, err := c.Sales(ctx, f)
		must(t, err)
		out := []string{}
		for _, s := range sales {
			out = append(out, s.Opening.Lines[0].Name)
		}
		return out
	}
	for _, test := range []struct {
		filter SaleFilter
		want   []string
	}{
		{SaleFilter{}, []string{"Water", "Toast", "Ökobier", "Tea 100%", "Espresso"}},
		{SaleFilter{Most: 2}, []string{"Water", "Toast"}},
		{SaleFilter{Most: 2, Before: 4}, []string{"Ökobier", "Tea 100%"}},
		{SaleFilter{Text: "öKO"}, []string{"Ökobier"}},
		{SaleFilter{Text: "100%"}, []string{"Tea 100%"}},
		{SaleFilter{Text: "tea 1.00"}, []string{"Tea 100%"}},
		{SaleFilter{Text: "t", Most: 1}, []string{"Toast"}},
		{SaleFilter{Text: "t", Before: 4}, []string{"Tea 100%"}},
		{SaleFilter{Text: "price"}, []string{}},
		{SaleFilter{Text: `"* OR -`}, []string{}},
		{SaleFilter{Text: "?!"}, []string{}},
		{SaleFilter{Shift: shift}, []string{"Toast"}},
		{SaleFilter{Said: SaidPaid}, []string{}},
		{SaleFilter{Since: protocol.TimeOf(c.shop.clock.Now().Add(-2 * time.Minute))}, []string{"Water", "Toast"}},
		{SaleFilter{Until: protocol.TimeOf(c.shop.clock.Now().Add(-2 * time.Minute)), Most: 2}, []string{"Ökobier", "Tea 100%"}},
		{SaleFilter{Text: "wat", Since: protocol.TimeOf(c.shop.clock.Now())}, []string{}},
	} {
		if got := names(test.filter); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.filter, got, test.want)
		}
	}
}

func TestAStepThatFailsTakesAllOthersWithIt(t *testing.T) {
	c := newCounter(t, newShop(t))
	ctx := context.Background()
	sale := protocol.SaleID(c.id())
	_, err := c.Commit(ctx, Record(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(1)}), SaveDraft("cart", []byte("x")),
		TakeAddress(&protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderBitcoin}))
	if !errors.Is(err, ErrNoAddress) {
		t.Fatalf("without addresses: %v", err)
	}
	if v, _ := c.VerifyJournal(ctx); v.Entries != 0 {
		t.Errorf("%d entries stayed", v.Entries)
	}
	if draft, _ := c.Draft(ctx, "cart"); draft != nil {
		t.Errorf("draft %q stayed", draft)
	}
	for name, body := range map[protocol.EntryKind]any{
		protocol.EntryTenderAdded: protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderCash, Amount: eur(1)},
		protocol.EntrySalePaid:    protocol.SaleEnded{Sale: sale},
	} {
		if _, err := c.Append(ctx, name, body); err == nil {
			t.Errorf("%s of no sale was taken", name)
		}
	}
	e := c.append(protocol.EntryDrawerOpened, drawer("a"))
	if e.Seq != 1 || e.Prev != protocol.NoHash {
		t.Errorf("the journal goes on with %+v", e)
	}
}

func TestADraftComesBackAfterACrash(t *testing.T) {
	c := newCounter(t, newShop(t))
	ctx := context.Background()
	for _, value := range []string{"one", "two", ""} {
		_, err := c.Commit(ctx, SaveDraft("cart", []byte(value)))
		must(t, err)
		c.restart()
		if got, err := c.Draft(ctx, "cart"); err != nil || string(got) != value {
			t.Errorf("draft %q, %v, want %q", got, err, value)
		}
	}
	_, err := c.Commit(ctx, SaveDraft("cart", nil))
	must(t, err)
	if got, err := c.Draft(ctx, "cart"); err != nil || got != nil {
		t.Errorf("draft %q, %v", got, err)
	}
}

func TestAReceiptIsNeverPrintedTwiceSilently(t *testing.T) {
	c := newCounter(t, newShop(t))
	ctx := context.Background()
	sale := c.sale(100)
	first, again, label := Job{Kind: JobReceipt, Sale: sale, Data: []byte("p")}, Job{Kind: JobReceipt, Sale: sale}, Job{Kind: "address", Data: []byte("q")}
	_, err := c.Commit(ctx, QueueJob(&first), QueueJob(&label), QueueJob(&again))
	must(t, err)
	if first.Copy != 1 || again.Copy != 2 || label.Copy != 0 {
		t.Errorf("copies %d %d %d", first.Copy, again.Copy, label.Copy)
	}
	_, err = c.Commit(ctx, StartJob(first.ID))
	must(t, err)
	c.restart() // with the paper half out
	jobs, err := c.Jobs(ctx)
	must(t, err)
	if len(jobs) != 3 || jobs[0].State != JobPrinting || string(jobs[0].Data) != "p" || jobs[1].State != JobPending {
		t.Errorf("jobs %+v", jobs)
	}
	_, err = c.Commit(ctx, FinishJob(first.ID), FinishJob(first.ID), DropJob(again.ID), FinishJob(again.ID), FinishJob(label.ID))
	must(t, err)
	if jobs, _ := c.Jobs(ctx); len(jobs) != 0 {
		t.Errorf("jobs %+v", jobs)
	}
	if s, err := c.Sale(ctx, sale); err != nil || s.Copies != 1 {
		t.Errorf("copies %d, %v", s.Copies, err)
	}
	third := Job{Kind: JobReceipt, Sale: sale}
	_, err = c.Commit(ctx, QueueJob(&third))
	must(t, err)
	if third.Copy != 2 {
		t.Errorf("after a dropped copy comes %d", third.Copy)
	}
	if _, err := c.Commit(ctx, StartJob(first.ID)); !errors.Is(err, ErrNotFound) {
		t.Errorf("a printed job started again: %v", err)
	}
	if v, _ := c.VerifyJournal(ctx); v.Entries != 2 {
		t.Errorf("%d entries, want the sale and one receipt", v.Entries)
	}
}

const (
	someTender protocol.TenderID = "0193c0de-0000-7000-8000-000000000004"
	somePayout protocol.PayoutID = "0193c0de-0000-7000-8000-000000000005"
)

func TestTheServersWordOnATenderIsKeptBesideIt(t *testing.T) {
	c := paired(t)
	ctx := context.Background()
	sale := c.sale(1000)
	c.append(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: someTender, Kind: protocol.TenderEcash, Amount: eur(1000)})
	c.shop.tell(protocol.AlertContract, protocol.ContractReady{Sale: sale, Tender: someTender, TransactionID: "T", URL: "taler+http://x", Expiry: 5})
	c.shop.tell(protocol.AlertInvoice, protocol.InvoiceReady{Sale: sale, Tender: someTender, Bolt11: "lnbc1", Expiry: 5})
	c.shop.tell(protocol.AlertDeposit, protocol.DepositStatus{Sale: sale, Tender: someTender, State: "accepted", Amount: eur(1000)})
	c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})

	tab := protocol.SaleID(c.id())
	rounds := protocol.TenderID(c.id())
	c.append(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: tab, Total: eur(0)})
	c.append(protocol.EntryTabOpened, protocol.TabOpened{Sale: tab, Tender: rounds, MaxAmount: eur(5000)})
	c.append(protocol.EntryTabCharged, protocol.TabCharged{Sale: tab, Tender: rounds, Amount: eur(1200), Lines: []protocol.Line{{Name: "Melange", Quantity: 1000, Price: eur(1200)}}})
	c.append(protocol.EntryTabCharged, protocol.TabCharged{Sale: tab, Tender: rounds, Amount: eur(1900), Lines: []protocol.Line{{Name: "Strudel", Quantity: 1000, Price: eur(700)}}})
	c.append(protocol.EntryTabClosed, protocol.TabClosed{Sale: tab, Tender: rounds})
	c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: tab})
	c.shop.tell(protocol.AlertContract, protocol.ContractReady{Sale: tab, Tender: rounds, TransactionID: "R", URL: "taler+http://y", Expiry: 5})
	c.shop.tell(protocol.AlertTab, protocol.TabStatus{Sale: tab, Tender: rounds, State: "paid", MaxAmount: eur(5000)})
	c.shop.tell(protocol.AlertDeposit, protocol.DepositStatus{Sale: tab, Tender: rounds, State: "accepted", Amount: eur(1900)})
	c.exchange()
	c.restart()

	got, err := c.Sale(ctx, sale)
	must(t, err)
	if d := got.Tenders[0]; d.Contract == nil || d.Contract.URL != "taler+http://x" || d.Invoice == nil || d.Invoice.Bolt11 != "lnbc1" || d.Deposit == nil || d.Deposit.State != "accepted" {
		t.Errorf("%+v", d)
	}
	got, err = c.Sale(ctx, tab)
	must(t, err)
	if len(got.Tabs) != 1 || got.Tabs[0].Charged != eur(1900) || !got.Tabs[0].Closed || got.Tabs[0].Status == nil || got.Tabs[0].Status.State != "paid" {
		t.Errorf("%+v", got.Tabs)
	}
	if o := got.Opening; o.Total != eur(1900) || len(o.Lines) != 2 || o.Lines[1].Name != "Strudel" {
		t.Errorf("the sale of a tab holds %+v", o)
	}
	if len(got.Tenders) != 1 || got.Tenders[0].Amount != eur(1900) || got.Tenders[0].Kind != protocol.TenderEcash ||
		got.Tenders[0].Contract == nil || got.Tenders[0].Contract.URL != "taler+http://y" || got.Tenders[0].Deposit == nil {
		t.Errorf("the tab among the tenders: %+v", got.Tenders)
	}
	if found, err := c.Sales(ctx, SaleFilter{Text: "strudel"}); err != nil || len(found) != 1 || found[0].ID() != tab {
		t.Errorf("by what was rung up on it: %+v, %v", found, err)
	}
	if waiting, _ := c.Alerts(ctx); len(waiting) != 0 {
		t.Errorf("%d alerts wait for a person", len(waiting))
	}
}

func TestAlertsAboutSalesThatLeftTheScreenNeedAPerson(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name   string
		end    protocol.EntryKind
		kind   protocol.AlertKind
		body   func(protocol.SaleID) any
		urgent bool
	}{
		{"refused on the screen", "", protocol.AlertSale, func(s protocol.SaleID) any { return protocol.SaleStatus{Sale: s, Verdict: protocol.VerdictRefuse} }, false},
		{"refused after it was paid", protocol.EntrySalePaid, protocol.AlertSale, func(s protocol.SaleID) any { return protocol.SaleStatus{Sale: s, Verdict: protocol.VerdictRefuse} }, true},
		{"deeper after it was paid", protocol.EntrySalePaid, protocol.AlertSale, func(s protocol.SaleID) any { return protocol.SaleStatus{Sale: s, Verdict: protocol.VerdictAccept} }, false},
		{"conflict after it was paid", protocol.EntrySalePaid, protocol.AlertSale, func(s protocol.SaleID) any {
			return protocol.SaleStatus{Sale: s, Verdict: protocol.VerdictWait, Flags: []protocol.Flag{protocol.FlagConflict}}
		}, true},
		{"late money", protocol.EntrySaleCancelled, protocol.AlertIncoming, func(s protocol.SaleID) any { return protocol.Incoming{Sale: s, TxID: "t", Address: "a"} }, true},
		{"a printed address", "", protocol.AlertIncoming, func(protocol.SaleID) any { return protocol.Incoming{TxID: "t", Address: "a"} }, false},
		{"deposit rejected late", protocol.EntrySalePaid, protocol.AlertDeposit, func(s protocol.SaleID) any {
			return protocol.DepositStatus{Sale: s, Tender: someTender, State: "rejected", Amount: eur(1)}
		}, true},
		{"payout lost", "", protocol.AlertPayout, func(protocol.SaleID) any { return protocol.PayoutStatus{ID: somePayout, State: protocol.PayoutUnknown} }, true},
		{"payout on its way", "", protocol.AlertPayout, func(protocol.SaleID) any {
			return protocol.PayoutStatus{ID: somePayout, State: protocol.PayoutBroadcast}
		}, false},
		{"deposit rejected on the screen", "", protocol.AlertDeposit, func(s protocol.SaleID) any {
			return protocol.DepositStatus{Sale: s, Tender: someTender, State: "rejected", Amount: eur(1)}
		}, false},
		{"a tab about to lapse", "", protocol.AlertTab, func(s protocol.SaleID) any {
			return protocol.TabStatus{Sale: s, Tender: someTender, State: "lapsing", MaxAmount: eur(1)}
		}, true},
		{"a tab that is locked", "", protocol.AlertTab, func(s protocol.SaleID) any {
			return protocol.TabStatus{Sale: s, Tender: someTender, State: "locked", MaxAmount: eur(1)}
		}, false},
		{"reserve low", "", protocol.AlertReserveLow, func(protocol.SaleID) any { return protocol.Notice{} }, true},
		{"price stale", "", protocol.AlertRateStale, func(protocol.SaleID) any { return protocol.Notice{} }, false},
		{"not understood", "", protocol.AlertSale, func(protocol.SaleID) any { return []int{} }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCounter(t, newShop(t))
			sale := c.sale(100)
			if test.end != "" {
				c.append(test.end, protocol.SaleEnded{Sale: sale})
			}
			body, err := protocol.Encode(test.body(sale))
			must(t, err)
			for seq := range int64(2) {
				_, err = c.write(ctx, func(ctx context.Context, ch *change) error {
					return ch.storeAlert(ctx, "log", protocol.Alert{Seq: seq + 1, At: 1, Kind: test.kind, Body: body})
				})
				must(t, err)
			}
			waiting, err := c.Alerts(ctx)
			must(t, err)
			if (len(waiting) > 0) != test.urgent {
				t.Errorf("%d alerts wait for a person", len(waiting))
			}
			if test.kind == protocol.AlertIncoming && len(waiting) > 1 {
				t.Error("one transaction rings twice")
			}
			for _, a := range waiting {
				must(t, c.Acknowledge(ctx, a.ID))
			}
			if waiting, _ = c.Alerts(ctx); len(waiting) != 0 {
				t.Error("acknowledged alerts still wait")
			}
		})
	}
	c := newCounter(t, newShop(t))
	if err := c.Acknowledge(ctx, 77); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such alert: %v", err)
	}
}

func TestTheGeneratorIsAsGoodAsTheMachinesOwnWhateverIsMixedIn(t *testing.T) {
	draw := func(mix ...string) []byte {
		g := newGenerator(rand.NewChaCha8([32]byte{1}))
		for _, m := range mix {
			g.mix([]byte(m))
		}
		out := make([]byte, 100)
		if _, err := g.Read(out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if slices.Equal(draw(), draw("a")) || slices.Equal(draw("a"), draw("b")) || slices.Equal(draw("a"), draw("a", "a")) {
		t.Error("what is mixed in changes nothing")
	}
	if !slices.Equal(draw("a", "b"), draw("a", "b")) {
		t.Error("the generator draws from something else")
	}
	g := newGenerator(failing{})
	g.mix([]byte("a"))
	if n, err := g.Read(make([]byte, 8)); err == nil || n != 0 {
		t.Errorf("without its own source it gave %d bytes", n)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestASaleIsReplayedFromAmongOthers(t *testing.T) {
	c := newCounter(t, newShop(t))
	ctx := context.Background()
	var ids []protocol.SaleID
	for range 40 {
		id := protocol.SaleID(c.id())
		ids = append(ids, id)
		c.append(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: id, Total: eur(100)})
		c.append(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: id, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderCash, Amount: eur(100)})
		c.shop.clock.advance(time.Minute)
	}
	for _, i := range []int{0, 17, 39} {
		c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: ids[i]})
		happened, err := c.Replay(ctx, ids[i])
		must(t, err)
		var kinds []protocol.EntryKind
		for _, h := range happened {
			if h.Entry != nil {
				kinds = append(kinds, h.Entry.Kind)
			}
		}
		if !slices.Equal(kinds, []protocol.EntryKind{protocol.EntrySaleOpened, protocol.EntryTenderAdded, protocol.EntrySalePaid}) {
			t.Errorf("sale %d: %v", i, kinds)
		}
	}
	if _, err := c.Replay(ctx, protocol.SaleID(c.id())); !errors.Is(err, ErrNotFound) {
		t.Errorf("of no sale: %v", err)
	}
}
