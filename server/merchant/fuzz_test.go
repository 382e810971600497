package merchant_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol/taler"
)

func FuzzDeposit(f *testing.F) {
	w := newWorld(f, nil)
	w.unlimited()
	s := w.sell(500)
	ps := w.sign(w.contract(s), 500, w.purse(10_00).coin(500))
	ps[0].CSig[3] ^= 1
	f.Add(must(ps.Encode())(f))
	f.Add([]byte(`[{"type":"DIRECT_DEPOSIT"}]`))
	p := w.purse(20_00)
	pair := append(w.sign(w.contract(s), 500, p.coin(500)), w.sign(w.contract(s), 400, p.coin(500))...)
	f.Add(must(pair.Encode())(f)) // more than the bill
	for _, kind := range []taler.Type{taler.Incremental, taler.Probabilistic} {
		other := ps[0]
		other.Type = kind
		f.Add(must(taler.Permissions{other}.Encode())(f))
	}
	f.Fuzz(func(t *testing.T, body []byte) { answersWell(t, w, "/deposit", body, 200, 202) })
}

// unlimited lets a second pass between requests, as the door's limits see it.
func (w *world) unlimited() {
	var ticks atomic.Int64
	w.tick = func() time.Time { return begin.Add(time.Duration(ticks.Add(1)) * time.Second) }
}

func FuzzContract(f *testing.F) {
	w := newWorld(f, nil)
	w.unlimited()
	s := w.sell(500)
	f.Add([]byte(fmt.Sprintf(`{"sale":%q}`, s.id)))
	f.Add([]byte(`{"product":"melange","quantity":2}`))
	f.Fuzz(func(t *testing.T, body []byte) { answersWell(t, w, "/contract", body, 500) })
}

// answersWell checks that any body gets JSON of the table's statuses, and none of those named.
func answersWell(t *testing.T, w *world, path string, body []byte, never ...int) {
	status, text, _ := call(t, http.MethodPost, w.door.URL+path, append([]byte{}, body...))
	for _, bad := range never {
		if status == bad {
			t.Errorf("%d %s", status, text)
		}
	}
	if status >= 500 || !json.Valid(text) {
		t.Errorf("%d %s", status, text)
	}
}

func FuzzLock(f *testing.F) {
	w := newWorld(f, nil)
	w.unlimited()
	o := w.offer(w.tab(30_00))
	l := w.purse(100_00).coin(5000).Lock(o, w.key)
	l.CSig[1] ^= 1
	f.Add(must(taler.Encode(l))(f))
	f.Fuzz(func(t *testing.T, body []byte) { answersWell(t, w, "/lock", body, 200) })
}

func FuzzOffer(f *testing.F) {
	w := newWorld(f, nil)
	w.unlimited()
	f.Add(fmt.Appendf(nil, `{"sale":%q,"max_amount":{"currency":"EUR","value":1,"fraction":0}}`, w.tab(30_00).id))
	f.Fuzz(func(t *testing.T, body []byte) { answersWell(t, w, "/offer", body) })
}
