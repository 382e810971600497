package register

import (
	"testing"

	"till/protocol"
)

func aTab() Tab {
	return Tab{Sale: "s", Tender: "t", Max: eur(5000), Charged: eur(1000), Signed: eur(600), State: TabCharged}
}

func TestARoundIsTheCartOnTopOfWhatWasCharged(t *testing.T) {
	c := counter(t)
	c.do(Digits{"250"}, Add{}, Digits{"480"}, Add{}, Digits{"70"}, Tip{}, Note{"for Ida"})
	tab := aTab()
	if why := c.r.WhyNoRound(tab); why != "" {
		t.Fatal(why)
	}
	round := c.r.Round(tab, "tip")
	if round.Amount != eur(1800) || len(round.Lines) != 4 || round.Lines[2].Name != "tip" || round.Lines[2].Price != eur(70) || round.Lines[3].Name != "“for Ida”" {
		t.Errorf("%+v", round)
	}
	sum := int64(0)
	for _, l := range round.Lines {
		amount, err := l.Total()
		if err != nil {
			t.Fatal(err)
		}
		sum += amount.Minor
	}
	if sum != 800 {
		t.Errorf("the lines of the round are %d", sum)
	}
	c.do(Charged{})
	if !c.r.Cart.Empty() || c.r.Cleared != nil {
		t.Error("a cart that was charged is there still, or can be brought back")
	}
}

func TestNoRoundWithoutACoinAboveTheLimitOrAfterTheEnd(t *testing.T) {
	c := counter(t)
	if why := c.r.WhyNoRound(aTab()); why != WhyCartEmpty {
		t.Errorf("an empty cart: %q", why)
	}
	c.do(Digits{"4000"}, Add{})
	for _, test := range []struct {
		name   string
		change func(*Tab)
		want   Why
	}{
		{"all that is left", func(*Tab) {}, ""},
		{"a cent more than is left", func(t *Tab) { t.Charged.Minor++ }, WhyAboveTab},
		{"nothing told yet", func(t *Tab) { t.State = "" }, WhyNoCoinHeld},
		{"offered", func(t *Tab) { t.State = TabOffered }, WhyNoCoinHeld},
		{"locked", func(t *Tab) { t.State = TabLocked }, ""},
		{"closed", func(t *Tab) { t.Closed = true }, WhyTabOver},
		{"lapsing", func(t *Tab) { t.State = TabLapsing }, WhyTabOver},
		{"paid", func(t *Tab) { t.State = TabPaid }, WhyTabOver},
		{"lost", func(t *Tab) { t.State = TabLost }, WhyTabOver},
	} {
		tab := aTab()
		test.change(&tab)
		if why := c.r.WhyNoRound(tab); why != test.want {
			t.Errorf("%s: %q, want %q", test.name, why, test.want)
		}
	}
}

func TestTheReceiptOfATabKnowsItsTaxes(t *testing.T) {
	c := counter(t)
	lines := []protocol.Line{{Name: "Beer", Quantity: 2000, Price: eur(600), Tax: "A"}}
	p := c.r.Receipt(Sale{Opening: protocol.SaleOpened{Sale: "s", Total: eur(1200), Lines: lines}}, "Anna", eur(0))
	if len(p.Opening.Tax) != 1 || p.Opening.Tax[0].Tax != eur(200) {
		t.Errorf("%+v", p.Opening.Tax)
	}
}
