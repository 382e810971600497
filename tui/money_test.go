package tui

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

// journalOf is the kinds of the entries in a terminal's database, oldest first,
// and all they say.
func journalOf(t *testing.T, path string) (kinds []protocol.EntryKind, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT kind, body FROM journal ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var kind, body string
		if err := rows.Scan(&kind, &body); err != nil {
			t.Fatal(err)
		}
		kinds, text = append(kinds, protocol.EntryKind(kind)), text+body
	}
	return kinds, text
}

func TestWhatIsHandedOverStandsInTheJournalAndNoKeyDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal.db")
	term := openTerminal(t, path)
	b := real(t, term)
	b.press("f5").send(scannedText(aKey))
	b.until("the key is judged", func() bool { return len(b.key.flow.Keys) == 1 })
	b.until("the server cannot be asked", func() bool { return b.key.flow.Note.Why == register.WhyNotAnswered })
	kinds, text := journalOf(t, path)
	if !slices.Contains(kinds, protocol.EntryTokenReceived) || strings.Contains(text, aKey) {
		t.Errorf("the journal holds %v: %s", kinds, text)
	}
	if strings.Contains(b.plain(), aKey) {
		t.Error("the key stays on the screen")
	}
}

// TestASweepWipesItsKeys: also when the server was never asked.
func TestASweepWipesItsKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal.db")
	term := openTerminal(t, path)
	key := protocol.NewSecret(aKey)
	s := sweep(t.Context(), term, protocol.Sweep{Keys: []protocol.Secret{key}})
	if s.Failure == nil || s.Failure.Unknown || s.ID == "" {
		t.Errorf("without a server: %+v", s.Failure)
	}
	if strings.Contains(key.Reveal(), aKey[:8]) {
		t.Error("the key is kept")
	}
	kept, err := term.Draft(t.Context(), draftSweep)
	if err != nil || !strings.Contains(string(kept), string(s.ID)) || strings.Contains(string(kept), aKey) {
		t.Errorf("kept for a restart: %s (%v)", kept, err)
	}
}

// TestAfterAPowerCutItIsCertainWhatWasNeverAsked: the key's tender leaves its
// sale, the payout is said not to have happened.
func TestAfterAPowerCutItIsCertainWhatWasNeverAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal.db")
	term := openTerminal(t, path)
	opening := protocol.SaleOpened{Sale: aSale, Number: "000001", Total: eur(1230)}
	tender := protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderKey, Amount: eur(1230), DueSat: 21164}
	order := protocol.Dispense{ID: "0193b1a0-0000-7000-8000-0000000000aa", AmountSat: 84745, Method: protocol.MethodAddress, Address: address}
	_, err := term.Commit(t.Context(), terminal.Record(protocol.EntrySaleOpened, opening), terminal.Record(protocol.EntryTenderAdded, tender),
		sweepDraft{ID: "0193b1a0-0000-7000-8000-0000000000bb", Tender: &tender}.step(), payoutDraft{Order: order}.step())
	if err != nil {
		t.Fatal(err)
	}
	b := real(t, term)
	b.cmds = append(b.cmds, b.resumeMoney())
	b.until("the payout is known not to have happened", func() bool { return b.sell.flow.Phase == register.SellDone && b.idle() })
	b.until("the sweep likewise", func() bool { return b.key.flow.ID == "" && b.idle() })
	if b.sell.flow.State != protocol.PayoutRefused || b.notice.text != b.w.Why[register.WhyNotTaken] {
		t.Errorf("the payout is %s, and of the sweep is said %q", b.sell.flow.State, b.notice.text)
	}
	sale, err := term.Sale(t.Context(), aSale)
	if err != nil || !sale.Tenders[0].Removed {
		t.Errorf("the tender of a sweep that never was is kept (%v)", err)
	}
	for _, name := range []string{draftSweep, draftPayout} {
		if kept, err := term.Draft(t.Context(), name); kept != nil || err != nil {
			t.Errorf("%s is kept: %s (%v)", name, kept, err)
		}
	}
}

