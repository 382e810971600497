package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
)

// EntryKind is what a journal entry records.
type EntryKind string

// The kinds a server understands (terminal.md §4.1). Any other is stored and
// not acted on.
const (
	EntryShiftOpened    EntryKind = "shift_opened"
	EntryShiftClosed    EntryKind = "shift_closed"
	EntrySaleOpened     EntryKind = "sale_opened"
	EntryTenderAdded    EntryKind = "tender_added"
	EntryTenderRemoved  EntryKind = "tender_removed"
	EntrySalePaid       EntryKind = "sale_paid"
	EntrySaleCancelled  EntryKind = "sale_cancelled"
	EntrySaleParked     EntryKind = "sale_parked"
	EntryTabOpened      EntryKind = "tab_opened"
	EntryTabCharged     EntryKind = "tab_charged"
	EntryTabClosed      EntryKind = "tab_closed"
	EntryRefund         EntryKind = "refund"
	EntryPayout         EntryKind = "payout"
	EntryReceiptPrinted EntryKind = "receipt_printed"
	EntryDrawerOpened   EntryKind = "drawer_opened"
	EntrySignedIn       EntryKind = "signed_in"
	EntryOverride       EntryKind = "override"
	EntrySettings       EntryKind = "settings"
	EntryTokenReceived  EntryKind = "token_received"
	EntryAddressShown   EntryKind = "address_shown"
	EntryTamper         EntryKind = "tamper"
	// The specification lists no such kinds; a server need only store them.
	EntrySignedOut    EntryKind = "signed_out"
	EntrySignInFailed EntryKind = "sign_in_failed"
)

// Reasons of a drawer that opens by itself; any other is a person's.
const (
	ReasonSale   = "sale"
	ReasonRefund = "refund"
	ReasonCoins  = "coins" // bitcoin was sold
)

// Entry is one line of a terminal's journal, chained to the one before it.
type Entry struct {
	Seq  int64           `json:"seq" wire:"required"` // 1, 2, 3 … without gaps
	At   Time            `json:"at" wire:"required"`  // max(clock, At of the entry before)
	Kind EntryKind       `json:"kind" wire:"required"`
	Body json.RawMessage `json:"body" wire:"required"`
	Prev Hash            `json:"prev" wire:"required"` // Hash of the entry before, NoHash for the first
	Hash Hash            `json:"hash" wire:"required"` // SHA-256 of the canonical JSON without hash
}

// Bounds of the journal on the wire.
const (
	MaxEntry   = 64 << 10 // bytes of one entry
	MaxEntries = 200      // entries of one check-in

	// entryEnvelope is room for what is not kind and body: seq, time, two hashes,
	// and the hash that is added when an entry is appended again after a fork.
	entryEnvelope = 512
)

// Errors of a chain.
var (
	// ErrEntryHash: the hash is not that of the content; the entry was damaged.
	ErrEntryHash = errors.New("the entry's hash is not that of its content")
	// ErrEntryLink: the entry does not follow the one before it.
	ErrEntryLink = errors.New("the entry does not follow the one before it")
	// ErrEntrySize: the entry is above MaxEntry and would never reach the server.
	ErrEntrySize = errors.New("the entry is too large")
)

// NewEntry makes the entry that follows prev (nil for the first) with the body
// in JSON. Its time is the later of now and the previous entry's.
func NewEntry(prev *Entry, now Time, kind EntryKind, body any) (*Entry, error) {
	text, err := Encode(body)
	if err != nil {
		return nil, fmt.Errorf("make %s entry: %w", kind, err)
	}
	e := &Entry{Seq: 1, At: now, Kind: kind, Body: text, Prev: NoHash}
	if prev != nil {
		e.Seq, e.At, e.Prev = prev.Seq+1, max(now, prev.At), prev.Hash
	}
	if e.Hash, err = e.computeHash(); err != nil {
		return nil, fmt.Errorf("make %s entry: %w", kind, err)
	}
	if size := len(text) + len(kind) + entryEnvelope; size > MaxEntry {
		return nil, fmt.Errorf("make %s entry of %d bytes: %w", kind, size, ErrEntrySize)
	}
	return e, nil
}

