package register

import "till/protocol"

// Event is something that happened: a key of the cashier, an answer to an
// effect, a fact from the terminal.
type Event interface{ event() }

// What the cashier does.
type (
	// Digits types digits: "7", "00".
	Digits struct{ Text string }
	// Point begins the decimals.
	Point struct{}
	// Typed types text that searches the catalogue.
	Typed struct{ Text string }
	// Erase takes the last key back, or the selected line out.
	Erase struct{}
	// Move moves the choice in the search, the lines or nothing.
	Move struct{ By int }
	// Select chooses a line of the cart, or of the search while one is open.
	Select struct{ Index int }
	// Pick adds an item of the catalogue, chosen by a touch.
	Pick struct{ SKU string }
	// Add adds what is typed as a line.
	Add struct{}
	// Quantity takes what is typed as how many: of the selected line, else of
	// the next.
	Quantity struct{}
	// Discount takes what is typed as percent off the selected or last line.
	Discount struct{}
	// Deduct takes what is typed as an amount off that line.
	Deduct struct{}
	// Reason tells why a line has its discount.
	Reason struct {
		Line int
		Text string
	}
	// Price takes what is typed as the price of the selected or last line.
	Price struct{}
	// Tip takes what is typed as the tip, else the shop's next percentage.
	Tip struct{}
	// Note sets the note of the sale.
	Note struct{ Text string }
	// Clear empties the cart; Undo takes that back.
	Clear struct{}
	Undo  struct{}
	// Next goes forward: take the found item, pay, take the cash, acknowledge.
	Next struct{}
	// Back goes one step back and loses nothing.
	Back struct{}
	// Choose chooses a tender.
	Choose struct{ Kind protocol.TenderKind }
	// Redeem tenders what a key holds, all of what is due or a part.
	Redeem struct{ Amount protocol.Money }
	// Withdraw takes the key's tender back: certainly nothing was taken.
	Withdraw struct {
		Tender protocol.TenderID
		Reason string
	}
	// Cancel gives the sale up. Keep brings its lines back into the cart.
	Cancel struct {
		Reason string
		Keep   bool
	}
	// Park sets the cart or the sale aside.
	Park struct{}
	// Recall takes a parked sale up, or an open one after a restart.
	Recall struct{ Sale Sale }
	// Scanned is text of a scanner: data, never keys.
	Scanned struct{ Text string }
)

// What the terminal tells.
type (
	// Shop is the configuration and the goods. OpenName names a line that is not
	// of the catalogue.
	Shop struct {
		Config   protocol.Config
		Items    []protocol.Item
		OpenName string
	}
	// Priced is the price of a bitcoin, nil when there is none.
	Priced struct{ Quote *protocol.Quote }
	// Restored is the cart from before the restart.
	Restored struct{ Cart Cart }
	// Charged empties the register: the cart is a round of a tab now.
	Charged struct{}
	// Told is the server's word on a sale.
	Told struct{ Status protocol.SaleStatus }
	// Billed is the server's word on an e-cash tender.
	Billed struct {
		Tender   protocol.TenderID
		Contract *protocol.ContractReady // its bill, nil before it is ready
		Deposit  *protocol.DepositStatus // how far its payment is, nil before
	}
	// Granted lends a right for one deed; "" takes it back.
	Granted struct{ Right Right }
	// Signed is who is at the counter, in which shift.
	Signed struct {
		User  protocol.User
		Shift protocol.ShiftID
	}
)

// Answers to effects.
type (
	// Recorded answers [Record]: it is on the disk.
	Recorded struct {
		Ticket  Ticket
		Opening protocol.SaleOpened   // complete
		Tender  *protocol.TenderAdded // complete, when one was added
		Quote   *protocol.Quote       // that priced it
		At      protocol.Time         // of the tender
		Payout  protocol.PayoutID     // of the sweep, when the tender is a key
	}
	// Refused answers [Record]: nothing was written.
	Refused struct {
		Ticket Ticket
		Why    Why
		Detail string // a sentence from below, "" none
	}
)

func (Digits) event()   {}
func (Point) event()    {}
func (Typed) event()    {}
func (Erase) event()    {}
func (Move) event()     {}
func (Select) event()   {}
func (Pick) event()     {}
func (Add) event()      {}
func (Quantity) event() {}
func (Discount) event() {}
func (Deduct) event()   {}
func (Reason) event()   {}
func (Price) event()    {}
func (Tip) event()      {}
func (Note) event()     {}
func (Clear) event()    {}
func (Undo) event()     {}
func (Next) event()     {}
func (Back) event()     {}
func (Choose) event()   {}
func (Redeem) event()   {}
func (Withdraw) event() {}
func (Cancel) event()   {}
func (Park) event()     {}
func (Recall) event()   {}
func (Scanned) event()  {}
func (Shop) event()     {}
func (Priced) event()   {}
func (Restored) event() {}
func (Charged) event()  {}
func (Told) event()     {}
func (Billed) event()   {}
func (Signed) event()   {}
func (Granted) event()  {}
func (Recorded) event() {}
func (Refused) event()  {}

// Ticket names an effect that is answered. 0 is none.
type Ticket uint64

// Effect is something the register asks for.
type Effect interface{ effect() }

type (
	// Record writes to the journal what belongs together, in one transaction, in
	// the order of its members. It is answered by [Recorded] or [Refused].
	Record struct {
		Ticket  Ticket
		Sale    protocol.SaleID       // the sale meant; "" with Open
		Open    *protocol.SaleOpened  // without Sale and Number, which the performer makes
		Add     *protocol.TenderAdded // without ids; bitcoin and key also without Quote, DueSat and Address
		Remove  *protocol.TenderRemoved
		End     protocol.EntryKind // sale_paid, sale_cancelled, sale_parked; "" none
		Ended   protocol.SaleEnded // of End, without Sale when Open
		Draft   *Cart              // what to keep as the cart; an empty one removes it
		Receipt *Paper             // to queue for the printer; its Opening and last Tender are completed
	}
	// Claimed tells the redemption what became of its [Claim].
	Claimed struct{ Tendered }
	// Save keeps the cart.
	Save struct{ Cart Cart }
	// Ring makes a sound.
	Ring struct{ Sound Sound }
	// Drawer opens the drawer.
	Drawer struct{ Reason string }
)

func (Record) effect()  {}
func (Claimed) effect() {}
func (Save) effect()    {}
func (Ring) effect()    {}
func (Drawer) effect()  {}

// Sound is what a result sounds like; each is distinct.
type Sound uint8

// The sounds.
const (
	SoundPaid Sound = iota + 1
	SoundFailed
	SoundMoney // money outside an open sale
)
