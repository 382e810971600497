package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

func TestSmallSaleIsAcceptedUnconfirmedAndThenConfirms(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	if open := till.last(d.sale); open.State != protocol.SaleOpen || open.Verdict != protocol.VerdictWait || open.DueSat != 21162 {
		t.Fatalf("the new sale is told as %+v", open)
	}
	txid := till.pay(d.address, d.due)
	got := till.untilState(d.sale, protocol.SaleAccepted)
	if got.Verdict != protocol.VerdictAccept || got.ReceivedSat != d.due || !slices.Equal(got.TxIDs, []string{txid}) || len(got.Flags) != 0 {
		t.Fatalf("accepted as %+v", got)
	}
	if want := "fee 5 sat/vB, no conflict, under the 50 EUR limit: the goods may go"; got.Message != want {
		t.Errorf("message %q, want %q", got.Message, want)
	}
	till.mine(3)
	till.untilState(d.sale, protocol.SaleConfirmed)
}

func TestNothingIsAcceptedBeforeTheWatchIsOver(t *testing.T) {
	t.Parallel()
	till := openShop(t, func(s *server.Settings) { s.Watch = 3 * time.Second }).pair("main", false)
	d := till.sell(1000)
	till.pay(d.address, d.due)
	seen := till.untilState(d.sale, protocol.SaleSeen)
	if seen.Reason != "watching" || seen.Verdict != protocol.VerdictWait {
		t.Fatalf("first sight is told as %+v", seen)
	}
	till.pass(3 * time.Second)
	till.untilState(d.sale, protocol.SaleAccepted)
}

func TestLargerSaleWaitsForItsConfirmations(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(100_000)
	till.pay(d.address, d.due)
	if seen := till.untilState(d.sale, protocol.SaleSeen); seen.Reason != "unconfirmed" || seen.Message != "seen: 0 of 1 confirmation" {
		t.Fatalf("seen as %+v", seen)
	}
	till.mine(1)
	if got := till.untilState(d.sale, protocol.SaleAccepted); got.Confirmations != 1 {
		t.Fatalf("accepted as %+v", got)
	}
	till.mine(2)
	till.untilState(d.sale, protocol.SaleConfirmed)
}

func TestSplittingASaleDoesNotMakeItSafer(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	sale := till.open(8000)
	first, second := till.tender(sale, 4000), till.tender(sale, 4000)
	till.write(protocol.EntryTenderAdded, first)
	till.write(protocol.EntryTenderAdded, second)
	till.pay(first.Address, first.DueSat)
	till.pay(second.Address, second.DueSat)
	got := till.untilSale(sale, "both are there", func(s protocol.SaleStatus) bool { return s.ReceivedSat == first.DueSat+second.DueSat })
	if got.State != protocol.SaleSeen || got.Verdict != protocol.VerdictWait {
		t.Fatalf("80 EUR in two halves are told as %+v", got)
	}
	till.mine(1)
	till.untilState(sale, protocol.SaleAccepted)
}

func TestLowFeeWaitsForAConfirmation(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1000)
	till.payAt(d.address, d.due, 300, true)
	got := till.untilState(d.sale, protocol.SaleSeen)
	if got.Reason != "fee_low" || !strings.Contains(got.Message, "sat/vB is below the 1 sat/vB") {
		t.Fatalf("told as %+v", got)
	}
	till.mine(1)
	till.untilState(d.sale, protocol.SaleAccepted)
}

func TestNodeBehindGivesNothingWithoutAConfirmation(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	till.pass(2 * time.Hour)
	till.sync()
	d := till.sell(1000)
	till.pay(d.address, d.due)
	if got := till.untilState(d.sale, protocol.SaleSeen); got.Reason != "node_behind" {
		t.Fatalf("told as %+v", got)
	}
	till.mine(1)
	till.untilState(d.sale, protocol.SaleAccepted)
}

func TestUnderpaidWaitsForTheRest(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	till.pay(d.address, d.due-3000)
	got := till.untilState(d.sale, protocol.SaleSeen)
	if !slices.Equal(got.Flags, []protocol.Flag{protocol.FlagUnderpaid}) || got.Verdict != protocol.VerdictWait || got.Message != "0.00003 BTC are missing" {
		t.Fatalf("told as %+v", got)
	}
	till.pay(d.address, 3000)
	if got := till.untilState(d.sale, protocol.SaleAccepted); len(got.Flags) != 0 || got.ReceivedSat != d.due {
		t.Fatalf("accepted as %+v", got)
	}
}

