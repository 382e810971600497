package server_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// market is a node whose fee rate a test sets, and that can lose what is sent to it.
type market struct {
	server.Chain
	rate atomic.Int64 // mSat/vB, 0 what the chain says
	deaf atomic.Bool
}

func (m *market) FeeRate(ctx context.Context, blocks int) (server.FeeRate, error) {
	if rate := m.rate.Load(); rate != 0 {
		return server.FeeRate(rate), nil
	}
	return m.Chain.FeeRate(ctx, blocks)
}

func (m *market) Broadcast(ctx context.Context, tx []byte) error {
	if m.deaf.Load() {
		return errors.New("the line is cut")
	}
	return m.Chain.Broadcast(ctx, tx)
}

// onMarket restarts the shop on such a node.
func (s *shop) onMarket() *market {
	s.t.Helper()
	m := &market{Chain: s.chain}
	s.stop()
	s.through = m
	s.start()
	return m
}

// swept is a sale of 10.00 paid by a key with so much on it.
func (t *till) swept(held protocol.Sat) (protocol.Sweep, *protocol.SweepResult) {
	t.t.Helper()
	t.pay(t.forms(sweepKey)[2], held)
	t.mine(1)
	sale := t.open(1000)
	due, err := t.quote.Buy.Charge(1000)
	if err != nil {
		t.t.Fatal(err)
	}
	tender := protocol.TenderID(newID(t.t))
	t.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderKey, Amount: eur(1000), Quote: t.quote.ID, DueSat: due})
	p := protocol.Sweep{ID: protocol.PayoutID(newID(t.t)), Keys: keys(sweepKey), DueSat: &due, Change: t.foreign(1), Sale: sale, Tender: tender}
	r, err := t.sweep(p)
	if err != nil {
		t.t.Fatal(err)
	}
	return p, r
}

func (t *till) sweepAgain(p protocol.Sweep) *protocol.SweepResult {
	t.t.Helper()
	p.Keys = keys(sweepKey)
	r, err := t.sweep(p)
	if err != nil {
		t.t.Fatal(err)
	}
	return r
}

func TestRaisedSweepGoesOnPayingItsSale(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	market := till.onMarket()
	p, first := till.swept(50_000)
	till.untilState(p.Sale, protocol.SaleAccepted)
	if again := till.sweepAgain(p); again.TxID != first.TxID || len(again.Replaces) > 0 {
		t.Fatalf("repeated while the network asks for no more: %+v", again)
	}
	till.pass(time.Hour) // the payment window is over: the money came in time all the same
	market.rate.Store(20_000)
	keyless := p
	keyless.Keys = nil
	if again, err := till.sweep(keyless); err != nil || again.TxID != first.TxID {
		t.Fatalf("repeated without its key: %+v, %v", again, err)
	}
	second := till.sweepAgain(p)
	if second.TxID == first.TxID || !slices.Equal(second.Replaces, []string{first.TxID}) || second.State != protocol.PayoutBroadcast ||
		second.FeeSat <= first.FeeSat || second.ReceivedSat != *p.DueSat || second.ReceivedSat+second.ChangeSat+second.FeeSat != 50_000 {
		t.Fatalf("first %+v, raised %+v", first, second)
	}
	till.has(p.Change, second.ChangeSat, second.TxID)
	till.has(second.Address, second.ReceivedSat, second.TxID)
	got := till.untilSale(p.Sale, "the new transaction pays it", func(s protocol.SaleStatus) bool { return slices.Equal(s.TxIDs, []string{second.TxID}) })
	if got.State != protocol.SaleAccepted || len(got.Flags) > 0 || got.Verdict != protocol.VerdictAccept {
		t.Fatalf("the sale is told as %+v", got)
	}
	if again := till.sweepAgain(p); again.TxID != second.TxID || len(again.Replaces) != 1 {
		t.Fatalf("repeated: %+v", again)
	}
	till.mine(1)
	till.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	market.rate.Store(90_000)
	if again := till.sweepAgain(p); again.TxID != second.TxID {
		t.Fatalf("a confirmed sweep was raised: %+v", again)
	}
	till.owes(nil)
}

// TestEarlierSweepMayBeMinedAfterAll: the node never heard of the higher fee.
func TestEarlierSweepMayBeMinedAfterAll(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	market := till.onMarket()
	p, first := till.swept(50_000)
	till.untilState(p.Sale, protocol.SaleAccepted)
	market.rate.Store(20_000)
	market.deaf.Store(true)
	second := till.sweepAgain(p)
	if second.TxID == first.TxID || len(second.Replaces) != 1 {
		t.Fatalf("raised %+v", second)
	}
	till.mine(1)
	till.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	won := till.sweepAgain(p)
	if won.TxID != first.TxID || won.FeeSat != first.FeeSat || won.ChangeSat != first.ChangeSat || !slices.Equal(won.Replaces, []string{second.TxID}) {
		t.Fatalf("the first, %+v, was mined and is told as %+v", first, won)
	}
	got := till.untilSale(p.Sale, "it is confirmed once", func(s protocol.SaleStatus) bool { return s.Confirmations == 1 })
	if len(got.Flags) > 0 || !slices.Equal(got.TxIDs, []string{first.TxID}) {
		t.Fatalf("the sale is told as %+v", got)
	}
	till.owes(nil)
}

