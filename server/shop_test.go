package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/chain"
	"till/server/store"
	"till/server/wallet"
)

// eur is an amount in cents.
func eur(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }

// practiceRate is 58123.45 EUR a bitcoin.
const practiceRate protocol.Rate = 5_812_345

// fixed is a rate that a test sets.
type fixed struct {
	mu   sync.Mutex
	rate protocol.Rate
}

func (f *fixed) set(r protocol.Rate) {
	f.mu.Lock()
	f.rate = r
	f.mu.Unlock()
}

func (f *fixed) Current(now protocol.Time) (server.Price, *protocol.NoQuote) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rate == 0 {
		return server.Price{}, &protocol.NoQuote{Reason: "rate_stale", Message: "no source answers", Since: now}
	}
	return server.Price{Currency: "EUR", Rate: f.rate, Sources: []protocol.Source{{Name: "fixed", Rate: f.rate, At: now}}}, nil
}

// alarms keeps what the owner was told.
type alarms struct {
	mu   sync.Mutex
	all  []server.Alarm
	down bool
}

func (a *alarms) Name() string { return "test" }

func (a *alarms) Deliver(_ context.Context, alarm server.Alarm) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		return errors.New("nobody answers")
	}
	a.all = append(a.all, alarm)
	return nil
}

// of gives what arrived of a kind.
func (a *alarms) of(kind string) (some []server.Alarm) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alarm := range a.all {
		if alarm.Kind == kind {
			some = append(some, alarm)
		}
	}
	return some
}

func (a *alarms) refuse(down bool) {
	a.mu.Lock()
	a.down = down
	a.mu.Unlock()
}

// shop is a whole server on a real database and the practice chain.
type shop struct {
	*server.Server
	t        testing.TB
	dir      string
	location string // of the database, "" a file in dir
	db       *store.DB
	chain    *chain.Practice
	wallet   *wallet.Wallet
	rates    *fixed
	alarms   *alarms
	now      *atomic.Int64
	set      server.Settings
	stop     func()

	through   server.Chain // nil: chain itself
	around    func(server.Store) server.Store
	watchOnly bool // the wallet cannot sign
	pushed    func(text string) (server.Settings, error)
}

const testWords = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

