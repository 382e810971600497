package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"till/cmd/internal/boot"
	"till/cmd/internal/crowd"
	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/chain"
	"till/server/store"
)

// The soak runs for TILL_SOAK, else for a moment; TILL_SEED repeats one.
func soakTime(t *testing.T, short time.Duration) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(os.Getenv("TILL_SOAK"))
	if err != nil {
		return short
	}
	return d
}

func soakSeed(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("TILL_SEED"), 10, 64)
	if err != nil {
		seed = mathrand.Uint64()
	}
	t.Logf("TILL_SEED=%d", seed)
	return seed
}

// TestServersThatDieUnderLoadLoseNothing: three servers on one PostgreSQL behind a
// TCP balancer and on one btcd, one of them killed now and then, sixty terminals
// that sell for cash and bitcoin. Whatever a terminal wrote is stored once, whatever
// was paid is seen, and no terminal met anything that a retry did not heal.
func TestServersThatDieUnderLoadLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs btcd")
	}
	location := freshPostgres(t)
	seed := soakSeed(t)
	g := &gang{node: startNode(t), location: location, dir: t.TempDir(), door: startBalancer(t, seed, 0)}
	last := soakTime(t, 20*time.Second)
	g.every = min(20*time.Second, last/5)
	g.open(t, 3)
	g.work(t, seed, last, func(ctx context.Context, dice *mathrand.Rand) { g.killer(t, ctx, dice) })
}

// TestALineThatCutsDelaysHalvesAndRepeatsLosesNothing: the same with two servers
// and a line on which every third connection comes to harm.
func TestALineThatCutsDelaysHalvesAndRepeatsLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs btcd")
	}
	location := freshPostgres(t)
	seed := soakSeed(t)
	g := &gang{node: startNode(t), location: location, dir: t.TempDir(), door: startBalancer(t, seed, 0.35)}
	last := soakTime(t, 15*time.Second)
	g.every = min(5*time.Second, last/3)
	g.open(t, 2)
	g.work(t, seed, last, func(ctx context.Context, _ *mathrand.Rand) {
		for ctx.Err() == nil {
			pauseFor(ctx, g.every)
			g.door.cutAll()
		}
	})
}

// gang is several servers on one database.
type gang struct {
	node     *node
	location string // "" SQLite: one server
	dir      string
	door     *balancer
	every    time.Duration // between kills
	servers  []*member
	paying   sync.Mutex
}

// member is one server of the gang.
type member struct {
	dir     string
	process *exec.Cmd
	log     bytes.Buffer
	at      boot.Addresses
}

func (g *gang) file(name string) string { return filepath.Join(g.dir, name) }

