package protocol

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
)

// Hash is a SHA-256 as 64 lower-case hex digits.
type Hash string

// NoHash is the link of the first entry of a journal: 64 zeros.
const NoHash Hash = "0000000000000000000000000000000000000000000000000000000000000000"

// Valid reports the shape.
func (h Hash) Valid() bool {
	if len(h) != 64 {
		return false
	}
	for i := range len(h) {
		if !isLowerHex(h[i]) {
			return false
		}
	}
	return true
}

// HashOf is the SHA-256 of data.
func HashOf(data []byte) Hash {
	sum := sha256.Sum256(data)
	return Hash(hex.EncodeToString(sum[:]))
}

// Canonical rewrites one JSON value by RFC 8785 (JSON Canonicalization
// Scheme): no white space, members sorted by UTF-16 code units, strings and
// numbers as ECMAScript writes them. It refuses what [Check] refuses.
func Canonical(data []byte) ([]byte, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	return appendCanonical(make([]byte, 0, len(data)), root)
}

func appendCanonical(out []byte, n *node) ([]byte, error) {
	var err error
	switch n.kind {
	case kindObject:
		members := slices.Clone(n.members)
		slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.name, b.name) })
		out = append(out, '{')
		for i, m := range members {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendCanonicalString(out, m.name), ':')
			if out, err = appendCanonical(out, m.value); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case kindArray:
		out = append(out, '[')
		for i, item := range n.items {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendCanonical(out, item); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case kindString:
		return appendCanonicalString(out, string(n.text())), nil
	case kindNumber:
		return appendCanonicalNumber(out, n.raw)
	default:
		return append(out, n.raw...), nil
	}
}

var errNumber = errors.New("a number is beyond the range of IEEE 754")

// appendCanonicalNumber writes a number as ECMAScript's Number.toString does
// (RFC 8785 §3.2.2.3).
func appendCanonicalNumber(out, raw []byte) ([]byte, error) {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, errNumber
	}
	if f == 0 {
		return append(out, '0'), nil
	}
	format := byte('f')
	if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	text := strconv.AppendFloat(nil, f, format, -1, 64)
	// Go writes at least two digits of exponent, ECMAScript as few as it can.
	if n := len(text); format == 'e' && n >= 4 && text[n-2] == '0' && (text[n-3] == '-' || text[n-3] == '+') {
		text = append(text[:n-2], text[n-1])
	}
	return append(out, text...), nil
}

func appendCanonicalString(out []byte, text string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c >= 0x20:
			out = append(out, c)
		default:
			if j := bytes.IndexByte([]byte("\b\t\n\f\r"), c); j >= 0 {
				out = append(out, '\\', "btnfr"[j])
			} else {
				out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			}
		}
	}
	return append(out, '"')
}

// compareUTF16 orders as ECMAScript does: by code units, so that U+1F600
// (D83D …) comes before U+FB33.
func compareUTF16(a, b string) int {
	ascii := func(s string) bool {
		for i := range len(s) {
			if s[i] >= 0x80 {
				return false
			}
		}
		return true
	}
	if ascii(a) && ascii(b) {
		return bytes.Compare([]byte(a), []byte(b))
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}
