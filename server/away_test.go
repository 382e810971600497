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
func (b *bank) on(broadcast func(ctx context.Context, tx []byte) error) {
	b.t.Helper()
	b.stop()
	b.through = &line{b.chain, broadcast}
	b.start()
	b.sync()
}

// TestPayoutIsPaidOnceWhateverBecomesOfTheAnswer dispenses over lines on which
// the call or its answer is lost, doubled, or the node goes away; the terminal
// repeats itself each time.
func TestPayoutIsPaidOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()
	away := server.ErrChainUnavailable
	for name, c := range map[string]struct {
		says      protocol.PayoutState
		broadcast func(b *bank, ctx context.Context, tx []byte, times int) error
	}{
		"the call is lost": {protocol.PayoutUnknown, func(b *bank, ctx context.Context, tx []byte, times int) error {
			if times == 1 {
				return away
			}
			return b.chain.Broadcast(ctx, tx)
		}},
		"the answer is lost": {protocol.PayoutUnknown, func(b *bank, ctx context.Context, tx []byte, times int) error {
			return errors.Join(b.chain.Broadcast(ctx, tx), map[bool]error{true: away}[times == 1])
		}},
		"every answer is lost": {protocol.PayoutUnknown, func(b *bank, ctx context.Context, tx []byte, _ int) error {
			return errors.Join(b.chain.Broadcast(ctx, tx), away)
		}},
		"the call is doubled": {protocol.PayoutBroadcast, func(b *bank, ctx context.Context, tx []byte, _ int) error {
			return errors.Join(b.chain.Broadcast(ctx, tx), b.chain.Broadcast(ctx, tx))
		}},
		"the node goes away during it": {protocol.PayoutUnknown, func(b *bank, ctx context.Context, tx []byte, times int) error {
			b.chain.NodeDown(times == 1)
			return b.chain.Broadcast(ctx, tx)
		}},
		"the node goes away after it": {protocol.PayoutBroadcast, func(b *bank, ctx context.Context, tx []byte, times int) error {
			defer b.chain.NodeDown(times == 1)
			return b.chain.Broadcast(ctx, tx)
		}},
		"its answer is that it has it already, mined": {protocol.PayoutUnknown, func(b *bank, ctx context.Context, tx []byte, times int) error {
			err := b.chain.Broadcast(ctx, tx)
			if times > 1 {
				return err
			}
			_, mined := b.chain.Mine(ctx, 1)
			return errors.Join(err, mined, away)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBank(t, nil)
			times := 0
			p := b.coins(3000)
			b.on(func(ctx context.Context, tx []byte) error {
				times++
				return c.broadcast(b, ctx, tx, times)
			})
			first := b.dispensed(p)
			if first.State != c.says {
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
