package tui

import (
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/crypto/argon2"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != string(want) {
		t.Errorf("%s differs; look at it and run with -update\n%s", path, got)
	}
}

func eur(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }

func ptr[T any](v T) *T { return &v }

// noon is when all scenes play.
var noon = time.Date(2026, 11, 24, 14, 32, 0, 0, time.UTC)

const (
	aSale   = protocol.SaleID("0193b1a0-0000-7000-8000-000000000001")
	aTender = protocol.TenderID("0193b1a0-0000-7000-8000-000000000002")
	address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	aTxid   = "a0b08875e3a1a119c5fe2cf41920a9058874c904c36bf6a091645cd366d5bdad"
)

func shop() protocol.Config {
	return protocol.Config{
		Version: 1, Currency: "EUR", Locale: "en", Network: "regtest", TipsBP: []int64{500, 1000}, PaymentWindowS: 900,
		Shop:  protocol.Shop{Name: "Café Central", Address: []string{"Herrengasse 14", "1010 Wien"}, TaxNumber: "ATU12345678", ReceiptFooter: "Thank you"},
		Tax:   []protocol.Tax{{Code: "A", RateBP: 2000, Included: true}, {Code: "B", RateBP: 1000, Included: true}},
		Users: []protocol.User{{ID: "1", Name: "Anna", Role: protocol.RoleCashier}, {ID: "2", Name: "Marek", Role: protocol.RoleManager}},
	}
}

func goods() []protocol.Item {
	return []protocol.Item{
		{SKU: "101", Name: "Espresso", Category: "coffee", Price: ptr(eur(250)), Tax: "A"},
		{SKU: "102", Name: "Café crème", Category: "coffee", Price: ptr(eur(380)), Tax: "A", Barcode: "9001234567890"},
		{SKU: "201", Name: "Apple strudel", Category: "cake", Price: ptr(eur(480)), Tax: "B"},
		{SKU: "202", Name: "Sachertorte", Category: "cake", Price: ptr(eur(620)), Tax: "B"},
		{SKU: "301", Name: "Gift wrapping", Category: "shop", Tax: "A"},
	}
}

func quote() *protocol.Quote {
	return &protocol.Quote{
		ID: "0193b1a0-0000-7000-8000-00000000000a", Currency: "EUR", Buy: 5812000, Sell: 5900000,
		Sources: []protocol.Source{{Name: "kraken"}, {Name: "coinbase"}}, At: protocol.TimeOf(noon.Add(-12 * time.Second)), Until: protocol.TimeOf(noon.Add(9 * time.Minute)),
	}
}

// patron pays nothing: it is only there to be offered.
type patron struct{}

func (patron) Pay(context.Context, string, protocol.Sat) (string, error) { return "", nil }

func (patron) Tap(context.Context, string, protocol.Money) error { return nil }

// bench is a model under test with the hand's clock in the test's hand.
type bench struct {
	*model
	t    testing.TB
	hand time.Duration
	wall time.Time
	cmds []tea.Cmd // what Update asked for, unperformed
	// answers are those of the commands that were performed.
	answers chan tea.Msg
}

// counter is a terminal that has all it needs, without anything behind it: no
// command is performed.
func counter(t testing.TB, w, h int, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, wall: noon, hand: time.Hour}
	o := Options{
		Version: "till/1.0.0 linux/arm64", Log: slog.New(slog.DiscardHandler), Zone: time.UTC, Practice: true, User: "1", Customer: patron{}, Stretch: argon2.IDKey,
		Clock: func() time.Time { return b.wall }, Hand: func() time.Duration { return b.hand },
		After: func(time.Duration) <-chan time.Time { return nil },
		Spool: &Spool{printer: readyPrinter{}},
	}
	term := widget.Terminal{Blocks: true}
	for _, f := range change {
		f(&o)
	}
	theme, err := widget.NewTheme("dark", term)
	if err != nil {
		t.Fatal(err)
	}
	b.model = newModel(t.Context(), o, theme, new(atomic.Pointer[Seen]))
	b.model.term = term
	config := shop()
	health := terminal.Health{Paired: true, Online: true, LastCheckIn: protocol.TimeOf(noon.Add(-3 * time.Second)), Addresses: 20, PayoutLeft: &protocol.Money{Currency: "EUR", Minor: 46000}}
	b.send(tea.WindowSizeMsg{Width: w, Height: h},
		looked{config: &config, items: goods(), quote: quote(), health: health, identity: terminal.Identity{Name: "counter 1", Server: "till.local:8443"}},
		shifted{id: "0193b1a0-0000-7000-8000-00000000000b", number: 12, opened: protocol.TimeOf(noon.Add(-6 * time.Hour)), opener: "2"},
		devicesRead{states: map[string]device.Status{"printer": {State: device.Ready, Model: "EPSON TM-T88V"}}})
	return b
}

