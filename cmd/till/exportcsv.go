package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"

	"till/cmd/internal/boot"
	"till/protocol"
)

// csvHeader: amounts are decimals of the currency with a point, money that left
// is negative; *_sat are satoshi; rate is the price of a bitcoin.
var csvHeader = []string{
	"time", "kind", "number", "sale", "id", "terminal", "user", "means", "state", "currency", "total", "tax", "tip", "amount",
	"sat", "fee_sat", "rate", "value_at_sale", "value_at_payout", "address", "txid", "note",
}

type csvBook struct {
	w    *csv.Writer
	unit protocol.Currency
}

func newCSVBook(w *bufio.Writer) bookWriter { return &csvBook{w: csv.NewWriter(w)} }

func (b *csvBook) begin(books boot.Books, _ boot.PageAsked) {
	b.unit = books.Currency
	_ = b.w.Write(csvHeader) // Error tells at the end
}

// row writes the named columns.
func (b *csvBook) row(at protocol.Time, columns map[string]string) {
	columns["time"], columns["currency"] = at.String(), string(b.unit)
	record := make([]string, len(csvHeader))
	for i, name := range csvHeader {
		record[i] = columns[name]
	}
	_ = b.w.Write(record)
}

func (b *csvBook) decimal(minor int64) string {
	return protocol.Money{Currency: b.unit, Minor: minor}.Decimal()
}

func (b *csvBook) value(m *protocol.Money) string {
	if m == nil {
		return ""
	}
	return m.Decimal()
}

func (b *csvBook) sale(s boot.SaleLine) {
	tax, tip := int64(0), int64(0)
	for _, t := range s.Tax {
		tax += t.Tax.Minor
	}
	if s.Tip != nil {
		tip = s.Tip.Minor
	}
	base := func(kind string) map[string]string {
		return map[string]string{"kind": kind, "number": s.Number, "sale": string(s.Sale), "terminal": s.Terminal, "user": s.User}
	}
	row := base("sale")
	row["state"], row["total"], row["tax"], row["tip"] = string(s.State), s.Total.Decimal(), b.decimal(tax), b.decimal(tip)
	row["note"], row["txid"] = harmless(s.Note), strings.Join(s.TxIDs, " ")
	if s.Received > 0 {
		row["sat"] = sats(s.Received)
	}
	b.row(s.Opened, row)
	counts, change := tendered(s)
	for _, t := range counts {
		row := base("tender")
		row["id"], row["means"], row["amount"], row["address"] = string(t.Tender), string(t.Kind), t.Amount.Decimal(), t.Address
		if t.DueSat > 0 {
			row["sat"], row["rate"], row["value_at_sale"] = sats(t.DueSat), b.decimal(int64(t.Rate)), t.Amount.Decimal()
		}
		b.row(t.At, row)
	}
	if change.minor > 0 {
		row := base("change")
		row["means"], row["amount"] = string(protocol.TenderCash), b.decimal(-change.minor)
		b.row(change.at, row)
	}
}

func (b *csvBook) refund(r boot.RefundLine) {
	row := map[string]string{
		"kind": "refund", "number": r.Number, "sale": string(r.Sale), "id": string(r.Refund), "terminal": r.Terminal, "user": r.User,
		"means": string(r.Kind), "state": string(r.State), "amount": b.decimal(-r.Amount.Minor), "txid": r.TxID,
		"value_at_sale": b.value(r.AtSale), "value_at_payout": b.value(r.AtPayout),
	}
	if r.Dispense != "" {
		row["sat"], row["fee_sat"] = "-"+sats(r.AmountSat), sats(r.FeeSat)
	}
	if gone(r.State) {
		row["amount"] = ""
	}
	if r.ApprovedBy != "" {
		row["note"] = "approved by " + harmless(r.ApprovedBy)
	}
	b.row(r.At, row)
}

func (b *csvBook) payout(o boot.PayoutLine) {
	row := map[string]string{
		"kind": "sell", "sale": string(o.Sale), "id": string(o.ID), "terminal": o.Terminal, "means": string(protocol.TenderBitcoin), "state": string(o.State),
		"sat": "-" + sats(o.Sat), "fee_sat": sats(o.FeeSat), "amount": b.value(o.Price), "value_at_payout": b.value(o.AtPayout),
		"address": o.Address, "txid": o.TxID,
	}
	switch {
	case o.Refund != "":
		return // it stands there
	case o.Of == protocol.PayoutSweep:
		row["kind"], row["means"], row["sat"] = "sweep", string(protocol.TenderKey), sats(o.Sat)
	}
	if gone(o.State) {
		row["amount"] = ""
	}
	if o.Approver != "" {
		row["note"] = "approved by " + harmless(o.Approver)
	}
	b.row(o.At, row)
}

func (b *csvBook) end() error {
	b.w.Flush()
	return b.w.Error()
}

func sats(s protocol.Sat) string { return strconv.FormatInt(int64(s), 10) }

// harmless keeps a text that somebody typed from being a formula where the file
// is opened as a sheet (OWASP, CSV injection).
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// jsonBook writes one object whose lists grow as they come.
type jsonBook struct {
	w     *bufio.Writer
	begun int // of lists
	first bool
	err   error
}

func newJSONBook(w *bufio.Writer) bookWriter { return &jsonBook{w: w} }

func (b *jsonBook) begin(books boot.Books, p boot.PageAsked) {
	head := struct {
		Shop     string            `json:"shop"`
		Currency protocol.Currency `json:"currency"`
		Since    *protocol.Time    `json:"since"` // null: from the beginning
		Until    protocol.Time     `json:"until"`
	}{books.Shop, books.Currency, nil, p.Until}
	if p.Since != 0 {
		head.Since = &p.Since
	}
	text, err := json.Marshal(head)
	b.err = err
	_, _ = b.w.Write(text[:max(0, len(text)-1)]) // the writer keeps its fault until it is flushed
}

// lists are the members of the object, in order: each is there, if empty.
var lists = []string{"sales", "refunds", "payouts"}

// open begins a list, and before it those that had nothing.
func (b *jsonBook) open(list string) {
	for b.begun < len(lists) && (b.begun == 0 || lists[b.begun-1] != list) {
		if b.begun > 0 {
			_, _ = b.w.WriteString("]")
		}
		_, _ = b.w.WriteString(`,"` + lists[b.begun] + `":[`)
		b.begun++
		b.first = true
	}
}

func (b *jsonBook) item(list string, v any) {
	b.open(list)
	text, err := json.Marshal(v)
	if err != nil && b.err == nil {
		b.err = err
	}
	if !b.first {
		_, _ = b.w.WriteString(",")
	}
	b.first = false
	_, _ = b.w.WriteString("\n")
	_, _ = b.w.Write(text)
}

func (b *jsonBook) sale(s boot.SaleLine)     { b.item("sales", s) }
func (b *jsonBook) refund(r boot.RefundLine) { b.item("refunds", r) }
func (b *jsonBook) payout(o boot.PayoutLine) { b.item("payouts", o) }

func (b *jsonBook) end() error {
	b.open("") // all that are left
	_, _ = b.w.WriteString("]}\n")
	return b.err
}
