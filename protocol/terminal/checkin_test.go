package terminal

import (
	"context"
	"slices"
	"testing"
	"time"

	"till/protocol"
)

func TestACheckInBringsEverythingAndKeepsItOnDisk(t *testing.T) {
	c := paired(t)
	c.shop.with(func() { c.shop.config.CatalogueVersion = 3 })
	q := c.shop.quote("0193c0de-0000-7000-8000-000000000003", 10*time.Minute)
	c.exchange()
	for range 2 {
		if got, ok := c.Config(); !ok || got.Version != 1 || got.Currency != "EUR" {
			t.Errorf("config %+v, %v", got, ok)
		}
		if got := c.Catalogue(); got.Version != 3 || len(got.Items) != 1 {
			t.Errorf("catalogue %+v", got)
		}
		if got, ok := c.Quote(c.shop.clock.Now()); !ok || got.ID != q.ID {
			t.Errorf("quote %+v, %v", got, ok)
		}
		if h := c.Health(); h.Addresses != protocol.KeepLeases || !h.Paired || h.Config != 1 || h.Unsent != 0 || h.QuoteUntil != q.Until {
			t.Errorf("health %+v", h)
		}
		c.restart()
	}
	c.SetDevices([]protocol.DeviceState{{Name: "printer", State: "fault", Fault: "paper_out"}})
	c.exchange()
	if last := c.shop.checkIns[len(c.shop.checkIns)-1]; len(last.Devices) != 1 || last.Devices[0].Fault != "paper_out" {
		t.Errorf("devices %+v", last.Devices)
	}
	if last := c.shop.checkIns[len(c.shop.checkIns)-1]; last.Config != 1 || last.Addresses != 20 || last.Log != c.shop.log || last.Software != "till/test" {
		t.Errorf("check-in said %+v", last)
	}
}

func TestALostAnswerDoublesNothing(t *testing.T) {
	for _, cut := range []struct {
		name string
		set  func(*shop)
	}{
		{"before it was read", func(s *shop) { s.cutBefore = 1 }},
		{"after the work was done", func(s *shop) { s.cutAfter = 1 }},
	} {
		t.Run(cut.name, func(t *testing.T) {
			c := paired(t)
			c.exchange()
			sale := c.sale(1230)
			c.shop.tell(protocol.AlertSale, protocol.SaleStatus{Sale: sale, State: protocol.SaleSeen, Verdict: protocol.VerdictWait})
			c.shop.with(func() { cut.set(c.shop) })
			l := c.loop()
			if _, err := l.round(context.Background()); err == nil {
				t.Fatal("the cable was not cut")
			}
			l.failed(context.Background(), protocol.ErrUnreachable)
			if h := c.Health(); h.Online || h.OfflineSince == 0 || h.Unsent != 1 {
				t.Errorf("health %+v", h)
			}
			c.restart()
			c.append(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: sale})
			c.exchange()
			if len(c.shop.journal) != 2 {
				t.Errorf("the server has %d entries", len(c.shop.journal))
			}
			alerts, err := c.AlertLog(context.Background(), 0, 10)
			if err != nil || len(alerts) != 1 || alerts[0].Seq != 1 {
				t.Errorf("alerts %+v, %v", alerts, err)
			}
			if h := c.Health(); !h.Online || h.OfflineSince != 0 || h.Unsent != 0 {
				t.Errorf("health %+v", h)
			}
		})
	}
}

func TestAPowerCutAtEveryStepLosesAndDoublesNothing(t *testing.T) {
	c := paired(t)
	c.exchange()
	ctx := context.Background()
	sale, tender := protocol.SaleID(c.id()), protocol.TenderID(c.id())
	var job int64
	steps := []func(){
		func() { _, err := c.Commit(ctx, SaveDraft("cart", []byte("1 coffee"))); must(t, err) },
		func() {
			_, err := c.Commit(ctx, Record(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(1230)}), SaveDraft("cart", nil))
			must(t, err)
		},
		func() {
			_, err := c.AddBitcoinTender(ctx, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderBitcoin, Amount: eur(1230), Quote: "0193c0de-0000-7000-8000-000000000003", DueSat: 21162})
			must(t, err)
		},
		func() {
			c.shop.tell(protocol.AlertSale, protocol.SaleStatus{Sale: sale, State: protocol.SaleConfirmed, Verdict: protocol.VerdictAccept})
		},
		func() {
			j := Job{Kind: JobReceipt, Sale: sale, Data: []byte("paper")}
			_, err := c.Commit(ctx, Record(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale}), QueueJob(&j))
			must(t, err)
			job = j.ID
		},
		func() { _, err := c.Commit(ctx, StartJob(job)); must(t, err) },
		func() { _, err := c.Commit(ctx, FinishJob(job)); must(t, err) },
	}
	for i, step := range steps {
		step()
		c.restart()
		c.shop.with(func() { c.shop.cutAfter = i % 2 })
		_, _ = c.loop().round(ctx) // cut or not, what was told is kept
		c.restart()
	}
	c.shop.with(func() { c.shop.cutAfter = 0 })
	c.exchange()
	got, err := c.Sale(ctx, sale)
	must(t, err)
	if got.Said != SaidPaid || len(got.Tenders) != 1 || got.Tenders[0].Address != "bcrt1q0000" || got.Copies != 1 || got.Status == nil || got.Status.State != protocol.SaleConfirmed {
		t.Errorf("sale %+v", got)
	}
	kinds := []protocol.EntryKind{}
	for _, e := range c.shop.journal {
		kinds = append(kinds, e.Kind)
	}
	if want := []protocol.EntryKind{"sale_opened", "tender_added", "sale_paid", "receipt_printed"}; !slices.Equal(kinds, want) {
		t.Errorf("the server has %v", kinds)
	}
	c.verify()
}