// readyPrinter stands for a printer that is never used.
type readyPrinter struct{ Printer }

func (b *bench) send(msgs ...tea.Msg) *bench {
	b.t.Helper()
	for _, msg := range msgs {
		_, cmd := b.Update(msg)
		b.cmds = append(b.cmds, cmd)
	}
	return b
}

// press presses keys as a hand does, with pauses.
func (b *bench) press(strokes ...string) *bench {
	b.t.Helper()
	for _, s := range strokes {
		b.hand += 400 * time.Millisecond
		b.send(keyPress(s))
		// A character that acts is held until it is known not to be a scan's.
		b.send(still{b.model.hand.run, b.hand + scanGap})
	}
	return b
}

// write types a text as a hand does.
func (b *bench) write(text string) *bench {
	for _, r := range text {
		b.press(string(r))
	}
	return b
}

var named = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete},
	"up": {Code: tea.KeyUp}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "space": {Code: tea.KeySpace, Text: " "}, "down": {Code: tea.KeyDown}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "f1": {Code: tea.KeyF1}, "f2": {Code: tea.KeyF2}, "f3": {Code: tea.KeyF3},
	"f4": {Code: tea.KeyF4}, "f5": {Code: tea.KeyF5}, "tab": {Code: tea.KeyTab}, "f6": {Code: tea.KeyF6}, "f11": {Code: tea.KeyF11}, "f12": {Code: tea.KeyF12}, "f7": {Code: tea.KeyF7}, "f8": {Code: tea.KeyF8}, "f9": {Code: tea.KeyF9}, "f10": {Code: tea.KeyF10},
}

