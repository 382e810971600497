package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/terminal"
	"till/server"
	"till/server/store"
)

// A history is what years of sales leave behind: entries of the journal that
// follow one another and what both halves keep beside them. The terminal's half
// is written by the terminal itself, the server's through its store.

// perShift is how many sales a shift has, and so each transaction.
const perShift = 500

// pastShop is a practice shop in this process.
type pastShop struct {
	dir      string // where server.db and terminal.db are
	clock    *boot.Clock
	config   *config.Config
	lock     *boot.Lock
	server   *boot.Server
	terminal *terminal.Terminal
	line     *boot.Line
	stop     func() error
}

// openPast opens the shop under a data directory and runs it until closed.
func openPast(tb testing.TB, data string) *pastShop {
	tb.Helper()
	s := &pastShop{dir: filepath.Join(data, "practice"), clock: &boot.Clock{}, line: boot.NewLine()}
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	var err error
	must := func() {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	s.config, err = config.Load(config.Sources{})
	must()
	err = os.MkdirAll(s.dir, 0o700)
	must()
	s.lock, err = boot.TakeLock(s.dir)
	must()
	s.server, err = boot.OpenServer(ctx, s.serverOptions(log))
	must()
	s.openTerminal(tb, s.clock)
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- s.server.Run(running) }()
	err = s.server.PairEmbedded(ctx, s.terminal)
	must()
	go func() { ended <- s.terminal.Run(running) }()
	s.stop = func() error {
		cancel()
		for range 2 {
			<-ended
		}
		if err := s.terminal.Close(); err != nil {
			return err
		}
		if err := s.server.Close(); err != nil {
			return err
		}
		return s.lock.Release()
	}
	for deadline := time.After(30 * time.Second); s.terminal.Health().Addresses < 20; {
		select {
		case <-s.terminal.Facts():
		case <-time.After(100 * time.Millisecond): // health is told apart from facts
		case <-deadline:
			tb.Fatalf("the terminal has no addresses: %+v", s.terminal.Health())
		}
	}
	return s
}

func (s *pastShop) serverOptions(log *slog.Logger) boot.ServerOptions {
	return boot.ServerOptions{Dir: s.dir, Config: s.config, Practice: true, Clock: s.clock, Random: rand.Reader, Log: log, Line: s.line}
}

func (s *pastShop) openTerminal(tb testing.TB, clock *boot.Clock) {
	tb.Helper()
	var err error
	s.terminal, err = boot.OpenTerminal(context.Background(), boot.TerminalOptions{Dir: s.dir, Config: s.config, Clock: clock, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Software: "till/bench", Embedded: true, Line: s.line})
	if err != nil {
		tb.Fatal(err)
	}
}

func (s *pastShop) close(tb testing.TB) {
	tb.Helper()
	if err := s.stop(); err != nil {
		tb.Fatal(err)
	}
}

// ask asks the shop's server as a command does.
func (s *pastShop) ask(tb testing.TB, call string, params, result any) {
	tb.Helper()
	if err := boot.Administer(context.Background(), s.serverOptions(slog.New(slog.DiscardHandler)), call, params, result); err != nil {
		tb.Fatal(err)
	}
}

