package register

import (
	"fmt"
	"slices"
	"strings"

	"till/device"
	"till/protocol"
	"till/protocol/bitcoin"
)

// PaperKind is what a paper is.
type PaperKind string

// The kinds.
const (
	PaperReceipt  PaperKind = "receipt"
	PaperRequest  PaperKind = "request"  // a payment request, where the screen is too small for it
	PaperAddress  PaperKind = "address"  // a fresh address outside a sale
	PaperIncoming PaperKind = "incoming" // money that arrived on one
	PaperTest     PaperKind = "test"
)

// Paper is all that a paper says, without a language: it is what waits in the
// print queue, as JSON, and survives a restart.
type Paper struct {
	Kind     PaperKind      `json:"kind"`
	Practice bool           `json:"practice,omitempty"`
	At       protocol.Time  `json:"at"` // when it was queued
	Shop     protocol.Shop  `json:"shop"`
	Terminal string         `json:"terminal,omitempty"`
	User     string         `json:"user,omitempty"` // a name
	Taxes    []protocol.Tax `json:"taxes,omitempty"`

	Opening protocol.SaleOpened            `json:"opening,omitzero"`
	Tenders []Tender                       `json:"tenders,omitempty"`
	State   protocol.SaleState             `json:"state,omitempty"`
	Flags   []protocol.Flag                `json:"flags,omitempty"`
	Reason  string                         `json:"reason,omitempty"`
	Message string                         `json:"message,omitempty"` // the server's sentence
	Txids   map[protocol.TenderID][]string `json:"txids,omitempty"`
	Change  protocol.Money                 `json:"change,omitzero"`

	Address   string         `json:"address,omitempty"`
	Amount    protocol.Money `json:"amount,omitzero"`
	AmountSat protocol.Sat   `json:"amount_sat,omitempty"`
	Link      string         `json:"link,omitempty"` // what the QR code says
	TxID      string         `json:"txid,omitempty"`
	Slip      *Slip          `json:"slip,omitempty"`

	Report *protocol.Report  `json:"report,omitempty"`
	Staff  map[string]string `json:"staff,omitempty"` // names in it, by id
}

// Style is how a paper speaks: the words and formats of a language.
type Style struct {
	Word    func(Label) string
	Money   func(protocol.Money) string // without the currency's code
	Bitcoin func(protocol.Sat) string   // without BTC
	Number  func(thousandths int64) string
	Moment  func(protocol.Time) string // date, time and zone
	State   func(state protocol.SaleState, flags []protocol.Flag, reason, message string) string
	Tender  func(protocol.TenderKind) string
	Payout  func(state protocol.PayoutState, message string) string
}

// Label is a word on paper.
type Label string

// The labels.
const (
	LabelPractice   Label = "practice"
	LabelSale       Label = "sale"
	LabelTerminal   Label = "terminal"
	LabelTaxNumber  Label = "tax_number"
	LabelDiscount   Label = "discount"
	LabelSubtotal   Label = "subtotal"
	LabelTip        Label = "tip"
	LabelTax        Label = "tax"
	LabelNet        Label = "net"
	LabelTotal      Label = "total"
	LabelChange     Label = "change"
	LabelRate       Label = "rate"
	LabelAddress    Label = "address"
	LabelTx         Label = "transaction"
	LabelNotSeen    Label = "not_yet_seen"
	LabelNote       Label = "note"
	LabelScanToPay  Label = "scan_to_pay"
	LabelOurAddress Label = "our_address"
	LabelArrived    Label = "arrived"
	LabelTest       Label = "test"
)

// Labels lists every label.
func Labels() []Label {
	return append([]Label{
		LabelPractice, LabelSale, LabelTerminal, LabelTaxNumber, LabelDiscount, LabelSubtotal, LabelTip, LabelTax, LabelNet,
		LabelTotal, LabelChange, LabelRate, LabelAddress, LabelTx, LabelNotSeen, LabelNote, LabelScanToPay, LabelOurAddress,
		LabelArrived, LabelTest,
	}, slipLabels()...)
}

// receipt is the receipt of the sale as it stands; the performer of its record
// adds what only it knows.
func (r Register) receipt(change protocol.Money) Paper {
	p := Paper{Kind: PaperReceipt, Shop: r.Config.Shop, User: r.User.Name, Taxes: r.Config.Tax, State: protocol.SaleAccepted, Change: change}
	if r.Sale == nil {
		return p
	}
	return r.Sale.receipt(p)
}

// Receipt is the receipt of any sale as it stands now, for a reprint.
func (r Register) Receipt(s Sale, user string, change protocol.Money) Paper {
	s.Opening.Tax = r.shares(s.Opening)
	return s.receipt(Paper{Kind: PaperReceipt, Shop: r.Config.Shop, User: user, Taxes: r.Config.Tax, State: s.State(), Change: change})
}

