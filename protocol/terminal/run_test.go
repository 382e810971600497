package terminal

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"till/protocol"
)

func TestAnEventReachesTheTerminalWhileASaleIsOpen(t *testing.T) {
	c := paired(t)
	sale := c.sale(1230)
	c.run()
	c.eventually("a held check-in", func() bool { defer c.shop.mu.Unlock(); c.shop.mu.Lock(); return c.shop.held == 1 })
	c.shop.tell(protocol.AlertSale, protocol.SaleStatus{Sale: sale, State: protocol.SaleAccepted, Verdict: protocol.VerdictAccept})
	c.eventually("the payment", func() bool {
		got, err := c.Sale(context.Background(), sale)
		return err == nil && got.Status != nil && got.Status.State == protocol.SaleAccepted
	})
}

func TestTheFirstCheckInOfARunIsNotHeld(t *testing.T) {
	c := paired(t)
	sale := c.sale(1230)
	for range 2 { // the server has the sale, and nothing to tell
		if _, err := c.loop().round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.restart()
	c.run()
	c.eventually("an answer before one is held", func() bool { return c.Health().Online })
	if got, err := c.Sale(t.Context(), sale); err != nil || got.Said != SaidOpen {
		t.Errorf("the sale is %+v, %v: nothing would be held", got, err)
	}
}

func TestAnEntryEndsAHeldCheckIn(t *testing.T) {
	c := paired(t)
	c.sale(1230)
	c.run()
	c.eventually("a held check-in", func() bool { defer c.shop.mu.Unlock(); c.shop.mu.Lock(); return c.shop.held == 1 })
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	c.eventually("the entry at the server", func() bool { defer c.shop.mu.Unlock(); c.shop.mu.Lock(); return len(c.shop.journal) == 2 })
	c.eventually("another held check-in", func() bool { defer c.shop.mu.Unlock(); c.shop.mu.Lock(); return c.shop.held == 1 })
}

func TestAnIdleTerminalRestsAndAnEntryWakesIt(t *testing.T) {
	c := paired(t)
	rests := make(chan time.Duration, 100)
	c.sleep = func(ctx context.Context, d time.Duration) error {
		rests <- d
		<-ctx.Done()
		return ctx.Err()
	}
	c.run()
	if d := <-rests; d != 15*time.Second {
		t.Errorf("idle it rests %v", d)
	}
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	if d := <-rests; d != 15*time.Second {
		t.Errorf("idle it rests %v", d)
	}
	if len(c.shop.journal) != 1 {
		t.Error("the entry was not sent before the rest")
	}
}

func TestFailuresBackOffFromASecondToAMinute(t *testing.T) {
	c := paired(t)
	c.exchange()
	var pauses []time.Duration
	ctx, cancel := context.WithCancel(context.Background())
	whole := time.Duration(0)
	c.sleep = func(ctx context.Context, d time.Duration) error {
		if whole += d; d == firstBackOff && whole > d {
			pauses = append(pauses, whole-d)
			whole = d
		}
		if len(pauses) == 12 {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	c.shop.with(func() { c.shop.cutBefore = 1000 })
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	for i, d := range pauses {
		ceiling := min(time.Second<<i, time.Minute)
		if d < time.Second || d > max(ceiling, time.Second) || d < ceiling/2 {
			t.Errorf("pause %d is %v, want %v to %v", i, d, ceiling/2, ceiling)
		}
	}
	if slices.Max(pauses) < 30*time.Second {
		t.Errorf("pauses %v", pauses)
	}
	h := c.Health()
	if h.Online || h.OfflineSince != protocol.TimeOf(c.shop.clock.Now()) || h.Problem != protocol.ErrUnreachable.Error() {
		t.Errorf("health %+v", h)
	}
}

func TestARevokedTerminalIsTold(t *testing.T) {
	c := paired(t)
	l := c.loop()
	if pause := l.failed(context.Background(), protocol.ErrRevoked); pause < 30*time.Second {
		t.Errorf("pause %v", pause)
	}
	if h := c.Health(); !h.Revoked || h.Problem != protocol.ErrRevoked.Error() {
		t.Errorf("health %+v", h)
	}
	if s := sentence(x509.CertificateInvalidError{Reason: x509.Expired}); s != "the server's certificate is not valid at this machine's date; check the clock" {
		t.Error(s)
	}
}

func TestRunNeedsAPairing(t *testing.T) {
	c := newCounter(t, newShop(t))
	if err := c.Run(context.Background()); !errors.Is(err, ErrNotPaired) {
		t.Error(err)
	}
	if _, err := c.QueryAddress(context.Background(), "x"); !errors.Is(err, ErrNotPaired) {
		t.Error(err)
	}
}

func TestFactsRunTogetherAndNeverBlock(t *testing.T) {
	q := newFacts()
	for i := range 300 {
		q.tell(Fact{Alerts: []Alert{{ID: int64(i)}}, Sales: []protocol.SaleID{"a"}, Health: i == 7})
	}
	f := <-q.ch
	if !f.Health || f.Config || len(f.Sales) != 1 || len(f.Alerts) != 200 || f.Alerts[199].ID != 299 {
		t.Errorf("%v %v %d alerts", f.Health, f.Sales, len(f.Alerts))
	}
	select {
	case f := <-q.ch:
		t.Errorf("a second fact %+v", f)
	default:
	}
}
