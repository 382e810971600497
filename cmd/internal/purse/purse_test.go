package purse_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/cmd/internal/purse"
	"till/protocol"
	"till/protocol/terminal"
	"till/server/mint"
)

// world is a whole practice shop with its mint, and a terminal at its counter.
type world struct {
	t        *testing.T
	server   *boot.Server
	terminal *terminal.Terminal
	dir      string
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// minted makes a mint with all its keys once; tests work on copies of its files.
var minted = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "till-purse-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c, err := config.Load(config.Sources{})
	if err != nil {
		return nil, err
	}
	m, err := boot.OpenMint(context.Background(), boot.MintOptions{Dir: dir, Config: c, Clock: &boot.Clock{}, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(m.Warm(context.Background()), m.Close()); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range []string{"mint.db", "mint.key"} {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
})

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	for name, text := range must(minted())(t) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := must(config.Load(config.Sources{}))(t)
	clock, line, log := &boot.Clock{}, boot.NewLine(), slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{t: t, dir: dir}
	w.server = must(boot.OpenServer(ctx, boot.ServerOptions{Dir: dir, Config: c, Practice: true, Clock: clock, Random: rand.Reader, Log: log,
		Line: line, Listen: boot.Listen{Merchant: "127.0.0.1:0", Mint: "127.0.0.1:0"}}))(t)
	w.terminal = must(boot.OpenTerminal(ctx, boot.TerminalOptions{Dir: dir, Config: c, Clock: clock, Random: rand.Reader, Log: log,
		Software: "test", Embedded: true, Line: line}))(t)
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.server.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := w.server.PairEmbedded(ctx, w.terminal); err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = w.terminal.Run(ctx) }) // ends with ctx
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := errors.Join(w.terminal.Close(), w.server.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) mint() string { return "http://" + w.server.Addresses().Mint }

// sell asks for an amount in e-cash and gives what the QR says.
func (w *world) sell(minor int64) string {
	w.t.Helper()
	ctx := w.t.Context()
	sale := protocol.SaleID(must(w.terminal.NewID())(w.t))
	tender := protocol.TenderID(must(w.terminal.NewID())(w.t))
	amount := protocol.Money{Currency: "EUR", Minor: minor}
	must(w.terminal.Append(ctx, protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: amount}))(w.t)
	must(w.terminal.Append(ctx, protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderEcash, Amount: amount}))(w.t)
	for range 1000 {
		s := must(w.terminal.Sale(ctx, sale))(w.t)
		for _, d := range s.Tenders {
			if d.Contract != nil {
				return d.Contract.URL
			}
		}
		select {
		case <-w.terminal.Facts():
		case <-time.After(20 * time.Millisecond):
		}
	}
	w.t.Fatal("no contract came")
	return ""
}

func (w *world) purse(name string, transport http.RoundTripper) *purse.Purse {
	w.t.Helper()
	return must(purse.Open(purse.Options{Path: filepath.Join(w.dir, name), Clock: time.Now, Random: rand.Reader, HTTP: &http.Client{Transport: transport}}))(w.t)
}

func (w *world) left(p *purse.Purse) int64 {
	w.t.Helper()
	sum := int64(0)
	for _, h := range must(p.Balance())(w.t) {
		sum += h.Amount.Minor
	}
	return sum
}