func TestOverpaidIsAcceptedAndTheExcessIsOwed(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	till.pay(d.address, d.due+5000)
	if got := till.untilState(d.sale, protocol.SaleAccepted); !slices.Equal(got.Flags, []protocol.Flag{protocol.FlagOverpaid}) {
		t.Fatalf("accepted as %+v", got)
	}
	till.owes(map[string]protocol.Sat{"overpaid": 5000})
	debts, err := till.Debts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := till.SettleDebt(context.Background(), debts[0].ID); err != nil {
		t.Fatal(err)
	}
	till.owes(nil)
	till.mine(1)
	till.untilSale(d.sale, "it is confirmed once", func(s protocol.SaleStatus) bool { return s.Confirmations == 1 })
	till.owes(nil)
}

// owes compares the open debts, by reason.
func (s *shop) owes(want map[string]protocol.Sat) {
	s.t.Helper()
	debts, err := s.Debts(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[string]protocol.Sat{}
	for _, d := range debts {
		got[d.Reason] += d.Open()
	}
	if len(got) != len(want) {
		s.t.Fatalf("the shop owes %v, not %v", got, want)
	}
	for reason, sat := range want {
		if got[reason] != sat {
			s.t.Fatalf("the shop owes %v, not %v", got, want)
		}
	}
}

func TestToleranceTakesWhatIsNearlyPaid(t *testing.T) {
	t.Parallel()
	till := openShop(t, func(s *server.Settings) { s.ToleranceSat, s.TolerancePermille = 10, 5 }).pair("main", false)
	d := till.sell(1230)
	till.pay(d.address, d.due-105) // 5 permille of 21162
	if got := till.untilState(d.sale, protocol.SaleAccepted); len(got.Flags) != 0 {
		t.Fatalf("accepted as %+v", got)
	}
	short := till.sell(1230)
	till.pay(short.address, short.due-106)
	if got := till.untilState(short.sale, protocol.SaleSeen); got.Reason != "underpaid" {
		t.Fatalf("told as %+v", got)
	}
}

func TestSaleExpiresAndLateMoneyWaitsForTheCashier(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	till.pass(15*time.Minute + time.Second)
	if got := till.untilState(d.sale, protocol.SaleExpired); got.Verdict == protocol.VerdictAccept {
		t.Fatalf("told as %+v", got)
	}
	till.pay(d.address, d.due)
	late := till.untilState(d.sale, protocol.SaleSeen)
	if !slices.Equal(late.Flags, []protocol.Flag{protocol.FlagLate}) || late.Verdict != protocol.VerdictWait {
		t.Fatalf("late money is told as %+v", late)
	}
	in := till.untilIncoming(d.address, 0)
	if in.Sale != d.sale || in.AmountSat != d.due || !slices.Equal(in.Flags, []protocol.Flag{protocol.FlagLate}) {
		t.Fatalf("late money came in as %+v", in)
	}
	till.owes(map[string]protocol.Sat{"late": d.due})
	till.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: d.sale})
	if got := till.untilState(d.sale, protocol.SaleAccepted); got.Verdict != protocol.VerdictAccept {
		t.Fatalf("taken as %+v", got)
	}
	till.owes(nil)
}

// untilIncoming waits for money to the address with so many confirmations.
func (t *till) untilIncoming(address string, confirmations int64) protocol.Incoming {
	t.t.Helper()
	var in protocol.Incoming
	t.until("money has come in", 0, func(a protocol.Alert) bool {
		if a.Kind != protocol.AlertIncoming {
			return false
		}
		in = protocol.Incoming{}
		if err := protocol.DecodeResult(a.Body, &in); err != nil {
			t.t.Fatal(err)
		}
		return in.Address == address && in.Confirmations == confirmations
	})
	return in
}

func TestMoneyOfACancelledSaleIsOwed(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	till.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: d.sale, Reason: "walked away"})
	till.untilState(d.sale, protocol.SaleCancelled)
	till.pay(d.address, d.due)
	if in := till.untilIncoming(d.address, 0); in.Sale != d.sale || in.AmountSat != d.due {
		t.Fatalf("came in as %+v", in)
	}
	till.owes(map[string]protocol.Sat{"cancelled": d.due})
	if got := till.last(d.sale); got.State != protocol.SaleCancelled || got.ReceivedSat != 0 {
		t.Fatalf("a cancelled sale was told again: %+v", got)
	}
}

