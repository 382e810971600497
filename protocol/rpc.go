package protocol

// Method names of the protocol. There are no others.
const (
	CallCheckIn      = "checkin"
	CallGetAddress   = "getaddress"
	CallQueryAddress = "queryaddress"
	CallSweep        = "sweep"
	CallDispense     = "dispense"
	CallQueryNonce   = "querynonce"
	CallDiscover     = "rpc.discover"
)

// Bounds of the transport.
const (
	MaxRequest  = 256 << 10 // bytes of a request body
	MaxResponse = 1 << 20   // bytes of an answer
	MaxBatch    = 16        // calls in one request
	MaxWait     = 30        // seconds a check-in may wait
	MinPoll     = 15        // seconds between idle check-ins
	MaxPoll     = 60
)

// DeviceState is one device of a terminal in a check-in.
type DeviceState struct {
	Name  string `json:"name" wire:"required,1..64"`
	State string `json:"state" wire:"required,1..64"`  // absent, ready, fault
	Fault string `json:"fault,omitempty" wire:"0..64"` // a word of the device's
}

// CheckIn is the params of checkin.
type CheckIn struct {
	Software  string        `json:"software" wire:"0..128"`            // "till/1.0.0 linux/arm64"
	Log       LogID         `json:"log,omitempty"`                     // the alert log Alert belongs to
	Config    int64         `json:"config" wire:"0..9007199254740991"` // version held, 0 none
	Alert     int64         `json:"alert" wire:"0..9007199254740991"`  // highest alert stored durably
	Addresses int64         `json:"addresses" wire:"0..1000000"`       // unused addresses left
	Wait      int64         `json:"wait,omitempty" wire:"0..30"`       // seconds
	Devices   []DeviceState `json:"devices,omitempty" wire:"0..64"`    // as they stand now
	Journal   []Entry       `json:"journal,omitempty" wire:"0..200"`   // following the last acknowledged
}

// CheckInResult is what checkin answers.
type CheckInResult struct {
	Time    Time        `json:"time"`
	Log     LogID       `json:"log"`
	Journal int64       `json:"journal"` // highest entry stored durably
	Alerts  List[Alert] `json:"alerts"`
	More    bool        `json:"more"`
	Quotes  List[Quote] `json:"quotes"`
	NoQuote *NoQuote    `json:"no_quote,omitempty"`
	// PayoutLeft is what the day's limits still let out at this terminal, absent
	// where nothing is limited.
	PayoutLeft *Money  `json:"payout_left,omitempty"`
	Poll       int64   `json:"poll"`    // seconds until the next idle check-in
	Entropy    string  `json:"entropy"` // 64 hex digits, mixed into the terminal's generator
	Config     *Config `json:"config,omitempty"`
}

// GetAddress is the params of getaddress.
type GetAddress struct {
	Want    int64    `json:"want" wire:"required,0..100"`
	Held    []string `json:"held,omitempty"`
	Release []string `json:"release,omitempty"` // never shown or printed
}

// GetAddressResult lists all unused addresses leased to the terminal.
type GetAddressResult struct {
	Addresses List[Lease] `json:"addresses"`
	Short     bool        `json:"short,omitempty"` // the gap limit allowed no more
}

// QueryAddress is the params of queryaddress: 1 … MaxQuery addresses.
type QueryAddress struct {
	Addresses []string `json:"addresses" wire:"required,1..16"`
}

// Funds is what one address holds. PendingSat is nil where the backend cannot
// see the mempool.
type Funds struct {
	Address      string `json:"address"`
	ConfirmedSat Sat    `json:"confirmed_sat"` // uncontested outputs only
	PendingSat   *Sat   `json:"pending_sat"`
	ContestedSat Sat    `json:"contested_sat"` // confirmed, with a spend in the mempool
	Outputs      int64  `json:"outputs"`
}

// QueryAddressResult sums the funds; SweepFeeSat is for two outputs at the
// present rate.
type QueryAddressResult struct {
	Funds        List[Funds] `json:"funds"`
	ConfirmedSat Sat         `json:"confirmed_sat"`
	PendingSat   *Sat        `json:"pending_sat"`
	ContestedSat Sat         `json:"contested_sat"`
	SweepFeeSat  Sat         `json:"sweep_fee_sat"`
	UsableSat    Sat         `json:"usable_sat"`
}

