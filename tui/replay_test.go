package tui

import (
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/terminal"
)

// momentsOfASale are those of a sale whose bitcoin was seen and accepted.
func momentsOfASale(t testing.TB) replayRead {
	t.Helper()
	const sale, tender = "0193b1a0-0000-7000-8000-000000000001", "0193b1a0-0000-7000-8000-000000000002"
	at := protocol.TimeOf(time.Date(2026, 11, 22, 14, 32, 0, 0, time.UTC))
	total := protocol.Money{Currency: "EUR", Minor: 1230}
	var happened []terminal.Happened
	var last *protocol.Entry
	entry := func(kind protocol.EntryKind, body any) {
		e, err := protocol.NewEntry(last, at, kind, body)
		if err != nil {
			t.Fatal(err)
		}
		last, at = e, at+2000
		happened = append(happened, terminal.Happened{At: e.At, Entry: e})
	}
	told := func(state protocol.SaleState, received protocol.Sat, verdict protocol.Verdict, reason, message string) {
		body, err := protocol.Encode(protocol.SaleStatus{Sale: sale, State: state, Flags: []protocol.Flag{}, TxIDs: []string{}, ReceivedSat: received, DueSat: 21163, Verdict: verdict, Reason: reason, Message: message,
			Tenders: []protocol.TenderStatus{{Tender: tender, DueSat: 21163, ReceivedSat: received, TxIDs: []string{}}}})
		if err != nil {
			t.Fatal(err)
		}
		at += 2000
		happened = append(happened, terminal.Happened{At: at, Alert: &protocol.Alert{At: at, Kind: protocol.AlertSale, Body: body}})
	}
	entry(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: total, Lines: []protocol.Line{{Name: "Espresso", Quantity: 1000, Price: total}}})
	entry(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderBitcoin, Amount: total, DueSat: 21163, Address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"})
	told(protocol.SaleOpen, 0, protocol.VerdictWait, "unpaid", "nothing has come yet")
	told(protocol.SaleSeen, 21163, protocol.VerdictWait, "watching", "it was just seen")
	entry(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
	return replayRead{momentsOf(happened, nil)}
}

func TestASaleIsReplayedScreenByScreen(t *testing.T) {
	b := counter(t, 80, 24).press("f3").send(salesRead{1, past()}).press("enter").send(momentsOfASale(t))
	if m := b.sales.replay; m == nil || len(m.moments) != 5 {
		t.Fatalf("moments %+v", m)
	}
	for i, want := range []string{"Espresso", "bcrt 1qw5", "bcrt 1qw5", "0.00021163", "PAID"} {
		if text := b.plain(); !strings.Contains(text, want) || !strings.Contains(text, string(rune('1'+i))+" / 5") {
			t.Errorf("moment %d does not show %q:\n%s", i+1, want, text)
		}
		b.press("enter")
	}
	if b.press("enter").sales.replay.at != 4 {
		t.Error("there is something behind the last moment")
	}
	if b.press("up").sales.replay.at != 3 {
		t.Error("it does not go back")
	}
	if b.press("esc"); b.sales.replay != nil || !b.sales.detail {
		t.Error("esc does not lead back to the sale")
	}
	if b.reg.Sale != nil {
		t.Error("the register holds the replayed sale")
	}
}

func TestADayOrAMonthBoundsTheSales(t *testing.T) {
	day := func(m time.Month, d int) protocol.Time {
		return protocol.TimeOf(time.Date(2026, m, d, 0, 0, 0, 0, time.UTC))
	}
	for text, want := range map[string]terminal.SaleFilter{
		"espresso":            {Text: "espresso"},
		"2026-11-22 espresso": {Text: "espresso", Since: day(11, 22), Until: day(11, 23)},
		"tea 22.11.2026":      {Text: "tea", Since: day(11, 22), Until: day(11, 23)},
		"2026-11":             {Since: day(11, 1), Until: day(12, 1)},
		"12.30":               {Text: "12.30"},
		"2026-13-01":          {Text: "2026-13-01"},
	} {
		if got := saleFilter(text, time.UTC); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