// Check verifies the hash against the content; it fails with [ErrEntryHash].
func (e *Entry) Check() error {
	hash, err := e.computeHash()
	if err != nil {
		return fmt.Errorf("check entry %d: %w", e.Seq, err)
	}
	if hash != e.Hash {
		return fmt.Errorf("check entry %d: %w", e.Seq, ErrEntryHash)
	}
	return nil
}

// Follows verifies that e is the entry after the one with seq and hash (0 and
// NoHash before the first); it fails with [ErrEntryLink].
func (e *Entry) Follows(seq int64, hash Hash) error {
	if e.Seq != seq+1 || e.Prev != hash {
		return fmt.Errorf("entry %d after %d: %w", e.Seq, seq, ErrEntryLink)
	}
	return nil
}

func (e *Entry) computeHash() (Hash, error) {
	text, err := Encode(struct {
		Seq  int64           `json:"seq"`
		At   Time            `json:"at"`
		Kind EntryKind       `json:"kind"`
		Body json.RawMessage `json:"body"`
		Prev Hash            `json:"prev"`
	}{e.Seq, e.At, e.Kind, e.Body, e.Prev})
	if err != nil {
		return "", err
	}
	canonical, err := Canonical(text)
	if err != nil {
		return "", err
	}
	return HashOf(canonical), nil
}

// Line is one position of a sale. Amount = Price × Quantity / 1000, rounded
// half up, less Discount.
type Line struct {
	SKU      string `json:"sku,omitempty"`
	Name     string `json:"name" wire:"required"`
	Quantity int64  `json:"quantity" wire:"required"` // thousandths: 1000 is one
	Price    Money  `json:"price" wire:"required"`    // of 1000
	Tax      string `json:"tax,omitempty"`            // code of CONFIG's tax
	Discount *Money `json:"discount,omitempty"`
	Reason   string `json:"reason,omitempty"` // of the discount; ours
}

// TaxShare is the tax of one rate in a sale.
type TaxShare struct {
	Code   string `json:"code" wire:"required"`
	RateBP int64  `json:"rate_bp"`
	Net    Money  `json:"net"`
	Tax    Money  `json:"tax"`
}