func keyPress(stroke string) tea.KeyPressMsg {
	if k, ok := named[stroke]; ok {
		return k
	}
	if len(stroke) > 5 && stroke[:5] == "ctrl+" {
		return tea.KeyPressMsg{Code: rune(stroke[5]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(stroke)[0], Text: stroke}
}

// recorded answers the record that the register waits for, as a terminal would.
func (b *bench) recorded() *bench {
	b.t.Helper()
	for ticket := register.Ticket(1); ticket < 100; ticket++ {
		done := register.Recorded{Ticket: ticket, At: protocol.TimeOf(noon)}
		if b.reg.Sale == nil {
			t := b.reg.Totals()
			done.Opening = protocol.SaleOpened{Sale: aSale, Number: "000118", Total: t.Total, Lines: b.reg.Cart.Lines, Tax: t.Tax}
		}
		if b.reg.Rest().Minor > 0 || b.reg.Sale == nil {
			tender := protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderBitcoin, Amount: b.reg.Total(), Address: address}
			if err := register.Charge(&tender, *quote()); err != nil {
				b.t.Fatal(err)
			}
			done.Tender, done.Quote = &tender, quote()
		}
		b.send(recorded{answer: done})
		if b.reg.Phase != register.Asking {
			return b
		}
	}
	b.t.Fatal("nothing was asked")
	return b
}

// status is the server's word on the sale on the screen.
func status(state protocol.SaleState, v protocol.Verdict, received protocol.Sat, message string, flags ...protocol.Flag) told {
	s := &protocol.SaleStatus{
		Sale: aSale, State: state, Verdict: v, DueSat: 21164, ReceivedSat: received, Flags: flags, Reason: "test", Message: message,
		Tenders: []protocol.TenderStatus{{Tender: aTender, Address: address, DueSat: 21164, ReceivedSat: received}},
	}
	if received > 0 {
		s.TxIDs, s.Tenders[0].TxIDs = []string{aTxid}, []string{aTxid}
	}
	return told{s}
}

// rung is a cart of three lines and 12.30.
func (b *bench) rung() *bench {
	return b.press("2", "*").write("esp").press("enter").write("stru").press("enter").write("250").press("+")
}

// waiting is a sale of 12.30 with its request on the screen.
func (b *bench) waiting() *bench { return b.rung().press("enter", "1").recorded() }

// past are sales of the day.
func past() []terminal.Sale {
	sale := func(n int64, minute int, name string, minor int64, said terminal.Said, s *protocol.SaleStatus) terminal.Sale {
		at := protocol.TimeOf(noon.Add(-time.Duration(minute) * time.Minute))
		id := protocol.SaleID("0193b1a0-0000-7000-8000-0000000001" + string(rune('0'+n/10)) + string(rune('0'+n%10)))
		tender := protocol.TenderAdded{Sale: id, Tender: aTender, Kind: protocol.TenderCash, Amount: eur(minor)}
		if s != nil {
			tender.Kind, tender.Address, tender.DueSat = protocol.TenderBitcoin, address, s.DueSat
		}
		return terminal.Sale{
			Position: n, Opened: at, Said: said, Status: s, Copies: 1, Tenders: []terminal.Tender{{TenderAdded: tender, Added: at}},
			Opening: protocol.SaleOpened{Sale: id, Number: "0001" + string(rune('0'+n/10)) + string(rune('0'+n%10)), Total: eur(minor),
				Lines: []protocol.Line{{Name: name, Quantity: 1000, Price: eur(minor), Tax: "A"}}},
		}
	}
	st := func(state protocol.SaleState, v protocol.Verdict, due protocol.Sat, message string, flags ...protocol.Flag) *protocol.SaleStatus {
		return &protocol.SaleStatus{State: state, Verdict: v, DueSat: due, ReceivedSat: due, Flags: flags, TxIDs: []string{aTxid}, Confirmations: 1, Message: message}
	}
	return []terminal.Sale{
		sale(18, 2, "Espresso, Apple strudel", 1230, terminal.SaidPaid, st("accepted", "accept", 21164, "seen, no conflict, under the 50 EUR limit: the goods may go")),
		sale(17, 9, "Tea", 480, terminal.SaidPaid, nil),
		sale(16, 20, "Lunch", 120400, terminal.SaidPaid, st("seen", "wait", 2071576, "seen: 0 of 1 confirmation")),
		sale(15, 31, "Flowers", 9900, terminal.SaidPaid, st("open", "refuse", 170337, "the payment is gone", protocol.FlagReplaced)),
		sale(14, 55, "Sachertorte", 620, terminal.SaidCancelled, nil),
		sale(13, 61, "Apple juice", 360, terminal.SaidParked, nil),
	}
}

// saleAlert is an alert about a sale.
func saleAlert(id int64, flag protocol.Flag, message string) terminal.Alert {
	body, err := json.Marshal(protocol.SaleStatus{
		Sale: past()[3].ID(), State: "open", Flags: []protocol.Flag{flag}, Verdict: "refuse", Reason: "test", Message: message,
	})
	if err != nil {
		panic(err)
	}
	return terminal.Alert{ID: id, Urgent: true, Alert: protocol.Alert{Seq: id, At: protocol.TimeOf(noon), Kind: protocol.AlertSale, Body: body}}
}

// plain is the frame without its roles.
func (b *bench) plain() string {
	out := ""
	for i, l := range b.model.frame.Lines {
		if i > 0 {
			out += "\n"
		}
		out += l.String()
	}
	return out
}
