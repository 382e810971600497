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

// line is a connection to the node that goes wrong in a way of its own.
type line struct {
	server.Chain
	broadcast func(ctx context.Context, tx []byte) error
}

func (l *line) Broadcast(ctx context.Context, tx []byte) error { return l.broadcast(ctx, tx) }

// on restarts the shop on a line that broadcasts in its own way.
func (t *till) on(broadcast func(ctx context.Context, tx []byte) error) {
	t.t.Helper()
	t.stop()
	t.through = &line{t.chain, broadcast}
	t.start()
	t.sync()
}

// badLine is what becomes of a broadcast, and what the terminal is told then.
type badLine struct {
	says      protocol.PayoutState
	broadcast func(b *shop, ctx context.Context, tx []byte, times int) error
}

// badLines are lines on which the call or its answer is lost, doubled, or the node
// goes away.
func badLines() map[string]badLine {
	away := server.ErrChainUnavailable
	return map[string]badLine{
		"the call is lost": {protocol.PayoutUnknown, func(b *shop, ctx context.Context, tx []byte, times int) error {
			if times == 1 {
				return away
			}
			return b.chain.Broadcast(ctx, tx)
		}},
		"the answer is lost": {protocol.PayoutUnknown, func(b *shop, ctx context.Context, tx []byte, times int) error {
			return errors.Join(b.chain.Broadcast(ctx, tx), map[bool]error{true: away}[times == 1])
		}},
		"every answer is lost": {protocol.PayoutUnknown, func(b *shop, ctx context.Context, tx []byte, _ int) error {
			return errors.Join(b.chain.Broadcast(ctx, tx), away)
		}},
		"the call is doubled": {protocol.PayoutBroadcast, func(b *shop, ctx context.Context, tx []byte, _ int) error {
			return errors.Join(b.chain.Broadcast(ctx, tx), b.chain.Broadcast(ctx, tx))
		}},
		"the node goes away during it": {protocol.PayoutUnknown, func(b *shop, ctx context.Context, tx []byte, times int) error {
			b.chain.NodeDown(times == 1)
			return b.chain.Broadcast(ctx, tx)
		}},
		"the node goes away after it": {protocol.PayoutBroadcast, func(b *shop, ctx context.Context, tx []byte, times int) error {
			defer b.chain.NodeDown(times == 1)
			return b.chain.Broadcast(ctx, tx)
		}},
		"its answer is that it has it already, mined": {protocol.PayoutUnknown, func(b *shop, ctx context.Context, tx []byte, times int) error {
			err := b.chain.Broadcast(ctx, tx)
			if times > 1 {
				return err
			}
			_, mined := b.chain.Mine(ctx, 1)
			return errors.Join(err, mined, away)
		}},
	}
}

// TestPayoutIsPaidOnceWhateverBecomesOfTheAnswer dispenses over lines on which
// the call or its answer is lost, doubled, or the node goes away; the terminal
// repeats itself each time.
func TestPayoutIsPaidOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range badLines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBank(t, nil)
			times := 0
			p := b.coins(3000)
			b.on(func(ctx context.Context, tx []byte) error {
				times++
				return c.broadcast(b.shop, ctx, tx, times)
			})
			first := b.dispensed(p)
			if first.State != c.says && first.State != protocol.PayoutBroadcast && first.State != protocol.PayoutConfirmed { // the chain may have told meanwhile
				t.Errorf("told %s, want %s", first.State, c.says)
			}
			if again := b.dispensed(p); again.TxID != first.TxID {
				t.Fatalf("repeated: %+v, before %+v", again, first)
			}
			b.chain.NodeDown(false)
			b.pass(time.Minute)
			settled(t, "it is sent", func() bool {
				state := b.dispensed(p).State
				return state == protocol.PayoutBroadcast || state == protocol.PayoutConfirmed
			})
			b.mine(1)
			settled(t, "it is confirmed", func() bool { return b.dispensed(p).State == protocol.PayoutConfirmed })
			b.has(p.Address, p.AmountSat, first.TxID)
			b.books(first.AmountSat+first.FeeSat, 3_000_000)
		})
	}
}

func TestNodeAwayBeforeTheCallBindsNothing(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(3000)
	b.chain.NodeDown(true)
	_, err := b.dispense(p)
	wants(t, err, protocol.CodeChainUnavailable, -1)
	b.books(0, 3_000_000)
	b.chain.NodeDown(false)
	r := b.dispensed(p)
	b.has(p.Address, p.AmountSat, r.TxID)
	b.books(r.AmountSat+r.FeeSat, 3_000_000)
}

