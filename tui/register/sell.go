package register

import (
	"io"
	"strconv"
	"strings"

	"till/protocol"
	"till/protocol/bitcoin"
)

// SellPhase is how far a payout is.
type SellPhase uint8

// The phases.
const (
	SellPricing    SellPhase = iota // the amount is typed
	SellChoosing                    // paper, card or address
	SellAddressing                  // the customer's address is scanned or typed
	SellWorking                     // something is written
	SellReviewing                   // all is known: who approves?
	SellConfirming                  // approved; the amount waits for y
	SellMaking                      // the paper wallet is printed, or the card written
	SellPaying                      // the coins are on their way, or that is not known
	SellDone                        // the result, until it is acknowledged
)

// Payout is money that leaves as coins: bitcoin sold, or a refund. It is pure,
// as [Register] is.
type Payout struct {
	Network bitcoin.Network
	Quote   *protocol.Quote // the price now
	Limits  protocol.Limits
	Left    *protocol.Money // of the day's limits, nil unlimited
	Cards   bool            // a card writer is there
	Paper   bool            // a printer is there

	Phase    SellPhase
	Entry    Entry
	Satoshi  bool    // what is typed is bitcoin
	Refund   *Refund // nil: coins are sold
	Method   protocol.Method
	Address  string
	Order    protocol.Dispense // what is asked of the server, once it is reviewed
	Approver protocol.User
	Note     Said
	State    protocol.PayoutState
	Result   protocol.DispenseResult
	Failure  Failure

	carrier bool // paper or card hold the key already
	code    protocol.Secret
	text    protocol.Secret
	ticket  Ticket
}

// What happens in a payout, beside Digits, Point, Erase, Hand, Confirm, Noted,
// Next and Back.
type (
	// Unit changes between the shop's currency and bitcoin; for a refund between
	// the rate of the sale and that of now.
	Unit struct{}
	// Cash gives a refund back from the drawer.
	Cash struct{}
	// Deliver chooses how the coins reach the customer.
	Deliver struct{ Method protocol.Method }
	// Terms is the price and what the counter can do now.
	Terms struct {
		Quote        *protocol.Quote
		Limits       protocol.Limits
		Left         *protocol.Money
		Cards, Paper bool
	}
	// Keyed answers [MakeKey]: the address of the key that was made, or of the
	// order that needs none, with the payout's id, and a refund's where it has
	// none yet.
	Keyed struct {
		Ticket  Ticket
		ID      protocol.PayoutID
		Refund  protocol.RefundID
		Address string
		Why     Why
		Detail  string
	}
	// Approved is who agrees, with the proof.
	Approved struct{ Approval Approval }
	// Made answers [Make]: paper or card carry the key and were checked.
	Made struct {
		ID     protocol.PayoutID
		Why    Why // "" they do
		Detail string
	}
	// Paid tells how far the payout is. Failure is nil when it was accepted.
	// Journaled: the refund's entry is written and is not to be written again.
	Paid struct {
		ID        protocol.PayoutID
		Journaled bool
		Result    protocol.DispenseResult
		Failure   *Failure
	}
)

func (Unit) event()     {}
func (Cash) event()     {}
func (Deliver) event()  {}
func (Terms) event()    {}
func (Keyed) event()    {}
func (Approved) event() {}
func (Made) event()     {}
func (Paid) event()     {}

type (
	// MakeKey makes a payout's id and, for paper and card without an Address yet,
	// its key, which its performer keeps and wipes; answered by [Keyed].
	MakeKey struct {
		Ticket  Ticket
		Method  protocol.Method
		Address string
	}
	// Make prints the paper wallet or writes the card; answered by [Made].
	Make struct{ Order protocol.Dispense }
	// Pay pays out; answered by [Paid]. A refund that is not in the journal yet is
	// journaled first.
	Pay struct {
		Order    protocol.Dispense // without Authcode
		Approval Approval
		Refund   *Refund
	}
	// PayCash checks the approver's PIN, journals a refund from the drawer and
	// opens it; answered by [Paid].
	PayCash struct {
		ID       protocol.PayoutID
		Approval Approval
		Refund   Refund
	}
	// Discard wipes the key that was made for a payout, if it is still there.
	Discard struct{}
)

func (MakeKey) effect() {}
func (Make) effect()    {}
func (Pay) effect()     {}
func (PayCash) effect() {}
func (Discard) effect() {}

// Payout sells coins.
func (r Register) Payout() Payout { return NewPayout(r.network()) }

// GiveBack gives money of a sale back.
func (r Register) GiveBack(refund Refund) Payout { return NewRefund(r.network(), refund) }

// NewWallet makes a key for paper or card.
func (r Register) NewWallet(random io.Reader) (*Wallet, error) { return NewWallet(random, r.network()) }

// NewPayout sells coins.
func NewPayout(net bitcoin.Network) Payout { return Payout{Network: net} }

// Busy reports whether money may be under way.
func (p Payout) Busy() bool { return p.Phase == SellMaking || p.Phase == SellPaying }

