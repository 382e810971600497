package mint_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
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
	"till/protocol/taler"
	"till/server"
	"till/server/mint"
	"till/server/store"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func eur(t testing.TB, minor int64) taler.Amount {
	t.Helper()
	return must(taler.FromMoney(protocol.Money{Currency: "EUR", Minor: minor}))(t)
}

var begin = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

// image is the database of a mint that has all its keys, made once.
var image = sync.OnceValues(func() ([]byte, error) {
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
	m, err := mint.Open(context.Background(), options(db, func() time.Time { return begin }))
	if err == nil {
		err = m.Warm(context.Background())
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func options(db server.Store, clock func() time.Time) mint.Options {
	return mint.Options{Store: db, SealKey: make([]byte, server.SealKeySize), Currency: "EUR", Clock: clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
}

// bank is a mint on a real database behind real HTTP, with a merchant and a customer.
type bank struct {
	t        testing.TB
	path     string
	db       *store.DB
	mint     *mint.Mint
	http     *httptest.Server
	now      atomic.Int64
	client   *taler.MintClient
	keys     *taler.Keys
	merchant taler.PrivateKey
	account  taler.Wire
	reserve  taler.PrivateKey
}

func newBank(t testing.TB) *bank {
	t.Helper()
	b := &bank{t: t, path: filepath.Join(t.TempDir(), "mint.db"), account: taler.Wire{Type: taler.Test, Bank: "practice", Account: "shop"}}
	b.now.Store(begin.UnixMilli())
	if err := os.WriteFile(b.path, must(image())(t), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.mint.Handler().ServeHTTP(w, r) }))
	b.client = must(taler.NewMintClient(b.http.URL, b.mint.Master(), http.DefaultClient, b.clock, 10*time.Second))(t)
	b.keys = must(b.client.Keys(context.Background()))(t)
	b.merchant, b.reserve = must(taler.NewPrivateKey(rand.Reader))(t), must(taler.NewPrivateKey(rand.Reader))(t)
	t.Cleanup(func() {
		b.http.Close()
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bank) clock() time.Time { return time.UnixMilli(b.now.Load()).UTC() }

func (b *bank) open() {
	b.t.Helper()
	b.db = must(store.Open(context.Background(), b.path))(b.t)
	b.mint = must(mint.Open(context.Background(), options(b.db, b.clock)))(b.t)
}

// restart is a power cut and what follows it.
func (b *bank) restart() {
	b.t.Helper()
	if err := b.db.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

func (b *bank) post(path string, m taler.Message) (int, []byte) {
	b.t.Helper()
	return post(b.t, b.http.URL+path, must(taler.Encode(m))(b.t))
}

func post(t testing.TB, url string, body []byte) (int, []byte) {
	t.Helper()
	resp := must(http.Post(url, "application/json", bytes.NewReader(body)))(t)
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, must(io.ReadAll(resp.Body))(t)
}

func (b *bank) fund(minor int64) {
	b.t.Helper()
	if status, body := b.post("/admin/add/incoming", &taler.Incoming{Reserve: b.reserve.Public(), Amount: eur(b.t, minor)}); status != http.StatusOK {
		b.t.Fatalf("%d %s", status, body)
	}
}

func (b *bank) denom(minor int64) *taler.Denomination {
	b.t.Helper()
	for _, d := range b.keys.Denominations() {
		if d.Value == eur(b.t, minor) {
			known, _ := b.keys.Denomination(d.Pub)
			return known
		}
	}
	b.t.Fatalf("no coins of %d", minor)
	return nil
}

func (b *bank) coin(minor int64) *taler.Coin {
	b.t.Helper()
	b.fund(minor)
	d, planchet := b.denom(minor), must(taler.NewPlanchet(rand.Reader))(b.t)
	evSig := must(b.client.Withdraw(context.Background(), must(planchet.Withdrawal(d, b.reserve))(b.t)))(b.t)
	return must(planchet.Coin(b.keys.Master(), d, evSig))(b.t)
}

// pay makes a deposit request for a transaction.
func (b *bank) pay(id taler.TransactionID, minor int64, coins ...*taler.Coin) *taler.DepositRequest {
	b.t.Helper()
	c := must(taler.NewContract(taler.Terms{
		TransactionID: id, Expiry: taler.TimeAt(begin.Add(time.Hour)), Amount: eur(b.t, minor*int64(len(coins))), Description: "x",
		HWire: must(b.account.Hash())(b.t), Mints: []taler.MintRef{{Master: b.mint.Master(), URL: b.http.URL, Keys: b.keys.Hash()}},
	}, b.merchant))(b.t)
	q := &taler.DepositRequest{Wire: b.account}
	for _, coin := range coins {
		q.Permissions = append(q.Permissions, *must(coin.Pay(c, b.merchant.Public(), eur(b.t, minor), taler.Nonce{}))(b.t))
	}
	return q
}

func (b *bank) lock(coin *taler.Coin, id taler.TransactionID, minor int64, until time.Duration) *taler.Lock {
	b.t.Helper()
	return coin.Lock(&taler.Offer{TransactionID: id, MaxAmount: eur(b.t, minor), LockUntil: taler.TimeAt(b.clock().Add(until))}, b.merchant.Public())
}

// refused wants a no that the client could prove.
func (b *bank) refused(what string, err error) {
	b.t.Helper()
	var e *taler.RefusedError
	if !errors.As(err, &e) {
		b.t.Errorf("%s: %v", what, err)
	}
}

func TestAMintSellsWhatAReserveCanPay(t *testing.T) {
	b := newBank(t)
	d, planchet := b.denom(500), must(taler.NewPlanchet(rand.Reader))(t)
	request := must(planchet.Withdrawal(d, b.reserve))(t)
	if _, err := b.client.Withdraw(t.Context(), request); !errors.Is(err, &taler.Error{Status: 404, Parameter: "reserve_pub"}) {
		t.Errorf("out of nothing: %v", err)
	}
	b.fund(499)
	if _, err := b.client.Withdraw(t.Context(), request); !errors.Is(err, &taler.Error{Status: 402}) {
		t.Errorf("too little: %v", err)
	}
	b.fund(1)
	first := must(b.client.Withdraw(t.Context(), request))(t)
	b.restart()
	if again := must(b.client.Withdraw(t.Context(), request))(t); !bytes.Equal(first, again) {
		t.Error("the same coin_ev has two answers")
	}
	forged := *request
	forged.Sig[0] ^= 1
	if _, err := b.client.Withdraw(t.Context(), &forged); !errors.Is(err, &taler.Error{Status: 401}) {
		t.Errorf("forged: %v", err)
	}
	status := must(b.client.Reserve(t.Context(), b.reserve.Public()))(t)
	if !status.Balance.IsZero() || len(status.History) != 3 || !status.History[2].Withdrawn {
		t.Errorf("%+v", status)
	}
}

func TestACoinIsNeverWorthMoreThanItsFace(t *testing.T) {
	b := newBank(t)
	coin := b.coin(500)
	requests := make([]*taler.DepositRequest, 60)
	for i := range requests {
		requests[i] = b.pay(taler.TransactionID(i+1), 100, coin)
	}
	var ok atomic.Int64
	var group sync.WaitGroup
	for _, q := range requests {
		group.Go(func() {
			_, err := b.client.Deposit(context.Background(), q)
			var proven *taler.RefusedError
			switch {
			case err == nil:
				ok.Add(1)
			case !errors.As(err, &proven):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if ok.Load() != 5 {
		t.Errorf("a coin of 5.00 paid 1.00 %d times", ok.Load())
	}
}

func TestADepositIsAnsweredAloneAndOnceForEachTransaction(t *testing.T) {
	b := newBank(t)
	coin, other := b.coin(500), b.coin(500)
	q := b.pay(1, 200, coin)
	status, first := b.post("/deposit", q)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, first)
	}
	b.restart()
	if status, again := b.post("/deposit", q); status != http.StatusOK || !bytes.Equal(first, again) {
		t.Errorf("the identical deposit: %d %s", status, again)
	}
	_, err := b.client.Deposit(t.Context(), b.pay(1, 100, coin))
	b.refused("another deposit for the same transaction", err)
	// All or none: the second coin is spent, the first keeps its value.
	must(b.client.Deposit(t.Context(), b.pay(2, 500, other)))(t)
	_, err = b.client.Deposit(t.Context(), b.pay(3, 300, coin, other))
	b.refused("two coins, one spent", err)
	must(b.client.Deposit(t.Context(), b.pay(4, 300, coin)))(t)
}

func TestDepositsThatDoNotVerifyAreRefused(t *testing.T) {
	b := newBank(t)
	coin, other := b.coin(500), b.coin(100)
	for name, f := range map[string]struct {
		alter     func(q *taler.DepositRequest)
		status    int
		parameter string
	}{
		"csig":      {func(q *taler.DepositRequest) { q.Permissions[0].CSig[0] ^= 1 }, 403, "csig"},
		"ubsig":     {func(q *taler.DepositRequest) { q.Permissions[0].UBSig = other.Public.UBSig }, 403, "ubsig"},
		"denom_pub": {func(q *taler.DepositRequest) { q.Permissions[0].Denom = other.Public.Denom }, 403, "amount"},
		"mint_pub":  {func(q *taler.DepositRequest) { q.Permissions[0].Mint = b.merchant.Public() }, 403, "mint_pub"},
		"account":   {func(q *taler.DepositRequest) { q.Wire.Account = "thief" }, 403, "H_wire"},
	} {
		q := b.pay(1, 200, coin)
		f.alter(q)
		status, body := b.post("/deposit", q)
		var e taler.Error
		if err := taler.DecodeAnswer(body, &e); err != nil || status != f.status || e.Parameter != f.parameter {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	must(b.client.Deposit(t.Context(), b.pay(1, 500, coin)))(t)
}

func TestALockHoldsACoinForOneTransaction(t *testing.T) {
	b := newBank(t)
	coin := b.coin(500)
	l := b.lock(coin, 1, 400, time.Hour)
	first := must(b.client.Lock(t.Context(), l))(t)
	b.restart()
	if again := must(b.client.Lock(t.Context(), l))(t); *again != *first {
		t.Error("the identical lock has two answers")
	}
	_, err := b.client.Lock(t.Context(), b.lock(coin, 2, 100, time.Hour))
	b.refused("a second lock", err)
	_, err = b.client.Deposit(t.Context(), b.pay(3, 101, coin))
	b.refused("a deposit beside the lock", err)
	must(b.client.Deposit(t.Context(), b.pay(4, 100, coin)))(t)
	must(b.client.Deposit(t.Context(), b.pay(1, 250, coin)))(t) // under the lock, which it consumes
	must(b.client.Deposit(t.Context(), b.pay(5, 150, coin)))(t)
	_, err = b.client.Lock(t.Context(), b.lock(coin, 6, 1, time.Hour))
	b.refused("a lock of a spent coin", err)
}

func TestALockEndsWithItsTimeOrWhenItsMerchantSaysSo(t *testing.T) {
	b := newBank(t)
	coin := b.coin(500)
	l := b.lock(coin, 1, 500, time.Hour)
	must(b.client.Lock(t.Context(), l))(t)
	stranger := must(taler.NewPrivateKey(rand.Reader))(t)
	if err := b.client.Unlock(t.Context(), taler.NewUnlock(l, stranger)); !errors.Is(err, &taler.Error{Status: 403}) {
		t.Errorf("another merchant: %v", err)
	}
	for range 2 { // nothing held is as good
		if err := b.client.Unlock(t.Context(), taler.NewUnlock(l, b.merchant)); err != nil {
			t.Error(err)
		}
	}
	must(b.client.Lock(t.Context(), b.lock(coin, 2, 500, time.Hour)))(t)
	b.now.Add((time.Hour + time.Minute).Milliseconds()) // within the grace
	_, err := b.client.Deposit(t.Context(), b.pay(3, 1, coin))
	b.refused("within the grace", err)
	b.now.Add(time.Minute.Milliseconds())
	must(b.client.Deposit(t.Context(), b.pay(3, 500, coin)))(t)
}

func TestKeysAreRenewedAndStayAcrossRestarts(t *testing.T) {
	b := newBank(t)
	before := b.keys.Hash()
	b.restart()
	client := must(taler.NewMintClient(b.http.URL, b.mint.Master(), http.DefaultClient, b.clock, 10*time.Second))(t)
	if keys := must(client.Keys(t.Context()))(t); keys.Hash() != before {
		t.Error("a restart makes other keys")
	}
	b.now.Add((170 * 24 * time.Hour).Milliseconds())
	keys := must(client.Refresh(t.Context()))(t)
	if n := len(keys.Denominations()); n != 2*len(b.keys.Denominations()) {
		t.Errorf("%d denominations", n)
	}
	b.now.Store(begin.UnixMilli()) // the practice clock is forgotten
	b.restart()
	must(must(taler.NewMintClient(b.http.URL, b.mint.Master(), http.DefaultClient, b.clock, 10*time.Second))(t).Keys(t.Context()))(t)
	if _, err := mint.Open(t.Context(), mint.Options{Store: b.db, SealKey: bytes.Repeat([]byte{1}, server.SealKeySize), Currency: "EUR",
		Clock: b.clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("another sealing key opens the mint")
	}
}

func TestAMintMisbehavesOnDemand(t *testing.T) {
	b := newBank(t)
	b.mint.SetFault(mint.Fault{Down: true})
	for _, path := range []string{"/keys", "/withdraw/status?reserve_pub=x", "/nothing"} {
		resp := must(http.Get(b.http.URL + path))(t)
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	b.mint.SetFault(mint.Fault{})
	q := b.pay(1, 500, b.coin(500))
	b.mint.SetFault(mint.Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.client.Deposit(ctx, q); !errors.Is(err, taler.ErrUnknownOutcome) {
		t.Error(err)
	}
	b.mint.SetFault(mint.Fault{})
	must(b.client.Deposit(t.Context(), q))(t)
}

func TestOnlyThisMachineFundsReserves(t *testing.T) {
	b := newBank(t)
	body := must(taler.Encode(&taler.Incoming{Reserve: b.reserve.Public(), Amount: eur(t, 1)}))(t)
	r := httptest.NewRequest(http.MethodPost, "/admin/add/incoming", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "192.0.2.7:1234"
	w := httptest.NewRecorder()
	b.mint.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if status, text := b.post("/admin/add/incoming", &taler.Incoming{Reserve: b.reserve.Public(), Amount: taler.Amount{Currency: "CHF", Value: 1}}); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, text)
	}
}

func FuzzRequests(f *testing.F) {
	b := newBank(f)
	coin := b.coin(500)
	f.Add(byte(0), must(taler.Encode(b.pay(1, 100, coin)))(f))
	f.Add(byte(1), must(taler.Encode(b.lock(coin, 1, 100, time.Hour)))(f))
	f.Add(byte(2), must(taler.Encode(taler.NewUnlock(b.lock(coin, 1, 100, time.Hour), b.merchant)))(f))
	f.Add(byte(3), must(taler.Encode(must(must(taler.NewPlanchet(rand.Reader))(f).Withdrawal(b.denom(500), b.reserve))(f)))(f))
	f.Add(byte(4), must(taler.Encode(&taler.Incoming{Reserve: b.reserve.Public(), Amount: eur(f, 1)}))(f))
	paths := []string{"/deposit", "/lock", "/unlock", "/withdraw/sign", "/admin/add/incoming"}
	f.Fuzz(func(t *testing.T, route byte, body []byte) {
		status, text := post(t, b.http.URL+paths[int(route)%len(paths)], body)
		if status >= 500 || !json.Valid(text) {
			t.Errorf("%d %s", status, text)
		}
	})
}
