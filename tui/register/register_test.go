package register

import (
	"slices"
	"testing"

	"till/protocol"
)

func TestDigitsFillFromTheRight(t *testing.T) {
	for typed, want := range map[string]int64{
		"1": 1, "12": 12, "1250": 1250, "0005": 5, "12.": 1200, "12.5": 1250, "12.50": 1250, ".5": 50, "1.005": 100, "1234567890123": 123456789012,
	} {
		c := counter(t)
		for _, k := range typed {
			if k == '.' {
				c.do(Point{})
			} else {
				c.do(Digits{string(k)})
			}
		}
		if got := c.r.Amount().Minor; got != want {
			t.Errorf("%q is %d, want %d", typed, got, want)
		}
		for range typed {
			if c.r.WhyNot(Erase{}) == "" {
				c.do(Erase{})
			}
		}
		if !c.r.Entry.Empty() {
			t.Errorf("%q is not erased: %+v", typed, c.r.Entry)
		}
	}
}

func TestRingingUp(t *testing.T) {
	c := counter(t)
	c.do(Digits{"2"}, Quantity{}, Typed{"esp"}, Next{}) // 2 × 2.50
	c.do(Typed{"strudel"}, Next{})                      // 4.80
	c.do(Digits{"250"}, Add{})                          // 2.50
	c.total(1230)
	if n := len(c.r.Cart.Lines); n != 3 || c.r.Cart.Lines[0].Quantity != 2000 || c.r.Cart.Lines[2].Name != "Open item" {
		t.Fatalf("lines are %+v", c.r.Cart.Lines)
	}
	c.do(Digits{"10"}, Discount{})
	c.total(1205)
	c.do(Clear{})
	c.total(0)
	c.do(Undo{})
	c.total(1205)
	c.do(Erase{})
	c.total(980)
	c.do(Undo{})
	c.total(1205)
}

func TestAnItemTwiceIsOneLine(t *testing.T) {
	c := counter(t)
	c.do(Typed{"esp"}, Next{}, Typed{"esp"}, Next{})
	if len(c.r.Cart.Lines) != 1 || c.r.Cart.Lines[0].Quantity != 2000 {
		t.Fatalf("lines are %+v", c.r.Cart.Lines)
	}
}

func TestSearchKnowsNoAccents(t *testing.T) {
	c := counter(t)
	c.do(Typed{"creme"})
	if len(c.r.Found) != 1 || c.r.Found[0].Item.SKU != "102" {
		t.Fatalf("found %+v", c.r.Found)
	}
}

func TestATypedPriceNamesAnOpenItem(t *testing.T) {
	c := counter(t)
	c.do(Digits{"700"}, Typed{"flo"})
	if len(c.r.Found) != 2 || c.r.Found[0].Item.SKU != "301" || !c.r.Found[1].Open {
		t.Fatalf("found %+v", c.r.Found)
	}
	c.do(Next{})
	c.total(735) // 5 % tax on top
	c.do(Digits{"100"}, Typed{"Candle"}, Next{})
	if l := c.r.Cart.Lines[1]; l.Name != "Candle" || l.Price.Minor != 100 {
		t.Fatalf("line is %+v", l)
	}
	c.do(Typed{"flo"}, Next{})
	if c.r.Note.Why != WhyNoPrice || c.r.Text == "" {
		t.Fatalf("an item without a price was taken: %+v", c.r.Note)
	}
}

func TestAScanIsAnItemAndNeverKeys(t *testing.T) {
	c := counter(t)
	c.do(Scanned{"9001234567890"})
	c.total(380)
	before := c.r.Cart
	c.do(Scanned{"1234567+"})
	if c.r.Note.Why != WhyUnknownCode || len(c.r.Cart.Lines) != len(before.Lines) || !c.r.Entry.Empty() {
		t.Fatalf("note %+v, cart %+v, entry %+v", c.r.Note, c.r.Cart, c.r.Entry)
	}
}

func TestAScanBeforeTheGoodsCameWaitsForThem(t *testing.T) {
	c := counter(t)
	goods := shop()
	bare := goods
	bare.Items, bare.Config.CatalogueVersion = nil, 1
	c.do(bare, Scanned{"9001234567890"})
	if c.r.Note.Why != WhyGoodsComing {
		t.Fatalf("note is %+v", c.r.Note)
	}
	c.do(goods)
	c.total(380)
	c.do(goods)
	c.total(380)

	c = counter(t)
	c.do(bare, Scanned{"9001234567890"}, Digits{"500"}, Next{}, goods, Back{}, goods)
	c.total(500)
}

func TestPriceIsForManagers(t *testing.T) {
	c := counter(t)
	c.do(Typed{"esp"}, Next{}, Digits{"100"}, Price{})
	if c.r.Note.Why != WhyNeedsManager {
		t.Fatalf("note is %q", c.r.Note.Why)
	}
	c.do(Signed{User: protocol.User{Role: protocol.RoleManager}, Shift: "s"}, Price{})
	c.total(100)
}

