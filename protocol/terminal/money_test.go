package terminal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"till/protocol"
)

func TestAnAddressIsGivenOnceAndReplacedInTime(t *testing.T) {
	c := paired(t)
	ctx := context.Background()
	if _, err := c.FreshAddress(ctx); !errors.Is(err, ErrNoAddress) {
		t.Errorf("before the first check-in: %v", err)
	}
	c.exchange()
	seen := map[string]bool{}
	for i := range 35 {
		var address string
		if i%3 == 0 {
			l, err := c.FreshAddress(ctx)
			must(t, err)
			address = l.Address
		} else {
			sale := c.sale(100)
			a, err := c.AddBitcoinTender(ctx, protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderBitcoin, Amount: eur(100), Quote: "0193c0de-0000-7000-8000-000000000003", DueSat: 1})
			must(t, err)
			c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
			address = a.Address
		}
		if seen[address] {
			t.Fatalf("%s was given twice", address)
		}
		seen[address] = true
		if own, err := c.OwnAddress(ctx, address); err != nil || !own {
			t.Errorf("own %v, %v", own, err)
		}
		if i%5 == 4 {
			c.restart()
			c.exchange()
			if h := c.Health(); h.Addresses <= protocol.LowLeases {
				t.Errorf("%d addresses left after a check-in", h.Addresses)
			}
		}
	}
	// Those of tenders are not offered to the server as unused.
	if shown, err := c.addresses(ctx, `shown > 0 AND tender IS NULL`); err != nil || len(shown) != 12 {
		t.Errorf("%d were shown without a sale, %v", len(shown), err)
	}
}

func TestAddressesRunOutOfflineAndSaySo(t *testing.T) {
	c := paired(t)
	c.exchange()
	for i := range protocol.KeepLeases {
		if _, err := c.FreshAddress(context.Background()); err != nil {
			t.Fatalf("address %d: %v", i, err)
		}
		if got := c.Health().Addresses; got != int64(protocol.KeepLeases-i-1) {
			t.Errorf("%d left after %d", got, i+1)
		}
	}
	if _, err := c.FreshAddress(context.Background()); !errors.Is(err, ErrNoAddress) {
		t.Errorf("the 21st: %v", err)
	}
}