// open starts so many servers with one configuration and one key file.
func (g *gang) open(t *testing.T, servers int) {
	t.Helper()
	for name, text := range map[string]string{"password": nodePassword + "\n", "till.toml": fmt.Sprintf(`
[shop]
name = "Chain Store"
[server]
public_host = [%q]
[store]
url = %q
key_file = %q
[chain]
network = "regtest"
node_url = "wss://%s"
node_user = %q
node_password_file = %q
node_cert_file = %q
fee_fallback = 1
[acceptance]
watch = "1s"
[wallet]
descriptor = %q
gap_limit = 20000
[rates]
sources = ["fixed"]
fixed = "58123.45"
`, g.door.address(), g.location, g.file("shared.key"), g.node.address, nodeUser, g.file("password"), filepath.Join(g.node.dir, "rpc.cert"), hotWallet(t).Descriptor())} {
		if err := os.WriteFile(g.file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range servers {
		m := &member{dir: g.file(fmt.Sprint("server", i))}
		g.servers = append(g.servers, m)
		g.start(t, m) // the first makes the keys
	}
	t.Cleanup(func() {
		for i, m := range g.servers {
			_ = m.process.Process.Signal(syscall.SIGTERM)
			_ = m.process.Wait()
			if t.Failed() {
				t.Logf("server %d:\n%s", i, m.log.Bytes())
			}
		}
	})
}

func (g *gang) start(t *testing.T, m *member) {
	t.Helper()
	at := m.dir + ".json"
	m.process = exec.Command(tillProgram(t), "serve", "--data", m.dir, "--config", g.file("till.toml"), "--rpc", "127.0.0.1:0",
		"--merchant", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--addresses-file", at)
	m.process.Stderr = &m.log
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "a server", func() error {
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &m.at)
	})
	g.show()
}

// show tells the balancer who is there.
func (g *gang) show() {
	var there []string
	for _, m := range g.servers {
		if m.at.RPC != "" {
			there = append(there, m.at.RPC)
		}
	}
	g.door.set(there...)
}

// kill is the end of a server without a word, and its return.
func (g *gang) kill(t *testing.T, ctx context.Context, m *member) {
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
	_ = os.Remove(m.dir + ".json")
	m.at = boot.Addresses{}
	g.show()
	pauseFor(ctx, g.every/4)
	g.start(t, m)
}

func (g *gang) killer(t *testing.T, ctx context.Context, dice *mathrand.Rand) {
	for kills := 0; ; kills++ {
		if pauseFor(ctx, g.every); ctx.Err() != nil {
			t.Logf("%d kills", kills)
			return
		}
		g.kill(t, ctx, g.servers[dice.IntN(len(g.servers))])
	}
}

const gangSize = 60 // terminals

// work has terminals sell while harm is done, and audits what is left.
func (g *gang) work(t *testing.T, seed uint64, last time.Duration, harm func(context.Context, *mathrand.Rand)) {
	t.Helper()
	many, err := crowd.New(crowd.Options{
		Identities: g.enrol(t), Now: time.Now, Random: rand.Reader, Seed: seed, Dial: crowd.Sources([]string{g.door.address()}),
		Wait: 10 * time.Second, Ramp: time.Second, Sellers: 0.5, SaleEvery: 4 * time.Second, Coins: 0.3, Pay: g.pay,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), last)
	defer cancel()
	var harming sync.WaitGroup
	harming.Go(func() { harm(ctx, mathrand.New(mathrand.NewPCG(seed, 2))) })
	rest, end := context.WithTimeout(t.Context(), last+90*time.Second)
	defer end()
	began := time.Now()
	many.Run(ctx, rest)
	harming.Wait()
	g.judge(t, many, many.Tally().Report(time.Since(began)))
}

func (g *gang) enrol(t *testing.T) (all []crowd.Identity) {
	t.Helper()
	for i := range gangSize {
		name := fmt.Sprint("till", i)
		out, err := exec.Command(tillProgram(t), "terminal", "add", name, "--data", g.servers[0].dir, "--config", g.file("till.toml"), "--json").Output()
		if err != nil {
			t.Fatal(err)
		}
		var invitation server.Invitation
		if err := json.Unmarshal(out, &invitation); err != nil {
			t.Fatal(err)
		}
		link, err := protocol.ParseLink(invitation.Link)
		if err != nil {
			t.Fatal(err)
		}
		var who *crowd.Identity
		await(t, name, func() (err error) {
			who, err = crowd.Enrol(t.Context(), link, name, crowd.Sources([]string{g.servers[0].at.RPC}), time.Now)
			return err
		})
		all = append(all, *who)
	}
	return all
}

// pay pays through btcd; each payment is mined with the next one.
func (g *gang) pay(ctx context.Context, address string, amount protocol.Sat) error {
	g.paying.Lock()
	defer g.paying.Unlock()
	if err := g.node.mine(ctx, 1); err != nil {
		return err
	}
	_, err := g.node.pay(ctx, address, amount)
	return err
}

func (g *gang) judge(t *testing.T, many *crowd.Crowd, r crowd.Report) {
	t.Helper()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
	for _, broken := range r.Broken {
		t.Error(broken)
	}
	if r.Sales == 0 || r.Coins == 0 {
		t.Errorf("%d sales, %d in bitcoin: nothing was tried", r.Sales, r.Coins)
	}
	location := g.location
	if location == "" {
		location = filepath.Join(g.servers[0].dir, "server.db")
	}
	db, err := store.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Read(t.Context(), func(tx *server.Tx) error {
		for _, till := range many.Terminals() {
			who, sent := till.Identity()
			row, err := tx.Terminals.Get(who.ID)
			if err != nil {
				return err
			}
			if !sent || row.JournalSeq != who.Head.Seq || row.JournalHash != who.Head.Hash && who.Head.Seq > 0 {
				t.Errorf("%s wrote %d entries up to %s, all sent %v; the server has %d up to %s", who.Name, who.Head.Seq, who.Head.Hash, sent, row.JournalSeq, row.JournalHash)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	breaches, err := db.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, breach := range breaches {
		t.Error(breach)
	}
	eye := g.eye(t)
	await(t, "what the chain holds in the books", func() error {
		breaches, err := server.Audit(t.Context(), db, eye, protocol.TimeOf(time.Now()))
		for _, breach := range breaches {
			err = errors.Join(err, errors.New(breach))
		}
		return err
	})
}

// eye looks at the chain on its own.
func (g *gang) eye(t *testing.T) *chain.Node {
	t.Helper()
	cert, err := os.ReadFile(filepath.Join(g.node.dir, "rpc.cert"))
	if err != nil {
		t.Fatal(err)
	}
	eye, err := chain.NewNode(chain.NodeConfig{Address: g.node.address, User: nodeUser, Password: protocol.NewSecret(nodePassword),
		Certificate: cert, Network: bitcoin.Regtest})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = eye.Close() })
	return eye
}

// freshPostgres makes a database on the PostgreSQL that TILL_TEST_POSTGRES names.
func freshPostgres(t *testing.T) string {
	t.Helper()
	location := os.Getenv("TILL_TEST_POSTGRES")
	if location == "" {
		t.Skip("TILL_TEST_POSTGRES names no PostgreSQL")
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	suffix := make([]byte, 6)
	_, _ = rand.Read(suffix)
	name := "till_test_" + hex.EncodeToString(suffix)
	admin, err := sql.Open("pgx", location)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// TestAServerWhoseDiskFillsAndThatDiesLosesNothing: one server with its database in
// a file on a small disk that is full now and then, and killed in between.
func TestAServerWhoseDiskFillsAndThatDiesLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs btcd")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skip("no small disk can be made here: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	seed := soakSeed(t)
	g := &gang{node: startNode(t), dir: disk, door: startBalancer(t, seed, 0)}
	last := soakTime(t, 20*time.Second)
	g.every = min(20*time.Second, last/4)
	g.open(t, 1)
	g.work(t, seed, last, func(ctx context.Context, dice *mathrand.Rand) {
		for fills := 0; ; fills++ {
			if pauseFor(ctx, g.every/2); ctx.Err() != nil {
				t.Logf("filled %d times", fills)
				return
			}
			g.fill(t, ctx)
			if dice.IntN(2) == 0 {
				g.kill(t, ctx, g.servers[0])
			}
		}
	})
}

// fill leaves no room on the disk for a while.
func (g *gang) fill(t *testing.T, ctx context.Context) {
	ballast, err := os.Create(g.file("ballast"))
	if err != nil {
		t.Error(err)
		return
	}
	for chunk := make([]byte, 64<<10); err == nil; {
		_, err = ballast.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	pauseFor(ctx, g.every/4)
	if err := errors.Join(ballast.Close(), os.Remove(ballast.Name())); err != nil {
		t.Error(err)
	}
}
