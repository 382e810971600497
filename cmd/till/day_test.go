package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/terminal"
)

// TestADayOfDeposits plays a shop's day of e-cash with every part a process of its
// own, server, mint and customers' wallets, one of which is killed without notice
// every second or two: single and several coins, tabs, lots, two customers for one
// bill, sales given up while they are paid. In the end every coin is in one place,
// the sums of reserves, coins, deposits and sales agree, and every 200 is still true.
//
// TILL_TEST_DEPOSITS sets how many sales there are, TILL_TEST_SEED the day.
func TestADayOfDeposits(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	d := openDay(t)
	began := time.Now()
	d.play()
	t.Logf("seed %d: %d sales (%d tabs, %d lots, %d paid by two, %d given up), %d kills, %v", d.seed, d.sales, d.count["tab"], d.count["lot"],
		d.count["rivals"], d.count["given up"], d.kills, time.Since(began).Round(time.Second))
	d.audit()
}

// day is the shop, its mint, its customers, and the hand that kills them.
type day struct {
	*testing.T
	seed     uint64
	sales    int
	dir      string
	at       struct{ mint, merchant, rpc, control string }
	parts    []*part // server, mint, wallets
	wallets  []*part
	terminal *terminal.Terminal
	jobs     chan job
	kills    int

	mu    sync.Mutex // guards what follows
	rng   *mathrand.Rand
	count map[string]int
	live  map[protocol.SaleID]*visit
	over  int // sales that have come to their end
	given int // bills given to wallets, and how many of them are answered
	paid  []answered
}

// visit is a sale under way.
type visit struct {
	tender protocol.TenderID
	tab    bool
	quit   bool // it is given up while it is paid …
	quits  time.Time
	sent   bool // its bill is with the wallets
	rounds int
	ended  bool
}

// job is a bill that a wallet is to pay.
type job struct {
	Link  string         `json:"link"`
	Most  protocol.Money `json:"most"`
	Purse string         `json:"purse"`
}

func openDay(t *testing.T) *day {
	d := &day{T: t, seed: uint64(time.Now().UnixNano()), sales: 120, dir: t.TempDir(), jobs: make(chan job, 1<<14),
		count: map[string]int{}, live: map[protocol.SaleID]*visit{}}
	for name, set := range map[string]func(uint64){"TILL_TEST_DEPOSITS": func(n uint64) { d.sales = int(n) }, "TILL_TEST_SEED": func(n uint64) { d.seed = n }} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 63)
			if err != nil {
				t.Fatal(err)
			}
			set(n)
		}
	}
	d.rng = mathrand.New(mathrand.NewPCG(d.seed, 1))
	for _, at := range []*string{&d.at.mint, &d.at.merchant, &d.at.rpc, &d.at.control} {
		*at = freePort(t)
	}
	till := tillProgram(t)
	mintAt := filepath.Join(d.dir, "mint.json")
	mint := d.part("mint", mintAt, till, "--data", d.dir, "mint", "serve", "--json", "--mint", d.at.mint, "--addresses-file", mintAt)
	var told struct {
		MasterPub string `json:"master_pub"`
	}
	if err := json.Unmarshal(mint.said(t), &told); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(d.dir, "till.toml")
	text := fmt.Sprintf("[ecash]\nlottery_below = \"0.05\"\nmints = [{url = \"http://%s\", master_pub = \"%s\"}]\n", d.at.mint, told.MasterPub)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	serverAt := filepath.Join(d.dir, "server.json")
	d.part("server", serverAt, till, "--data", d.dir, "--config", settings, "serve", "--practice", "--rpc", d.at.rpc, "--merchant", d.at.merchant,
		"--control", d.at.control, "--metrics", "127.0.0.1:0", "--mint", "", "--addresses-file", serverAt)
	d.enroll(till)
	for i := range 4 {
		w := d.part("wallet "+strconv.Itoa(i), "", mustFind(t, "wallet"), "http://"+d.at.mint)
		d.wallets = append(d.wallets, w)
	}
	return d
}

