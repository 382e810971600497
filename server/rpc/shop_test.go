package rpc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/chain"
	"till/server/rates"
	"till/server/rpc"
	"till/server/store"
	"till/server/wallet"
)

// shop is a whole server behind a front door that listens on TCP: SQLite file,
// practice chain, hot wallet.
type shop struct {
	t     testing.TB
	dir   string
	clock *clock
	db    *store.DB
	chain *chain.Practice
	rates *rates.Fixed
	core  *server.Server
	door  *rpc.Door
	addr  string
	log   *lockedBuffer

	settings server.Settings

	stop  func()
	ended chan struct{} // closed when everything has stopped
}

// clock is the real one, pushed forward or back.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) time() protocol.Time     { return protocol.TimeOf(c.now()) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// practiceWords make every shop's wallet; its coins are worth nothing.
const practiceWords = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

var practiceSeal = sync.OnceValues(func() (*wallet.Sealed, error) {
	return wallet.Seal(wallet.New{
		Words: protocol.NewSecret(practiceWords), Passphrase: protocol.NewSecret("practice"),
		Network: bitcoin.Regtest, Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1},
	}, rand.Reader)
})

// openShop opens a shop that is not served yet.
func openShop(t testing.TB, edits ...func(*server.Settings)) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir(), clock: &clock{}, log: &lockedBuffer{}, stop: func() {}, settings: server.Defaults("EUR")}
	for _, edit := range edits {
		edit(&s.settings)
	}
	var err error
	s.chain, err = chain.OpenPractice(chain.PracticeConfig{Dir: filepath.Join(s.dir, "chain"), Now: s.clock.now, Random: rand.Reader})
	must(t, err)
	t.Cleanup(func() { _ = s.chain.Close() })
	s.open()
	return s
}

// open opens the database and what stands on it.
func (s *shop) open() {
	s.t.Helper()
	sealed, err := practiceSeal()
	must(s.t, err)
	w, err := sealed.Open(protocol.NewSecret("practice"))
	must(s.t, err)
	s.t.Cleanup(func() { _ = w.Close() })
	s.db, err = store.Open(s.t.Context(), filepath.Join(s.dir, "server.db"))
	must(s.t, err)
	s.rates = rates.NewFixed("EUR", 6000000, s.clock.time)
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.core, err = server.New(s.t.Context(), server.Options{
		Store: s.db, Chain: s.chain, Wallet: w, Rates: s.rates, Clock: s.clock.time, Random: rand.Reader, Log: log,
		SealKey: bytes.Repeat([]byte{7}, server.SealKeySize), Settings: s.settings,
	})
	must(s.t, err)
	s.door, err = rpc.New(rpc.Options{Server: s.core, Clock: s.clock.time, Random: rand.Reader, Log: log})
	must(s.t, err)
}

// serve serves the door on TCP until the test ends or stop is called.
func (s *shop) serve() {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(s.t, err)
	s.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	s.ended = make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if err := s.core.Run(ctx); err != nil {
			s.t.Errorf("run server: %v", err)
		}
	})
	tasks.Go(func() {
		if err := s.door.Serve(ctx, l, 3*time.Second); err != nil {
			s.t.Errorf("serve door: %v", err)
		}
	})
	go func() { tasks.Wait(); close(s.ended) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		<-s.ended
		must(s.t, s.db.Close())
	})
	s.t.Cleanup(func() { s.stop() })
}

func newShop(t testing.TB, edits ...func(*server.Settings)) *shop {
	t.Helper()
	s := openShop(t, edits...)
	s.serve()
	return s
}

// invite gives a pairing link for the name.
func (s *shop) invite(name string) protocol.Link {
	s.t.Helper()
	i, err := s.core.AddTerminal(s.t.Context(), name, false, s.addr)
	must(s.t, err)
	link, err := protocol.ParseLink(i.Link)
	must(s.t, err)
	return link
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

// csr is a certificate request in PEM, signed with the key.
func csr(t testing.TB, key any, edit func(*x509.CertificateRequest)) string {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "till"}}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// roots is the pool of the shop's CA.
func (s *shop) roots() *x509.CertPool {
	ca, err := x509.ParseCertificate(s.core.CA())
	must(s.t, err)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return pool
}

// config is what a terminal dials with; certificate nil shows none.
func (s *shop) config(certificate *tls.Certificate) *tls.Config {
	c := &tls.Config{RootCAs: s.roots(), Time: s.clock.now}
	if certificate != nil {
		// Show it whatever the server asks for.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return c
}

func newID(t testing.TB) string {
	t.Helper()
	id, err := protocol.NewID(time.Now(), rand.Reader)
	must(t, err)
	return string(id)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for what another goroutine brings about.
func (s *shop) until(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// copyDatabase copies a closed SQLite database with its write-ahead log over
// another one.
func copyDatabase(t testing.TB, from, to string) {
	t.Helper()
	for _, part := range []string{"", "-wal", "-shm"} {
		text, err := os.ReadFile(from + part)
		if errors.Is(err, fs.ErrNotExist) {
			must(t, os.RemoveAll(to+part))
			continue
		}
		must(t, err)
		must(t, os.WriteFile(to+part, text, 0o600))
	}
}
