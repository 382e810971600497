package protocol

// SaleState is how far a sale, or one tender of it, is paid.
type SaleState string

// The states (terminal.md §4.2). They can go back: a replacement or a
// reorganisation takes away what it gave.
const (
	SaleOpen      SaleState = "open"      // asked for, nothing seen
	SaleSeen      SaleState = "seen"      // some of it is in mempool or chain
	SaleAccepted  SaleState = "accepted"  // its acceptance step is reached: the goods may go
	SaleConfirmed SaleState = "confirmed" // as deep as the highest step, at least 1
	SaleExpired   SaleState = "expired"   // the price promise ended; the address stays watched
	SaleCancelled SaleState = "cancelled" // final
)

var saleTable = table[SaleState]{
	{SaleOpen, SaleSeen, "payment seen"},
	{SaleOpen, SaleAccepted, "paid as its step asks"},
	{SaleOpen, SaleConfirmed, "found deep in the chain"},
	{SaleOpen, SaleExpired, "payment window over"},
	{SaleOpen, SaleCancelled, "cashier"},
	{SaleSeen, SaleAccepted, "paid as its step asks"},
	{SaleSeen, SaleConfirmed, "deep enough"},
	{SaleSeen, SaleOpen, "payment gone"},
	{SaleSeen, SaleExpired, "payment gone after the window"},
	{SaleSeen, SaleCancelled, "cashier"},
	{SaleAccepted, SaleConfirmed, "deep enough"},
	{SaleAccepted, SaleSeen, "conflict, reorganisation or a part gone"},
	{SaleAccepted, SaleOpen, "payment replaced"},
	{SaleAccepted, SaleExpired, "payment replaced after the window"},
	{SaleAccepted, SaleCancelled, "cashier"},
	{SaleConfirmed, SaleAccepted, "reorganised"},
	{SaleConfirmed, SaleSeen, "reorganised"},
	{SaleConfirmed, SaleOpen, "reorganised and replaced"},
	{SaleConfirmed, SaleExpired, "reorganised and replaced after the window"},
	{SaleConfirmed, SaleCancelled, "cashier"},
	{SaleExpired, SaleOpen, "a new price"},
	{SaleExpired, SaleSeen, "late payment"},
	{SaleExpired, SaleAccepted, "the cashier takes late money"},
	{SaleExpired, SaleConfirmed, "the cashier takes late money that is deep"},
	{SaleExpired, SaleCancelled, "cashier"},
}

// CanBecome reports whether the table has the step.
func (s SaleState) CanBecome(next SaleState) bool { return saleTable.has(s, next) }

// Rank orders states by how good they are for the shop: a sale is as good as
// its worst tender.
func (s SaleState) Rank() int {
	switch s {
	case SaleCancelled:
		return 0
	case SaleExpired:
		return 1
	case SaleOpen:
		return 2
	case SaleSeen:
		return 3
	case SaleAccepted:
		return 4
	case SaleConfirmed:
		return 5
	}
	return -1
}

// SaleDiagram prints the table in Mermaid's stateDiagram-v2.
func SaleDiagram() string { return saleTable.diagram(SaleOpen) }

// Flag marks what is unusual about a sale; flags combine.
type Flag string

// The flags.
const (
	FlagUnderpaid Flag = "underpaid"
	FlagOverpaid  Flag = "overpaid"
	FlagLate      Flag = "late"
	FlagReplaced  Flag = "replaced" // ours is gone, whatever took its place
	FlagConflict  Flag = "conflict" // another transaction competes, ours is still in the mempool
)

// Verdict tells the cashier what to do.
type Verdict string

// The verdicts.
const (
	VerdictWait   Verdict = "wait"
	VerdictAccept Verdict = "accept"
	VerdictRefuse Verdict = "refuse"
)

// TenderKind is a means of paying.
type TenderKind string

// The kinds.
const (
	TenderBitcoin   TenderKind = "bitcoin"
	TenderEcash     TenderKind = "ecash"
	TenderLightning TenderKind = "lightning"
	TenderKey       TenderKind = "key"
	TenderCash      TenderKind = "cash"
	TenderCard      TenderKind = "card"
)

// Valid reports whether k is one of the kinds.
func (k TenderKind) Valid() bool {
	switch k {
	case TenderBitcoin, TenderEcash, TenderLightning, TenderKey, TenderCash, TenderCard:
		return true
	}
	return false
}