// phc is a PIN as the configuration holds it, cheap.
func phc(pin string) string {
	salt := []byte("0123456789abcdef")
	return fmt.Sprintf("$argon2id$v=19$m=64,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(pin), salt, 1, 64, 1, 32)))
}

func TestARefundFromTheDrawerNeedsThePINOfTheApprover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal.db")
	term := openTerminal(t, path)
	opening := protocol.SaleOpened{Sale: aSale, Number: "000001", Total: eur(1230)}
	if _, err := term.Append(t.Context(), protocol.EntrySaleOpened, opening); err != nil {
		t.Fatal(err)
	}
	p := payer{terminal: term, stretch: argon2.IDKey, now: time.Now, user: "1"}
	ask := func(pin string) register.Paid {
		return p.payCash(t.Context(), register.PayCash{
			ID:       "0193b1a0-0000-7000-8000-0000000000aa",
			Approval: register.Approval{User: protocol.User{ID: "2", PIN: phc("2222")}, Code: protocol.NewSecret(pin)},
			Refund:   register.Refund{ID: "0193b1a0-0000-7000-8000-0000000000cc", Sale: aSale, Amount: eur(500)},
		})
	}
	if got := ask("2223"); got.Failure == nil || got.Failure.Code != protocol.CodeAuthcodeWrong {
		t.Errorf("a wrong PIN: %+v", got)
	}
	if kinds, _ := journalOf(t, path); len(kinds) != 1 {
		t.Errorf("a refused refund is journaled: %v", kinds)
	}
	if got := ask("2222"); got.Failure != nil || got.Result.State != protocol.PayoutConfirmed {
		t.Errorf("the right PIN: %+v", got.Failure)
	}
	if kinds, text := journalOf(t, path); !slices.Equal(kinds, []protocol.EntryKind{protocol.EntrySaleOpened, protocol.EntryRefund}) || !strings.Contains(text, `"approved_by":"2"`) {
		t.Errorf("journal is %v %s", kinds, text)
	}
}

// TestARefundIsJournaledOnceAndItsApprovalNever: the code goes to the server alone.
func TestARefundIsJournaledOnceAndItsApprovalNever(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal.db")
	term := openTerminal(t, path)
	opening := protocol.SaleOpened{Sale: aSale, Number: "000001", Total: eur(1230)}
	if _, err := term.Append(t.Context(), protocol.EntrySaleOpened, opening); err != nil {
		t.Fatal(err)
	}
	p := payer{terminal: term, stretch: argon2.IDKey, now: time.Now, user: "1"}
	refund := register.Refund{ID: "0193b1a0-0000-7000-8000-0000000000cc", Sale: aSale, Amount: eur(500)}
	ask := func() register.Paid {
		return p.pay(t.Context(), register.Pay{
			Order:    protocol.Dispense{ID: "0193b1a0-0000-7000-8000-0000000000aa", AmountSat: 8602, Method: protocol.MethodAddress, Address: address, RefundOf: refund.ID},
			Approval: register.Approval{User: protocol.User{ID: "2"}, Code: protocol.NewSecret("755224")}, Refund: &refund,
		})
	}
	first := ask()
	if first.Failure == nil || first.Failure.Unknown || !first.Journaled {
		t.Fatalf("without a server: %+v", first)
	}
	refund.Journaled = true
	ask()
	kinds, text := journalOf(t, path)
	if !slices.Equal(kinds, []protocol.EntryKind{protocol.EntrySaleOpened, protocol.EntryRefund}) || strings.Contains(text, "755224") {
		t.Errorf("journal is %v %s", kinds, text)
	}
	if kept, err := term.Draft(t.Context(), draftPayout); err != nil || strings.Contains(string(kept), "755224") {
		t.Errorf("kept for a restart: %s (%v)", kept, err)
	}
}

// reporter is a printer that says what it is told to.
type reporter struct {
	paperTray
	spool     *Spool
	reports   []device.JobReport
	cancelled chan string
}

func (r *reporter) Print(j device.Job) error {
	for _, report := range r.reports {
		report.ID = j.ID
		r.spool.Progress(report)
	}
	return nil
}

func (r *reporter) Cancel(id string) bool {
	r.cancelled <- id
	return true
}

func TestAPaperWithAKeyIsPrintedOnceOrNotAtAll(t *testing.T) {
	printing, done := device.JobReport{State: device.JobPrinting, Copies: 1}, device.JobReport{State: device.JobDone, Copies: 1, Confirmed: true}
	silent, again := done, device.JobReport{State: device.JobPrinting, Copies: 2}
	silent.Confirmed = false
	for _, c := range []struct {
		name    string
		reports []device.JobReport
		unsure  bool
		want    error
	}{
		{"printed", []device.JobReport{printing, done}, false, nil},
		{"printed by one that never answers", []device.JobReport{printing, silent}, true, nil},
		{"begun anew", []device.JobReport{printing, again, done}, false, errTwice},
		{"given up", []device.JobReport{printing, {State: device.JobFailed, Copies: 5}}, false, errNotPrinted},
		{"taken back", []device.JobReport{{State: device.JobCancelled}}, false, errNotPrinted},
	} {
		spool := NewSpool(nil, slog.New(slog.DiscardHandler))
		spool.Attach(&reporter{spool: spool, reports: c.reports})
		if unsure, err := spool.printNow(t.Context(), "wallet", nil); unsure != c.unsure || !errors.Is(err, c.want) {
			t.Errorf("%s: unsure %v, %v", c.name, unsure, err)
		}
	}
	spool := NewSpool(nil, slog.New(slog.DiscardHandler))
	printer := &reporter{spool: spool, reports: []device.JobReport{printing}, cancelled: make(chan string, 1)}
	spool.Attach(printer)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := spool.printNow(ctx, "wallet", nil); !errors.Is(err, context.Canceled) || <-printer.cancelled != "wallet" {
		t.Errorf("given up: %v", err)
	}
}
