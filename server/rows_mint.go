package server

import "till/protocol"

// Amounts of a mint are in millionths of the currency's unit; keys and transaction
// ids are base32 as on the wire.

// MintReserve is money that can be withdrawn as coins.
type MintReserve struct {
	Reserve  string // reserve_pub
	Currency protocol.Currency
	Balance  int64
}

// MintReserveEvent is a movement of a reserve.
type MintReserveEvent struct {
	Taken  bool // withdrawn, else come in
	Amount int64
	At     protocol.Time
}

// MintReserveRows keeps a mint's reserves.
type MintReserveRows interface {
	Get(reserve string) (*MintReserve, error)
	// Move books an event; a balance below nothing fails. The first makes the reserve.
	Move(reserve string, c protocol.Currency, e MintReserveEvent) error
	Events(reserve string, most int) ([]MintReserveEvent, error) // the latest, in their order
	// Signed gives the blind signature given for a withdrawal.
	Signed(id string) (evSig []byte, err error)
	Sign(id, reserve string, evSig []byte) error
}

// MintClaim is a deposit or a lock of a coin: a mint takes at most one of each for
// a coin, merchant and transaction.
type MintClaim struct {
	Coin     string
	Merchant string
	Bill     string // transaction_id
	Identity string // of the permission
	Amount   int64
	Until    protocol.Time // of a lock, its end
	Ended    bool          // of a lock: consumed by a deposit, or released
	Body     []byte        // the permission as JSON
	Answer   []byte        // the confirmation as JSON
	At       protocol.Time // of a deposit
}

// MintCoinRows keeps what was done with a mint's coins.
type MintCoinRows interface {
	// Spends gives deposits of a claim's coin: that of its own merchant and
	// transaction first, then the largest.
	Spends(c *MintClaim, most int) ([]*MintClaim, error)
	// Spent sums the deposits of a claim's coin, and gives the one of its own merchant
	// and transaction, nil when there is none.
	Spent(c *MintClaim) (own *MintClaim, sum int64, err error)
	Spend(c *MintClaim) error
	// Locks gives the locks of a coin that have not ended, lapsed ones included.
	Locks(coin string) ([]*MintClaim, error)
	// PutLock stores a lock, in place of an ended one of the same transaction.
	PutLock(c *MintClaim) error
	EndLock(coin, merchant, bill string) error
}
