package register

import (
	"encoding/json"
	"strings"
	"testing"

	"till/protocol"
)

// TestAPaperSurvivesTheQueue: what is printed after a restart is what was queued.
func TestAPaperSurvivesTheQueue(t *testing.T) {
	c := counter(t)
	c.do(Typed{"esp"}, Next{}, Digits{"10"}, Discount{}, Tip{}, Next{}, Choose{protocol.TenderBitcoin})
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, 21164))
	records := c.records()
	paper := *records[len(records)-1].Receipt
	text, err := json.Marshal(paper)
	if err != nil {
		t.Fatal(err)
	}
	var back Paper
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("came back as %s, went as %s", again, text)
	}
	if q := back.Tenders[0].Quote; q == nil || q.Buy != quote().Buy || len(back.Opening.Lines) != 1 {
		t.Errorf("came back without its price or lines: %+v", back)
	}
}

// TestAReceiptSaysWhatItOwes: each thing that product.md §4 asks for.
func TestAReceiptSaysWhatItOwes(t *testing.T) {
	style := Style{
		Word: func(l Label) string { return string(l) }, Money: protocol.Money.Decimal, Bitcoin: protocol.Sat.String,
		Number: func(n int64) string { return protocol.Money{Currency: "KWD", Minor: n}.Decimal() },
		Moment: protocol.Time.String,
		State: func(s protocol.SaleState, _ []protocol.Flag, reason, message string) string {
			return string(s) + " " + reason + " " + message
		},
		Tender: func(k protocol.TenderKind) string { return string(k) },
	}
	c := counter(t)
	c.do(Digits{"3"}, Quantity{}, Typed{"esp"}, Next{}, Digits{"10"}, Discount{}, Digits{"100"}, Typed{"flow"}, Next{}, Tip{}, Note{"for Ida"}, Next{}, Next{})
	unseen := c.r.Receipt(*c.r.Sale, "Anna", eur(0)).Document(style).Text(42)
	if !strings.Contains(unseen, "transaction not_yet_seen") || !strings.Contains(unseen, "open") {
		t.Errorf("before anything was seen:\n%s", unseen)
	}
	c.do(c.status(protocol.SaleAccepted, protocol.VerdictAccept, 1))
	paper := c.r.Receipt(*c.r.Sale, "Anna", eur(0))
	paper.Practice, paper.Terminal = true, "counter 1"
	text := paper.Document(style).Text(42)
	for _, want := range []string{
		"Café Central", "Herrengasse 14", "tax_number ATU12345678", "practice", "sale 000001", "terminal counter 1", "Anna",
		"3.000 x Espresso", "7.50", "discount", "-0.75", "Flowers", "subtotal", "tip", "tax 5.000 %", "total EUR", "A 20.000 %", "X 5.000 %",
		"note: for Ida", "bitcoin", "BTC 0.000", "58120.00 EUR/BTC", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt0", "transaction ab12",
		"accepted test as the test says", "[QR till://sale/0193b1a0", "Thank you",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
}
