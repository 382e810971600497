package sim

// execute acts on a complete command. Parameters that Epson gives as 0 or 1
// count by their lowest bit, so "0" and "1" do as well.
func (e *executor) execute(p *Printer, c []byte) {
	arg := func(i int) int {
		if i+2 < len(c) {
			return int(c[i+2])
		}
		return 0
	}
	word := func(i int) int { return arg(i) | arg(i+1)<<8 }
	on := func(i int) bool { return arg(i)&1 == 1 }
	switch [2]byte{c[0], c[1]} {
	case [2]byte{0x1B, '@'}:
		e.reset(p.model)
	case [2]byte{0x1B, '!'}:
		e.font, e.bold, e.underline = arg(0)&1, arg(0)&0x08 != 0, arg(0)&0x80 != 0
		e.height, e.width = 1+arg(0)>>4&1, 1+arg(0)>>5&1
	case [2]byte{0x1B, '-'}:
		e.underline = arg(0)&3 != 0
	case [2]byte{0x1B, 'E'}, [2]byte{0x1B, 'G'}:
		e.bold = on(0)
	case [2]byte{0x1D, 'B'}:
		e.inverse = on(0)
	case [2]byte{0x1D, '!'}:
		e.width, e.height = 1+arg(0)>>4&7, 1+arg(0)&7
	case [2]byte{0x1B, 'M'}:
		e.font = arg(0) & 1
	case [2]byte{0x1B, 'a'}:
		if len(e.cells) == 0 {
			e.align = arg(0) & 3
		} else {
			e.complain("ESC a in the middle of a line")
		}
	case [2]byte{0x1B, 't'}:
		e.page = c[2]
		if _, ok := upperHalves[c[2]]; !ok {
			e.complain("code page %d", c[2])
		}
	case [2]byte{0x1B, '2'}:
		e.spacing = 30
	case [2]byte{0x1B, '3'}:
		e.spacing = arg(0)
	case [2]byte{0x1B, '$'}:
		e.x = word(0)
	case [2]byte{0x1B, '\\'}:
		e.x = max(e.x+int(int16(word(0))), 0)
	case [2]byte{0x1D, 'L'}:
		e.left = min(word(0), p.model.dots)
		e.area = min(e.area, p.model.dots-e.left)
	case [2]byte{0x1D, 'W'}:
		e.area = min(word(0), p.model.dots-e.left)
	case [2]byte{0x1C, '&'}:
		e.twoBytes = true
	case [2]byte{0x1C, '.'}:
		e.twoBytes, e.lead = false, 0
	case [2]byte{0x1B, '='}:
		e.toDisplay = arg(0)&1 == 0 && arg(0)&2 != 0
	default:
		e.act(p, c, arg)
	}
}

// act is the commands that move something or answer.
func (e *executor) act(p *Printer, c []byte, arg func(int) int) {
	switch [2]byte{c[0], c[1]} {
	case [2]byte{0x1B, 'd'}:
		e.flush(p)
		p.roll.add(item{height: arg(0) * e.spacing, feed: true})
		p.linePrinted(arg(0))
	case [2]byte{0x1B, 'J'}:
		e.flush(p)
		p.roll.add(item{height: arg(0), feed: true})
	case [2]byte{0x1D, 'V'}, [2]byte{0x1B, 'i'}, [2]byte{0x1B, 'm'}:
		e.cut(p, c)
	case [2]byte{0x1B, 'p'}:
		if arg(0)&^0x31 == 0 && arg(1) > 0 {
			p.pulse()
		} else {
			e.complain("drawer pulse % X", c)
		}
	case [2]byte{0x1B, 'B'}:
		p.beeps += arg(0)
	case [2]byte{0x1D, 'a'}:
		p.setAutomatic(c[2])
	case [2]byte{0x1D, 'r'}:
		p.transmitStatus(c[2])
	case [2]byte{0x1D, 'I'}:
		p.identify(c[2])
	case [2]byte{0x1D, 'h'}:
		e.barHeight = max(arg(0), 1)
	case [2]byte{0x1D, 'w'}:
		e.barWidth = min(max(arg(0), 1), 6)
	case [2]byte{0x1D, 'k'}:
		e.barcode(p, c)
	case [2]byte{0x1D, 'v'}:
		if e.atLineStart("GS v 0") {
			e.image(p, newRaster(arg(2)|arg(3)<<8, arg(4)|arg(5)<<8, c[8:]))
		}
	case [2]byte{0x1D, '('}, [2]byte{0x1D, '8'}:
		e.extended(p, c)
	case [2]byte{0x1B, '*'}:
		e.flush(p)
		e.image(p, columnsRaster(arg(0), c[5:]))
	default:
		if _, known := parameters[[2]byte{c[0], c[1]}]; !known && c[0] != 0x10 && c[0] != 0x1C && c[1] != 'D' && c[1] != '*' {
			e.complain("unknown command % X", c)
		}
	}
}