// TestWhoAsksWhileABroadcastHangsWaitsForIt lets an answer come a minute late
// while the terminal repeats the call and asks what became of it.
func TestWhoAsksWhileABroadcastHangsWaitsForIt(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(3000)
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.on(func(ctx context.Context, tx []byte) error {
		once.Do(func() { close(arrived) })
		<-release
		return b.chain.Broadcast(context.WithoutCancel(ctx), tx)
	})
	var calls sync.WaitGroup
	results := make([]*protocol.DispenseResult, 4)
	call := func(i int) { calls.Go(func() { results[i], _ = b.dispense(p) }) }
	call(0)
	<-arrived
	call(1)
	call(2)
	calls.Go(func() {
		answer, _ := b.QueryNonce(context.Background(), b.id, protocol.QueryNonce{ID: p.ID})
		results[3], _ = answer.(*protocol.DispenseResult)
	})
	b.pass(time.Minute)
	close(release)
	calls.Wait()
	for i, r := range results {
		if r == nil || r.TxID != results[0].TxID || r.TxID == "" {
			t.Errorf("answer %d is %+v, the first %+v", i, r, results[0])
		}
	}
	settled(t, "it is broadcast", func() bool { return b.dispensed(p).State == protocol.PayoutBroadcast })
	b.has(p.Address, p.AmountSat, results[0].TxID)
	b.books(p.AmountSat+results[0].FeeSat, 3_000_000)
}

// TestSweepTakesOnceWhateverBecomesOfTheAnswer is the same for a key that pays a
// sale: it is repeated with its key, and without.
func TestSweepTakesOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range badLines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			till := openShop(t, nil).pair("main", false)
			times := 0
			till.on(func(ctx context.Context, tx []byte) error {
				times++
				return c.broadcast(till.shop, ctx, tx, times)
			})
			p, first := till.swept(50_000)
			if first.State != c.says && first.State != protocol.PayoutBroadcast && first.State != protocol.PayoutConfirmed { // the chain may have told meanwhile
				t.Errorf("told %s, want %s", first.State, c.says)
			}
			keyless := p
			keyless.Keys = nil
			for _, again := range []protocol.Sweep{p, keyless} {
				if r, err := till.sweep(again); err != nil || r.TxID != first.TxID || len(r.Replaces) > 0 {
					t.Fatalf("repeated: %+v, %v, before %+v", r, err, first)
				}
			}
			till.chain.NodeDown(false)
			till.pass(time.Minute)
			state := func() protocol.PayoutState {
				r, err := till.sweep(keyless)
				if err != nil {
					t.Fatal(err)
				}
				return r.State
			}
			settled(t, "it is sent", func() bool { s := state(); return s == protocol.PayoutBroadcast || s == protocol.PayoutConfirmed })
			till.mine(1)
			settled(t, "it is confirmed", func() bool { return state() == protocol.PayoutConfirmed })
			till.has(first.Address, *p.DueSat, first.TxID)
			till.has(p.Change, first.ChangeSat, first.TxID)
			got := till.untilSale(p.Sale, "it is paid", func(s protocol.SaleStatus) bool { return s.Verdict == protocol.VerdictAccept && s.Confirmations > 0 })
			if got.ReceivedSat != *p.DueSat || len(got.Flags) > 0 {
				t.Errorf("the sale is told as %+v", got)
			}
			till.owes(nil)
		})
	}
}

// TestNodeAwayBeforeASweepBindsNothing: the key is as it was, its id is free.
func TestNodeAwayBeforeASweepBindsNothing(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	till.pay(till.forms(sweepKey)[2], 50_000)
	till.mine(1)
	p := protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)}
	till.chain.NodeDown(true)
	_, err := till.sweep(p)
	wants(t, err, protocol.CodeChainUnavailable, -1)
	till.chain.NodeDown(false)
	other := p
	other.Change = till.foreign(1) // another call: nothing was bound
	if r, err := till.sweep(other); err != nil || r.State != protocol.PayoutBroadcast {
		t.Fatalf("%+v, %v", r, err)
	}
}

// TestTwoTerminalsSweepTheSameKey: one takes it, the other takes nothing.
func TestTwoTerminalsSweepTheSameKey(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	tills := []*till{s.pair("one", false), s.pair("two", false)}
	for round := range 5 {
		wif := newWIF(t)
		s.pay(s.forms(wif)[round%4], 60_000)
		s.mine(1)
		var calls sync.WaitGroup
		results := make([]*protocol.SweepResult, 8)
		for i := range results {
			id := protocol.PayoutID(newID(t))
			calls.Go(func() {
				r, err := tills[i%2].sweep(protocol.Sweep{ID: id, Keys: keys(wif)})
				if err != nil && !errors.Is(err, protocol.CodeNoFunds) {
					t.Error(err)
				}
				results[i] = r
			})
		}
		calls.Wait()
		var took *protocol.SweepResult
		for _, r := range results {
			switch {
			case r == nil:
			case took != nil:
				t.Fatalf("round %d: taken twice: %+v and %+v", round, took, r)
			default:
				took = r
			}
		}
		if took == nil || took.State != protocol.PayoutBroadcast {
			t.Fatalf("round %d: %+v", round, took)
		}
		s.has(took.Address, took.ReceivedSat, took.TxID)
	}
}