func TestSaleCancelledAfterItWasPaidIsOwed(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	till.pay(d.address, d.due)
	till.untilState(d.sale, protocol.SaleAccepted)
	till.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: d.sale})
	if got := till.untilState(d.sale, protocol.SaleCancelled); got.Verdict != protocol.VerdictRefuse {
		t.Fatalf("told as %+v", got)
	}
	till.owes(map[string]protocol.Sat{"cancelled": d.due})
}

func TestMoneyOfARemovedTenderIsOwedAndTheSaleGoesOn(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	till.write(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: d.sale, Tender: d.tender, Reason: "pays cash"})
	till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: d.sale, Tender: protocol.TenderID(newID(t)), Kind: protocol.TenderCash, Amount: eur(1230)})
	till.pay(d.address, d.due)
	if in := till.untilIncoming(d.address, 0); in.Sale != d.sale {
		t.Fatalf("came in as %+v", in)
	}
	till.owes(map[string]protocol.Sat{"removed": d.due})
	if got := till.last(d.sale); got.State != protocol.SaleConfirmed || got.ReceivedSat != 0 {
		t.Fatalf("the cash sale is told as %+v", got)
	}
}

func TestReplacedPaymentRefusesAndTheFlagStays(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	txid := till.pay(d.address, d.due)
	till.untilState(d.sale, protocol.SaleAccepted)
	till.replace(txid, "")
	got := till.untilSale(d.sale, "it was replaced", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagReplaced) })
	if got.State != protocol.SaleOpen || got.Verdict != protocol.VerdictRefuse || got.ReceivedSat != 0 || len(got.TxIDs) != 0 {
		t.Fatalf("told as %+v", got)
	}
	till.pay(d.address, d.due)
	again := till.untilSale(d.sale, "money is there again", func(s protocol.SaleStatus) bool {
		return slices.Contains(s.Flags, protocol.FlagReplaced) && s.ReceivedSat == d.due
	})
	if again.State != protocol.SaleSeen || again.Verdict != protocol.VerdictRefuse {
		t.Fatalf("money after a replacement is told as %+v", again)
	}
	till.mine(3)
	if deep := till.untilState(d.sale, protocol.SaleConfirmed); !slices.Contains(deep.Flags, protocol.FlagReplaced) || deep.Verdict != protocol.VerdictAccept {
		t.Fatalf("confirmed as %+v", deep)
	}
	settled(t, "the owner is told", func() bool { return len(till.alarms.of("replaced")) > 0 })
}

func TestFeeBumpToTheSameAddressCountsAsReplacedToo(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	txid := till.pay(d.address, d.due)
	till.untilState(d.sale, protocol.SaleAccepted)
	till.replace(txid, d.address)
	got := till.untilSale(d.sale, "it was replaced", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagReplaced) })
	if got.State != protocol.SaleSeen || got.Verdict != protocol.VerdictRefuse || got.ReceivedSat != d.due {
		t.Fatalf("told as %+v", got)
	}
}

func TestConflictTakesTheAcceptanceBack(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1230)
	txid := till.payAt(d.address, d.due, 5000, false)
	till.untilState(d.sale, protocol.SaleAccepted)
	till.replace(txid, "") // the first payment does not signal: both compete
	got := till.untilSale(d.sale, "another competes", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagConflict) })
	if got.State != protocol.SaleSeen || got.Verdict != protocol.VerdictRefuse || got.ReceivedSat != d.due {
		t.Fatalf("told as %+v", got)
	}
	till.mine(1)
	lost := till.untilSale(d.sale, "the other won", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagReplaced) })
	if lost.State != protocol.SaleOpen || lost.ReceivedSat != 0 {
		t.Fatalf("told as %+v", lost)
	}
}

func TestReorganisationTakesConfirmationsBack(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(100_000)
	till.pay(d.address, d.due)
	till.mine(3)
	till.untilState(d.sale, protocol.SaleConfirmed)
	n := len(till.alerts)
	if _, err := till.chain.Reorg(context.Background(), 3, false); err != nil {
		t.Fatal(err)
	}
	got := status(t, till.until("it went back", n, func(a protocol.Alert) bool { return a.Kind == protocol.AlertSale }))
	if got.State != protocol.SaleSeen || got.Confirmations != 0 || got.ReceivedSat != d.due {
		t.Fatalf("after the reorganisation %+v", got)
	}
	till.mine(3)
	till.until("it is confirmed again", n, func(a protocol.Alert) bool {
		return a.Kind == protocol.AlertSale && status(t, a).State == protocol.SaleConfirmed
	})
}

