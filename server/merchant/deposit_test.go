package merchant_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

func TestASaleIsPaidByACoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	terms := c.Terms()
	if terms.Amount != cents(t, 500) || terms.Description != "1 × Melange" || terms.Sale != string(s.id) {
		t.Errorf("%+v", terms)
	}
	if again := w.contract(s); again.Hash() != c.Hash() {
		t.Error("the same sale has two contracts")
	}
	ps := w.sign(c, 500, w.purse(10_00).coin(500))
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
	w.untilDeposit(s.tender, "accepted")
	if got := w.untilSale(s.id, protocol.SaleConfirmed); got.Verdict != protocol.VerdictAccept {
		t.Errorf("%+v", got)
	}
	again, same := w.deposit(ps)
	if again != http.StatusOK || string(same) != string(body) {
		t.Errorf("the identical permission: %d %s", again, same)
	}
	if status, text, _ := w.call(http.MethodGet, "/contract?sale="+string(s.id), nil); status != http.StatusConflict {
		t.Errorf("a contract of a paid sale: %d %s", status, text)
	}
	w.restart()
	w.pass(24 * time.Hour)
	if again, same = w.deposit(ps); again != http.StatusOK || string(same) != string(body) {
		t.Errorf("the identical permission a day and a restart later: %d %s", again, same)
	}
}

func TestSeveralCoinsPayAllOrNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(100_00)
	good, part, spent := p.coin(500), p.coin(1000), p.coin(500)
	first := w.sell(500)
	c := w.contract(first)
	ps := w.sign(c, 500, spent)
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)

	s := w.sell(900)
	c = w.contract(s)
	pay := func(coins ...*taler.Coin) taler.Permissions {
		return append(w.sign(c, 500, coins[0]), w.sign(c, 400, coins[1])...)
	}
	status, body = w.deposit(pay(spent, part))
	if status != http.StatusForbidden || !strings.Contains(string(body), taler.StatusDeposited) {
		t.Fatalf("with a spent coin: %d %s", status, body)
	}
	w.untilDeposit(s.tender, "rejected")
	ps = pay(good, part)
	status, body = w.deposit(ps)
	w.paid(c, ps, status, body)
	turned := taler.Permissions{ps[1], ps[0]}
	if again, same := w.deposit(turned); again != http.StatusOK || string(same) != string(body) {
		t.Errorf("an array is a set: %d %s", again, same)
	}
	// 6.00 are left of the coin of 10.00.
	s = w.sell(600)
	c = w.contract(s)
	ps = w.sign(c, 600, part)
	status, body = w.deposit(ps)
	w.paid(c, ps, status, body)
}

// TestEveryFieldOfAPermissionCounts alters each member in turn: the status of the
// table, the parameter, and no sale that is paid.
func TestEveryFieldOfAPermissionCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(100_00)
	coin, other := p.coin(500), p.coin(100)
	s := w.sell(500)
	c := w.contract(s)
	good := w.sign(c, 500, coin)[0]
	flip := func(b []byte) { b[len(b)/2] ^= 4 }
	for _, f := range []struct {
		name      string
		alter     func(p *taler.Permission)
		status    int
		parameter string
	}{
		{"coin_pub", func(p *taler.Permission) { p.Coin = other.Public.Coin }, 403, "csig"},
		{"mint_pub", func(p *taler.Permission) { p.Mint = w.key }, 403, "mint_pub"},
		{"denom_pub", func(p *taler.Permission) { p.Denom = other.Public.Denom }, 403, "amount"},
		{"ubsig", func(p *taler.Permission) { p.UBSig = other.Public.UBSig }, 403, "ubsig"},
		{"type", func(p *taler.Permission) { p.Type = taler.Incremental }, 404, "type"},
		{"type lottery", func(p *taler.Permission) { p.Type = taler.Probabilistic }, 404, "type"},
		{"transaction_id", func(p *taler.Permission) { p.TransactionID ^= 1 }, 404, "transaction_id"},
		{"amount less", func(p *taler.Permission) { p.Amount = cents(t, 499) }, 403, "amount"},
		{"amount more", func(p *taler.Permission) { p.Amount = cents(t, 501) }, 403, "amount"},
		{"amount currency", func(p *taler.Permission) { p.Amount.Currency = "CHF" }, 403, "amount"},
		{"merchant_pub", func(p *taler.Permission) { p.Merchant = p.Coin }, 403, "merchant_pub"},
		{"H_a", func(p *taler.Permission) { flip(p.HA[:]) }, 403, "H_a"},
		{"H_wire", func(p *taler.Permission) { flip(p.HWire[:]) }, 403, "H_wire"},
		{"csig", func(p *taler.Permission) { flip(p.CSig[:]) }, 403, "csig"},
	} {
		altered := good
		f.alter(&altered)
		status, body := w.deposit(taler.Permissions{altered})
		var e taler.Error
		if err := taler.DecodeAnswer(body, &e); err != nil || status != f.status || e.Parameter != f.parameter {
			t.Errorf("%s: %d %s, want %d %s", f.name, status, body, f.status, f.parameter)
		}
	}
	if got := w.lastSale(s.id); got.State != protocol.SaleOpen {
		t.Errorf("the sale is %s", got.State)
	}
	status, body := w.deposit(taler.Permissions{good})
	w.paid(c, taler.Permissions{good}, status, body)
}

