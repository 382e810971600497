package taler

import (
	"errors"
	"fmt"
)

// alphabet is Crockford's: digits and capitals without I, L, O and U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ErrBase32 is the cause of every text that does not decode.
var ErrBase32 = errors.New("not base32")

// symbolValue maps a byte of text to its five bits, or to -1. It ignores case and
// reads O as 0, I and L as 1, U as V (§1).
var symbolValue = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	set := func(symbol byte, value int8) {
		table[symbol] = value
		if symbol >= 'A' {
			table[symbol+'a'-'A'] = value
		}
	}
	for i := range len(alphabet) {
		set(alphabet[i], int8(i))
	}
	set('O', 0)
	set('I', 1)
	set('L', 1)
	set('U', table['V'])
	return table
}()

// symbols is the number of symbols that n bytes take.
func symbols(n int) int { return (8*n + 4) / 5 }

// EncodeBase32 writes bytes in Crockford's base32: capitals, most significant bit
// first, the last symbol padded with zero bits, no "=".
func EncodeBase32(b []byte) string {
	out := make([]byte, 0, symbols(len(b)))
	var window uint32
	var held uint
	for _, octet := range b {
		window = window<<8 | uint32(octet)
		held += 8
		for held >= 5 {
			held -= 5
			out = append(out, alphabet[window>>held&31])
		}
	}
	if held > 0 {
		out = append(out, alphabet[window<<(5-held)&31])
	}
	return string(out)
}

// DecodeBase32 reads what [EncodeBase32] writes, in either case and with Crockford's
// look-alikes. A symbol that adds no byte and padding bits that are not zero are
// refused, so equal bytes have one length. The error wraps [ErrBase32].
func DecodeBase32(text string) ([]byte, error) {
	out := make([]byte, len(text)*5/8)
	if err := decodeBase32(out, text); err != nil {
		return nil, err
	}
	return out, nil
}

// decodeBase32 fills dst; the text has exactly symbols(len(dst)) symbols or is
// refused before it is read.
func decodeBase32(dst []byte, text string) error {
	if len(text) != symbols(len(dst)) {
		return fmt.Errorf("%w: %d symbols instead of %d", ErrBase32, len(text), symbols(len(dst)))
	}
	var window uint32
	var held uint
	n := 0
	for i := range len(text) {
		value := symbolValue[text[i]]
		if value < 0 {
			return fmt.Errorf("%w: %q at %d is no symbol", ErrBase32, text[i], i)
		}
		window = window<<5 | uint32(value)
		held += 5
		if held >= 8 {
			held -= 8
			dst[n] = byte(window >> held)
			n++
		}
	}
	if window&(1<<held-1) != 0 {
		return fmt.Errorf("%w: padding bits are not zero", ErrBase32)
	}
	return nil
}
