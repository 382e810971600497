package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

func (t *till) send(entries ...protocol.Entry) (*protocol.CheckInResult, error) {
	t.t.Helper()
	return t.checkIn(protocol.CheckIn{Journal: entries})
}

// wants checks the word of a refusal and the last good entry in its data.
func wants(t testing.TB, err error, code protocol.Code, journal int64) *protocol.Error {
	t.Helper()
	var e *protocol.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	if journal >= 0 && (e.Journal == nil || *e.Journal != journal) {
		t.Fatalf("the data name entry %v, want %d", e.Journal, journal)
	}
	return e
}

func TestJournalVectorsAreStored(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	text, err := os.ReadFile("testdata/terminal.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Journal []struct{ Entry json.RawMessage }
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	var entries []protocol.Entry
	for _, v := range vectors.Journal {
		var e protocol.Entry
		if err := protocol.Decode(v.Entry, &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	r, err := till.send(entries...)
	if err != nil || r.Journal != 3 {
		t.Fatalf("stored up to %+v: %v", r, err)
	}
	// Its quote is not of this server: stored, and refused.
	got := till.untilSale("0193c0de-0000-7000-8000-000000000002", "the tender is refused", func(s protocol.SaleStatus) bool { return s.Verdict == protocol.VerdictRefuse })
	if got.Reason != "quote_unknown" {
		t.Fatalf("refused as %+v", got)
	}
}

func TestRepeatedEntriesAreSkipped(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1000)
	r, err := till.send(till.entries...)
	if err != nil || r.Journal != 2 {
		t.Fatalf("repeated: %+v, %v", r, err)
	}
	next := till.entry(till.clock(), protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: d.sale})
	r, err = till.send(append(till.entries, next, next)...)
	if err != nil || r.Journal != 3 {
		t.Fatalf("overlapping: %+v, %v", r, err)
	}
	till.untilState(d.sale, protocol.SaleCancelled)
}

func TestDamagedEntryIsRefusedWithoutSuspension(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	sale := till.open(1000)
	good := till.entry(till.clock(), protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
	bad := good
	bad.Body = json.RawMessage(strings.Replace(string(good.Body), `"sale"`, `"sales"`, 1))
	_, err := till.send(good, bad)
	if e := wants(t, err, protocol.CodeInvalidParams, -1); e.Member != "journal[1].hash" {
		t.Errorf("member %q", e.Member)
	}
	if r := till.sync(); r.Journal != 1 {
		t.Fatalf("stored up to %d", r.Journal)
	}
	if _, err := till.send(good); err != nil {
		t.Fatalf("the good entry afterwards: %v", err)
	}
}

func TestMissingEntryIsAGapAndNotAFork(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	sale := till.open(1000)
	first := till.entry(till.clock(), protocol.EntrySaleParked, protocol.SaleEnded{Sale: sale})
	till.entries = append(till.entries, first)
	second := till.entry(till.clock(), protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
	_, err := till.send(second)
	wants(t, err, protocol.CodeJournalGap, 1)
	if r, err := till.send(first, second); err != nil || r.Journal != 3 {
		t.Fatalf("from the last one stored: %+v, %v", r, err)
	}
}

func TestForkSuspendsUntilResume(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	d := till.sell(1000)
	head := till.entries[1]
	forged := till.entries[0]
	other, err := protocol.NewEntry(&forged, till.clock(), protocol.EntrySalePaid, protocol.SaleEnded{Sale: d.sale})
	if err != nil {
		t.Fatal(err)
	}
	_, err = till.send(*other) // a known number with another hash
	if e := wants(t, err, protocol.CodeJournalFork, 2); e.Hash != head.Hash {
		t.Errorf("the data name hash %s, want %s", e.Hash, head.Hash)
	}
	next := till.entry(till.clock(), protocol.EntrySalePaid, protocol.SaleEnded{Sale: d.sale})
	r, err := till.send(next) // good, but the journal is closed
	if err != nil || r.Journal != 2 || len(r.Alerts) != 1 || r.Alerts[0].Seq != 0 || r.Alerts[0].Kind != protocol.AlertSuspended || len(r.Quotes) != 0 {
		t.Fatalf("a forked terminal got %+v, %v", r, err)
	}
	if _, err := till.send(*other); !errors.Is(err, protocol.CodeJournalFork) {
		t.Fatalf("the forged entry again: %v", err)
	}
	_, err = till.GetAddress(context.Background(), till.id, protocol.GetAddress{Want: 1})
	wants(t, err, protocol.CodeTerminalSuspended, -1)

	if err := till.Resume(context.Background(), "main"); err != nil {
		t.Fatal(err)
	}
	was := struct {
		protocol.SaleEnded
		Was protocol.Hash `json:"was"`
	}{protocol.SaleEnded{Sale: d.sale}, other.Hash}
	till.write(protocol.EntrySalePaid, was)
}

func TestWrongLinkIsAFork(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	till.open(1000)
	stranger, err := protocol.NewEntry(&protocol.Entry{Seq: 1, Hash: protocol.HashOf([]byte("another"))}, till.clock(), "x", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = till.send(*stranger)
	wants(t, err, protocol.CodeJournalFork, 1)
}

func TestEntryWhoseTimeRunsBackIsStoredAndJudgedByTheOneBefore(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	old := *till.quote
	sale := till.open(1000)
	till.pass(11 * time.Minute)
	till.write(protocol.EntrySignedIn, protocol.PersonDid{User: "1"})
	// The terminal claims that the sale was made when the old price held.
	added := till.tender(sale, 1000)
	due, err := old.Buy.Charge(1000)
	if err != nil {
		t.Fatal(err)
	}
	added.Quote, added.DueSat = old.ID, due
	e := backdated(t, till.entries[1], old.At, added)
	if r, err := till.send(e); err != nil || r.Journal != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	got := till.untilSale(sale, "it is refused", func(s protocol.SaleStatus) bool { return s.Verdict == protocol.VerdictRefuse })
	if got.Reason != "quote_expired" {
		t.Fatalf("refused as %+v", got)
	}
	if flags := till.flags(); flags[3] != "time_ran_back" {
		t.Errorf("flags %v", flags)
	}
}

// backdated makes the tender_added entry after prev with any time.
func backdated(t testing.TB, prev protocol.Entry, at protocol.Time, added protocol.TenderAdded) protocol.Entry {
	t.Helper()
	prev.At = 0
	e, err := protocol.NewEntry(&prev, at, protocol.EntryTenderAdded, added)
	if err != nil {
		t.Fatal(err)
	}
	return *e
}

// flags are what the server noted beside the terminal's entries.
func (t *till) flags() map[int64]string {
	t.t.Helper()
	flags := map[int64]string{}
	err := t.db.Read(context.Background(), func(tx *server.Tx) error {
		entries, err := tx.Journal.After(t.id, 0, 1000)
		for _, e := range entries {
			if e.Flag != "" {
				flags[e.Seq] = e.Flag
			}
		}
		return err
	})
	if err != nil {
		t.t.Fatal(err)
	}
	return flags
}

func TestWhateverItsKindAndBodyAnEntryIsStored(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	bodies := []struct {
		kind protocol.EntryKind
		body any
		flag string
	}{
		{"from_tomorrow", map[string]any{"x": 1.5e3}, "unknown_kind"},
		{"address_printed", till.addresses[0], "unknown_kind"},
		{protocol.EntrySaleOpened, []int{}, "body"},
		{protocol.EntryShiftClosed, "text", "body"},
		{protocol.EntryTenderAdded, nil, "body"},
		{protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: protocol.SaleID(newID(t)), Tender: protocol.TenderID(newID(t))}, "stranger"},
		{protocol.EntrySalePaid, protocol.SaleEnded{Sale: protocol.SaleID(newID(t))}, "stranger"},
		{protocol.EntrySaleOpened, protocol.SaleOpened{Sale: protocol.SaleID(newID(t)), Total: eur(100), Lines: []protocol.Line{{Name: "tea", Quantity: 1000, Price: eur(90)}}}, "sums"},
		{protocol.EntrySaleOpened, protocol.SaleOpened{Sale: protocol.SaleID(newID(t)), Total: eur(123), Lines: []protocol.Line{{Name: "tea", Quantity: 1500, Price: eur(82)}}}, ""},
		{protocol.EntryShiftClosed, protocol.ShiftClosed{Shift: protocol.ShiftID(newID(t)), Counted: eur(90), Expected: eur(100), Variance: eur(10), ZNumber: 1}, "sums"},
		{protocol.EntryTamper, protocol.Tampered{Sensor: "lid"}, ""},
	}
	for _, b := range bodies {
		till.write(b.kind, b.body)
	}
	flags := till.flags()
	for i, b := range bodies {
		if got := flags[int64(i+1)]; got != b.flag {
			t.Errorf("%s entry %d is flagged %q, want %q", b.kind, i+1, got, b.flag)
		}
	}
	refused := till.until("the empty tender is refused", 0, func(a protocol.Alert) bool {
		return a.Kind == protocol.AlertSale && status(t, a).Verdict == protocol.VerdictRefuse
	})
	if got := status(t, refused); got.Reason != "not_understood" {
		t.Errorf("refused as %+v", got)
	}
}

func TestTendersThatAreVoidAreRefusedWithTheirReason(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till, neighbour := shop.pair("main", false), shop.pair("second", false)
	foreign, err := shop.wallet.Derive(server.BranchReceive, 999)
	if err != nil {
		t.Fatal(err)
	}
	used := till.sell(1000)
	printed := till.addresses[len(till.addresses)-1]
	till.pay(printed, 777)
	till.untilIncoming(printed, 0)
	till.pass(time.Second)
	cases := map[string]struct {
		reason string
		at     time.Duration // of the entry, from now
		edit   func(*protocol.TenderAdded)
	}{
		"unknown quote":             {"quote_unknown", 0, func(a *protocol.TenderAdded) { a.Quote = protocol.QuoteID(newID(t)) }},
		"wrong amount":              {"amount_mismatch", 0, func(a *protocol.TenderAdded) { a.DueSat-- }},
		"address of no one":         {"address_unknown", 0, func(a *protocol.TenderAdded) { a.Address = foreign.Text }},
		"address of another":        {"address_unknown", 0, func(a *protocol.TenderAdded) { a.Address = neighbour.addresses[0] }},
		"no address":                {"address_unknown", 0, func(a *protocol.TenderAdded) { a.Address = "" }},
		"address of another tender": {"address_used", 0, func(a *protocol.TenderAdded) { a.Address = used.address }},
		"address that was paid":     {"address_used", 0, func(a *protocol.TenderAdded) { a.Address = printed }},
		"tender of another sale":    {"tender_exists", 0, func(a *protocol.TenderAdded) { a.Tender = used.tender }},
		"another currency":          {"wrong_currency", 0, func(a *protocol.TenderAdded) { a.Amount.Currency = "USD" }},
		"future entry":              {"future_entry", 3*time.Minute + time.Second, func(*protocol.TenderAdded) {}},
	}
	names := []string{}
	for name := range cases {
		names = append(names, name)
	}
	// What comes from the future must come last: time does not run back after it.
	slices.SortFunc(names, func(a, b string) int { return int(cases[a].at - cases[b].at) })
	for _, name := range names {
		c := cases[name]
		sale := till.open(500)
		added := till.tender(sale, 500)
		c.edit(&added)
		e := till.entry(till.clock().Add(c.at), protocol.EntryTenderAdded, added)
		if _, err := till.send(e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		till.entries = append(till.entries, e)
		if got := till.last(sale); got.Verdict != protocol.VerdictRefuse || got.Reason != c.reason || got.Message == "" {
			t.Errorf("%s is told as %s %s %q, want %s", name, got.Verdict, got.Reason, got.Message, c.reason)
		}
	}
	if got := till.last(used.sale); got.Verdict != protocol.VerdictWait {
		t.Errorf("the neighbour sale was harmed: %+v", got)
	}
}

func TestMoneyForAVoidTenderIsOwed(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	sale := till.open(1000)
	added := till.tender(sale, 1000)
	added.DueSat /= 2
	till.write(protocol.EntryTenderAdded, added)
	till.pay(added.Address, added.DueSat)
	till.untilIncoming(added.Address, 0)
	till.owes(map[string]protocol.Sat{"unasked": added.DueSat})
	if got := till.last(sale); got.Verdict != protocol.VerdictRefuse {
		t.Fatalf("told as %+v", got)
	}
}

func TestOfflineSaleCountsWithinTheLimit(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	offline := func() protocol.SaleID {
		sale := protocol.SaleID(newID(t))
		till.entries = append(till.entries, till.entry(till.clock(), protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(1000)}))
		till.entries = append(till.entries, till.entry(till.clock(), protocol.EntryTenderAdded, till.tender(sale, 1000)))
		return sale
	}
	early := offline()
	till.pass(time.Minute)
	later := offline()
	till.pass(24*time.Hour - 30*time.Second)
	if _, err := till.send(till.entries...); err != nil {
		t.Fatal(err)
	}
	if got := till.last(early); got.Reason != "stale_entry" || got.Verdict != protocol.VerdictRefuse {
		t.Errorf("24 h and more: %+v", got)
	}
	if got := till.last(later); got.State != protocol.SaleExpired {
		t.Errorf("within 24 h: %+v", got)
	}
}

func TestOfflineSaleThatWasPaidInTimeIsPaid(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	sale := protocol.SaleID(newID(t))
	added := till.tender(sale, 1000)
	opened := till.entry(till.clock(), protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur(1000)})
	till.entries = append(till.entries, opened)
	tender := till.entry(till.clock(), protocol.EntryTenderAdded, added)
	till.entries = append(till.entries, tender)
	till.pass(time.Minute)
	till.pay(added.Address, added.DueSat)
	till.untilIncoming(added.Address, 0)
	till.pass(time.Hour)
	if _, err := till.send(opened, tender); err != nil {
		t.Fatal(err)
	}
	till.mine(1)
	if got := till.untilState(sale, protocol.SaleAccepted); slices.Contains(got.Flags, protocol.FlagLate) {
		t.Fatalf("told as %+v", got)
	}
	till.owes(nil)
}

func TestVerifyFindsTheFirstBadEntry(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	good := shop.pair("good", false)
	shop.pass(time.Second)
	bad := shop.pair("bad", false)
	good.sell(1000)
	sale := bad.open(1000)
	bad.write(protocol.EntrySaleParked, protocol.SaleEnded{Sale: sale})
	bad.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: protocol.SaleID(newID(t)), Total: eur(5), Lines: []protocol.Line{{Name: "x", Quantity: 1000, Price: eur(4)}}})
	var reports []server.JournalReport
	if err := shop.VerifyJournals(context.Background(), func(r server.JournalReport) { reports = append(reports, r) }); err != nil {
		t.Fatal(err)
	}
	if len(reports) != 2 || reports[0].Bad != 0 || reports[0].Entries != 2 {
		t.Fatalf("reports %+v", reports)
	}
	if r := reports[1]; r.Name != "bad" || r.Bad != 3 || !strings.Contains(r.Fault, "add up") {
		t.Fatalf("report %+v", r)
	}
}
