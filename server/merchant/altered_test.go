package merchant_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server/mint"
	"till/server/store"
)

// mutants are a request with one member altered: in every place of what is short and
// in some of what is long, by one bit and by one byte, and by one symbol of its text.
func mutants(t *testing.T, body []byte) map[string][]byte {
	t.Helper()
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 8))
	out := map[string][]byte{}
	put := func(what, name string, value any) {
		before := members[name]
		members[name] = value
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		members[name] = before
		out[name+" "+what] = text
	}
	for name, value := range members {
		switch value := value.(type) {
		case string:
			raw, err := taler.DecodeBase32(value)
			if err != nil || name == "type" || name == "lock_until" {
				put("with another letter", name, value[:len(value)/2]+"X"+value[len(value)/2+1:])
				continue
			}
			step := max(1, len(raw)/16)
			for at := 0; at < len(raw); at += step {
				for what, by := range map[string]byte{"bit": 1 << r.IntN(8), "byte": byte(1 + r.IntN(255))} {
					altered := bytes.Clone(raw)
					altered[at] ^= by
					put(fmt.Sprintf("%s %d", what, at), name, taler.EncodeBase32(altered))
				}
			}
			put("cut by a symbol", name, value[1:])
			put("empty", name, "")
		case map[string]any: // an amount
			for member, other := range map[string]any{"currency": "EUS", "value": json.Number("7"), "fraction": json.Number("10000")} {
				altered := map[string]any{"currency": value["currency"], "value": value["value"], "fraction": value["fraction"]}
				altered[member] = other
				put("another "+member, name, altered)
			}
		}
		put("missing", name, nil)
	}
	return out
}

// TestEveryBitAndByteOfAPermissionCounts alters each member of a permission, alone and
// within an array: nothing of it is stored, and the good ones pay in the end.
func TestEveryBitAndByteOfAPermissionCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.unlimited()
	p := w.purse(20_00)
	s := w.sell(900)
	c := w.contract(s)
	alone := must(w.sign(c, 900, p.coin(1000)).Encode())(t)
	pair := append(w.sign(c, 500, p.coin(500)), w.sign(c, 400, p.coin(500))...)
	second := must(taler.Encode(&pair[1]))(t)
	n := 0
	try := func(name string, body []byte) {
		n++
		status, answer, _ := w.call(http.MethodPost, "/deposit", body)
		var e taler.Error
		if err := taler.DecodeAnswer(answer, &e); err != nil || status != 400 && status != 403 && status != 404 || e.Parameter == "" {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	for name, body := range mutants(t, alone) {
		try(name, body)
	}
	for name, body := range mutants(t, must(taler.Encode(&pair[0]))(t)) {
		try("in an array: "+name, append(append(append([]byte("["), body...), ','), append(second, ']')...))
	}
	if n < 400 {
		t.Errorf("only %d alterations were tried", n)
	}
	if got := w.lastSale(s.id); got.State != protocol.SaleOpen {
		t.Errorf("the sale is %s", got.State)
	}
	status, body := w.deposit(pair)
	w.paid(c, pair, status, body)
}

// TestEveryBitAndByteOfALockCounts does the same to a lock.
func TestEveryBitAndByteOfALockCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.unlimited()
	o := w.offer(w.tab(30_00))
	l := w.purse(60_00).coin(5000).Lock(o, w.key)
	good := must(taler.Encode(l))(t)
	for name, body := range mutants(t, good) {
		status, answer, _ := w.call(http.MethodPost, "/lock", body)
		var e taler.Error
		if err := taler.DecodeAnswer(answer, &e); err != nil || status != 400 && status != 403 && status != 404 || e.Parameter == "" {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if status, answer, _ := w.call(http.MethodPost, "/lock", good); status != http.StatusOK {
		t.Errorf("the good lock: %d %s", status, answer)
	}
}

// TestAMintOfOthersIsNotBelieved: confirmations and proofs that are good, but not of
// this mint, this coin or this payment.
func TestAMintOfOthersIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(50_00)
	foreign := taler.PrivateKeyFromSeed([32]byte{9})
	for name, lie := range map[string]func(own, other *taler.Permission) (int, taler.Message){
		"a confirmation of another mint": func(own, _ *taler.Permission) (int, taler.Message) {
			return 200, &taler.DepositAnswer{Confirmations: []taler.Confirmation{taler.ConfirmDeposit(own, foreign)}}
		},
		"a proof about another coin": func(own, other *taler.Permission) (int, taler.Message) {
			return 403, &taler.Proof{Status: taler.StatusDeposited, Coin: &own.Coin, History: []taler.Entry{taler.SpendEntry(other)}}
		},
		"a proof that is this very payment": func(own, _ *taler.Permission) (int, taler.Message) {
			return 403, &taler.Proof{Status: taler.StatusDeposited, Coin: &own.Coin, History: []taler.Entry{taler.SpendEntry(own)}}
		},
	} {
		s := w.sell(500)
		c := w.contract(s)
		ps := w.sign(c, 500, p.coin(500))
		others := w.sign(c, 500, p.coin(1000))
		status, message := lie(&ps[0], &others[0])
		w.lies(status, string(must(taler.Encode(message))(t)))
		if status, body := w.deposit(ps); status != http.StatusAccepted {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if d := w.untilDeposit(s.tender, "waiting"); d.Reason != "mint_fault" {
			t.Errorf("%s: %+v", name, d)
		}
		w.lie.Store(nil)
		got, body := http.StatusAccepted, []byte(nil)
		for got == http.StatusAccepted {
			got, body = w.deposit(ps)
		}
		w.paid(c, ps, got, body)
	}
}

// TestKeysOfAnotherMintAreNotTaken: what answers in the mint's place has keys of its
// own. No bill names them, and no coin is taken.
func TestKeysOfAnotherMintAreNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	db := must(store.Open(t.Context(), filepath.Join(t.TempDir(), "mint.db")))(t)
	defer func() { _ = db.Close() }()
	other := must(mint.Open(t.Context(), mintOptions(db, w.clock)))(t).Handler()
	lie := other.ServeHTTP
	w.lieKeys = true
	w.lie.Store((*http.HandlerFunc)(&lie))
	w.restart() // what it knew of its own mint is forgotten
	id, tender := newID[protocol.SaleID](t), newID[protocol.TenderID](t)
	w.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: id, Total: eur(500)})
	w.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: id, Tender: tender, Kind: protocol.TenderEcash, Amount: eur(500)})
	if status, body, _ := w.call(http.MethodGet, "/contract?sale="+string(id), nil); status != http.StatusServiceUnavailable {
		t.Errorf("a bill with the keys of another mint: %d %s", status, body)
	}
	w.lie.Store(nil)
	w.pass(time.Minute)
	alert(w, protocol.AlertContract, "contract", func(c protocol.ContractReady) bool { return c.Tender == tender })
}