func TestFormIsToldFromVerification(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	good := string(must(w.sign(w.contract(s), 500, w.purse(10_00).coin(500)).Encode())(t))
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, f := range []struct {
		body      string
		status    int
		parameter string
	}{
		{``, 400, "body"},
		{`[]`, 400, "body"},
		{`{}`, 400, "coin_pub"},
		{good + " x", 400, "body"},
		{replace(`{`, `{"more":1,`), 400, "more"},
		{replace(`"value":5`, `"value":5.0`), 400, "amount"},
		{replace(`"value":5`, `"value":0`), 400, "amount"},
		{replace(`DIRECT`, `GIFT`), 400, "type"},
		{replace(`"csig":"`, `"csig":"0`), 400, "csig"},
		{`[` + good + `,` + good + `]`, 400, "coin_pub"},
		{strings.Repeat(" ", taler.MaxRequest+1), 413, "body"},
	} {
		status, body, _ := w.call(http.MethodPost, "/deposit", []byte(f.body))
		var e taler.Error
		if err := taler.DecodeAnswer(body, &e); err != nil || status != f.status || e.Parameter != f.parameter {
			t.Errorf("%.60s: %d %s, want %d %s", f.body, status, body, f.status, f.parameter)
		}
	}
}

func TestTheDoorAnswersOnlyWhatItServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, f := range []struct {
		method, path, body string
		status             int
		allow              string
	}{
		{"GET", "/contract?sale=019a0000-0000-7000-8000-000000000001", "", 404, ""},
		{"GET", "/contract?sale=a&sale=b", "", 400, ""},
		{"GET", "/contract", "", 400, ""},
		{"GET", "/contract?product=nothing", "", 404, ""},
		{"GET", "/contract?product=melange&quantity=1000", "", 400, ""},
		{"POST", "/contract", `{"sale":"a","product":"b"}`, 400, ""},
		{"POST", "/contract?sale=a", `{"sale":"a"}`, 400, ""},
		{"HEAD", "/contract?sale=a", "", 405, "GET, POST"},
		{"PUT", "/deposit", "{}", 405, "POST, GET"},
		{"DELETE", "/openapi.json", "", 405, "GET"},
		{"GET", "/openapi.json", "", 200, ""},
		{"GET", "/rpc", "", 404, ""},
	} {
		var body []byte
		if f.body != "" {
			body = []byte(f.body)
		}
		status, text, h := w.call(f.method, f.path, body)
		if status != f.status || h.Get("Allow") != f.allow || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %s %v", f.method, f.path, status, text, h)
		}
	}
	r := must(http.NewRequest("POST", w.door.URL+"/deposit", strings.NewReader("{}")))(t)
	r.Header.Set("Content-Type", "text/plain")
	resp := must(http.DefaultClient.Do(r))(t)
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("%d, %v", resp.StatusCode, err)
	}
}

// TestACoinSpentFromManyConnectionsIsSpentOnce pays 100 sales with one coin at once:
// one is paid, 99 are refused with a proof.
func TestACoinSpentFromManyConnectionsIsSpentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 100
	coin := w.purse(10_00).coin(500)
	sales := make([]sale, many)
	bodies := make([][]byte, many)
	for i := range many {
		sales[i] = w.sell(500)
		bodies[i] = must(w.sign(w.contract(sales[i]), 500, coin).Encode())(t)
	}
	statuses := make([]int, many)
	answers := make([][]byte, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			for statuses[i] = 202; statuses[i] == 202; {
				statuses[i], answers[i], _ = call(t, http.MethodPost, w.door.URL+"/deposit", bodies[i])
			}
		})
	}
	group.Wait()
	paid := 0
	for i, status := range statuses {
		switch {
		case status == http.StatusOK:
			paid++
		case status != http.StatusForbidden || !strings.Contains(string(answers[i]), `"history"`):
			t.Errorf("%d %s", status, answers[i])
		}
	}
	if paid != 1 {
		t.Errorf("the coin paid %d times", paid)
	}
}

