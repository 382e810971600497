package tui

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

// keyInMemory is a vault for tests.
type keyInMemory struct{ key *ecdsa.PrivateKey }

func (v *keyInMemory) Signer() (crypto.Signer, error) {
	if v.key == nil {
		return nil, terminal.ErrNoKey
	}
	return v.key, nil
}

func (v *keyInMemory) Generate() (s crypto.Signer, err error) {
	v.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return v.key, err
}

func (v *keyInMemory) Erase() error { v.key = nil; return nil }

// openTerminal is a real terminal on a real database that has met no server.
func openTerminal(t testing.TB, path string) *terminal.Terminal {
	t.Helper()
	term, err := terminal.Open(t.Context(), terminal.Options{
		Path: path, Clock: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Software: "test", Vault: &keyInMemory{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Close() })
	return term
}

// real is a counter whose commands are performed by until.
func real(t testing.TB, term *terminal.Terminal) *bench {
	b := counter(t, 80, 24, func(o *Options) { o.Terminal, o.Spool = term, NewSpool(term, slog.New(slog.DiscardHandler)) })
	b.o.Spool.Attach(&paperTray{})
	b.cmds, b.answers = nil, make(chan tea.Msg, 100)
	return b
}

// paperTray notes what would be printed.
type paperTray struct {
	mu   sync.Mutex
	jobs []device.Job
}

func (p *paperTray) Print(j device.Job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = append(p.jobs, j)
	return nil
}

func (p *paperTray) all() []device.Job {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.jobs)
}

func (p *paperTray) count() int            { return len(p.all()) }
func (p *paperTray) Status() device.Status { return device.Status{State: device.Ready} }
func (p *paperTray) Reopen()               {}
func (p *paperTray) Cancel(string) bool    { return false }
func (p *paperTray) Waiting() int          { return 0 }

// until does what was asked for and hands the answers to Update until done
// holds. Commands run side by side, as in Bubble Tea; those that wait for a
// fact or a timer are left waiting.
func (b *bench) until(what string, done func() bool) *bench {
	b.t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		for _, cmd := range b.cmds {
			if cmd != nil {
				go func() { b.answers <- cmd() }()
			}
		}
		b.cmds = nil
		if done() {
			return b
		}
		select {
		case msg := <-b.answers:
			if batch, ok := msg.(tea.BatchMsg); ok {
				b.cmds = append(b.cmds, batch...)
			} else if msg != nil {
				b.send(msg)
			}
		case <-limit.C:
			b.t.Fatalf("%s: not within 10 s; %q", what, b.notice.text)
		}
	}
}

// settled holds when the register waits for no record.
func (b *bench) settled() bool { return b.reg.Phase != register.Asking }

// idle holds when the last effect on the journal is done.
func (b *bench) idle() bool {
	select {
	case <-b.lane.last:
		return true
	default:
		return false
	}
}

func journal(t testing.TB, term *terminal.Terminal) []protocol.EntryKind {
	t.Helper()
	v, err := term.VerifyJournal(t.Context())
	if err != nil || v.Bad != 0 {
		t.Fatalf("the journal is broken: %+v, %v", v, err)
	}
	sales, err := term.Sales(t.Context(), terminal.SaleFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []protocol.EntryKind
	for _, s := range sales {
		kinds = append(kinds, protocol.EntryKind(s.Said))
	}
	return kinds
}

func TestACashSaleIsOneTransactionAndPrints(t *testing.T) {
	term := openTerminal(t, filepath.Join(t.TempDir(), "terminal.db"))
	b := real(t, term)
	tray := b.o.Spool.printer.(*paperTray)
	b.rung().press("enter", "3").write("2000").press("enter").until("the receipt", func() bool { return tray.count() == 1 })
	if b.reg.Phase != register.Settled || !b.reg.Outcome.Paid {
		t.Fatalf("phase %d, note %+v", b.reg.Phase, b.reg.Note)
	}
	sales, err := term.Sales(t.Context(), terminal.SaleFilter{})
	if err != nil || len(sales) != 1 {
		t.Fatalf("%d sales, %v", len(sales), err)
	}
	s := sales[0]
	if s.Said != terminal.SaidPaid || s.Opening.Total != eur(1230) || s.Change == nil || *s.Change != eur(770) ||
		len(s.Tenders) != 1 || s.Tenders[0].Amount != eur(2000) || s.Opening.Number == "" || len(s.Opening.Lines) != 3 || s.Opening.User != "1" {
		t.Fatalf("sale is %+v", s)
	}
	printed := tray.all()
	if len(printed) != 1 || printed[0].Copies != 0 {
		t.Fatalf("printed %+v", printed)
	}
	golden(t, "receipt-cash", strings.ReplaceAll(printed[0].Document.Text(42), string(s.ID()), "SALE"))
	if text, err := term.Draft(t.Context(), draftCart); err != nil || text != nil {
		t.Fatalf("the cart of a paid sale is kept: %s, %v", text, err)
	}
	// What the printer tells is journaled.
	for _, state := range []device.JobState{device.JobPrinting, device.JobDone} {
		b.o.Spool.Progress(device.JobReport{ID: printed[0].ID, State: state, Copies: 1, Confirmed: true})
	}
	if s, err := term.Sale(t.Context(), s.ID()); err != nil || s.Copies != 1 {
		t.Fatalf("%d receipts are counted, %v", s.Copies, err)
	}
	b.press("ctrl+r").until("the copy", func() bool { return tray.count() == 2 })
	printed = tray.all()
	if len(printed) != 2 || printed[1].Copies != 1 {
		t.Fatalf("a reprint is no copy: %+v", printed)
	}
	journal(t, term)
}

func TestARestartBringsCartAndSaleBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal.db")
	term := openTerminal(t, path)
	shift := protocol.ShiftOpened{Shift: "0193b1a0-0000-7000-8000-00000000000b", Float: eur(0)}
	if _, err := term.Append(t.Context(), protocol.EntryShiftOpened, shift); err != nil {
		t.Fatal(err)
	}
	b := real(t, term).rung()
	b.until("the cart", b.idle)
	if err := term.Close(); err != nil {
		t.Fatal(err)
	}
	term = openTerminal(t, path)
	b = real(t, term)
	if err := b.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.reg.Total() != eur(1230) {
		t.Fatalf("the cart is %+v", b.reg.Cart)
	}
	b.press("enter", "3").write("500").press("enter").until("the part", b.settled)
	if b.reg.Sale == nil || b.reg.Rest() != eur(730) {
		t.Fatalf("sale %+v, rest %v", b.reg.Sale, b.reg.Rest())
	}
	if err := term.Close(); err != nil {
		t.Fatal(err)
	}
	b = real(t, openTerminal(t, path))
	if err := b.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.send(b.resume()())
	if b.shown() != onPay || b.reg.Rest() != eur(730) || b.reg.Total() != eur(1230) {
		t.Fatalf("after the power cut: %s, rest %v of %v", b.shown(), b.reg.Rest(), b.reg.Total())
	}
}

