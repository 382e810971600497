package register

import (
	"testing"

	"till/protocol"
)

// ecash is a sale of 12.30 whose e-cash bill is asked for.
func ecash(t testing.TB) *till {
	c := counter(t)
	c.r.Config.MerchantURL = "http://till.local:8480"
	c.do(Digits{"1230"}, Add{}, Next{}, Choose{protocol.TenderEcash})
	c.phase(Waiting)
	c.say(protocol.SaleOpen, protocol.VerdictWait, "")
	return c
}

// say is the server's word on the sale and on its e-cash.
func (c *till) say(state protocol.SaleState, v protocol.Verdict, deposit string) {
	c.t.Helper()
	tender, ok := c.r.Ecash()
	if !ok {
		c.t.Fatal("no e-cash tender")
	}
	b := Billed{Tender: tender.Tender, Contract: &protocol.ContractReady{TransactionID: "0"}}
	if deposit != "" {
		b.Deposit = &protocol.DepositStatus{State: deposit, Reason: "of " + deposit}
	}
	c.do(Told{protocol.SaleStatus{Sale: c.r.Sale.Opening.Sale, State: state, Verdict: v, Reason: "of " + string(state)}}, b)
}

func (c *till) outcome(paid bool, reason string) {
	c.t.Helper()
	c.phase(Settled)
	if c.r.Outcome.Paid != paid || c.r.Outcome.Reason != reason {
		c.t.Fatalf("outcome is %+v, want %v %q", c.r.Outcome, paid, reason)
	}
}

func TestAnAcceptedDepositPays(t *testing.T) {
	c := ecash(t)
	c.say(protocol.SaleSeen, protocol.VerdictWait, "waiting")
	c.phase(Waiting)
	c.say(protocol.SaleConfirmed, protocol.VerdictAccept, "accepted")
	c.outcome(true, "")
	last := c.records()[len(c.records())-1]
	if last.End != protocol.EntrySalePaid || last.Receipt.Tenders[0].Kind != protocol.TenderEcash {
		t.Fatalf("journaled %+v", last)
	}
	c.do(Next{})
	c.phase(Ringing)
}

func TestNothingElseIsTakenWhileTheMintIsAsked(t *testing.T) {
	c := ecash(t)
	c.do(Back{}, Choose{protocol.TenderCash})
	c.phase(Counting)
	c.say(protocol.SaleSeen, protocol.VerdictWait, "waiting")
	c.do(Next{})
	c.phase(Counting)
	for _, kind := range []protocol.TenderKind{protocol.TenderBitcoin, protocol.TenderCash, protocol.TenderKey} {
		if why := c.r.WhyNot(Choose{kind}); why != WhyAtMint {
			t.Errorf("%s is refused with %q", kind, why)
		}
	}
	c.do(Back{}, Choose{protocol.TenderEcash})
	c.phase(Waiting)
	if n := len(c.records()); n != 1 {
		t.Errorf("%d records", n)
	}
}

func TestASpentCoinIsNotPaidAndTheNextBillIsAnother(t *testing.T) {
	c := ecash(t)
	c.say(protocol.SaleOpen, protocol.VerdictWait, "rejected")
	c.outcome(false, "of rejected")
	c.do(Next{})
	c.say(protocol.SaleOpen, protocol.VerdictWait, "rejected")
	c.phase(Choosing)
	c.do(Choose{protocol.TenderEcash})
	c.phase(Waiting)
	last := c.records()[len(c.records())-1]
	if last.Remove == nil || last.Remove.Reason != ReasonLapsed || last.Add.Amount != eur(1230) {
		t.Fatalf("journaled %+v", last)
	}
}

func TestALapsedBillSaysNothingOfTheNext(t *testing.T) {
	c := ecash(t)
	c.say(protocol.SaleExpired, protocol.VerdictRefuse, "")
	c.outcome(false, "of expired")
	for _, kind := range []protocol.TenderKind{protocol.TenderEcash, protocol.TenderBitcoin} {
		c.do(Next{}, Choose{kind})
		c.phase(Waiting)
		// What the server said of the bill is read again before it hears of the next.
		expired := Told{protocol.SaleStatus{Sale: c.r.Sale.Opening.Sale, State: protocol.SaleExpired, Verdict: protocol.VerdictRefuse, Reason: "of expired"}}
		c.do(expired)
		c.phase(Waiting)
		c.do(Told{protocol.SaleStatus{Sale: c.r.Sale.Opening.Sale, State: protocol.SaleOpen, Verdict: protocol.VerdictWait}}, expired)
		c.outcome(false, "of expired")
	}
}

func TestEcashAndBitcoinTakeEachOthersPlace(t *testing.T) {
	c := ecash(t)
	c.do(Back{}, Choose{protocol.TenderBitcoin}, Back{}, Choose{protocol.TenderEcash})
	c.phase(Waiting)
	for i, kind := range []protocol.TenderKind{protocol.TenderEcash, protocol.TenderBitcoin, protocol.TenderEcash} {
		rec := c.records()[i]
		if rec.Add.Kind != kind || rec.Add.Amount != eur(1230) || (rec.Remove != nil) != (i > 0) {
			t.Errorf("record %d is %+v", i, rec)
		}
	}
}

func TestEcashNeedsTheMerchantsDoor(t *testing.T) {
	c := counter(t)
	c.do(Digits{"1230"}, Add{}, Next{}, Choose{protocol.TenderEcash})
	c.phase(Choosing)
	if c.r.Note.Why != WhyNoEcash {
		t.Errorf("refused with %q", c.r.Note.Why)
	}
}
