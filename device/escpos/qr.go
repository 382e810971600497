package escpos

import "till/device"

// maxNative is the longest content given to the printer as text.
const maxNative = 600

// spareModules is left for printers whose own encoder makes a larger code of
// mixed content than ours: two versions.
const spareModules = 8

// qr prints the code with the printer's own encoder where it has one, else as
// a picture; content that cannot be a code of readable size is printed as text.
func (e *encoder) qr(content string) {
	code, err := device.EncodeQR(content)
	module := 0
	if err == nil {
		module = min(goodModule, e.profile.dots/(code.Size()+2*device.QuietZone))
	}
	switch {
	case module < leastDots:
		e.lines(device.Wrap(e.spell(content), e.profile.columns), device.Left, device.Style{})
	case e.profile.qr && printable(content) && len(content) <= maxNative:
		e.nativeQR(code)
	default:
		e.quiet(module)
		e.raster(qrDots(code, module))
		e.quiet(module)
	}
}

// quiet feeds the light border above or below a code.
func (e *encoder) quiet(module int) { e.emit(esc, 'J', byte(device.QuietZone*module)) }

// nativeQR is GS ( k, functions 165, 167, 169, 180 and 181. Store and print are
// one chunk: the symbol store is lost at a restart.
func (e *encoder) nativeQR(code device.QRCode) {
	module := min(goodModule, e.profile.dots/(code.Size()+2*device.QuietZone+spareModules))
	module = max(module, leastDots)
	level := byte('0')
	if code.Level == "M" {
		level = '1'
	}
	e.quiet(module)
	b := e.look(device.Center, device.Style{})
	b = append(b, gs, '(', 'k', 4, 0, '1', 'A', '2', 0)
	b = append(b, gs, '(', 'k', 3, 0, '1', 'C', byte(module))
	b = append(b, gs, '(', 'k', 3, 0, '1', 'E', level)
	n := len(code.Content) + 3
	b = append(b, gs, '(', 'k', byte(n), byte(n>>8), '1', 'P', '0')
	b = append(b, code.Content...)
	e.chunks = append(e.chunks, append(b, gs, '(', 'k', 3, 0, '1', 'Q', '0'))
	e.quiet(module)
}

// qrDots draws a code with its quiet zone at left and right; above and below the
// paper is fed instead, which takes no time on the line.
func qrDots(code device.QRCode, module int) bitmap {
	width := (code.Size() + 2*device.QuietZone) * module
	m := bitmap{stride: (width + 7) / 8, rows: code.Size() * module}
	m.data = make([]byte, m.stride*m.rows)
	for y, modules := range code.Modules {
		row := m.data[y*module*m.stride:][:m.stride]
		for x, dark := range modules {
			for dot := (x + device.QuietZone) * module; dark && dot < (x+device.QuietZone+1)*module; dot++ {
				row[dot/8] |= 0x80 >> (dot % 8)
			}
		}
		for again := 1; again < module; again++ {
			copy(m.data[(y*module+again)*m.stride:], row)
		}
	}
	return m
}
