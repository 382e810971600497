package server

import (
	"context"
	"errors"

	"till/protocol"
)

// Errors of a store.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrChanged: a compare-and-set met another value; the transaction must be
	// given up and the caller look again.
	ErrChanged = errors.New("changed meanwhile")
)

// Store keeps what must survive a power cut. One implementation speaks to
// SQLite and PostgreSQL.
type Store interface {
	// Read calls f with one consistent snapshot. f must not keep tx.
	Read(ctx context.Context, f func(tx *Tx) error) error

	// Write calls f in one transaction and returns when it is durable. When f
	// returns an error nothing of it stays. f may be called again after a conflict
	// with another writer, and may share its commit with others: it must have no
	// effect but on tx.
	Write(ctx context.Context, f func(tx *Tx) error) error

	// Peers gives what the server processes on one database share; nil where this
	// process has the database for itself.
	Peers() Peers

	// Close ends all transactions and releases the database.
	Close() error
}

// Peers are the server processes on one database.
type Peers interface {
	// Listen calls up once it hears and heard for each text that any process tells
	// from then on, this one too. It returns when ctx ends or the line is lost.
	Listen(ctx context.Context, up func(), heard func(text string)) error

	// Tell says a text at once, outside of any transaction; it may be lost.
	Tell(ctx context.Context, text string) error

	// Claim takes a name for this process; nil where another process has it. A
	// process must not claim what it holds.
	Claim(ctx context.Context, name string) (*Claim, error)
}

// Claim is a name held by this process alone.
type Claim struct {
	Lost    <-chan struct{} // closed when another process may take it
	Release func()
}

// MaxNews bounds a text that processes tell one another, in bytes.
const MaxNews = 7900

// NewsRows tells all processes a text when the transaction is durable.
type NewsRows interface{ Tell(text string) error }

// Tx is one transaction, by noun. In [Store.Read] the writing methods fail.
type Tx struct {
	Settings  SettingRows
	Terminals TerminalRows
	Keys      KeyRows
	Pairings  PairingRows
	Journal   JournalRows
	Alerts    AlertRows
	Addresses AddressRows
	Quotes    QuoteRows
	Sales     SaleRows
	Tenders   TenderRows
	Payments  PaymentRows
	Debts     DebtRows
	Refunds   RefundRows
	Payouts   PayoutRows
	Approvals ApprovalRows
	Outbox    OutboxRows
	Shop      ShopRows
	Books     BookRows
	Stock     StockRows
	Alarms    AlarmRows
	Letters   LetterRows
	Pushes    PushRows
	Figures   FigureRows

	Bills     BillRows
	Contracts ContractRows
	Deposits  DepositRows

	News NewsRows // PostgreSQL only

	// Of a practice mint, which has a database of its own.
	MintReserves MintReserveRows
	MintCoins    MintCoinRows
}

// SettingRows keeps what there is one of: network, wallet fingerprint, alert
// log id, next address index, configuration version, CA and quote keys (sealed
// by whoever writes them).
type SettingRows interface {
	Get(name string) (value []byte, err error) // ErrNotFound
	Set(name string, value []byte) error
}

// TerminalState is what a terminal may do.
type TerminalState string

// The states. Revoked is final.
const (
	TerminalLiving    TerminalState = "living"
	TerminalSuspended TerminalState = "suspended"
	TerminalRevoked   TerminalState = "revoked"
)

// Terminal is one pairing.
type Terminal struct {
	ID       protocol.TerminalID
	Name     string
	State    TerminalState
	Reason   string        // why suspended or revoked, a word
	Since    protocol.Time // when State was entered
	Forked   bool          // suspended by a fork: its journal is closed until resume
	Created  protocol.Time
	LastSeen protocol.Time // 0 never
	SignedIn string        // user of its last signed_in entry
	Software string
	Devices  []protocol.DeviceState
	Held     int64 // unused addresses it said it has left
	// Head of its journal; JournalSeq 0 and NoHash before the first entry.
	JournalSeq  int64
	JournalHash protocol.Hash
	JournalAt   protocol.Time
	AlertSeq    int64               // highest alert written for it
	AlertAck    int64               // highest it stored durably
	Replaces    protocol.TerminalID // "" or whom it took over from
	Version     int64               // of the row, for Update
}

// TerminalRows keeps terminals.
type TerminalRows interface {
	Insert(t *Terminal) error
	Get(id protocol.TerminalID) (*Terminal, error)
	Named(name string) (*Terminal, error) // the one that is not revoked
	List() ([]*Terminal, error)           // by creation
	// Update writes all fields but AlertSeq and AlertAck, which [AlertRows] owns, if
	// the row still has t.Version, and raises it; ErrChanged otherwise.
	Update(t *Terminal) error
	// See notes what a terminal last said of itself unless a later word is stored.
	// The row's version does not change.
	See(id protocol.TerminalID, p Presence) error
}

