package escpos

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"

	"till/device"
)

// maxRows is the tallest picture, about half a metre of paper.
const maxRows = 4096

// bitmap is a picture in dots: rows of whole bytes, the leftmost dot in the
// high bit, 1 is black.
type bitmap struct {
	stride, rows int
	data         []byte
}

// picture prints an image centred, in bands of GS v 0.
func (e *encoder) picture(img image.Image) error {
	if img == nil {
		return errors.New("encode picture: there is none")
	}
	m, err := threshold(img, e.profile.dots)
	if err != nil {
		return err
	}
	e.raster(m)
	return nil
}

// raster prints dots, centred.
func (e *encoder) raster(m bitmap) {
	if look := e.look(device.Center, device.Style{}); len(look) > 0 {
		e.emit(look...)
	}
	e.chunks = append(e.chunks, m.harmless(e.profile.dots/8).bands()...)
}

// threshold makes dots of an image, scaled down to at most width of them.
func threshold(img image.Image, width int) (bitmap, error) {
	size := img.Bounds().Size()
	if size.X <= 0 || size.Y <= 0 || size.X > 1<<14 || size.Y > 1<<14 {
		return bitmap{}, fmt.Errorf("encode picture of %d×%d: not a picture of printable size", size.X, size.Y)
	}
	w, h := size.X, size.Y
	if w > width {
		w, h = width, max(h*width/w, 1)
	}
	if h > maxRows {
		return bitmap{}, fmt.Errorf("encode picture of %d×%d: taller than %d rows", size.X, size.Y, maxRows)
	}
	m := bitmap{stride: (w + 7) / 8, rows: h}
	m.data = make([]byte, m.stride*h)
	for y := range h {
		for x := range w {
			at := img.Bounds().Min.Add(image.Pt(x*size.X/w, y*size.Y/h))
			if dark(img.At(at.X, at.Y)) {
				m.data[y*m.stride+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return m, nil
}

// dark tells whether a colour on white paper is nearer to black.
func dark(c color.Color) bool {
	r, g, b, a := c.RGBA() // premultiplied: paper shows through the rest
	luma := (299*r+587*g+114*b)/1000 + (0xFFFF - a)
	return luma < 0x8000
}

// live are the second bytes of the real-time commands a printer executes even
// in the middle of a picture, after dle (Epson, DLE EOT, DLE ENQ, DLE DC4).
var live = []byte{eot, enq, dc4}

// harmless moves the picture to the right, dot by dot, until no row holds a
// real-time command. A picture that holds one at every place, as only a picture
// made for it does, loses the dot that makes it one.
func (m bitmap) harmless(most int) bitmap {
	if !m.alive() {
		return m
	}
	wide := bitmap{stride: min(m.stride+1, most), rows: m.rows}
	wide.data = make([]byte, wide.stride*m.rows)
	for y := range m.rows {
		copy(wide.data[y*wide.stride:], m.data[y*m.stride:(y+1)*m.stride])
	}
	if wide.stride > m.stride {
		for range 7 {
			wide.shift()
			if !wide.alive() {
				return wide
			}
		}
	}
	m.data = bytes.Clone(m.data)
	m.defuse()
	return m
}

// alive tells whether a row holds a real-time command.
func (m bitmap) alive() bool {
	for y := range m.rows {
		if at(m.data[y*m.stride:(y+1)*m.stride]) >= 0 {
			return true
		}
	}
	return false
}

// at is where the first real-time command begins, -1 without one.
func at(data []byte) int {
	for i := 0; i+1 < len(data); i++ {
		if data[i] == dle && bytes.IndexByte(live, data[i+1]) >= 0 {
			return i
		}
	}
	return -1
}

// shift moves every row one dot to the right.
func (m bitmap) shift() {
	for y := range m.rows {
		row := m.data[y*m.stride : (y+1)*m.stride]
		for i := len(row) - 1; i > 0; i-- {
			row[i] = row[i]>>1 | row[i-1]<<7
		}
		row[0] >>= 1
	}
}

// defuse clears the one dot of every dle that begins a command.
func (m bitmap) defuse() {
	for y := range m.rows {
		row := m.data[y*m.stride : (y+1)*m.stride]
		for i := at(row); i >= 0; i = at(row) {
			row[i] = 0
		}
	}
}

// bands cuts the picture into commands. A band ends where it is long enough,
// and between two rows that would make a real-time command together.
func (m bitmap) bands() [][]byte {
	const head = 8
	most := min((maxChunk-head)/m.stride, 255)
	var out [][]byte
	for first := 0; first < m.rows; {
		end := first + 1
		for end < m.rows && end-first < most && at(m.data[end*m.stride-1:end*m.stride+1]) < 0 {
			end++
		}
		band := []byte{gs, 'v', '0', 0, byte(m.stride), byte(m.stride >> 8), byte(end - first), 0}
		out = append(out, append(band, m.data[first*m.stride:end*m.stride]...))
		first = end
	}
	return out
}
