package taler

import (
	"fmt"
	"math"
	"math/bits"

	"till/protocol"
)

// microPerUnit is the number of fractions in one unit of a currency.
const microPerUnit = 1_000_000

// Amount is the documents' "Denomination object": 1.50 euros are
// {"currency":"EUR","value":1,"fraction":500000}. Fraction is below 1000000. On the
// wire it has these three members and no other; negative amounts do not exist.
type Amount struct {
	Currency protocol.Currency
	Value    uint32
	Fraction uint32
}

// NewAmount gives micro millionths of the currency's unit. The error wraps
// [protocol.ErrAmount]: value would not fit 32 bits, or the currency has no shape.
func NewAmount(c protocol.Currency, micro uint64) (Amount, error) {
	if micro/microPerUnit > math.MaxUint32 || !c.Valid() {
		return Amount{}, fmt.Errorf("%w: %d millionths of %q", protocol.ErrAmount, micro, clip(string(c)))
	}
	return Amount{c, uint32(micro / microPerUnit), uint32(micro % microPerUnit)}, nil
}

// FromMoney gives the e-cash amount of an amount in minor units. The error wraps
// [protocol.ErrAmount]: m is negative or too large.
func FromMoney(m protocol.Money) (Amount, error) {
	if !m.Valid() || m.Minor < 0 {
		return Amount{}, fmt.Errorf("%w: %s is no e-cash amount", protocol.ErrAmount, m)
	}
	hi, micro := bits.Mul64(uint64(m.Minor), minorFraction(m.Currency))
	if hi != 0 {
		return Amount{}, fmt.Errorf("%w: %s is too large", protocol.ErrAmount, m)
	}
	return NewAmount(m.Currency, micro)
}

// Money gives a in minor units. The error wraps [protocol.ErrAmount]: a has a part
// smaller than the currency's minor unit.
func (a Amount) Money() (protocol.Money, error) {
	minor := minorFraction(a.Currency)
	m := protocol.Money{Currency: a.Currency, Minor: int64(a.Micro() / minor)}
	if !a.Valid() || a.Micro()%minor != 0 || !m.Valid() {
		return protocol.Money{}, fmt.Errorf("%w: %s has no whole number of minor units", protocol.ErrAmount, a)
	}
	return m, nil
}

// minorFraction is the number of millionths in the currency's minor unit.
func minorFraction(c protocol.Currency) uint64 {
	fraction := uint64(microPerUnit)
	for range c.Exponent() {
		fraction /= 10
	}
	return fraction
}

// Valid reports whether a may stand on the wire.
func (a Amount) Valid() bool { return a.Currency.Valid() && a.Fraction < microPerUnit }

// IsZero reports whether a is worth nothing. Where money moves it must not be (§1).
func (a Amount) IsZero() bool { return a.Value == 0 && a.Fraction == 0 }

// Micro gives a in millionths of the unit; below 2^53.
func (a Amount) Micro() uint64 { return uint64(a.Value)*microPerUnit + uint64(a.Fraction) }

// String gives the currency and at least two decimals: "EUR 1.50", "EUR 0.000001".
func (a Amount) String() string {
	fraction := fmt.Sprintf("%06d", a.Fraction)
	for len(fraction) > 2 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	return fmt.Sprintf("%s %d.%s", a.Currency, a.Value, fraction)
}

// Cmp compares a with b: -1, 0 or +1. Amounts of two currencies do not compare: the
// error wraps [protocol.ErrAmount].
func (a Amount) Cmp(b Amount) (int, error) {
	if a.Currency != b.Currency {
		return 0, fmt.Errorf("%w: %s and %s do not compare", protocol.ErrAmount, clip(string(a.Currency)), clip(string(b.Currency)))
	}
	switch x, y := a.Micro(), b.Micro(); {
	case x < y:
		return -1, nil
	case x > y:
		return 1, nil
	}
	return 0, nil
}

// Add returns a + b. The error wraps [protocol.ErrAmount]: two currencies, or a sum
// whose value does not fit 32 bits.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s cannot be added", protocol.ErrAmount, clip(string(a.Currency)), clip(string(b.Currency)))
	}
	return NewAmount(a.Currency, a.Micro()+b.Micro())
}

// Sub returns a − b. The error wraps [protocol.ErrAmount]: two currencies, or b is
// more than a.
func (a Amount) Sub(b Amount) (Amount, error) {
	if order, err := a.Cmp(b); err != nil || order < 0 {
		return Amount{}, fmt.Errorf("%w: %s less %s", protocol.ErrAmount, a, b)
	}
	return NewAmount(a.Currency, a.Micro()-b.Micro())
}

// Sum adds one or more amounts and fails as [Amount.Add] does.
func Sum(first Amount, more ...Amount) (Amount, error) {
	sum := first
	for _, a := range more {
		var err error
		if sum, err = sum.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return sum, nil
}

func (a *Amount) read(v value) error {
	if v.kind != kindObject || len(v.members) != 3 {
		return fmt.Errorf("an amount has the members currency, value and fraction")
	}
	var read Amount
	for _, m := range v.members {
		var err error
		switch m.name {
		case "currency":
			var text string
			text, err = m.value.asText()
			read.Currency = protocol.Currency(text)
		case "value":
			read.Value, err = m.value.asUint32()
		case "fraction":
			read.Fraction, err = m.value.asUint32()
		default:
			err = fmt.Errorf("no member of an amount")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", clip(m.name), err)
		}
	}
	if !read.Valid() {
		return fmt.Errorf("a currency is three capitals and a fraction below %d", microPerUnit)
	}
	*a = read
	return nil
}

func (a *Amount) write() (value, error) {
	if !a.Valid() {
		return value{}, fmt.Errorf("%w: %q %d and %d millionths", protocol.ErrAmount, clip(string(a.Currency)), a.Value, a.Fraction)
	}
	return objectValue(
		member{"currency", textValue(string(a.Currency))},
		member{"fraction", intValue(int64(a.Fraction))},
		member{"value", intValue(int64(a.Value))},
	), nil
}