// Presence is what a terminal last said of itself.
type Presence struct {
	At       protocol.Time
	Software string
	Devices  []protocol.DeviceState
	Held     int64 // unused addresses
}

// TerminalKey is a certificate's public key that speaks for a terminal.
type TerminalKey struct {
	Hash     protocol.Hash // SHA-256 of the SubjectPublicKeyInfo
	Serial   string        // of the certificate, hex
	Terminal protocol.TerminalID
	NotAfter protocol.Time // the certificate's end
	Until    protocol.Time // 0, or when a renewed one stops being good
}

// KeyRows keeps the certificates given out.
type KeyRows interface {
	Insert(k *TerminalKey) error
	BySerial(serial string) (*TerminalKey, error)
	Of(id protocol.TerminalID) ([]*TerminalKey, error) // newest first
	Retire(serial string, until protocol.Time) error
}

// Pairing is a link given out and not used yet. Code is kept hashed.
type Pairing struct {
	Name     string
	CodeHash protocol.Hash
	Expires  protocol.Time
	Tries    int64
	Replace  bool
}

// PairingRows keeps pairing links by name, one a name.
type PairingRows interface {
	Put(p *Pairing) error // replaces one of the same name
	Get(name string) (*Pairing, error)
	Delete(name string) error
}

// StoredEntry is a journal entry with what the server noted beside it.
type StoredEntry struct {
	protocol.Entry
	Terminal protocol.TerminalID
	Received protocol.Time
	Flag     string // "" or what is odd: "time_ran_back", "sums", "unknown_kind", "body"
}

// JournalRows keeps the journals, append-only.
type JournalRows interface {
	// Append adds entries that follow what is there. It does not move the
	// terminal's head: the caller updates the terminal in the same transaction.
	Append(entries []StoredEntry) error
	Get(id protocol.TerminalID, seq int64) (*StoredEntry, error)
	After(id protocol.TerminalID, seq int64, most int) ([]StoredEntry, error)
	// Closings gives the shift_closed entries below a seq, 0 being the end, newest first.
	Closings(id protocol.TerminalID, below int64, most int) ([]StoredEntry, error)
}

// AlertRows keeps the alert log of each terminal.
type AlertRows interface {
	// Append adds an alert with the terminal's next number, which it returns.
	// The terminal's row version does not change.
	Append(id protocol.TerminalID, at protocol.Time, kind protocol.AlertKind, body []byte) (seq int64, err error)
	// AppendAll adds one to the log of every terminal that is not revoked.
	AppendAll(at protocol.Time, kind protocol.AlertKind, body []byte) error
	After(id protocol.TerminalID, seq int64, most int) ([]protocol.Alert, error)
	// Ack notes how far the terminal has stored them (never back) and drops what it needs no more.
	Ack(id protocol.TerminalID, seq int64) error
}

// LeasedAddress is an address of the merchant's wallet that was given out.
type LeasedAddress struct {
	Address
	Branch   uint32
	Index    uint32
	Terminal protocol.TerminalID // "" when at rest
	Leased   protocol.Time
	Rested   protocol.Time     // when it was released, 0 while leased
	Tender   protocol.TenderID // "" or the tender that used it
	Named    bool              // a stored journal entry names it: it never rests
	Seen     bool              // the chain has seen it
	Paid     bool              // it was paid (moves the gap limit)
	// WatchUntil bounds the watching: 0 while leased and not used.
	WatchUntil protocol.Time
}

// AddressRows keeps addresses.
type AddressRows interface {
	Insert(a *LeasedAddress) error
	Get(address string) (*LeasedAddress, error)
	Update(a *LeasedAddress) error
	// Leased gives those of the terminal that no tender has used, by index.
	Leased(id protocol.TerminalID) ([]*LeasedAddress, error)
	// Rested gives released ones that rest since before the moment, longest first.
	Rested(before protocol.Time, most int) ([]*LeasedAddress, error)
	// Watched gives all that are watched at the moment.
	Watched(now protocol.Time) ([]*LeasedAddress, error)
}

// QuoteRows keeps quotes given out.
type QuoteRows interface {
	Insert(q *protocol.Quote) error
	Get(id protocol.QuoteID) (*protocol.Quote, error)
	Latest(c protocol.Currency) (*protocol.Quote, error)
}

