package register

import (
	"slices"

	"till/protocol"
)

// Phase is where the cashier is.
type Phase uint8

// The phases.
const (
	Ringing  Phase = iota // the cart
	Choosing              // how to pay
	Counting              // cash or a bank card: what the customer gives is typed
	Asking                // a record is being written
	Waiting               // a payment is asked for on the screen
	Settled               // the result, until it is acknowledged
)

// Sale is the sale being paid.
type Sale struct {
	Opening protocol.SaleOpened
	Tenders []Tender             // those not taken back
	Status  *protocol.SaleStatus // the server's last word, nil before
	Ended   protocol.EntryKind   // sale_paid once it is journaled; "" before
	Copies  int64                // receipts printed
	// Stale is the server's word from before the last tender: it says nothing of it.
	Stale *protocol.SaleStatus
}

// Tender is one means of paying of it.
type Tender struct {
	protocol.TenderAdded
	Quote *protocol.Quote `json:"priced_by,omitempty"` // of bitcoin
	At    protocol.Time   `json:"at"`                  // when it was offered; the payment window runs from here
	// Contract is the bill of an e-cash tender and Deposit how far its payment
	// is, nil before the server told.
	Contract *protocol.ContractReady `json:"contract,omitempty"`
	Deposit  *protocol.DepositStatus `json:"deposit,omitempty"`
}

// Outcome is the result that stays until it is acknowledged.
type Outcome struct {
	Paid    bool
	Reason  string // the server's word, or one of Why
	Message string // its sentence, "" none
	Change  protocol.Money
}

// Register is the whole state. Its zero value waits for its [Shop].
type Register struct {
	Config protocol.Config
	Items  []protocol.Item
	Quote  *protocol.Quote // the price of a bitcoin now, nil none
	User   protocol.User
	Shift  protocol.ShiftID
	Grant  Right // lent by somebody else for the next deed, "" none

	Phase    Phase
	Entry    Entry
	Takes    protocol.TenderKind // while Counting
	Times    int64               // thousandths the next line is multiplied by, 0 none
	Text     string
	Found    []Found
	Pick     int // of Found
	Selected int // line of the cart, -1 none
	Cart     Cart
	Cleared  *Cart // what Undo brings back
	// Discounted is the line whose discount was just given, −1 none: what is noted
	// now is the reason.
	Discounted int

	Sale    *Sale
	Lapsed  bool // the failure of the pending tender was acknowledged: it covers nothing
	Outcome Outcome
	Note    Said // what was just done or not done

	openName      string   // of a line that is not of the catalogue
	codes         []string // scanned before the goods came
	before, after Phase    // where Asking came from and goes on to
	asked         Record   // waits for its answer
	ticket        Ticket
}

// Said is a message for the cashier about the last event.
type Said struct {
	Why    Why
	Detail string
}

// New is a register with an empty cart.
func New() Register { return Register{Selected: -1, Discounted: -1} }

// Currency is the shop's.
func (r Register) Currency() protocol.Currency { return r.Config.Currency }

// Totals adds up what is being rung up, or the sale being paid.
func (r Register) Totals() Totals {
	t, err := r.Cart.Totals(r.Currency(), r.Config.Tax)
	if err != nil {
		// Lines are only added when the cart still adds up.
		return Totals{}
	}
	return t
}

// Amount is what is typed.
func (r Register) Amount() protocol.Money { return r.Entry.Money(r.Currency()) }

// Total is what the customer owes in all: of the sale, else of the cart.
func (r Register) Total() protocol.Money {
	if r.Sale != nil {
		return r.Sale.Opening.Total
	}
	return r.Totals().Total
}

// Rest is what no tender covers yet; what cash was given beyond the total went
// back as change.
func (r Register) Rest() protocol.Money {
	rest := r.Total()
	if r.Sale != nil {
		for _, t := range r.Sale.Tenders {
			rest.Minor -= t.Amount.Minor
		}
		if t, pending := r.Sale.Pending(); pending && r.Lapsed {
			rest.Minor += t.Amount.Minor
		}
	}
	rest.Minor = max(rest.Minor, 0)
	return rest
}

