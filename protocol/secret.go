package protocol

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret is text that must reach the wire and nothing else: it prints as
// [secret] in every verb and every log. [Secret.Reveal] is the one way out.
// A Secret that is encoded to JSON is on the wire and stands in clear: no log
// is written from wire types.
type Secret struct{ text []byte }

// NewSecret takes a copy of text.
func NewSecret(text string) Secret { return Secret{[]byte(text)} }

// Reveal gives the text; the caller must not keep it.
func (s Secret) Reveal() string { return string(s.text) }

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return len(s.text) == 0 }

// Wipe overwrites the text.
func (s Secret) Wipe() { clear(s.text) }

// String hides the text.
func (s Secret) String() string { return "[secret]" }

// Format hides the text in every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[secret]")) }

// LogValue hides the text in slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalJSON writes the text for the wire.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(string(s.text)) }

// UnmarshalJSON reads a JSON string; the error repeats nothing of it.
func (s *Secret) UnmarshalJSON(data []byte) error {
	n, err := parse(data)
	if err != nil || n.kind != kindString {
		return &DecodeError{Message: "must be a string"}
	}
	s.text = []byte(n.text)
	return nil
}