// Sale is what the server knows of one sale; its tenders carry the money.
type Sale struct {
	ID       protocol.SaleID
	Terminal protocol.TerminalID
	Opened   protocol.Time
	Total    protocol.Money
	State    protocol.SaleState
	Flags    []protocol.Flag
	// What the cashier said: "" still open, paid, cancelled, parked.
	Said        string
	SaidAt      protocol.Time
	Status      []byte // the last SaleStatus as JSON, nil before the first
	Description string // what is sold, for a contract; at most 1024 bytes
	Number      string
	User        string   // who sold
	Entry       int64    // of its terminal's journal that opened it
	Words       []string // it is found by, on insertion
	Version     int64
}

// SaleRows keeps sales and their event log.
type SaleRows interface {
	Insert(s *Sale) error
	Get(id protocol.SaleID) (*Sale, error)
	// Update compares and sets by Version, ErrChanged otherwise, and appends the
	// event {at, from, to, cause} when the state or flags differ. Total changes with
	// a tab, Description never.
	Update(s *Sale, at protocol.Time, cause string) error
	// Live gives those that a chain event or the clock may still change.
	Live() ([]protocol.SaleID, error)
}

// Tender is one means of paying.
type Tender struct {
	ID       protocol.TenderID
	Sale     protocol.SaleID
	Terminal protocol.TerminalID
	Kind     protocol.TenderKind
	Amount   protocol.Money
	Added    protocol.Time // the entry's at, or the previous entry's where the clock ran back
	Quote    protocol.QuoteID
	Address  string
	Script   Script
	DueSat   protocol.Sat
	Ends     protocol.Time // of the payment window
	Steps    int64         // confirmations its acceptance step asks for
	Refused  string        // "" or the reason word why it is void
	Removed  bool
	Accepted protocol.Time // first acceptance, 0 before
	Replaced bool          // a payment of it once vanished
	Waiting  bool          // e-cash: a permission is stored and the mint has not answered
	Short    bool          // a tab of which not all was signed
	Raised   string        // a key whose sweep's fee was raised: the transactions' ids, parted by spaces
}

// TenderRows keeps tenders.
type TenderRows interface {
	Insert(t *Tender) error
	Get(id protocol.TenderID) (*Tender, error)
	// Update writes what may change: amount (of a tab), address, script, due, end,
	// steps, and all that follows.
	Update(t *Tender) error
	Of(sale protocol.SaleID) ([]*Tender, error) // in order of adding
	ByAddress(address string) (*Tender, error)
}

// SeenPayment is an output to a watched address as the server last saw it.
type SeenPayment struct {
	Payment
	Address   string
	FirstSeen protocol.Time
	Gone      bool  // neither in mempool nor chain any more
	Told      int64 // confirmations last told by an incoming alert, −1 never
}

// PaymentRows keeps what was seen on the chain.
type PaymentRows interface {
	Of(address string) ([]*SeenPayment, error)
	Put(p *SeenPayment) error // by txid and vout
	At(o Outpoint) (*SeenPayment, error)
	// Unspent gives those of all addresses that are there and not spent.
	Unspent() ([]*SeenPayment, error)
}

// Debt is what the shop owes a customer.
type Debt struct {
	ID      protocol.ID
	Sale    protocol.SaleID // "" for an address outside sales
	Address string
	Reason  string // overpaid, late, cancelled, removed, unasked, twice
	Sat     protocol.Sat
	Amount  protocol.Money // instead of Sat: e-cash
	Bill    string         // its transaction_id, "" for bitcoin
	Paid    protocol.Sat   // of Sat, by payouts that are not refused
	Since   protocol.Time
	Settled protocol.Time // 0 open
}

// DebtRows keeps debts.
type DebtRows interface {
	Put(d *Debt) error // by id
	Get(id protocol.ID) (*Debt, error)
	OfSale(id protocol.SaleID) ([]*Debt, error)
	OfAddress(address string) ([]*Debt, error)
	Open() ([]*Debt, error)
}

// Refund is a stored refund entry.
type Refund struct {
	protocol.Refund
	Terminal protocol.TerminalID
	At       protocol.Time
}

// RefundRows keeps refund entries by their id.
type RefundRows interface {
	Insert(r *Refund) error
	Get(id protocol.RefundID) (*Refund, error)
	OfSale(id protocol.SaleID) ([]*Refund, error)
}

