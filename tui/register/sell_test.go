package register

import (
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
)

// window drives a payout and answers its effects.
type window struct {
	t       *testing.T
	p       Payout
	effects []Effect
	pays    []Pay
	ids     int
}

func atWindow(t *testing.T, p Payout) *window {
	w := &window{t: t, p: p}
	w.do(Terms{Quote: quote(), Paper: true, Limits: protocol.Limits{PerPayout: ptr(eur(20_000))}})
	return w
}

func (w *window) do(events ...Event) {
	w.t.Helper()
	for _, e := range events {
		var effects []Effect
		w.p, effects = w.p.Handle(e)
		w.effects = append(w.effects, effects...)
		for _, f := range effects {
			switch f := f.(type) {
			case Journal:
				w.do(Noted{Ticket: f.Ticket})
			case MakeKey:
				w.ids++
				at := f.Address
				if at == "" {
					at = address
				}
				w.do(Keyed{Ticket: f.Ticket, ID: protocol.PayoutID([]string{"a", "b", "c"}[w.ids-1]), Address: at})
			case Pay:
				w.pays = append(w.pays, f)
			}
		}
	}
}

func (w *window) want(phase SellPhase, why Why) {
	w.t.Helper()
	if w.p.Phase != phase || w.p.Note.Why != why {
		w.t.Fatalf("phase %d note %q, want %d %q", w.p.Phase, w.p.Note.Why, phase, why)
	}
}

// has reports whether the last effects hold one of a type.
func has[E Effect](effects []Effect) bool {
	for _, f := range effects {
		if _, ok := f.(E); ok {
			return true
		}
	}
	return false
}

func approved() Event {
	return Approved{Approval{protocol.User{ID: "2", Name: "Marek", Role: protocol.RoleManager}, protocol.NewSecret("2222")}}
}

func TestCoinsAreSoldAtTheSellRateInEitherUnit(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"})
	if price, sat := w.p.Priced(); price != eur(5900) || sat != 100_000 {
		t.Errorf("59.00 buys %d", sat)
	}
	w.do(Unit{}, Digits{"100000"})
	if price, sat := w.p.Priced(); price != eur(5900) || sat != 100_000 {
		t.Errorf("0.001 BTC costs %v and is %d", price, sat)
	}
	// What no amount of money buys exactly is rounded in the customer's favour.
	w.do(Unit{}, Unit{}, Digits{"1"})
	if price, sat := w.p.Priced(); price != eur(1) || sat != 16 {
		t.Errorf("1 satoshi costs %v and is %d", price, sat)
	}
	w.do(Unit{}, Digits{"2000001"}, Next{})
	w.want(SellPricing, WhyAboveLimit)
}

func TestCoinsGoToAScannedAddressWhenApprovedAndConfirmed(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"}, Next{}, Next{}, hand("bitcoin:"+address+"?amount=1"))
	w.want(SellReviewing, "")
	o := w.p.Order
	if o.ID != "a" || o.AmountSat != 100_000 || o.Method != protocol.MethodAddress || o.Address != address || o.Quote != quote().ID || *o.Price != eur(5900) {
		t.Fatalf("order is %+v", o)
	}
	w.do(Confirm{})
	w.want(SellReviewing, WhyNotApproved)
	w.do(approved(), Confirm{})
	w.want(SellPaying, "")
	if len(w.pays) != 1 || w.pays[0].Approval.Code.Reveal() != "2222" {
		t.Fatalf("pays %v", w.pays)
	}
	w.do(Paid{ID: "a", Result: protocol.DispenseResult{State: protocol.PayoutReserved}})
	w.want(SellPaying, "")
	w.do(Paid{ID: "a", Result: protocol.DispenseResult{State: protocol.PayoutBroadcast, TxID: "ab"}})
	if w.want(SellDone, ""); w.p.Result.TxID != "ab" || w.pays[0].Approval.Code.Reveal() == "2222" {
		t.Error("the code is kept")
	}
	w.do(Paid{ID: "a", Result: protocol.DispenseResult{State: protocol.PayoutConfirmed, TxID: "ab"}})
	if w.want(SellDone, ""); w.p.State != protocol.PayoutConfirmed {
		t.Error("the state does not move on")
	}
}

