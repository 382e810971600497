package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"till/protocol"
	"till/server"
)

// pushing is a shop of two terminals whose pushes are the settings that differ, as JSON.
func pushing(t *testing.T) (*shop, *till, *till) {
	t.Helper()
	s := openShop(t, func(set *server.Settings) { set.Shop.Name = "Base" })
	s.pushed = func(text string) (server.Settings, error) {
		pushed := s.set
		pushed.Acceptance = nil // JSON would write into the shop's own
		err := json.Unmarshal([]byte(text), &pushed)
		if pushed.Acceptance == nil {
			pushed.Acceptance = s.set.Acceptance
		}
		return pushed, err
	}
	s.restart()
	return s, s.pair("one", false), s.pair("two", false)
}

func (t *till) holds(name string) {
	t.t.Helper()
	before := t.config.Version
	t.sync()
	if t.config.Shop.Name != name {
		t.t.Errorf("%s is told %q, not %q", t.name, t.config.Shop.Name, name)
	}
	if t.config.Version < before {
		t.t.Errorf("%s: version %d follows %d", t.name, t.config.Version, before)
	}
}

func TestAPushIsTriedOnSomeTerminalsAndRolledBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, one, two := pushing(t)
	one.holds("Base")
	start := one.config.Version
	done(t, second(s.Push(ctx, `{"Shop":{"name":"Tried"}}`, []string{"one"})))
	one.holds("Tried")
	two.holds("Base")
	tried := one.config.Version
	s.restart()
	one.holds("Tried")
	two.holds("Base")
	done(t, second(s.RollBack(ctx)))
	one.holds("Base")
	if start >= tried || tried >= one.config.Version {
		t.Errorf("the versions %d, %d, %d do not rise", start, tried, one.config.Version)
	}
	if err := second(s.RollBack(ctx)); !errors.Is(err, server.ErrNotPushed) {
		t.Errorf("rolled back twice: %v", err)
	}
}

func TestAPushIsPromotedAndTheOneBeforeHoldsAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, one, two := pushing(t)
	done(t, second(s.Push(ctx, `{"Shop":{"name":"First"}}`, nil)))
	done(t, second(s.Push(ctx, `{"Shop":{"name":"Second"}}`, []string{"two"})))
	one.holds("First")
	two.holds("Second")
	done(t, second(s.Promote(ctx)))
	one.holds("Second")
	two.holds("Second")
	if err := second(s.Promote(ctx)); !errors.Is(err, server.ErrNotPushed) {
		t.Errorf("promoted twice: %v", err)
	}
	done(t, second(s.RollBack(ctx)))
	one.holds("First")
	two.holds("First")
	done(t, second(s.RollBack(ctx)))
	one.holds("Base")
	two.holds("Base")
}

func TestAFaultyPushChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, one, _ := pushing(t)
	one.sync()
	before := one.config.Version
	for _, text := range []string{`{`, `{"Poll":1}`} {
		if err := second(s.Push(ctx, text, nil)); !errors.Is(err, server.ErrPush) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := second(s.Push(ctx, `{}`, []string{"nobody"})); !errors.Is(err, server.ErrNotFound) {
		t.Errorf("on nobody: %v", err)
	}
	if one.sync(); one.config.Version != before {
		t.Errorf("version %d follows %d", one.config.Version, before)
	}
}

func TestATerminalIsJudgedByWhatIsTriedOnIt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, one, two := pushing(t)
	done(t, second(s.Push(ctx, `{"Acceptance":[{"confirmations":2}]}`, []string{"one"})))
	one.sync()
	for _, c := range []struct {
		till  *till
		state protocol.SaleState
	}{{one, protocol.SaleSeen}, {two, protocol.SaleAccepted}} {
		c.till.lease(5)
		d := c.till.sell(1000)
		s.pay(d.address, d.due)
		c.till.untilState(d.sale, c.state)
	}
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOtherSettingsAreTakenUpWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	one := s.pair("one", false)
	one.sync()
	next := s.set
	next.Shop.Name, next.Currency = "Renamed", "USD"
	if err := s.SetSettings(context.Background(), next); err != nil {
		t.Fatal(err)
	}
	one.holds("Renamed")
	if one.config.Currency != "EUR" {
		t.Errorf("the currency became %s", one.config.Currency)
	}
	next.Poll = 0
	if err := s.SetSettings(context.Background(), next); err == nil {
		t.Error("faulty settings are taken")
	}
	one.holds("Renamed")
}
