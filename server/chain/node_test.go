package chain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/rpcclient"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// btcdDir holds the built btcd until TestMain ends.
var btcdDir string

// buildBtcd builds the btcd that go.mod names, once.
var buildBtcd = sync.OnceValues(func() (string, error) {
	var err error
	if btcdDir, err = os.MkdirTemp("", "till-btcd"); err != nil {
		return "", err
	}
	path := filepath.Join(btcdDir, "btcd")
	out, err := exec.Command("go", "build", "-o", path, "github.com/btcsuite/btcd").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build btcd: %w: %s", err, out)
	}
	return path, nil
})

// btcd is a real node on regtest, in a process of its own.
type btcd struct {
	path, dir, address string
	miner              owner
	flags              []string
	cmd                *exec.Cmd
	rpc                *rpcclient.Client // the test's own connection
}

const btcdUser, btcdPassword = "till", "correct horse"

func startBtcd(t *testing.T, flags ...string) *btcd {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a btcd process")
	}
	path, err := buildBtcd()
	if err != nil {
		t.Fatal(err)
	}
	seed := sha256.Sum256([]byte(t.Name()))
	miner, err := newOwner(seed[:], "miner")
	if err != nil {
		t.Fatal(err)
	}
	b := &btcd{path: path, dir: t.TempDir(), address: freeAddress(t), miner: miner, flags: flags}
	b.start(t)
	t.Cleanup(func() { b.stop(t) })
	return b
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (b *btcd) start(t *testing.T) {
	t.Helper()
	file := func(name string) string { return filepath.Join(b.dir, name) }
	b.cmd = exec.Command(b.path, append(b.flags, "--regtest", "--nolisten", "--nodnsseed", "--rejectnonstd",
		"--configfile="+file("btcd.conf"), "--datadir="+file("data"), "--logdir="+file("log"),
		"--rpclisten="+b.address, "--rpcuser="+btcdUser, "--rpcpass="+btcdPassword,
		"--rpccert="+file("rpc.cert"), "--rpckey="+file("rpc.key"), "--miningaddr="+b.miner.address.EncodeAddress())...)
	if err := os.WriteFile(file("btcd.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		cert, err := os.ReadFile(file("rpc.cert"))
		if err == nil {
			b.rpc, err = rpcclient.New(&rpcclient.ConnConfig{
				Host: b.address, Endpoint: "ws", User: btcdUser, Pass: btcdPassword,
				Certificates: cert, DisableAutoReconnect: true, Params: "regtest",
			}, nil)
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("btcd does not answer:", err)
		}
		time.Sleep(20 * time.Millisecond) // until its port is open: nothing else tells
	}
}

func (b *btcd) stop(t *testing.T) {
	t.Helper()
	b.rpc.Shutdown()
	if b.cmd == nil {
		return
	}
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := b.cmd.Wait(); err != nil {
		t.Error("btcd ended with", err)
	}
	b.cmd = nil
}

func (b *btcd) config(t *testing.T) NodeConfig {
	t.Helper()
	cert, err := os.ReadFile(filepath.Join(b.dir, "rpc.cert"))
	if err != nil {
		t.Fatal(err)
	}
	return NodeConfig{Address: b.address, User: btcdUser, Password: protocol.NewSecret(btcdPassword), Certificate: cert, Network: bitcoin.Regtest}
}

func openNode(t *testing.T, cfg NodeConfig) *Node {
	t.Helper()
	n, err := NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// call asks btcd directly.
func (b *btcd) call(t *testing.T, to any, method string, params ...any) {
	t.Helper()
	raw := make([]json.RawMessage, len(params))
	for i, p := range params {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		raw[i] = text
	}
	answer, err := b.rpc.RawRequest(method, raw)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	if to == nil {
		return
	}
	if err := json.Unmarshal(answer, to); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// nodeWorld is a btcd as the conformance suite's world: payments come from the
// rewards of its first blocks.
type nodeWorld struct {
	*Node
	btcd *btcd
	paid map[string]purseCoin // txid to the coin that paid
	next *int64               // height of the next reward to spend
}

func (w nodeWorld) mine(t *testing.T, n int) {
	t.Helper()
	w.btcd.call(t, nil, "generate", n)
}

func (w nodeWorld) block(t *testing.T, height int64) *wire.MsgBlock {
	t.Helper()
	var hash, text string
	w.btcd.call(t, &hash, "getblockhash", height)
	w.btcd.call(t, &text, "getblock", hash, 0)
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	block := new(wire.MsgBlock)
	if err := block.Deserialize(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return block
}

func (w nodeWorld) pay(t *testing.T, script []byte, amount protocol.Sat, rate server.FeeRate) string {
	t.Helper()
	reward := w.block(t, *w.next).Transactions[0]
	*w.next++
	coin := purseCoin{wire.OutPoint{Hash: reward.TxHash()}, reward.TxOut[0].Value, w.btcd.miner}
	tx := w.spendCoin(t, coin, []*wire.TxOut{wire.NewTxOut(int64(amount), script)}, rate)
	txid := w.send(t, tx)
	w.paid[txid] = coin
	return txid
}

// spendCoin pays outs at a rate and returns the rest to the miner.
func (w nodeWorld) spendCoin(t *testing.T, coin purseCoin, outs []*wire.TxOut, rate server.FeeRate) *wire.MsgTx {
	t.Helper()
	tx := wire.NewMsgTx(2)
	change := wire.NewTxOut(coin.amount, coin.owner.script)
	for _, out := range outs {
		tx.AddTxOut(out)
		change.Value -= out.Value
	}
	tx.AddTxOut(change)
	change.Value -= ceilDiv(signedSize(tx, 1)*int64(rate), 1000)
	if err := sign(tx, []purseCoin{coin}, mempool.MaxRBFSequence); err != nil {
		t.Fatal(err)
	}
	return tx
}

func (w nodeWorld) send(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	var txid string
	w.btcd.call(t, &txid, "sendrawtransaction", hex.EncodeToString(raw(t, tx)))
	return txid
}

func (w nodeWorld) replace(t *testing.T, txid string) string {
	t.Helper()
	return w.send(t, w.spendCoin(t, w.paid[txid], nil, 50_000))
}

// reorg overtakes the last blocks by empty ones; to drop their payments the first
// of these spends the coins that paid elsewhere.
func (w nodeWorld) reorg(t *testing.T, depth int, drop bool) {
	t.Helper()
	var best struct{ Height int64 }
	w.btcd.call(t, &best, "getbestblock")
	var doubles []*wire.MsgTx
	for h := best.Height - int64(depth) + 1; drop && h <= best.Height; h++ {
		for _, tx := range w.block(t, h).Transactions[1:] {
			if coin, ok := w.paid[tx.TxHash().String()]; ok {
				doubles = append(doubles, w.spendCoin(t, coin, nil, 50_000))
			}
		}
	}
	prev := w.block(t, best.Height-int64(depth)).Header
	for h := best.Height - int64(depth) + 1; h <= best.Height+1; h++ {
		block := sideBlock(t, &prev, int32(h), w.btcd.miner.script, doubles)
		w.submit(t, block)
		prev, doubles = block.Header, nil
	}
}

func (w nodeWorld) submit(t *testing.T, block *wire.MsgBlock) {
	t.Helper()
	var b bytes.Buffer
	if err := block.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	var refusal *string
	if w.btcd.call(t, &refusal, "submitblock", hex.EncodeToString(b.Bytes())); refusal != nil {
		t.Fatal("submitblock:", *refusal)
	}
}

// sideBlock makes a solved block with the transactions; their fees are burnt.
func sideBlock(t *testing.T, prev *wire.BlockHeader, height int32, script []byte, txs []*wire.MsgTx) *wire.MsgBlock {
	t.Helper()
	subsidy := blockchain.CalcBlockSubsidy(height, &chaincfg.RegressionNetParams)
	coinbase, err := newCoinbase(height, time.Now().UnixNano()&0xffffff+1, []*wire.TxOut{wire.NewTxOut(subsidy, script)})
	if err != nil {
		t.Fatal(err)
	}
	all := []*btcutil.Tx{btcutil.NewTx(coinbase)}
	for _, tx := range txs {
		all = append(all, btcutil.NewTx(tx))
	}
	if len(txs) > 0 {
		mining.AddWitnessCommitment(all[0], all)
		all[0] = btcutil.NewTx(all[0].MsgTx()) // the hash was cached before
	}
	block := wire.NewMsgBlock(&wire.BlockHeader{
		Version: prev.Version, PrevBlock: prev.BlockHash(), MerkleRoot: blockchain.CalcMerkleRoot(all, false),
		Timestamp: prev.Timestamp.Add(time.Second), Bits: prev.Bits,
	})
	for _, tx := range all {
		if err := block.AddTransaction(tx.MsgTx()); err != nil {
			t.Fatal(err)
		}
	}
	solve(&block.Header)
	return block
}

// restart ends the shop's side and starts it again.
func (w nodeWorld) restart(t *testing.T) world {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Node = openNode(t, w.btcd.config(t))
	return w
}

func newNodeWorld(t *testing.T) nodeWorld {
	b := startBtcd(t, "--addrindex", "--txindex")
	first := int64(1)
	w := nodeWorld{openNode(t, b.config(t)), b, map[string]purseCoin{}, &first}
	w.mine(t, 140)
	return w
}

func TestNodeKeepsTheContractOfAChain(t *testing.T) {
	testConformance(t, newNodeWorld(t))
}

func TestNodeIsFoundAgainAfterItWasAway(t *testing.T) {
	w := newNodeWorld(t)
	o := observe(t, w)
	k := watched(t, w)
	w.pay(t, k.script, 10_000, 5000)
	w.mine(t, 1)
	before, tip := onePayment(t, w, k)
	var blocks []*wire.MsgBlock
	for h := int64(1); h <= tip.Height; h++ {
		blocks = append(blocks, w.block(t, h))
	}
	w.btcd.stop(t)
	if _, err := w.Tip(context.Background()); !errors.Is(err, server.ErrChainUnavailable) {
		t.Fatal("a stopped node:", err)
	}
	for len(o.changes) > 0 {
		<-o.changes
	}
	w.btcd.start(t)
	for _, block := range blocks { // at its start btcd throws away a chain of regtest
		w.submit(t, block)
	}
	o.until(t, "a change of anything", func(c server.Change) bool { return len(c.Scripts) == 0 && !c.TipMoved })
	if after, _ := onePayment(t, w, k); after != before {
		t.Fatalf("after %+v, before %+v", after, before)
	}
	other := k.other(t, 1)
	if err := w.Watch(context.Background(), []server.Script{server.Script(other.script)}); err != nil {
		t.Fatal(err)
	}
	w.pay(t, other.script, 10_000, 5000)
	o.hear(t, other)
}

func TestNodeHearsThatAnAncestorWasReplaced(t *testing.T) {
	w := newNodeWorld(t)
	o := observe(t, w)
	k := watched(t, w)
	parent := k.other(t, 1)
	txid := w.pay(t, parent.script, 50_000, 5000)
	p, _ := onePayment(t, w, parent)
	broadcast(t, w, spend(t, parent, p, k.script, 1000))
	o.hear(t, k)
	onePayment(t, w, k)
	for len(o.changes) > 0 {
		<-o.changes
	}
	w.replace(t, txid)
	o.hear(t, k)
	if found, _ := payments(t, w, k); len(found) != 0 {
		t.Fatalf("%+v", found)
	}
}

func TestNodeSaysWhatItCannot(t *testing.T) {
	ctx := context.Background()
	w := newNodeWorld(t)
	bare := []server.Script{server.Script([]byte{0x51})}
	if _, _, err := w.Payments(ctx, bare); !errors.Is(err, server.ErrChainUnsupported) {
		t.Error("a script without an address:", err)
	}
	if _, err := w.FeeRate(ctx, 6); !errors.Is(err, server.ErrChainUnsupported) {
		t.Error("an estimate on a new chain:", err)
	}
	cfg := w.btcd.config(t)
	cfg.FeeFallback = 1234
	if rate, err := openNode(t, cfg).FeeRate(ctx, 6); err != nil || rate != 1234 {
		t.Error("the fallback:", rate, err)
	}
	cfg.Network = bitcoin.Mainnet
	if _, err := openNode(t, cfg).Tip(ctx); !errors.Is(err, server.ErrChainUnavailable) {
		t.Error("a node of another network:", err)
	}
	cfg = w.btcd.config(t)
	cfg.Password = protocol.NewSecret("wrong")
	if _, err := openNode(t, cfg).Tip(ctx); !errors.Is(err, server.ErrChainUnavailable) {
		t.Error("a wrong password:", err)
	}
	cfg = w.btcd.config(t)
	cfg.Certificate = nil
	if _, err := openNode(t, cfg).Tip(ctx); !errors.Is(err, server.ErrChainUnavailable) {
		t.Error("an unknown certificate:", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.Tip(ended); !errors.Is(err, context.Canceled) {
		t.Error("a caller that gave up:", err)
	}
}

func TestNodeWithoutAnIndexIsUnsupported(t *testing.T) {
	n := openNode(t, startBtcd(t).config(t))
	_, _, err := n.Payments(context.Background(), []server.Script{server.Script(newKey(t).script)})
	if !errors.Is(err, server.ErrChainUnsupported) {
		t.Fatal(err)
	}
}

// TestSilentNodeCostsOneDeadline talks to a port that accepts and says nothing.
func TestSilentNodeCostsOneDeadline(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := openNode(t, NodeConfig{
		Address: l.Addr().String(), User: "u", Password: protocol.NewSecret("p"), Plain: true, Network: bitcoin.Regtest,
	})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Tip(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestNodeConfigIsChecked(t *testing.T) {
	good := NodeConfig{Address: "127.0.0.1:8334", User: "u", Password: protocol.NewSecret("p"), Network: bitcoin.Mainnet}
	if _, err := NewNode(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*NodeConfig){
		"no port":                   func(c *NodeConfig) { c.Address = "node" },
		"no user":                   func(c *NodeConfig) { c.User = "" },
		"no password":               func(c *NodeConfig) { c.Password = protocol.Secret{} },
		"no network":                func(c *NodeConfig) { c.Network = 0 },
		"a password in clear":       func(c *NodeConfig) { c.Plain, c.Address = true, "10.0.0.1:8334" },
		"a password to any name":    func(c *NodeConfig) { c.Plain, c.Address = true, "localhost:8334" },
		"a fallback that is a gift": func(c *NodeConfig) { c.FeeFallback = -1 },
	} {
		cfg := good
		if spoil(&cfg); true {
			if _, err := NewNode(cfg); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	}
}

func TestFeeRateIsReadExactly(t *testing.T) {
	for text, want := range map[string]server.FeeRate{
		"0.00001": 1000, "1e-05": 1000, "0.00012345": 12345, "1.0000000001e-05": 1001, "0.001": 100_000,
	} {
		if got, err := parseFeeRate(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "0", "null", "1/3", "0x1p-3", "1e999999999", "1e-999999999", "1000", "1_0e-5"} {
		if got, err := parseFeeRate(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func FuzzFeeRate(f *testing.F) {
	f.Add("1e-05")
	f.Add("0.00001")
	f.Fuzz(func(t *testing.T, text string) {
		if rate, err := parseFeeRate(text); err == nil && (rate <= 0 || rate > maxFeeRate) {
			t.Fatalf("%q is %d", text, rate)
		}
	})
}

func TestInterestForgetsWhatNoLongerConcerns(t *testing.T) {
	x := newInterest()
	a, b := wire.OutPoint{Index: 1}, wire.OutPoint{Hash: chainhash.Hash{1}}
	x.set("s", []wire.OutPoint{a, b, a})
	x.set("t", []wire.OutPoint{a})
	x.set("s", []wire.OutPoint{b})
	if len(x.points[a]) != 1 || x.points[a][0] != "t" || len(x.points[b]) != 1 {
		t.Fatalf("%+v", x)
	}
	x.set("s", nil)
	x.set("t", nil)
	if len(x.points) != 0 || len(x.scripts) != 0 {
		t.Fatalf("%+v", x)
	}
}