// The bodies of entries. A body may be extended: what is unknown is stored.
type (
	// ShiftOpened begins a shift with the float in the drawer.
	ShiftOpened struct {
		Shift ShiftID `json:"shift" wire:"required"`
		User  string  `json:"user,omitempty"`
		Float Money   `json:"float" wire:"required"`
	}
	// ShiftClosed ends it.
	ShiftClosed struct {
		Shift    ShiftID `json:"shift" wire:"required"`
		User     string  `json:"user,omitempty"`
		Counted  Money   `json:"counted" wire:"required"`
		Expected Money   `json:"expected" wire:"required"`
		Variance Money   `json:"variance" wire:"required"`
		Reason   string  `json:"reason,omitempty"`
		ZNumber  int64   `json:"z_number" wire:"required"`
	}
	// SaleOpened asks for money.
	SaleOpened struct {
		Sale   SaleID     `json:"sale" wire:"required"`
		Total  Money      `json:"total" wire:"required"`
		Number string     `json:"number,omitempty"`
		Shift  ShiftID    `json:"shift,omitempty"`
		User   string     `json:"user,omitempty"`
		Lines  []Line     `json:"lines,omitempty"`
		Tip    *Money     `json:"tip,omitempty"`
		Tax    []TaxShare `json:"tax,omitempty"`
		Note   string     `json:"note,omitempty"`
	}
	// TenderAdded offers a means of paying Amount of the sale. Bitcoin has
	// quote, address and due_sat; key has quote and due_sat.
	TenderAdded struct {
		Sale    SaleID     `json:"sale" wire:"required"`
		Tender  TenderID   `json:"tender" wire:"required"`
		Kind    TenderKind `json:"kind" wire:"required"`
		Amount  Money      `json:"amount" wire:"required"`
		Quote   QuoteID    `json:"quote,omitempty"`
		Address string     `json:"address,omitempty"`
		DueSat  Sat        `json:"due_sat,omitempty"`
	}
	// TenderRemoved takes the offer back; an address that was shown stays watched.
	TenderRemoved struct {
		Sale   SaleID   `json:"sale" wire:"required"`
		Tender TenderID `json:"tender" wire:"required"`
		Reason string   `json:"reason,omitempty"`
	}
	// SaleEnded is the body of sale_paid, sale_cancelled and sale_parked.
	SaleEnded struct {
		Sale   SaleID `json:"sale" wire:"required"`
		Reason string `json:"reason,omitempty"`
		Change *Money `json:"change,omitempty"`
	}
	// TabOpened adds an e-cash tender that is charged in rounds (merchant.md §4).
	TabOpened struct {
		Sale      SaleID   `json:"sale" wire:"required"`
		Tender    TenderID `json:"tender" wire:"required"`
		MaxAmount Money    `json:"max_amount" wire:"required"`
	}
	// TabCharged tells the cumulative amount of a tab after one more round.
	TabCharged struct {
		Sale   SaleID   `json:"sale" wire:"required"`
		Tender TenderID `json:"tender" wire:"required"`
		Amount Money    `json:"amount" wire:"required"`
		Lines  []Line   `json:"lines,omitempty"`
	}
	// TabClosed asks for the deposit of what was charged.
	TabClosed struct {
		Sale   SaleID   `json:"sale" wire:"required"`
		Tender TenderID `json:"tender" wire:"required"`
	}
	// Refund gives money of a sale back; Dispense names the payout when it
	// leaves as bitcoin.
	Refund struct {
		Sale       SaleID     `json:"sale" wire:"required"`
		Refund     RefundID   `json:"refund" wire:"required"`
		Amount     Money      `json:"amount" wire:"required"`
		Kind       TenderKind `json:"kind" wire:"required"`
		Dispense   PayoutID   `json:"dispense,omitempty"`
		User       string     `json:"user,omitempty"`
		ApprovedBy string     `json:"approved_by,omitempty"`
		AmountSat  Sat        `json:"amount_sat,omitempty"` // in bitcoin, where it goes back so; ours
	}
	// PayoutNoted records what the terminal knows of a payout. What follows State
	// is ours, for reports: a dispense sold coins for a price or belongs to a refund.
	PayoutNoted struct {
		ID        PayoutID    `json:"id" wire:"required"`
		Of        PayoutKind  `json:"of" wire:"required"`
		State     PayoutState `json:"state" wire:"required"`
		AmountSat Sat         `json:"amount_sat,omitempty"`
		Price     *Money      `json:"price,omitempty"`
		RefundOf  RefundID    `json:"refund_of,omitempty"`
	}
	// ReceiptPrinted counts the papers of a sale; copy 2 and later say COPY.
	ReceiptPrinted struct {
		Sale SaleID `json:"sale" wire:"required"`
		Copy int64  `json:"copy" wire:"required"`
	}
	// DrawerOpened tells why the drawer was opened. Amount, ours, is cash that was
	// put in beside sales, below 0 taken out.
	DrawerOpened struct {
		Reason string `json:"reason" wire:"required"`
		User   string `json:"user,omitempty"`
		Amount *Money `json:"amount,omitempty"`
	}
	// PersonDid is the body of signed_in, signed_out, sign_in_failed, override and
	// settings.
	PersonDid struct {
		User       string `json:"user" wire:"required"`
		ApprovedBy string `json:"approved_by,omitempty"`
		What       string `json:"what,omitempty"`
	}
	// TokenReceived is anything a customer handed over, before it is judged:
	// the SHA-256 where it is a secret.
	TokenReceived struct {
		Token string `json:"token" wire:"required"`
		Kind  string `json:"kind" wire:"required"`
	}
	// AddressShown: an address without a sale was shown or printed. The
	// specification lists no such kind, so a server need only store it; but what
	// an entry names is never taken back and leased to another (§5).
	AddressShown struct {
		Address string `json:"address" wire:"required"`
		User    string `json:"user,omitempty"`
	}
	// Tampered tells which sensor saw the case opened.
	Tampered struct {
		Sensor string `json:"sensor" wire:"required"`
	}
)