func testWallet(t testing.TB) *wallet.Wallet {
	t.Helper()
	sealed, err := wallet.Seal(wallet.New{
		Words: protocol.NewSecret(testWords), Passphrase: protocol.NewSecret("open sesame"), Form: bitcoin.P2WPKH,
		Network: bitcoin.Regtest, Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1},
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, err := sealed.Open(protocol.NewSecret("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// openShop starts a shop that has just been unpacked; edit may change its settings.
func openShop(t testing.TB, edit func(*server.Settings)) *shop {
	t.Helper()
	return openShopAt(t, "", edit)
}

// openShopAt is openShop with its database elsewhere, "" in a file.
func openShopAt(t testing.TB, location string, edit func(*server.Settings)) *shop {
	t.Helper()
	s := &shop{t: t, location: location, dir: t.TempDir(), rates: &fixed{rate: practiceRate}, alarms: &alarms{}, now: &atomic.Int64{}, set: server.Defaults("EUR")}
	s.now.Store(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC).UnixMilli())
	s.set.Watch = 0
	if edit != nil {
		edit(&s.set)
	}
	s.wallet = testWallet(t)
	var err error
	s.chain, err = chain.OpenPractice(chain.PracticeConfig{Dir: filepath.Join(s.dir, "chain"), Now: func() time.Time { return s.clock().Time() }, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() {
		s.stop()
		if err := s.chain.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *shop) clock() protocol.Time { return protocol.Time(s.now.Load()) }

// start opens database and server on what is there, and runs it.
func (s *shop) start() {
	s.t.Helper()
	ctx := context.Background()
	var err error
	location := s.location
	if location == "" {
		location = filepath.Join(s.dir, "server.db")
	}
	if s.db, err = store.Open(ctx, location); err != nil {
		s.t.Fatal(err)
	}
	if s.Server, err = server.New(ctx, s.options()); err != nil {
		s.t.Fatal(err)
	}
	db := s.db
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func(srv *server.Server) { ended <- srv.Run(running) }(s.Server)
	s.stop = sync.OnceFunc(func() {
		cancel()
		err := <-ended
		breaches, audit := db.Audit(ctx)
		for _, breach := range breaches {
			s.t.Error(breach)
		}
		if err := errors.Join(err, audit, db.Close()); err != nil {
			s.t.Error(err)
		}
	})
}

func (s *shop) options() server.Options {
	o := server.Options{
		Store: s.db, Chain: s.chain, Wallet: s.wallet, Rates: s.rates, Couriers: []server.Courier{s.alarms}, Clock: s.clock, Random: rand.Reader,
		Log: slog.New(slog.NewTextHandler(testLog{s.t}, nil)), SealKey: make([]byte, server.SealKeySize), Settings: s.set,
		Pushed: s.pushed,
	}
	if s.around != nil {
		o.Store = s.around(s.db)
	}
	if s.through != nil {
		o.Chain = s.through
	}
	if s.watchOnly {
		w, err := wallet.Watch(s.wallet.Descriptor(), bitcoin.Regtest)
		if err != nil {
			s.t.Fatal(err)
		}
		o.Wallet = w
	}
	return o
}

// testLog shows the server's log with a failed test.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(string(p[:len(p)-1]))
	return len(p), nil
}

// restart is a power cut and what follows it.
func (s *shop) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// pass moves the clock.
func (s *shop) pass(d time.Duration) {
	s.now.Add(d.Milliseconds())
	s.ClockMoved()
}

func (s *shop) mine(n int) {
	s.t.Helper()
	if _, err := s.chain.Mine(context.Background(), n); err != nil {
		s.t.Fatal(err)
	}
}

// pay pays at 5 sat/vB, replaceable.
func (s *shop) pay(address string, amount protocol.Sat) string {
	s.t.Helper()
	return s.payAt(address, amount, 5000, true)
}

func (s *shop) payAt(address string, amount protocol.Sat, rate server.FeeRate, replaceable bool) string {
	s.t.Helper()
	txid, err := s.chain.Pay(context.Background(), address, amount, rate, replaceable)
	if err != nil {
		s.t.Fatal(err)
	}
	return txid
}

func (s *shop) replace(txid, address string) string {
	s.t.Helper()
	next, err := s.chain.Replace(context.Background(), txid, address, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return next
}

// request makes a key and a signing request for it.
func request(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return requestFor(t, key)
}

func requestFor(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// till is a terminal's side: its journal, its cursor, what it was told.
type till struct {
	*shop
	id        protocol.TerminalID
	name      string
	log       protocol.LogID
	config    *protocol.Config
	quote     *protocol.Quote
	noQuote   *protocol.NoQuote
	alerts    []protocol.Alert
	entries   []protocol.Entry
	addresses []string
}

// pair makes a terminal of a name.
func (s *shop) pair(name string, replace bool) *till {
	s.t.Helper()
	ctx := context.Background()
	invitation, err := s.AddTerminal(ctx, name, replace, "")
	if err != nil {
		s.t.Fatal(err)
	}
	link, err := protocol.ParseLink(invitation.Link)
	if err != nil {
		s.t.Fatal(err)
	}
	got, err := s.Enroll(ctx, protocol.Enroll{Code: link.Code.Reveal(), Name: name, CSR: request(s.t)})
	if err != nil {
		s.t.Fatal(err)
	}
	t := &till{shop: s, id: got.ID, name: name}
	t.sync()
	t.lease(20)
	return t
}

func (t *till) checkIn(p protocol.CheckIn) (*protocol.CheckInResult, error) {
	p.Software, p.Log, p.Addresses = "test", t.log, int64(len(t.addresses))
	if t.config != nil {
		p.Config = t.config.Version
	}
	p.Alert = int64(0)
	if n := len(t.alerts); n > 0 {
		p.Alert = t.alerts[n-1].Seq
	}
	r, err := t.CheckIn(context.Background(), t.id, p, false)
	if err != nil {
		return nil, err
	}
	if t.log != r.Log {
		t.log, t.alerts = r.Log, nil
	}
	for _, a := range r.Alerts {
		if a.Seq == 0 {
			continue
		}
		if n := len(t.alerts); n > 0 && a.Seq != t.alerts[n-1].Seq+1 {
			t.t.Fatalf("alert %d follows %d", a.Seq, t.alerts[n-1].Seq)
		}
		t.alerts = append(t.alerts, a)
	}
	if r.Config != nil {
		t.config = r.Config
	}
	t.quote, t.noQuote = nil, r.NoQuote
	if len(r.Quotes) > 0 {
		t.quote = &r.Quotes[0]
	}
	return r, nil
}

// sync checks in without waiting.
func (t *till) sync() *protocol.CheckInResult {
	t.t.Helper()
	r, err := t.checkIn(protocol.CheckIn{})
	if err != nil {
		t.t.Fatal(err)
	}
	return r
}

func (t *till) lease(want int64) *protocol.GetAddressResult {
	t.t.Helper()
	r, err := t.GetAddress(context.Background(), t.id, protocol.GetAddress{Want: want})
	if err != nil {
		t.t.Fatal(err)
	}
	t.addresses = nil
	for _, a := range r.Addresses {
		t.addresses = append(t.addresses, a.Address)
	}
	return r
}

// entry makes the next entry at the time without sending it.
func (t *till) entry(at protocol.Time, kind protocol.EntryKind, body any) protocol.Entry {
	t.t.Helper()
	var prev *protocol.Entry
	if n := len(t.entries); n > 0 {
		prev = &t.entries[n-1]
	}
	e, err := protocol.NewEntry(prev, at, kind, body)
	if err != nil {
		t.t.Fatal(err)
	}
	return *e
}

// write appends entries of now to the journal and sends them.
func (t *till) write(kind protocol.EntryKind, body any) *protocol.CheckInResult {
	t.t.Helper()
	e := t.entry(t.clock(), kind, body)
	r, err := t.checkIn(protocol.CheckIn{Journal: []protocol.Entry{e}})
	if err != nil {
		t.t.Fatal(err)
	}
	t.entries = append(t.entries, e)
	if r.Journal != e.Seq {
		t.t.Fatalf("the server stored up to %d, not %d", r.Journal, e.Seq)
	}
	return r
}

func newID(t testing.TB) protocol.ID {
	t.Helper()
	id, err := protocol.NewID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// deal is a sale with one bitcoin tender.
type deal struct {
	sale    protocol.SaleID
	tender  protocol.TenderID
	address string
	due     protocol.Sat
}

// open opens a sale without a tender.
func (t *till) open(total int64) protocol.SaleID {
	t.t.Helper()
	id := protocol.SaleID(newID(t.t))
	t.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: id, Total: eur(total)})
	return id
}

// tender makes a good bitcoin tender of the amount with the next address.
func (t *till) tender(sale protocol.SaleID, amount int64) protocol.TenderAdded {
	t.t.Helper()
	due, err := t.quote.Buy.Charge(amount)
	if err != nil {
		t.t.Fatal(err)
	}
	address := t.addresses[0]
	t.addresses = t.addresses[1:]
	return protocol.TenderAdded{
		Sale: sale, Tender: protocol.TenderID(newID(t.t)), Kind: protocol.TenderBitcoin, Amount: eur(amount),
		Quote: t.quote.ID, Address: address, DueSat: due,
	}
}

// sell opens a sale of the amount to be paid in bitcoin.
func (t *till) sell(amount int64) deal {
	t.t.Helper()
	sale := t.open(amount)
	added := t.tender(sale, amount)
	t.write(protocol.EntryTenderAdded, added)
	return deal{sale, added.Tender, added.Address, added.DueSat}
}

// until checks in, waiting, until an alert that pleases has come; it looks at
// those already there first.
func (t *till) until(what string, from int, pleases func(protocol.Alert) bool) protocol.Alert {
	t.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		for ; from < len(t.alerts); from++ {
			if pleases(t.alerts[from]) {
				return t.alerts[from]
			}
		}
		if time.Now().After(deadline) {
			for _, a := range t.alerts {
				t.t.Logf("alert %d %s %s", a.Seq, a.Kind, a.Body)
			}
			t.t.Fatalf("no alert says: %s", what)
		}
		if _, err := t.checkIn(protocol.CheckIn{Wait: 1}); err != nil {
			t.t.Fatal(err)
		}
	}
}

func status(t testing.TB, a protocol.Alert) protocol.SaleStatus {
	t.Helper()
	var s protocol.SaleStatus
	if err := json.Unmarshal(a.Body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// untilSale waits for the sale's newest alert to please.
func (t *till) untilSale(sale protocol.SaleID, what string, pleases func(protocol.SaleStatus) bool) protocol.SaleStatus {
	t.t.Helper()
	a := t.until(what, 0, func(a protocol.Alert) bool {
		return a.Kind == protocol.AlertSale && status(t.t, a).Sale == sale && pleases(status(t.t, a))
	})
	return status(t.t, a)
}

func (t *till) untilState(sale protocol.SaleID, state protocol.SaleState) protocol.SaleStatus {
	t.t.Helper()
	return t.untilSale(sale, "sale is "+string(state), func(s protocol.SaleStatus) bool { return s.State == state })
}

// last gives the newest status of the sale that the terminal was told.
func (t *till) last(sale protocol.SaleID) protocol.SaleStatus {
	t.t.Helper()
	t.sync()
	for i := len(t.alerts) - 1; i >= 0; i-- {
		if t.alerts[i].Kind == protocol.AlertSale {
			if s := status(t.t, t.alerts[i]); s.Sale == sale {
				return s
			}
		}
	}
	t.t.Fatalf("nothing was told of sale %s", sale)
	return protocol.SaleStatus{}
}

// settled waits until what the server does by itself is done.
func settled(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the server did not settle: %s", what)
		}
	}
}
