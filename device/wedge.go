package device

import "time"

// The timing of a scanner that types (devices.md section 6): no person types
// six different characters with less than 30 ms between any two.
const (
	wedgeGap    = 30 * time.Millisecond
	wedgeEnd    = 60 * time.Millisecond
	wedgeFewest = 6
)

// Key is a key as it arrived. At counts from any fixed moment.
type Key struct {
	Rune rune // '\r' or '\n' for Enter, '\t' for Tab
	At   time.Duration
}

// Wedge finds the scans among keys. The zero value is ready. It decides by the
// keys and their times alone, so whoever feeds it owns the clock:
//
// a field may show keys at once; when Scan comes, it takes the last Typed of
// them back, and the scan is data for CheckScan, never keys.
type Wedge struct {
	keys  []rune // at most one more than a scan has
	typed int
	last  time.Duration
}

// Scan is what Wedge found: Text, of which Typed characters were passed as keys
// before. The ending Enter or Tab belongs to the scan and is no key either.
type Scan struct {
	Text  string
	Typed int
}

// Key takes the next key. found tells that it ended a scan; the key itself is
// then not to be acted on. Otherwise the key is a person's until told
// differently.
func (w *Wedge) Key(k Key) (scan Scan, found bool) {
	// A clock that runs back proves nothing: start anew.
	if len(w.keys) > 0 && (k.At < w.last || k.At-w.last > wedgeGap) {
		w.keys, w.typed = w.keys[:0], 0
	}
	w.last = k.At
	switch {
	case k.Rune == '\r' || k.Rune == '\n' || k.Rune == '\t':
		return w.take()
	case len(w.keys) <= maxScan:
		w.keys = append(w.keys, k.Rune)
	}
	w.typed++
	return Scan{}, false
}

// Silence tells the time when no key came. 60 ms after the last key, a scan
// without Enter ends. Wait tells when to ask.
func (w *Wedge) Silence(now time.Duration) (scan Scan, found bool) {
	if len(w.keys) == 0 || now-w.last < wedgeEnd {
		return Scan{}, false
	}
	return w.take()
}

// Wait is when Silence is worth asking, if no key comes before; ok is false
// when keys so far are no scan anyway.
func (w *Wedge) Wait() (at time.Duration, ok bool) {
	return w.last + wedgeEnd, w.scan()
}

// take ends what was typed fast.
func (w *Wedge) take() (Scan, bool) {
	found := w.scan()
	s := Scan{Text: string(w.keys), Typed: w.typed}
	w.keys, w.typed = w.keys[:0], 0
	if !found {
		return Scan{}, false
	}
	return s, true
}

// scan tells whether the keys so far are a scan's: six or more, and not one key
// held down, which repeats as fast.
func (w *Wedge) scan() bool {
	if len(w.keys) < wedgeFewest {
		return false
	}
	different := make(map[rune]bool, wedgeFewest)
	for _, r := range w.keys {
		if different[r] = true; len(different) > 1 {
			return true
		}
	}
	return false
}