// Bitcoin is the sale's bitcoin tender.
func (r Register) Bitcoin() (Tender, bool) {
	if r.Sale == nil {
		return Tender{}, false
	}
	return r.Sale.Bitcoin()
}

// Bitcoin is the last bitcoin tender.
func (s Sale) Bitcoin() (Tender, bool) {
	for _, t := range slices.Backward(s.Tenders) {
		if t.Kind == protocol.TenderBitcoin {
			return t, true
		}
	}
	return Tender{}, false
}

// Pending is the last tender that the server has to hear of from elsewhere: the
// chain pays bitcoin and a key, a mint pays e-cash.
func (s Sale) Pending() (Tender, bool) {
	for _, t := range slices.Backward(s.Tenders) {
		if t.Kind == protocol.TenderBitcoin || t.Kind == protocol.TenderKey || t.Kind == protocol.TenderEcash {
			return t, true
		}
	}
	return Tender{}, false
}

// Received is what has arrived for a tender.
func (s Sale) Received(id protocol.TenderID) protocol.Sat {
	if s.Status != nil {
		for _, t := range s.Status.Tenders {
			if t.Tender == id {
				return t.ReceivedSat
			}
		}
	}
	return 0
}

// Due is what is still to arrive for a tender, at least 0.
func (s Sale) Due(t Tender) protocol.Sat { return max(0, t.DueSat-s.Received(t.Tender)) }

// Has reports a flag of the sale.
func (s Sale) Has(f protocol.Flag) bool {
	return s.Status != nil && slices.Contains(s.Status.Flags, f)
}

// State is how far the sale is, open before the server's first word.
func (s Sale) State() protocol.SaleState {
	switch {
	case s.Ended == protocol.EntrySaleCancelled:
		return protocol.SaleCancelled
	case s.Status == nil || s.Status.State == "":
		if s.Ended == protocol.EntrySalePaid {
			return protocol.SaleAccepted
		}
		return protocol.SaleOpen
	}
	return s.Status.State
}

// Handle takes an event. Register is a value: the one it is called on stays as
// it was.
func (r Register) Handle(e Event) (Register, []Effect) {
	if why := r.WhyNot(e); why != "" {
		r.Note = Said{Why: why}
		return r, nil
	}
	switch e.(type) {
	case Shop, Priced, Told, Billed, Signed, Granted:
	default:
		r.Note, r.Discounted, r.Grant = Said{}, -1, ""
	}
	switch e := e.(type) {
	case Shop:
		r.Config, r.Items, r.openName = e.Config, e.Items, e.OpenName
		return r.stocked()
	case Priced:
		r.Quote = e.Quote
		return r, nil
	case Signed:
		r.User, r.Shift = e.User, e.Shift
		return r, nil
	case Granted:
		r.Grant = e.Right
		return r, nil
	case Told:
		return r.told(e.Status)
	case Billed:
		return r.billed(e)
	case Recorded:
		return r.recorded(e)
	case Refused:
		return r.refused(e)
	case Charged:
		return r.fresh(), nil
	case Restored:
		r.Cart, r.Selected = e.Cart.clone(), -1
		return r, nil
	case Recall:
		return r.recall(e.Sale)
	}
	switch r.Phase {
	case Ringing:
		return r.ring(e)
	case Choosing, Counting, Waiting:
		return r.pay(e)
	case Settled:
		return r.settled(e)
	}
	return r, nil
}

// ask numbers a record and waits for its answer, then goes on to a phase.
func (r Register) ask(rec Record, then Phase, also ...Effect) (Register, []Effect) {
	r.ticket++
	rec.Ticket = r.ticket
	r.asked = rec
	r.before, r.Phase, r.after = r.Phase, Asking, then
	return r, append([]Effect{rec}, also...)
}