func (e *executor) cut(p *Printer, c []byte) {
	e.flush(p)
	if !p.model.cutter {
		e.complain("cut % X without a cutter", c)
		return
	}
	full := false
	if c[1] == 'V' {
		switch c[2] {
		case 0, '0', 65, 97, 103:
			full = true
		}
		if len(c) == 4 {
			p.roll.add(item{height: 96 + int(c[3]), feed: true})
		}
	} else {
		full = c[1] == 'i'
	}
	p.roll.add(item{cut: true, full: full})
}

// barcode is GS k; the symbol is kept as its text and drawn as bars of no code.
func (e *executor) barcode(p *Printer, c []byte) {
	if !p.model.barcodes {
		e.complain("GS k %d without barcodes", c[2])
		return
	}
	data := c[3 : len(c)-1]
	if c[2] >= 65 {
		data = c[4:]
	}
	if c[2] == 73 && (len(data) < 2 || data[0] != '{') {
		e.complain("Code 128 without a code set: % X", data)
	}
	e.flush(p)
	p.roll.add(item{barcode: barcodeText(c[2], data), offset: e.left + e.indent(e.barWidth*11*len(data)), height: e.barHeight, wide: e.barWidth * 11 * len(data)})
	p.linePrinted(e.barHeight / 30)
}

// barcodeText drops Code 128's code set marks and unescapes its brace.
func barcodeText(system byte, data []byte) string {
	if system != 73 {
		return string(data)
	}
	var text []byte
	for i := 0; i < len(data); i++ {
		if data[i] == '{' && i+1 < len(data) {
			i++
			if data[i] == '{' {
				text = append(text, '{')
			}
			continue
		}
		text = append(text, data[i])
	}
	return string(text)
}

// extended is GS ( and GS 8: two-dimensional codes and graphics.
func (e *executor) extended(p *Printer, c []byte) {
	body := c[5:]
	if c[1] == '8' {
		body = c[7:]
	}
	switch {
	case c[2] == 'k' && len(body) >= 2 && body[0] == 49:
		if !p.model.qr {
			e.complain("GS ( k without QR codes")
			return
		}
		e.qr(p, body[1], body[2:])
	case c[2] == 'L' && len(body) >= 2 && body[1] == 112 && len(body) >= 10:
		e.graphics = newRaster((int(body[6])|int(body[7])<<8+7)/8, int(body[8])|int(body[9])<<8, body[10:])
	case c[2] == 'L' && len(body) >= 2 && (body[1] == 2 || body[1] == 50):
		if e.graphics != nil && e.atLineStart("GS ( L") {
			e.image(p, e.graphics)
		}
		e.graphics = nil
	}
}

// qr is GS ( k with cn 49: 65 model, 67 module, 69 level, 80 store, 81 print.
func (e *executor) qr(p *Printer, function byte, args []byte) {
	switch {
	case function == 65 && len(args) == 2:
		if args[0] != 50 {
			e.complain("QR model %d", args[0])
		}
	case function == 67 && len(args) == 1:
		e.qrModule = min(max(int(args[0]), 1), 16)
	case function == 69 && len(args) == 1:
		if args[0] < 48 || args[0] > 51 {
			e.complain("QR level %d", args[0])
		}
	case function == 80 && len(args) > 1 && args[0] == 48:
		e.qrData = append([]byte(nil), args[1:]...)
	case function == 81 && len(args) == 1 && args[0] == 48:
		e.flush(p)
		if len(e.qrData) == 0 {
			e.complain("QR print without data")
			return
		}
		it := newCode(string(e.qrData), e.qrModule)
		if it.wide > e.area {
			e.complain("QR code of %d dots", it.wide)
			return
		}
		it.offset = e.left + e.indent(it.wide)
		p.roll.add(it)
		p.linePrinted(it.height / 30)
	default:
		e.complain("GS ( k 49 %d % X", function, args[:min(len(args), 8)])
	}
}

// image brings a raster on paper; what is wider than the paper is cut off.
func (e *executor) image(p *Printer, r *raster) {
	p.roll.add(item{raster: r, offset: e.left + e.indent(r.stride*8), height: r.rows})
	p.linePrinted((r.rows + 29) / 30)
}