func TestReorganisationThatDropsThePaymentIsAReplacement(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(100_000)
	till.pay(d.address, d.due)
	till.mine(3)
	till.untilState(d.sale, protocol.SaleConfirmed)
	if _, err := till.chain.Reorg(context.Background(), 3, true); err != nil {
		t.Fatal(err)
	}
	got := till.untilSale(d.sale, "it is gone", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagReplaced) })
	if got.State != protocol.SaleOpen || got.ReceivedSat != 0 || got.Verdict != protocol.VerdictRefuse {
		t.Fatalf("told as %+v", got)
	}
}

func TestPrintedAddressRingsUpToSixConfirmations(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	address := till.addresses[0]
	till.addresses = till.addresses[1:]
	txid := till.pay(address, 50_000)
	if in := till.untilIncoming(address, 0); in.TxID != txid || in.AmountSat != 50_000 || in.Sale != "" {
		t.Fatalf("came in as %+v", in)
	}
	for n := int64(1); n <= 6; n++ {
		till.mine(1)
		till.untilIncoming(address, n)
	}
	before := len(till.alerts)
	d := till.sell(1000)
	till.mine(1)
	till.pay(d.address, d.due)
	till.untilState(d.sale, protocol.SaleAccepted)
	for _, a := range till.alerts[before:] {
		if a.Kind == protocol.AlertIncoming {
			t.Fatalf("a seventh confirmation was told: %s", a.Body)
		}
	}
	till.owes(nil)
}

func TestChainThatDoesNotAnswerMovesNothing(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1000)
	till.pay(d.address, d.due)
	till.untilState(d.sale, protocol.SaleAccepted)
	open := till.sell(1000)
	till.chain.NodeDown(true)
	till.pay(open.address, open.due)
	till.until("the node is silent", 0, func(a protocol.Alert) bool {
		var n protocol.Notice
		return a.Kind == protocol.AlertNodeBehind && a.Decode(&n) == nil && n.Reason == "chain_unavailable"
	})
	if got := till.last(d.sale); got.State != protocol.SaleAccepted {
		t.Fatalf("the silent chain made it %+v", got)
	}
	if got := till.last(open.sale); got.State != protocol.SaleOpen {
		t.Fatalf("the silent chain made it %+v", got)
	}
	till.chain.NodeDown(false)
	till.untilState(open.sale, protocol.SaleAccepted)
}

func TestRestartFindsWhatHappenedMeanwhile(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	paid, expired := till.sell(1000), till.sell(2000)
	till.stop()
	till.pay(paid.address, paid.due)
	till.now.Add((20 * time.Minute).Milliseconds())
	till.start()
	till.untilState(expired.sale, protocol.SaleExpired)
	// When the chain cannot tell when it saw the payment first, it is late; either
	// way it is not lost.
	till.untilSale(paid.sale, "the money is seen", func(s protocol.SaleStatus) bool { return s.ReceivedSat == paid.due })
}

func TestUntenderedRestIsNotAccepted(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	sale := till.open(2000)
	part := till.tender(sale, 1500)
	till.write(protocol.EntryTenderAdded, part)
	till.pay(part.Address, part.DueSat)
	got := till.untilState(sale, protocol.SaleSeen)
	if got.Reason != "untendered" || got.Verdict != protocol.VerdictWait || got.Message != "5 EUR of the sale are not paid by anything yet" {
		t.Fatalf("told as %+v", got)
	}
	till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(newID(t)), Kind: protocol.TenderCash, Amount: eur(500)})
	till.untilState(sale, protocol.SaleAccepted)
}

func TestExpiredSaleGetsANewPrice(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1000)
	till.pass(16 * time.Minute)
	till.untilState(d.sale, protocol.SaleExpired)
	till.sync()
	till.write(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: d.sale, Tender: d.tender})
	again := till.tender(d.sale, 1000)
	till.write(protocol.EntryTenderAdded, again)
	if got := till.last(d.sale); got.State != protocol.SaleOpen {
		t.Fatalf("told as %+v", got)
	}
	till.pay(again.Address, again.DueSat)
	till.untilState(d.sale, protocol.SaleAccepted)
}
