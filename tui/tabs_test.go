package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

const aTabURL = "taler+http://192.168.1.20:8480/contract?sale=0193b1a0-0000-7000-8000-000000000001#9XKEJ0V2T4D7E3M5Q8W6R1Y0Z2A4B6C8D0F2G4H6J8K0M2N4P6Q8"

// aTab is an open tab of two rounds in a state, of which so much is signed.
func aTab(state string, signed int64, closed bool) terminal.Sale {
	lines := []protocol.Line{{Name: "Pilsner", Quantity: 3000, Price: eur(450), Tax: "A"}, {Name: "Apple strudel", Quantity: 1000, Price: eur(480), Tax: "B"}}
	charged := eur(1830)
	if state == "" || state == register.TabOffered {
		lines, charged = nil, eur(0)
	}
	tab := terminal.Tab{
		TabOpened: protocol.TabOpened{Sale: aSale, Tender: aTender, MaxAmount: eur(5000)}, Opened: protocol.TimeOf(noon.Add(-time.Hour)),
		Charged: charged, Lines: lines, Closed: closed,
		Contract: &protocol.ContractReady{Sale: aSale, Tender: aTender, URL: aTabURL, Expiry: protocol.TimeOf(noon.Add(11 * time.Hour))},
	}
	if state != "" {
		tab.Status = &protocol.TabStatus{Sale: aSale, Tender: aTender, State: state, MaxAmount: eur(5000), Charged: &charged, Signed: ptr(eur(signed)), LockUntil: protocol.TimeOf(noon.Add(11 * time.Hour))}
	}
	return terminal.Sale{
		Opening: protocol.SaleOpened{Sale: aSale, Number: "000117", Total: charged, Lines: lines}, Opened: tab.Opened, Said: terminal.SaidOpen, Tabs: []terminal.Tab{tab},
		Tenders: []terminal.Tender{{TenderAdded: protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderEcash, Amount: charged}, Contract: tab.Contract}},
	}
}

// serving is a shop that takes e-cash and has an open tab.
func (b *bench) serving(s terminal.Sale) *bench {
	b.reg.Config.MerchantURL = "http://192.168.1.20:8480"
	return b.send(recent{open: []terminal.Sale{s}})
}

func init() {
	scenes = append(scenes, []struct {
		name string
		play func(*bench)
	}{
		{"tab-limit", func(b *bench) {
			b.reg.Config.MerchantURL = "http://192.168.1.20:8480"
			b.press("ctrl+k")
		}},
		{"tabs", func(b *bench) { b.serving(aTab("charged", 1350, false)).press("ctrl+k") }},
		{"tab-offered", func(b *bench) { b.serving(aTab("offered", 0, false)).press("ctrl+k", "enter") }},
		{"tab-round", func(b *bench) { b.serving(aTab("charged", 1830, false)).rung().press("ctrl+k", "enter") }},
		{"tab-unsigned", func(b *bench) { b.serving(aTab("charged", 1350, false)).press("ctrl+k", "enter") }},
		{"tab-close", func(b *bench) { b.serving(aTab("charged", 1350, false)).press("ctrl+k", "enter", "ctrl+x") }},
		{"tab-at-mint", func(b *bench) {
			s := aTab("charged", 1830, true)
			s.Tabs[0].Deposit = &protocol.DepositStatus{Sale: aSale, Tender: aTender, State: "waiting", Amount: eur(1830)}
			b.serving(s).press("ctrl+k", "enter")
		}},
		{"tab-paid", func(b *bench) {
			b.serving(aTab("charged", 1830, true)).press("ctrl+k", "enter").send(recent{}, tabEnded{tab: theTab("paid", 1830), number: "000117"})
		}},
		{"tab-part", func(b *bench) {
			b.serving(aTab("charged", 1350, true)).press("ctrl+k", "enter").send(recent{}, tabEnded{tab: theTab("paid", 1350), number: "000117"})
		}},
		{"tab-paid-elsewhere", func(b *bench) {
			b.serving(aTab("charged", 1350, true)).rung().send(recent{}, tabEnded{tab: theTab("paid", 1350), number: "000117"})
		}},
		{"tab-lost", func(b *bench) {
			s := aTab("lost", 0, true)
			text, err := protocol.Encode(s.Tabs[0].Status)
			if err != nil {
				b.t.Fatal(err)
			}
			b.rung().interrupt(terminal.Alert{ID: 1, Urgent: true, Alert: protocol.Alert{Seq: 1, At: protocol.TimeOf(noon), Kind: protocol.AlertTab, Body: text}})
			b.send(ticked{})
		}},
	}...)
}

func theTab(state string, signed int64) register.Tab {
	t, _ := tabOf(aTab(state, signed, true))
	return t
}

func TestACartThatCouldNotBeChargedComesBack(t *testing.T) {
	b := counter(t, 80, 24)
	b.serving(aTab("charged", 1830, false)).rung()
	want := len(b.reg.Cart.Lines)
	b.press("ctrl+k", "enter", "enter")
	if len(b.reg.Cart.Lines) != 0 {
		t.Fatal("the register is not free while the round is written")
	}
	b.press("enter") // nothing to charge twice
	cart := register.Cart{Lines: pilsners(want)}
	b.send(tabCharged{aSale, cart, errors.New("the disk is away")})
	if len(b.reg.Cart.Lines) != want || !strings.Contains(b.plain(), "the disk is away") {
		t.Errorf("%d lines came back\n%s", len(b.reg.Cart.Lines), b.plain())
	}
}

// pilsners is a cart of so many lines.
func pilsners(n int) []protocol.Line {
	lines := make([]protocol.Line, n)
	for i := range lines {
		lines[i] = protocol.Line{Name: "Pilsner", Quantity: 1000, Price: eur(450)}
	}
	return lines
}

func TestATabIsNotTheSaleThatARestartPutsOnTheScreen(t *testing.T) {
	b := counter(t, 80, 24)
	b.serving(aTab("charged", 1830, false))
	if len(b.facts.parked) != 0 || len(b.facts.tabs) != 1 {
		t.Errorf("%d parked, %d tabs", len(b.facts.parked), len(b.facts.tabs))
	}
}

func TestATabsEndIsWrittenOnce(t *testing.T) {
	b := counter(t, 80, 24)
	paid := aTab("paid", 1830, true)
	b.serving(paid)
	if len(b.tabs.ending) != 1 {
		t.Fatalf("%d ends are written", len(b.tabs.ending))
	}
	b.send(recent{open: []terminal.Sale{paid}})
	if len(b.tabs.ending) != 1 {
		t.Errorf("%d ends are written of one tab", len(b.tabs.ending))
	}
	b.send(recent{}, tabEnded{tab: theTab("paid", 1830)})
	if len(b.tabs.ending) != 0 {
		t.Errorf("%d ends are still written", len(b.tabs.ending))
	}
}
