package chain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/server"
)

// world is a Bitcoin network around a chain, for the conformance suite.
type world interface {
	server.Chain
	pay(t *testing.T, script []byte, amount protocol.Sat, rate server.FeeRate) (txid string) // replaceable
	replace(t *testing.T, txid string) (newTxid string)                                      // back to the payer
	mine(t *testing.T, n int)
	reorg(t *testing.T, depth int, drop bool)
	restart(t *testing.T) world // the program ends and starts again
}

// patience is how long a fact may take to be heard. Nothing is measured by it.
const patience = 30 * time.Second

// testConformance is what every backend promises in [server.Chain].
func testConformance(t *testing.T, w world) {
	for _, fact := range []struct {
		name string
		test func(*testing.T, *observer)
	}{
		{"an unseen script has no payments", factUnseen},
		{"a payment is seen in the mempool and then in a block", factConfirmed},
		{"a replaced payment is gone", factReplaced},
		{"a reorganisation takes confirmations back", factReorganised},
		{"a dropped payment is gone", factDropped},
		{"a spend is seen in the mempool and then in a block", factSpent},
		{"a script that is not watched is answered", factForeign},
		{"the lowest fee rate of unconfirmed ancestors counts", factAncestors},
		{"outputs of one transaction are told apart", factOutputs},
		{"a broken transaction is rejected", factRejected},
		{"a transaction without known inputs is neither taken nor rejected", factOrphan},
		{"a known transaction is taken again", factKnown},
	} {
		t.Run(fact.name, func(t *testing.T) { fact.test(t, observe(t, w)) })
	}
	t.Run("a restart forgets nothing", func(t *testing.T) { factRestart(t, w) })
}

// observer listens to a world's changes for one test.
type observer struct {
	world
	changes chan server.Change
}

func observe(t *testing.T, w world) *observer {
	o := &observer{w, make(chan server.Change, 1000)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Changes(ctx, func(c server.Change) { o.changes <- c }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Changes ended with %v", err)
		}
	})
	o.until(t, "the change of anything at the start", func(c server.Change) bool { return len(c.Scripts) == 0 && !c.TipMoved })
	return o
}

// until waits for a change.
func (o *observer) until(t *testing.T, what string, is func(server.Change) bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case c := <-o.changes:
			if is(c) {
				return
			}
		case <-deadline:
			t.Fatalf("not heard: %s", what)
		}
	}
}

func (o *observer) hear(t *testing.T, k testKey) {
	t.Helper()
	o.until(t, "a change of the script", func(c server.Change) bool {
		return slices.Contains(c.Scripts, server.Script(k.script)) || len(c.Scripts) == 0 && !c.TipMoved
	})
}

func (o *observer) hearTip(t *testing.T) {
	t.Helper()
	o.until(t, "a move of the tip", func(c server.Change) bool { return c.TipMoved || len(c.Scripts) == 0 })
}

// payments asks about one script.
func payments(t *testing.T, c server.Chain, k testKey) ([]server.Payment, server.Tip) {
	t.Helper()
	found, tip, err := c.Payments(context.Background(), []server.Script{server.Script(k.script)})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := c.Tip(context.Background()); err != nil || now != tip {
		t.Fatalf("Payments at tip %v, Tip %v, %v", tip, now, err)
	}
	return found, tip
}

func onePayment(t *testing.T, c server.Chain, k testKey) (server.Payment, server.Tip) {
	t.Helper()
	found, tip := payments(t, c, k)
	if len(found) != 1 {
		t.Fatalf("%d payments, want 1: %+v", len(found), found)
	}
	return found[0], tip
}

// testKey is somebody's key with its P2WPKH script.
type testKey struct{ owner }

func newKey(t testing.TB) testKey {
	t.Helper()
	seed := sha256.Sum256([]byte(t.Name()))
	o, err := newOwner(seed[:], "test")
	if err != nil {
		t.Fatal(err)
	}
	return testKey{o}
}

