package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
	"till/protocol"
)

// rushSales is how many sales a lunch rush has; TILL_RUSH=200 plays the whole one.
const rushSales = 24

// TestALunchRush plays sales of all kinds on two terminals of one shop, with the
// network cut in the middle, then closes both shifts. What the screens, the
// papers, the terminals, the server's reports and its export say of it is the
// same, to the cent and the satoshi.
func TestALunchRush(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole shop")
	}
	n, seed := rushSales, uint64(1)
	if v := os.Getenv("TILL_RUSH"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d sales, seed %d", n, seed)
	r := newRush(seed)
	r.play(n)
	file := filepath.Join(t.TempDir(), "rush.story")
	if err := os.WriteFile(file, r.text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	program := tillProgram(t)
	checked := false
	results, err := story.Play(t.Context(), story.Options{
		Open: func(context.Context) (*story.Shop, error) {
			shop, err := openStage(program, staging{command: []string{"practice"}})
			if err != nil {
				return nil, err
			}
			stage := shop.Program.(*stage)
			shop.Books = audited{shop.Books, func() {
				r.compare(t, stage)
				checked = true
			}}
			return shop, nil
		},
		Now: time.Now, Out: t.Output(), Shots: t.TempDir(),
	}, []string{file})
	if err != nil {
		t.Fatal(err)
	}
	if !results[0].Held {
		_ = story.Report(t.Output(), results) // the log of a test takes all
		t.Fatal(results[0].Failure)
	}
	if !checked {
		t.Fatal("nothing was compared")
	}
}

// audited are books that are compared when the story verifies the journal of the
// first terminal, at its end: the programs still run.
type audited struct {
	story.Books
	compare func()
}

func (a audited) VerifyJournal(ctx context.Context) error {
	a.compare()
	return a.Books.VerifyJournal(ctx)
}

// rush writes a story and adds up what it sells.
type rush struct {
	dice *rand.Rand
	text bytes.Buffer
	at   string // the terminal that statements speak of
	sums map[string]*takings
	tip  int64 // of the present sale
	off  int64 // discount in it
}

// takings are what a terminal should have taken.
type takings struct {
	sales, total, tips, discounts, discounted, cancelled int64
	tenders                                              map[protocol.TenderKind]*protocol.TenderSum
	refunds                                              protocol.Sum
	drawer                                               int64
}

// practiceRate is what a bitcoin costs in a practice shop, in cents.
const practiceRate protocol.Rate = 5812345

func newRush(seed uint64) *rush {
	r := &rush{dice: rand.New(rand.NewPCG(seed, 1)), sums: map[string]*takings{}}
	for _, name := range []string{"main", "second"} {
		r.sums[name] = &takings{tenders: map[protocol.TenderKind]*protocol.TenderSum{}}
	}
	return r
}

// say writes statements for the terminal.
func (r *rush) say(statements ...string) {
	for _, s := range statements {
		if r.at != "main" {
			s = "on " + r.at + ": " + s
		}
		r.text.WriteString(s + "\n")
	}
}

func (r *rush) play(n int) {
	r.text.WriteString("patience 60s\n")
	for i := range n {
		r.at = []string{"main", "second"}[i%2]
		offline := r.at == "second" && i > n/3 && i < 2*n/3
		if i == n/3+n/3%2+1 {
			r.at = "second"
			r.say("pull network")
			r.at = []string{"main", "second"}[i%2]
		}
		if i == 2*n/3 {
			at := r.at
			r.at = "second"
			r.say("plug network", `see /server (now|[0-9])/ in health`)
			r.at = at
		}
		r.sell(i, offline)
	}
	for _, r.at = range []string{"second", "main"} {
		r.say(`see "sent all" in health`)
		r.closeShift()
	}
	r.at = "second"
	r.say("journal verify")
	r.at = "main"
	r.say("journal verify")
}

// sell is one sale of a kind that the dice choose; without a network only what
// needs none.
func (r *rush) sell(i int, offline bool) {
	s := r.sums[r.at]
	amount := 100 + r.dice.Int64N(4000)
	r.tip, r.off = 0, 0
	r.say("ring " + decimal(amount))
	total := amount
	switch r.dice.IntN(6) {
	case 0:
		tip := 10 + r.dice.Int64N(200)
		r.say(fmt.Sprintf(`type "%d"`, tip), "do tip")
		total, r.tip = total+tip, tip
	case 1:
		off := (2*amount*10 + 100) / 200
		r.say(`type "10"`, "do discount")
		total, r.off = total-off, off
	}
	r.say("do pay")
	kinds := []func(*takings, int64){r.exact, r.change, r.card, r.cardAndCash}
	if !offline {
		kinds = append(kinds, r.bitcoin, r.bitcoin, r.cardAndBitcoin, r.cashAndBitcoin, r.givenUp)
	}
	kinds[(i/2+r.dice.IntN(2))%len(kinds)](s, total)
}

// took notes a tender.
func (s *takings) took(kind protocol.TenderKind, minor int64) {
	if s.tenders[kind] == nil {
		s.tenders[kind] = &protocol.TenderSum{Kind: kind, Amount: euro(0)}
	}
	sum := s.tenders[kind]
	sum.Count++
	sum.Amount.Minor += minor
	switch kind {
	case protocol.TenderCash:
		s.drawer += minor
	case protocol.TenderBitcoin:
		sat, err := practiceRate.Charge(minor)
		if err != nil {
			panic(err)
		}
		sum.Sat += sat
	}
}

// done is a sale that was paid.
func (r *rush) done(s *takings, total int64) {
	s.sales++
	s.total += total
	s.tips += r.tip
	if r.off > 0 {
		s.discounts++
		s.discounted += r.off
	}
	r.say(`see "PAID"`, "do acknowledge")
}

func (r *rush) exact(s *takings, total int64) {
	r.say("do tender.cash", "do next")
	s.took(protocol.TenderCash, total)
	r.done(s, total)
	if r.dice.IntN(3) > 0 {
		return
	}
	// It comes back: a manager agrees.
	r.say("do sales", "do refund", "do next", "do tender.cash", "do approve", `type "2\n2222\n"`, "do confirm", `see "PAID OUT"`, "do acknowledge", "do register")
	s.refunds.Count++
	s.refunds.Amount.Minor += total
	s.drawer -= total
}

func (r *rush) change(s *takings, total int64) {
	r.say("do tender.cash", fmt.Sprintf(`type "%d"`, total+37), "do next", `see "0.37"`)
	s.took(protocol.TenderCash, total)
	r.done(s, total)
}

func (r *rush) card(s *takings, total int64) {
	r.say("do tender.card", "do next")
	s.took(protocol.TenderCard, total)
	r.done(s, total)
}

func (r *rush) part(kind protocol.TenderKind, s *takings) {
	r.say("do tender."+string(kind), `type "50"`, "do next")
	s.took(kind, 50)
}

func (r *rush) cardAndCash(s *takings, total int64) {
	r.part(protocol.TenderCard, s)
	r.say("do tender.cash", "do next")
	s.took(protocol.TenderCash, total-50)
	r.done(s, total)
}

// coins pays a rest in bitcoin; the watch after first sight is not waited out.
func (r *rush) coins(s *takings, minor int64) {
	r.say("do tender.bitcoin", "customer pays", "see state seen", "clock +4s", "see state accepted")
	s.took(protocol.TenderBitcoin, minor)
}

func (r *rush) bitcoin(s *takings, total int64) {
	r.coins(s, total)
	r.done(s, total)
}

func (r *rush) cardAndBitcoin(s *takings, total int64) {
	r.part(protocol.TenderCard, s)
	r.coins(s, total-50)
	r.done(s, total)
}

func (r *rush) cashAndBitcoin(s *takings, total int64) {
	r.part(protocol.TenderCash, s)
	r.coins(s, total-50)
	r.done(s, total)
}

// givenUp is a sale that nobody pays: nothing of it counts.
func (r *rush) givenUp(s *takings, _ int64) {
	r.say("do tender.bitcoin", "do cancel", "do confirm", "screen register", "do clear")
	s.cancelled++
}

// closeShift counts what should be there.
func (r *rush) closeShift() {
	s := r.sums[r.at]
	r.say("expect @drawer.cash == "+decimal(s.drawer), "sign in 2 2222", "do shift", "do shift.x", `see "X REPORT"`, "do back", "do shift.close",
		fmt.Sprintf(`type "%d\n"`, s.drawer), fmt.Sprintf(`see "counted %s EUR" in dialog`, decimal(s.drawer)), "do confirm", `see "Z REPORT 1"`, `paper "Z REPORT 1"`)
	for kind, name := range map[protocol.TenderKind]string{protocol.TenderBitcoin: "Bitcoin", protocol.TenderCash: "Cash", protocol.TenderCard: "Bank card"} {
		if sum := s.tenders[kind]; sum != nil {
			r.say(fmt.Sprintf(`paper /%d x %s +%s/`, sum.Count, name, thousands(sum.Amount.Minor)))
			if sum.Sat > 0 {
				r.say(fmt.Sprintf(`paper "BTC %s"`, sum.Sat))
			}
		}
	}
	r.say(fmt.Sprintf(`paper /Expected +%s/`, thousands(s.drawer)), fmt.Sprintf(`paper /Sales +EUR %s/`, thousands(s.total)), `see "sent all" in health`)
}

func euro(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }

func decimal(minor int64) string { return euro(minor).Decimal() }

// thousands is an amount as it stands on paper.
func thousands(minor int64) string {
	text := decimal(minor)
	if whole := len(text) - 3; whole > 3 {
		text = text[:whole-3] + "," + text[whole-3:]
	}
	return text
}

// compare holds what the server's reports and its export say against the sums.
func (r *rush) compare(t *testing.T, s *stage) {
	var reports boot.ShopReports
	if err := s.asked(&reports, "report", "z"); err != nil {
		t.Error(err)
		return
	}
	var export struct {
		Sales []boot.SaleLine `json:"sales"`
	}
	if err := s.asked(&export, "export", "--format", "json"); err != nil {
		t.Error(err)
		return
	}
	if len(reports.Reports.Reports) != len(r.sums) {
		t.Fatalf("%d Z reports", len(reports.Reports.Reports))
	}
	for _, got := range reports.Reports.Reports {
		name := got.Terminal
		if name != "second" {
			name = "main"
		}
		r.sums[name].compare(t, name, got)
		exported := map[protocol.TenderKind]protocol.TenderSum{}
		var sales, total int64
		for _, sale := range export.Sales {
			if sale.Terminal != got.Terminal || sale.Said != "sale_paid" && sale.Said != "paid" {
				continue
			}
			sales++
			total += sale.Total.Minor
			for _, tender := range sale.Tenders {
				if !tender.Removed {
					sum := exported[tender.Kind]
					exported[tender.Kind] = protocol.TenderSum{Count: sum.Count + 1, Amount: euro(sum.Amount.Minor + tender.Amount.Minor), Sat: sum.Sat + tender.DueSat}
				}
			}
		}
		if sales != got.Sales.Count || total != got.Sales.Amount.Minor {
			t.Errorf("%s: the export has %d sales over %d, the report %+v", name, sales, total, got.Sales)
		}
		for _, sum := range got.Tenders {
			e := exported[sum.Kind]
			if e.Count != sum.Count || e.Sat != sum.Sat || sum.Kind != protocol.TenderCash && e.Amount != sum.Amount {
				t.Errorf("%s: the export says %+v of %s, the report %+v", name, e, sum.Kind, sum)
			}
		}
	}
}

func (s *takings) compare(t *testing.T, name string, got protocol.Report) {
	t.Helper()
	want := protocol.Report{Sales: protocol.Sum{Count: s.sales, Amount: euro(s.total)}}
	if got.Sales != want.Sales || got.Tips.Amount != euro(s.tips) || got.Cancels != s.cancelled || got.Ignored != 0 ||
		got.Drawer.Expected != euro(s.drawer) || *got.Drawer.Counted != euro(s.drawer) || got.Drawer.Variance.Minor != 0 {
		t.Errorf("%s: the Z report is %+v, sold was %+v", name, got, s)
	}
	if got.Discounts.Amount.Minor != s.discounted || got.Discounts.Count != s.discounts {
		t.Errorf("%s: discounts are %+v, given were %d over %d", name, got.Discounts, s.discounts, s.discounted)
	}
	if len(got.Tenders) != len(s.tenders) {
		t.Errorf("%s: paid by %+v", name, got.Tenders)
	}
	for _, sum := range got.Tenders {
		if w := s.tenders[sum.Kind]; w == nil || *w != sum {
			t.Errorf("%s: %s came to %+v, sold was %+v", name, sum.Kind, sum, w)
		}
	}
	i := slices.IndexFunc(got.Refunds, func(x protocol.TenderSum) bool { return x.Kind == protocol.TenderCash })
	if s.refunds.Count > 0 && (i < 0 || got.Refunds[i].Count != s.refunds.Count || got.Refunds[i].Amount.Minor != s.refunds.Amount.Minor) {
		t.Errorf("%s: refunds are %+v, given back was %+v", name, got.Refunds, s.refunds)
	}
}

// asked runs a command on the shop's data and reads its JSON.
func (s *stage) asked(result any, args ...string) error {
	c := exec.Command(s.program, append(args, "--json", "--data", s.dir)...)
	c.Env = append([]string{"HOME=" + s.dir}, s.env...)
	out, err := c.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, ended.Stderr)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(out, result)
}
