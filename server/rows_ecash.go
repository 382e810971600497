package server

import "till/protocol"

// BillKind is how a bill came about and is paid.
type BillKind string

// The kinds.
const (
	BillSale    BillKind = "sale"    // a tender of a sale, by direct deposit
	BillProduct BillKind = "product" // pieces of a product, by direct deposit
	BillTab     BillKind = "tab"     // a tender charged in rounds, by incremental deposits
	BillLottery BillKind = "lottery" // a tender below the smallest coin, by a draw
)

// BillState is how far a bill is paid.
type BillState string

// The states. Waiting goes back to open when the mint proves that the coin is spent.
const (
	BillOpen    BillState = "open"
	BillWaiting BillState = "waiting" // a permission is stored and the mint has not answered
	BillPaid    BillState = "paid"
	BillLost    BillState = "lost" // a tab that could not be deposited
	BillVoid    BillState = "void" // a tab that was closed at nothing
)

// Bill is what one transaction_id stands for: an e-cash tender of a sale, or the
// product that a stranger began to pay.
type Bill struct {
	ID       string // transaction_id, 13 symbols
	Kind     BillKind
	State    BillState
	Sale     protocol.SaleID     // "" of a product
	Tender   protocol.TenderID   // "" of a product
	Terminal protocol.TerminalID // "" of a product
	// Amount is the price; of a tab what was charged so far. Most is the max_amount
	// of a tab, the face value of a lottery's coin, else nothing.
	Amount      protocol.Money
	Most        protocol.Money
	Ends        protocol.Time // the contract's expiry, the lock_until of an offer; 0 before it
	Description string
	Contract    string // H_a of the present contract, "" none yet
	LockID      string // identity of the lock that took the offer, "" none
	Lock        []byte // its text
	LockAnswer  []byte // the mint's confirmation, nil before it
	Signed      int64  // of a tab, in minor units
	Deposit     string // the deposit that counts
	Closed      bool   // a tab's last round was told
	Secret      []byte // r_m of a lottery, sealed
	Release     bool   // the mint is to let the locked coin go
	Version     int64
}

// BillRows keeps bills.
type BillRows interface {
	Insert(b *Bill) error
	Get(id string) (*Bill, error)
	OfTender(id protocol.TenderID) (*Bill, error)
	// Update writes all but id, kind, sale, tender and terminal, by Version.
	Update(b *Bill) error
	// Todo gives open bills without a contract whose time is not over, open tabs, and
	// bills whose coin is to be let go.
	Todo(now protocol.Time) ([]*Bill, error)
}

// StoredContract is a contract that was given to a customer, or paid.
type StoredContract struct {
	Hash string // H_a
	Bill string
	Text []byte // canonical JSON with both signatures
}

// ContractRows keeps contracts by H_a.
type ContractRows interface {
	Put(c *StoredContract) error // one that is there stays as it is
	Get(hash string) (*StoredContract, error)
}

// DepositState is what became of a customer's permissions.
type DepositState string

// The states. Paid, refused and lost are final.
const (
	DepositWaiting DepositState = "waiting" // the mint has not answered
	DepositSigned  DepositState = "signed"  // a round of a tab, deposited when it closes
	DepositPaid    DepositState = "paid"
	DepositRefused DepositState = "refused" // the mint proved that a coin is spent
	DepositLost    DepositState = "lost"    // not answered while the coin was good
)

// Deposit is what a customer handed over: one permission, or several that pay one
// contract together.
type Deposit struct {
	ID       string // identity of the permissions
	Bill     string
	Contract string // H_a
	State    DepositState
	Body     []byte // the permissions as JSON
	Amount   protocol.Money
	At       protocol.Time
	Until    protocol.Time // when the first of its coins ends
	Told     string        // reason last told to the terminal, "" nothing
	Status   int64         // HTTP status of the final answer, 0 before it
	Answer   []byte
	Version  int64
}

// DepositRows keeps deposits, whatever became of them.
type DepositRows interface {
	Insert(d *Deposit) error
	Get(id string) (*Deposit, error)
	Update(d *Deposit) error // state, told, status and answer, by Version
	OfBill(id string) ([]*Deposit, error)
	Waiting() ([]*Deposit, error) // oldest first
}
