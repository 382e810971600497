package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/rpcclient"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
	"till/device"
	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/wallet"
)

// TestASaleOnARealNode is the first sale on real rails: a btcd process, a
// headless server on it, a terminal on another data directory paired by link,
// its printer on a pseudo-terminal; the story in testdata/btcd is paid by a
// transaction sent through btcd. The QR read by zbarimg off a picture of the
// terminal's screen is what the customer's wallet gets.
func TestASaleOnARealNode(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs btcd")
	}
	node := startNode(t)
	head := startHeadless(t, node)
	var world *nodeStage
	shots := t.TempDir()
	results, err := story.Play(t.Context(), story.Options{
		Open: func(context.Context) (*story.Shop, error) {
			s, shop, err := openNodeStage(t, node, head)
			world = s
			return shop, err
		},
		Now: time.Now, Out: t.Output(), Width: 100, Height: 40, Shots: shots,
	}, []string{filepath.Join("testdata", "btcd", "first.story")})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Held {
			_ = story.Report(t.Output(), results)
			t.Log(head.log.String())
			t.Fatal(r.Failure)
		}
	}
	if world.asked == "" {
		t.Fatal("nothing was paid")
	}
	if text := readQR(t, filepath.Join(shots, "sale.png")); text != world.asked {
		t.Errorf("the picture's QR holds %q, want %q", text, world.asked)
	}
}

// readQR reads a picture as a phone would.
func readQR(t *testing.T, picture string) string {
	t.Helper()
	zbarimg, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed")
	}
	out, err := exec.Command(zbarimg, "--quiet", "--raw", picture).Output()
	if err != nil {
		t.Fatalf("no QR is found in %s: %v", picture, err)
	}
	return strings.TrimSpace(string(out))
}

// node is a real btcd on regtest whose rewards belong to a customer.
type node struct {
	rpc      *rpcclient.Client
	address  string
	dir      string
	customer *wallet.Wallet
	next     int64 // height of the next reward to spend
}

const nodeUser, nodePassword = "till", "correct horse"

func startNode(t *testing.T) *node {
	t.Helper()
	n := &node{address: freePort(t), dir: t.TempDir(), customer: hotWallet(t), next: 1}
	program := filepath.Join(n.dir, "btcd")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/btcsuite/btcd").CombinedOutput(); err != nil {
		t.Fatalf("build btcd: %v\n%s", err, out)
	}
	miner, err := n.customer.Derive(server.BranchReceive, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(n.dir, name) }
	if err := os.WriteFile(file("btcd.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	btcd := exec.Command(program, "--regtest", "--nolisten", "--nodnsseed", "--txindex", "--addrindex",
		"--configfile="+file("btcd.conf"), "--datadir="+file("data"), "--logdir="+file("log"),
		"--rpclisten="+n.address, "--rpcuser="+nodeUser, "--rpcpass="+nodePassword,
		"--rpccert="+file("rpc.cert"), "--rpckey="+file("rpc.key"), "--miningaddr="+miner.Text)
	if err := btcd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = btcd.Process.Signal(os.Interrupt); _ = btcd.Wait() })
	await(t, "btcd", func() error {
		cert, err := os.ReadFile(file("rpc.cert"))
		if err != nil {
			return err
		}
		n.rpc, err = rpcclient.New(&rpcclient.ConnConfig{Host: n.address, Endpoint: "ws", User: nodeUser, Pass: nodePassword,
			Certificates: cert, DisableAutoReconnect: true, Params: "regtest"}, nil)
		return err
	})
	t.Cleanup(n.rpc.Shutdown)
	n.mine(t.Context(), 120)
	return n
}

// mine mines blocks through btcd.
func (n *node) mine(_ context.Context, blocks int) error {
	return n.call(nil, "generate", blocks)
}

