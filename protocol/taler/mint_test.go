package taler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// mint answers as it is told, over real HTTP.
type mint struct {
	mu    sync.Mutex
	keys  []byte
	reads int // of /keys
	asked string
	reply func(w http.ResponseWriter, r *http.Request, body []byte)
}

func (m *mint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Path == "/elsewhere" {
		panic("a redirect was followed")
	}
	if r.URL.Path == "/keys" {
		m.reads++
		w.Write(m.keys)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	m.asked = r.Method + " " + r.URL.String()
	m.reply(w, r, body)
}

func (m *mint) says(status int, text string) {
	m.reply = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

func (s *shop) client(t *testing.T) (*MintClient, *mint) {
	t.Helper()
	m := &mint{keys: must(s.keys.Encode())}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return must(NewMintClient(server.URL, s.master.Public(), server.Client(), func() time.Time { return s.now }, 5*time.Second)), m
}

func TestADepositEndsInOneOfFourWays(t *testing.T) {
	s := newShop(t)
	coin := s.coin(t, 1)
	p := s.pay(coin, s.contract(s.terms(3_000_000)), 3_000_000)
	request := &DepositRequest{Permissions{p}, s.wire}
	spent := s.paidElsewhere(coin, 500, 3_000_000)
	little := s.paidElsewhere(coin, 500, 1)
	text := func(m Message) string { return string(must(Encode(m))) }
	proof := text(&Proof{Status: StatusDeposited, History: []Entry{SpendEntry(&spent)}})
	good := text(&DepositAnswer{[]Confirmation{ConfirmDeposit(&p, s.signing)}})
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error // nil: deposited
		reads  int   // of /keys
	}{
		{"confirmed", 200, good, nil, 1},
		{"confirmed by an unknown key", 200, text(&DepositAnswer{[]Confirmation{ConfirmDeposit(&p, s.merchant)}}), ErrMintFault, 2},
		{"confirmed, another coin", 200, text(&DepositAnswer{[]Confirmation{ConfirmDeposit(&spent, s.signing)}}), ErrMintFault, 2},
		{"confirmed without a signature", 200, `{"status":"DEPOSIT_OK"}`, ErrMintFault, 1},
		{"something else", 200, `<html>`, ErrMintFault, 1},
		{"too long", 200, strings.Repeat(" ", MaxAnswer+1), ErrMintFault, 1},
		{"refused with proof", 403, proof, &RefusedError{}, 1},
		{"refused without proof", 403, text(&Proof{Status: StatusDeposited, History: []Entry{SpendEntry(&little)}}), ErrMintFault, 2},
		{"refused in words", 403, `{"error":"no","parameter":"csig"}`, ErrMintFault, 2},
		{"not understood", 400, `{"error":"no","parameter":"wire"}`, ErrMintFault, 1},
		{"unknown", 404, ``, ErrMintFault, 1},
		{"redirected", 307, ``, ErrMintFault, 1},
		{"queued", 202, `{"status":"DEPOSIT_QUEUED","retry":1500}`, ErrUnknownOutcome, 1},
		{"down", 503, ``, ErrUnknownOutcome, 1},
		{"broken", 500, good, ErrUnknownOutcome, 1},
		{"too many", 429, ``, ErrUnknownOutcome, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, m := s.client(t)
			m.says(c.status, c.body)
			answer, err := client.Deposit(t.Context(), request)
			var refused *RefusedError
			switch want := c.want.(type) {
			case nil:
				if err != nil || answer == nil {
					t.Errorf("%v", err)
				}
			case *RefusedError:
				if !errors.As(err, &refused) || string(refused.Body) != c.body || refused.Coin != p.Coin {
					t.Errorf("%v", err)
				}
			default:
				if !errors.Is(err, want) || errors.As(err, &refused) || answer != nil {
					t.Errorf("%v instead of %v", err, want)
				}
			}
			if errors.Is(err, ErrMintFault) && errors.Is(err, ErrUnknownOutcome) {
				t.Errorf("two causes: %v", err)
			}
			if m.reads != c.reads || m.asked != "POST /deposit" {
				t.Errorf("%d readings of /keys instead of %d, %s", m.reads, c.reads, m.asked)
			}
		})
	}
}

