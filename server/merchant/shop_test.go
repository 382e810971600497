package merchant_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/protocol/taler"
	"till/server"
	"till/server/chain"
	"till/server/merchant"
	"till/server/mint"
	"till/server/rates"
	"till/server/store"
	"till/server/wallet"
)

func eur(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }

func cents(t testing.TB, minor int64) taler.Amount {
	t.Helper()
	return must(taler.FromMoney(eur(minor)))(t)
}

// must gives the value, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var begin = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

// minted makes a mint's database with all keys once; tests work on copies.
var minted = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "till-mint-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "mint.db")
	db, err := store.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	m, err := mint.Open(context.Background(), mintOptions(db, func() time.Time { return begin }))
	if err == nil {
		err = m.Warm(context.Background())
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func mintOptions(db server.Store, clock func() time.Time) mint.Options {
	return mint.Options{Store: db, SealKey: make([]byte, server.SealKeySize), Currency: "EUR", Clock: clock, Random: rand.Reader, Log: quiet}
}

var quiet = slog.New(slog.DiscardHandler)

// world is a mint, a shop with a terminal, and the door that customers come in by,
// all over real HTTP and on real databases.
type world struct {
	t    testing.TB
	dir  string
	now  atomic.Int64
	log  *slog.Logger
	edit func(*server.Ecash)
	tick func() time.Time // of the door's limits

	lieKeys  bool // also about its keys
	mint     *mint.Mint
	mintDB   *store.DB
	mintHTTP *httptest.Server
	lie      atomic.Pointer[http.HandlerFunc] // answers instead of the mint

	chain  *chain.Practice
	db     *store.DB
	server *server.Server
	door   *httptest.Server
	stop   func()

	terminal protocol.TerminalID
	entries  []protocol.Entry
	alerts   []protocol.Alert
	log2     protocol.LogID
	key      taler.PublicKey
	url      string // of the door, fixed over restarts
}

func newWorld(t testing.TB, edit func(*server.Ecash)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), edit: edit, tick: time.Now, log: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	w.now.Store(begin.UnixMilli())
	if _, slow := t.(*testing.B); slow {
		w.log = quiet
	}
	image := must(minted())(t)
	if err := os.WriteFile(filepath.Join(w.dir, "mint.db"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	w.openMint()
	w.mintHTTP = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if lie := w.lie.Load(); lie != nil && (r.URL.Path != "/keys" || w.lieKeys) {
			(*lie)(rw, r)
			return
		}
		w.mint.Handler().ServeHTTP(rw, r)
	}))
	w.chain = must(chain.OpenPractice(chain.PracticeConfig{Dir: filepath.Join(w.dir, "chain"), Now: w.clock, Random: rand.Reader}))(t)
	w.openShop()
	w.pair()
	t.Cleanup(func() {
		w.stop()
		w.mintHTTP.Close()
		if err := errors.Join(w.mintDB.Close(), w.chain.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(string(p[:len(p)-1]))
	return len(p), nil
}

func (w *world) clock() time.Time { return time.UnixMilli(w.now.Load()).UTC() }

func (w *world) pass(d time.Duration) {
	w.now.Add(d.Milliseconds())
	w.server.ClockMoved()
}

func (w *world) openMint() {
	w.mintDB = must(store.Open(context.Background(), filepath.Join(w.dir, "mint.db")))(w.t)
	w.mint = must(mint.Open(context.Background(), mintOptions(w.mintDB, w.clock)))(w.t)
}

func testWallet(t testing.TB) *wallet.Wallet {
	t.Helper()
	sealed := must(wallet.Seal(wallet.New{
		Words:      protocol.NewSecret("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"),
		Passphrase: protocol.NewSecret("x"), Form: bitcoin.P2WPKH, Network: bitcoin.Regtest, Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1},
	}, rand.Reader))(t)
	return must(sealed.Open(protocol.NewSecret("x")))(t)
}

// openShop opens the server on what is there, and its door.
func (w *world) openShop() {
	t := w.t
	t.Helper()
	if w.url == "" {
		w.door = httptest.NewUnstartedServer(nil)
		w.url = "http://" + w.door.Listener.Addr().String()
	}
	w.db = must(store.Open(context.Background(), filepath.Join(w.dir, "server.db")))(t)
	settings := server.Defaults("EUR")
	settings.MerchantURL = w.url
	settings.Shop.Name = "Café Central"
	client := must(taler.NewMintClient(w.mintHTTP.URL, w.mint.Master(), &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, w.clock, 2*time.Second))(t)
	ecash := &server.Ecash{
		Mints:   []server.TrustedMint{{URL: w.mintHTTP.URL, Master: w.mint.Master(), Client: client}},
		Account: taler.Wire{Type: taler.Test, Bank: "practice", Account: "shop"},
	}
	if w.edit != nil {
		w.edit(ecash)
	}
	clock := func() protocol.Time { return protocol.Time(w.now.Load()) }
	w.server = must(server.New(context.Background(), server.Options{
		Store: w.db, Chain: w.chain, Wallet: testWallet(t), Rates: rates.NewFixed("EUR", 5_812_345, clock), Ecash: ecash,
		Clock: clock, Random: rand.Reader, Log: w.log, SealKey: make([]byte, server.SealKeySize), Settings: settings,
	}))(t)
	door := must(merchant.New(merchant.Options{Shop: w.server, Clock: func() time.Time { return w.tick() }, Log: w.log}))(t)
	if w.door == nil {
		w.door = httptest.NewServer(door)
	} else {
		w.door.Config.Handler = door
		w.door.Start()
	}
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func(s *server.Server) { ended <- s.Run(running) }(w.server)
	w.stop = sync.OnceFunc(func() {
		cancel()
		w.door.Close()
		if err := errors.Join(<-ended, w.db.Close()); err != nil {
			t.Error(err)
		}
		w.door = nil
	})
}

// restart is a power cut of the shop and what follows it. The door has another port.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	w.openShop()
}

