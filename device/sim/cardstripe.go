package sim

import "fmt"

// card is a card with its stripe: the bits of three tracks, the clock's zeros
// before them included.
type card struct {
	hi     bool
	tracks [3][]bool
}

// stripeBits is how many bits a stripe of 85.6 mm has room for at 210, 75 and
// 210 bits an inch.
var stripeBits = [3]int{707, 252, 707}

// alphabet is the character of code 0, the start sentinel, and the bits of a
// character with its parity, by track (ISO/IEC 7811-6, tables 3 and 4).
func alphabet(track int) (zero, start byte, bits int) {
	if track == 0 {
		return ' ', '%', 7
	}
	return '0', ';', 5
}

// withoutSentinels takes the sentinels off a text that has them.
func withoutSentinels(track int, text string) string {
	_, start, _ := alphabet(track)
	if n := len(text); n >= 2 && text[0] == start && text[n-1] == '?' {
		return text[1 : n-1]
	}
	return text
}

// encodeTrack writes start sentinel, text, end sentinel and check character.
func encodeTrack(track int, text string) ([]bool, error) {
	zero, start, bits := alphabet(track)
	var out []bool
	check := 0
	put := func(code int) {
		ones := 0
		for b := range bits - 1 {
			one := code>>b&1 == 1
			if one {
				ones++
			}
			out = append(out, one)
		}
		out = append(out, ones%2 == 0)
	}
	for _, c := range []byte(string(start) + text + "?") {
		if c < zero || int(c-zero) >= 1<<(bits-1) {
			return nil, fmt.Errorf("track %d has no code for %q", track+1, c)
		}
		check ^= int(c - zero)
		put(int(c - zero))
	}
	put(check)
	return out, nil
}

// decodeTrack reads a track's bits at so many per character. ok is false when
// there is something that cannot be read; an empty track is an empty text.
func decodeTrack(track int, stripe []bool, bits int) (text string, ok bool) {
	zero, start, natural := alphabet(track)
	stripe = fromFirstOne(stripe)
	if len(stripe) == 0 {
		return "", true
	}
	if bits != natural {
		return "", false
	}
	check := 0
	var read []byte
	for ; len(stripe) >= bits; stripe = stripe[bits:] {
		code, ones := 0, 0
		for b, one := range stripe[:bits] {
			if one {
				ones++
				code |= 1 << b
			}
		}
		code &= 1<<(bits-1) - 1
		switch n := len(read); {
		case ones%2 == 0, n == 0 && byte(code)+zero != start:
			return "", false
		case n > 0 && read[n-1] == '?':
			if code != check {
				return "", false
			}
			return string(read), true
		}
		check ^= code
		read = append(read, byte(code)+zero)
	}
	return "", false
}

func fromFirstOne(stripe []bool) []bool {
	for len(stripe) > 0 && !stripe[0] {
		stripe = stripe[1:]
	}
	return stripe
}

// rawOut is a track as the reader sends it raw: from its first one to its last,
// so many bits to a byte, the first of them highest.
func rawOut(stripe []bool, bits int) []byte {
	stripe = fromFirstOne(stripe)
	last := len(stripe)
	for last > 0 && !stripe[last-1] {
		last--
	}
	var out []byte
	for i, one := range stripe[:last] {
		if i%bits == 0 {
			out = append(out, 0)
		}
		if one {
			out[len(out)-1] |= 1 << (bits - 1 - i%bits)
		}
	}
	return out
}

// rawIn is the bits of raw bytes as the reader writes them: so many of each, the
// lowest first.
func rawIn(data []byte, bits int) []bool {
	var out []bool
	for _, b := range data {
		for i := range bits {
			out = append(out, b>>i&1 == 1)
		}
	}
	return out
}