func TestParkAndRecallOnDisk(t *testing.T) {
	term := openTerminal(t, filepath.Join(t.TempDir(), "terminal.db"))
	b := real(t, term).rung().press("ctrl+p")
	b.until("the parking", b.settled)
	if !b.reg.Cart.Empty() {
		t.Fatalf("the parked cart is still there: %+v", b.reg.Cart)
	}
	b.send(b.readRecent()()).press("ctrl+r").until("the recall", func() bool { return b.settled() && !b.reg.Cart.Empty() })
	if b.reg.Total() != eur(1230) || b.reg.Phase != register.Ringing {
		t.Fatalf("recalled %v in phase %d, %q", b.reg.Total(), b.reg.Phase, b.notice.text)
	}
	if kinds := journal(t, term); len(kinds) != 1 || kinds[0] != protocol.EntryKind(terminal.SaidCancelled) {
		t.Fatalf("the parked sale is %v", kinds)
	}
}

func TestWithoutAddressesNoMoneyIsAskedFor(t *testing.T) {
	b := real(t, openTerminal(t, filepath.Join(t.TempDir(), "terminal.db")))
	b.rung().press("enter", "1").until("the refusal", b.settled)
	if b.reg.Phase != register.Choosing || b.reg.Sale != nil || b.notice.text == "" {
		t.Fatalf("phase %d, sale %+v, notice %q", b.reg.Phase, b.reg.Sale, b.notice.text)
	}
}

func TestAPaperFromBeforeTheRestart(t *testing.T) {
	term := openTerminal(t, filepath.Join(t.TempDir(), "terminal.db"))
	paper := register.Paper{Kind: register.PaperReceipt, Shop: shop().Shop, Opening: protocol.SaleOpened{Sale: aSale, Number: "000118", Total: eur(100)}}
	waiting, begun := jobOf(paper, aSale), jobOf(paper, aSale)
	if _, err := term.Commit(t.Context(), terminal.QueueJob(waiting), terminal.QueueJob(begun)); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Commit(t.Context(), terminal.StartJob(begun.ID)); err != nil {
		t.Fatal(err)
	}
	b := real(t, term)
	tray := b.o.Spool.printer.(*paperTray)
	b.send(b.resume()()).until("the paper", func() bool { return tray.count() == 1 })
	if d := b.dialog(); d == nil || d.name != "print-again" {
		t.Fatal("nobody was asked about the paper that may have come out")
	}
	b.press("y").until("the paper again", func() bool { return tray.count() == 2 })
	if tray.all()[1].Copies == 0 {
		t.Fatalf("the second is not headed COPY: %+v", tray.all())
	}
}

// TestEffectsKeepTheirOrder: commands run side by side, the journal's effects
// one after another.
func TestEffectsKeepTheirOrder(t *testing.T) {
	b := counter(t, 80, 24)
	var order []int
	var cmds []tea.Cmd
	for i := range 50 {
		cmds = append(cmds, b.queue(time.Second, func(context.Context) tea.Msg { order = append(order, i); return nil }))
	}
	done := make(chan struct{})
	for _, cmd := range slices.Backward(cmds) {
		go func() { cmd(); done <- struct{}{} }()
	}
	for range cmds {
		<-done
	}
	if !slices.IsSorted(order) || len(order) != 50 {
		t.Fatalf("the order is %v", order)
	}
}

func TestEachEffectHasADeadline(t *testing.T) {
	b := counter(t, 80, 24)
	msg := b.queue(time.Millisecond, func(ctx context.Context) tea.Msg {
		<-ctx.Done()
		return failed{"wait", ctx.Err()}
	})()
	if f, ok := msg.(failed); !ok || !errors.Is(f.err, context.DeadlineExceeded) {
		t.Fatalf("got %v", msg)
	}
}
