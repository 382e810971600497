package terminal

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"till/protocol"
)

// clock is set by the test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// keyVault keeps a key in memory.
type keyVault struct {
	mu  sync.Mutex
	key *ecdsa.PrivateKey
}

func (v *keyVault) Signer() (crypto.Signer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.key == nil {
		return nil, ErrNoKey
	}
	return v.key, nil
}

func (v *keyVault) Generate() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.key = key
	return key, err
}

func (v *keyVault) Erase() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.key = nil
	return nil
}

// counter is a machine with one database, opened as often as a test likes.
type counter struct {
	t     *testing.T
	shop  *shop
	vault *keyVault
	path  string
	sleep func(context.Context, time.Duration) error
	*Terminal
}

func newCounter(t *testing.T, s *shop) *counter {
	t.Helper()
	c := &counter{t: t, shop: s, vault: &keyVault{}, path: filepath.Join(t.TempDir(), "terminal.db"), sleep: func(ctx context.Context, _ time.Duration) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	c.open()
	t.Cleanup(func() { _ = c.Terminal.Close() })
	return c
}

func (c *counter) open() {
	c.t.Helper()
	opened, err := Open(context.Background(), Options{
		Path: c.path, Clock: c.shop.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Software: "till/test",
		Vault: c.vault, Dial: c.shop.dial, Sleep: func(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) },
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.Terminal = opened
}

// restart is a power cut as far as memory goes.
func (c *counter) restart() {
	c.t.Helper()
	if err := c.Terminal.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.open()
}

func paired(t *testing.T) *counter {
	t.Helper()
	c := newCounter(t, newShop(t))
	if err := c.Pair(context.Background(), c.shop.link(), "bar-1"); err != nil {
		t.Fatal(err)
	}
	return c
}

// loop is Run's, with more patience: a busy machine must not fail a test.
func (c *counter) loop() *loop { return &loop{t: c.Terminal, patience: 2 * time.Minute} }

// exchange does check-ins and what follows them until both sides have all.
func (c *counter) exchange() {
	c.t.Helper()
	l := c.loop()
	for range 20 {
		pause, err := l.round(context.Background())
		if err != nil {
			c.t.Fatalf("check-in: %v", err)
		}
		if pause > 0 {
			return
		}
	}
	c.t.Fatal("check-ins do not come to rest")
}

// run lets Run work beside the test.
func (c *counter) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	c.t.Cleanup(func() { cancel(); <-done })
}

// eventually waits for a condition that a goroutine brings about, woken by facts.
func (c *counter) eventually(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-c.Facts():
		case <-time.After(time.Millisecond):
		case <-deadline:
			c.t.Fatalf("%s did not come about", what)
		}
	}
}

func (c *counter) id() protocol.ID {
	c.t.Helper()
	id, err := c.NewID()
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// sale opens a sale of so many cents.
func (c *counter) sale(minor int64) protocol.SaleID {
	c.t.Helper()
	id := protocol.SaleID(c.id())
	c.append(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: id, Total: protocol.Money{Currency: "EUR", Minor: minor}})
	return id
}

func (c *counter) append(kind protocol.EntryKind, body any) protocol.Entry {
	c.t.Helper()
	e, err := c.Append(context.Background(), kind, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func (c *counter) verify() {
	c.t.Helper()
	v, err := c.VerifyJournal(context.Background())
	if err != nil || v.Bad != 0 {
		c.t.Errorf("journal: %+v, %v", v, err)
	}
}

func eur(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }
