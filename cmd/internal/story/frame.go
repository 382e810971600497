package story

import (
	"image/color"
	"strings"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Frame is what the screen showed after one write of the program.
type Frame struct {
	Number        int // counted from 0 at the terminal's start
	At            time.Time
	Width, Height int

	linux bool
	cells []uv.Cell // row by row; what a wide character covers has no width
}

func (f *Frame) cell(x, y int) *uv.Cell { return &f.cells[y*f.Width+x] }

// text is the columns from left up to right of a row, without colour and
// without trailing blanks.
func (f *Frame) text(y, left, right int) string {
	var b strings.Builder
	for x := left; x < right; x++ {
		switch c := f.cell(x, y); {
		case c.Width == 0 && c.Content == "" && x > 0 && f.cell(x-1, y).Width > 1:
		case c.Content == "":
			b.WriteByte(' ')
		default:
			b.WriteString(c.Content)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// rows joins rows with one newline.
func (f *Frame) rows(top, bottom int) string {
	var lines []string
	for y := max(top, 0); y < min(bottom, f.Height); y++ {
		lines = append(lines, f.text(y, 0, f.Width))
	}
	return strings.Join(lines, "\n")
}

// Text is the whole screen, or one of its places: the title is the top line,
// bottom the keys in the last, health the line above them, body what is
// between, and dialog what stands in boxes ("" without one).
func (f *Frame) Text(place string) string {
	switch place {
	case "title":
		return f.rows(0, 1)
	case "body":
		return f.rows(1, f.Height-2)
	case "health":
		return f.rows(max(f.Height-2, 1), f.Height-1)
	case "bottom":
		return f.rows(max(f.Height-1, 1), f.Height)
	case "dialog":
		return f.dialogs()
	}
	return f.rows(0, f.Height)
}

// blank tells that nothing is shown yet.
func (f *Frame) blank() bool { return strings.Trim(f.Text(""), "\n") == "" }

// corners of the boxes that dialogs are drawn in, by their first.
var corners = map[string][3]string{"╭": {"╮", "╰", "╯"}, "┌": {"┐", "└", "┘"}, "╔": {"╗", "╚", "╝"}, "┏": {"┓", "┗", "┛"}}

func (f *Frame) dialogs() string {
	var all []string
	for y := range f.Height {
		for x := range f.Width {
			if right, bottom, ok := f.box(x, y); ok {
				for row := y + 1; row < bottom; row++ {
					all = append(all, strings.TrimLeft(f.text(row, x+1, right), " "))
				}
			}
		}
	}
	return strings.Join(all, "\n")
}

// box finds the box whose upper left corner is at x, y.
func (f *Frame) box(x, y int) (right, bottom int, ok bool) {
	other, ok := corners[f.cell(x, y).Content]
	if !ok {
		return 0, 0, false
	}
	for right = x + 1; right < f.Width && f.cell(right, y).Content != other[0]; right++ {
	}
	for bottom = y + 1; bottom < f.Height && f.cell(x, bottom).Content != other[1]; bottom++ {
	}
	if right == f.Width || bottom == f.Height || f.cell(right, bottom).Content != other[2] {
		return 0, 0, false
	}
	for row := y + 1; row < bottom; row++ {
		if !side(f.cell(x, row)) || !side(f.cell(right, row)) {
			return 0, 0, false
		}
	}
	return right, bottom, true
}

func side(c *uv.Cell) bool { return strings.Contains("│║┃├┤", c.Content) && c.Content != "" }

// colours are what a cell is drawn with: the default is light on dark.
func (f *Frame) colours(c *uv.Cell) (ink, ground color.Color) {
	ink, ground = c.Style.Fg, c.Style.Bg
	if ink == nil {
		ink = palette[7]
		if c.Style.Attrs&uv.AttrBold != 0 && f.linux {
			ink = palette[15]
		}
	}
	if ground == nil {
		ground = palette[0]
	}
	ink, ground = f.shown(ink, true), f.shown(ground, false)
	if c.Style.Attrs&uv.AttrReverse != 0 {
		ink, ground = ground, ink
	}
	if c.Style.Attrs&uv.AttrConceal != 0 {
		ink = ground
	}
	return ink, ground
}

// shown is the colour that appears: the sixteen of the palette as a console
// shows them, a bright ground of the Linux console as the dark one.
func (f *Frame) shown(c color.Color, ink bool) color.Color {
	n := -1
	switch c := c.(type) {
	case ansi.BasicColor:
		n = int(c)
	case ansi.IndexedColor:
		n = int(c)
	}
	if n < 0 || n > 15 {
		return c
	}
	if f.linux && !ink {
		n %= 8
	}
	return palette[n]
}

// palette is the sixteen colours of the VGA and so of the Linux console.
var palette = [16]color.RGBA{
	{0, 0, 0, 255}, {170, 0, 0, 255}, {0, 170, 0, 255}, {170, 85, 0, 255},
	{0, 0, 170, 255}, {170, 0, 170, 255}, {0, 170, 170, 255}, {170, 170, 170, 255},
	{85, 85, 85, 255}, {255, 85, 85, 255}, {85, 255, 85, 255}, {255, 255, 85, 255},
	{85, 85, 255, 255}, {255, 85, 255, 255}, {85, 255, 255, 255}, {255, 255, 255, 255},
}