// TestThiefOfARaisedSweepIsStillSeen: whoever kept a copy takes the coin back.
func TestThiefOfARaisedSweepIsStillSeen(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	market := till.onMarket()
	p, _ := till.swept(50_000)
	till.untilState(p.Sale, protocol.SaleAccepted)
	market.rate.Store(20_000)
	till.sweepAgain(p)
	till.steal(till.forms(sweepKey)[2])
	got := till.untilSale(p.Sale, "it was replaced", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagReplaced) })
	if got.Verdict != protocol.VerdictRefuse || got.ReceivedSat != 0 {
		t.Fatalf("told as %+v", got)
	}
	market.rate.Store(90_000)
	if again := till.sweepAgain(p); len(again.Replaces) != 1 {
		t.Fatalf("a coin that somebody else spends was raised: %+v", again)
	}
}

// TestFeeIsNotRaisedAtTheShopsCost: there is no change to take it from.
func TestFeeIsNotRaisedAtTheShopsCost(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	market := till.onMarket()
	due, err := till.quote.Buy.Charge(1000)
	if err != nil {
		t.Fatal(err)
	}
	p, first := till.swept(due + 400)
	if first.ChangeSat != 0 || first.ReceivedSat < due {
		t.Fatalf("swept %+v", first)
	}
	market.rate.Store(20_000)
	if again := till.sweepAgain(p); again.TxID != first.TxID {
		t.Errorf("less than is due arrives: %+v", again)
	}
	market.rate.Store(0)
	till.chain.NodeDown(true)
	if again := till.sweepAgain(p); again.TxID != first.TxID {
		t.Errorf("without a node: %+v", again)
	}
}

// TestDebtOfASweepFollowsItsFee: what is owed of a sweep outside a sale.
func TestDebtOfASweepFollowsItsFee(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	market := till.onMarket()
	till.pay(till.forms(sweepKey)[2], 50_000)
	till.mine(1)
	due := protocol.Sat(20_000)
	p := protocol.Sweep{ID: protocol.PayoutID(newID(t)), DueSat: &due}
	first := till.sweepAgain(p)
	till.owes(map[string]protocol.Sat{"overpaid": first.RefundOwedSat})
	market.rate.Store(20_000)
	second := till.sweepAgain(p)
	if second.RefundOwedSat >= first.RefundOwedSat || second.RefundOwedSat != second.ReceivedSat-due {
		t.Fatalf("first %+v, raised %+v", first, second)
	}
	till.owes(map[string]protocol.Sat{"overpaid": second.RefundOwedSat})
	till.mine(1)
	till.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
}

// TestEarlierDispenseMinedFreesTheOthersCoins: what only the higher fee spent can
// be paid out again.
func TestEarlierDispenseMinedFreesTheOthersCoins(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) { s.Limits = protocol.Limits{} })
	market := b.onMarket()
	b.sync()
	// All of the larger coin: a higher fee needs the other.
	p := b.coins(118_550)
	first := b.dispensed(p)
	market.deaf.Store(true)
	if _, err := b.Bump(context.Background(), p.ID, 200_000); err != nil {
		t.Fatal(err)
	}
	b.mine(1)
	b.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	market.deaf.Store(false)
	err := b.db.Read(context.Background(), func(tx *server.Tx) error {
		stored, err := tx.Payouts.Get(p.ID)
		if err != nil {
			return err
		}
		held, err := tx.Payouts.Spent()
		if stored.TxID != first.TxID || stored.Fee != first.FeeSat || len(stored.Earlier) != 1 {
			t.Errorf("stored as %+v", stored)
		}
		if raised := stored.Earlier[0]; len(raised.Spends) <= len(stored.Spends) {
			t.Errorf("the higher fee took no further coin: %d, %d", len(raised.Spends), len(stored.Spends))
		}
		if len(held) != len(stored.Spends) {
			t.Errorf("%d coins are held, %d spent", len(held), len(stored.Spends))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRaiseKilledAtEachStepTakesOnce cuts the power at every step of the call that
// raises a sweep's fee; after each the key is handed over once more.
func TestRaiseKilledAtEachStepTakesOnce(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	for n, whole := 1, false; !whole; n++ {
		if n > 60 {
			t.Fatal("a call without an end")
		}
		p, first := till.swept(50_000)
		power := till.onBrink()
		dear := &market{Chain: till.chain}
		dear.rate.Store(20_000)
		till.stop()
		till.through = brinkChain{dear, power}
		till.start()
		power.arm(n, true)
		told, err := till.Sweep(marked(), till.id, p)
		if whole = !power.isCut(); whole && (err != nil || told.TxID == first.TxID) {
			t.Fatalf("%+v, %v", told, err)
		}
		till.repaired()
		p.Keys = keys(sweepKey)
		now, err := till.sweep(p)
		if err != nil || now.ReceivedSat != *p.DueSat || now.ReceivedSat+now.ChangeSat+now.FeeSat != 50_000 {
			t.Fatalf("step %d: first %+v, then %+v, %v", n, first, now, err)
		}
		till.mine(1)
		settled(t, "it is confirmed", func() bool {
			now, err = till.sweep(p)
			return err == nil && now.State == protocol.PayoutConfirmed
		})
		till.has(now.Address, *p.DueSat, now.TxID)
		if now.ReceivedSat+now.ChangeSat+now.FeeSat != 50_000 {
			t.Fatalf("step %d: confirmed as %+v", n, now)
		}
		got := till.untilSale(p.Sale, "it is paid", func(s protocol.SaleStatus) bool { return s.Confirmations > 0 })
		if len(got.Flags) > 0 || got.ReceivedSat != *p.DueSat {
			t.Fatalf("step %d: the sale is told as %+v", n, got)
		}
		if whole {
			t.Logf("%d steps", n-1)
		}
	}
	till.owes(nil)
}