func TestTipsGoRound(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1000"}, Add{})
	for _, want := range []int64{1050, 1100, 1000, 1050} {
		c.do(Tip{})
		c.total(want)
	}
	c.do(Digits{"123"}, Tip{})
	c.total(1123)
}

func TestABitcoinSale(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{})
	c.phase(Choosing)
	c.do(Choose{protocol.TenderBitcoin})
	c.phase(Waiting)
	if tender, _ := c.r.Bitcoin(); tender.DueSat != 21164 {
		t.Fatalf("due is %d", tender.DueSat)
	}
	c.do(c.status(protocol.SaleSeen, protocol.VerdictWait, 21164))
	c.phase(Waiting)
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, 21164))
	c.phase(Settled)
	records := c.records()
	last := records[len(records)-1]
	if !c.r.Outcome.Paid || last.End != protocol.EntrySalePaid || last.Receipt == nil || !slices.Equal(c.sounds(), []Sound{SoundPaid}) {
		t.Fatalf("outcome %+v, record %+v, sounds %v", c.r.Outcome, last, c.sounds())
	}
	c.do(c.status(protocol.SaleConfirmed, protocol.VerdictAccept, 21164))
	if len(c.records()) != len(records) {
		t.Fatal("a sale was paid twice")
	}
	c.do(Digits{"1"})
	if c.r.WhyNot(Digits{"1"}) == "" || !c.r.Entry.Empty() {
		t.Fatal("a result was typed away")
	}
	c.do(Next{})
	c.phase(Ringing)
	c.total(0)
}

func TestSwitchingTheTenderKeepsTheAddress(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Next{}, Back{}, Choose{protocol.TenderCash}, Back{}, Choose{protocol.TenderBitcoin})
	c.phase(Waiting)
	if c.tenders != 1 {
		t.Fatalf("%d tenders were made", c.tenders)
	}
}

func TestUnderpaidAsksForTheRest(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Next{})
	c.do(c.status(protocol.SaleSeen, protocol.VerdictWait, 10000, protocol.FlagUnderpaid))
	tender, _ := c.r.Bitcoin()
	if due := c.r.Sale.Due(tender); due != 11164 {
		t.Fatalf("due is %d", due)
	}
	link, err := c.r.Link(tender.Address, 11164)
	if err != nil || link != "BITCOIN:BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080?amount=0.00011164" {
		t.Fatalf("link is %q, %v", link, err)
	}
	if why := c.r.WhyNot(Choose{protocol.TenderCash}); why != WhyPartArrived {
		t.Fatalf("cash is %q", why)
	}
}

func TestExpiryIsToldOnceAndANewPriceTakesItsPlace(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Next{})
	expired := c.status(protocol.SaleExpired, protocol.VerdictRefuse, 0)
	c.do(expired)
	c.phase(Settled)
	c.do(Next{})
	c.phase(Choosing)
	c.do(expired)
	c.phase(Choosing)
	if got := c.sounds(); !slices.Equal(got, []Sound{SoundFailed}) {
		t.Fatalf("sounds are %v", got)
	}
	c.do(Choose{protocol.TenderBitcoin})
	c.phase(Waiting)
	c.do(expired) // a late word about the tender before
	c.phase(Waiting)
	last := c.records()[1]
	if last.Remove == nil || last.Remove.Reason != ReasonLapsed || last.Add == nil || len(c.r.Sale.Tenders) != 1 {
		t.Fatalf("record %+v, tenders %+v", last, c.r.Sale.Tenders)
	}
}

func TestLateMoneyIsForTheCashierToTake(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Next{})
	c.do(c.status(protocol.SaleExpired, protocol.VerdictRefuse, 0), Next{})
	c.do(c.status(protocol.SaleSeen, protocol.VerdictWait, 21164, protocol.FlagLate))
	c.phase(Waiting)
	c.do(Next{})
	c.phase(Settled)
	records := c.records()
	if last := records[len(records)-1]; last.Ended.Reason != ReasonLate || !c.r.Outcome.Paid {
		t.Fatalf("record is %+v", last)
	}
}

func TestAReplacedPaymentTurnsPaidAround(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Next{})
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, 21164))
	c.do(c.status(protocol.SaleOpen, protocol.VerdictRefuse, 0, protocol.FlagReplaced))
	c.phase(Settled)
	if c.r.Outcome.Paid || !slices.Equal(c.sounds(), []Sound{SoundPaid, SoundFailed}) {
		t.Fatalf("outcome %+v, sounds %v", c.r.Outcome, c.sounds())
	}
}

func TestCashGivesChangeInOneRecord(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Choose{protocol.TenderCash}, Digits{"2000"}, Next{})
	c.phase(Settled)
	rec := c.records()[0]
	if len(c.records()) != 1 || rec.Open == nil || rec.Add.Amount.Minor != 2000 || rec.End != protocol.EntrySalePaid ||
		rec.Ended.Change.Minor != 770 || rec.Receipt == nil || c.r.Outcome.Change.Minor != 770 {
		t.Fatalf("record is %+v", rec)
	}
}