// TestASaleIsPaidOnceByManyPayers has 50 coins pay one sale at once.
func TestASaleIsPaidOnceByManyPayers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 50
	p := w.purse(many * 1_00)
	s := w.sell(100)
	c := w.contract(s)
	bodies := make([][]byte, many)
	for i := range many {
		bodies[i] = must(w.sign(c, 100, p.coin(100)).Encode())(t)
	}
	counts := map[int]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			status, _, _ := call(t, http.MethodPost, w.door.URL+"/deposit", bodies[i])
			mu.Lock()
			counts[status]++
			mu.Unlock()
		})
	}
	group.Wait()
	if counts[200] != 1 || counts[409] != many-1 {
		t.Errorf("%v", counts)
	}
	w.untilSale(s.id, protocol.SaleConfirmed)
}

func TestADepositWaitsForAMintThatIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	p := w.purse(20_00)
	ps, others := w.sign(c, 500, p.coin(500)), w.sign(c, 500, p.coin(500))
	w.down(true)
	status, body := w.deposit(ps)
	var queued taler.Queued
	if err := taler.DecodeAnswer(body, &queued); err != nil || status != http.StatusAccepted || queued.Retry <= 0 {
		t.Fatalf("%d %s", status, body)
	}
	w.untilDeposit(s.tender, "waiting")
	if got := w.untilSale(s.id, protocol.SaleSeen); got.Reason != "waiting" || got.Verdict != protocol.VerdictWait {
		t.Errorf("%+v", got)
	}
	if status, body := w.deposit(others); status != http.StatusConflict {
		t.Errorf("another payment of a waiting sale: %d %s", status, body)
	}
	if status, body, _ := w.call("GET", "/contract?sale="+string(s.id), nil); status != http.StatusConflict {
		t.Errorf("a contract of a waiting sale: %d %s", status, body)
	}
	cash := newID[protocol.TenderID](t)
	w.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: s.id, Tender: cash, Kind: protocol.TenderCash, Amount: eur(500)})
	if got := w.lastSale(s.id); got.Verdict != protocol.VerdictRefuse || got.Reason != "waiting" {
		t.Errorf("cash for an amount that waits: %+v", got)
	}
	w.restart() // the queue is what is stored
	w.down(false)
	w.pass(time.Minute)
	w.untilDeposit(s.tender, "accepted")
	status, body = w.deposit(ps)
	w.paid(c, ps, status, body)
}

func (w *world) down(down bool) { w.setFault(down, 0) }

func TestASlowMintIsAskedAgainAndNothingIsPaidTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	ps := w.sign(c, 500, w.purse(10_00).coin(500))
	w.setFault(false, 2500*time.Millisecond) // beyond the client's time: done, but the answer is lost
	if status, body := w.deposit(ps); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	w.setFault(false, 0)
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
}

// TestALyingMintIsNotBelieved has the mint give answers that prove nothing.
func TestALyingMintIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(50_00)
	for _, lie := range []struct {
		name   string
		status int
		text   string
	}{
		{"spent without a proof", 403, `{"status":"DEPOSITED","history":[]}`},
		{"paid without a confirmation", 200, `{"status":"DEPOSIT_OK","confirmations":[]}`},
		{"nonsense", 200, `<html>`},
		{"refused in words", 400, `{"error":"no","parameter":"wire"}`},
	} {
		s := w.sell(500)
		c := w.contract(s)
		ps := w.sign(c, 500, p.coin(500))
		w.lies(lie.status, lie.text)
		if status, body := w.deposit(ps); status != http.StatusAccepted {
			t.Errorf("%s: %d %s", lie.name, status, body)
		}
		if d := w.untilDeposit(s.tender, "waiting"); d.Reason != "mint_fault" {
			t.Errorf("%s: %+v", lie.name, d)
		}
		w.lie.Store(nil)
		status, body := http.StatusAccepted, []byte(nil)
		for status == http.StatusAccepted { // the last lie may be under way still
			status, body = w.deposit(ps)
		}
		w.paid(c, ps, status, body)
	}
}

