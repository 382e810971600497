package server

import (
	"errors"
	"fmt"
	"time"

	"till/protocol"
)

// Settings are the shop's rules and words, from its configuration (cli.md).
type Settings struct {
	Shop     protocol.Shop
	Currency protocol.Currency
	Locale   string
	Zone     *time.Location // of the days that limits count
	Tax      []protocol.Tax
	TipsBP   []int64

	Acceptance        []protocol.Step // rising, the last without an amount
	Watch             time.Duration   // after first sight, in which nothing may go wrong
	PaymentWindow     time.Duration
	ToleranceSat      protocol.Sat // what may be missing: the larger of the two
	TolerancePermille int64
	MaxTipAge         time.Duration // an older tip stops zero-confirmation sales; 0 never

	QuoteLifetime time.Duration
	BuySpreadBP   int64
	SellSpreadBP  int64

	Limits     protocol.Limits
	GapLimit   int64
	OfflineMax time.Duration
	Poll       time.Duration // between idle check-ins
	FeeFloor   FeeRate       // least of a payout
	FeeCeiling FeeRate       // above it a payout is refused
	FeeTarget  int           // blocks within which a payout should be mined

	PublicHost string   // HOST:PORT that pairing links name unless told otherwise
	Hosts      []string // names and addresses the server certificate always holds

	MerchantURL string // where customers' wallets find the shop, http://HOST:PORT
}

// Defaults are the settings of a shop that configured nothing (cli.md).
func Defaults(c protocol.Currency) Settings {
	money := func(whole int64) *protocol.Money {
		for range c.Exponent() {
			whole *= 10
		}
		return &protocol.Money{Currency: c, Minor: whole}
	}
	return Settings{
		Currency: c, Locale: "en-IE", Zone: time.UTC, TipsBP: []int64{500, 1000, 1500},
		Acceptance: []protocol.Step{{UpTo: money(50)}, {UpTo: money(1000), Confirmations: 1}, {Confirmations: 3}},
		Watch:      3 * time.Second, PaymentWindow: 15 * time.Minute, MaxTipAge: 90 * time.Minute,
		QuoteLifetime: 10 * time.Minute, SellSpreadBP: 200,
		Limits:   protocol.Limits{PerPayout: money(200), PerTerminalDay: money(500), PerUserDay: money(500), ShopDay: money(2000)},
		GapLimit: 1000, OfflineMax: 24 * time.Hour, Poll: protocol.MinPoll * time.Second,
		FeeFloor: 1000, FeeCeiling: 500_000, FeeTarget: 6,
		PublicHost: "127.0.0.1:8443", Hosts: []string{"localhost", "127.0.0.1", "::1"},
	}
}

// Check tells what is wrong with the settings.
func (s Settings) Check() error {
	var faults []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	must(s.Currency.Valid(), "currency %q is not an ISO 4217 code", s.Currency)
	must(s.Zone != nil, "the time zone is missing")
	must(len(s.Acceptance) > 0 && s.Acceptance[len(s.Acceptance)-1].UpTo == nil, "the last acceptance step must have no amount")
	for i, step := range s.Acceptance {
		must(step.Confirmations >= 0 && step.Confirmations <= 100, "acceptance step %d asks for %d confirmations", i+1, step.Confirmations)
		if i == len(s.Acceptance)-1 {
			break
		}
		must(step.UpTo != nil && step.UpTo.Currency == s.Currency, "acceptance step %d needs an amount in %s", i+1, s.Currency)
		if next := s.Acceptance[i+1]; step.UpTo != nil && next.UpTo != nil {
			must(step.UpTo.Minor < next.UpTo.Minor, "acceptance step %d must be above step %d", i+2, i+1)
		}
	}
	must(s.Watch >= 0, "the watch time is negative")
	must(s.PaymentWindow >= time.Minute, "the payment window is shorter than a minute")
	must(s.ToleranceSat.Valid() && s.TolerancePermille >= 0 && s.TolerancePermille < 1000, "the tolerance is out of range")
	must(s.QuoteLifetime >= time.Minute, "the quote lifetime is shorter than a minute")
	must(s.BuySpreadBP >= 0 && s.BuySpreadBP < 10000 && s.SellSpreadBP >= 0 && s.SellSpreadBP < 10000, "a spread is out of range")
	must(s.GapLimit > 0, "the gap limit is not positive")
	must(s.OfflineMax > 0, "the offline limit is not positive")
	must(s.Poll >= protocol.MinPoll*time.Second && s.Poll <= protocol.MaxPoll*time.Second, "the poll time is not 15 to 60 seconds")
	must(s.FeeFloor > 0 && s.FeeCeiling >= s.FeeFloor && s.FeeTarget > 0, "the fee bounds are out of order")
	return errors.Join(faults...)
}
