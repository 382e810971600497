package server_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the shop's zone, wherever the test runs

	"till/protocol"
	"till/server"
)

// crowd makes n dispenses of 10 EUR, each approved by a PIN code of its own.
func (b *bank) crowd(n int) []protocol.Dispense {
	b.t.Helper()
	model := b.coins(1000)
	all := make([]protocol.Dispense, n)
	for i := range all {
		p := model
		p.ID = protocol.PayoutID(newID(b.t))
		p.Authcode = protocol.NewSecret(b.pin("2", p, int64(b.clock())/1000/30))
		all[i] = p
	}
	return all
}

// rush dispenses all at once, calling each after it began; what is refused must
// be beyond the limit.
func (b *bank) rush(all []protocol.Dispense, each func(i int)) {
	b.t.Helper()
	var calls sync.WaitGroup
	for i, p := range all {
		calls.Go(func() {
			if _, err := b.dispense(p); err != nil && !errors.Is(err, protocol.CodeLimitExceeded) {
				b.t.Error(err)
			}
		})
		if each != nil {
			each(i)
		}
	}
	calls.Wait()
}

// used is what the limits of a day count.
func (b *bank) used(day string) protocol.Sat {
	b.t.Helper()
	var used server.PayoutSums
	err := b.db.Read(context.Background(), func(tx *server.Tx) (err error) {
		used, err = tx.Payouts.Limits().OfShop(day)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return used.Sat
}

// crowdLimit lets some twenty payouts of 10 EUR through.
const crowdLimit protocol.Sat = 400_000

func openCrowd(t *testing.T, edit func(*server.Settings)) *bank {
	t.Helper()
	b := openBank(t, func(s *server.Settings) {
		much, most := eur(1_000_000), crowdLimit
		s.Limits = protocol.Limits{PinApproval: &much, PinApprovalDay: &much, ShopDaySat: &most}
		if edit != nil {
			edit(s)
		}
	})
	b.fill(slices.Repeat([]protocol.Sat{50_000}, 60)...)
	return b
}

func TestFiftyDispensesAtOnceFillTheLimitAndNoMore(t *testing.T) {
	t.Parallel()
	b := openCrowd(t, nil)
	all := b.crowd(50)
	b.rush(all, nil)
	day := b.clock().Time().Format("2006-01-02")
	used := b.used(day)
	if one := all[0].AmountSat + 2000; used > crowdLimit || used < crowdLimit-one {
		t.Fatalf("%d of %d used", used, crowdLimit)
	}
	b.rush(all, nil) // those that came through give what they gave
	if again := b.used(day); again != used {
		t.Fatalf("%d used, then %d", used, again)
	}
}

// TestMidnightInTheMiddleOfARushOpensOneNewDay moves the clock over the shop's
// midnight while fifty ask.
func TestMidnightInTheMiddleOfARushOpensOneNewDay(t *testing.T) {
	t.Parallel()
	b := openCrowd(t, nil)
	start := time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC)
	b.pass(start.Sub(b.clock().Time()))
	all := b.crowd(50) // half a minute later
	b.rush(all, func(i int) {
		if i == 25 {
			b.pass(30 * time.Second)
		}
	})
	b.rush(all, nil)
	for _, day := range []string{"2026-11-22", "2026-11-23"} {
		if used := b.used(day); used > crowdLimit {
			t.Errorf("%d used on %s", used, day)
		}
	}
	if used := b.used("2026-11-23"); used == 0 {
		t.Error("nothing was paid after midnight")
	}
}

// TestADayOfTheLimitsIsADayOfTheShop has the 23 and the 25 hours of the days on
// which Vienna changes its clocks.
func TestADayOfTheLimitsIsADayOfTheShop(t *testing.T) {
	t.Parallel()
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	b := openBank(t, func(s *server.Settings) {
		most := eur(1900)
		s.Zone, s.Limits = vienna, protocol.Limits{ShopDay: &most}
	})
	for _, c := range []struct {
		at    time.Time
		fresh bool
	}{
		{time.Date(2027, 3, 27, 22, 30, 0, 0, time.UTC), true},  // 23:30 of the 27th
		{time.Date(2027, 3, 27, 23, 30, 0, 0, time.UTC), true},  // 0:30 of the 28th
		{time.Date(2027, 3, 28, 21, 30, 0, 0, time.UTC), false}, // 23:30 of it, in summer
		{time.Date(2027, 3, 28, 22, 30, 0, 0, time.UTC), true},  // 23 hours after the first
		{time.Date(2027, 10, 30, 22, 30, 0, 0, time.UTC), true}, // 0:30 of the 31st
		{time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC), false}, // 2:30
		{time.Date(2027, 10, 31, 1, 30, 0, 0, time.UTC), false}, // 2:30 again
		{time.Date(2027, 10, 31, 22, 30, 0, 0, time.UTC), false},
		{time.Date(2027, 10, 31, 23, 30, 0, 0, time.UTC), true},
	} {
		b.pass(c.at.Add(-30 * time.Second).Sub(b.clock().Time()))
		_, err := b.dispense(b.coins(1000))
		if c.fresh && err != nil || !c.fresh && !errors.Is(err, protocol.CodeLimitExceeded) {
			t.Errorf("at %s: %v", c.at.In(vienna), err)
		}
	}
}

// TestTheTerminalIsToldWhatTheDayLeaves: the least of its own limit and the shop's.
func TestTheTerminalIsToldWhatTheDayLeaves(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) {
		terminal, shop := eur(5000), eur(8000)
		s.Limits = protocol.Limits{PerTerminalDay: &terminal, ShopDay: &shop}
	})
	left := func(t *till) int64 {
		t.t.Helper()
		r, err := t.checkIn(protocol.CheckIn{})
		if err != nil || r.PayoutLeft == nil || r.PayoutLeft.Currency != "EUR" {
			t.t.Fatalf("%+v, %v", r, err)
		}
		return r.PayoutLeft.Minor
	}
	other := b.shop.pair("other", false)
	if got := left(b.till); got != 5000 {
		t.Errorf("%d are left at the start", got)
	}
	b.dispensed(b.coins(4000))
	if here, there := left(b.till), left(other); here >= 1000 || here < 900 || there >= 4000 || there < 3900 {
		t.Errorf("%d are left here, %d there", here, there)
	}
	b.pass(24 * time.Hour)
	if here, there := left(b.till), left(other); here != 5000 || there != 5000 {
		t.Errorf("on the next day %d here, %d there", here, there)
	}
}
