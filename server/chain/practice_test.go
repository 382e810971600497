package chain

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

func openPractice(t testing.TB, dir string) *Practice {
	t.Helper()
	return openPracticeAt(t, dir, time.Now)
}

func openPracticeAt(t testing.TB, dir string, now func() time.Time) *Practice {
	t.Helper()
	p, err := OpenPractice(PracticeConfig{Dir: dir, Now: now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// practiceWorld is the practice chain as the conformance suite's world.
type practiceWorld struct {
	*Practice
	dir string
}

func (w practiceWorld) pay(t *testing.T, script []byte, amount protocol.Sat, rate server.FeeRate) string {
	t.Helper()
	a, err := bitcoin.AddressOfScript(script, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return paid(t, w.Practice, a.String(), amount, rate, true)
}

func paid(t testing.TB, p *Practice, address string, amount protocol.Sat, rate server.FeeRate, replaceable bool) string {
	t.Helper()
	txid, err := p.Pay(context.Background(), address, amount, rate, replaceable)
	if err != nil {
		t.Fatal(err)
	}
	return txid
}

func (w practiceWorld) replace(t *testing.T, txid string) string {
	t.Helper()
	next, err := w.Replace(context.Background(), txid, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (w practiceWorld) mine(t *testing.T, n int) { mined(t, w.Practice, n) }

func mined(t testing.TB, p *Practice, n int) {
	t.Helper()
	if _, err := p.Mine(context.Background(), n); err != nil {
		t.Fatal(err)
	}
}

func (w practiceWorld) reorg(t *testing.T, depth int, drop bool) {
	t.Helper()
	if _, err := w.Reorg(context.Background(), depth, drop); err != nil {
		t.Fatal(err)
	}
}

func (w practiceWorld) restart(t *testing.T) world {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return practiceWorld{openPractice(t, w.dir), w.dir}
}

func TestPracticeKeepsTheContractOfAChain(t *testing.T) {
	dir := t.TempDir()
	testConformance(t, practiceWorld{openPractice(t, dir), dir})
}

func TestPaymentThatDoesNotSignalIsContestedAndLosesTheNextBlock(t *testing.T) {
	ctx := context.Background()
	p := openPractice(t, t.TempDir())
	k := watched(t, p)
	child := k.other(t, 1)
	address := k.address.EncodeAddress()
	txid := paid(t, p, address, 50_000, 0, false)
	pay, _ := onePayment(t, p, k)
	broadcast(t, p, spend(t, k, pay, child.script, 2000))

	rival, err := p.Replace(ctx, txid, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if now, _ := onePayment(t, p, k); now.TxID != txid || !now.Conflict {
		t.Fatalf("the payment %+v is not contested", now)
	}
	if now, _ := onePayment(t, p, child); !now.Conflict {
		t.Fatalf("what descends from it %+v is not contested", now)
	}
	if shown, err := p.Tx(ctx, rival); err != nil || shown.Confirmations != 0 {
		t.Fatalf("the rival is shown as %+v, %v", shown, err)
	}
	mined(t, p, 1)
	if found, _ := payments(t, p, k); len(found) != 0 {
		t.Fatalf("after the block %+v", found)
	}
	if found, _ := payments(t, p, child); len(found) != 0 {
		t.Fatalf("after the block the child stands: %+v", found)
	}
	if shown, err := p.Tx(ctx, rival); err != nil || shown.Confirmations != 1 {
		t.Fatalf("the rival is shown as %+v, %v", shown, err)
	}
}

func TestRivalThatPaysLessDoesNotWin(t *testing.T) {
	ctx := context.Background()
	p := openPractice(t, t.TempDir())
	k := watched(t, p)
	txid := paid(t, p, k.address.EncodeAddress(), 50_000, 5000, false)
	if _, err := p.Replace(ctx, txid, k.other(t, 1).address.EncodeAddress(), 4000); err != nil {
		t.Fatal(err)
	}
	if now, _ := onePayment(t, p, k); !now.Conflict {
		t.Fatalf("%+v is not contested", now)
	}
	mined(t, p, 1)
	if now, tip := onePayment(t, p, k); now.Confirmations(tip) != 1 || now.Conflict {
		t.Fatalf("after the block %+v", now)
	}
}

func TestReplacementWithAnAddressPaysTheSameThere(t *testing.T) {
	p := openPractice(t, t.TempDir())
	k := newKey(t)
	other := k.other(t, 1)
	txid := paid(t, p, k.address.EncodeAddress(), 70_000, 0, true)
	next, err := p.Replace(context.Background(), txid, other.address.EncodeAddress(), 20_000)
	if err != nil {
		t.Fatal(err)
	}
	pay, _ := onePayment(t, p, other)
	if pay.TxID != next || pay.Amount != 70_000 || pay.FeeRate < 20_000 || pay.Conflict {
		t.Fatalf("%+v", pay)
	}
}

func TestControlCallsRefuse(t *testing.T) {
	ctx := context.Background()
	p := openPractice(t, t.TempDir())
	k := newKey(t)
	address := k.address.EncodeAddress()
	confirmed := paid(t, p, address, 10_000, 0, true)
	mined(t, p, 1)
	pay, _ := onePayment(t, p, k)
	foreign := spend(t, k, pay, k.script, 1000)
	broadcast(t, p, foreign)
	waiting := paid(t, p, address, 10_000, 5000, true)
	unknown := strings.Repeat("ab", 32)
	pays := func(address string, amount protocol.Sat, rate server.FeeRate) func() error {
		return func() error { _, err := p.Pay(ctx, address, amount, rate, true); return err }
	}
	replaces := func(txid, address string, rate server.FeeRate) func() error {
		return func() error { _, err := p.Replace(ctx, txid, address, rate); return err }
	}
	for _, c := range []struct {
		name string
		call func() error
		want error
	}{
		{"no address", pays("nonsense", 1000, 0), ErrArgument},
		{"an address of mainnet", pays("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 1000, 0), bitcoin.ErrWrongNetwork},
		{"nothing", pays(address, 0, 0), ErrArgument},
		{"a negative rate", pays(address, 1000, -1), ErrArgument},
		{"dust", pays(address, 100, 0), ErrRefused},
		{"a fee below the relay fee", pays(address, 1000, 50), ErrRefused},
		{"more than there is", pays(address, 20_000*protocol.SatPerBitcoin, 0), ErrRefused},
		{"replacing nothing", replaces(unknown, "", 0), ErrNotFound},
		{"replacing nonsense", replaces("nonsense", "", 0), ErrArgument},
		{"replacing what is in a block", replaces(confirmed, "", 0), ErrRefused},
		{"replacing what the customer did not pay", replaces(foreign.TxHash().String(), "", 0), ErrRefused},
		{"replacing for less", replaces(waiting, "", 4000), ErrRefused},
		{"no blocks", func() error { _, err := p.Mine(ctx, 0); return err }, ErrArgument},
		{"too many blocks", func() error { _, err := p.Mine(ctx, maxMine+1); return err }, ErrArgument},
		{"a reorganisation of nothing", func() error { _, err := p.Reorg(ctx, 0, false); return err }, ErrArgument},
		{"a reorganisation of the foundation", func() error { _, err := p.Reorg(ctx, 2, false); return err }, ErrArgument},
		{"looking for nothing", func() error { _, err := p.Tx(ctx, unknown); return err }, ErrNotFound},
		{"looking at nonsense", func() error { _, err := p.Address(ctx, "nonsense"); return err }, ErrArgument},
	} {
		if err := c.call(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestPurseNeverRunsDry(t *testing.T) {
	p := openPractice(t, t.TempDir())
	k := newKey(t)
	address := k.address.EncodeAddress()
	for range richBlocks*coinsPerBlock + 20 { // without a block: in the end out of its own change
		paid(t, p, address, 1000, 0, true)
	}
	mined(t, p, 100)
	paid(t, p, address, 1200*protocol.SatPerBitcoin, 0, true) // out of what the miner earned
	found, _ := payments(t, p, k)
	if len(found) != richBlocks*coinsPerBlock+21 {
		t.Fatalf("%d payments", len(found))
	}
}

func TestTxAndAddressShowWhatHappened(t *testing.T) {
	ctx := context.Background()
	p := openPractice(t, t.TempDir())
	k := newKey(t)
	address := k.address.EncodeAddress()
	txid := paid(t, p, address, 123_000, 0, true)
	shown, err := p.Tx(ctx, txid)
	if err != nil {
		t.Fatal(err)
	}
	paidOut := shown.Fee
	for _, out := range shown.Outputs {
		paidOut += out.Amount
	}
	if shown.TxID != txid || len(shown.Inputs) != 1 || shown.Inputs[0].Amount != protocol.SatPerBitcoin || paidOut != protocol.SatPerBitcoin ||
		shown.Inputs[0].Address != p.purse.customer.address.EncodeAddress() ||
		!slices.Contains(shown.Outputs, TxOutput{address, 123_000}) || len(shown.Raw) == 0 {
		t.Fatalf("%+v", shown)
	}
	funds := func(want Funds) {
		t.Helper()
		got, err := p.Address(ctx, address)
		if err != nil || got.Confirmed != want.Confirmed || got.Pending != want.Pending || !slices.Equal(got.TxIDs, want.TxIDs) {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
	}
	funds(Funds{Pending: 123_000, TxIDs: []string{txid}})
	mined(t, p, 2)
	funds(Funds{Confirmed: 123_000, TxIDs: []string{txid}})
	if shown, err := p.Tx(ctx, txid); err != nil || shown.Confirmations != 2 {
		t.Fatalf("%+v, %v", shown, err)
	}
	pay, _ := onePayment(t, p, k)
	tx := spend(t, k, pay, p.purse.customer.script, 1000)
	broadcast(t, p, tx)
	funds(Funds{TxIDs: []string{txid, tx.TxHash().String()}})
	block, err := p.ledger.blockAt(112)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := p.Tx(ctx, block.Transactions()[0].Hash().String()); err != nil || len(shown.Inputs) != 0 || shown.Fee != 0 {
		t.Fatalf("a coinbase is shown as %+v, %v", shown, err)
	}
}

func TestNodeDownLeavesTheWorldRunning(t *testing.T) {
	ctx := context.Background()
	p := openPractice(t, t.TempDir())
	o := observe(t, practiceWorld{p, ""})
	k := watched(t, p)
	p.NodeDown(true)
	_, tipErr := p.Tip(ctx)
	_, _, payErr := p.Payments(ctx, nil)
	_, feeErr := p.FeeRate(ctx, 6)
	for _, err := range []error{tipErr, payErr, feeErr, p.Watch(ctx, nil), p.Broadcast(ctx, make([]byte, 100))} {
		if !errors.Is(err, server.ErrChainUnavailable) && !errors.Is(err, server.ErrRejected) {
			t.Errorf("down: %v", err)
		}
	}
	paid(t, p, k.address.EncodeAddress(), 10_000, 0, true)
	mined(t, p, 1)
	p.NodeDown(false)
	o.until(t, "a change of anything", func(c server.Change) bool { return len(c.Scripts) == 0 && !c.TipMoved })
	onePayment(t, p, k)
}

func TestPracticeClockMovesBlocks(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	now := time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)
	p := openPracticeAt(t, dir, func() time.Time { return now })
	if tip, err := p.Tip(ctx); err != nil || tip.Time != protocol.TimeOf(now) {
		t.Fatalf("the new chain ends at %v, %v", tip.Time, err)
	}
	now = now.Add(36 * time.Hour)
	mined(t, p, 1)
	if tip, err := p.Tip(ctx); err != nil || tip.Time != protocol.TimeOf(now) {
		t.Fatalf("a block of tomorrow stands at %v, %v", tip.Time, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-36 * time.Hour) // the clock's shift was lost with the process
	p = openPracticeAt(t, dir, func() time.Time { return now })
	mined(t, p, 30)
	if _, err := p.Reorg(ctx, 3, false); err != nil {
		t.Fatal(err)
	}
}

func TestOneProcessHoldsTheChain(t *testing.T) {
	dir := t.TempDir()
	openPractice(t, dir)
	if p, err := OpenPractice(PracticeConfig{Dir: dir, Now: time.Now, Random: rand.Reader}); err == nil {
		_ = p.Close()
		t.Fatal("opened twice")
	}
}

func TestClosedChainIsUnavailable(t *testing.T) {
	p := openPractice(t, t.TempDir())
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Tip(context.Background()); !errors.Is(err, server.ErrChainUnavailable) {
		t.Error(err)
	}
	if _, err := p.Mine(context.Background(), 1); !errors.Is(err, server.ErrChainUnavailable) {
		t.Error(err)
	}
}

func TestPursePrintsSecret(t *testing.T) {
	p := openPractice(t, t.TempDir())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb, p.purse); text != "[secret]" {
			t.Errorf("%s prints %q", verb, text)
		}
	}
}

func TestForeignJournalIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal"), []byte("something else that matters"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := OpenPractice(PracticeConfig{Dir: dir, Now: time.Now, Random: rand.Reader}); err == nil {
		_ = p.Close()
		t.Fatal("opened")
	}
}

func FuzzJournalRecords(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, recordSeed, make([]byte, 32)), recordGone, []byte("x")))
	f.Add([]byte{recordBlock, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		records, good := readRecords(data)
		var again []byte
		for _, r := range records {
			again = appendRecord(again, r.kind, r.payload)
		}
		if !bytes.Equal(again, data[:good]) {
			t.Fatalf("%x reads as %x", data[:good], again)
		}
	})
}
