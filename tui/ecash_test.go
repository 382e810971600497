package tui

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

const aBill = "taler+http://192.168.1.20:8480/contract?sale=0193b1a0-0000-7000-8000-000000000001" +
	"#9XKEJ0V2T4D7E3M5Q8W6R1Y0Z2A4B6C8D0F2G4H6J8K0M2N4P6Q8.3RS5TV7WX9Z2A"

// billing is a sale of 12.30 in e-cash whose bill has not come yet.
func (b *bench) billing() *bench {
	b.reg.Config.MerchantURL = "http://192.168.1.20:8480"
	b.rung().press("enter", "2")
	t := b.reg.Totals()
	tender := protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderEcash, Amount: t.Total}
	opening := protocol.SaleOpened{Sale: aSale, Number: "000118", Total: t.Total, Lines: b.reg.Cart.Lines, Tax: t.Tax}
	for ticket := register.Ticket(1); ticket < 100 && b.reg.Phase == register.Asking; ticket++ {
		b.send(recorded{answer: register.Recorded{Ticket: ticket, At: protocol.TimeOf(noon), Opening: opening, Tender: &tender}})
	}
	return b.send(ecashRead("open", "wait", "nothing has come yet", "", ""))
}

// billed shows the bill.
func (b *bench) billed() *bench {
	return b.billing().send(ecashRead("open", "wait", "nothing has come yet", "ready", ""))
}

// ecashRead is the server's word on the sale and its e-cash: deposit "" is none
// and no bill, ready a bill alone.
func ecashRead(state protocol.SaleState, v protocol.Verdict, message, deposit, reason string) saleRead {
	t := terminal.Tender{TenderAdded: protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderEcash, Amount: eur(1230)}}
	if deposit != "" {
		t.Contract = &protocol.ContractReady{Sale: aSale, Tender: aTender, TransactionID: "3RS5TV7WX9Z2A", URL: aBill, Expiry: protocol.TimeOf(noon.Add(15 * time.Minute))}
	}
	if deposit != "" && deposit != "ready" {
		t.Deposit = &protocol.DepositStatus{Sale: aSale, Tender: aTender, State: deposit, Amount: eur(1230), Reason: reason, Message: message}
	}
	s := terminal.Sale{Status: &protocol.SaleStatus{Sale: aSale, State: state, Verdict: v, Reason: "test", Message: message}, Tenders: []terminal.Tender{t}}
	return saleRead{told{s.Status}, billsOf(s)}
}

func init() {
	scenes = append(scenes, []struct {
		name string
		play func(*bench)
	}{
		{"ecash-preparing", func(b *bench) { b.billing() }},
		{"ecash-bill", func(b *bench) { b.billed() }},
		{"ecash-mint", func(b *bench) {
			b.billed().send(ecashRead("seen", "wait", "waiting for the mint", "waiting", "mint_unavailable"))
		}},
		{"ecash-rejected", func(b *bench) {
			b.billed().send(ecashRead("open", "wait", "the coin was spent before: ask for payment anew", "rejected", "spent"))
		}},
		{"ecash-paid", func(b *bench) { b.billed().send(ecashRead("confirmed", "accept", "paid", "accepted", "paid")) }},
		{"ecash-lot", func(b *bench) {
			b.billed().send(ecashRead("confirmed", "accept", "paid by lot: the draw left the customer the coin, the shop gets nothing this time", "accepted", "lottery_lost"))
		}},
		{"ecash-offline", func(b *bench) {
			b.billed()
			b.facts.health.Online, b.facts.health.OfflineSince = false, protocol.TimeOf(noon.Add(-27*time.Minute))
			b.send(ticked{})
		}},
	}...)
}

func TestABillTakesTheScreenItNeeds(t *testing.T) {
	for h, alone := range map[int]bool{30: false, 28: false, 24: true} {
		b := counter(t, 100, h)
		b.billed()
		if h != 24 {
			golden(t, "ecash-bill-100x"+strconv.Itoa(h), b.plain())
		}
		if b.qrOnly() != alone {
			t.Errorf("on %d rows the bill alone is %v", h, !alone)
		}
	}
}

func TestEcashIsDisabledWithItsReason(t *testing.T) {
	b := counter(t, 80, 24)
	b.rung().press("enter", "2")
	if b.reg.Phase != register.Choosing || !strings.Contains(b.plain(), "takes no e-cash") {
		t.Errorf("no reason:\n%s", b.plain())
	}
	b.reg.Config.MerchantURL = "http://192.168.1.20:8480"
	b.facts.health.Online, b.facts.health.OfflineSince = false, protocol.TimeOf(noon.Add(-27*time.Minute))
	b.press("2")
	if b.reg.Phase != register.Choosing || !strings.Contains(b.plain(), "e-cash needs the server") {
		t.Errorf("no reason:\n%s", b.plain())
	}
}

func TestTheReceiptNamesTheEcash(t *testing.T) {
	b := counter(t, 80, 24)
	b.billed().send(ecashRead("confirmed", "accept", "paid", "accepted", "paid"))
	paper := b.reg.Receipt(*b.reg.Sale, "Anna", eur(0))
	paper.At, paper.Practice, paper.Terminal = protocol.TimeOf(noon), true, "counter 1"
	golden(t, "receipt-ecash", paper.Document(b.w.style(time.UTC)).Text(42))
}
