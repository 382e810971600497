package escpos

import "till/device"

// maxBlock is the longest name that is read.
const maxBlock = 256

// The four bytes of automatic status (Epson, GS a): the first three; the fourth
// carries nothing for us.
var automaticBits = [3]bits{
	{0x04: device.IsDrawerPinHigh, 0x08: device.IsOffline, 0x20: device.IsCoverOpen},
	{0x04: device.IsMechanical, 0x08: device.IsCutterJam, 0x20: device.IsFatal, 0x40: device.IsRecoverable},
	{0x03: device.IsPaperNearEnd, 0x0C: device.IsPaperEnd},
}

// parser tells a printer's answers apart by the fixed bits of their first byte
// (devices.md section 2). It keeps what is not complete yet.
type parser struct {
	automatic []byte // of four
	block     []byte // of a name, after its header
	inBlock   bool
}

// NewParser reads one connection's answers.
func (Language) NewParser() func(p []byte) []device.Reply {
	return new(parser).parse
}

func (p *parser) parse(data []byte) []device.Reply {
	var replies []device.Reply
	for _, b := range data {
		if r, ok := p.next(b); ok {
			replies = append(replies, r)
		}
	}
	return replies
}

func (p *parser) next(b byte) (device.Reply, bool) {
	switch {
	case b == 0x11 || b == 0x13: // XON, XOFF: anywhere
		return device.Reply{}, false
	case p.inBlock:
		return p.nextOfBlock(b)
	case len(p.automatic) > 0 && b&0x90 == 0:
		return p.nextOfAutomatic(b)
	}
	p.automatic = p.automatic[:0] // what it began was noise
	switch {
	case b&0x93 == 0x12:
		return device.Reply{Kind: device.RealTimeReply, Byte: b}, true
	case b&0x93 == 0x10:
		p.automatic = append(p.automatic, b)
	case b == 0x35 || b == 0x37 || b == 0x3B || b == 0x3D || b == 0x5F:
		p.inBlock, p.block = true, p.block[:0]
	case b&0x90 == 0:
		return device.Reply{Kind: device.JobReply, Byte: b}, true
	}
	return device.Reply{}, false
}

func (p *parser) nextOfBlock(b byte) (device.Reply, bool) {
	switch {
	case b == 0:
		p.inBlock = false
		return device.Reply{Kind: device.NameReply, Text: string(p.block)}, true
	case b < 0x20 || b > 0x7E || len(p.block) == maxBlock:
		// No name: the header was noise, or is lost in it.
		p.inBlock = false
		return p.next(b)
	}
	p.block = append(p.block, b)
	return device.Reply{}, false
}

func (p *parser) nextOfAutomatic(b byte) (device.Reply, bool) {
	p.automatic = append(p.automatic, b)
	if len(p.automatic) < 4 {
		return device.Reply{}, false
	}
	r := device.Reply{Kind: device.AutomaticReply}
	for i, m := range automaticBits {
		about, set := m.read(p.automatic[i])
		r.About |= about
		r.Set |= set
	}
	p.automatic = p.automatic[:0]
	return r, true
}
