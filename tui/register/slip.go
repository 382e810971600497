package register

import (
	"fmt"
	"io"

	"till/device"
	"till/protocol"
	"till/protocol/bitcoin"
)

// The papers of money that comes by a key or leaves as coins.
const (
	PaperSweep  PaperKind = "sweep"
	PaperPayout PaperKind = "payout"
)

// Slip is what such a paper says beside its head. It holds no secret.
type Slip struct {
	State   protocol.PayoutState `json:"state"`
	Method  protocol.Method      `json:"method,omitempty"` // of a payout; "" is cash
	Price   protocol.Money       `json:"price,omitzero"`
	Sat     protocol.Sat         `json:"sat"` // taken, or paid out
	Fee     protocol.Sat         `json:"fee,omitempty"`
	Change  protocol.Sat         `json:"change,omitempty"`
	To      string               `json:"to,omitempty"`   // the change, or the payout
	Owed    protocol.Sat         `json:"owed,omitempty"` // to the customer
	Number  string               `json:"number,omitempty"`
	Refund  bool                 `json:"refund,omitempty"`
	Message string               `json:"message,omitempty"`
}

// The labels of these papers.
const (
	LabelRedeemed  Label = "key_redeemed"
	LabelSold      Label = "bitcoin_sold"
	LabelRefund    Label = "refund"
	LabelTaken     Label = "taken"
	LabelPaidOut   Label = "paid_out"
	LabelFee       Label = "network_fee"
	LabelChangeTo  Label = "change_to"
	LabelOwed      Label = "owed"
	LabelCash      Label = "cash"
	LabelStripe    Label = "stripe_warning"
	LabelWallet    Label = "paper_wallet"
	LabelReceive   Label = "public_half"
	LabelSpend     Label = "private_half"
	LabelKeepSafe  Label = "keep_safe"
	LabelNoPayment Label = "no_payment"
)

func slipLabels() []Label {
	return []Label{
		LabelRedeemed, LabelSold, LabelRefund, LabelTaken, LabelPaidOut, LabelFee, LabelChangeTo, LabelOwed, LabelCash, LabelStripe,
		LabelWallet, LabelReceive, LabelSpend, LabelKeepSafe, LabelNoPayment,
	}
}

// slip is what was taken or paid out, in both units, and how far it is.
func (p Paper) slip(s Style) device.Document {
	x := p.Slip
	if x == nil {
		return nil
	}
	title, amount := LabelRedeemed, LabelTaken
	if p.Kind == PaperPayout {
		title, amount = LabelSold, LabelPaidOut
		if x.Refund {
			title = LabelRefund
		}
	}
	d := device.Document{centred(s.Word(title), device.Style{Bold: true, Double: true})}
	if x.Number != "" {
		d = append(d, device.Columns{Left: s.Word(LabelSale), Right: x.Number})
	}
	if x.Price.Minor != 0 {
		d = append(d, device.Columns{Right: string(x.Price.Currency) + " " + s.Money(x.Price)})
	}
	if p.Kind == PaperPayout && x.Method == "" {
		return append(d, device.Columns{Left: s.Word(LabelCash), Style: bold})
	}
	sats := func(label Label, v protocol.Sat) {
		if v > 0 {
			d = append(d, device.Columns{Left: s.Word(label), Right: "BTC " + s.Bitcoin(v)})
		}
	}
	d = append(d, device.Columns{Left: s.Word(amount), Right: "BTC " + s.Bitcoin(x.Sat), Style: bold})
	sats(LabelFee, x.Fee)
	sats(LabelChange, x.Change)
	sats(LabelOwed, x.Owed)
	if x.To != "" {
		label := LabelAddress
		if p.Kind == PaperSweep {
			label = LabelChangeTo
		}
		d = append(d, device.Line{Text: s.Word(label) + " " + x.To})
	}
	seen := s.Word(LabelNotSeen)
	if p.TxID != "" {
		seen = p.TxID
	}
	d = append(d, device.Line{Text: s.Word(LabelTx) + " " + seen}, device.Line{Text: s.Payout(x.State, x.Message), Style: bold})
	if x.Method == protocol.MethodMagcard {
		d = append(d, device.Line{}, device.Line{Text: s.Word(LabelStripe)})
	}
	return d
}

// Wallet is a key that the terminal made for coins that leave on paper or on a
// card. It lives until it is made and is kept nowhere.
type Wallet struct {
	key bitcoin.Key
	net bitcoin.Network
}

// NewWallet makes a key from random.
func NewWallet(random io.Reader, net bitcoin.Network) (*Wallet, error) {
	key, err := bitcoin.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("make paper wallet: %w", err)
	}
	return &Wallet{key, net}, nil
}

// Wipe overwrites the key; a nil wallet has none.
func (w *Wallet) Wipe() {
	if w != nil {
		w.key.Wipe()
	}
}

func (w *Wallet) destination() bitcoin.Address {
	const segwit = 2 // of P2PKH, P2SH-P2WPKH, P2WPKH, P2TR
	return w.key.Addresses(w.net)[segwit]
}

// Address is where its coins go: P2WPKH of the compressed key.
func (w *Wallet) Address() string { return w.destination().String() }

// Document is the paper wallet: the address to look at and to pay to, below it
// the key that spends. It goes to the printer at once, never into the queue of
// the journal.
func (w *Wallet) Document(p Paper, s Style) device.Document {
	d := append(p.head(s), centred(s.Word(LabelWallet), device.Style{Bold: true, Double: true}), centred("BTC "+s.Bitcoin(p.AmountSat), bold),
		device.Line{}, centred(s.Word(LabelReceive), bold), device.QR{Content: bitcoin.URI{Addresses: []bitcoin.Address{w.destination()}}.QR()},
		centred(w.Address(), device.Style{}), device.Rule{}, centred(s.Word(LabelSpend), bold))
	for _, wif := range w.key.WIFs(w.net) {
		d = append(d, device.QR{Content: wif.Reveal()}, centred(wif.Reveal(), device.Style{}))
		wif.Wipe()
	}
	return append(d, device.Line{}, device.Line{Text: s.Word(LabelKeepSafe)}, device.Line{Text: s.Word(LabelNoPayment)}, device.Feed{Lines: 1}, device.Cut{})
}

// Card is a stripe with the key on its first track (devices.md §4).
func (w *Wallet) Card() (device.Stripe, error) {
	track, err := bitcoin.CardOfKey(w.key, w.net)
	if err != nil {
		return device.Stripe{}, fmt.Errorf("make card: %w", err)
	}
	defer track.Wipe()
	return device.Stripe{device.TextOf(track.Reveal())}, nil
}
