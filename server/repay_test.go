package server_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// overpaid is a sale of so many cents that received more than was due.
func (b *bank) overpaid(cents int64, more protocol.Sat) (deal, protocol.ID) {
	b.t.Helper()
	d := b.sell(cents)
	b.pay(d.address, d.due+more)
	b.untilState(d.sale, protocol.SaleAccepted)
	for _, debt := range b.debts() {
		if debt.Sale == d.sale {
			return d, debt.ID
		}
	}
	b.t.Fatal("nothing is owed")
	return d, ""
}

func (b *bank) debts() []*server.Debt {
	b.t.Helper()
	debts, err := b.Debts(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return debts
}

// repayment asks to pay a debt to an address, with a fresh code.
func (b *bank) repayment(debt protocol.ID, n uint32) server.Repayment {
	b.t.Helper()
	b.pass(30 * time.Second)
	return server.Repayment{Debt: debt, Address: b.foreign(n), Authcode: protocol.NewSecret(b.totp())}
}

// refund asks to give so much of a sale back, with a fresh code.
func (b *bank) refund(d deal, cents int64, amount protocol.Sat) protocol.Dispense {
	b.t.Helper()
	id := protocol.RefundID(newID(b.t))
	b.write(protocol.EntryRefund, protocol.Refund{Sale: d.sale, Refund: id, Amount: eur(cents), Kind: protocol.TenderBitcoin, User: "1"})
	b.pass(30 * time.Second)
	return protocol.Dispense{ID: protocol.PayoutID(newID(b.t)), AmountSat: amount, Method: protocol.MethodAddress, Address: b.foreign(77),
		Authcode: protocol.NewSecret(b.totp()), RefundOf: id}
}

func TestDebtIsPaidOutOnceByTheWayOfEveryPayout(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := openBank(t, nil)
	d, debt := b.overpaid(2000, 5000)
	r := b.repayment(debt, 1)
	wrong := r
	wrong.Authcode = protocol.NewSecret("2:000000")
	_, err := b.Repay(ctx, wrong)
	wants(t, err, protocol.CodeAuthcodeWrong, -1)
	b.owes(map[string]protocol.Sat{"overpaid": 5000})
	paid, err := b.Repay(ctx, r)
	if err != nil || paid.State != protocol.PayoutBroadcast || paid.AmountSat != 5000 {
		t.Fatalf("%+v, %v", paid, err)
	}
	b.has(r.Address, 5000, paid.TxID)
	b.owes(nil)
	if used := b.used(b.clock().Time().Format("2006-01-02")); used != paid.AmountSat+paid.FeeSat {
		t.Errorf("%d counts against the limits, %d left", used, paid.AmountSat+paid.FeeSat)
	}
	if _, err := b.Repay(ctx, b.repayment(debt, 2)); !errors.Is(err, server.ErrSettled) {
		t.Errorf("paid again: %v", err)
	}
	if _, err := b.Repay(ctx, b.repayment(protocol.ID(newID(t)), 2)); !errors.Is(err, server.ErrNotFound) {
		t.Errorf("an unknown debt: %v", err)
	}
	// What is left of the sale is what was due.
	_, err = b.dispense(b.refund(d, 2000, d.due+1))
	wants(t, err, protocol.CodeLimitExceeded, -1)
	rest := b.dispensed(b.refund(d, 2000, d.due))
	b.mine(1)
	b.untilPayout(rest.ID, protocol.PayoutConfirmed, 1)
	b.owes(nil)
}

func TestRefundPaysWhatIsOwedFirst(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	d, _ := b.overpaid(2000, 5000)
	b.dispensed(b.refund(d, 100, 2000))
	b.owes(map[string]protocol.Sat{"overpaid": 3000})
	// More money comes late: what was paid stays paid.
	b.pay(d.address, 1000)
	settled(t, "it is owed too", func() bool { debts := b.debts(); return len(debts) == 1 && debts[0].Open() == 4000 })
	b.dispensed(b.refund(d, 1500, 10_000))
	b.owes(nil)
	_, err := b.dispense(b.refund(d, 2000, d.due-6000+1))
	wants(t, err, protocol.CodeLimitExceeded, -1)
	b.dispensed(b.refund(d, 2000, d.due-6000))
}

// TestMoneyFromTheDrawerCountsToo: by a refund, and by hand.
func TestMoneyFromTheDrawerCountsToo(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	d, debt := b.overpaid(2000, 6000)
	worth := func(cents int64) protocol.Sat {
		sat, err := b.quote.Buy.Charge(cents)
		if err != nil {
			t.Fatal(err)
		}
		return sat
	}
	b.write(protocol.EntryRefund, protocol.Refund{Sale: d.sale, Refund: protocol.RefundID(newID(t)), Amount: eur(100), Kind: protocol.TenderCash, User: "1"})
	b.owes(map[string]protocol.Sat{"overpaid": 6000 - worth(100)})
	paid := b.dispensed(b.refund(d, 100, 1000))
	b.owes(map[string]protocol.Sat{"overpaid": 5000 - worth(100)})
	if err := b.SettleDebt(context.Background(), debt); err != nil {
		t.Fatal(err)
	}
	b.owes(nil)
	_, err := b.dispense(b.refund(d, 2000, d.due+1))
	wants(t, err, protocol.CodeLimitExceeded, -1)
	b.dispensed(b.refund(d, 2000, d.due))
	b.mine(1)
	b.untilPayout(paid.ID, protocol.PayoutConfirmed, 1)
	b.owes(nil)
}

func TestDebtOfARefusedPayoutIsOpenAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := openBank(t, nil)
	d, debt := b.overpaid(2000, 5000)
	b.stop()
	b.through = hostile{b.chain}
	b.start()
	if paid, err := b.Repay(ctx, b.repayment(debt, 1)); err != nil || paid.State != protocol.PayoutRefused {
		t.Fatalf("%+v, %v", paid, err)
	}
	b.owes(map[string]protocol.Sat{"overpaid": 5000})
	if r := b.dispensed(b.refund(d, 100, 2000)); r.State != protocol.PayoutRefused {
		t.Fatalf("%+v", r)
	}
	b.owes(map[string]protocol.Sat{"overpaid": 5000})
	b.repaired()
	if paid, err := b.Repay(ctx, b.repayment(debt, 1)); err != nil || paid.State != protocol.PayoutBroadcast {
		t.Fatalf("%+v, %v", paid, err)
	}
	b.owes(nil)
}

