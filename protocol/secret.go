package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret is text that must reach the wire and nothing else: it prints as
// [secret] in every verb, in every log and in JSON. [Secret.Reveal] and
// [Encode] of a call that carries one are the only ways out.
//
// The text stands behind a function: fmt calls no method of a value in an
// unexported field of another type, and would print the bytes there.
type Secret struct{ text func() []byte }

// NewSecret takes a copy of text.
func NewSecret(text string) Secret { return hold([]byte(text)) }

func hold(text []byte) Secret { return Secret{func() []byte { return text }} }

// bytes are the text itself, nil of the zero Secret.
func (s Secret) bytes() []byte {
	if s.text == nil {
		return nil
	}
	return s.text()
}

// Reveal gives the text; the caller must not keep it.
func (s Secret) Reveal() string { return string(s.bytes()) }

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return len(s.bytes()) == 0 }

// Wipe overwrites the text.
func (s Secret) Wipe() { clear(s.bytes()) }

// String hides the text.
func (s Secret) String() string { return "[secret]" }

// Format hides the text in every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[secret]")) }

// LogValue hides the text in slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalJSON hides the text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// revealed is a Secret on its way to the wire.
type revealed struct{ Secret }

func (r revealed) MarshalJSON() ([]byte, error) { return json.Marshal(string(r.bytes())) }

// wire is what stands on the wire for a call with secrets.
func (s Sweep) wire() any {
	keys := make([]revealed, len(s.Keys))
	for i, k := range s.Keys {
		keys[i] = revealed{k}
	}
	type plain Sweep
	return struct {
		plain
		Keys []revealed `json:"keys"`
	}{plain(s), keys}
}

func (d Dispense) wire() any {
	type plain Dispense
	return struct {
		plain
		Authcode revealed `json:"authcode"`
	}{plain(d), revealed{d.Authcode}}
}

// UnmarshalJSON reads a JSON string; the error repeats nothing of it.
func (s *Secret) UnmarshalJSON(data []byte) error {
	n, err := parse(data)
	if err != nil || n.kind != kindString {
		return &DecodeError{Message: "must be a string"}
	}
	*s = hold(bytes.Clone(n.text()))
	return nil
}