func TestCashCanPayAPart(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Choose{protocol.TenderCash}, Digits{"500"}, Next{})
	c.phase(Choosing)
	if rest := c.r.Rest(); rest.Minor != 730 {
		t.Fatalf("rest is %v", rest)
	}
	c.do(Choose{protocol.TenderBitcoin})
	tender, _ := c.r.Bitcoin()
	if tender.Amount.Minor != 730 {
		t.Fatalf("tender is %+v", tender)
	}
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, tender.DueSat))
	c.phase(Settled)
}

func TestALateAnswerDoesNotLandOnTheNextSale(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Next{}, Next{})
	c.mute = true
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, 21164), Next{})
	c.phase(Ringing)
	late := c.records()[1].Ticket
	c.mute = false
	c.do(Digits{"500"}, Next{}, Next{})
	before := c.r
	c.do(Recorded{Ticket: late}, Refused{Ticket: late, Why: WhyDiskFull})
	if c.r.Sale != before.Sale || c.r.Phase != before.Phase || c.r.Note.Why != "" {
		t.Fatal("an answer to the last sale changed this one")
	}
}

func TestADiskThatIsFullAsksForNoMoney(t *testing.T) {
	c := counter(t)
	c.broken = true
	c.do(Digits{"1230"}, Next{}, Next{})
	c.phase(Choosing)
	if c.r.Note.Why != WhyDiskFull || c.r.Sale != nil {
		t.Fatalf("note %+v", c.r.Note)
	}
	c.total(1230)
}

func TestParkAndRecall(t *testing.T) {
	c := counter(t)
	c.do(Typed{"esp"}, Next{}, Park{})
	c.phase(Ringing)
	c.total(0)
	parked := c.answer(c.records()[0]).(Recorded).Opening
	c.do(Recall{Sale{Opening: parked}})
	c.phase(Ringing)
	c.total(250)
	last := c.records()[1]
	if last.End != protocol.EntrySaleCancelled || last.Ended.Reason != ReasonRecalled || last.Draft.Empty() {
		t.Fatalf("record is %+v", last)
	}
}

func TestCancelKeepsTheCart(t *testing.T) {
	c := counter(t)
	c.do(Typed{"esp"}, Next{}, Next{}, Next{}, Cancel{Reason: "changed", Keep: true})
	c.phase(Ringing)
	c.total(250)
	records := c.records()
	if last := records[len(records)-1]; last.Draft.Empty() {
		t.Fatal("the cart is not kept on disk")
	}
}

// TestAKeyPaysTheSale: its tender opens the sale, the sweep follows what is in
// the journal, and only the server's verdict makes it paid.
func TestAKeyPaysTheSale(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Add{}, Next{}, Redeem{eur(1230)})
	c.phase(Waiting)
	rec := c.records()[0]
	if rec.Open == nil || rec.Add.Kind != protocol.TenderKey || rec.Add.Amount != eur(1230) {
		t.Errorf("records %+v", rec)
	}
	claimed, ok := c.effects[len(c.effects)-1].(Claimed)
	if !ok || claimed.Tender.Kind != protocol.TenderKey || claimed.Why != "" {
		t.Fatalf("effects are %+v", c.effects)
	}
	c.do(Choose{protocol.TenderCash})
	if c.r.Note.Why != WhyKeyTaken {
		t.Errorf("cash while the key is being taken: %q", c.r.Note.Why)
	}
	told := Told{protocol.SaleStatus{
		Sale: c.r.Sale.Opening.Sale, State: protocol.SaleAccepted, Verdict: protocol.VerdictAccept, ReceivedSat: 21164,
		Tenders: []protocol.TenderStatus{{Tender: claimed.Tender.Tender, ReceivedSat: 21164}},
	}}
	c.do(told)
	c.phase(Settled)
	if !c.r.Outcome.Paid {
		t.Error("not paid")
	}
}

func TestAKeyPaysAPartAndTheRestIsPaidOtherwise(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Add{}, Next{}, Redeem{eur(581)})
	claimed := c.effects[len(c.effects)-1].(Claimed)
	c.do(Told{protocol.SaleStatus{
		Sale: c.r.Sale.Opening.Sale, State: protocol.SaleAccepted, Verdict: protocol.VerdictAccept,
		Tenders: []protocol.TenderStatus{{Tender: claimed.Tender.Tender}},
	}})
	c.phase(Choosing)
	if c.r.CashDue() != eur(1230-581) {
		t.Errorf("cash due is %v", c.r.CashDue())
	}
	c.do(Choose{protocol.TenderCash}, Next{})
	c.phase(Settled)
	if !c.r.Outcome.Paid {
		t.Error("not paid")
	}
}

func TestAKeyThatWasNotTakenLeavesTheSale(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Add{}, Next{}, Redeem{eur(1230)})
	id := c.effects[len(c.effects)-1].(Claimed).Tender.Tender
	c.do(Withdraw{Tender: id, Reason: ReasonNotTaken})
	c.phase(Choosing)
	if len(c.r.Sale.Tenders) != 0 || c.r.CashDue() != eur(1230) {
		t.Errorf("tenders %v, due %v", c.r.Sale.Tenders, c.r.CashDue())
	}
}
