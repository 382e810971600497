package server_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// errCut is what everything answers once the power is gone.
var errCut = errors.New("the power is cut")

// brink cuts the power at the step that is due: every store and chain call has
// three, before it, within its transaction, and after it is durable with its
// answer lost. From then on nothing reaches disk or node.
type brink struct {
	mu   sync.Mutex
	mine bool // steps of a call that carries callMark; otherwise the server's own
	left int  // steps until the cut, 0 not armed
	cut  bool
}

type callMark struct{}

// marked is the context of the call whose steps are counted.
func marked() context.Context { return context.WithValue(context.Background(), callMark{}, true) }

// arm cuts at the n-th step, of the marked call or of the server's own work.
func (b *brink) arm(n int, mine bool) {
	b.mu.Lock()
	b.left, b.mine, b.cut = n, mine, false
	b.mu.Unlock()
}

// step fails once the power is cut.
func (b *brink) step(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left > 0 && b.mine == (ctx.Value(callMark{}) != nil) {
		if b.left--; b.left == 0 {
			b.cut = true
		}
	}
	if b.cut {
		return errCut
	}
	return nil
}

func (b *brink) isCut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cut
}

// brinkStore is a disk on the brink.
type brinkStore struct {
	server.Store
	*brink
}

func (s brinkStore) Read(ctx context.Context, f func(*server.Tx) error) error {
	if err := s.step(ctx); err != nil {
		return err
	}
	return s.Store.Read(ctx, f)
}

func (s brinkStore) Write(ctx context.Context, f func(*server.Tx) error) error {
	if err := s.step(ctx); err != nil {
		return err
	}
	err := s.Store.Write(ctx, func(tx *server.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return s.step(ctx)
	})
	if err != nil {
		return err
	}
	return s.step(ctx)
}

// brinkChain is the line to a node on the brink.
type brinkChain struct {
	server.Chain
	*brink
}

func (c brinkChain) Payments(ctx context.Context, scripts []server.Script) ([]server.Payment, server.Tip, error) {
	if err := c.step(ctx); err != nil {
		return nil, server.Tip{}, err
	}
	return c.Chain.Payments(ctx, scripts)
}

func (c brinkChain) FeeRate(ctx context.Context, blocks int) (server.FeeRate, error) {
	if err := c.step(ctx); err != nil {
		return 0, err
	}
	return c.Chain.FeeRate(ctx, blocks)
}

func (c brinkChain) Broadcast(ctx context.Context, tx []byte) error {
	if err := c.step(ctx); err != nil {
		return err
	}
	if err := c.Chain.Broadcast(ctx, tx); err != nil {
		return err
	}
	return c.step(ctx)
}

// onBrink restarts the shop on a disk and a line that can be cut.
func (s *shop) onBrink() *brink {
	s.t.Helper()
	b := &brink{}
	s.stop()
	s.around = func(db server.Store) server.Store { return brinkStore{db, b} }
	s.through = brinkChain{s.chain, b}
	s.start()
	return b
}

// repaired restarts it on what the cut left.
func (s *shop) repaired() {
	s.t.Helper()
	s.stop()
	s.around, s.through = nil, nil
	s.start()
}

// has wants an address to hold exactly the amount from exactly one transaction.
func (s *shop) has(address string, amount protocol.Sat, txid string) {
	s.t.Helper()
	funds, err := s.chain.Address(context.Background(), address)
	if err != nil || funds.Confirmed+funds.Pending != amount || !slices.Equal(funds.TxIDs, []string{txid}) {
		s.t.Fatalf("%s holds %+v, %v; want %d by %s", address, funds, err, amount, txid)
	}
}

// books wants limits and the wallet's coins to agree: paid is what
// left with the fees, filled what there was.
func (b *bank) books(paid, filled protocol.Sat) {
	b.t.Helper()
	day := b.clock().Time().Format("2006-01-02")
	var used server.PayoutSums
	var rest protocol.Sat
	settled(b.t, "the wallet's coins are what was not paid", func() bool {
		err := b.db.Read(context.Background(), func(tx *server.Tx) error {
			var err error
			if used, err = tx.Payouts.Limits().OfShop(day); err != nil {
				return err
			}
			unspent, err := tx.Payments.Unspent()
			rest = 0
			for _, p := range unspent {
				rest += p.Amount
			}
			return err
		})
		return err == nil && rest == filled-paid
	})
	if used.Sat != paid {
		b.t.Fatalf("%d used of the limit, %d paid", used.Sat, paid)
	}
}