func TestAPendingAnswerSaysWhenToComeAgain(t *testing.T) {
	s := newShop(t)
	client, m := s.client(t)
	l := s.lock(s.coin(t, 1), 1)
	for _, c := range []struct {
		status       int
		header, body string
		want         time.Duration
	}{
		{202, "", `{"status":"DEPOSIT_QUEUED","retry":1500}`, 1500 * time.Millisecond},
		{202, "", `{"status":"DEPOSIT_QUEUED","retry":9007199254740991}`, time.Hour},
		{503, "7", "", 7 * time.Second},
		{503, "-7", "", 0},
		{503, "9223372036854775807", "", time.Hour},
		{503, "Wed, 21 Oct 2015 07:28:00 GMT", "", 0},
		{503, "", "", 0},
	} {
		m.reply = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Retry-After", c.header)
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}
		_, err := client.Lock(t.Context(), l)
		var pending *PendingError
		if !errors.As(err, &pending) || pending.Retry != c.want || pending.Status != c.status {
			t.Errorf("%d %q %s: %v, %+v", c.status, c.header, c.body, err, pending)
		}
	}
}

func TestAMintThatDoesNotAnswerLeavesTheOutcomeUnknown(t *testing.T) {
	s := newShop(t)
	l := s.lock(s.coin(t, 1), 1)
	client, m := s.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	m.reply = func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		cancel()
		<-r.Context().Done()
	}
	if _, err := client.Lock(ctx, l); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	m.mu.Lock()
	m.reply = func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }
	m.mu.Unlock()
	if _, err := client.Lock(t.Context(), l); !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("connection broken: %v", err)
	}
	client.timeout = time.Nanosecond
	if _, err := client.Lock(t.Context(), l); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too late: %v", err)
	}
}

func TestTheKeysAreReadAgainBeforeAConfirmationIsAFault(t *testing.T) {
	s := newShop(t)
	client, m := s.client(t)
	l := s.lock(s.coin(t, 1), 5_000_000)
	if _, err := client.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := PrivateKeyFromSeed([32]byte{44})
	list := s.list
	list.SigningKeys = append(list.SigningKeys[:1:1], SigningKey{Start: s.at(0), Expire: s.at(time.Hour), Key: next.Public()})
	list.SigningKeys[1].Sign(s.master)
	list.Sign(next)
	m.keys = must(Encode(&list))
	m.says(200, string(must(Encode(ConfirmLock(l, next)))))
	if _, err := client.Lock(t.Context(), l); err != nil {
		t.Error(err)
	}
	if m.reads != 2 {
		t.Errorf("%d readings of /keys", m.reads)
	}
	m.keys = []byte("{}")
	m.says(200, string(must(Encode(ConfirmLock(l, s.merchant)))))
	if _, err := client.Lock(t.Context(), l); !errors.Is(err, ErrMintFault) {
		t.Error(err)
	}
	if keys, err := client.Keys(t.Context()); err != nil || keys.Hash() != s.keys.Hash() {
		t.Errorf("the good list is lost: %v", err)
	}
}

