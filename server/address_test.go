package server_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// leases asks for addresses and gives them as listed.
func (t *till) leases(p protocol.GetAddress) ([]string, bool) {
	t.t.Helper()
	r, err := t.GetAddress(context.Background(), t.id, p)
	if err != nil {
		t.t.Fatal(err)
	}
	texts := []string{}
	for _, a := range r.Addresses {
		texts = append(texts, a.Address)
	}
	return texts, r.Short
}

func TestLeasesAreRepeatableAndNobodyElses(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	one, two := shop.pair("one", false), shop.pair("two", false)
	r := one.lease(20)
	if len(r.Addresses) != 20 || r.Short || r.Addresses[0].Path != "84'/1'/0'/0/0" || r.Addresses[0].Leased != shop.clock() {
		t.Fatalf("leased %+v", r)
	}
	again, _ := one.leases(protocol.GetAddress{Want: 20})
	if !slices.Equal(again, one.addresses) {
		t.Error("asking again gave others")
	}
	if fewer, _ := one.leases(protocol.GetAddress{Want: 3}); len(fewer) != 20 {
		t.Errorf("wanting fewer gave %d", len(fewer))
	}
	more, _ := one.leases(protocol.GetAddress{Want: 22, Held: one.addresses})
	if len(more) != 22 || slices.Contains(one.addresses, more[0]) || slices.Contains(one.addresses, more[1]) || more[2] != one.addresses[0] {
		t.Errorf("those not held do not come first: %v", more)
	}
	for _, a := range two.addresses {
		if slices.Contains(more, a) {
			t.Errorf("%s is leased to both", a)
		}
	}
	d := one.sell(500)
	if after, _ := one.leases(protocol.GetAddress{Want: 20}); slices.Contains(after, d.address) || len(after) != 21 {
		t.Errorf("after a tender: %d addresses", len(after))
	}
}

func TestReleasedAddressesRestADay(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	one, two := shop.pair("one", false), shop.pair("two", false)
	named, paid, free := one.addresses[0], one.addresses[1], one.addresses[2]
	one.write("address_printed", map[string]string{"text": "bitcoin:" + named})
	shop.pay(paid, 5000)
	one.untilIncoming(paid, 0)
	left, _ := one.leases(protocol.GetAddress{Release: []string{named, paid, free, two.addresses[0], "nonsense"}})
	if slices.Contains(left, free) || !slices.Contains(left, named) || !slices.Contains(left, paid) || len(left) != 19 {
		t.Fatalf("after the release: %v", left)
	}
	shop.pass(24*time.Hour - time.Second)
	if got, _ := two.leases(protocol.GetAddress{Want: 21}); slices.Contains(got, free) {
		t.Fatal("leased again within a day")
	}
	shop.pass(time.Second)
	if got, _ := two.leases(protocol.GetAddress{Want: 22}); !slices.Contains(got, free) {
		t.Fatal("not leased again after a day")
	}
}

func TestReleasedAddressThatIsPaidAfterAllNeverComesBack(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	one := shop.pair("one", false)
	free := one.addresses[0]
	one.addresses = one.addresses[1:]
	one.leases(protocol.GetAddress{Release: []string{free}})
	shop.pay(free, 5000)
	settled(t, "the payment is seen", func() (seen bool) {
		err := shop.db.Read(context.Background(), func(tx *server.Tx) error {
			a, err := tx.Addresses.Get(free)
			seen = err == nil && a.Seen
			return err
		})
		return err == nil && seen
	})
	shop.pass(25 * time.Hour)
	if got, _ := one.leases(protocol.GetAddress{Want: 30}); slices.Contains(got, free) {
		t.Fatal("an address that was paid was leased again")
	}
}

func TestGapLimitCountsFromTheLastPaidIndex(t *testing.T) {
	t.Parallel()
	shop := openShop(t, func(s *server.Settings) { s.GapLimit = 25 })
	one := shop.pair("one", false)
	got, short := one.leases(protocol.GetAddress{Want: 40})
	if len(got) != 25 || !short {
		t.Fatalf("%d addresses, short %v", len(got), short)
	}
	shop.pay(got[9], 5000)
	one.untilIncoming(got[9], 0)
	if got, _ := one.leases(protocol.GetAddress{Want: 40}); len(got) != 25 {
		t.Fatalf("an unconfirmed payment moved the limit: %d addresses", len(got))
	}
	shop.mine(1)
	one.untilIncoming(got[9], 1)
	got, short = one.leases(protocol.GetAddress{Want: 40})
	if len(got) != 35 || !short {
		t.Fatalf("%d addresses, short %v", len(got), short)
	}
}