// Wipe overwrites the approval's code.
func (p *Payout) Wipe() {
	p.code.Wipe()
	p.text.Wipe()
	p.code, p.text = protocol.Secret{}, protocol.Secret{}
}

// Priced is what the customer pays and gets. Bitcoin that is typed is priced
// with the smallest amount of money that buys as much.
func (p Payout) Priced() (price protocol.Money, amount protocol.Sat) {
	if p.Refund != nil {
		return p.Refund.Amount, p.Refund.Sat(p.Quote)
	}
	if p.Quote == nil {
		return protocol.Money{}, 0
	}
	price = p.Entry.Money(p.Quote.Currency)
	if p.Satoshi {
		worth, err := p.Quote.Sell.Value(p.Entry.Sat())
		if err != nil {
			return protocol.Money{Currency: p.Quote.Currency}, 0
		}
		price.Minor = worth
		if got, err := p.Quote.Sell.Payout(worth); err == nil && got < p.Entry.Sat() {
			price.Minor++
		}
	}
	amount, err := p.Quote.Sell.Payout(price.Minor)
	if err != nil {
		return price, 0
	}
	return price, amount
}

// Sat is what is typed as bitcoin: satoshi without a point, whole bitcoin and
// decimals with one. At most MaxSat.
func (e Entry) Sat() protocol.Sat {
	digits := e.Whole
	if e.Point {
		frac := e.Frac[:min(len(e.Frac), 8)]
		digits += frac + strings.Repeat("0", 8-len(frac))
	}
	n, err := strconv.ParseInt("0"+digits, 10, 64)
	if err != nil {
		return protocol.MaxSat
	}
	return min(protocol.Sat(n), protocol.MaxSat)
}

// WhyNot tells why an event can do nothing now; "" it can.
func (p Payout) WhyNot(e Event) Why {
	switch e := e.(type) {
	case Terms, Noted, Keyed, Made, Paid:
		return ""
	case Digits, Point, Erase:
		return unless(p.Phase == SellPricing, WhyNotHere)
	case Unit:
		return p.whyNotUnit()
	case Cash:
		return unless(p.Phase == SellChoosing && p.Refund != nil, WhyNotHere)
	case Deliver:
		return p.whyNotBy(e.Method)
	case Hand:
		switch {
		case p.Phase > SellAddressing:
			return WhyNotHere
		case p.Refund != nil && p.Refund.Sat(p.Quote) == 0:
			return WhyOnlyCash
		case p.whyNotPriced() != "":
			return p.whyNotPriced()
		}
		return unless(!e.Text.Empty(), WhyNothingTyped)
	case Next:
		switch p.Phase {
		case SellPricing:
			return p.whyNotPriced()
		case SellChoosing:
			return p.whyNotBy(protocol.MethodAddress)
		case SellDone:
			return ""
		}
		return WhyNotHere
	case Approved:
		return unless(p.Phase == SellReviewing, WhyNotHere)
	case Confirm:
		return unless(p.Phase == SellConfirming, WhyNotApproved)
	case Back:
		return unless(p.Phase < SellMaking && p.Phase != SellWorking && p.Phase != SellPricing, WhyNotHere)
	}
	return WhyNotHere
}

func (p Payout) whyNotUnit() Why {
	switch {
	case p.Phase != SellPricing:
		return WhyNotHere
	case p.Refund == nil:
		return ""
	case p.Refund.Old == nil:
		return WhyOnlyCash
	}
	return unless(p.Quote != nil, WhyNoQuote)
}

func (p Payout) whyNotPriced() Why {
	if p.Refund != nil {
		return p.Refund.whyNot(p.Quote)
	}
	switch _, amount := p.Priced(); {
	case p.Quote == nil:
		return WhyNoQuote
	case p.Entry.Empty():
		return WhyNothingTyped
	case amount <= 0:
		return WhyTooLittle
	case p.Limits.PerPayoutSat != nil && amount > *p.Limits.PerPayoutSat:
		return WhyAboveLimit
	}
	price, _ := p.Priced()
	if l := p.Limits.PerPayout; l != nil && price.Currency == l.Currency && price.Minor > l.Minor {
		return WhyAboveLimit
	}
	if l := p.Left; l != nil && price.Currency == l.Currency && price.Minor > l.Minor {
		return WhyAboveDay
	}
	return ""
}

func (p Payout) whyNotBy(m protocol.Method) Why {
	switch {
	case p.Phase != SellChoosing && p.Phase != SellAddressing:
		return WhyNotHere
	case p.Refund != nil && m != protocol.MethodAddress:
		return WhyNotHere
	case p.Refund != nil && p.Refund.Sat(p.Quote) == 0:
		return WhyOnlyCash
	case m == protocol.MethodPrinter && !p.Paper:
		return WhyNoPrinter
	case m == protocol.MethodMagcard && !p.Cards:
		return WhyNoWriter
	}
	return unless(m.Valid(), WhyNotHere)
}
