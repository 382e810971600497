package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"till/device"
)

// cardModel is what differs between the reader/writers.
type cardModel struct {
	model    byte   // answer to ESC t: which tracks
	firmware string // answer to ESC v
	hi       bool   // coercivity it begins with
	letters  string // answers to ESC d: high, low
	mark     bool   // an empty track is marked 1B 2B
	empty    byte   // status of an empty card
}

var cardModels = map[string]cardModel{
	"msr605": {model: '3', firmware: "REVT3.12", hi: true, letters: "HL", mark: true, empty: '1'},
	"msr606": {model: '3', firmware: "REVH6.06", letters: "hl", mark: true, empty: '0'},
	"msr206": {model: '3', firmware: "REVU1.04", letters: "HL", empty: '1'},
}

// CardReader is a magnetic stripe reader/writer with a person before it who
// swipes cards.
type CardReader struct {
	model  cardModel
	random *rand.Rand // guarded by mu

	talking sync.WaitGroup // the links that were dialled

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change

	link      device.Link
	unplugged bool
	out       []byte
	stalled   bool
	after     int    // bytes that still pass, either way, before then; 0 none
	then      func() // called with mu held
	garble    float64

	in      []byte // a command under way
	waiting byte   // the command that waits for a swipe, 0 none
	write   [3][]bool
	erase   byte
	hi      bool
	bits    [3]int // per character
	zeros   [3]int // before the first one
	lamps   byte   // green, yellow, red

	card  *card
	fresh bool // it was written and not read since
}

// NewCardReader is a reader of the profile msr605 (also ""), msr606 or msr206.
// random garbles bytes; nil is a fixed sequence. Its first card is an empty one
// of high coercivity.
func NewCardReader(profile string, random *rand.Rand) (*CardReader, error) {
	if profile == "" {
		profile = "msr605"
	}
	m, ok := cardModels[profile]
	if !ok {
		return nil, fmt.Errorf("simulate card reader: profile %q is unknown", profile)
	}
	if random == nil {
		random = rand.New(rand.NewPCG(1, 2))
	}
	r := &CardReader{model: m, random: random, changed: make(chan struct{}), card: &card{hi: true}}
	r.powerOn()
	return r, nil
}

// powerOn forgets everything that was set.
func (r *CardReader) powerOn() {
	r.in, r.out, r.waiting, r.lamps = nil, nil, 0, 0
	r.hi, r.bits, r.zeros = r.model.hi, [3]int{7, 5, 5}, [3]int{61, 22, 61}
}

// change runs f with the reader held still.
func (r *CardReader) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	r.wake()
}

// wake is called with mu held.
func (r *CardReader) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Stall stops the reader from reading and answering, or lets it go on.
func (r *CardReader) Stall(on bool) { r.change(func() { r.stalled, r.after = on, 0 }) }

// StallAfter stalls once that many more bytes have passed, either way.
func (r *CardReader) StallAfter(bytes int) {
	r.change(func() { r.after, r.then = bytes, func() { r.stalled = true } })
}

// UnplugAfter cuts the cable once that many more bytes have passed.
func (r *CardReader) UnplugAfter(bytes int) {
	r.change(func() { r.after, r.then = bytes, r.cut })
}

// Garble damages each byte, both ways, with this chance; at most 1.
func (r *CardReader) Garble(chance float64) {
	r.change(func() { r.garble = min(max(chance, 0), 1) })
}

// Insert takes a card of this coercivity in hand, with the texts of up to three
// tracks on it, with or without sentinels.
func (r *CardReader) Insert(hi bool, texts ...string) error {
	c := &card{hi: hi}
	if len(texts) > len(c.tracks) {
		return fmt.Errorf("card of %d tracks: there are three", len(texts))
	}
	for i, text := range texts {
		if text == "" {
			continue
		}
		bits, err := encodeTrack(i, withoutSentinels(i, text))
		if err != nil {
			return err
		}
		c.tracks[i] = append(make([]bool, 22), bits...)
	}
	r.change(func() { r.card, r.fresh = c, false })
	return nil
}

// Text is the text of a track, 1 to 3, of the card in hand: empty when there is
// nothing or nothing readable.
func (r *CardReader) Text(track int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, _ := decodeTrack(track-1, r.card.tracks[track-1], [3]int{7, 5, 5}[track-1])
	return text
}

// Waiting tells whether the reader waits for a swipe.
func (r *CardReader) Waiting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting != 0
}

// AwaitWaiting waits until the reader waits for a swipe, and tells whether it
// does: not when the context ended first.
func (r *CardReader) AwaitWaiting(ctx context.Context) bool {
	return r.await(ctx, func() bool { return r.waiting != 0 })
}

// await waits until is, which is called with mu held.
func (r *CardReader) await(ctx context.Context, is func() bool) bool {
	for {
		r.mu.Lock()
		there, changed := is(), r.changed
		r.mu.Unlock()
		if there {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// AwaitMaking waits until the reader waits to write a card, or to read the one
// that it has just written, and tells whether it does.
func (r *CardReader) AwaitMaking(ctx context.Context) bool {
	return r.await(ctx, func() bool { return r.waiting == 'w' || r.waiting != 0 && r.fresh })
}

// Swipe is how a card passes the head.
type Swipe int

// The swipes.
const (
	GoodSwipe Swipe = iota
	BadSwipe        // unevenly
	HalfSwipe       // only its first half
)

// Swipe pulls the card in hand through. Nothing happens unless the reader waits.
func (r *CardReader) Swipe(how Swipe) { r.change(func() { r.swipe(how) }) }

var _ device.Dialer = (*CardReader)(nil).Dial