func TestAPurseWithdrawsAndPays(t *testing.T) {
	w := newWorld(t)
	p := w.purse("purse.json", nil)
	if _, err := purse.Open(purse.Options{Path: filepath.Join(w.dir, "purse.json"), Clock: time.Now, Random: rand.Reader, HTTP: http.DefaultClient}); !errors.Is(err, purse.ErrHeld) {
		t.Errorf("two purses on one file: %v", err)
	}
	if got := must(p.Withdraw(t.Context(), w.mint(), "", "17.35"))(t); got.Minor != 1735 || w.left(p) != 1735 {
		t.Errorf("%v, %d", got, w.left(p))
	}
	if _, err := p.Withdraw(t.Context(), w.mint(), "", "0.03"); !errors.Is(err, purse.ErrRefused) {
		t.Errorf("no coins make 0.03: %v", err)
	}
	link := w.sell(480)
	paid := must(p.Pay(t.Context(), link))(t)
	if paid.State != "paid" || w.left(p) != 1735-480 {
		t.Errorf("%+v, %d left", paid, w.left(p))
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = w.purse("purse.json", nil)
	if again := must(p.Pay(t.Context(), link))(t); again.Receipt != paid.Receipt || w.left(p) != 1735-480 {
		t.Errorf("paid twice: %+v, %d left", again, w.left(p))
	}
	key := strings.Index(link, "#") + 1
	forged := link[:key] + "0" + link[key+1:]
	if _, err := p.Pay(t.Context(), forged); err == nil {
		t.Error("a contract that the key in the link did not sign is paid")
	}
	if _, err := p.Pay(t.Context(), w.sell(10_00_00)); !errors.Is(err, purse.ErrTooLittle) {
		t.Errorf("%v", err)
	}
}

// cut breaks the connection instead of one request, or of its answer.
type cut struct {
	path   string
	answer bool // the request arrives, its answer does not
	left   int
}

var errCut = errors.New("the cable is cut")

func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != c.path || c.left == 0 {
		return http.DefaultTransport.RoundTrip(r)
	}
	c.left--
	if c.answer {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	return nil, errCut
}

// TestAPurseGoesOnWhereItWasCut loses power before and after each network step: the
// purse is opened anew from its file, and no coin is lost or paid twice.
func TestAPurseGoesOnWhereItWasCut(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/keys", "/withdraw/status", "/admin/add/incoming", "/withdraw/sign", "/contract", "/deposit"} {
		for _, answer := range []bool{false, true} {
			name := strings.ReplaceAll(path, "/", "-") + map[bool]string{true: "after", false: "before"}[answer]
			link := w.sell(480)
			cable := &cut{path: path, answer: answer, left: 1}
			p := w.purse(name, cable)
			_, err := p.Withdraw(t.Context(), w.mint(), "", "5.00")
			if err == nil {
				_, err = p.Pay(t.Context(), link)
			}
			if !errors.Is(err, purse.ErrUnreachable) || cable.left != 0 {
				t.Fatalf("%s: %v", name, err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			p = w.purse(name, nil)
			want := int64(500 - 480)
			if path != "/contract" && path != "/deposit" {
				must(p.Withdraw(t.Context(), w.mint(), "", "5.00"))(t)
			}
			if _, err := p.Pay(t.Context(), link); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := w.left(p); got != want {
				t.Errorf("%s: %d left, want %d", name, got, want)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAPaymentIsKeptWhileTheMintIsDown(t *testing.T) {
	w := newWorld(t)
	p := w.purse("purse.json", nil)
	must(p.Withdraw(t.Context(), w.mint(), "", "10"))(t)
	link := w.sell(480)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	w.server.World().Mint.SetFault(mint.Fault{Down: true})
	if _, err := p.Pay(ctx, link); !errors.Is(err, purse.ErrUnreachable) {
		t.Fatal(err)
	}
	w.server.World().Mint.SetFault(mint.Fault{})
	must(p.Pay(t.Context(), link))(t)
	if left := w.left(p); left != 520 {
		t.Errorf("%d left", left)
	}
}

// TestAPurseKeepsATab signs rounds at the counter's pace, over a restart of the purse.
func TestAPurseKeepsATab(t *testing.T) {
	w := newWorld(t)
	p := w.purse("purse.json", nil)
	must(p.Withdraw(t.Context(), w.mint(), "", "60"))(t)
	sale, tender := protocol.SaleID(must(w.terminal.NewID())(t)), protocol.TenderID(must(w.terminal.NewID())(t))
	eur := func(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }
	must(w.terminal.Append(t.Context(), protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(0)}))(t)
	must(w.terminal.Append(t.Context(), protocol.EntryTabOpened, protocol.TabOpened{Sale: sale, Tender: tender, MaxAmount: eur(3000)}))(t)
	link := w.tabLink(tender)
	rounds := make(chan string, 4)
	told := func(amount, _ string) { rounds <- amount }
	charge := func(minor int64) {
		must(w.terminal.Append(t.Context(), protocol.EntryTabCharged, protocol.TabCharged{Sale: sale, Tender: tender, Amount: eur(minor)}))(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := p.Tab(ctx, link, told)
		ended <- err
	}()
	charge(400)
	if got := <-rounds; got != "EUR 4.00" {
		t.Errorf("signed %s", got)
	}
	cancel()
	if err := <-ended; !errors.Is(err, purse.ErrUnreachable) {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = w.purse("purse.json", nil)
	charge(950)
	type result struct {
		signed string
		err    error
	}
	done := make(chan result, 1)
	go func() {
		signed, err := p.Tab(t.Context(), link, told)
		done <- result{signed, err}
	}()
	if got := <-rounds; got != "EUR 9.50" {
		t.Errorf("signed %s", got)
	}
	must(w.terminal.Append(t.Context(), protocol.EntryTabClosed, protocol.TabClosed{Sale: sale, Tender: tender}))(t)
	if got := <-done; got.err != nil || got.signed != "EUR 9.50" || w.left(p) != 6000-950 {
		t.Errorf("%+v, %d left", got, w.left(p))
	}
}

// tabLink waits for the link of a tab.
func (w *world) tabLink(tender protocol.TenderID) string {
	w.t.Helper()
	for range 1000 {
		for _, a := range must(w.terminal.AlertLog(w.t.Context(), 0, 100))(w.t) {
			var ready protocol.ContractReady
			if a.Kind == protocol.AlertContract && a.Decode(&ready) == nil && ready.Tender == tender {
				return ready.URL
			}
		}
		select {
		case <-w.terminal.Facts():
		case <-time.After(20 * time.Millisecond):
		}
	}
	w.t.Fatal("no link came")
	return ""
}

func TestAPursePlaysForLessThanACoin(t *testing.T) {
	w := newWorld(t)
	p := w.purse("purse.json", nil)
	must(p.Withdraw(t.Context(), w.mint(), "", "0.50"))(t)
	if _, err := p.Pay(t.Context(), w.sell(3)); !errors.Is(err, purse.ErrTooLittle) {
		t.Errorf("without a coin of 0.05: %v", err)
	}
	for range 5 {
		must(p.Withdraw(t.Context(), w.mint(), "", "0.05"))(t)
	}
	for range 4 {
		before := w.left(p)
		link := w.sell(3)
		paid := must(p.Pay(t.Context(), link))(t)
		cost := map[string]int64{"paid": 5, "free": 0}[paid.State]
		if got := before - w.left(p); got != cost {
			t.Errorf("%s cost %d", paid.State, got)
		}
		if again := must(p.Pay(t.Context(), link))(t); again.Receipt != paid.Receipt {
			t.Error("played twice")
		}
	}
}

// TestACoinThatIsHeldElsewhereIsNotLost: two copies of a purse, one of which has the
// coin held for a tab. The other pays with other coins and keeps what it cannot use.
func TestACoinThatIsHeldElsewhereIsNotLost(t *testing.T) {
	w := newWorld(t)
	p := w.purse("purse.json", nil)
	must(p.Withdraw(t.Context(), w.mint(), "", "50"))(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(w.dir, "purse.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, "copy.json"), copied, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	sale, tender := protocol.SaleID(must(w.terminal.NewID())(t)), protocol.TenderID(must(w.terminal.NewID())(t))
	eur := func(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }
	must(w.terminal.Append(t.Context(), protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(0)}))(t)
	must(w.terminal.Append(t.Context(), protocol.EntryTabOpened, protocol.TabOpened{Sale: sale, Tender: tender, MaxAmount: eur(5000)}))(t)
	holder := w.purse("copy.json", nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	link := w.tabLink(tender)
	held := make(chan struct{}, 1)
	go func() {
		defer close(ended)
		_, _ = holder.Tab(ctx, link, func(string, string) { held <- struct{}{} })
	}()
	must(w.terminal.Append(t.Context(), protocol.EntryTabCharged, protocol.TabCharged{Sale: sale, Tender: tender, Amount: eur(100)}))(t)
	<-held
	defer func() { cancel(); <-ended }()

	p = w.purse("purse.json", nil)
	bill := w.sell(480)
	if _, err := p.Pay(t.Context(), bill); !errors.Is(err, purse.ErrTooLittle) {
		t.Errorf("with the coin alone: %v", err)
	}
	if left := w.left(p); left != 5000 {
		t.Errorf("%d are left of a coin that is held", left)
	}
	must(p.Withdraw(t.Context(), w.mint(), "", "5"))(t)
	must(p.Pay(t.Context(), bill))(t)
	if left := w.left(p); left != 5020 {
		t.Errorf("%d are left", left)
	}
}
