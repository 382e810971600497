package protocol

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Sat is an amount of bitcoin in satoshi, 0 … [MaxSat] on the wire. Differences
// inside the program may be negative.
type Sat int64

const (
	// SatPerBitcoin is the number of satoshi in one bitcoin.
	SatPerBitcoin Sat = 100_000_000
	// MaxSat is the largest amount that can exist: 21 million bitcoin.
	MaxSat Sat = 21_000_000 * SatPerBitcoin
)

// ErrAmount is the cause of every refused amount: out of range, too precise,
// or not a number.
var ErrAmount = errors.New("amount not understood")

// String gives the amount in bitcoin with eight decimals: "0.00021163".
func (s Sat) String() string {
	sign, v := "", uint64(s)
	if s < 0 {
		sign, v = "-", -v
	}
	return fmt.Sprintf("%s%d.%08d", sign, v/uint64(SatPerBitcoin), v%uint64(SatPerBitcoin))
}

// Valid reports whether s may stand on the wire: 0 … MaxSat.
func (s Sat) Valid() bool { return s >= 0 && s <= MaxSat }

// ParseBitcoin reads a decimal number of bitcoin, at most eight decimals,
// digits and one point only: "0.00021163", "1", ".5" is refused. The error
// wraps [ErrAmount].
func ParseBitcoin(text string) (Sat, error) {
	v, err := parseDecimal(text, 8)
	if err != nil || Sat(v) > MaxSat {
		return 0, fmt.Errorf("%w: %q is not a number of bitcoin between 0 and 21000000 with at most 8 decimals", ErrAmount, clip(text))
	}
	return Sat(v), nil
}

// Currency is an ISO 4217 code in capitals, such as "EUR".
type Currency string

// exponents lists the currencies whose minor unit is not a hundredth (ISO 4217,
// list one).
var exponents = map[Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0,
	"KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Exponent is the number of decimals of the currency's minor unit: 2 for EUR,
// 0 for JPY, 3 for KWD.
func (c Currency) Exponent() int {
	if e, ok := exponents[c]; ok {
		return e
	}
	return 2
}

// Valid reports whether c has the shape of an ISO 4217 code.
func (c Currency) Valid() bool {
	if len(c) != 3 {
		return false
	}
	for i := range len(c) {
		if c[i] < 'A' || c[i] > 'Z' {
			return false
		}
	}
	return true
}

// MaxMinor bounds an amount of money on the wire so that sums of many stay in
// 64 bits and in the integers that JSON carries exactly (2^53).
const MaxMinor = 1_000_000_000_000_000

// Money is an amount in the minor units of its currency: {"currency":"EUR",
// "minor":1250} is EUR 12.50. Minor is -MaxMinor … MaxMinor; where an amount
// cannot be negative its user says so.
type Money struct {
	Currency Currency `json:"currency" wire:"required"`
	Minor    int64    `json:"minor" wire:"required,-1000000000000000..1000000000000000"`
}

// String gives code and amount: "EUR 12.50".
func (m Money) String() string { return string(m.Currency) + " " + m.Decimal() }

// Decimal gives the amount alone with a point: "12.50", "-0.05", "1200" (JPY).
func (m Money) Decimal() string {
	sign, v := "", uint64(m.Minor)
	if m.Minor < 0 {
		sign, v = "-", -v
	}
	e := m.Currency.Exponent()
	if e == 0 {
		return sign + strconv.FormatUint(v, 10)
	}
	s := strconv.FormatUint(v, 10)
	if len(s) <= e {
		s = strings.Repeat("0", e+1-len(s)) + s
	}
	return sign + s[:len(s)-e] + "." + s[len(s)-e:]
}

// Valid reports whether the currency has its shape and the amount its range.
func (m Money) Valid() bool {
	return m.Currency.Valid() && m.Minor >= -MaxMinor && m.Minor <= MaxMinor
}

// Add returns m + n. It fails with [ErrAmount] when currencies differ or the
// sum leaves the range.
func (m Money) Add(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, fmt.Errorf("%w: %s and %s cannot be added", ErrAmount, m.Currency, n.Currency)
	}
	sum := Money{m.Currency, m.Minor + n.Minor}
	if !m.Valid() || !n.Valid() || !sum.Valid() {
		return Money{}, fmt.Errorf("%w: the sum is out of range", ErrAmount)
	}
	return sum, nil
}

