package merchant_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// tab opens a bar tab at the counter.
func (w *world) tab(most int64) sale {
	w.t.Helper()
	s := sale{id: newID[protocol.SaleID](w.t), tender: newID[protocol.TenderID](w.t)}
	w.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: s.id, Total: eur(0)})
	w.write(protocol.EntryTabOpened, protocol.TabOpened{Sale: s.id, Tender: s.tender, MaxAmount: eur(most)})
	w.untilTab(s, "offered")
	ready := alert(w, protocol.AlertContract, "link", func(c protocol.ContractReady) bool { return c.Tender == s.tender })
	s.link = must(taler.ParseLink(ready.URL))(w.t)
	if s.link.TransactionID != nil {
		w.t.Error("the link of a tab names a transaction")
	}
	return s
}

func (w *world) untilTab(s sale, state string) protocol.TabStatus {
	w.t.Helper()
	w.checkIn(protocol.CheckIn{})
	return alert(w, protocol.AlertTab, "tab is "+state, func(a protocol.TabStatus) bool { return a.Tender == s.tender && a.State == state })
}

func (w *world) charge(s sale, minor int64) {
	w.t.Helper()
	w.write(protocol.EntryTabCharged, protocol.TabCharged{Sale: s.id, Tender: s.tender, Amount: eur(minor), Lines: []protocol.Line{{Name: "Beer", Quantity: 1000, Price: eur(100)}}})
}

func (w *world) offer(s sale) *taler.Offer {
	w.t.Helper()
	status, body, _ := w.call("POST", "/offer", fmt.Appendf(nil, `{"sale":%q}`, s.id))
	if status != http.StatusOK {
		w.t.Fatalf("offer: %d %s", status, body)
	}
	o := new(taler.Offer)
	if err := taler.DecodeAnswer(body, o); err != nil {
		w.t.Fatal(err)
	}
	if err := o.Verify(w.key); err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) lock(l *taler.Lock) (int, []byte) {
	w.t.Helper()
	status, body, _ := w.call("POST", "/lock", must(taler.Encode(l))(w.t))
	return status, body
}

func (w *world) locked(l *taler.Lock) {
	w.t.Helper()
	status, body := w.lock(l)
	if status != http.StatusOK || !strings.Contains(string(body), taler.StatusLockOK) {
		w.t.Fatalf("lock: %d %s", status, body)
	}
	if again, same := w.lock(l); again != status || string(same) != string(body) {
		w.t.Errorf("the identical lock: %d %s", again, same)
	}
}

// round reads a tab's contract.
func (w *world) round(o *taler.Offer) *taler.Contract {
	w.t.Helper()
	status, body, _ := w.call("GET", "/contract?transaction_id="+o.TransactionID.String(), nil)
	if status != http.StatusOK {
		w.t.Fatalf("contract: %d %s", status, body)
	}
	c := must(taler.ParseContract(body))(w.t)
	if err := c.Verify(w.key); err != nil || !c.Terms().Tab {
		w.t.Fatalf("%v %+v", err, c.Terms())
	}
	return c
}

func TestATabIsChargedInRoundsAndPaidOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(100_00)
	s := w.tab(30_00)
	o := w.offer(s)
	coin, other := p.coin(5000), p.coin(5000)
	if status, body, _ := w.call("GET", "/contract?transaction_id="+o.TransactionID.String(), nil); status != http.StatusNotFound {
		t.Errorf("a round without a lock: %d %s", status, body)
	}
	l := coin.Lock(o, w.key)
	w.locked(l)
	w.untilTab(s, "locked")
	if status, body := w.lock(other.Lock(o, w.key)); status != http.StatusConflict {
		t.Errorf("another coin for the same tab: %d %s", status, body)
	}
	if status, body, _ := w.call("GET", "/contract?transaction_id="+o.TransactionID.String(), nil); status != http.StatusConflict {
		t.Errorf("a round of nothing: %d %s", status, body)
	}
	w.charge(s, 4_00)
	first := w.round(o)
	w.down(true) // rounds are taken without the mint
	ps := w.sign(first, 4_00, coin)
	status, body := w.deposit(ps)
	w.paid(first, ps, status, body)
	w.charge(s, 9_50)
	second := w.round(o)
	if terms := second.Terms(); terms.Description != "1 × Beer, 1 × Beer" || terms.Amount != cents(t, 9_50) {
		t.Errorf("%+v", terms)
	}
	for name, ps := range map[string]taler.Permissions{
		"another coin": w.sign(second, 9_50, other), "another amount": w.sign(second, 9_49, coin), "the coin's value": w.sign(second, 50_00, coin),
	} {
		if status, body := w.deposit(ps); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	last := w.sign(second, 9_50, coin)
	status, body = w.deposit(last)
	w.paid(second, last, status, body)
	if tab := w.untilTab(s, "charged"); tab.Signed.Minor != 9_50 || tab.Charged.Minor != 9_50 {
		t.Errorf("%+v", tab)
	}
	if again, same := w.deposit(ps); again != http.StatusOK {
		t.Errorf("an earlier round again: %d %s", again, same)
	}
	w.write(protocol.EntryTabClosed, protocol.TabClosed{Sale: s.id, Tender: s.tender})
	w.restart()
	w.down(false)
	w.pass(time.Minute)
	if tab := w.untilTab(s, "paid"); tab.Signed.Minor != 9_50 {
		t.Errorf("%+v", tab)
	}
	got := w.untilSale(s.id, protocol.SaleConfirmed)
	if len(got.Flags) != 0 || got.Verdict != protocol.VerdictAccept {
		t.Errorf("%+v", got)
	}
	// 40.50 are left of the coin, and nothing holds it any more.
	rest := w.sell(40_50)
	c := w.contract(rest)
	ps = w.sign(c, 40_50, coin)
	status, body = w.deposit(ps)
	w.paid(c, ps, status, body)
}

func TestATabThatLapsesIsPaidAsFarAsItWasSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.tab(30_00)
	o := w.offer(s)
	coin := w.purse(100_00).coin(5000)
	w.locked(coin.Lock(o, w.key))
	w.charge(s, 4_00)
	c := w.round(o)
	ps := w.sign(c, 4_00, coin)
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
	w.charge(s, 6_00)
	late := w.round(o)
	w.pass(o.LockUntil.Time().Sub(w.clock()) - 9*time.Minute)
	if status, body := w.deposit(w.sign(late, 6_00, coin)); status != http.StatusForbidden && status != http.StatusConflict {
		t.Errorf("a round after its time: %d %s", status, body)
	}
	w.untilTab(s, "lapsing")
	if tab := w.untilTab(s, "paid"); tab.Signed.Minor != 4_00 || tab.Charged.Minor != 6_00 {
		t.Errorf("%+v", tab)
	}
	got := w.untilSale(s.id, protocol.SaleConfirmed)
	if len(got.Flags) != 1 || got.Flags[0] != protocol.FlagUnderpaid {
		t.Errorf("%+v", got)
	}
}

func TestATabClosedAtNothingLetsTheCoinGo(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, s sale){
		"closed": func(w *world, s sale) {
			w.write(protocol.EntryTabClosed, protocol.TabClosed{Sale: s.id, Tender: s.tender})
		},
		"cancelled": func(w *world, s sale) { w.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: s.id}) },
		"removed": func(w *world, s sale) {
			w.write(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: s.id, Tender: s.tender})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			s := w.tab(30_00)
			coin := w.purse(100_00).coin(5000)
			w.locked(coin.Lock(w.offer(s), w.key))
			end(w, s)
			w.untilReleased(coin)
			c := w.contract(w.sell(50_00))
			ps := w.sign(c, 50_00, coin)
			status, body := w.deposit(ps)
			w.paid(c, ps, status, body)
		})
	}
}

func TestALockOfASpentCoinIsRefusedWithProofAndTheOfferIsFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(200_00)
	spent, good := p.coin(5000), p.coin(5000)
	paid := w.sell(30_00)
	c := w.contract(paid)
	ps := w.sign(c, 30_00, spent)
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
	s := w.tab(30_00)
	o := w.offer(s)
	if status, body := w.lock(spent.Lock(o, w.key)); status != http.StatusForbidden || !strings.Contains(string(body), "history") {
		t.Errorf("%d %s", status, body)
	}
	w.down(true)
	l := good.Lock(o, w.key)
	if status, body := w.lock(l); status != http.StatusServiceUnavailable {
		t.Errorf("with the mint down: %d %s", status, body)
	}
	w.restart()
	w.down(false)
	w.locked(l)
}

func TestLocksAreComparedWithTheOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	coin := w.purse(100_00).coin(5000)
	s := w.tab(30_00)
	o := w.offer(s)
	for _, f := range []struct {
		name      string
		alter     func(o *taler.Offer)
		status    int
		parameter string
	}{
		{"transaction_id", func(o *taler.Offer) { o.TransactionID ^= 1 }, 404, "transaction_id"},
		{"more", func(o *taler.Offer) { o.MaxAmount = cents(t, 30_01) }, 403, "max_amount"},
		{"longer", func(o *taler.Offer) { o.LockUntil += 1000 }, 403, "lock_until"},
	} {
		altered := *o
		f.alter(&altered)
		status, body := w.lock(coin.Lock(&altered, w.key))
		var e taler.Error
		if err := taler.DecodeAnswer(body, &e); err != nil || status != f.status || e.Parameter != f.parameter {
			t.Errorf("%s: %d %s", f.name, status, body)
		}
	}
	l := coin.Lock(o, w.key)
	l.CSig[1] ^= 1
	if status, body := w.lock(l); status != http.StatusForbidden {
		t.Errorf("%d %s", status, body)
	}
	if status, body, _ := w.call("POST", "/offer", []byte(`{"service":"wash"}`)); status != http.StatusNotFound {
		t.Errorf("%d %s", status, body)
	}
	if status, body, _ := w.call("POST", "/offer", fmt.Appendf(nil, `{"sale":%q}`, w.sell(5_00).id)); status != http.StatusNotFound {
		t.Errorf("an offer for a plain sale: %d %s", status, body)
	}
}

// TestALotteryIsFairToBothSides plays a few dozen: what the customer checks holds,
// won coins are deposited and lost ones can be spent.
func TestALotteryIsFairToBothSides(t *testing.T) {
	t.Parallel()
	below := eur(5)
	w := newWorld(t, func(e *server.Ecash) { e.LotteryBelow = &below })
	p := w.purse(100_00)
	won, lost := 0, 0
	coin := p.coin(5)
	for range 24 {
		s := w.sell(3)
		c := w.contract(s)
		terms := c.Terms()
		if terms.Lottery == nil || terms.Lottery.Value != cents(t, 5) {
			t.Fatalf("%+v", terms)
		}
		rc := taler.Nonce{}
		must(rand.Read(rc[:]))(t)
		ps := taler.Permissions{*must(coin.Pay(c, w.key, terms.Lottery.Value, rc))(t)}
		if status, body := w.deposit(ps); status != http.StatusNotFound {
			t.Fatalf("played without a lock: %d %s", status, body)
		}
		o := w.offer(s)
		if o.TransactionID != terms.TransactionID || o.MaxAmount != terms.Lottery.Value {
			t.Fatalf("%+v", o)
		}
		w.locked(coin.Lock(o, w.key))
		if status, body := w.deposit(taler.Permissions{direct(ps[0])}); status != http.StatusNotFound {
			t.Errorf("another type: %d %s", status, body)
		}
		status, body := w.deposit(ps)
		a := w.paid(c, ps, status, body)
		if err := a.VerifyDraw(terms.Lottery, rc); err != nil {
			t.Fatal(err)
		}
		if a.Amount != cents(t, 3) {
			t.Errorf("the receipt is over %s", a.Amount)
		}
		if d := w.untilDeposit(s.tender, "accepted"); d.Amount != eur(3) {
			t.Errorf("%+v", d)
		}
		other := rc
		other[0] ^= 1
		again := taler.Permissions{*must(coin.Pay(c, w.key, terms.Lottery.Value, other))(t)}
		if status, body := w.deposit(again); status != http.StatusConflict {
			t.Errorf("played twice: %d %s", status, body)
		}
		if a.Status == taler.StatusLotteryLost {
			lost++
			w.untilReleased(coin)
			continue
		}
		won++
		coin = p.coin(5)
	}
	if won == 0 || lost == 0 {
		t.Errorf("of 24 at 3 to 5, %d won and %d lost", won, lost)
	}
}

// direct makes a permission of the other type.
func direct(p taler.Permission) taler.Permission {
	p.Type = taler.Direct
	return p
}

// untilReleased waits until nothing holds the coin at the mint.
func (w *world) untilReleased(coin *taler.Coin) {
	w.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		held := 0
		err := w.mintDB.Read(w.t.Context(), func(tx *server.Tx) error {
			locks, err := tx.MintCoins.Locks(coin.Public.Coin.String())
			held = len(locks)
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if held == 0 {
			return
		}
	}
	w.t.Fatal("the coin is still held")
}
