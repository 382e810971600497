package msr605

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"

	"till/device"
)

// layout is how ISO/IEC 7811 writes a track.
type layout struct {
	number int
	bits   int  // of a character, parity included
	base   byte // the character of code 0
	start  byte // sentinel
	data   int  // most characters between the sentinels
	room   int  // most raw bytes that fit behind the leading zeros
}

const (
	end = '?' // the end sentinel of every track

	// A stripe of 85.6 mm has 707 bits at 210 bpi and 252 at 75; 61 and 22 of
	// them are leading zeros.
	longestText = 707 / 5
	room210     = (707 - 61) / 8
	room75      = (252 - 22) / 8
)

var layouts = [3]layout{
	{number: 1, bits: 7, base: 0x20, start: '%', data: 76, room: room210},
	{number: 2, bits: 5, base: 0x30, start: ';', data: 37, room: room75},
	{number: 3, bits: 5, base: 0x30, start: ';', data: 104, room: room210},
}

// The causes of an error of decode.
var (
	errParity   = errors.New("parity error")
	errLRC      = errors.New("LRC error")
	errSentinel = errors.New("no sentinel")
)

// content is a track's text without its sentinels, or device.ErrTrack.
func (l layout) content(text []byte) ([]byte, error) {
	n := len(text)
	if n < 2 || text[0] != l.start || text[n-1] != end {
		return nil, fmt.Errorf("%w: track %d goes from %c to %c", device.ErrTrack, l.number, l.start, end)
	}
	data := text[1 : n-1]
	if len(data) > l.data {
		return nil, fmt.Errorf("%w: track %d has room for %d characters", device.ErrTrack, l.number, l.data)
	}
	for i, c := range data {
		if !l.has(c) || c == l.start || c == end {
			return nil, fmt.Errorf("%w: track %d has no code for character %d", device.ErrTrack, l.number, i+1)
		}
	}
	return data, nil
}

// has tells whether the track has a code for c.
func (l layout) has(c byte) bool { return c >= l.base && c-l.base < 1<<(l.bits-1) }

// encode turns text with its sentinels into characters with odd parity, one to
// a byte, bit 0 first on the stripe, and the LRC behind them.
func (l layout) encode(text []byte) ([]byte, error) {
	if _, err := l.content(text); err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(text)+1)
	var lrc byte
	for _, c := range text {
		code := c - l.base
		lrc ^= code
		out = append(out, l.withParity(code))
	}
	return append(out, l.withParity(lrc)), nil
}

// withParity makes the number of ones in a character odd.
func (l layout) withParity(code byte) byte {
	if bits.OnesCount8(code)%2 == 0 {
		code |= 1 << (l.bits - 1)
	}
	return code
}

// decode reads characters with parity and LRC back to text with its sentinels.
func (l layout) decode(characters []byte) ([]byte, error) {
	if len(characters) > longestText {
		return nil, fmt.Errorf("%w: more than %d characters", device.ErrTrack, longestText)
	}
	var text []byte
	var lrc byte
	for i, c := range characters {
		code := c &^ (1 << (l.bits - 1))
		switch {
		case c>>l.bits != 0 || l.withParity(code) != c:
			return nil, errParity
		case i == 0 && code+l.base != l.start:
			return nil, errSentinel
		case len(text) > 0 && text[len(text)-1] == end:
			if code != lrc {
				return nil, errLRC
			}
			return text, nil
		}
		lrc ^= code
		text = append(text, code+l.base)
	}
	return nil, errSentinel
}

// pack writes characters one behind the other as bits, the first in bit 7 of the
// first byte: the order in which raw bytes are read.
func (l layout) pack(characters []byte) []byte {
	out := make([]byte, (len(characters)*l.bits+7)/8)
	for i, c := range characters {
		for b := range l.bits {
			if at := i*l.bits + b; c>>b&1 != 0 {
				out[at/8] |= 0x80 >> (at % 8)
			}
		}
	}
	return out
}

// unpack takes bits apart into characters, from the first 1 on: zeros before it
// are the stripe's clock.
func (l layout) unpack(raw []byte) []byte {
	at := 0
	for at < len(raw)*8 && !bitOf(raw, at) {
		at++
	}
	var out []byte
	for ; at+l.bits <= len(raw)*8; at += l.bits {
		var c byte
		for b := range l.bits {
			if bitOf(raw, at+b) {
				c |= 1 << b
			}
		}
		out = append(out, c)
	}
	return out
}

func bitOf(raw []byte, at int) bool { return raw[at/8]&(0x80>>(at%8)) != 0 }

// reversed turns the order of reading into that of writing, which has the first
// bit in bit 0.
func reversed(raw []byte) []byte {
	out := bytes.Clone(raw)
	for i, b := range out {
		out[i] = bits.Reverse8(b)
	}
	return out
}

// Bits is a text track as the bits that the reader would write for it, to be
// compared with a raw reading or written as one. n is 1 to 3.
func Bits(n int, text []byte) (device.Track, error) {
	characters, err := layouts[n-1].encode(text)
	if err != nil {
		return device.Track{}, err
	}
	defer clear(characters)
	return device.BitsOf(layouts[n-1].pack(characters)), nil
}

// Text is the text that the bits of track n say, read as the reader does; a
// parity, LRC or sentinel fault makes it an unreadable track.
func Text(n int, bits []byte) device.Track {
	characters := layouts[n-1].unpack(bits)
	if len(characters) == 0 {
		return device.Track{}
	}
	defer clear(characters)
	text, err := layouts[n-1].decode(characters[:min(len(characters), longestText)])
	if err != nil {
		return device.Unreadable()
	}
	defer clear(text)
	return device.TextOf(string(text))
}