func TestAnAddressNoLongerLeasedIsNotShown(t *testing.T) {
	c := paired(t)
	c.exchange()
	c.shop.with(func() { // a server restored from before they were leased
		for i := range c.shop.leased[:5] {
			c.shop.taken[c.shop.leased[i].Address] = true
		}
	})
	for range 10 {
		_, err := c.FreshAddress(context.Background())
		must(t, err)
	}
	c.exchange()
	l, err := c.FreshAddress(context.Background())
	if err != nil || l.Address != "bcrt1q0010" {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestReleasedAddressesGoBack(t *testing.T) {
	c := paired(t)
	c.exchange()
	ctx := context.Background()
	shown, err := c.FreshAddress(ctx)
	must(t, err)
	must(t, c.Release(ctx, "bcrt1q0019", shown.Address, "foreign"))
	if h := c.Health(); h.Addresses != 18 {
		t.Errorf("%d left", h.Addresses)
	}
	c.exchange()
	if !c.shop.taken["bcrt1q0019"] || c.shop.taken[shown.Address] {
		t.Errorf("the server took back %v", c.shop.taken)
	}
	if left, err := c.addresses(ctx, free); err != nil || slices.Contains(left, "bcrt1q0019") || len(left) != 19 { // this server counts the shown one
		t.Errorf("%v, %v", left, err)
	}
}

func TestOnlyAPriceThatTheShopSignedIsQuoted(t *testing.T) {
	c := paired(t)
	now := c.shop.clock.Now
	q := c.shop.quote("0193c0de-0000-7000-8000-000000000003", 10*time.Minute)
	c.exchange()
	if got, ok := c.Quote(now()); !ok || got.ID != q.ID {
		t.Errorf("%+v, %v", got, ok)
	}
	forged := q
	forged.ID, forged.Buy, forged.At = "0193c0de-0000-7000-8000-00000000000f", 1, q.At+1
	c.shop.with(func() { c.shop.quotes = []protocol.Quote{forged} })
	c.exchange()
	if got, ok := c.Quote(now()); !ok || got.ID != q.ID {
		t.Errorf("after a forged one %+v, %v", got, ok)
	}
	if _, err := c.QuoteOf(context.Background(), forged.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the forged one was kept: %v", err)
	}
	c.restart() // offline from here on
	if got, ok := c.Quote(now()); !ok || got.ID != q.ID {
		t.Errorf("offline %+v, %v", got, ok)
	}
	c.shop.clock.advance(10 * time.Minute)
	if _, ok := c.Quote(now()); !ok {
		t.Error("not held until its last moment")
	}
	c.shop.clock.advance(time.Millisecond)
	if _, ok := c.Quote(now()); ok {
		t.Error("held beyond its end")
	}
}

func TestWithoutAPriceTheReasonIsTold(t *testing.T) {
	c := paired(t)
	c.shop.quote("0193c0de-0000-7000-8000-000000000003", 10*time.Minute)
	c.exchange()
	c.shop.with(func() {
		c.shop.quotes, c.shop.noQuote = nil, &protocol.NoQuote{Reason: "rate_stale", Message: "no source answers", Since: 1}
	})
	c.exchange()
	if _, ok := c.Quote(c.shop.clock.Now()); ok || c.Health().NoQuote == nil || c.Health().NoQuote.Reason != "rate_stale" {
		t.Errorf("health %+v", c.Health().NoQuote)
	}
	c.shop.with(func() { c.shop.noQuote = nil })
	c.shop.quote("0193c0de-0000-7000-8000-00000000000e", 10*time.Minute)
	c.exchange()
	if _, ok := c.Quote(c.shop.clock.Now()); !ok || c.Health().NoQuote != nil {
		t.Error("no price after the sources came back")
	}
}

func TestAPriceThatATenderUsesIsKeptForEver(t *testing.T) {
	c := paired(t)
	used := c.shop.quote("0193c0de-0000-7000-8000-000000000003", time.Minute)
	c.exchange()
	sale := c.sale(100)
	_, err := c.AddBitcoinTender(context.Background(), protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderBitcoin, Amount: eur(1), Quote: used.ID, DueSat: 1})
	must(t, err)
	c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
	idle := c.shop.quote("0193c0de-0000-7000-8000-00000000000e", time.Minute)
	c.exchange()
	c.shop.clock.advance(48 * time.Hour)
	c.exchange()
	if _, err := c.QuoteOf(context.Background(), used.ID); err != nil {
		t.Errorf("the used one: %v", err)
	}
	if _, err := c.QuoteOf(context.Background(), idle.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the idle one: %v", err)
	}
}

// payoutStates lists what the journal at the server says of payouts.
func (s *shop) payoutStates() (states []protocol.PayoutState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.journal {
		var p protocol.PayoutNoted
		if e.Kind == protocol.EntryPayout && protocol.DecodeResult(e.Body, &p) == nil {
			states = append(states, p.State)
		}
	}
	return states
}

func TestAPayoutWhoseAnswerWasLostIsAskedAbout(t *testing.T) {
	const lost = "0193c0de-0000-7000-8000-000000000005"
	for _, test := range []struct {
		name string
		cut  func(*shop)
		want protocol.PayoutState
	}{
		{"answered", func(*shop) {}, protocol.PayoutBroadcast},
		{"lost after it was done", func(s *shop) { s.cutAfter = 1 }, protocol.PayoutBroadcast},
		{"lost before it was read", func(s *shop) { s.cutBefore = 1 }, protocol.PayoutNever},
		{"refused", func(s *shop) { s.refuse = protocol.CodeNoFunds }, protocol.PayoutRefused},
		{"in conflict", func(s *shop) { s.refuse = protocol.CodeIDConflict }, protocol.PayoutNever},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := paired(t)
			c.exchange()
			c.shop.with(func() { test.cut(c.shop) })
			result, err := c.Sweep(context.Background(), protocol.Sweep{ID: lost, Keys: []protocol.Secret{protocol.NewSecret("L1")}})
			doubt, derr := c.InDoubt(context.Background())
			must(t, derr)
			switch test.want {
			case protocol.PayoutRefused:
				if !errors.Is(err, protocol.CodeNoFunds) || len(doubt) != 0 {
					t.Errorf("%v, %d in doubt", err, len(doubt))
				}
			default:
				if (err != nil) != (len(doubt) == 1) || c.Health().InDoubt != int64(len(doubt)) || err == nil && result.TxID != "aa" {
					t.Errorf("%+v, %v, %d in doubt", result, err, len(doubt))
				}
			}
			c.restart()
			c.exchange()
			got, err := c.Payouts(context.Background(), 10)
			if err != nil || len(got) != 1 || got[0].State != test.want || got[0].Of != protocol.PayoutSweep {
				t.Errorf("%+v, %v", got, err)
			}
			if states := c.shop.payoutStates(); fmt.Sprint(states) != fmt.Sprint([]protocol.PayoutState{protocol.PayoutUnknown, test.want}) {
				t.Errorf("journal %v", states)
			}
			if c.Health().InDoubt != 0 {
				t.Errorf("%d in doubt", c.Health().InDoubt)
			}
		})
	}
}