// call asks btcd; its client has no deadline of its own.
func (n *node) call(result any, method string, params ...any) error {
	raw := make([]json.RawMessage, len(params))
	for i, p := range params {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		raw[i] = text
	}
	answer, err := n.rpc.RawRequest(method, raw)
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

// pay spends the next reward.
func (n *node) pay(ctx context.Context, address string, amount protocol.Sat) (string, error) {
	hash, err := n.rpc.GetBlockHash(n.next)
	if err != nil {
		return "", err
	}
	block, err := n.rpc.GetBlock(hash)
	if err != nil {
		return "", err
	}
	reward := block.Transactions[0]
	to, err := n.customer.Script(address)
	if err != nil {
		return "", err
	}
	own, err := n.customer.Derive(server.BranchReceive, 0)
	if err != nil {
		return "", err
	}
	signed, err := n.customer.Spend(ctx, server.Spend{
		Coins: []server.Coin{{TxID: reward.TxHash().String(), Amount: protocol.Sat(reward.TxOut[0].Value), Script: own.Script, Height: n.next}},
		To:    to, Amount: amount, Change: own.Script, FeeRate: 5000, FeeLimit: 100_000,
	})
	if err != nil {
		return "", err
	}
	n.next++
	var txid string
	return txid, n.call(&txid, "sendrawtransaction", hex.EncodeToString(signed.Raw))
}

// headless is a server process on the node.
type headless struct {
	dir  string
	at   boot.Addresses
	link string
	log  *bytes.Buffer
}

func startHeadless(t *testing.T, n *node) *headless {
	t.Helper()
	h := &headless{dir: t.TempDir(), log: &bytes.Buffer{}}
	file := func(name string) string { return filepath.Join(h.dir, name) }
	shop := hotWallet(t)
	write := func(name, text string) {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("password", nodePassword+"\n")
	write("till.toml", fmt.Sprintf(`
[shop]
name = "Node Café"
[chain]
network = "regtest"
node_url = "wss://%s"
node_user = %q
node_password_file = %q
node_cert_file = %q
fee_fallback = 1
[wallet]
descriptor = %q
[rates]
sources = ["fixed"]
fixed = "58123.45"
`, n.address, nodeUser, file("password"), filepath.Join(n.dir, "rpc.cert"), shop.Descriptor()))
	serve := exec.Command(tillProgram(t), "serve", "--data", file("data"), "--config", file("till.toml"), "--rpc", "127.0.0.1:0", "--merchant", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--addresses-file", file("at.json"))
	serve.Stderr = h.log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		if err := serve.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, h.log)
		}
	})
	await(t, "the server", func() error {
		text, err := os.ReadFile(file("at.json"))
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &h.at)
	})
	out, err := exec.Command(tillProgram(t), "terminal", "add", "counter", "--data", file("data"), "--config", file("till.toml"), "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var invitation server.Invitation
	if err := json.Unmarshal(out, &invitation); err != nil {
		t.Fatal(err)
	}
	h.link = invitation.Link
	return h
}

// nodeStage is a stage whose terminal is paired with a headless server on a real
// node: what a story calls the world is btcd.
type nodeStage struct {
	*stage
	node  *node
	head  *headless
	asked string // what the customer's wallet was asked for, as its QR says it
}

func openNodeStage(t *testing.T, n *node, h *headless) (*nodeStage, *story.Shop, error) {
	t.Helper()
	s, err := newStage(tillProgram(t))
	if err != nil {
		return nil, nil, err
	}
	link, port, err := device.OpenPTY()
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	t.Cleanup(func() { _ = link.Close() })
	go func() { _ = s.printer.Serve(t.Context(), link) }()
	if out, err := exec.Command(tillProgram(t), "enroll", h.link, "--data", s.dir).CombinedOutput(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("enroll: %w: %s", err, out), s.close())
	}
	s.env = []string{"TILL_SERVER_URL=https://" + h.at.RPC, "TILL_PRINTER_URL=serial://" + port, "TILL_PRINTER_PROFILE=epson-80"}
	w := &nodeStage{stage: s, node: n, head: h}
	return w, &story.Shop{Program: s, Clock: machineClock{}, World: w, Books: w, Printer: s.printer, Drawer: s.printer, Close: s.close}, nil
}

// Pay pays through btcd.
func (w *nodeStage) Pay(ctx context.Context, p story.Payment) (string, error) {
	w.asked = fmt.Sprintf("BITCOIN:%s?amount=%s", strings.ToUpper(p.Address), strings.TrimRight(p.Amount.String(), "0"))
	return w.node.pay(ctx, p.Address, p.Amount)
}

// Mine mines through btcd.
func (w *nodeStage) Mine(ctx context.Context, blocks int) error { return w.node.mine(ctx, blocks) }

// Replace, Reorg, Rate and NodeDown are not part of this world.
func (w *nodeStage) Replace(context.Context, string, int64) (string, error) {
	return "", errors.ErrUnsupported
}

// Reorg is described at Replace.
func (w *nodeStage) Reorg(context.Context, int, bool) error { return errors.ErrUnsupported }

// Rate is described at Replace.
func (w *nodeStage) Rate(context.Context, string, string) error { return errors.ErrUnsupported }

// NodeDown is described at Replace.
func (w *nodeStage) NodeDown(context.Context, bool) error { return errors.ErrUnsupported }

// VerifyJournal asks both machines.
func (w *nodeStage) VerifyJournal(ctx context.Context) error {
	data, config := filepath.Join(w.head.dir, "data"), filepath.Join(w.head.dir, "till.toml")
	return errors.Join(w.verify(ctx, "--data", data, "--config", config), w.verify(ctx, "--data", w.dir, "--terminal"))
}

// machineClock is the real clock: it cannot be pushed.
type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

func (machineClock) Advance(context.Context, time.Duration) error { return errors.ErrUnsupported }

func hotWallet(t *testing.T) *wallet.Wallet {
	t.Helper()
	words, err := wallet.NewWords(rand.Reader, 12)
	if err != nil {
		t.Fatal(err)
	}
	passphrase := protocol.NewSecret("test")
	sealed, err := wallet.Seal(wallet.New{Words: words, Passphrase: passphrase, Network: bitcoin.Regtest, Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, err := sealed.Open(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// tillProgram is this test binary under the name that makes it till.
func tillProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("till")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// await tries until f succeeds or half a minute is over: another process tells
// no better when it is ready.
func await(t *testing.T, what string, f func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s does not come up: %v", what, err)
}
