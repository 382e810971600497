package server

import (
	"slices"
	"testing"
	"time"

	"till/protocol"
)

const noon protocol.Time = 1_700_000_000_000

// pays is a payment seen a minute after noon unless edit says otherwise.
func pays(amount protocol.Sat, edit func(*SeenPayment)) *SeenPayment {
	p := &SeenPayment{Payment: Payment{TxID: "tx", Amount: amount, FeeRate: 14_000}, FirstSeen: noon.Add(time.Minute)}
	if edit != nil {
		edit(p)
	}
	return p
}

func in(height int64) func(*SeenPayment) { return func(p *SeenPayment) { p.Height = height } }

func TestJudgementOfOneTender(t *testing.T) {
	t.Parallel()
	late := func(p *SeenPayment) { p.FirstSeen = noon.Add(16 * time.Minute) }
	gone := func(p *SeenPayment) { p.Gone = true }
	contested := func(p *SeenPayment) { p.Conflict = true }
	seen := func(p *SeenPayment) { p.FirstSeen = noon.Add(2*time.Minute - time.Second) }
	cases := map[string]struct {
		pays     []*SeenPayment
		edit     func(*Tender)
		view     func(*view)
		said     string
		now      time.Duration
		state    protocol.SaleState
		reason   string
		flags    []protocol.Flag
		consumed protocol.Sat
	}{
		"nothing yet":                     {state: protocol.SaleOpen, reason: "unpaid"},
		"nothing in time":                 {now: 15*time.Minute + time.Millisecond, state: protocol.SaleExpired, reason: "expired"},
		"nothing at the last moment":      {now: 15 * time.Minute, state: protocol.SaleOpen, reason: "unpaid"},
		"paid":                            {pays: []*SeenPayment{pays(1000, nil)}, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 1000},
		"paid in two":                     {pays: []*SeenPayment{pays(400, nil), pays(600, nil)}, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 1000},
		"watched":                         {pays: []*SeenPayment{pays(1000, seen)}, state: protocol.SaleSeen, reason: "watching", consumed: 1000},
		"asked for just before":           {pays: []*SeenPayment{pays(1000, nil)}, view: func(v *view) { v.fresh = false }, state: protocol.SaleSeen, reason: "watching", consumed: 1000},
		"node behind":                     {pays: []*SeenPayment{pays(1000, nil)}, view: func(v *view) { v.behind = true }, state: protocol.SaleSeen, reason: "node_behind", consumed: 1000},
		"fee floor not known":             {pays: []*SeenPayment{pays(1000, nil)}, view: func(v *view) { v.floor = 0 }, state: protocol.SaleSeen, reason: "fee_unknown", consumed: 1000},
		"fee too low":                     {pays: []*SeenPayment{pays(1000, nil)}, view: func(v *view) { v.floor = 14_001 }, state: protocol.SaleSeen, reason: "fee_low", consumed: 1000},
		"fee too low in one of two":       {pays: []*SeenPayment{pays(400, nil), pays(600, func(p *SeenPayment) { p.FeeRate = 999 })}, state: protocol.SaleSeen, reason: "fee_low", consumed: 1000},
		"contested":                       {pays: []*SeenPayment{pays(1000, contested)}, state: protocol.SaleSeen, reason: "conflict", flags: []protocol.Flag{"conflict"}, consumed: 1000},
		"contested but enough without it": {pays: []*SeenPayment{pays(1000, nil), pays(5, contested)}, state: protocol.SaleAccepted, reason: "zero_confirmations", flags: []protocol.Flag{"conflict"}, consumed: 1000},
		"accepted before the fees rose":   {pays: []*SeenPayment{pays(1000, nil)}, edit: func(t *Tender) { t.Accepted = noon }, view: func(v *view) { v.floor = 99_000 }, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 1000},
		"accepted before the node lagged": {pays: []*SeenPayment{pays(1000, nil)}, edit: func(t *Tender) { t.Accepted = noon }, view: func(v *view) { v.behind = true }, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 1000},
		"accepted and then contested":     {pays: []*SeenPayment{pays(1000, contested)}, edit: func(t *Tender) { t.Accepted = noon }, state: protocol.SaleSeen, reason: "conflict", flags: []protocol.Flag{"conflict"}, consumed: 1000},
		"one block deep":                  {pays: []*SeenPayment{pays(1000, in(100))}, state: protocol.SaleAccepted, reason: "confirmations", consumed: 1000},
		"as deep as the highest step":     {pays: []*SeenPayment{pays(1000, in(98))}, state: protocol.SaleConfirmed, reason: "confirmations", consumed: 1000},
		"a crumb after it was deep":       {pays: []*SeenPayment{pays(1000, in(90)), pays(1, nil)}, state: protocol.SaleConfirmed, reason: "confirmations", consumed: 1000},
		"in a block beyond the tip":       {pays: []*SeenPayment{pays(1000, in(101))}, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 1000},
		"needs a confirmation":            {pays: []*SeenPayment{pays(1000, nil)}, edit: func(t *Tender) { t.Steps = 1 }, state: protocol.SaleSeen, reason: "unconfirmed", consumed: 1000},
		"reorganised below its step":      {pays: []*SeenPayment{pays(1000, nil)}, edit: func(t *Tender) { t.Steps, t.Accepted = 1, noon }, state: protocol.SaleSeen, reason: "unconfirmed", consumed: 1000},
		"underpaid":                       {pays: []*SeenPayment{pays(989, nil)}, state: protocol.SaleSeen, reason: "underpaid", flags: []protocol.Flag{"underpaid"}, consumed: 989},
		"within the tolerance":            {pays: []*SeenPayment{pays(990, nil)}, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 990},
		"above within the tolerance":      {pays: []*SeenPayment{pays(1010, nil)}, state: protocol.SaleAccepted, reason: "zero_confirmations", consumed: 1000},
		"overpaid":                        {pays: []*SeenPayment{pays(1011, nil)}, state: protocol.SaleAccepted, reason: "zero_confirmations", flags: []protocol.Flag{"overpaid"}, consumed: 1000},
		"late":                            {pays: []*SeenPayment{pays(1000, late)}, now: 20 * time.Minute, state: protocol.SaleSeen, reason: "late", flags: []protocol.Flag{"late"}},
		"late and taken":                  {pays: []*SeenPayment{pays(1000, late)}, said: "paid", now: 20 * time.Minute, state: protocol.SaleAccepted, reason: "zero_confirmations", flags: []protocol.Flag{"late"}, consumed: 1000},
		"half of it late":                 {pays: []*SeenPayment{pays(500, nil), pays(500, late)}, now: 20 * time.Minute, state: protocol.SaleSeen, reason: "late", flags: []protocol.Flag{"late"}, consumed: 500},
		"paid, and more came late":        {pays: []*SeenPayment{pays(1000, nil), pays(500, late)}, now: 20 * time.Minute, state: protocol.SaleAccepted, reason: "zero_confirmations", flags: []protocol.Flag{"overpaid", "late"}, consumed: 1000},
		"gone":                            {pays: []*SeenPayment{pays(1000, gone)}, edit: func(t *Tender) { t.Replaced = true }, state: protocol.SaleOpen, reason: "unpaid", flags: []protocol.Flag{"replaced"}},
		"gone and paid anew":              {pays: []*SeenPayment{pays(1000, gone), pays(1000, nil)}, edit: func(t *Tender) { t.Replaced = true }, state: protocol.SaleSeen, reason: "replaced", flags: []protocol.Flag{"replaced"}, consumed: 1000},
		"gone, paid anew and in a block":  {pays: []*SeenPayment{pays(1000, gone), pays(1000, in(100))}, edit: func(t *Tender) { t.Replaced = true }, state: protocol.SaleAccepted, reason: "replaced", flags: []protocol.Flag{"replaced"}, consumed: 1000},
		"removed":                         {pays: []*SeenPayment{pays(1000, nil)}, edit: func(t *Tender) { t.Removed = true }, state: protocol.SaleAccepted, reason: "zero_confirmations"},
		"void":                            {pays: []*SeenPayment{pays(1000, nil)}, edit: func(t *Tender) { t.Refused = "quote_unknown" }, state: protocol.SaleAccepted, reason: "zero_confirmations"},
		"of a cancelled sale":             {pays: []*SeenPayment{pays(1000, nil)}, said: "cancelled", state: protocol.SaleAccepted, reason: "zero_confirmations"},
	}
	rules := Defaults("EUR")
	rules.ToleranceSat, rules.TolerancePermille = 3, 10
	for name, c := range cases {
		tender := &Tender{Kind: protocol.TenderBitcoin, DueSat: 1000, Ends: noon.Add(15 * time.Minute)}
		if c.edit != nil {
			c.edit(tender)
		}
		v := view{tip: Tip{Height: 100}, floor: 1000, fresh: true}
		if c.view != nil {
			c.view(&v)
		}
		now := noon.Add(2 * time.Minute)
		if c.now != 0 {
			now = noon.Add(c.now)
		}
		f := rules.judge(tender, c.pays, c.said, v, now)
		if f.state != c.state || f.reason != c.reason || !slices.Equal(f.flags, c.flags) || f.consumed != c.consumed {
			t.Errorf("%s: %s %s %v consumed %d; want %s %s %v %d", name, f.state, f.reason, f.flags, f.consumed, c.state, c.reason, c.flags, c.consumed)
		}
		if f.message == "" {
			t.Errorf("%s: no sentence", name)
		}
		if accept := f.state.Rank() >= protocol.SaleAccepted.Rank() && f.reason != "replaced"; (f.verdict == protocol.VerdictAccept) != accept {
			t.Errorf("%s: %s with verdict %s", name, f.state, f.verdict)
		}
	}
}

