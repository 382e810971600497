package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// CardReader reads and writes magnetic stripes; msr605.Reader is one. Every
// call but Status asks for a swipe and waits for it; ending the context puts
// the reader back to rest. Without a swipe for 30 seconds a call gives up by
// itself. One call runs at a time. Errors are the context's, [ErrTrack], or a
// [*CardError].
type CardReader interface {
	// Status is the reader's status now.
	Status() Status
	// Read reads the text of each track. A track that cannot be read does not
	// spoil the others: [Stripe.Text] tells.
	Read(ctx context.Context) (Stripe, error)
	// ReadRaw reads the bits of each track.
	ReadRaw(ctx context.Context) (Stripe, error)
	// Write writes all three tracks, of text or of bits but not mixed; those
	// without content are written empty.
	Write(ctx context.Context, s Stripe, c Coercivity) error
	// Erase erases tracks.
	Erase(ctx context.Context, t Tracks, c Coercivity) error
}

// Coercivity is the kind of a stripe.
type Coercivity string

// The kinds, as card.coercivity names them.
const (
	HiCo Coercivity = "hi"
	LoCo Coercivity = "lo"
)

// Other is the other kind.
func (c Coercivity) Other() Coercivity {
	if c == HiCo {
		return LoCo
	}
	return HiCo
}

// Name is what is printed on the boxes of cards, in every language.
func (c Coercivity) Name() string {
	if c == LoCo {
		return "Lo-Co"
	}
	return "Hi-Co"
}

// ParseCoercivity reads the configuration's word.
func ParseCoercivity(word string) (Coercivity, error) {
	switch c := Coercivity(word); c {
	case HiCo, LoCo:
		return c, nil
	}
	return "", fmt.Errorf("card coercivity %q: must be hi or lo", word)
}

// Tracks is a set of tracks.
type Tracks uint8

// The tracks.
const (
	Track1 Tracks = 1 << iota
	Track2
	Track3
	AllTracks = Track1 | Track2 | Track3
)

// TrackKind is what a track holds.
type TrackKind int

// The kinds.
const (
	// NoTrack: nothing.
	NoTrack TrackKind = iota
	// BadTrack: something that cannot be read.
	BadTrack
	// TextTrack: characters with their sentinels.
	TextTrack
	// RawTrack: bits.
	RawTrack
)

// ErrTrack says that a stripe cannot hold what it was told to: characters the
// track has no code for, too many of them, or sentinels that are wrong. Nothing
// was sent to the reader.
var ErrTrack = errors.New("track cannot hold this")

// Track is what one track holds. A stripe may be cash: a track prints as
// [secret] in every verb, in logs and in JSON.
type Track struct {
	kind TrackKind
	data []byte
}

// TextOf is a track of text with its sentinels: %…? on track 1, ;…? on the
// others. It takes a copy.
func TextOf(text string) Track { return Track{TextTrack, []byte(text)} }

// BitsOf is a track of bits, the first on the stripe in bit 7 of the first
// byte. It takes a copy.
func BitsOf(bits []byte) Track { return Track{RawTrack, bytes.Clone(bits)} }

// Unreadable is a track that could not be read.
func Unreadable() Track { return Track{kind: BadTrack} }

// Kind is what the track holds.
func (t Track) Kind() TrackKind { return t.kind }

// Reveal is the text or the bits; the caller must not keep it.
func (t Track) Reveal() []byte { return t.data }

// String hides the content.
func (t Track) String() string { return "[secret]" }

// Format hides the content in every verb.
func (t Track) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[secret]")) }

// LogValue hides the content in slog.
func (t Track) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalJSON hides the content.
func (t Track) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// Stripe is tracks 1 to 3 of a card.
type Stripe [3]Track

// Text is the text of track n, 1 to 3. It fails with a [*CardError] of
// CardEmpty or CardUnreadable.
func (s Stripe) Text(n int) (string, error) {
	switch t := s[n-1]; t.kind {
	case TextTrack:
		return string(t.data), nil
	case NoTrack:
		return "", &CardError{Fault: CardEmpty}
	}
	return "", &CardError{Fault: CardUnreadable}
}

// Wipe overwrites the content.
func (s Stripe) Wipe() {
	for _, t := range s {
		clear(t.data)
	}
}

// Holds tells whether what was read back is what was written. A track that was
// written empty may read as nothing or as unreadable; bits may have zeros, which
// are no more than the stripe's clock, around them.
func (s Stripe) Holds(written Stripe) bool {
	for i, want := range written {
		got := s[i]
		switch want.kind {
		case TextTrack:
			if got.kind != TextTrack || !bytes.Equal(got.data, want.data) {
				return false
			}
		case RawTrack:
			if !bytes.Equal(withoutClock(got.data), withoutClock(want.data)) {
				return false
			}
		default:
			if got.kind == TextTrack || len(withoutClock(got.data)) > 0 {
				return false
			}
		}
	}
	return true
}

// withoutClock shifts the first 1 to bit 7 of the first byte and cuts off zero
// bytes at the end.
func withoutClock(bits []byte) []byte {
	for len(bits) > 0 && bits[0] == 0 {
		bits = bits[1:]
	}
	shift := 0
	for len(bits) > 0 && bits[0]<<shift&0x80 == 0 {
		shift++
	}
	out := make([]byte, len(bits))
	for i, b := range bits {
		out[i] = b << shift
		if i+1 < len(bits) {
			out[i] |= bits[i+1] >> (8 - shift)
		}
	}
	return bytes.TrimRight(out, "\x00")
}

// CardError is why a card was not read, written or erased. After a fault of the
// card or of the swipe the reader is ready again and the call can be repeated;
// after a fault of the reader it is opened anew by itself.
type CardError struct {
	Fault Fault
	Err   error // the cause, if there is one; it holds nothing of the card
}

func (e *CardError) Error() string {
	if e.Err == nil {
		return string(e.Fault)
	}
	return fmt.Sprintf("%s: %v", e.Fault, e.Err)
}

func (e *CardError) Unwrap() error { return e.Err }

// CardStep is what a person is asked for while a card is made.
type CardStep int

// The steps.
const (
	SwipeToWrite CardStep = iota
	SwipeToCheck
)

// MakeCard writes a stripe and reads it back, which takes two swipes; ask hears
// which one is wanted. It fails with CardDiffers when the card holds something
// else. A card that failed may hold anything: write it again or erase it.
func MakeCard(ctx context.Context, r CardReader, s Stripe, c Coercivity, ask func(CardStep)) error {
	ask(SwipeToWrite)
	if err := r.Write(ctx, s, c); err != nil {
		return fmt.Errorf("write card: %w", err)
	}
	ask(SwipeToCheck)
	read := r.Read
	for _, t := range s {
		if t.kind == RawTrack {
			read = r.ReadRaw
		}
	}
	back, err := read(ctx)
	if err != nil {
		return fmt.Errorf("read card back: %w", err)
	}
	defer back.Wipe()
	if !back.Holds(s) {
		return fmt.Errorf("read card back: %w", &CardError{Fault: CardDiffers})
	}
	return nil
}