func (k testKey) other(t testing.TB, n int) testKey {
	t.Helper()
	o, err := newOwner(k.script, fmt.Sprint(n))
	if err != nil {
		t.Fatal(err)
	}
	return testKey{o}
}

func watched(t *testing.T, c server.Chain) testKey {
	t.Helper()
	k := newKey(t)
	if err := c.Watch(context.Background(), []server.Script{server.Script(k.script)}); err != nil {
		t.Fatal(err)
	}
	return k
}

// spend signs a transaction that moves a payment to another script, less a fee.
func spend(t *testing.T, k testKey, p server.Payment, to []byte, fee protocol.Sat) *wire.MsgTx {
	t.Helper()
	id, err := chainhash.NewHashFromStr(p.TxID)
	if err != nil {
		t.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxOut(wire.NewTxOut(int64(p.Amount-fee), to))
	coin := purseCoin{wire.OutPoint{Hash: *id, Index: p.Vout}, int64(p.Amount), k.owner}
	if err := sign(tx, []purseCoin{coin}, wire.MaxTxInSequenceNum-1); err != nil {
		t.Fatal(err)
	}
	return tx
}

func raw(t testing.TB, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func broadcast(t *testing.T, c server.Chain, tx *wire.MsgTx) {
	t.Helper()
	if err := c.Broadcast(context.Background(), raw(t, tx)); err != nil {
		t.Fatal(err)
	}
}

func factUnseen(t *testing.T, o *observer) {
	found, tip := payments(t, o, watched(t, o))
	if len(found) != 0 || tip.Height <= 0 || len(tip.Hash) != 64 || tip.Time <= 0 {
		t.Fatalf("payments %+v at %+v", found, tip)
	}
}

func factConfirmed(t *testing.T, o *observer) {
	k := watched(t, o)
	txid := o.pay(t, k.script, 123_456, 7000)
	o.hear(t, k)
	p, before := onePayment(t, o, k)
	want := server.Payment{Script: server.Script(k.script), TxID: txid, Vout: p.Vout, Amount: 123_456, FeeRate: p.FeeRate}
	if p != want || p.FeeRate < 7000 || p.FeeRate > 7200 || p.Confirmations(before) != 0 {
		t.Fatalf("in the mempool %+v, want %+v at 7 sat/vB", p, want)
	}
	o.mine(t, 1)
	o.hearTip(t)
	p, tip := onePayment(t, o, k)
	want.Height, want.FeeRate = before.Height+1, 0
	if p != want || p.Confirmations(tip) != 1 || tip.Height != before.Height+1 || tip.Hash == before.Hash {
		t.Fatalf("in a block %+v at %+v, want %+v", p, tip, want)
	}
	o.mine(t, 2)
	if p, tip = onePayment(t, o, k); p != want || p.Confirmations(tip) != 3 {
		t.Fatalf("three deep %+v at %+v", p, tip)
	}
}

func factReplaced(t *testing.T, o *observer) {
	k := watched(t, o)
	old := o.pay(t, k.script, 50_000, 5000)
	o.hear(t, k)
	if next := o.replace(t, old); next == old {
		t.Fatal("nothing was replaced")
	}
	o.hear(t, k)
	if found, _ := payments(t, o, k); len(found) != 0 {
		t.Fatalf("after the replacement %+v", found)
	}
	o.mine(t, 1)
	if found, _ := payments(t, o, k); len(found) != 0 {
		t.Fatalf("after the replacement was mined %+v", found)
	}
}

func factReorganised(t *testing.T, o *observer) {
	k := watched(t, o)
	txid := o.pay(t, k.script, 60_000, 5000)
	o.mine(t, 2)
	if p, tip := onePayment(t, o, k); p.Confirmations(tip) != 2 {
		t.Fatalf("before %+v at %+v", p, tip)
	}
	for len(o.changes) > 0 {
		<-o.changes
	}
	o.reorg(t, 2, false)
	o.hearTip(t)
	if p, _ := onePayment(t, o, k); p.Height != 0 || p.TxID != txid || p.FeeRate < 5000 {
		t.Fatalf("after the reorganisation %+v", p)
	}
	o.mine(t, 1)
	if p, tip := onePayment(t, o, k); p.Confirmations(tip) != 1 {
		t.Fatalf("mined again %+v at %+v", p, tip)
	}
}

func factDropped(t *testing.T, o *observer) {
	k := watched(t, o)
	o.pay(t, k.script, 70_000, 5000)
	o.mine(t, 1)
	onePayment(t, o, k)
	o.reorg(t, 1, true)
	if found, _ := payments(t, o, k); len(found) != 0 {
		t.Fatalf("after the drop %+v", found)
	}
	o.mine(t, 1)
	if found, _ := payments(t, o, k); len(found) != 0 {
		t.Fatalf("after the next block %+v", found)
	}
}

func factSpent(t *testing.T, o *observer) {
	k := watched(t, o)
	o.pay(t, k.script, 80_000, 5000)
	o.mine(t, 1)
	p, _ := onePayment(t, o, k)
	tx := spend(t, k, p, k.other(t, 1).script, 1000)
	broadcast(t, o, tx)
	o.hear(t, k)
	p.Spent = tx.TxHash().String()
	if now, _ := onePayment(t, o, k); now != p {
		t.Fatalf("spent in the mempool %+v, want %+v", now, p)
	}
	o.mine(t, 1)
	now, tip := onePayment(t, o, k)
	if p.SpentHeight = tip.Height; now != p {
		t.Fatalf("spent in a block %+v, want %+v", now, p)
	}
}

func factForeign(t *testing.T, o *observer) {
	k := newKey(t)
	txid := o.pay(t, k.script, 90_000, 5000)
	o.mine(t, 1)
	o.pay(t, k.script, 90_001, 5000)
	found, _ := payments(t, o, k)
	if len(found) != 2 || found[0].TxID != txid || found[0].Height == 0 || found[1].Amount != 90_001 || found[1].Height != 0 {
		t.Fatalf("found %+v", found)
	}
}

func factAncestors(t *testing.T, o *observer) {
	k := watched(t, o)
	child := k.other(t, 1)
	o.pay(t, k.script, 100_000, 2000)
	p, _ := onePayment(t, o, k)
	broadcast(t, o, spend(t, k, p, child.script, 5000))
	c, _ := onePayment(t, o, child)
	if c.FeeRate != p.FeeRate || c.FeeRate < 2000 || c.FeeRate > 2100 {
		t.Fatalf("the parent pays %d, the child with it %d", p.FeeRate, c.FeeRate)
	}
	o.mine(t, 1)
}

func factOutputs(t *testing.T, o *observer) {
	k := watched(t, o)
	o.pay(t, k.script, 100_000, 5000)
	p, _ := onePayment(t, o, k)
	a := k.other(t, 1)
	tx := spend(t, k, p, a.script, 50_000)
	tx.AddTxOut(wire.NewTxOut(20_000, a.script))
	tx.AddTxOut(wire.NewTxOut(25_000, a.script))
	coins := []purseCoin{{tx.TxIn[0].PreviousOutPoint, int64(p.Amount), k.owner}}
	tx.TxIn = nil
	if err := sign(tx, coins, wire.MaxTxInSequenceNum); err != nil {
		t.Fatal(err)
	}
	broadcast(t, o, tx)
	for range 2 {
		found, _ := payments(t, o, a)
		if len(found) != 3 || found[0].Amount != 50_000 || found[1].Amount != 20_000 || found[2].Amount != 25_000 || found[2].Vout != 2 {
			t.Fatalf("found %+v", found)
		}
		o.mine(t, 1)
	}
}

func factRejected(t *testing.T, o *observer) {
	k := watched(t, o)
	o.pay(t, k.script, 110_000, 5000)
	o.mine(t, 1)
	p, _ := onePayment(t, o, k)
	good := spend(t, k, p, k.script, 1000)
	forged := good.Copy()
	forged.TxIn[0].Witness[0][10] ^= 1
	cheap := spend(t, k, p, k.script, 1)
	dust := spend(t, k, p, k.script, 1000)
	dust = spend(t, k, p, k.script, protocol.Sat(dust.TxOut[0].Value)+1000-10)
	rich := spend(t, k, p, k.script, -1)
	bodies := map[string][]byte{
		"a forged signature": raw(t, forged), "no fee": raw(t, cheap), "dust": raw(t, dust), "money from nothing": raw(t, rich),
		"noise": []byte("noise"), "nothing": nil, "bytes after the end": append(raw(t, good), 0),
	}
	for name, body := range bodies {
		if err := o.Broadcast(context.Background(), body); !errors.Is(err, server.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broadcast(t, o, good)
	o.mine(t, 1)
	if err := o.Broadcast(context.Background(), raw(t, spend(t, k, p, k.script, 2000))); !errors.Is(err, server.ErrRejected) {
		t.Errorf("an output spent in a block: %v", err)
	}
}

func factOrphan(t *testing.T, o *observer) {
	k := watched(t, o)
	unknown := server.Payment{TxID: chainhash.HashH([]byte(t.Name())).String(), Amount: 10_000}
	err := o.Broadcast(context.Background(), raw(t, spend(t, k, unknown, k.script, 1000)))
	if err == nil || errors.Is(err, server.ErrRejected) || errors.Is(err, server.ErrChainUnavailable) {
		t.Fatalf("got %v", err)
	}
}

func factKnown(t *testing.T, o *observer) {
	k := watched(t, o)
	o.pay(t, k.script, 120_000, 5000)
	p, _ := onePayment(t, o, k)
	a := k.other(t, 1)
	tx := spend(t, k, p, a.script, 1000)
	broadcast(t, o, tx)
	broadcast(t, o, tx)
	o.mine(t, 1)
	broadcast(t, o, tx)
	p, _ = onePayment(t, o, a)
	broadcast(t, o, spend(t, a, p, k.other(t, 2).script, 1000))
	o.mine(t, 1)
	broadcast(t, o, tx) // all it paid is spent: the output set no longer knows it
}

func factRestart(t *testing.T, w world) {
	k := watched(t, w)
	w.pay(t, k.script, 130_000, 5000)
	w.mine(t, 1)
	w.pay(t, k.script, 140_000, 6000)
	before, tip := payments(t, w, k)
	w = w.restart(t)
	after, again := payments(t, w, k)
	if len(before) != 2 || !slices.Equal(before, after) || tip != again {
		t.Fatalf("before %+v at %+v\nafter %+v at %+v", before, tip, after, again)
	}
	o := observe(t, w)
	watched(t, w)
	w.pay(t, k.script, 150_000, 5000)
	o.hear(t, k)
}

// TestSignedSize checks the bound that fees are computed from.
func TestSignedSizeIsNeverBelowTheRealOne(t *testing.T) {
	k := newKey(t)
	for n := 1; n <= 300; n += 23 {
		tx := wire.NewMsgTx(2)
		tx.AddTxOut(wire.NewTxOut(1, k.script))
		bound := signedSize(tx, n)
		var coins []purseCoin
		for i := range n {
			coins = append(coins, purseCoin{wire.OutPoint{Index: uint32(i)}, 1000, k.owner})
		}
		if err := sign(tx, coins, 0); err != nil {
			t.Fatal(err)
		}
		size := mempool.GetTxVirtualSize(btcutil.NewTx(tx))
		if size > bound || bound > size+int64(n) {
			t.Errorf("%d inputs: bound %d, real %d", n, bound, size)
		}
	}
}