func TestSentencesNameTheFacts(t *testing.T) {
	t.Parallel()
	rules := Defaults("EUR")
	v := view{tip: Tip{Height: 100}, floor: 20_500, fresh: true}
	tender := &Tender{Kind: protocol.TenderBitcoin, DueSat: 5000, Ends: noon.Add(15 * time.Minute)}
	for want, f := range map[string]findings{
		"the fee of 14 sat/vB is below the 20.5 sat/vB of the next hour: wait for a confirmation": rules.judge(tender, []*SeenPayment{pays(5000, nil)}, "", v, noon),
		"0.00003 BTC are missing":                                              rules.judge(tender, []*SeenPayment{pays(2000, nil)}, "", v, noon),
		"1 confirmation as this amount asks: the goods may go":                 rules.judge(tender, []*SeenPayment{pays(5000, in(100))}, "", v, noon),
		"2 confirmations as this amount asks: the goods may go":                rules.judge(tender, []*SeenPayment{pays(5000, in(99))}, "", v, noon),
		"fee 14 sat/vB, no conflict, under the 50 EUR limit: the goods may go": rules.judge(tender, []*SeenPayment{pays(5000, nil)}, "", view{tip: v.tip, floor: 1, fresh: true}, noon.Add(2*time.Minute)),
	} {
		if f.message != want {
			t.Errorf("%q, want %q", f.message, want)
		}
	}
}

