package terminal

import "till/protocol"

// Said is what the cashier last did with a sale.
type Said string

// The words.
const (
	SaidOpen      Said = "open"
	SaidPaid      Said = "paid"
	SaidCancelled Said = "cancelled"
	SaidParked    Said = "parked"
)

// Sale is one sale as the journal and the server's alerts tell it. The opening of a
// tab's sale has grown by the rounds that were charged, and its Tenders hold the tab.
type Sale struct {
	Opening protocol.SaleOpened
	Opened  protocol.Time
	Said    Said
	Ended   protocol.Time // of the last sale_paid, _cancelled or _parked; 0 while open
	Reason  string        // of that entry
	Change  *protocol.Money
	Tenders []Tender
	Tabs    []Tab
	Status  *protocol.SaleStatus // the server's last word on bitcoin tenders, nil before
	Refunds []protocol.Refund
	Copies  int64 // receipts printed
	// Position is where the sale stands among all, for paging.
	Position int64
}

// ID names the sale.
func (s Sale) ID() protocol.SaleID { return s.Opening.Sale }

// Tender is one means of paying of a sale.
type Tender struct {
	protocol.TenderAdded
	Added    protocol.Time
	Removed  bool
	Contract *protocol.ContractReady // e-cash
	Invoice  *protocol.InvoiceReady  // Lightning
	Deposit  *protocol.DepositStatus // e-cash
}

// Tab is an e-cash tender that is charged in rounds.
type Tab struct {
	protocol.TabOpened
	Opened   protocol.Time
	Charged  protocol.Money // cumulative
	Lines    []protocol.Line
	Closed   bool
	Status   *protocol.TabStatus
	Contract *protocol.ContractReady // what the customer scans
	Deposit  *protocol.DepositStatus
}

// grow adds what was charged on tabs to the sale.
func (s *Sale) grow() {
	for _, b := range s.Tabs {
		s.Opening.Total.Minor += b.Charged.Minor
		s.Opening.Lines = append(s.Opening.Lines, b.Lines...)
		s.Tenders = append(s.Tenders, Tender{
			TenderAdded: protocol.TenderAdded{Sale: b.Sale, Tender: b.Tender, Kind: protocol.TenderEcash, Amount: b.Charged},
			Added:       b.Opened, Contract: b.Contract, Deposit: b.Deposit,
		})
	}
}

// SaleFilter selects sales, newest first.
type SaleFilter struct {
	Said   Said             // "" all
	Shift  protocol.ShiftID // "" all
	Since  protocol.Time    // opened at or after
	Until  protocol.Time    // opened before, 0 no bound
	Text   string           // beginnings of words of number, user, total, note and lines, or of an id or address
	Before int64            // only Positions below, 0 from the newest
	Most   int              // 0: 50
}

// Shift is one shift at this terminal.
type Shift struct {
	Opening protocol.ShiftOpened
	Opened  protocol.Time
	Closing *protocol.ShiftClosed // nil while open
	Closed  protocol.Time
}
