package protocol

import (
	"fmt"
	"io"
	"time"
)

// ID is a UUIDv7 in lower case, made by whoever creates the thing it names. It
// is checked for shape only; its time is never trusted. The types below keep
// the names of different things apart.
type ID string

type (
	// TerminalID names a pairing: every pairing makes a new one.
	TerminalID ID
	// LogID names an alert log; it is drawn when a server's database is created or restored.
	LogID ID
	// SaleID names a sale.
	SaleID ID
	// TenderID names one means of paying one part of a sale.
	TenderID ID
	// QuoteID names a signed quote.
	QuoteID ID
	// PayoutID names a sweep or dispense: one name space over all terminals.
	PayoutID ID
	// RefundID names a refund entry of the journal.
	RefundID ID
	// ShiftID names a shift.
	ShiftID ID
)

// Valid reports whether id is a UUIDv7 in lower-case canonical form.
func (id ID) Valid() bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		case 14:
			if c != '7' {
				return false
			}
		case 19:
			if c != '8' && c != '9' && c != 'a' && c != 'b' {
				return false
			}
		default:
			if !isLowerHex(c) {
				return false
			}
		}
	}
	return true
}

// Valid reports the shape of the id, as for the following types.
func (id TerminalID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id LogID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id SaleID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id TenderID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id QuoteID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id PayoutID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id RefundID) Valid() bool { return ID(id).Valid() }

// Valid is [ID.Valid].
func (id ShiftID) Valid() bool { return ID(id).Valid() }

// NewID makes a UUIDv7 (RFC 9562 §5.7) from the time and 10 bytes of random.
// It fails only when random does.
func NewID(now time.Time, random io.Reader) (ID, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return ID(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])), nil
}

func isLowerHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