func TestSpreadIsInTheShopsFavour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate protocol.Rate
		bp   int64
		up   bool
		want protocol.Rate
	}{
		{5_812_345, 0, false, 5_812_345}, {5_812_345, 0, true, 5_812_345},
		{10_001, 1, false, 9_999}, {10_001, 1, true, 10_003}, {1, 9_999, true, 2},
	} {
		if got, err := spread(c.rate, c.bp, c.up); err != nil || got != c.want {
			t.Errorf("%d by %d: %d, %v; want %d", c.rate, c.bp, got, err, c.want)
		}
	}
	for _, c := range []struct {
		rate protocol.Rate
		bp   int64
		up   bool
	}{{0, 0, true}, {1, 9_999, false}, {protocol.MaxMinor, 1, true}, {-1, 0, false}} {
		if got, err := spread(c.rate, c.bp, c.up); err == nil {
			t.Errorf("%d by %d up %v gives %d", c.rate, c.bp, c.up, got)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	if err := Defaults("JPY").Check(); err != nil {
		t.Fatal(err)
	}
	up := func(minor int64) *protocol.Money { return &protocol.Money{Currency: "EUR", Minor: minor} }
	for name, edit := range map[string]func(*Settings){
		"currency":          func(s *Settings) { s.Currency = "euro" },
		"no steps":          func(s *Settings) { s.Acceptance = nil },
		"last step bounded": func(s *Settings) { s.Acceptance = s.Acceptance[:1] },
		"steps fall":        func(s *Settings) { s.Acceptance = []protocol.Step{{UpTo: up(2)}, {UpTo: up(1)}, {}} },
		"step in dollars":   func(s *Settings) { s.Acceptance[0].UpTo.Currency = "USD" },
		"negative":          func(s *Settings) { s.Acceptance[0].Confirmations = -1 },
		"zone":              func(s *Settings) { s.Zone = nil },
		"window":            func(s *Settings) { s.PaymentWindow = time.Second },
		"lifetime":          func(s *Settings) { s.QuoteLifetime = 0 },
		"spread":            func(s *Settings) { s.BuySpreadBP = 10_000 },
		"tolerance":         func(s *Settings) { s.TolerancePermille = 1000 },
		"gap":               func(s *Settings) { s.GapLimit = 0 },
		"offline":           func(s *Settings) { s.OfflineMax = 0 },
		"poll":              func(s *Settings) { s.Poll = time.Second },
		"fees":              func(s *Settings) { s.FeeCeiling = s.FeeFloor - 1 },
		"watch":             func(s *Settings) { s.Watch = -1 },
	} {
		s := Defaults("EUR")
		edit(&s)
		if s.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
}
