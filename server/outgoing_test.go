package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

func TestPayoutWhoseAnswerIsLostIsSentAgainAndNotTwice(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(3000)
	deaf := &deafChain{Chain: b.chain}
	b.stop()
	b.through = deaf
	b.start()
	b.sync()
	deaf.set(true)
	r := b.dispensed(p)
	// The watch may find it in the mempool before the lost answer is missed.
	if r.State != protocol.PayoutUnknown && r.State != protocol.PayoutBroadcast || r.TxID == "" {
		t.Fatalf("dispensed %+v", r)
	}
	deaf.set(false)
	b.pass(time.Minute)
	b.untilPayout(p.ID, protocol.PayoutBroadcast, 0)
	funds, err := b.chain.Address(context.Background(), p.Address)
	if err != nil || funds.Pending != p.AmountSat || !slices.Equal(funds.TxIDs, []string{r.TxID}) {
		t.Fatalf("the customer has %+v, %v", funds, err)
	}
}

// deafChain is a node whose answers to broadcasts get lost.
type deafChain struct {
	server.Chain
	mu   sync.Mutex
	deaf bool
}

func (c *deafChain) set(deaf bool) {
	c.mu.Lock()
	c.deaf = deaf
	c.mu.Unlock()
}

func (c *deafChain) Broadcast(ctx context.Context, tx []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.Chain.Broadcast(ctx, tx)
	if c.deaf {
		return server.ErrChainUnavailable
	}
	return err
}

func TestPowerCutAfterAcceptanceBroadcastsAtTheNextStart(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(3000)
	b.stop()
	b.through = mute{b.chain}
	b.start()
	r := b.dispensed(p)
	if r.State != protocol.PayoutUnknown {
		t.Fatalf("dispensed %+v", r)
	}
	b.stop()
	b.through = nil
	b.start()
	b.untilPayout(p.ID, protocol.PayoutBroadcast, 0)
	if again := b.dispensed(p); again.TxID != r.TxID {
		t.Fatalf("paid twice: %+v", again)
	}
}

// mute is a node that hears nothing of broadcasts.
type mute struct{ server.Chain }

func (mute) Broadcast(context.Context, []byte) error { return server.ErrChainUnavailable }

func TestRefusedTransactionGivesTheLimitBack(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) { m := eur(5000); s.Limits.ShopDay = &m })
	p := b.coins(4000)
	b.stop()
	b.through = hostile{b.chain}
	b.start()
	b.sync()
	if r := b.dispensed(p); r.State != protocol.PayoutRefused {
		t.Fatalf("dispensed %+v", r)
	}
	b.stop()
	b.through = nil
	b.start()
	b.sync()
	if r := b.dispensed(b.coins(4000)); r.State != protocol.PayoutBroadcast {
		t.Fatalf("the limit was not given back: %+v", r)
	}
	if r := b.dispensed(p); r.State != protocol.PayoutRefused {
		t.Fatalf("the refused one came back: %+v", r)
	}
}

// hostile is a node that refuses every transaction.
type hostile struct{ server.Chain }

func (hostile) Broadcast(context.Context, []byte) error {
	return fmt.Errorf("%w: min relay fee not met", server.ErrRejected)
}

func TestRaisedFeeKeepsTheIDAndPaysOnce(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(3000)
	first := b.dispensed(p)
	second, err := b.Bump(context.Background(), p.ID, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	if second.TxID == first.TxID || second.FeeSat <= first.FeeSat || !slices.Equal(second.Replaces, []string{first.TxID}) || second.State != protocol.PayoutBroadcast {
		t.Fatalf("raised %+v", second)
	}
	b.mine(1)
	b.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	funds, err := b.chain.Address(context.Background(), p.Address)
	if err != nil || funds.Confirmed != p.AmountSat || !slices.Equal(funds.TxIDs, []string{second.TxID}) {
		t.Fatalf("the customer has %+v, %v", funds, err)
	}
	if _, err := b.Bump(context.Background(), p.ID, 30_000); !errors.Is(err, server.ErrNotStuck) {
		t.Errorf("raising a confirmed one: %v", err)
	}
}

func TestReorganisedPayoutIsSentAgain(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(3000)
	b.dispensed(p)
	b.mine(1)
	b.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	n := len(b.alerts)
	if _, err := b.chain.Reorg(context.Background(), 1, true); err != nil {
		t.Fatal(err)
	}
	b.until("it is sent again", n, func(a protocol.Alert) bool {
		var s protocol.PayoutStatus
		return a.Kind == protocol.AlertPayout && protocol.DecodeResult(a.Body, &s) == nil && s.State == protocol.PayoutBroadcast
	})
	settled(t, "the customer has it again", func() bool {
		funds, err := b.chain.Address(context.Background(), p.Address)
		return err == nil && funds.Pending == p.AmountSat
	})
}

func TestRescanFindsTheMoneyOfARestoredWallet(t *testing.T) {
	t.Parallel()
	b := openShop(t, func(s *server.Settings) { s.GapLimit = 50 })
	for branch, index := range map[uint32]uint32{server.BranchReceive: 30, server.BranchChange: 7} {
		a, err := b.wallet.Derive(branch, index)
		if err != nil {
			t.Fatal(err)
		}
		b.pay(a.Text, 10_000)
	}
	beyond, err := b.wallet.Derive(server.BranchReceive, 80)
	if err != nil {
		t.Fatal(err)
	}
	b.pay(beyond.Text, 5_000)
	b.mine(1)
	for _, want := range []int{3, 0} {
		if found, err := b.Rescan(context.Background()); err != nil || found != want {
			t.Fatalf("found %d, %v; want %d", found, err, want)
		}
	}
	if r := b.pair("main", false).lease(20); r.Addresses[0].Path != "84'/1'/0'/0/81" {
		t.Errorf("the next address is %s", r.Addresses[0].Path)
	}
}