// TestDispenseKilledAtEachStepPaysOnce cuts the power at every step of a call, one
// after the other, until a call comes through; after each the terminal asks with
// the same id and the same code.
func TestDispenseKilledAtEachStepPaysOnce(t *testing.T) {
	t.Parallel()
	for _, mine := range []bool{true, false} {
		t.Run(map[bool]string{true: "the call", false: "what follows it"}[mine], func(t *testing.T) {
			t.Parallel()
			b := openBank(t, func(s *server.Settings) { s.Limits = protocol.Limits{} })
			var paid protocol.Sat
			for n, whole := 1, false; !whole; n++ {
				if n > 100 {
					t.Fatal("a call without an end")
				}
				p := b.coins(int64(100 + n))
				power := b.onBrink()
				power.arm(n, mine)
				first, err := b.Dispense(marked(), b.id, p)
				if mine {
					whole = !power.isCut()
				} else {
					whole = !b.workedOff(power, p.ID)
				}
				if whole && err != nil {
					t.Fatal(err)
				}
				b.repaired()
				b.sync()
				r := b.dispensed(p)
				if r.State != protocol.PayoutBroadcast {
					b.untilPayout(p.ID, protocol.PayoutBroadcast, 0)
				}
				if first != nil && first.TxID != r.TxID {
					t.Fatalf("step %d: first %+v, then %+v", n, first, r)
				}
				b.has(p.Address, p.AmountSat, r.TxID)
				paid += r.AmountSat + r.FeeSat
				b.books(paid, 3_000_000)
				if !mine {
					b.mine(6) // so deep that it makes no more steps
					b.untilPayout(p.ID, protocol.PayoutConfirmed, 6)
				}
				if whole {
					t.Logf("%d steps", n-1)
				}
			}
		})
	}
}

// workedOff mines and waits until the payout is told as confirmed, or the power is cut.
func (b *bank) workedOff(power *brink, id protocol.PayoutID) (cut bool) {
	b.t.Helper()
	if _, err := b.chain.Mine(context.Background(), 1); err != nil {
		b.t.Fatal(err)
	}
	settled(b.t, "the payout is confirmed or the power is cut", func() bool {
		if power.isCut() {
			return true
		}
		confirmed := false
		err := b.db.Read(context.Background(), func(tx *server.Tx) error {
			p, err := tx.Payouts.Get(id)
			confirmed = err == nil && p.State == protocol.PayoutConfirmed
			return err
		})
		return err == nil && confirmed
	})
	return power.isCut()
}

// newWIF makes a key of the practice network.
func newWIF(t testing.TB) string {
	t.Helper()
	key, err := bitcoin.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.WIFs(bitcoin.Regtest)[0].Reveal()
}

// TestSweepKilledAtEachStepTakesOnce is the same for a key that pays a sale.
func TestSweepKilledAtEachStepTakesOnce(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	wif := make([]string, 40)
	for i := range wif {
		wif[i] = newWIF(t)
		till.pay(till.forms(wif[i])[i%4], 60_000)
	}
	till.mine(1)
	for n, whole := 1, false; !whole; n++ {
		sale := till.open(1000)
		due, err := till.quote.Buy.Charge(1000)
		if err != nil {
			t.Fatal(err)
		}
		tender := protocol.TenderID(newID(t))
		till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderKey, Amount: eur(1000), Quote: till.quote.ID, DueSat: due})
		p := protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(wif[n]), DueSat: &due, Change: till.foreign(uint32(n)), Sale: sale, Tender: tender}
		power := till.onBrink()
		power.arm(n, true)
		first, err := till.Sweep(marked(), till.id, p)
		if whole = !power.isCut(); whole && err != nil {
			t.Fatal(err)
		}
		till.repaired()
		r, err := till.sweep(p)
		if err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		if r.State != protocol.PayoutBroadcast {
			till.untilPayout(p.ID, protocol.PayoutBroadcast, 0)
		}
		if first != nil && first.TxID != r.TxID || r.ReceivedSat != due || r.ReceivedSat+r.ChangeSat+r.FeeSat != 60_000 {
			t.Fatalf("step %d: first %+v, then %+v", n, first, r)
		}
		till.has(r.Address, due, r.TxID)
		till.has(p.Change, r.ChangeSat, r.TxID)
		if got := till.untilState(sale, protocol.SaleAccepted); got.ReceivedSat != due {
			t.Fatalf("step %d: the sale is told as %+v", n, got)
		}
		if whole {
			t.Logf("%d steps", n-1)
		}
	}
	till.owes(nil)
}
