package story

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/font/inconsolata"
)

// shoot writes a frame into a file below dir, in the form its name ends in.
func (f *Frame) shoot(dir, name string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q leaves the directory of the shots", name)
	}
	var content []byte
	switch filepath.Ext(name) {
	case ".txt":
		content = []byte(f.Text("") + "\n")
	case ".ans":
		content = []byte(f.ansi())
	case ".png":
		var b bytes.Buffer
		if err := png.Encode(&b, f.image()); err != nil {
			return fmt.Errorf("draw shot: %w", err)
		}
		content = b.Bytes()
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write shot: %w", err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write shot: %w", err)
	}
	return nil
}

// ansi is the screen as text with SGR sequences, each line for itself.
func (f *Frame) ansi() string {
	var b strings.Builder
	for y := range f.Height {
		var last uv.Style
		for x := range f.Width {
			c := f.cell(x, y)
			if c.Width == 0 && c.Content == "" {
				continue
			}
			b.WriteString(uv.StyleDiff(&last, &c.Style))
			b.WriteString(c.Content)
			last = c.Style
		}
		if !last.IsZero() {
			b.WriteString("\x1b[m")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The size of a cell in a picture, in dots.
const (
	cellWidth  = 8
	cellHeight = 16
)

// image is the screen as a picture. Blocks and boxes fill their cells exactly,
// so that a code on it can be read.
func (f *Frame) image() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, f.Width*cellWidth, f.Height*cellHeight))
	for y := range f.Height {
		for x := range f.Width {
			c := f.cell(x, y)
			if c.Width == 0 && c.Content == "" && x > 0 && f.cell(x-1, y).Width > 1 {
				continue // covered by the wide character before it
			}
			at := image.Rect(0, 0, cellWidth*max(c.Width, 1), cellHeight).Add(image.Pt(x*cellWidth, y*cellHeight))
			ink, ground := f.colours(c)
			draw.Draw(img, at, image.NewUniform(ground), image.Point{}, draw.Src)
			drawCell(img, at, c, ink)
		}
	}
	return img
}

func drawCell(img *image.RGBA, at image.Rectangle, c *uv.Cell, ink color.Color) {
	r, _ := utf8.DecodeRuneInString(c.Content)
	source := image.NewUniform(ink)
	switch parts, drawn := strokes(r); {
	case c.Content == "" || r == ' ' || r == '\u00a0':
	case drawn:
		for _, part := range parts {
			draw.Draw(img, part.Add(at.Min).Intersect(at), source, image.Point{}, draw.Src)
		}
	default:
		if mask, from, ok := glyph(r, c.Style.Attrs&uv.AttrBold != 0); ok {
			draw.DrawMask(img, at, source, image.Point{}, mask, from, draw.Over)
			break
		}
		// The font lacks it: a frame, as terminals show it.
		for _, part := range outline(at.Inset(1)) {
			draw.Draw(img, part, source, image.Point{}, draw.Src)
		}
	}
	if c.Style.Underline != ansi.UnderlineNone {
		draw.Draw(img, image.Rect(at.Min.X, at.Max.Y-2, at.Max.X, at.Max.Y-1), source, image.Point{}, draw.Src)
	}
}

// glyph finds a character in the font: the mask, and where in it.
func glyph(r rune, bold bool) (image.Image, image.Point, bool) {
	face := inconsolata.Regular8x16
	if bold {
		face = inconsolata.Bold8x16
	}
	for _, within := range face.Ranges {
		if within.Low <= r && r < within.High {
			return face.Mask, image.Pt(0, (int(r-within.Low)+within.Offset)*lineHeight(face)), true
		}
	}
	return nil, image.Point{}, false
}

// lineHeight is the distance of the glyphs of a face in its mask.
func lineHeight(face *basicfont.Face) int { return face.Ascent + face.Descent }

func outline(r image.Rectangle) []image.Rectangle {
	return []image.Rectangle{
		{r.Min, image.Pt(r.Max.X, r.Min.Y+1)}, {image.Pt(r.Min.X, r.Max.Y-1), r.Max},
		{r.Min, image.Pt(r.Min.X+1, r.Max.Y)}, {image.Pt(r.Max.X-1, r.Min.Y), r.Max},
	}
}
