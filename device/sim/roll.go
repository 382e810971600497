package sim

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"till/device"
)

// maxRoll is how many items of the roll are kept; the oldest are torn off.
const maxRoll = 20000

// margin is the white border, in dots, of the picture of a roll: paper is wider
// than what is printed on it.
const margin = 32

// item is one thing on paper: a line, a picture, a code, a feed or a cut.
type item struct {
	cells   []cell
	raster  *raster
	qr      string
	barcode string
	code    [][]bool // modules of a QR code
	module  int      // dots of a module
	wide    int      // dots of a code
	offset  int      // from the left edge of the print area
	height  int
	feed    bool
	cut     bool
	full    bool
}

// cell is a character in its place on a line, in dots.
type cell struct {
	x, width, height, pitch  int
	r                        rune
	bold, underline, inverse bool
}

// raster is a picture: rows of whole bytes, 1 is black.
type raster struct {
	stride, rows int
	bits         []byte
}

func newRaster(stride, rows int, bits []byte) *raster {
	if stride > 0 {
		rows = min(rows, len(bits)/stride)
	}
	return &raster{stride: stride, rows: rows, bits: append([]byte(nil), bits[:stride*rows]...)}
}

// columnsRaster turns the columns of ESC * into rows: 8 or 24 dots high.
func columnsRaster(mode int, data []byte) *raster {
	deep := 1
	if mode >= 32 {
		deep = 3
	}
	columns := len(data) / deep
	r := &raster{stride: (columns + 7) / 8, rows: 8 * deep}
	r.bits = make([]byte, r.stride*r.rows)
	for x := range columns {
		for y := range r.rows {
			if data[x*deep+y/8]&(0x80>>(y%8)) != 0 {
				r.bits[y*r.stride+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return r
}

// newCode is a QR code that the printer draws by itself.
func newCode(content string, module int) item {
	it := item{qr: content, module: module}
	if code, err := device.EncodeQR(content); err == nil {
		it.code = code.Modules
		it.wide = code.Size() * module
		it.height = it.wide
	}
	return it
}

// roll is the paper with what is on it.
type roll struct {
	items []item
	lines int // printed in all
	cuts  int
}

// add puts an item on paper. A picture sent in bands is one picture.
func (r *roll) add(it item) {
	if it.cells != nil {
		r.lines++
	}
	if it.cut {
		r.cuts++
	}
	if n := len(r.items); n > 0 && it.raster != nil {
		if last := &r.items[n-1]; last.raster != nil && last.raster.stride == it.raster.stride && last.offset == it.offset {
			last.raster.bits = append(last.raster.bits, it.raster.bits...)
			last.raster.rows += it.raster.rows
			last.height += it.height
			return
		}
	}
	r.items = append(r.items, it)
	if len(r.items) > maxRoll {
		r.items = append(r.items[:0], r.items[len(r.items)-maxRoll/2:]...)
	}
}

// Text is what is on paper, line by line: characters where they stand, [qr],
// [barcode TEXT] and [picture WxH] for the rest, and a line of dashes and
// scissors for a cut.
func (p *Printer) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, it := range p.roll.items {
		switch {
		case it.cut:
			b.WriteString("- - - 8< - - -\n")
		case it.qr != "":
			b.WriteString("[qr]\n")
		case it.barcode != "":
			fmt.Fprintf(&b, "[barcode %s]\n", it.barcode)
		case it.raster != nil:
			fmt.Fprintf(&b, "[picture %dx%d]\n", it.raster.stride*8, it.raster.rows)
		case !it.feed:
			b.WriteString(lineText(it) + "\n")
		}
	}
	return b.String()
}

// lineText places characters by their dots; those that touch stay together
// whatever their size.
func lineText(it item) string {
	var b strings.Builder
	end := -it.offset
	for _, c := range it.cells {
		for gap := c.x - end; gap >= c.pitch; gap -= c.pitch {
			b.WriteByte(' ')
		}
		b.WriteRune(c.r)
		end = c.x + c.width
	}
	return strings.TrimRight(b.String(), " ")
}

// Lines counts the lines of text printed so far, Cuts the cuts.
func (p *Printer) Lines() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.roll.lines
}

// Cuts counts the cuts.
func (p *Printer) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.roll.cuts
}

// QRs are the contents of the codes that the printer drew by itself. Codes sent
// as pictures are in Pictures, for a decoder.
func (p *Printer) QRs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, it := range p.roll.items {
		if it.qr != "" {
			all = append(all, it.qr)
		}
	}
	return all
}

// Pictures are the rasters, each with a white border.
func (p *Printer) Pictures() []image.Image {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []image.Image
	for _, it := range p.roll.items {
		if it.raster != nil {
			it.offset = 0
			all = append(all, draw([]item{it}, it.raster.stride*8))
		}
	}
	return all
}

// Picture is the roll as it looks.
func (p *Printer) Picture() image.Image {
	p.mu.Lock()
	defer p.mu.Unlock()
	return draw(p.roll.items, p.model.dots)
}

// Tear takes the paper away: what was printed so far is forgotten.
func (p *Printer) Tear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.roll = roll{}
}

func draw(items []item, width int) image.Image {
	height := 2 * margin
	for _, it := range items {
		height += it.height
	}
	img := image.NewGray(image.Rect(0, 0, width+2*margin, height))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	y := margin
	for _, it := range items {
		it.draw(img, margin+it.offset, y)
		y += it.height
	}
	return img
}

func (it item) draw(img *image.Gray, x0, y0 int) {
	black := func(x, y int) { img.SetGray(x0+x, y0+y, color.Gray{}) }
	for _, c := range it.cells {
		c.draw(func(x, y int) { black(c.x+x, it.height-c.height+y) })
	}
	if r := it.raster; r != nil {
		for y := range r.rows {
			for x := range r.stride * 8 {
				if r.bits[y*r.stride+x/8]&(0x80>>(x%8)) != 0 {
					black(x, y)
				}
			}
		}
	}
	for y := range it.height {
		for x := range it.wide {
			switch {
			case it.code != nil && it.code[y/it.module][x/it.module], it.barcode != "" && x/2%3 == 0:
				black(x, y)
			}
		}
	}
}

// draw calls dot for every black dot of the character's cell.
func (c cell) draw(dot func(x, y int)) {
	for y := range c.height {
		for x := range c.width {
			on := glyph(c.r, x*6/c.width, y*8/c.height)
			on = on || c.bold && x > 0 && glyph(c.r, (x-1)*6/c.width, y*8/c.height)
			on = on || c.underline && y >= c.height-2
			if on != c.inverse {
				dot(x, y)
			}
		}
	}
}
