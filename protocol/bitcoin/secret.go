package bitcoin

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every secret prints.
const redacted = "[secret]"

// hidden keeps a secret behind a function. A pointer would not do: fmt calls no
// method of a value in an unexported field and follows the pointer when the verb
// is a bad one.
type hidden[T any] func() *T

func hide[T any](v *T) hidden[T] { return func() *T { return v } }

// Secret is text that must not be seen: a WIF, a passphrase, a card's track, a
// list of words. Every verb, JSON, text and slog print [secret]; [Secret.Reveal]
// and [Secret.Bytes] are the only ways out. Copies share their memory.
type Secret struct{ text hidden[[]byte] }

// NewSecret takes over b: the caller gives its memory away.
func NewSecret(b []byte) Secret { return Secret{hide(&b)} }

// Bytes is the secret itself, not a copy. It is empty once wiped.
func (s Secret) Bytes() []byte {
	if s.text == nil {
		return nil
	}
	return *s.text()
}

// Reveal copies the secret into a string, for paper, a card or the wire. The
// string cannot be wiped.
func (s Secret) Reveal() string { return string(s.Bytes()) }

// Wipe overwrites the secret; all copies become empty.
func (s Secret) Wipe() {
	if s.text == nil {
		return
	}
	b := s.text()
	clear((*b)[:cap(*b)])
	*b = nil
}

// Format prints [secret] whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText gives [secret].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [secret].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