// Sweep is the params of sweep. Keys are WIF; they live for the call only.
type Sweep struct {
	ID     PayoutID `json:"id" wire:"required"`
	Keys   []Secret `json:"keys" wire:"0..16"` // may be left out in a retry of a sweep that was signed
	DueSat *Sat     `json:"due_sat,omitempty"`
	Change string   `json:"change,omitempty"`
	Sale   SaleID   `json:"sale,omitempty"`
	Tender TenderID `json:"tender,omitempty"`
}

// MaxKeys is how many keys one sweep takes.
const MaxKeys = 16

// SweepResult tells what a sweep took.
type SweepResult struct {
	ID            PayoutID    `json:"id"`
	Of            PayoutKind  `json:"of,omitempty"` // querynonce only
	State         PayoutState `json:"state"`
	TxID          string      `json:"txid"`
	Address       string      `json:"address"`
	ReceivedSat   Sat         `json:"received_sat"`
	ChangeSat     Sat         `json:"change_sat"`
	FeeSat        Sat         `json:"fee_sat"`
	RefundOwedSat Sat         `json:"refund_owed_sat"`
	Inputs        int64       `json:"inputs"`
	Replaces      []string    `json:"replaces,omitempty"`
}

// Dispense is the params of dispense: exactly one of Quote with Price, or
// RefundOf.
type Dispense struct {
	ID        PayoutID `json:"id" wire:"required"`
	AmountSat Sat      `json:"amount_sat" wire:"required"`
	Method    Method   `json:"method" wire:"required"`
	Address   string   `json:"address" wire:"required"`
	Authcode  Secret   `json:"authcode" wire:"required"`
	Quote     QuoteID  `json:"quote,omitempty"`
	Price     *Money   `json:"price,omitempty"`
	RefundOf  RefundID `json:"refund_of,omitempty"`
}

// DispenseResult tells where a payout has got.
type DispenseResult struct {
	ID        PayoutID    `json:"id"`
	Of        PayoutKind  `json:"of,omitempty"` // querynonce only
	State     PayoutState `json:"state"`
	TxID      string      `json:"txid"`
	AmountSat Sat         `json:"amount_sat"`
	FeeSat    Sat         `json:"fee_sat"`
	Replaces  []string    `json:"replaces,omitempty"`
}

// QueryNonce is the params of querynonce.
type QueryNonce struct {
	ID PayoutID `json:"id" wire:"required"`
}

// QueryNonceResult is the result of the sweep or dispense, by Of; its other
// kind's members are zero. State is [PayoutNever] for an id that was not used.
type QueryNonceResult struct {
	ID            PayoutID    `json:"id"`
	Of            PayoutKind  `json:"of,omitempty"`
	State         PayoutState `json:"state"`
	TxID          string      `json:"txid,omitempty"`
	Address       string      `json:"address,omitempty"`         // sweep
	ReceivedSat   Sat         `json:"received_sat,omitempty"`    // sweep
	ChangeSat     Sat         `json:"change_sat,omitempty"`      // sweep
	RefundOwedSat Sat         `json:"refund_owed_sat,omitempty"` // sweep
	Inputs        int64       `json:"inputs,omitempty"`          // sweep
	AmountSat     Sat         `json:"amount_sat,omitempty"`      // dispense
	FeeSat        Sat         `json:"fee_sat,omitempty"`
	Replaces      []string    `json:"replaces,omitempty"`
}

// Enroll is the body of POST /enroll.
type Enroll struct {
	Code string `json:"code" wire:"required,1..64"` // XXXX-XXXX-XXXX
	Name string `json:"name" wire:"required,1..64"`
	CSR  string `json:"csr" wire:"required,1..8192"` // PEM
}

// EnrollResult makes a terminal of the one who enrolled.
type EnrollResult struct {
	ID          TerminalID     `json:"id"`
	Certificate string         `json:"certificate"` // PEM
	CA          string         `json:"ca"`          // PEM
	QuoteKeys   List[QuoteKey] `json:"quote_keys"`
}

// Renew is the body of POST /renew.
type Renew struct {
	CSR string `json:"csr" wire:"required,1..8192"` // PEM
}

// RenewResult brings the new certificate; the old one stays good for 24 hours.
type RenewResult struct {
	Certificate string `json:"certificate"`
}