func (w *world) pair() {
	t := w.t
	invitation := must(w.server.AddTerminal(context.Background(), "counter", false, ""))(t)
	link := must(protocol.ParseLink(invitation.Link))(t)
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	der := must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key))(t)
	csr := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	got := must(w.server.Enroll(context.Background(), protocol.Enroll{Code: link.Code.Reveal(), Name: "counter", CSR: csr}))(t)
	w.terminal = got.ID
	r := w.checkIn(protocol.CheckIn{})
	if r.Config == nil || r.Config.MerchantPub == "" {
		t.Fatal("the terminal does not hear of the merchant's key")
	}
	w.key = must(taler.ParsePublicKey(r.Config.MerchantPub))(t)
}

func (w *world) checkIn(p protocol.CheckIn) *protocol.CheckInResult {
	w.t.Helper()
	p.Software, p.Log = "test", w.log2
	if n := len(w.alerts); n > 0 {
		p.Alert = w.alerts[n-1].Seq
	}
	r := must(w.server.CheckIn(context.Background(), w.terminal, p, false))(w.t)
	w.log2 = r.Log
	w.alerts = append(w.alerts, r.Alerts...)
	return r
}

// write appends an entry to the terminal's journal.
func (w *world) write(kind protocol.EntryKind, body any) {
	w.t.Helper()
	var prev *protocol.Entry
	if n := len(w.entries); n > 0 {
		prev = &w.entries[n-1]
	}
	e := must(protocol.NewEntry(prev, protocol.Time(w.now.Load()), kind, body))(w.t)
	w.entries = append(w.entries, *e)
	w.checkIn(protocol.CheckIn{Journal: []protocol.Entry{*e}})
}

func newID[T ~string](t testing.TB) T {
	t.Helper()
	return T(must(protocol.NewID(time.Now(), rand.Reader))(t))
}

// alert waits for the newest alert that pleases.
func alert[B any](w *world, kind protocol.AlertKind, what string, pleases func(B) bool) B {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		for i := len(w.alerts) - 1; i >= 0; i-- {
			var body B
			if w.alerts[i].Kind != kind {
				continue
			}
			if err := w.alerts[i].Decode(&body); err != nil {
				w.t.Fatal(err)
			}
			if pleases(body) {
				return body
			}
		}
		if time.Now().After(deadline) {
			for _, a := range w.alerts {
				w.t.Logf("alert %d %s %s", a.Seq, a.Kind, a.Body)
			}
			w.t.Fatalf("no alert says: %s", what)
		}
		w.checkIn(protocol.CheckIn{Wait: 1})
	}
}

// sale is one with an e-cash tender, as the cashier made it.
type sale struct {
	id     protocol.SaleID
	tender protocol.TenderID
	link   *taler.Link
}

// sell opens a sale to be paid in e-cash and waits for its QR.
func (w *world) sell(minor int64) sale {
	w.t.Helper()
	s := sale{id: newID[protocol.SaleID](w.t), tender: newID[protocol.TenderID](w.t)}
	w.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: s.id, Total: eur(minor), Lines: []protocol.Line{{Name: "Melange", Quantity: 1000, Price: eur(minor)}}})
	w.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: s.id, Tender: s.tender, Kind: protocol.TenderEcash, Amount: eur(minor)})
	ready := alert(w, protocol.AlertContract, "contract", func(c protocol.ContractReady) bool { return c.Tender == s.tender })
	s.link = must(taler.ParseLink(ready.URL))(w.t)
	return s
}