func TestARepeatedPayoutIsNeverTakenForRefused(t *testing.T) {
	c := paired(t)
	c.exchange()
	ctx := context.Background()
	p := protocol.Sweep{ID: "0193c0de-0000-7000-8000-000000000005"}
	_, err := c.Sweep(ctx, p)
	must(t, err)
	c.exchange()
	c.shop.with(func() {
		delete(c.shop.payouts, p.ID)
		c.shop.refuse = protocol.CodeTooManyRequests
	})
	if _, err := c.Sweep(ctx, p); !errors.Is(err, protocol.CodeTooManyRequests) {
		t.Errorf("repeated: %v", err)
	}
	if got, _ := c.Payouts(ctx, 1); got[0].State != protocol.PayoutBroadcast || got[0].TxID != "aa" {
		t.Errorf("%+v", got)
	}
}

func TestNoPayoutIsAskedForBeforeTheServerHasTheJournal(t *testing.T) {
	c := paired(t)
	c.exchange()
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Sweep(ctx, protocol.Sweep{ID: "0193c0de-0000-7000-8000-000000000005"})
	if !errors.Is(err, ErrOffline) || protocol.OutcomeUnknown(err) {
		t.Errorf("offline: %v", err)
	}
	if got, _ := c.Payouts(context.Background(), 1); len(got) != 0 {
		t.Errorf("it was noted: %+v", got)
	}
	c.run()
	_, err = c.Sweep(context.Background(), protocol.Sweep{ID: "0193c0de-0000-7000-8000-000000000005"})
	must(t, err)
}

func TestARefundReachesTheServerBeforeItIsPaidOut(t *testing.T) {
	c := paired(t)
	sale, refund := c.sale(100), protocol.RefundID(c.id())
	c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
	c.exchange()
	c.run()
	c.append(protocol.EntryRefund, protocol.Refund{Sale: sale, Refund: refund, Amount: eur(100), Kind: protocol.TenderBitcoin, Dispense: somePayout})
	p := protocol.Dispense{ID: somePayout, AmountSat: 1, Method: protocol.MethodAddress, Address: "a", Authcode: protocol.NewSecret("2:123456"), RefundOf: refund}
	if r, err := c.Dispense(context.Background(), p); err != nil || r.State != protocol.PayoutReserved {
		t.Errorf("%+v, %v", r, err)
	}
	if got, err := c.Payouts(context.Background(), 1); err != nil || got[0].State != protocol.PayoutReserved {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestASuspendedTerminalPaysNothingOut(t *testing.T) {
	c := paired(t)
	c.shop.with(func() { c.shop.suspended = true })
	c.exchange()
	if _, err := c.Sweep(context.Background(), protocol.Sweep{ID: somePayout}); !errors.Is(err, protocol.CodeTerminalSuspended) {
		t.Errorf("sweep: %v", err)
	}
	if got, _ := c.Payouts(context.Background(), 1); len(got) != 0 {
		t.Errorf("it was noted: %+v", got)
	}
}

func TestAPayoutUnderWayIsNotAskedAbout(t *testing.T) {
	c := paired(t)
	c.exchange()
	ctx := context.Background()
	const id = "0193c0de-0000-7000-8000-000000000005"
	must(t, c.notePayout(ctx, protocol.PayoutStatus{ID: id, Of: protocol.PayoutSweep, State: protocol.PayoutUnknown}, nil))
	c.begin(id)
	if _, err := c.Settle(ctx, id); err == nil {
		t.Error("settled while it was under way")
	}
	client, _ := c.caller()
	must(t, c.settleAll(ctx, client))
	if c.shop.poisoned[id] {
		t.Error("the id of a call under way was poisoned")
	}
	c.end(id)
	if r, err := c.Settle(ctx, id); err != nil || r.State != protocol.PayoutNever {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := c.Settle(ctx, "0193c0de-0000-7000-8000-0000000000ff"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a foreign payout: %v", err)
	}
}

func TestAnotherTerminalsPayoutIsShownAndNotAskedAbout(t *testing.T) {
	c := paired(t)
	c.shop.tell(protocol.AlertPayout, protocol.PayoutStatus{ID: "0193c0de-0000-7000-8000-000000000005", Of: protocol.PayoutDispense, State: protocol.PayoutUnknown})
	c.exchange()
	if got, err := c.Payouts(context.Background(), 1); err != nil || len(got) != 1 || c.Health().InDoubt != 0 || len(c.shop.poisoned) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
