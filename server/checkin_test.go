package server_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// waiting starts a check-in that waits 30 s, makes sure that the server knows of
// it, and gives its answer.
func (t *till) waiting() <-chan *protocol.CheckInResult {
	t.t.Helper()
	t.pass(time.Millisecond)
	p := protocol.CheckIn{Log: t.log, Config: t.config.Version, Wait: 30}
	if n := len(t.alerts); n > 0 {
		p.Alert = t.alerts[n-1].Seq
	}
	answer := make(chan *protocol.CheckInResult, 1)
	go func() {
		r, err := t.CheckIn(context.Background(), t.id, p, false)
		if err != nil && !errors.Is(err, server.ErrRevoked) {
			t.t.Error(err)
		}
		answer <- r
	}()
	for deadline := time.Now().Add(10 * time.Second); ; {
		list, err := t.Terminals(context.Background())
		if err != nil {
			t.t.Fatal(err)
		}
		if list[0].LastSeen == t.clock() {
			return answer
		}
		if time.Now().After(deadline) {
			t.t.Fatal("the check-in did not reach the server")
		}
	}
}

func arrives(t testing.TB, what string, answer <-chan *protocol.CheckInResult) *protocol.CheckInResult {
	t.Helper()
	select {
	case r := <-answer:
		return r
	case <-time.After(10 * time.Second):
		t.Fatalf("the waiting check-in does not end: %s", what)
		return nil
	}
}

func TestWaitingCheckInEndsAtOnce(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	d := till.sell(1000)
	till.sync()

	answer := till.waiting()
	shop.pay(d.address, d.due)
	if r := arrives(t, "money", answer); len(r.Alerts) == 0 {
		t.Fatalf("money: %+v", r)
	}
	till.untilState(d.sale, protocol.SaleAccepted)

	answer = till.waiting()
	second := till.waiting()
	if r := arrives(t, "a second check-in", answer); len(r.Alerts) != 0 {
		t.Fatalf("the first of two got %+v", r)
	}
	if err := shop.ImportCatalogue(context.Background(), []protocol.Item{{SKU: "1", Name: "tea"}}); err != nil {
		t.Fatal(err)
	}
	if r := arrives(t, "a newer configuration", second); r.Config == nil || r.Config.CatalogueVersion != till.config.CatalogueVersion+1 {
		t.Fatalf("a newer configuration: %+v", r)
	}
	till.sync()

	answer = till.waiting()
	if err := shop.Suspend(context.Background(), "main", server.SuspendedByOwner); err != nil {
		t.Fatal(err)
	}
	if r := arrives(t, "suspension", answer); r.Alerts[0].Kind != protocol.AlertSuspended {
		t.Fatalf("suspension: %+v", r)
	}
	if err := shop.Resume(context.Background(), "main"); err != nil {
		t.Fatal(err)
	}
	answer = till.waiting()
	go shop.stop()
	arrives(t, "shutdown", answer)
}