func (s Sale) receipt(p Paper) Paper {
	p.Opening, p.Tenders = s.Opening, slices.Clone(s.Tenders)
	if s.Status == nil {
		return p
	}
	p.State, p.Flags, p.Reason, p.Message = s.Status.State, s.Status.Flags, s.Status.Reason, s.Status.Message
	p.Txids = map[protocol.TenderID][]string{}
	for _, t := range s.Status.Tenders {
		p.Txids[t.Tender] = slices.Clone(t.TxIDs)
	}
	return p
}

// Document is the paper for a printer (product.md §4).
func (p Paper) Document(s Style) device.Document {
	d := p.head(s)
	switch p.Kind {
	case PaperReceipt:
		d = slices.Concat(d, p.sold(s), p.paid(s))
		if p.Opening.Sale != "" {
			d = append(d, device.Line{}, device.QR{Content: "till://sale/" + string(p.Opening.Sale)})
		}
	case PaperRequest, PaperAddress:
		d = slices.Concat(d, p.request(s))
	case PaperIncoming:
		d = append(d, centred(s.Word(LabelArrived), bold),
			device.Columns{Right: "BTC " + s.Bitcoin(p.AmountSat), Style: device.Style{Bold: true}},
			device.Line{Text: s.Word(LabelAddress) + " " + p.Address}, device.Line{Text: s.Word(LabelTx) + " " + p.TxID})
	case PaperSweep, PaperPayout:
		d = slices.Concat(d, p.slip(s))
	case PaperReport:
		d = slices.Concat(d, p.report(s))
	case PaperTest:
		d = append(d, centred(s.Word(LabelTest), bold), device.Columns{Left: "ABCDEFGHIJKLM", Right: "0123456789"}, device.QR{Content: "till"})
	}
	if p.Shop.ReceiptFooter != "" && p.Kind == PaperReceipt {
		d = append(d, device.Line{}, centred(p.Shop.ReceiptFooter, device.Style{}))
	}
	return append(d, device.Feed{Lines: 1}, device.Cut{})
}

var bold = device.Style{Bold: true}

func centred(text string, style device.Style) device.Line {
	return device.Line{Text: text, Align: device.Center, Style: style}
}

// head is who, where, when.
func (p Paper) head(s Style) device.Document {
	d := device.Document{centred(p.Shop.Name, device.Style{Bold: true, Double: true})}
	for _, line := range p.Shop.Address {
		d = append(d, centred(line, device.Style{}))
	}
	if p.Shop.TaxNumber != "" {
		d = append(d, centred(s.Word(LabelTaxNumber)+" "+p.Shop.TaxNumber, device.Style{}))
	}
	if p.Practice {
		d = append(d, device.Line{}, centred(" "+s.Word(LabelPractice)+" ", device.Style{Bold: true, Inverse: true}))
	}
	d = append(d, device.Rule{})
	number := ""
	if p.Opening.Number != "" {
		number = s.Word(LabelSale) + " " + p.Opening.Number
	}
	d = append(d, device.Columns{Left: s.Moment(p.At), Right: number})
	if p.Terminal != "" || p.User != "" {
		d = append(d, device.Columns{Left: strings.TrimSpace(s.Word(LabelTerminal) + " " + p.Terminal), Right: p.User})
	}
	return append(d, device.Rule{})
}

// sold is the lines, what they add up to, and the tax in them.
func (p Paper) sold(s Style) device.Document {
	var d device.Document
	sum := protocol.Money{Currency: p.Opening.Total.Currency}
	for _, l := range p.Opening.Lines {
		full := l
		full.Discount = nil
		amount, err := full.Total()
		if err != nil {
			// It stood in the journal, where it was checked; say it without a sum.
			d = append(d, device.Line{Text: l.Name})
			continue
		}
		name := l.Name
		if l.Quantity != 1000 {
			name = s.Number(l.Quantity) + " x " + name
		}
		d = append(d, device.Columns{Left: name, Right: s.Money(amount)})
		if l.Quantity != 1000 {
			d = append(d, device.Line{Text: "  " + s.Money(l.Price)})
		}
		sum.Minor += amount.Minor
		if l.Discount != nil {
			off := protocol.Money{Currency: l.Discount.Currency, Minor: -l.Discount.Minor}
			label := "  " + s.Word(LabelDiscount)
			if l.Reason != "" {
				label += " (" + l.Reason + ")"
			}
			d = append(d, device.Columns{Left: label, Right: s.Money(off)})
			sum.Minor += off.Minor
		}
	}
	d = append(d, device.Rule{})
	if sum != p.Opening.Total {
		d = append(d, device.Columns{Left: s.Word(LabelSubtotal), Right: s.Money(sum)})
	}
	if p.Opening.Tip != nil {
		d = append(d, device.Columns{Left: s.Word(LabelTip), Right: s.Money(*p.Opening.Tip)})
	}
	for _, share := range p.Opening.Tax {
		if !p.included(share.Code) && share.Tax.Minor != 0 {
			d = append(d, device.Columns{Left: s.Word(LabelTax) + " " + percent(s, share.RateBP), Right: s.Money(share.Tax)})
		}
	}
	total := p.Opening.Total
	d = append(d, device.Columns{
		Left: s.Word(LabelTotal) + " " + string(total.Currency), Right: s.Money(total), Style: device.Style{Bold: true, Tall: true},
	})
	for _, share := range p.Opening.Tax {
		d = append(d, device.Columns{
			Left:  fmt.Sprintf("%s %s  %s %s", share.Code, percent(s, share.RateBP), s.Word(LabelNet), s.Money(share.Net)),
			Right: s.Word(LabelTax) + " " + s.Money(share.Tax),
		})
	}
	if p.Opening.Note != "" {
		d = append(d, device.Line{Text: s.Word(LabelNote) + ": " + p.Opening.Note})
	}
	return append(d, device.Rule{})
}

