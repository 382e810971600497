package story

import (
	"image"
	"image/color"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// shade is how a dot of the screen looks to a camera: what is neither light nor
// dark enough cannot be part of a code.
type shade uint8

const (
	neither shade = iota
	dark
	light
)

func shadeOf(c color.Color) shade {
	switch y := color.GrayModel.Convert(c).(color.Gray).Y; {
	case y <= 90:
		return dark
	case y >= 140:
		return light
	}
	return neither
}

// dots is a picture of square dots.
type dots struct {
	width, height int
	shades        []shade
}

func (d *dots) at(x, y int) shade {
	if x < 0 || y < 0 || x >= d.width || y >= d.height {
		return neither
	}
	return d.shades[y*d.width+x]
}

// dots are the cells' upper and lower halves, which are about square.
func (f *Frame) dots() *dots {
	d := &dots{width: f.Width, height: 2 * f.Height, shades: make([]shade, 2*f.Width*f.Height)}
	for y := range f.Height {
		for x := range f.Width {
			c := f.cell(x, y)
			ink, ground := f.colours(c)
			upper, lower := neither, neither
			switch c.Content {
			case " ", "":
				upper = shadeOf(ground)
				lower = upper
			case "█":
				upper = shadeOf(ink)
				lower = upper
			case "▀":
				upper, lower = shadeOf(ink), shadeOf(ground)
			case "▄":
				upper, lower = shadeOf(ground), shadeOf(ink)
			}
			d.shades[2*y*f.Width+x], d.shades[(2*y+1)*f.Width+x] = upper, lower
		}
	}
	return d
}

// dotsOf are those of a picture in black and white.
func dotsOf(img image.Image) *dots {
	b := img.Bounds()
	d := &dots{width: b.Dx(), height: b.Dy(), shades: make([]shade, b.Dx()*b.Dy())}
	for y := range d.height {
		for x := range d.width {
			d.shades[y*d.width+x] = shadeOf(img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return d
}

const (
	quiet      = 2  // modules around a code that a phone needs at least (devices.md §8)
	minModules = 21 // of version 1
	maxModules = 177
)

// codes are the texts of the QR codes in a picture, from the top down. Nothing
// is guessed: every dot of every module must have its shade, the three finders
// and the quiet zone must stand, and the decoder gets the exact matrix. A code
// in inverse colours counts.
func (d *dots) codes() []string {
	var all []string
	for y := range d.height {
		for x := range d.width {
			// A finder's corner: its edge begins here.
			ink := d.at(x, y)
			if ink == neither || d.at(x-1, y) == ink || d.at(x, y-1) == ink {
				continue
			}
			run := 1
			for d.at(x+run, y) == ink {
				run++
			}
			if run%7 != 0 {
				continue
			}
			if text, ok := (code{d, x, y, run / 7, ink}).read(); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// code is a place where a code may stand.
type code struct {
	*dots
	x, y  int
	scale int   // dots a module
	ink   shade // of what counts as dark
}

func (c code) read() (string, bool) {
	if !c.finder(0, 0) {
		return "", false
	}
	for n := minModules; n <= maxModules && c.x+n*c.scale <= c.width && c.y+n*c.scale <= c.height; n += 4 {
		if !c.finder(n-7, 0) || !c.finder(0, n-7) || !c.calm(n) {
			continue
		}
		if matrix := c.matrix(n); matrix != nil {
			result, err := decoder.NewDecoder().DecodeBoolMapWithoutHint(matrix)
			if err == nil {
				return result.GetText(), true
			}
		}
	}
	return "", false
}

// module is the shade that all its dots have.
func (c code) module(x, y int) shade {
	left, top := c.x+x*c.scale, c.y+y*c.scale
	first := c.at(left, top)
	for dy := range c.scale {
		for dx := range c.scale {
			if c.at(left+dx, top+dy) != first {
				return neither
			}
		}
	}
	return first
}

func (c code) finder(x, y int) bool {
	for dy := range 7 {
		for dx := range 7 {
			ring := max(max(dx-3, 3-dx), max(dy-3, 3-dy))
			if s := c.module(x+dx, y+dy); s == neither || (s == c.ink) != (ring != 2) {
				return false
			}
		}
	}
	return true
}

// calm tells whether nothing stands around a code of n modules a side.
func (c code) calm(n int) bool {
	for y := -quiet; y < n+quiet; y++ {
		for x := -quiet; x < n+quiet; x++ {
			if x >= 0 && x < n && y >= 0 && y < n {
				continue
			}
			if s := c.module(x, y); s == neither || s == c.ink {
				return false
			}
		}
	}
	return true
}

func (c code) matrix(n int) [][]bool {
	rows := make([][]bool, n)
	for y := range rows {
		rows[y] = make([]bool, n)
		for x := range rows[y] {
			s := c.module(x, y)
			if s == neither {
				return nil
			}
			rows[y][x] = s == c.ink
		}
	}
	return rows
}