func TestManyEntriesGoUpInRequestsThatFit(t *testing.T) {
	c := paired(t)
	c.exchange()
	big := make([]protocol.Line, 300)
	for i := range big {
		big[i] = protocol.Line{Name: "A long name of something that is sold here in this very shop", Quantity: 1000, Price: eur(1)}
	}
	for range 12 {
		c.append(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: protocol.SaleID(c.id()), Total: eur(300), Lines: big})
	}
	steps := make([]Step, 450)
	for i := range steps {
		steps[i] = Record(protocol.EntryDrawerOpened, protocol.DrawerOpened{Reason: "no sale"})
	}
	_, err := c.Commit(context.Background(), steps...)
	must(t, err)
	c.sale(1)
	c.drain()
	if got := len(c.shop.journal); got != 463 {
		t.Errorf("the server has %d entries", got)
	}
	c.verify()
}

// drain sends everything while sales are open.
func (c *counter) drain() {
	c.t.Helper()
	l := c.loop()
	for c.Health().Unsent > 0 {
		if _, err := l.round(context.Background()); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestAlertsOfANewLogBeginAnew(t *testing.T) {
	c := paired(t)
	sale := c.sale(100)
	c.append(protocol.EntrySaleParked, protocol.SaleEnded{Sale: sale})
	for range 5 { // more than one answer brings
		c.shop.tell(protocol.AlertSale, protocol.SaleStatus{Sale: sale, State: protocol.SaleConfirmed, Verdict: protocol.VerdictAccept})
	}
	c.exchange()
	if c.cursor.Alert != 5 {
		t.Errorf("cursor %+v", c.cursor)
	}
	c.shop.with(func() {
		c.shop.log = "0193c0de-0000-7000-8000-00000000bbbb"
		c.shop.alerts = nil
	})
	c.shop.tell(protocol.AlertSale, protocol.SaleStatus{Sale: sale, State: protocol.SaleConfirmed, Verdict: protocol.VerdictAccept})
	c.exchange()
	if c.cursor.Alert != 1 || c.cursor.Log != c.shop.log {
		t.Errorf("cursor %+v", c.cursor)
	}
	got, err := c.Sale(context.Background(), sale)
	if err != nil || got.Status.State != protocol.SaleConfirmed {
		t.Errorf("%+v, %v", got.Status, err)
	}
	// A new log in which nothing stands yet.
	c.shop.with(func() {
		c.shop.log = "0193c0de-0000-7000-8000-00000000cccc"
		c.shop.alerts = nil
	})
	c.exchange()
	if c.cursor.Alert != 0 || c.cursor.Log != c.shop.log {
		t.Errorf("cursor %+v", c.cursor)
	}
	c.shop.tell(protocol.AlertNodeBehind, protocol.Notice{Message: "m", Reason: "r"})
	// The same log, shorter: a server that lost the end of it.
	c.shop.tell(protocol.AlertNodeBehind, protocol.Notice{Message: "m", Reason: "r"})
	c.exchange()
	c.shop.with(func() { c.shop.alerts = nil })
	c.shop.tell(protocol.AlertPayout, protocol.PayoutStatus{ID: "0193c0de-0000-7000-8000-000000000009", Of: protocol.PayoutSweep, State: protocol.PayoutBroadcast})
	c.exchange()
	all, err := c.AlertLog(context.Background(), 0, 100)
	if err != nil || len(all) != 8 || all[0].Kind != protocol.AlertPayout || c.cursor.Alert != 1 {
		t.Errorf("%d alerts, newest %+v, cursor %+v, %v", len(all), all[0], c.cursor, err)
	}
}

func TestAClockThatRunsBackLeavesTheJournalInOrder(t *testing.T) {
	c := paired(t)
	first := c.append(protocol.EntryDrawerOpened, protocol.DrawerOpened{Reason: "a"})
	c.shop.clock.advance(-time.Hour)
	second := c.append(protocol.EntryDrawerOpened, protocol.DrawerOpened{Reason: "b"})
	if second.At != first.At {
		t.Errorf("%s after %s", second.At, first.At)
	}
	c.verify()
}

func TestTheClocksDifferenceShows(t *testing.T) {
	c := paired(t)
	c.o.Clock = func() time.Time { return c.shop.clock.Now().Add(-4 * time.Minute) }
	c.exchange()
	if h := c.Health(); h.Skew != 4*time.Minute || !h.ClockWrong() {
		t.Errorf("skew %v", h.Skew)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