// Sub returns m − n, failing as [Money.Add] does.
func (m Money) Sub(n Money) (Money, error) {
	return m.Add(Money{n.Currency, -n.Minor})
}

// ParseMoney reads a decimal amount of the currency: "12.50", "12", "12,50" is
// refused. At most as many decimals as the currency has. The error wraps
// [ErrAmount].
func ParseMoney(c Currency, text string) (Money, error) {
	v, err := parseDecimal(text, c.Exponent())
	if err != nil || v > MaxMinor {
		return Money{}, fmt.Errorf("%w: %q is not an amount of %s with at most %d decimals", ErrAmount, clip(text), c, c.Exponent())
	}
	return Money{c, v}, nil
}

// Rate is a price of one whole bitcoin in minor units of a currency:
// 5812345 with EUR is 58 123.45 EUR/BTC. Positive, at most [MaxMinor].
type Rate int64

// Valid reports whether r is a usable price.
func (r Rate) Valid() bool { return r > 0 && r <= MaxMinor }

// Charge converts a price into the satoshi a customer owes, rounded up to the
// next satoshi: ⌈minor × 10^8 / rate⌉ in 128 bits. It fails with [ErrAmount]
// when minor is negative, the rate is not positive, or more than MaxSat is due.
func (r Rate) Charge(minor int64) (Sat, error) { return r.convert(minor, true) }

// Payout converts a price into the satoshi a customer gets, rounded down to a
// whole satoshi; it fails as [Rate.Charge] does.
func (r Rate) Payout(minor int64) (Sat, error) { return r.convert(minor, false) }

func (r Rate) convert(minor int64, up bool) (Sat, error) {
	if !r.Valid() || minor < 0 || minor > MaxMinor {
		return 0, fmt.Errorf("%w: %d minor units at %d a bitcoin", ErrAmount, minor, r)
	}
	hi, lo := bits.Mul64(uint64(minor), uint64(SatPerBitcoin))
	if up {
		var carry uint64
		lo, carry = bits.Add64(lo, uint64(r)-1, 0)
		hi += carry
	}
	if hi >= uint64(r) {
		return 0, fmt.Errorf("%w: %d minor units at %d are more bitcoin than exist", ErrAmount, minor, r)
	}
	q, _ := bits.Div64(hi, lo, uint64(r))
	if q > uint64(MaxSat) {
		return 0, fmt.Errorf("%w: %d minor units at %d are more bitcoin than exist", ErrAmount, minor, r)
	}
	return Sat(q), nil
}

// Value converts satoshi into minor units at the rate, rounded down. It is for
// showing and for limits, never for what is owed. It fails with [ErrAmount]
// when s is not 0 … MaxSat or the result leaves the range of [Money].
func (r Rate) Value(s Sat) (int64, error) {
	if !r.Valid() || !s.Valid() {
		return 0, fmt.Errorf("%w: %d satoshi at %d", ErrAmount, int64(s), r)
	}
	hi, lo := bits.Mul64(uint64(s), uint64(r))
	if hi >= uint64(SatPerBitcoin) {
		return 0, fmt.Errorf("%w: %s BTC at %d is out of range", ErrAmount, s, r)
	}
	q, _ := bits.Div64(hi, lo, uint64(SatPerBitcoin))
	if q > MaxMinor {
		return 0, fmt.Errorf("%w: %s BTC at %d is out of range", ErrAmount, s, r)
	}
	return int64(q), nil
}

// parseDecimal reads digits with at most one point and at most places decimals
// as an integer of the smallest unit.
func parseDecimal(text string, places int) (int64, error) {
	whole, frac, point := strings.Cut(text, ".")
	if whole == "" || len(text) > 24 || len(frac) > places || (point && frac == "") {
		return 0, ErrAmount
	}
	digits := whole + frac + strings.Repeat("0", places-len(frac))
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, ErrAmount
		}
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, ErrAmount
	}
	return v, nil
}

// clip shortens foreign text for a message.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
