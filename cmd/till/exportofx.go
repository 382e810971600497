package main

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"sort"
	"strings"

	"till/cmd/internal/boot"
	"till/protocol"
)

// ofxBook writes OFX 2.2 (Open Financial Exchange 2.2, 11.4 bank statement
// download): a statement for each means of paying, whose ledger balance is what
// the time brought. Bitcoin stands at its value at the sale, and at its price
// where the shop sold it.
type ofxBook struct {
	w      *bufio.Writer
	books  boot.Books
	asked  boot.PageAsked
	moves  map[protocol.TenderKind][]ofxMove
	oldest protocol.Time
}

// ofxMove is one STMTTRN.
type ofxMove struct {
	at    protocol.Time
	id    string // FITID, at most 255 characters, the same in every export
	minor int64
	name  string // at most 32 characters
	memo  string // at most 255
}

func newOFXBook(w *bufio.Writer) bookWriter {
	return &ofxBook{w: w, moves: map[protocol.TenderKind][]ofxMove{}}
}

func (b *ofxBook) begin(books boot.Books, asked boot.PageAsked) {
	b.books, b.asked, b.oldest = books, asked, asked.Until
}

func (b *ofxBook) move(kind protocol.TenderKind, m ofxMove) {
	b.oldest = min(b.oldest, m.at)
	b.moves[kind] = append(b.moves[kind], m)
}

func (b *ofxBook) sale(s boot.SaleLine) {
	counts, change := tendered(s)
	for _, t := range counts {
		memo := goodsOf(s)
		if t.DueSat > 0 {
			memo = fmt.Sprintf("%d sat, %s", t.DueSat, memo)
		}
		b.move(t.Kind, ofxMove{t.At, string(t.Tender), t.Amount.Minor, "Sale " + s.Number, memo})
	}
	if change.minor > 0 {
		b.move(protocol.TenderCash, ofxMove{change.at, string(s.Sale) + "-change", -change.minor, "Change of sale " + s.Number, ""})
	}
}

func (b *ofxBook) refund(r boot.RefundLine) {
	if gone(r.State) {
		return
	}
	memo := ""
	if r.AtSale != nil && r.AtPayout != nil {
		memo = fmt.Sprintf("%d sat, %s at the sale, %s at payout", r.AmountSat, r.AtSale, r.AtPayout)
	}
	b.move(r.Kind, ofxMove{r.At, string(r.Refund), -r.Amount.Minor, "Refund of sale " + r.Number, memo})
}

// payout of coins that were sold: what was paid for them came in as cash, and
// the same value left as bitcoin.
func (b *ofxBook) payout(o boot.PayoutLine) {
	if o.Price == nil || gone(o.State) {
		return
	}
	memo := fmt.Sprintf("%d sat, %d sat fee", o.Sat, o.FeeSat)
	b.move(protocol.TenderCash, ofxMove{o.At, string(o.ID) + "-price", o.Price.Minor, "Bitcoin sold", memo})
	b.move(protocol.TenderBitcoin, ofxMove{o.At, string(o.ID), -o.Price.Minor, "Bitcoin sold", memo})
}

func (b *ofxBook) end() error {
	b.say(`<?xml version="1.0" encoding="UTF-8" standalone="no"?>`)
	b.say(`<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>`)
	b.say("<OFX>")
	b.say("<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><DTSERVER>%s</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>", ofxTime(b.books.Now))
	kinds := []string{}
	for kind := range b.moves {
		kinds = append(kinds, string(kind))
	}
	if len(kinds) == 0 {
		kinds = []string{string(protocol.TenderCash)} // a response holds a statement
	}
	sort.Strings(kinds)
	b.say("<BANKMSGSRSV1>")
	for i, kind := range kinds {
		b.statement(i+1, kind, b.moves[protocol.TenderKind(kind)])
	}
	b.say("</BANKMSGSRSV1>\n</OFX>")
	return nil
}

func (b *ofxBook) statement(n int, kind string, moves []ofxMove) {
	sort.SliceStable(moves, func(i, j int) bool { return moves[i].at < moves[j].at })
	b.say("<STMTTRNRS><TRNUID>%d</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>", n)
	b.say("<STMTRS><CURDEF>%s</CURDEF><BANKACCTFROM><BANKID>TILL</BANKID><ACCTID>%s</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>", b.books.Currency, kind)
	since := b.asked.Since
	if since == 0 {
		since = b.oldest
	}
	b.say("<BANKTRANLIST><DTSTART>%s</DTSTART><DTEND>%s</DTEND>", ofxTime(since), ofxTime(b.asked.Until))
	balance := int64(0)
	for _, m := range moves {
		balance += m.minor
		way := "CREDIT"
		if m.minor < 0 {
			way = "DEBIT"
		}
		memo := ""
		if m.memo != "" {
			memo = "<MEMO>" + ofxText(m.memo, 255) + "</MEMO>"
		}
		b.say("<STMTTRN><TRNTYPE>%s</TRNTYPE><DTPOSTED>%s</DTPOSTED><TRNAMT>%s</TRNAMT><FITID>%s</FITID><NAME>%s</NAME>%s</STMTTRN>",
			way, ofxTime(m.at), b.decimal(m.minor), m.id, ofxText(m.name, 32), memo)
	}
	b.say("</BANKTRANLIST><LEDGERBAL><BALAMT>%s</BALAMT><DTASOF>%s</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS>", b.decimal(balance), ofxTime(b.asked.Until))
}

func (b *ofxBook) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.w, format+"\n", args...) // the writer keeps its fault until it is flushed
}

func (b *ofxBook) decimal(minor int64) string {
	return protocol.Money{Currency: b.books.Currency, Minor: minor}.Decimal()
}

// ofxTime is YYYYMMDDHHMMSS.XXX[gmt offset:tz name] (3.2.8.2).
func ofxTime(t protocol.Time) string { return t.Time().UTC().Format("20060102150405.000") + "[0:GMT]" }

// ofxText bounds a text in characters and escapes it.
func ofxText(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most])
	}
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a builder takes all
	return out.String()
}
