package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"till/cmd/internal/boot"
	"till/protocol"
)

func cents(minor int64) *protocol.Money { return &protocol.Money{Currency: "EUR", Minor: minor} }

// theBooks are of a day: a sale in bitcoin, one in two cash notes with change, one
// that was cancelled, a refund that left, one that did not, coins sold, a sweep.
func theBooks(t *testing.T, format func(*bufio.Writer) bookWriter) string {
	t.Helper()
	var out bytes.Buffer
	buffer := bufio.NewWriter(&out)
	w := format(buffer)
	w.begin(boot.Books{Shop: "Café & Co", Currency: "EUR", Now: 1_795_000_100_000}, boot.PageAsked{Until: 1_795_000_000_000})
	w.sale(boot.SaleLine{Sale: "s1", Number: "000001", Terminal: "bar", User: "1", Opened: 1_794_000_000_000, State: protocol.SaleConfirmed, Said: "paid", Total: *cents(1230), Tip: cents(100),
		Tax: []protocol.TaxShare{{Tax: *cents(205)}}, Lines: []protocol.Line{{Name: "Tee & <Kuchen> für den allerlängsten Tisch im Haus"}}, Note: "=1+1", TxIDs: []string{"ab"}, Received: 21162,
		Tenders: []boot.TenderLine{{Tender: "t0", Kind: "bitcoin", At: 1_794_000_000_000, Amount: *cents(1230), Removed: true}, {Tender: "t1", Kind: "bitcoin", At: 1_794_000_001_000, Amount: *cents(1230), DueSat: 21162, Rate: 5812345, Address: "bc1q"}}})
	w.sale(boot.SaleLine{Sale: "s2", Number: "000002", Opened: 1_794_000_002_000, State: protocol.SaleConfirmed, Said: "paid", Total: *cents(2530), Tenders: []boot.TenderLine{
		{Tender: "t2", Kind: "cash", At: 1_794_000_003_000, Amount: *cents(2000)}, {Tender: "t3", Kind: "cash", At: 1_794_000_004_000, Amount: *cents(1000)}}})
	w.sale(boot.SaleLine{Sale: "s3", Number: "000003", Opened: 1_794_000_005_000, State: protocol.SaleCancelled, Said: "cancelled", Total: *cents(999), Tenders: []boot.TenderLine{{Tender: "t4", Kind: "cash", Amount: *cents(999)}}})
	w.refund(boot.RefundLine{Refund: "r1", Sale: "s1", Number: "000001", At: 1_794_000_006_000, Kind: "bitcoin", Amount: *cents(430), Dispense: "p1", State: protocol.PayoutConfirmed, AmountSat: 7398, FeeSat: 141,
		AtSale: cents(429), AtPayout: cents(440)})
	w.refund(boot.RefundLine{Refund: "r2", Sale: "s1", Number: "000001", At: 1_794_000_007_000, Kind: "bitcoin", Amount: *cents(100), Dispense: "p2", State: protocol.PayoutRefused})
	w.payout(boot.PayoutLine{ID: "p1", Of: "dispense", Refund: "r1", State: protocol.PayoutConfirmed, Sat: 7398})
	w.payout(boot.PayoutLine{ID: "p3", Of: "dispense", At: 1_794_000_008_000, State: protocol.PayoutBroadcast, Price: cents(5000), Sat: 84000, FeeSat: 141, AtPayout: cents(4990)})
	w.payout(boot.PayoutLine{ID: "p4", Of: "sweep", At: 1_794_000_009_000, State: protocol.PayoutConfirmed, Sat: 100000, FeeSat: 300})
	if err := errors.Join(w.end(), buffer.Flush()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func minorOf(t *testing.T, text string) int64 {
	t.Helper()
	negative := strings.HasPrefix(text, "-")
	m, err := protocol.ParseMoney("EUR", strings.TrimPrefix(text, "-"))
	if err != nil {
		t.Fatalf("amount %q: %v", text, err)
	}
	if negative {
		return -m.Minor
	}
	return m.Minor
}

func TestTotalsOfPaidSalesAreTendersLessChangeInTheCSV(t *testing.T) {
	records, err := csv.NewReader(strings.NewReader(theBooks(t, newCSVBook))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(record []string, name string) string { return record[slices.Index(csvHeader, name)] }
	totals, moved, kinds := int64(0), int64(0), []string{}
	for _, r := range records[1:] {
		kind := column(r, "kind")
		kinds = append(kinds, kind)
		switch {
		case kind == "sale" && column(r, "state") != "cancelled":
			totals += minorOf(t, column(r, "total"))
		case kind == "tender" || kind == "change":
			moved += minorOf(t, column(r, "amount"))
		case kind == "refund" && column(r, "state") == "refused" && column(r, "amount") != "":
			t.Error("a refund that never left has an amount")
		}
		if strings.HasPrefix(column(r, "note"), "=") {
			t.Errorf("a note is a formula: %q", column(r, "note"))
		}
	}
	if totals != 3760 || moved != totals {
		t.Errorf("totals %d, tenders less change %d", totals, moved)
	}
	if want := []string{"sale", "tender", "sale", "tender", "tender", "change", "sale", "refund", "refund", "sell", "sweep"}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v", kinds)
	}
}

func TestEveryListStandsInTheJSON(t *testing.T) {
	for name, text := range map[string]string{"full": theBooks(t, newJSONBook), "empty": func() string {
		var out bytes.Buffer
		buffer := bufio.NewWriter(&out)
		w := newJSONBook(buffer)
		w.begin(boot.Books{Currency: "EUR"}, boot.PageAsked{})
		if err := errors.Join(w.end(), buffer.Flush()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}()} {
		var books struct {
			Sales   []boot.SaleLine
			Refunds []boot.RefundLine
			Payouts []boot.PayoutLine
		}
		if err := json.Unmarshal([]byte(text), &books); err != nil || books.Sales == nil || books.Refunds == nil || books.Payouts == nil {
			t.Fatalf("%s: %v in\n%s", name, err, text)
		}
		if name == "full" && (len(books.Sales) != 3 || len(books.Refunds) != 2 || len(books.Payouts) != 3) {
			t.Errorf("%d sales, %d refunds, %d payouts", len(books.Sales), len(books.Refunds), len(books.Payouts))
		}
	}
}

// The order of elements is part of OFX (2.2, 11.4.2.2 and 11.4.4.1); so are the
// lengths of texts and that a FITID stands once in an account.
var ofxOrder = map[string][]string{
	"OFX":            {"SIGNONMSGSRSV1", "BANKMSGSRSV1"},
	"SONRS":          {"STATUS", "DTSERVER", "LANGUAGE"},
	"STATUS":         {"CODE", "SEVERITY"},
	"STMTTRNRS":      {"TRNUID", "STATUS", "STMTRS"},
	"STMTRS":         {"CURDEF", "BANKACCTFROM", "BANKTRANLIST", "LEDGERBAL"},
	"BANKACCTFROM":   {"BANKID", "ACCTID", "ACCTTYPE"},
	"STMTTRN":        {"TRNTYPE", "DTPOSTED", "TRNAMT", "FITID", "NAME", "MEMO"},
	"LEDGERBAL":      {"BALAMT", "DTASOF"},
	"BANKTRANLIST":   {"DTSTART", "DTEND", "STMTTRN"},
	"BANKMSGSRSV1":   {"STMTTRNRS"},
	"SIGNONMSGSRSV1": {"SONRS"},
}

type ofxElement struct {
	XMLName xml.Name
	Text    string       `xml:",chardata"`
	Inside  []ofxElement `xml:",any"`
}

func (e ofxElement) walk(visit func(ofxElement)) {
	visit(e)
	for _, child := range e.Inside {
		child.walk(visit)
	}
}

func TestOFXKeepsTheRulesOfTheStandardAndBalancesToTheCent(t *testing.T) {
	text := theBooks(t, newOFXBook)
	var root ofxElement
	d := xml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&root); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) && err != nil {
		t.Fatal(err)
	}
	most := map[string]int{"NAME": 32, "MEMO": 255, "FITID": 255, "BANKID": 9, "ACCTID": 22, "TRNUID": 36, "CURDEF": 3}
	balances := map[string]int64{}
	root.walk(func(e ofxElement) {
		name := e.XMLName.Local
		if order, known := ofxOrder[name]; known {
			last := 0
			for _, child := range e.Inside {
				at := slices.Index(order, child.XMLName.Local)
				if at < last {
					t.Errorf("%s in %s is out of order", child.XMLName.Local, name)
				}
				last = at
			}
		} else if len(e.Inside) > 0 {
			t.Errorf("%s is not known", name)
		}
		if n := len([]rune(e.Text)); most[name] > 0 && (n > most[name] || n == 0) {
			t.Errorf("%s has %d characters", name, n)
		}
		if name == "STMTRS" {
			sum, fitids := int64(0), []string{}
			for _, trn := range e.Inside[2].Inside[2:] {
				sum += minorOf(t, trn.Inside[2].Text)
				if (trn.Inside[0].Text == "DEBIT") != strings.HasPrefix(trn.Inside[2].Text, "-") || slices.Contains(fitids, trn.Inside[3].Text) {
					t.Errorf("transaction %+v", trn)
				}
				fitids = append(fitids, trn.Inside[3].Text)
			}
			if balance := minorOf(t, e.Inside[3].Inside[0].Text); balance != sum {
				t.Errorf("balance %d of %d", balance, sum)
			}
			balances[e.Inside[1].Inside[1].Text] = sum
		}
	})
	if balances["bitcoin"] != 1230-430-5000 || balances["cash"] != 2530+5000 {
		t.Errorf("balances %v", balances)
	}
}

func TestQuantitiesAreWrittenWithoutNoughts(t *testing.T) {
	for n, want := range map[int64]string{1000: "1", 1500: "1.5", 250: "0.25", 12000: "12", -1000: "-1"} {
		if got := thousandths(n); got != want {
			t.Errorf("%s: %s, want %s", strconv.FormatInt(n, 10), got, want)
		}
	}
}