func TestTheKeysAreFetchedOnceAMinuteAtMost(t *testing.T) {
	s := newShop(t)
	client, m := s.client(t)
	for i, step := range []struct {
		after time.Duration
		fetch func(context.Context) (*Keys, error)
		reads int
	}{
		{0, client.Keys, 1}, {0, client.Keys, 1}, {59 * time.Second, client.Refresh, 1},
		{time.Second, client.Refresh, 2}, {time.Hour, client.Keys, 2}, {0, client.Refresh, 3},
	} {
		s.now = s.now.Add(step.after)
		if _, err := step.fetch(t.Context()); err != nil || m.reads != step.reads {
			t.Errorf("step %d: %d readings, %v", i, m.reads, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client.fetching <- struct{}{} // somebody else is fetching
	if _, err := client.Keys(ctx); !errors.Is(err, ErrUnknownOutcome) {
		t.Error(err)
	}
}

func TestALockIsConfirmedOrRefusedWithProof(t *testing.T) {
	s := newShop(t)
	client, m := s.client(t)
	coin := s.coin(t, 1)
	l := s.lock(coin, 5_000_000)
	m.says(200, string(must(Encode(ConfirmLock(l, s.signing)))))
	if _, err := client.Lock(t.Context(), l); err != nil {
		t.Error(err)
	}
	spent := s.paidElsewhere(coin, 500, 1)
	m.says(403, string(must(Encode(&Proof{Status: StatusDeposited, History: []Entry{SpendEntry(&spent)}}))))
	var refused *RefusedError
	if _, err := client.Lock(t.Context(), l); !errors.As(err, &refused) || refused.Coin != l.Coin {
		t.Error(err)
	}
	m.says(403, `{"status":"LOCKED","history":[]}`)
	if _, err := client.Lock(t.Context(), l); !errors.Is(err, ErrMintFault) {
		t.Error(err)
	}
}

func TestAnAccountThatIsNotThePermissionsIsNeverSent(t *testing.T) {
	s := newShop(t)
	client, m := s.client(t)
	p := s.pay(s.coin(t, 1), s.contract(s.terms(3_000_000)), 3_000_000)
	other := s.wire
	other.Salt[0] ^= 1
	if _, err := client.Deposit(t.Context(), &DepositRequest{Permissions{p}, other}); !errors.Is(err, &Error{Parameter: "H_wire"}) {
		t.Error(err)
	}
	p.Type = Probabilistic
	if _, err := client.Deposit(t.Context(), &DepositRequest{Permissions{p}, s.wire}); !errors.Is(err, &Error{Parameter: "r_m"}) {
		t.Error(err)
	}
	if m.asked != "" {
		t.Errorf("asked %s", m.asked)
	}
}

func TestWithdrawingAndUnlocking(t *testing.T) {
	s := newShop(t)
	client, m := s.client(t)
	planchet := must(NewPlanchet(strings.NewReader(strings.Repeat("x", 64))))
	w := must(planchet.Withdrawal(s.denom, PrivateKeyFromSeed([32]byte{8})))
	m.reply = func(rw http.ResponseWriter, r *http.Request, body []byte) {
		var got Withdrawal
		if err := Decode(body, &got); err != nil || got.Verify(s.denom) != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %s: %v", body, err)
		}
		evSig := must(denomSecret().BlindSign(strings.NewReader(strings.Repeat("y", 32)), got.CoinEv))
		if err := WriteMessage(rw, 200, &WithdrawAnswer{evSig}); err != nil {
			t.Error(err)
		}
	}
	evSig, err := client.Withdraw(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	coin := must(planchet.Coin(s.master.Public(), s.denom, evSig))
	if err := s.denom.CheckUBSig(&coin.Public); err != nil {
		t.Error(err)
	}
	m.says(402, `{"error":"balance too small","parameter":"reserve_pub"}`)
	if _, err := client.Withdraw(t.Context(), w); !errors.Is(err, &Error{Status: 402, Parameter: "reserve_pub"}) {
		t.Error(err)
	}
	m.says(404, `nothing here`)
	if _, err := client.Withdraw(t.Context(), w); !errors.Is(err, &Error{Status: 404, Parameter: "body"}) {
		t.Error(err)
	}
	m.says(200, string(must(Encode(&ReserveStatus{eur(5), []ReserveEvent{{false, eur(10), s.at(0)}, {true, eur(5), s.at(0)}}}))))
	if status, err := client.Reserve(t.Context(), w.Reserve); err != nil || status.Balance != eur(5) || !status.History[1].Withdrawn ||
		m.asked != "GET /withdraw/status?reserve_pub="+w.Reserve.String() {
		t.Errorf("%+v, %v, %s", status, err, m.asked)
	}

	u := NewUnlock(s.lock(coin, 5_000_000), s.merchant)
	m.says(200, `{"status":"UNLOCK_OK"}`)
	if err := client.Unlock(t.Context(), u); err != nil {
		t.Error(err)
	}
	m.says(200, `{"status":"LOCK_OK"}`)
	if err := client.Unlock(t.Context(), u); !errors.Is(err, ErrMintFault) {
		t.Error(err)
	}
	m.says(403, `{"error":"another merchant's","parameter":"coin_pub"}`)
	if err := client.Unlock(t.Context(), u); !errors.Is(err, &Error{Status: 403}) {
		t.Error(err)
	}
}

func TestAWithdrawalIsSignedForItsCost(t *testing.T) {
	s := newShop(t)
	planchet := must(NewPlanchet(strings.NewReader(strings.Repeat("x", 64))))
	w := must(planchet.Withdrawal(s.denom, PrivateKeyFromSeed([32]byte{8})))
	dearer := *s.denom
	dearer.FeeWithdraw = eur(10_001)
	if err := w.Verify(&dearer); !errors.Is(err, &Error{Status: 401, Parameter: "reserve_sig"}) {
		t.Error(err)
	}
}

func TestMintClientsAreMadeWholeOrNot(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		base    string
		master  PublicKey
		timeout time.Duration
	}{
		{"ftp://mint", s.master.Public(), time.Second}, {"http://", s.master.Public(), time.Second},
		{"http://user@mint", s.master.Public(), time.Second}, {"http://mint?x", s.master.Public(), time.Second},
		{"http://mint", PublicKey{1}, time.Second}, {"http://mint", s.master.Public(), 0},
	} {
		if _, err := NewMintClient(c.base, c.master, http.DefaultClient, time.Now, c.timeout); err == nil {
			t.Errorf("%+v makes a client", c)
		}
	}
}
