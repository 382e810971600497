package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/chain"
	"till/server/wallet"
)

// btcd is a real node on regtest in a process of its own, with a miner's wallet
// that its rewards go to.
type btcd struct {
	t       *testing.T
	node    *chain.Node
	miner   *wallet.Wallet
	reward  server.Address
	url     string
	client  *http.Client
	unspent []server.Coin // mature rewards
}

const btcdPassword = "correct horse"

func startBtcd(t *testing.T) *btcd {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a btcd process")
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if out, err := exec.Command("go", "build", "-o", file("btcd"), "github.com/btcsuite/btcd").CombinedOutput(); err != nil {
		t.Fatalf("build btcd: %v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	b := &btcd{t: t, miner: minersWallet(t), url: "https://" + address}
	if b.reward, err = b.miner.Derive(server.BranchReceive, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file("btcd.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(file("btcd"), "--regtest", "--nolisten", "--nodnsseed", "--rejectnonstd", "--addrindex", "--txindex",
		"--configfile="+file("btcd.conf"), "--datadir="+file("data"), "--logdir="+file("log"), "--rpclisten="+address,
		"--rpcuser=till", "--rpcpass="+btcdPassword, "--rpccert="+file("rpc.cert"), "--rpckey="+file("rpc.key"), "--miningaddr="+b.reward.Text)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var cert []byte
	settled(t, "btcd answers", func() bool {
		cert, err = os.ReadFile(file("rpc.cert"))
		conn, dialled := net.Dial("tcp", address)
		if dialled == nil {
			conn.Close()
		}
		return err == nil && dialled == nil
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	b.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(b.client.CloseIdleConnections)
	b.node, err = chain.NewNode(chain.NodeConfig{
		Address: address, User: "till", Password: protocol.NewSecret(btcdPassword), Certificate: cert, Network: bitcoin.Regtest, FeeFallback: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.node.Close() })
	return b
}

func minersWallet(t testing.TB) *wallet.Wallet {
	t.Helper()
	sealed, err := wallet.Seal(wallet.New{
		Words: protocol.NewSecret("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"), Passphrase: protocol.NewSecret("miner"), Form: bitcoin.P2WPKH,
		Network: bitcoin.Regtest, Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1},
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, err := sealed.Open(protocol.NewSecret("miner"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (b *btcd) net() server.Chain { return b.node }

func (b *btcd) mine(n int) {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": "generate", "params": []int{n}})
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, b.url, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.SetBasicAuth("till", btcdPassword)
	answer, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct{ Error any }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Error != nil {
		b.t.Fatal("generate:", err, got.Error)
	}
}

// pay pays an address out of a mature reward, one for each payment.
func (b *btcd) pay(address string, amount protocol.Sat) string {
	b.t.Helper()
	ctx := context.Background()
	to, err := b.miner.Script(address)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(b.unspent) == 0 {
		b.ripen()
	}
	coin := b.unspent[0]
	b.unspent = b.unspent[1:]
	signed, err := b.miner.Spend(ctx, server.Spend{Coins: []server.Coin{coin}, To: to, Amount: amount, Change: b.change(), FeeRate: 2000, FeeLimit: protocol.MaxSat})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.node.Broadcast(ctx, signed.Raw); err != nil {
		b.t.Fatal(fmt.Errorf("pay %s: %w", address, err))
	}
	return signed.TxID
}

// change is where the miner's rests go, never to be spent.
func (b *btcd) change() server.Script {
	b.t.Helper()
	a, err := b.miner.Derive(server.BranchChange, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return a.Script
}

// ripen mines until a hundred rewards can be spent and lists them.
func (b *btcd) ripen() {
	b.t.Helper()
	b.mine(200)
	payments, tip, err := b.node.Payments(context.Background(), []server.Script{b.reward.Script})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range payments {
		if p.Spent == "" && p.Confirmations(tip) > 100 {
			b.unspent = append(b.unspent, server.Coin{TxID: p.TxID, Vout: p.Vout, Amount: p.Amount, Script: p.Script, Branch: server.BranchReceive, Height: p.Height})
		}
	}
}

// TestKeysPayOnBtcd has every transaction judged by a real node's own policy.
func TestKeysPayOnBtcd(t *testing.T) {
	t.Parallel()
	b := startBtcd(t)
	s := openShop(t, nil)
	s.stop()
	s.through = b.node
	s.now.Store(time.Now().UnixMilli())
	s.start()
	till := s.pair("main", false)
	b.ripen()
	testKeysPay(t, till, b)
	testSalesByKey(t, till, b)
}

// TestCoinsLeaveOnBtcd sells coins and gives some of a sale back, raises a fee and
// pays a debt, each judged by a real node's own policy.
func TestCoinsLeaveOnBtcd(t *testing.T) {
	t.Parallel()
	node := startBtcd(t)
	b := openBank(t, nil)
	b.stop()
	b.through = node.node
	b.now.Store(time.Now().UnixMilli())
	b.start()
	node.ripen()
	own, err := b.ReceiveAddress(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	node.pay(own.Text, 3_000_000)
	node.mine(1)
	has := func(address string, amount protocol.Sat) {
		t.Helper()
		settled(t, "the customer has it", func() bool {
			payments, _, err := node.node.Payments(context.Background(), b.scripts(address))
			return err == nil && len(payments) == 1 && payments[0].Amount == amount
		})
	}
	var sold protocol.Dispense
	settled(t, "coins are sold", func() bool {
		sold = b.coins(3000)
		r, err := b.dispense(sold)
		return err == nil && r.State == protocol.PayoutBroadcast
	})
	has(sold.Address, sold.AmountSat)
	raised, err := b.Bump(context.Background(), sold.ID, 30_000)
	if err != nil || raised.State != protocol.PayoutBroadcast || len(raised.Replaces) != 1 {
		t.Fatalf("raised: %+v, %v", raised, err)
	}
	has(sold.Address, sold.AmountSat)
	node.mine(1)
	b.untilPayout(sold.ID, protocol.PayoutConfirmed, 1)

	b.sync()
	d := b.sell(2000)
	node.pay(d.address, d.due+20_000)
	b.untilSale(d.sale, "it is paid", func(s protocol.SaleStatus) bool { return s.ReceivedSat == d.due+20_000 })
	node.mine(1)
	b.owes(map[string]protocol.Sat{"overpaid": 20_000})
	back := b.refund(d, 2000, d.due)
	if r := b.dispensed(back); r.State != protocol.PayoutBroadcast {
		t.Fatalf("refunded: %+v", r)
	}
	has(back.Address, d.due)
	b.owes(nil)
}
