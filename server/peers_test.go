package server_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"till/protocol"
	"till/server"
)

// freshPostgres makes a database on the PostgreSQL that TILL_TEST_POSTGRES names.
func freshPostgres(t testing.TB) string {
	t.Helper()
	location := os.Getenv("TILL_TEST_POSTGRES")
	if location == "" {
		t.Skip("TILL_TEST_POSTGRES names no PostgreSQL")
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	suffix := make([]byte, 6)
	if _, err := rand.Read(suffix); err != nil {
		t.Fatal(err)
	}
	name := "till_test_" + hex.EncodeToString(suffix)
	admin, err := sql.Open("pgx", location)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// openTwo starts two servers on one PostgreSQL and one chain.
func openTwo(t *testing.T) (first, second *shop) {
	t.Helper()
	location := freshPostgres(t)
	first = openShopAt(t, location, nil)
	twin := *first
	second = &twin
	second.start()
	t.Cleanup(func() { second.stop() })
	return first, second
}

// at is a terminal as it speaks to another server.
func (t *till) at(other *shop) *till {
	there := *t
	there.shop = other
	return &there
}

// hold begins a check-in that waits; its answer comes on the channel.
func (t *till) hold() <-chan *protocol.CheckInResult {
	t.t.Helper()
	t.sync() // nothing is left to tell
	answer := make(chan *protocol.CheckInResult, 1)
	go func() {
		r, err := t.checkIn(protocol.CheckIn{Wait: 30})
		if err != nil {
			t.t.Error(err)
		}
		answer <- r
	}()
	return answer
}

// soon waits for the answer of a held check-in for less than it could be held.
func soon(t *testing.T, answer <-chan *protocol.CheckInResult) *protocol.CheckInResult {
	t.Helper()
	select {
	case r := <-answer:
		return r
	case <-time.After(15 * time.Second):
		t.Fatal("the check-in is still held")
		return nil
	}
}

func TestAHeldCheckInHearsWhatAnotherServerStored(t *testing.T) {
	t.Parallel()
	first, second := openTwo(t)
	till := first.pair("main", false)
	answer := till.at(second).hold()
	if _, err := first.AddUser(t.Context(), protocol.User{Name: "Ada", Role: protocol.RoleCashier, PIN: "$argon2id$"}, nil); err != nil {
		t.Fatal(err)
	}
	if r := soon(t, answer); r.Config == nil && len(r.Alerts) == 0 {
		t.Errorf("it ended with %+v", r)
	}
}

func TestACheckInAtAnotherServerEndsTheFirst(t *testing.T) {
	t.Parallel()
	first, second := openTwo(t)
	till := first.pair("main", false)
	answer := till.at(first).hold()
	until(t, func() bool { till.at(second).sync(); return len(answer) == 1 })
}

// until tries until f holds or a quarter of a minute is over: another process, or
// what stands for one, tells no better when it has heard.
func until(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !f(); {
		if time.Now().After(end) {
			t.Fatal("it does not come about")
		}
	}
}

func TestARevokedTerminalIsRefusedByEveryServer(t *testing.T) {
	t.Parallel()
	first, second := openTwo(t)
	till := first.pair("main", false)
	there := till.at(second)
	there.sync() // the second remembers it
	if err := first.Revoke(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		_, err := there.checkIn(protocol.CheckIn{})
		return errors.Is(err, server.ErrRevoked)
	})
	if _, err := second.GetAddress(t.Context(), till.id, protocol.GetAddress{Want: 1}); !errors.Is(err, server.ErrRevoked) {
		t.Errorf("addresses for a revoked terminal: %v", err)
	}
}

func TestAPaymentReachesTheTerminalOfAnyServerAndOutlivesTheWatcher(t *testing.T) {
	t.Parallel()
	first, second := openTwo(t)
	till := first.pair("main", false)
	there := till.at(second)
	there.sync()
	deal := there.sell(900)
	first.pay(deal.address, deal.due)
	there.untilState(deal.sale, protocol.SaleAccepted)

	// Whoever watched is gone in the middle of a sale.
	next := there.sell(900)
	first.stop()
	second.pay(next.address, next.due)
	there.untilState(next.sale, protocol.SaleAccepted)
}

func TestServersLeaseDifferentAddresses(t *testing.T) {
	t.Parallel()
	first, second := openTwo(t)
	var all sync.WaitGroup
	tills := []*till{first.pair("a", false), first.pair("b", false), first.pair("c", false), first.pair("d", false)}
	for i, till := range tills {
		if i%2 == 1 {
			tills[i] = till.at(second)
		}
	}
	for _, till := range tills {
		all.Go(func() { till.lease(60) })
	}
	all.Wait()
	owner := map[string]string{}
	for _, till := range tills {
		for _, a := range till.addresses {
			if other, taken := owner[a]; taken {
				t.Errorf("%s is leased to %s and %s", a, other, till.name)
			}
			owner[a] = till.name
		}
	}
	if len(owner) != 60*len(tills) {
		t.Errorf("%d addresses leased, want %d", len(owner), 60*len(tills))
	}
}
