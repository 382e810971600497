package device

import "strings"

// How a QR code holds text (ISO/IEC 18004 section 7.4): digits, capitals with some
// signs, or bytes, in segments each with its own head.
type qrMode int

const (
	qrNumeric qrMode = iota
	qrAlphanumeric
	qrByte
	qrModes
)

// qrCapitals are the characters of the alphanumeric mode, by value.
const qrCapitals = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// has reports whether the mode can hold a byte.
func (m qrMode) has(b byte) bool {
	switch m {
	case qrNumeric:
		return b >= '0' && b <= '9'
	case qrAlphanumeric:
		return strings.IndexByte(qrCapitals, b) >= 0
	}
	return true
}

// sixths is what a character costs, in sixths of a bit: three digits are 10 bits, two
// capitals 11.
func (m qrMode) sixths() int { return [qrModes]int{20, 33, 48}[m] }

// indicator is the mode's number in a segment's head, of 4 bits.
func (m qrMode) indicator() uint { return [qrModes]uint{1, 2, 4}[m] }

// countBits is how long a segment's count is in a code of a version.
func (m qrMode) countBits(version int) int {
	size := 0
	switch {
	case version >= 27:
		size = 2
	case version >= 10:
		size = 1
	}
	return [qrModes][3]int{{10, 12, 14}, {9, 11, 13}, {8, 16, 16}}[m][size]
}

// qrSegment is a part of the text in one mode.
type qrSegment struct {
	mode qrMode
	text string
}

// bits is how long the segment is with its head.
func (s qrSegment) bits(version int) int {
	n := len(s.text)
	data := 8 * n
	switch s.mode {
	case qrNumeric:
		data = n/3*10 + [3]int{0, 4, 7}[n%3]
	case qrAlphanumeric:
		data = n/2*11 + n%2*6
	}
	return 4 + s.mode.countBits(version) + data
}

// qrSegments cuts text so that it is shortest in codes of a version: for each
// character and mode the cheapest way to have come there is known, and the best is
// followed back.
func qrSegments(text string, version int) []qrSegment {
	const never = 1 << 30
	var cost [qrModes]int
	for m := range cost {
		cost[m] = 6 * (4 + qrMode(m).countBits(version))
	}
	head := cost
	came := make([][qrModes]qrMode, len(text)) // the mode of the character, for each mode after it
	for i := range len(text) {
		var here [qrModes]int
		for m := range qrModes {
			here[m] = never
			if m.has(text[i]) {
				here[m] = min(cost[m]+m.sixths(), never)
			}
			came[i][m] = m
		}
		// A segment may end here and another begin: a whole number of bits is spent.
		next := here
		for to := range qrModes {
			for from := range qrModes {
				if ended := (here[from]+5)/6*6 + head[to]; here[from] < never && ended < next[to] {
					next[to], came[i][to] = ended, from
				}
			}
		}
		cost = next
	}
	best := qrNumeric
	for m := range qrModes {
		if cost[m] < cost[best] {
			best = m
		}
	}
	modes := make([]qrMode, len(text))
	for i := len(text) - 1; i >= 0; i-- {
		best = came[i][best]
		modes[i] = best
	}
	var out []qrSegment
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && modes[j] == modes[i] {
			j++
		}
		out = append(out, qrSegment{modes[i], text[i:j]})
		i = j
	}
	return out
}

// qrBits are bits one after another.
type qrBits []bool

func (b *qrBits) add(value uint, n int) {
	for i := n - 1; i >= 0; i-- {
		*b = append(*b, value>>i&1 == 1)
	}
}

// write adds the segment.
func (b *qrBits) write(s qrSegment, version int) {
	b.add(s.mode.indicator(), 4)
	b.add(uint(len(s.text)), s.mode.countBits(version))
	switch s.mode {
	case qrNumeric:
		for i := 0; i < len(s.text); i += 3 {
			part, value := s.text[i:min(i+3, len(s.text))], uint(0)
			for _, d := range []byte(part) {
				value = value*10 + uint(d-'0')
			}
			b.add(value, 3*len(part)+1)
		}
	case qrAlphanumeric:
		for i := 0; i < len(s.text); i += 2 {
			part, value := s.text[i:min(i+2, len(s.text))], uint(0)
			for _, c := range []byte(part) {
				value = value*45 + uint(strings.IndexByte(qrCapitals, c))
			}
			b.add(value, 5*len(part)+1)
		}
	default:
		for _, c := range []byte(s.text) {
			b.add(uint(c), 8)
		}
	}
}