func (p Paper) included(code string) bool {
	i := slices.IndexFunc(p.Taxes, func(t protocol.Tax) bool { return t.Code == code })
	return i < 0 || p.Taxes[i].Included
}

// percent says hundredths of a percent.
func percent(s Style, bp int64) string { return s.Number(bp*10) + " %" }

// paid is each tender in both units, what it was worth, and how far it is.
func (p Paper) paid(s Style) device.Document {
	var d device.Document
	bitcoins := false
	for _, t := range p.Tenders {
		d = append(d, device.Columns{Left: s.Tender(t.Kind), Right: string(t.Amount.Currency) + " " + s.Money(t.Amount)})
		if t.Contract != nil {
			d = append(d, device.Line{Text: s.Word(LabelTx) + " " + t.Contract.TransactionID})
		}
		if t.Lot() {
			d = append(d, device.Line{Text: s.State(p.State, nil, t.Deposit.Reason, t.Deposit.Message)})
		}
		if t.Kind != protocol.TenderBitcoin && t.Kind != protocol.TenderKey {
			continue
		}
		bitcoins = true
		d = append(d, device.Columns{Right: "BTC " + s.Bitcoin(t.DueSat)})
		if t.Quote != nil {
			rate := s.Money(protocol.Money{Currency: t.Quote.Currency, Minor: int64(t.Quote.Buy)})
			d = append(d, device.Columns{Left: s.Word(LabelRate), Right: rate + " " + string(t.Quote.Currency) + "/BTC"})
		}
		if t.Address != "" {
			d = append(d, device.Line{Text: s.Word(LabelAddress) + " " + t.Address})
		}
		seen := s.Word(LabelNotSeen)
		if ids := p.Txids[t.Tender]; len(ids) > 0 {
			seen = strings.Join(ids, " ")
		}
		d = append(d, device.Line{Text: s.Word(LabelTx) + " " + seen})
	}
	if p.Change.Minor > 0 {
		given := protocol.Money{Currency: p.Change.Currency, Minor: -p.Change.Minor}
		d = append(d, device.Columns{Left: s.Word(LabelChange), Right: s.Money(given)})
	}
	if settled := p.State == protocol.SaleAccepted || p.State == protocol.SaleConfirmed; bitcoins || !settled {
		d = append(d, device.Line{Text: s.State(p.State, p.Flags, p.Reason, p.Message), Style: bold})
	}
	return d
}

// request is an address to pay, its QR code, and the amount in both units.
func (p Paper) request(s Style) device.Document {
	title := LabelOurAddress
	if p.Kind == PaperRequest {
		title = LabelScanToPay
	}
	d := device.Document{centred(s.Word(title), bold)}
	if p.Amount.Minor > 0 {
		d = append(d, centred(string(p.Amount.Currency)+" "+s.Money(p.Amount), device.Style{Bold: true, Double: true}))
	}
	if p.AmountSat > 0 {
		d = append(d, centred("BTC "+s.Bitcoin(p.AmountSat), bold))
	}
	d = append(d, device.QR{Content: p.Link})
	if p.Address != "" {
		d = append(d, centred(p.Address, device.Style{}))
	}
	return d
}

// Link is a payment request as a QR code says it: in capitals where it may be,
// without trailing noughts, the amount left out when it is 0 (BIP21,
// devices.md §8).
func (r Register) Link(address string, amount protocol.Sat) (string, error) {
	network, err := bitcoin.ParseNetwork(r.Config.Network)
	if err != nil {
		return "", fmt.Errorf("make payment link: %w", err)
	}
	parsed, err := bitcoin.ParseAddress(address, network)
	if err != nil {
		return "", fmt.Errorf("make payment link: %w", err)
	}
	return bitcoin.URI{Addresses: []bitcoin.Address{parsed}, Amount: amount}.QR(), nil
}

// Charge fills in what the quote makes of a bitcoin tender's amount.
func Charge(t *protocol.TenderAdded, q protocol.Quote) error {
	due, err := q.Buy.Charge(t.Amount.Minor)
	if err != nil {
		return fmt.Errorf("price tender: %w", err)
	}
	t.Quote, t.DueSat = q.ID, due
	return nil
}