func TestAnAddressOfAnotherNetworkOrAKeyIsRefused(t *testing.T) {
	for text, want := range map[string]Why{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4": WhyWrongNetwork, newWIF: WhyBadAddress, "hello": WhyBadAddress,
	} {
		w := atWindow(t, NewPayout(bitcoin.Regtest))
		w.do(Digits{"5900"}, Next{}, Next{}, hand(text))
		if w.want(SellAddressing, want); w.p.Order.ID != "" {
			t.Errorf("%q makes an order", text)
		}
	}
}

// TestThePaperIsPrintedBeforeCoinsMove: and a print that fails cancels the payout.
func TestThePaperIsPrintedBeforeCoinsMove(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"}, Next{}, Deliver{protocol.MethodPrinter}, approved(), Confirm{})
	if w.want(SellMaking, ""); len(w.pays) != 0 {
		t.Fatal("coins move before the paper is there")
	}
	w.do(Made{ID: "a", Why: WhyNotPrinted})
	if w.want(SellChoosing, WhyNotPrinted); len(w.pays) != 0 || !has[Discard](w.effects) {
		t.Fatal("coins move to a key that nobody has")
	}
	w.do(Deliver{protocol.MethodPrinter}, approved(), Confirm{}, Made{ID: "a"})
	w.want(SellMaking, "")
	w.do(Made{ID: "b"})
	if w.want(SellPaying, ""); len(w.pays) != 1 || w.pays[0].Order.Address != address {
		t.Errorf("pays %v", w.pays)
	}
}

func TestAWrongApprovalIsAskedForAgainWithTheSamePaper(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"}, Next{}, Deliver{protocol.MethodPrinter}, approved(), Confirm{}, Made{ID: "a"})
	w.do(Paid{ID: "a", Failure: &Failure{Code: protocol.CodeAuthcodeWrong}})
	if w.want(SellReviewing, ""); w.p.Order.ID != "b" || w.p.Order.Address != address || w.p.Failure.Code != protocol.CodeAuthcodeWrong {
		t.Fatalf("order is %+v", w.p.Order)
	}
	w.do(approved(), Confirm{})
	if w.want(SellPaying, ""); len(w.pays) != 2 || w.pays[1].Order.ID != "b" {
		t.Errorf("the paper is printed again")
	}
}

func TestARefusalIsTheResult(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"}, Next{}, hand(address), approved(), Confirm{}, Paid{ID: "a", Failure: &Failure{Code: protocol.CodeLimitExceeded, Message: "m"}})
	if w.want(SellDone, ""); w.p.State != protocol.PayoutRefused || w.p.Failure.Code != protocol.CodeLimitExceeded {
		t.Errorf("state %s", w.p.State)
	}
	w.do(Next{})
	w.want(SellPricing, "")
}

// TestAPayoutInDoubtIsNotRepeated: nothing but certainty ends it.
func TestAPayoutInDoubtIsNotRepeated(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"}, Next{}, hand(address), approved(), Confirm{}, Paid{ID: "a", Failure: &Failure{Unknown: true}})
	for _, e := range []Event{Next{}, Confirm{}, Back{}, approved(), hand(address), Deliver{protocol.MethodAddress}, Terms{},
		Paid{ID: "z", Result: protocol.DispenseResult{State: protocol.PayoutRefused}}} {
		w.do(e)
		if w.p.Phase != SellPaying || w.p.State != protocol.PayoutUnknown || len(w.pays) != 1 {
			t.Fatalf("%T leads to phase %d with %d payouts", e, w.p.Phase, len(w.pays))
		}
	}
	w.do(Paid{ID: "a", Result: protocol.DispenseResult{State: protocol.PayoutNever}})
	w.want(SellDone, "")
}

func TestAPriceThatLapsesGivesTheOrderUp(t *testing.T) {
	w := atWindow(t, NewPayout(bitcoin.Regtest))
	w.do(Digits{"5900"}, Next{}, hand(address))
	newer := *quote()
	newer.ID, newer.At = "other", 300_000
	w.do(Terms{Quote: &newer, Paper: true})
	if w.want(SellReviewing, ""); w.p.Order.Quote != quote().ID {
		t.Error("the order has another price than was read")
	}
	newer.At = 700_000
	w.do(Terms{Quote: &newer, Paper: true})
	w.want(SellPricing, WhyQuoteLapsed)
}

// sold is a sale of 12.30 that was paid with 21164 satoshi.
func sold(t *testing.T) Sale {
	c := counter(t)
	c.do(Digits{"1230"}, Add{}, Next{}, Choose{protocol.TenderBitcoin})
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, 21164))
	if c.r.Sale.Ended != protocol.EntrySalePaid {
		t.Fatal("not paid")
	}
	return *c.r.Sale
}