func mustFind(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// enroll pairs the counter that opens the sales.
func (d *day) enroll(till string) {
	out, err := exec.Command(till, "--data", d.dir, "terminal", "add", "day", "--json", "--host", d.at.rpc).Output()
	if err != nil {
		d.Fatalf("invite: %v", err)
	}
	var invitation struct {
		Link string `json:"link"`
	}
	if err := json.Unmarshal(out, &invitation); err != nil {
		d.Fatal(err)
	}
	link, err := protocol.ParseLink(invitation.Link)
	if err != nil {
		d.Fatal(err)
	}
	c, err := config.Load(config.Sources{Flags: map[string]string{"server.url": "https://" + d.at.rpc}})
	if err != nil {
		d.Fatal(err)
	}
	dir := filepath.Join(d.dir, "counter")
	d.terminal, err = boot.OpenTerminal(d.Context(), boot.TerminalOptions{Dir: dir, Config: c, Clock: &boot.Clock{}, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Software: "day"})
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = d.terminal.Close() })
	if err := d.terminal.Pair(d.Context(), link, "day"); err != nil {
		d.Fatal(err)
	}
}

// most is how many sales are under way at once.
const most = 24

// play opens sales, lets the wallets pay and the hand kill, until all is over.
func (d *day) play() {
	ctx, cancel := context.WithTimeout(d.Context(), time.Hour)
	defer cancel()
	ctx, done := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { _ = d.terminal.Run(ctx) })
	work.Go(func() { d.kill(ctx) })
	for _, w := range d.wallets {
		work.Go(func() { d.feed(ctx, w) })
	}
	opened, told := 0, time.Now()
	for !d.allOver() && ctx.Err() == nil {
		for ; opened < d.sales && opened-d.ended() < most; opened++ {
			d.open(opened)
		}
		select {
		case <-d.terminal.Facts():
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
		d.look()
		if time.Since(told) > time.Minute {
			told = time.Now()
			d.Logf("%d of %d sales are over, %d kills", d.ended(), d.sales, d.kills)
		}
	}
	if !d.allOver() {
		d.Errorf("%d of %d sales came to their end, %d of %d bills", d.ended(), d.sales, len(d.paid), d.given)
	}
	done()
	work.Wait()
}

// allOver: every sale has ended and every customer knows how.
func (d *day) allOver() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over == d.sales && len(d.paid) == d.given
}

func (d *day) ended() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}

// open opens the next sale: mostly a bill, now and then a tab or an amount for a lot.
func (d *day) open(n int) {
	d.mu.Lock()
	amount, kind, quits := int64(5+d.rng.IntN(2000)), d.rng.IntN(100), d.rng.IntN(100) < 4
	d.mu.Unlock()
	v := &visit{tender: protocol.TenderID(d.id()), quit: quits}
	opening := protocol.SaleOpened{Sale: protocol.SaleID(d.id()), Number: strconv.Itoa(n), Total: protocol.Money{Currency: "EUR", Minor: amount}}
	step := terminal.Record(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: opening.Sale, Tender: v.tender, Kind: protocol.TenderEcash, Amount: opening.Total})
	switch {
	case kind < 5:
		v.tab, v.quit, opening.Total.Minor = true, false, 0
		step = terminal.Record(protocol.EntryTabOpened, protocol.TabOpened{Sale: opening.Sale, Tender: v.tender, MaxAmount: protocol.Money{Currency: "EUR", Minor: 5000}})
		d.count["tab"]++
	case kind < 12:
		opening.Total.Minor = 1 + amount%4
		step = terminal.Record(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: opening.Sale, Tender: v.tender, Kind: protocol.TenderEcash, Amount: opening.Total})
		v.quit = false
		d.count["lot"]++
	}
	if v.quit {
		d.count["given up"]++
	}
	d.mu.Lock()
	d.live[opening.Sale] = v
	d.mu.Unlock()
	d.commit(terminal.Record(protocol.EntrySaleOpened, opening), step)
}