func (w *world) lies(status int, text string) {
	lie := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte(text))
	})
	w.lie.Store(&lie)
}

func TestMoneyForACancelledSaleIsOwed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	ps := w.sign(c, 500, w.purse(10_00).coin(500))
	w.down(true)
	if status, body := w.deposit(ps); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	w.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: s.id})
	w.down(false)
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
	if d := w.untilDeposit(s.tender, "accepted"); d.Reason != "owed" {
		t.Errorf("%+v", d)
	}
	debts := must(w.server.Debts(t.Context()))(t)
	if len(debts) != 1 || debts[0].Amount != eur(500) || debts[0].Sale != s.id || debts[0].Reason != "cancelled" || debts[0].Bill == "" {
		t.Errorf("%+v", debts)
	}
	if got := w.lastSale(s.id); got.State != protocol.SaleCancelled {
		t.Errorf("%+v", got)
	}
}

// TestASaleGivenUpAfterItWasPaidIsOwed: the counter gives a sale up before it hears
// that it is paid.
func TestASaleGivenUpAfterItWasPaidIsOwed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	ps := w.sign(c, 500, w.purse(10_00).coin(500))
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
	w.write(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: s.id, Tender: s.tender})
	w.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: s.id})
	debts := must(w.server.Debts(t.Context()))(t)
	if len(debts) != 1 || debts[0].Amount != eur(500) || debts[0].Sale != s.id || debts[0].Reason != "removed" {
		t.Errorf("%+v", debts)
	}
	status, body = w.deposit(ps)
	w.paid(c, ps, status, body)
}

func TestALapsedContractIsRefusedAndACancelledSaleToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(50_00)
	lapsed, cancelled, removed := w.sell(500), w.sell(500), w.sell(500)
	cl, cc, cr := w.contract(lapsed), w.contract(cancelled), w.contract(removed)
	w.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: cancelled.id})
	w.write(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: removed.id, Tender: removed.tender})
	for _, c := range []*taler.Contract{cc, cr} {
		if status, body := w.deposit(w.sign(c, 500, p.coin(500))); status != http.StatusConflict {
			t.Errorf("%d %s", status, body)
		}
	}
	w.pass(16 * time.Minute)
	if status, body := w.deposit(w.sign(cl, 500, p.coin(500))); status != http.StatusForbidden {
		t.Errorf("%d %s", status, body)
	}
	if status, body, _ := w.call("GET", "/contract?sale="+string(lapsed.id), nil); status != http.StatusConflict {
		t.Errorf("%d %s", status, body)
	}
	w.untilSale(lapsed.id, protocol.SaleExpired)
}

func TestATerminalIsToldThatEcashIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := newID[protocol.SaleID](t)
	w.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: id, Total: eur(500)})
	w.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: id, Tender: newID[protocol.TenderID](t), Kind: protocol.TenderEcash, Amount: protocol.Money{Currency: "CHF", Minor: 500}})
	if got := w.lastSale(id); got.Verdict != protocol.VerdictRefuse || got.Reason != "wrong_currency" {
		t.Errorf("%+v", got)
	}
}

func TestAContractFollowsWhenTheMintComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.stop()
	w.down(true)
	w.openShop()
	id, tender := newID[protocol.SaleID](t), newID[protocol.TenderID](t)
	w.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: id, Total: eur(500)})
	w.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: id, Tender: tender, Kind: protocol.TenderEcash, Amount: eur(500)})
	status, body, h := w.call("GET", "/contract?sale="+string(id), nil)
	if status != http.StatusServiceUnavailable || h.Get("Retry-After") == "" {
		t.Errorf("%d %s", status, body)
	}
	w.down(false)
	w.pass(time.Minute)
	alert(w, protocol.AlertContract, "contract", func(c protocol.ContractReady) bool { return c.Tender == tender })
}

func TestTooManyRequestsAreToldWhenToComeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var limited http.Header
	var group sync.WaitGroup
	var mu sync.Mutex
	for range 32 {
		group.Go(func() {
			for range 100 {
				status, _, h := call(t, "GET", w.door.URL+"/contract?sale=a", nil)
				if status == http.StatusTooManyRequests {
					mu.Lock()
					limited = h
					mu.Unlock()
					return
				}
			}
		})
	}
	group.Wait()
	if limited.Get("Retry-After") == "" {
		t.Errorf("3200 requests at once: %v", limited)
	}
}