// TestWhatIsOwedIsTheUsualRefund: to the satoshi; the whole sale may go back too.
func TestWhatIsOwedIsTheUsualRefund(t *testing.T) {
	over := sold(t)
	over.Status.ReceivedSat += 5000
	r, why := RefundOf(over, nil)
	if why != "" || r.Owed != eur(290) || r.OwedSat != 5000 || r.Most != eur(1520) || r.Amount != r.Owed || r.Sat(nil) != 5000 {
		t.Fatalf("%q: %+v, %d", why, r, r.Sat(nil))
	}
	w := atWindow(t, NewRefund(bitcoin.Regtest, r))
	w.do(Digits{"1520"})
	if _, sat := w.p.Priced(); sat != 26164 {
		t.Errorf("all of it is %d", sat)
	}
	w.do(Digits{"1"}, Next{})
	w.want(SellPricing, WhyAbovePaid)
	for range 5 {
		w.do(Erase{})
	}
	if price, _ := w.p.Priced(); price != eur(290) {
		t.Errorf("nothing typed is %v", price)
	}
	r, _ = RefundOf(over, []protocol.Refund{{Amount: eur(290), Kind: protocol.TenderBitcoin}})
	if r.Owed.Minor != 0 || r.Most != eur(1230) || r.Amount != eur(1230) {
		t.Errorf("after what was owed went back: %+v", r)
	}
	unpaid := over
	unpaid.Ended = protocol.EntrySaleCancelled
	if r, _ = RefundOf(unpaid, nil); r.OwedSat != 26164 || r.Amount != r.Most {
		t.Errorf("of a cancelled sale: %+v", r)
	}
}

func TestARefundIsNeverMoreThanWasPaid(t *testing.T) {
	r, why := RefundOf(sold(t), nil)
	if why != "" || r.Most != eur(1230) || r.MostSat != 21164 {
		t.Fatalf("%q: %+v", why, r)
	}
	w := atWindow(t, NewRefund(bitcoin.Regtest, r))
	w.do(Digits{"1231"}, Next{})
	w.want(SellPricing, WhyAbovePaid)
	w.do(Erase{}, Erase{}, Erase{}, Erase{}, Digits{"500"})
	if price, sat := w.p.Priced(); price != eur(500) || sat != 8602 {
		t.Errorf("5.00 are %d at the sale's rate", sat)
	}
	// At half the price all of it would be twice the bitcoin.
	half := *quote()
	half.Buy /= 2
	w.do(Terms{Quote: &half}, Unit{}, Next{})
	w.want(SellChoosing, "")
	w.do(Back{}, Erase{}, Erase{}, Erase{}, Next{})
	w.want(SellPricing, WhyAbovePaid)
	if _, why := RefundOf(sold(t), []protocol.Refund{{Amount: eur(1230), Kind: protocol.TenderBitcoin}}); why != WhyNothingPaid {
		t.Errorf("a second refund: %q", why)
	}
	if r, _ := RefundOf(sold(t), []protocol.Refund{{Amount: eur(230), Kind: protocol.TenderBitcoin}}); r.Most != eur(1000) || r.MostSat != 21164-3957 {
		t.Errorf("after a part: %+v", r)
	}
}

func TestARefundNamesItsSale(t *testing.T) {
	r, _ := RefundOf(sold(t), nil)
	w := atWindow(t, NewRefund(bitcoin.Regtest, r))
	w.do(Next{}, Deliver{protocol.MethodPrinter})
	w.want(SellChoosing, WhyNotHere)
	w.do(hand(address), approved(), Confirm{})
	p := w.pays[0]
	if p.Refund == nil || p.Refund.Amount != eur(1230) || p.Order.Quote != "" || p.Order.Price != nil || p.Order.AmountSat != 21163 {
		t.Errorf("pays %+v", p.Order)
	}
	e := p.Refund.Entry(&p.Order, "1", "2")
	if e.Kind != protocol.TenderBitcoin || e.Dispense != "a" || e.ApprovedBy != "2" || e.Amount != eur(1230) {
		t.Errorf("journals %+v", e)
	}
	w = atWindow(t, NewRefund(bitcoin.Regtest, r))
	w.do(Digits{"300"}, Next{}, Cash{}, approved(), Confirm{})
	if !has[PayCash](w.effects) || len(w.pays) != 0 {
		t.Error("cash is not given back")
	}
}
