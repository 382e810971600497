package taler

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every secret prints.
const redacted = "[secret]"

// hidden gives a type the methods that keep its value out of every verb, JSON text
// and log. Keys and secrets that embed it also hold their bytes behind a function:
// fmt calls no method of another type's unexported field, and follows pointers when
// the verb is wrong, but prints a function as an address.
type hidden struct{}

// Format prints "[secret]" whatever the verb.
func (hidden) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText gives "[secret]"; encoding/json uses it too.
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives "[secret]".
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// Secret is 32 bytes of chance that stay here: r_m before the draw, the seed of a
// blinding factor.
type Secret struct {
	hidden
	bytes func() *[32]byte
}

func newSecret(b *[32]byte) Secret { return Secret{bytes: func() *[32]byte { return b }} }

// NewSecret draws a secret from random.
func NewSecret(random io.Reader) (Secret, error) {
	b := new([32]byte)
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Secret{}, fmt.Errorf("draw a secret: %w", err)
	}
	return newSecret(b), nil
}

// SecretFrom takes over bytes that were kept.
func SecretFrom(b [32]byte) Secret { return newSecret(&b) }

// Reveal gives the bytes away: to a store that keeps them, or to the other side once
// it may know them.
func (s Secret) Reveal() Nonce { return *s.bytes() }

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.bytes()[:], other.bytes()[:]) == 1
}

// Wipe overwrites the bytes, for all copies of s.
func (s Secret) Wipe() { clear(s.bytes()[:]) }