func TestCheckInDoesNotWaitWithEntriesOrInABatch(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	p := protocol.CheckIn{Log: till.log, Config: till.config.Version, Wait: 30}
	if _, err := till.CheckIn(context.Background(), till.id, p, true); err != nil {
		t.Fatal(err)
	}
	p.Journal = []protocol.Entry{till.entry(till.clock(), protocol.EntrySignedIn, protocol.PersonDid{User: "1"})}
	if _, err := till.CheckIn(context.Background(), till.id, p, false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.Journal = nil
	if _, err := till.CheckIn(ctx, till.id, p, false); !errors.Is(err, context.Canceled) {
		t.Fatalf("a caller that left: %v", err)
	}
}

func TestAlertsComeInPiecesAndFromTheCursor(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	err := shop.db.Write(context.Background(), func(tx *server.Tx) error {
		for range 250 {
			if _, err := tx.Alerts.Append(till.id, shop.clock(), protocol.AlertConfig, []byte(`{"reason":"x","message":"x","since":"2026-11-22T08:00:00.000Z"}`)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shop.restart() // it remembers what only it writes
	if r := till.sync(); len(r.Alerts) != 200 || !r.More {
		t.Fatalf("%d alerts, more %v", len(r.Alerts), r.More)
	}
	if r := till.sync(); len(r.Alerts) != 50 || r.More || r.Alerts[0].Seq != 201 {
		t.Fatalf("%d alerts, more %v", len(r.Alerts), r.More)
	}
	if r := till.sync(); len(r.Alerts) != 0 || r.Alerts == nil {
		t.Fatalf("%d alerts", len(r.Alerts))
	}
}

func TestRestoredServerTellsAlertsAgain(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	till.sell(1000)
	till.sync()
	before := till.log
	p := protocol.CheckIn{Log: till.log, Config: till.config.Version, Alert: 99, Wait: 30}
	if r, err := till.CheckIn(context.Background(), till.id, p, false); err != nil || len(r.Alerts) != 1 {
		t.Fatalf("a cursor above the highest: %+v, %v", r, err)
	}
	if err := server.Restored(context.Background(), shop.db, shop.clock(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	shop.restart()
	p = protocol.CheckIn{Log: before, Config: till.config.Version, Alert: 1, Wait: 30}
	r, err := till.CheckIn(context.Background(), till.id, p, false)
	if err != nil || r.Log == before || len(r.Alerts) != 1 || r.Alerts[0].Seq != 1 {
		t.Fatalf("after a restore: %+v, %v", r, err)
	}
}

func TestConfigurationIsPushedWhenNewer(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	if c := till.config; c.Version != 1 || c.Network != "regtest" || c.PaymentWindowS != 900 || c.Users == nil || c.Tax == nil {
		t.Fatalf("configuration %+v", c)
	}
	if r := till.sync(); r.Config != nil {
		t.Fatal("the same configuration was pushed again")
	}
	err := shop.db.Write(context.Background(), func(tx *server.Tx) error {
		return errors.Join(
			tx.Shop.PutUser(&server.StaffUser{User: protocol.User{ID: "1", Name: "Ada", Role: protocol.RoleCashier, PIN: "$argon2id$"}}),
			tx.Shop.PutUser(&server.StaffUser{User: protocol.User{ID: "2", Name: "Bo", Role: protocol.RoleManager, PIN: "$argon2id$"}, Disabled: true}),
		)
	})
	if err := errors.Join(err, shop.Reload(context.Background()), shop.Reload(context.Background())); err != nil {
		t.Fatal(err)
	}
	r := till.sync()
	if r.Config == nil || r.Config.Version != 2 || len(r.Config.Users) != 1 || r.Config.Users[0].Name != "Ada" {
		t.Fatalf("pushed %+v", r.Config)
	}
	if len(r.Alerts) != 1 || r.Alerts[0].Kind != protocol.AlertConfig {
		t.Fatalf("told %+v", r.Alerts)
	}
	text, err := json.Marshal(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := protocol.Decode(text, new(protocol.Config)); err != nil {
		t.Errorf("the configuration does not stand on the wire: %v", err)
	}
	shop.restart()
	if r := till.sync(); r.Config != nil {
		t.Error("a restart made a new version")
	}
}

func TestIdleCheckInWritesNothing(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	shop.stop() // nothing else writes
	shop.start()
	till.sync()
	counted := &countingStore{Store: shop.db}
	o := shop.options()
	o.Store = counted
	idle, err := server.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	till.Server = idle
	till.sync() // the first gives out a quote
	before := counted.writes
	for range 10 {
		till.sync()
	}
	if counted.writes != before {
		t.Fatalf("10 idle check-ins wrote %d times", counted.writes-before)
	}
}

// countingStore counts the writes of a real store.
type countingStore struct {
	server.Store
	writes int
}

func (c *countingStore) Write(ctx context.Context, f func(*server.Tx) error) error {
	c.writes++
	return c.Store.Write(ctx, f)
}