func (d *day) id() protocol.ID {
	id, err := d.terminal.NewID()
	if err != nil {
		d.Fatal(err)
	}
	return id
}

func (d *day) commit(steps ...terminal.Step) {
	if _, err := d.terminal.Commit(d.Context(), steps...); err != nil {
		d.Error(err)
	}
}

// look goes on with every sale under way as the cashier would.
func (d *day) look() {
	open, err := d.terminal.OpenSales(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	for _, s := range open {
		d.mu.Lock()
		v := d.live[s.ID()]
		d.mu.Unlock()
		if v == nil || v.ended {
			continue
		}
		if v.tab {
			d.goOnTab(s, v)
		} else {
			d.goOnBill(s, v)
		}
	}
}

func (d *day) goOnBill(s terminal.Sale, v *visit) {
	t := s.Tenders[0]
	switch {
	case v.quit && v.sent && time.Now().After(v.quits):
		d.end(v, protocol.EntrySaleCancelled, s.ID())
	case t.Deposit != nil && t.Deposit.State == "accepted":
		d.end(v, protocol.EntrySalePaid, s.ID())
	case t.Contract != nil && !v.sent:
		v.sent = true
		d.hand(job{Link: t.Contract.URL, Most: t.Amount})
		d.mu.Lock()
		rivals := d.rng.IntN(100) < 4
		v.quits = time.Now().Add(time.Duration(d.rng.IntN(400)) * time.Millisecond)
		d.mu.Unlock()
		if rivals {
			d.count["rivals"]++
			d.hand(job{Link: t.Contract.URL, Most: t.Amount})
		}
	}
}

func (d *day) goOnTab(s terminal.Sale, v *visit) {
	b := s.Tabs[0]
	if b.Status == nil {
		return
	}
	signed := int64(0)
	if b.Status.Signed != nil {
		signed = b.Status.Signed.Minor
	}
	switch state := b.Status.State; {
	case state == "paid":
		d.end(v, protocol.EntrySalePaid, s.ID())
	case state == "lost":
		d.Errorf("the tab of sale %s is lost", s.ID())
		d.end(v, protocol.EntrySaleCancelled, s.ID())
	case !v.sent && b.Contract != nil:
		v.sent = true
		d.hand(job{Link: b.Contract.URL, Most: b.MaxAmount})
	case b.Closed || signed < b.Charged.Minor || state != "locked" && state != "charged":
	case v.rounds == 3:
		d.commit(terminal.Record(protocol.EntryTabClosed, protocol.TabClosed{Sale: s.ID(), Tender: v.tender}))
	default:
		v.rounds++
		charged := b.Charged
		charged.Minor += 150
		d.commit(terminal.Record(protocol.EntryTabCharged, protocol.TabCharged{Sale: s.ID(), Tender: v.tender, Amount: charged}))
	}
}

func (d *day) end(v *visit, kind protocol.EntryKind, id protocol.SaleID) {
	v.ended = true
	d.commit(terminal.Record(kind, protocol.SaleEnded{Sale: id}))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over++
}

// hand gives a bill to whichever wallet is free.
func (d *day) hand(j job) {
	d.mu.Lock()
	d.given++
	d.mu.Unlock()
	d.jobs <- j
}

// kill ends one of the processes without notice, again and again.
func (d *day) kill(ctx context.Context) {
	for {
		d.mu.Lock()
		pause, victim := time.Duration(700+d.rng.IntN(1500))*time.Millisecond, d.parts[d.rng.IntN(len(d.parts))]
		d.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		victim.restart()
		d.mu.Lock()
		d.kills++
		d.mu.Unlock()
	}
}