// TestDebtIsPaidOnceHoweverManyAsk: the shell and refunds, all at once.
func TestDebtIsPaidOnceHoweverManyAsk(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) {
		much := eur(1_000_000)
		s.Limits = protocol.Limits{PinApproval: &much, PinApprovalDay: &much}
	})
	b.fill(100_000, 100_000, 100_000)
	d, debt := b.overpaid(2000, 5000)
	id := protocol.RefundID(newID(t))
	b.write(protocol.EntryRefund, protocol.Refund{Sale: d.sale, Refund: id, Amount: eur(2000), Kind: protocol.TenderBitcoin, User: "1"})
	repayment := b.repayment(debt, 1)
	var calls sync.WaitGroup
	var mu sync.Mutex
	var left protocol.Sat
	add := func(r *protocol.DispenseResult, err error) {
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		left += r.AmountSat
	}
	for i := range 12 {
		p := protocol.Dispense{ID: protocol.PayoutID(newID(t)), AmountSat: (d.due + 5000) / 3, Method: protocol.MethodAddress, Address: b.foreign(uint32(100 + i)), RefundOf: id}
		p.Authcode = protocol.NewSecret(b.pinFor("2", p, string(id)))
		calls.Go(func() { add(b.dispense(p)) })
		if i%4 == 0 {
			calls.Go(func() { add(b.Repay(context.Background(), repayment)) })
		}
	}
	calls.Wait()
	if left > d.due+5000 || left < d.due+5000-(d.due+5000)/3 {
		t.Errorf("%d left of %d", left, d.due+5000)
	}
	b.owes(nil)
}

// TestRepaymentKilledAtEachStepPaysOnce cuts the power at every step. Nobody knows
// the answer then: whoever asks again finds the debt settled, or pays it.
func TestRepaymentKilledAtEachStepPaysOnce(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) { s.Limits = protocol.Limits{} })
	for n, whole := 1, false; !whole; n++ {
		if n > 100 {
			t.Fatal("a call without an end")
		}
		_, debt := b.overpaid(500, protocol.Sat(5000+n))
		r := b.repayment(debt, uint32(200+n))
		power := b.onBrink()
		power.arm(n, true)
		first, err := b.Repay(marked(), r)
		if whole = !power.isCut(); whole && err != nil {
			t.Fatal(err)
		}
		b.repaired()
		b.sync()
		again, err := b.Repay(context.Background(), b.repayment(debt, uint32(200+n)))
		switch {
		case err == nil:
			first = again
		case !errors.Is(err, server.ErrSettled):
			t.Fatalf("step %d: %v", n, err)
		}
		var txid string
		settled(t, "the customer has it", func() bool {
			funds, err := b.chain.Address(context.Background(), r.Address)
			if err != nil || len(funds.TxIDs) != 1 {
				return false
			}
			txid = funds.TxIDs[0]
			return funds.Confirmed+funds.Pending == protocol.Sat(5000+n)
		})
		if first != nil && first.TxID != txid {
			t.Fatalf("step %d: told %+v, paid by %s", n, first, txid)
		}
		b.owes(nil)
		b.mine(1)
		if whole {
			t.Logf("%d steps", n-1)
		}
	}
}