func (w *world) untilSale(id protocol.SaleID, state protocol.SaleState) protocol.SaleStatus {
	w.t.Helper()
	return alert(w, protocol.AlertSale, "sale is "+string(state), func(s protocol.SaleStatus) bool { return s.Sale == id && s.State == state })
}

// lastSale is the newest snapshot of the sale.
func (w *world) lastSale(id protocol.SaleID) protocol.SaleStatus {
	w.t.Helper()
	w.checkIn(protocol.CheckIn{})
	return alert(w, protocol.AlertSale, "anything", func(s protocol.SaleStatus) bool { return s.Sale == id })
}

func (w *world) untilDeposit(tender protocol.TenderID, state string) protocol.DepositStatus {
	w.t.Helper()
	return alert(w, protocol.AlertDeposit, "deposit is "+state, func(d protocol.DepositStatus) bool { return d.Tender == tender && d.State == state })
}

// call makes one request of the door.
func (w *world) call(method, path string, body []byte) (int, []byte, http.Header) {
	w.t.Helper()
	return call(w.t, method, w.door.URL+path, body)
}

var customers = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}

func call(t testing.TB, method, url string, body []byte) (int, []byte, http.Header) {
	t.Helper()
	r := must(http.NewRequest(method, url, bytes.NewReader(body)))(t)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := customers.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, must(io.ReadAll(resp.Body))(t), resp.Header
}

// contract reads and checks the contract behind a link.
func (w *world) contract(s sale) *taler.Contract {
	w.t.Helper()
	status, text, _ := w.call(http.MethodGet, "/contract?sale="+string(s.id), nil)
	if status != http.StatusOK {
		w.t.Fatalf("contract: %d %s", status, text)
	}
	c := must(taler.ParseContract(text))(w.t)
	if err := s.link.Accept(c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// purse is a customer with coins.
type purse struct {
	w       *world
	client  *taler.MintClient
	keys    *taler.Keys
	reserve taler.PrivateKey
}

func (w *world) purse(minor int64) *purse {
	w.t.Helper()
	p := &purse{w: w, reserve: must(taler.NewPrivateKey(rand.Reader))(w.t)}
	p.client = must(taler.NewMintClient(w.mintHTTP.URL, w.mint.Master(), customers, w.clock, 5*time.Second))(w.t)
	p.keys = must(p.client.Keys(w.t.Context()))(w.t)
	body := must(taler.Encode(&taler.Incoming{Reserve: p.reserve.Public(), Amount: cents(w.t, minor)}))(w.t)
	if status, text, _ := call(w.t, http.MethodPost, w.mintHTTP.URL+"/admin/add/incoming", body); status != http.StatusOK {
		w.t.Fatalf("fund: %d %s", status, text)
	}
	return p
}

// coin withdraws a coin of a value.
func (p *purse) coin(minor int64) *taler.Coin {
	t := p.w.t
	t.Helper()
	value := cents(t, minor)
	for _, d := range p.keys.Denominations() {
		if d.Value != value || !d.Withdrawable(taler.TimeAt(p.w.clock())) {
			continue
		}
		denom, _ := p.keys.Denomination(d.Pub)
		planchet := must(taler.NewPlanchet(rand.Reader))(t)
		request := must(planchet.Withdrawal(denom, p.reserve))(t)
		evSig := must(p.client.Withdraw(t.Context(), request))(t)
		return must(planchet.Coin(p.keys.Master(), denom, evSig))(t)
	}
	t.Fatalf("there are no coins of %s", value)
	return nil
}

// sign makes permissions that pay minor cents from each coin in turn.
func (w *world) sign(c *taler.Contract, minor int64, coins ...*taler.Coin) taler.Permissions {
	w.t.Helper()
	ps := make(taler.Permissions, len(coins))
	for i, coin := range coins {
		ps[i] = *must(coin.Pay(c, w.key, cents(w.t, minor), taler.Nonce{}))(w.t)
	}
	return ps
}

func (w *world) deposit(ps taler.Permissions) (int, []byte) {
	w.t.Helper()
	status, body, _ := w.call(http.MethodPost, "/deposit", must(ps.Encode())(w.t))
	return status, body
}

// paid checks a 200 and its receipt.
func (w *world) paid(c *taler.Contract, ps taler.Permissions, status int, body []byte) *taler.Paid {
	w.t.Helper()
	if status != http.StatusOK {
		w.t.Fatalf("deposit: %d %s", status, body)
	}
	a := new(taler.Paid)
	if err := taler.DecodeAnswer(body, a); err != nil {
		w.t.Fatal(err)
	}
	if err := a.Receipt.Verify(w.key, c, ps); err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) setFault(down bool, delay time.Duration) {
	w.mint.SetFault(mint.Fault{Down: down, Delay: delay})
}