// makeHistory makes a shop that has sold so often, 500 times a day until now.
func makeHistory(tb testing.TB, data string, sales int) {
	tb.Helper()
	s := openPast(tb, data)
	var catalogue boot.Goods
	s.ask(tb, "catalogue.export", struct{}{}, &catalogue)
	who, _ := s.terminal.Identity()
	s.close(tb)

	past := &boot.Clock{}
	past.Advance(-time.Duration(sales/perShift+1) * 24 * time.Hour)
	s.openTerminal(tb, past)
	db, err := store.Open(context.Background(), filepath.Join(s.dir, "server.db"))
	if err != nil {
		tb.Fatal(err)
	}
	for n := 0; n < sales; n += perShift {
		batch := makeShift(tb, past, catalogue.Items, n, min(perShift, sales-n))
		entries, err := s.terminal.Commit(context.Background(), batch.steps...)
		if err == nil {
			err = db.Write(context.Background(), func(tx *server.Tx) error { return batch.store(tx, who.ID, entries) })
		}
		if err != nil {
			tb.Fatal(err)
		}
		past.Advance(24 * time.Hour)
		<-s.terminal.Facts() // or they would gather until somebody hears of them
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := s.terminal.Close(); err != nil {
		tb.Fatal(err)
	}
	// The server has it all.
	own, err := sql.Open("sqlite", filepath.Join(s.dir, "terminal.db"))
	if err == nil {
		_, err = own.Exec(`UPDATE settings SET value = json_set(value, '$.journal', (SELECT max(seq) FROM journal)) WHERE name = 'cursor'`)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if err := own.Close(); err != nil {
		tb.Fatal(err)
	}
}

// shiftOf is what one shift writes on both sides.
type shiftOf struct {
	steps []terminal.Step
	sales []*server.Sale
	paid  []*server.Tender
}

func makeShift(tb testing.TB, clock *boot.Clock, goods []protocol.Item, first, count int) shiftOf {
	tb.Helper()
	id := func() protocol.ID {
		id, err := protocol.NewID(clock.Now(), rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		return id
	}
	shift, at := protocol.ShiftID(id()), clock.Time()
	float := protocol.Money{Currency: "EUR", Minor: 10_000}
	taken := float
	var b shiftOf
	record := func(kind protocol.EntryKind, body any) { b.steps = append(b.steps, terminal.Record(kind, body)) }
	record(protocol.EntryShiftOpened, protocol.ShiftOpened{Shift: shift, User: "1", Float: float})
	for i := first; i < first+count; i++ {
		o := protocol.SaleOpened{Sale: protocol.SaleID(id()), Number: fmt.Sprintf("%06d", i+1), Shift: shift, User: "1", Total: protocol.Money{Currency: "EUR"}}
		for k := range 1 + i%3 {
			item := goods[(i*7+k*5)%len(goods)]
			if item.Price == nil {
				item = goods[0]
			}
			o.Lines = append(o.Lines, protocol.Line{SKU: item.SKU, Name: item.Name, Quantity: 1000, Price: *item.Price, Tax: item.Tax})
			o.Total.Minor += item.Price.Minor
		}
		t := protocol.TenderAdded{Sale: o.Sale, Tender: protocol.TenderID(id()), Kind: protocol.TenderCash, Amount: o.Total}
		record(protocol.EntrySaleOpened, o)
		record(protocol.EntryTenderAdded, t)
		record(protocol.EntrySalePaid, protocol.SaleEnded{Sale: o.Sale})
		taken.Minor += o.Total.Minor
		b.sales = append(b.sales, &server.Sale{ID: o.Sale, Opened: at, Total: o.Total, State: protocol.SaleOpen, Number: o.Number, User: "1", Words: o.SearchWords("Anna")})
		b.paid = append(b.paid, &server.Tender{ID: t.Tender, Sale: o.Sale, Kind: t.Kind, Amount: t.Amount, Added: at, Ends: at.Add(15 * time.Minute)})
	}
	closing := protocol.ShiftClosed{Shift: shift, User: "1", Counted: taken, Expected: taken, Variance: protocol.Money{Currency: "EUR"}, ZNumber: int64(first/perShift + 1)}
	record(protocol.EntryShiftClosed, closing)
	return b
}

// store writes the server's half.
func (b shiftOf) store(tx *server.Tx, id protocol.TerminalID, entries []protocol.Entry) error {
	rows := make([]server.StoredEntry, len(entries))
	for i, e := range entries {
		rows[i] = server.StoredEntry{Entry: e, Terminal: id, Received: e.At}
	}
	if err := tx.Journal.Append(rows); err != nil {
		return err
	}
	for i, sale := range b.sales {
		s, t := *sale, *b.paid[i]
		s.Terminal, t.Terminal, s.Entry = id, id, entries[1+3*i].Seq
		if err := tx.Sales.Insert(&s); err != nil {
			return err
		}
		if err := tx.Tenders.Insert(&t); err != nil {
			return err
		}
		s.State, s.Said, s.SaidAt = protocol.SaleConfirmed, "paid", s.Opened
		if err := tx.Sales.Update(&s, s.Opened, "journal"); err != nil {
			return err
		}
	}
	row, err := tx.Terminals.Get(id)
	if err != nil {
		return err
	}
	last := entries[len(entries)-1]
	row.JournalSeq, row.JournalHash, row.JournalAt = last.Seq, last.Hash, last.At
	return tx.Terminals.Update(row)
}

// A made history must be a true one, or what is measured on it says nothing.
func TestAMadeHistoryIsTrueAndSearched(t *testing.T) {
	data := t.TempDir()
	makeHistory(t, data, 700)
	s := openPast(t, data)
	defer s.close(t)
	ctx := t.Context()
	if v, err := s.terminal.VerifyJournal(ctx); err != nil || v.Bad != 0 || v.Entries < 2100 {
		t.Errorf("the terminal's journal: %+v, %v", v, err)
	}
	var reports []server.JournalReport
	s.ask(t, "journal.verify", struct{}{}, &reports)
	for _, r := range reports {
		if r.Bad != 0 || r.Entries < 2100 {
			t.Errorf("the server's journal: %+v", r)
		}
	}
	var lines []boot.SaleLine
	s.ask(t, "sale.list", boot.SalesAsked{Text: "000345", Most: 10}, &lines)
	own, err := s.terminal.Sales(ctx, terminal.SaleFilter{Text: "000345"})
	if err != nil || len(own) != 1 || len(lines) != 1 || lines[0].Sale != own[0].ID() || len(lines[0].Lines) != len(own[0].Opening.Lines) {
		t.Errorf("sale 345 here %+v, there %+v, %v", own, lines, err)
	}
	if report, err := s.terminal.ZReport(ctx, 1); err != nil {
		t.Errorf("the first Z report: %+v, %v", report, err)
	}
}

// BenchmarkHistory measures a shop with years of sales beside an empty one and
// beside one with the sales of a single day, by turns in the same run: what a
// search finds has to be read, too, and an empty shop finds nothing. TILL_BENCH_SALES says how many; TILL_BENCH_HISTORY
// names a directory that keeps them for the next run.
func BenchmarkHistory(b *testing.B) {
	count := 20_000
	if text := os.Getenv("TILL_BENCH_SALES"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	full, day, empty := os.Getenv("TILL_BENCH_HISTORY"), b.TempDir(), b.TempDir()
	makeHistory(b, day, perShift)
	if full == "" {
		full = b.TempDir()
	}
	if _, err := os.Stat(filepath.Join(full, "practice", "terminal.db")); err != nil {
		makeHistory(b, full, count)
	}
	b.Run("start", func(b *testing.B) {
		compare(b, func(data string) time.Duration {
			began := time.Now()
			p := begin(b, "till", nil, "practice", "--data", data)
			p.await(b, "20 addresses")
			took := time.Since(began)
			_ = p.cmd.Process.Signal(os.Interrupt)
			_ = p.cmd.Wait()
			_ = p.tty.Close()
			return took
		}, empty, day, full)
	})
	shops := map[string]*pastShop{empty: openPast(b, empty), day: openPast(b, day), full: openPast(b, full)}
	defer func() {
		for _, s := range shops {
			s.close(b)
		}
	}()
	ctx := context.Background()
	measure := func(name string, do func(s *pastShop) error) {
		b.Run(name, func(b *testing.B) {
			compare(b, func(data string) time.Duration {
				began := time.Now()
				if err := do(shops[data]); err != nil {
					b.Fatal(err)
				}
				return time.Since(began)
			}, empty, day, full)
		})
	}
	measure("check-in", func(s *pastShop) error {
		if _, err := s.terminal.Append(ctx, protocol.EntrySettings, protocol.PersonDid{User: "1", What: "bench"}); err != nil {
			return err
		}
		return s.terminal.Flush(ctx)
	})
	for name, text := range map[string]string{"often": "espr", "once": "000345", "two-words": "strudel espresso", "never": "zwetschke"} {
		measure("search-"+name, func(s *pastShop) error {
			_, err := s.terminal.Sales(ctx, terminal.SaleFilter{Text: text, Most: 50})
			return err
		})
		measure("server-search-"+name, func(s *pastShop) error {
			var lines []boot.SaleLine
			s.ask(b, "sale.list", boot.SalesAsked{Text: text, Most: 50}, &lines)
			return nil
		})
	}
	measure("report-x", func(s *pastShop) error { _, err := s.terminal.Reading(ctx); return err })
	measure("server-report-x", func(s *pastShop) error {
		var reports boot.ShopReports
		s.ask(b, "report", boot.ReportOrder{}, &reports)
		return nil
	})
}

// compare takes them by turns and tells their medians, and how much longer the
// whole history takes than each of the others.
func compare(b *testing.B, take func(data string) time.Duration, empty, day, full string) {
	b.Helper()
	var took [3][]time.Duration
	for b.Loop() {
		for i, data := range []string{empty, day, full} {
			took[i] = append(took[i], take(data))
		}
	}
	var median [3]float64
	for i, name := range []string{"empty-ms", "day-ms", "full-ms"} {
		slices.Sort(took[i])
		median[i] = float64(took[i][len(took[i])/2].Microseconds()) / 1000
		b.ReportMetric(median[i], name)
	}
	b.ReportMetric(median[2]/median[0], "of-empty")
	b.ReportMetric(median[2]/median[1], "of-day")
}