// Payout is money that goes out, from acceptance to its end.
type Payout struct {
	ID       protocol.PayoutID
	Of       protocol.PayoutKind
	Terminal protocol.TerminalID
	State    protocol.PayoutState
	Digest   protocol.Hash // of what binds the id
	Created  protocol.Time
	Day      string // shop-local date the limits count it under, "2026-11-22"
	Approver string // user who approved, "" for sweeps
	Amount   protocol.Sat
	Value    protocol.Money // in the shop's currency, fees included, for the limits
	ByPIN    bool
	Method   protocol.Method
	Address  string
	Script   Script
	Change   string // sweep: where the customer's rest goes; dispense: the wallet's own
	Sale     protocol.SaleID
	Tender   protocol.TenderID
	Refund   protocol.RefundID
	Quote    protocol.QuoteID
	Price    *protocol.Money
	Due      *protocol.Sat
	TxID     string
	Raw      []byte // the signed transaction, stored before it is broadcast
	Fee      protocol.Sat
	Received protocol.Sat
	ChangeTo protocol.Sat
	Owed     protocol.Sat
	Spends   []Outpoint
	From     []string // sweep: the addresses of its keys, sorted
	Debts    []DebtShare
	Earlier  []Attempt // its other transactions, oldest first: fees were raised
	Reason   string
	Message  string
	Depth    int64 // confirmations last noted
	Version  int64
}

// Attempt is a transaction of a payout of which another has taken the place. Either
// may be mined.
type Attempt struct {
	TxID     string       `json:"txid"`
	Raw      []byte       `json:"raw"`
	Amount   protocol.Sat `json:"amount"`
	Fee      protocol.Sat `json:"fee"`
	Received protocol.Sat `json:"received"`
	ChangeTo protocol.Sat `json:"change_to,omitempty"`
	Owed     protocol.Sat `json:"owed,omitempty"`
	Change   string       `json:"change,omitempty"`
	Spends   []Outpoint   `json:"spends"`
}

// SettledDepth is how many confirmations end the watching of a payout.
const SettledDepth = 100

// PayoutSums are what the limits look at: amounts with fees.
type PayoutSums struct {
	Sat   protocol.Sat
	Minor int64
}

// PayoutRows keeps payouts and poisoned ids in one name space.
type PayoutRows interface {
	Insert(p *Payout) error
	Get(id protocol.PayoutID) (*Payout, error)
	Update(p *Payout, at protocol.Time) error // by Version; appends an event when the state differs
	Unsettled() ([]*Payout, error)            // neither refused nor confirmed [SettledDepth] deep
	// Spent reports which outpoints a living payout has reserved.
	Spent() (map[Outpoint]protocol.PayoutID, error)
	Limits() LimitRows
}

// LimitRows sums payouts that are not refused, and counts poisoned ids.
type LimitRows interface {
	OfTerminal(id protocol.TerminalID, day string) (PayoutSums, error)
	OfUser(user, day string) (PayoutSums, error)
	OfUserByPIN(user, day string) (PayoutSums, error)
	OfShop(day string) (PayoutSums, error)
	OfSale(sale protocol.SaleID) (protocol.Sat, error) // refunds, without fees
	Poisoned(id protocol.TerminalID, since protocol.Time) (int64, error)
}

// Approval is the state of one approver at one terminal.
type Approval struct {
	User     string
	Terminal protocol.TerminalID
	Wrong    int64 // in a row
	Locked   protocol.Time
}

// ApprovalRows keeps used codes and wrong tries.
type ApprovalRows interface {
	Get(user string, terminal protocol.TerminalID) (*Approval, error)
	Put(a *Approval) error
	// Use notes a TOTP step of the user; false when it or a later one was used.
	Use(user string, step int64) (bool, error)
	Wrong(user string, at protocol.Time) error // one wrong try, for the count over all terminals
	WrongSince(since protocol.Time) (int64, error)
	Unlock(user string) error
}

// Effect is something to do outside, repeatable by its id until a positive answer.
type Effect struct {
	ID    protocol.ID
	Kind  string // broadcast
	Ref   string // the payout's id, …
	Due   protocol.Time
	Tries int64
}

// OutboxRows keeps effects that are not done.
type OutboxRows interface {
	Add(e *Effect) error
	Due(now protocol.Time, most int) ([]*Effect, error)
	Later(id protocol.ID, due protocol.Time) error // raises Tries
	Done(id protocol.ID) error
}

// StaffUser is a person with the secrets that only the server keeps, sealed.
type StaffUser struct {
	protocol.User
	Disabled   bool
	ApproveKey []byte // sealed
	TOTP       []byte // sealed, nil not enrolled
}

// ShopRows keeps people and goods.
type ShopRows interface {
	Users() ([]*StaffUser, error)
	User(id string) (*StaffUser, error)
	PutUser(u *StaffUser) error
	Items() ([]protocol.Item, error)
	ReplaceItems(items []protocol.Item) error
}
