package msr605

import (
	"errors"
	"fmt"

	"till/device"
)

const (
	escape    = 0x1B
	separator = 0x1C
)

// Status bytes (manual, section 7; 'A' is the answer of settings and erase).
const (
	statusGood      = 0x30
	statusError     = 0x31
	statusFormat    = 0x32
	statusUnknown   = 0x34
	statusBadSwipe  = 0x39
	statusRefused   = 0x41
	emptyTrackMark  = 0x2B
	badTrackMark    = 0x2A
	longestFirmware = 32
)

// Errors of the parsers.
var (
	errMore    = errors.New("more bytes are needed")
	errGarbled = errors.New("answer is not in its place")
)

// isoBlock is the data block of a write of text.
func isoBlock(s device.Stripe) ([]byte, error) {
	block := []byte{escape, 's'}
	for i, l := range layouts {
		block = append(block, escape, byte(l.number))
		switch t := s[i]; t.Kind() {
		case device.TextTrack:
			data, err := l.content(t.Reveal())
			if err != nil {
				return nil, err
			}
			block = append(block, data...)
		case device.NoTrack:
		default:
			return nil, fmt.Errorf("%w: track %d is no text", device.ErrTrack, l.number)
		}
	}
	return append(block, end, separator), nil
}

// rawBlock is the data block of a write of bits.
func rawBlock(s device.Stripe) ([]byte, error) {
	block := []byte{escape, 's'}
	for i, l := range layouts {
		t := s[i]
		if t.Kind() != device.RawTrack && t.Kind() != device.NoTrack {
			return nil, fmt.Errorf("%w: track %d is no bits", device.ErrTrack, l.number)
		}
		if len(t.Reveal()) > l.room {
			return nil, fmt.Errorf("%w: track %d has room for %d bytes", device.ErrTrack, l.number, l.room)
		}
		block = append(block, escape, byte(l.number), byte(len(t.Reveal())))
		block = append(block, reversed(t.Reveal())...)
	}
	return append(block, end, separator), nil
}

// cursor walks through an answer. The first thing out of place stops it.
type cursor struct {
	p   []byte
	err error
}

// next takes a byte; 0 when there is none.
func (c *cursor) next() byte {
	if c.err == nil && len(c.p) == 0 {
		c.err = errMore
	}
	if c.err != nil {
		return 0
	}
	b := c.p[0]
	c.p = c.p[1:]
	return b
}

// expect takes bytes that must be there.
func (c *cursor) expect(want ...byte) {
	for _, w := range want {
		if got := c.next(); c.err == nil && got != w {
			c.err = errGarbled
		}
	}
}

// finish is the status byte at the end, and the verdict on the whole.
func (c *cursor) finish() (status byte, err error) {
	c.expect(escape)
	status = c.next()
	if c.err == nil && len(c.p) > 0 {
		c.err = errGarbled
	}
	return status, c.err
}

// parseStatus reads an answer of a status byte alone.
func parseStatus(p []byte) (status byte, err error) {
	c := cursor{p: p}
	return c.finish()
}

// parseISO reads the answer to a read of text; errMore while it is not whole.
func parseISO(p []byte) (s device.Stripe, status byte, err error) {
	c := cursor{p: p}
	c.expect(escape, 's')
	for i, l := range layouts {
		c.expect(escape, byte(l.number))
		s[i] = c.text()
	}
	c.expect(end, separator)
	status, err = c.finish()
	return s, status, err
}

// text reads a track: a mark, or characters up to the end sentinel, or nothing,
// which shows by what comes behind every track.
func (c *cursor) text() device.Track {
	if c.err == nil && len(c.p) < 2 {
		c.err = errMore
	}
	if c.err != nil {
		return device.Track{}
	}
	switch first, second := c.p[0], c.p[1]; {
	case first == escape && second == emptyTrackMark:
		c.p = c.p[2:]
		return device.Track{}
	case first == escape && second == badTrackMark:
		c.p = c.p[2:]
		return device.Unreadable()
	case first == escape, first == end:
		return device.Track{}
	}
	for i, b := range c.p {
		switch {
		case b < 0x20 || b > 0x5F || i >= longestText || i == 0 && b != '%' && b != ';':
			c.err = errGarbled
			return device.Track{}
		case b == end:
			text := device.TextOf(string(c.p[:i+1]))
			c.p = c.p[i+1:]
			return text
		}
	}
	c.err = errMore
	return device.Track{}
}

// parseRaw reads the answer to a raw read; errMore while it is not whole.
func parseRaw(p []byte) (s device.Stripe, status byte, err error) {
	c := cursor{p: p}
	c.expect(escape, 's')
	for i, l := range layouts {
		c.expect(escape, byte(l.number))
		size := int(c.next())
		if c.err == nil && len(c.p) < size {
			c.err = errMore
		}
		if c.err == nil && size > 0 {
			s[i] = device.BitsOf(c.p[:size])
			c.p = c.p[size:]
		}
	}
	c.expect(end, separator)
	status, err = c.finish()
	return s, status, err
}

// parseModel reads 1B m 'S': m tells the tracks.
func parseModel(p []byte) (model byte, err error) {
	c := cursor{p: p}
	c.expect(escape)
	model = c.next()
	c.expect('S')
	if c.err == nil && (len(c.p) > 0 || model < 0x20 || model > 0x7E) {
		c.err = errGarbled
	}
	return model, c.err
}

// parseFirmware reads what came until the reader was quiet: 1B and text.
func parseFirmware(p []byte) (string, error) {
	c := cursor{p: p}
	c.expect(escape)
	if c.err != nil || len(c.p) > longestFirmware {
		return "", errGarbled
	}
	for _, b := range c.p {
		if b < 0x20 || b > 0x7E {
			return "", errGarbled
		}
	}
	return string(c.p), nil
}
