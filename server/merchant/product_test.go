package merchant_test

import (
	"net/http"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

func TestAProductIsSoldToStrangersAndKeptOnlyWhenPaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	price := eur(480)
	if err := w.server.ImportCatalogue(t.Context(), []protocol.Item{{SKU: "melange", Name: "Melange", Price: &price}, {SKU: "gift", Name: "Gift"}}); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := w.call("GET", "/contract?product=gift", nil); status != http.StatusNotFound {
		t.Errorf("without a price: %d %s", status, body)
	}
	_, text, _ := w.call("GET", "/contract?product=melange&quantity=2", nil)
	_, same, _ := w.call("POST", "/contract", []byte(`{"product":"melange","quantity":2}`))
	if string(text) != string(same) {
		t.Errorf("%s and %s", text, same)
	}
	c := must(taler.ParseContract(text))(t)
	if err := c.Verify(w.key); err != nil || c.Terms().Amount != cents(t, 960) || c.Terms().Description != "2 × Melange" {
		t.Errorf("%v %+v", err, c.Terms())
	}
	bill := func() (err error) {
		return w.db.Read(t.Context(), func(tx *server.Tx) error {
			_, err := tx.Bills.Get(c.Terms().TransactionID.String())
			return err
		})
	}
	if bill() == nil {
		t.Error("a stranger's question fills the database")
	}
	p := w.purse(50_00)
	w.restart()
	ps := w.sign(c, 960, p.coin(1000))
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
	if err := bill(); err != nil {
		t.Error(err)
	}
	if status, body := w.deposit(w.sign(c, 960, p.coin(1000))); status != http.StatusConflict {
		t.Errorf("the same bill twice: %d %s", status, body)
	}
	w.pass(time.Minute)
	if _, later, _ := w.call("GET", "/contract?product=melange&quantity=2", nil); string(later) == string(text) {
		t.Error("a minute later it is the same bill")
	}
	_, text, _ = w.call("GET", "/contract?product=melange", nil)
	c = must(taler.ParseContract(text))(t)
	w.pass(16 * time.Minute)
	if status, body := w.deposit(w.sign(c, 480, p.coin(1000))); status != http.StatusForbidden {
		t.Errorf("a lapsed bill of a product: %d %s", status, body)
	}
}