func TestGetAddressRefusesWhatIsOutOfRange(t *testing.T) {
	t.Parallel()
	one := openShop(t, nil).pair("one", false)
	for member, p := range map[string]protocol.GetAddress{
		"want":    {Want: 101},
		"held":    {Held: make([]string, 10_001)},
		"release": {Release: make([]string, 10_001)},
	} {
		_, err := one.GetAddress(context.Background(), one.id, p)
		if e := wants(t, err, protocol.CodeInvalidParams, -1); e.Member != member {
			t.Errorf("member %q, want %q", e.Member, member)
		}
	}
}

func TestQueryTellsConfirmedPendingAndContested(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	ctx := context.Background()
	forms, err := shop.wallet.KeyForms(protocol.NewSecret("cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47"))
	if err != nil {
		t.Fatal(err)
	}
	var addresses []string
	for _, f := range forms {
		addresses = append(addresses, f.Text)
	}
	shop.pay(addresses[0], 100_000)
	shop.pay(addresses[1], 50_000)
	shop.mine(1)
	shop.pay(addresses[1], 7_000)
	r, err := shop.QueryAddress(ctx, till.id, protocol.QueryAddress{Addresses: append(addresses, addresses[0])})
	if err != nil {
		t.Fatal(err)
	}
	if r.ConfirmedSat != 150_000 || *r.PendingSat != 7_000 || r.ContestedSat != 0 || r.Funds[1].Outputs != 2 || len(r.Funds) != len(addresses)+1 {
		t.Fatalf("%+v", r)
	}
	if r.SweepFeeSat <= 0 || r.UsableSat != r.ConfirmedSat-r.SweepFeeSat {
		t.Errorf("fee %d, usable %d", r.SweepFeeSat, r.UsableSat)
	}
	_, err = shop.QueryAddress(ctx, till.id, protocol.QueryAddress{Addresses: []string{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}})
	wants(t, err, protocol.CodeWrongNetwork, -1)
	_, err = shop.QueryAddress(ctx, till.id, protocol.QueryAddress{})
	wants(t, err, protocol.CodeInvalidParams, -1)
	shop.chain.NodeDown(true)
	_, err = shop.QueryAddress(ctx, till.id, protocol.QueryAddress{Addresses: addresses[:1]})
	wants(t, err, protocol.CodeChainUnavailable, -1)
}

func TestQuotesHoldTenMinutesAndStopWithTheRate(t *testing.T) {
	t.Parallel()
	shop := openShop(t, func(s *server.Settings) { s.BuySpreadBP, s.SellSpreadBP = 100, 302 })
	till := shop.pair("main", false)
	q := till.quote
	if q.Buy != 5_754_221 || q.Sell != 5_987_878 || q.Until.Sub(q.At) != 10*time.Minute || q.Verify(till.config.QuoteKeys) != nil {
		t.Fatalf("quote %+v", q)
	}
	shop.rates.set(0)
	if r := till.sync(); len(r.Quotes) != 0 || r.NoQuote == nil || r.NoQuote.Reason != "rate_stale" {
		t.Fatalf("without a rate %+v", r)
	}
	if err := shop.Requote(context.Background()); err != nil {
		t.Fatal(err)
	}
	till.until("prices stop", 0, func(a protocol.Alert) bool { return a.Kind == protocol.AlertRateStale })
	shop.rates.set(practiceRate)
	if r := till.sync(); len(r.Quotes) != 1 || r.NoQuote != nil {
		t.Fatalf("with a rate again %+v", r)
	}
	if err := shop.Requote(context.Background()); err != nil {
		t.Fatal(err)
	}
	till.until("prices are back", 0, func(a protocol.Alert) bool { return a.Kind == protocol.AlertQuote })
}

func TestQuoteIsRenewedEachMinuteAndWithTheRate(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	ids := []protocol.QuoteID{till.quote.ID}
	for _, step := range []struct {
		pass  time.Duration
		rate  protocol.Rate
		fresh bool
	}{{30 * time.Second, practiceRate, false}, {30 * time.Second, practiceRate, true}, {time.Second, practiceRate + 1, true}, {11 * time.Minute, practiceRate, true}} {
		shop.now.Add(step.pass.Milliseconds()) // without a word to the timers
		shop.rates.set(step.rate)
		if err := shop.Requote(context.Background()); err != nil {
			t.Fatal(err)
		}
		till.sync()
		if fresh := till.quote.ID != ids[len(ids)-1]; fresh != step.fresh {
			t.Errorf("after %s at %d: a new quote %v, want %v", step.pass, step.rate, fresh, step.fresh)
		}
		ids = append(ids, till.quote.ID)
	}
	var stored *protocol.Quote
	err := shop.db.Read(context.Background(), func(tx *server.Tx) (err error) {
		stored, err = tx.Quotes.Get(ids[0])
		return err
	})
	if err != nil || fmt.Sprint(stored.Sources) == "[]" {
		t.Fatalf("the first quote is not kept: %+v, %v", stored, err)
	}
}
