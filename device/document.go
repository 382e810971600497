package device

import (
	"image"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Document is what goes on paper, top to bottom, without knowing the printer:
// widths, code pages and commands are the language's business.
type Document []Part

// Part is one of Line, Columns, Rule, QR, Barcode, Picture, Feed, Cut, Pulse,
// Beep and Raw.
type Part interface{ part() }

// Align places a line or a picture.
type Align int

// The three places.
const (
	Left Align = iota
	Center
	Right
)

// Style is how text looks. Double makes characters twice as wide and twice as
// high, so half as many fit on a line; Tall only twice as high.
type Style struct {
	Bold      bool
	Underline bool
	Inverse   bool
	Double    bool
	Tall      bool
}

// Line is a paragraph: it wraps at blanks when it is too long. An empty Text is
// an empty line.
type Line struct {
	Text  string
	Align Align
	Style Style
}

// Columns sets Left flush left and Right flush right on one line. Left wraps
// when both do not fit; Right stands on the last of the lines and is kept whole
// as long as it fits on a line of its own.
type Columns struct {
	Left, Right string
	Style       Style
}

// Rule is a line across the paper.
type Rule struct{}

// QR is a QR code as large as it prints well, centred, with its quiet zone.
type QR struct{ Content string }

// Barcode is Code 128, printed where the printer has barcodes and as its text
// where it has not. Content is printable ASCII.
type Barcode struct{ Content string }

// Picture is a raster, centred: pixels darker than the middle are black. It is
// scaled down to the paper's width, never up.
type Picture struct{ Image image.Image }

// Feed moves the paper on by lines.
type Feed struct{ Lines int }

// Cut feeds to the cutter and cuts: one point stays uncut unless Full. Printers
// without a cutter feed to the tear bar.
type Cut struct{ Full bool }

// Pulse opens a cash drawer: Pin is 2 or 5 of the printer's drawer connector,
// On and Off the times of the pulse (at most 510 ms each, in steps of 2 ms).
// Urgent asks for the pulse at once, even while paper is out, where the printer
// can.
type Pulse struct {
	Pin     int
	On, Off time.Duration
	Urgent  bool
}

// Beep sounds the buzzer where there is one.
type Beep struct{ Times int }

// Raw is bytes for whatever hangs behind the printer, such as a display.
type Raw struct{ Bytes []byte }

func (Line) part()    {}
func (Columns) part() {}
func (Rule) part()    {}
func (QR) part()      {}
func (Barcode) part() {}
func (Picture) part() {}
func (Feed) part()    {}
func (Cut) part()     {}
func (Pulse) part()   {}
func (Beep) part()    {}
func (Raw) part()     {}

// Copy is the document as its n-th copy: from the second on it is headed COPY n
// and opens no drawer (terminal.md section 4.1, receipt_printed).
func (d Document) Copy(n int) Document {
	if n < 2 {
		return d
	}
	head := Line{Text: "COPY " + strconv.Itoa(n), Align: Center, Style: Style{Bold: true, Double: true}}
	copied := Document{head, Line{}}
	for _, p := range d {
		if _, drawer := p.(Pulse); !drawer {
			copied = append(copied, p)
		}
	}
	return copied
}

// Text is the document as plain lines of at most columns characters, for
// screens, tests and people who cannot see: codes stand in brackets.
func (d Document) Text(columns int) string {
	var out []string
	for _, p := range d {
		switch p := p.(type) {
		case Line:
			width := p.Style.Width(columns)
			for _, s := range Wrap(p.Text, width) {
				out = append(out, strings.TrimRight(p.Align.Pad(s, width), " "))
			}
		case Columns:
			out = append(out, p.Lines(p.Style.Width(columns))...)
		case Rule:
			out = append(out, strings.Repeat("-", columns))
		case QR:
			out = append(out, "[QR "+p.Content+"]")
		case Barcode:
			out = append(out, "[Code 128 "+p.Content+"]")
		case Picture:
			out = append(out, "[picture]")
		case Feed:
			for range p.Lines {
				out = append(out, "")
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, "\n") + "\n"
}

// Width is how many characters of this style fit where columns plain ones do,
// at least one.
func (s Style) Width(columns int) int {
	if s.Double {
		columns /= 2
	}
	return max(columns, 1)
}

// Pad fills s with blanks at the left so that it stands where a says on a line
// of width characters.
func (a Align) Pad(s string, width int) string {
	free := width - utf8.RuneCountInString(s)
	if free <= 0 {
		return s
	}
	switch a {
	case Center:
		return strings.Repeat(" ", free/2) + s
	case Right:
		return strings.Repeat(" ", free) + s
	}
	return s
}

// Lines lays the two columns out on lines of width characters, with at least
// one blank between them.
func (c Columns) Lines(width int) []string {
	right := utf8.RuneCountInString(c.Right)
	if right == 0 {
		return Wrap(c.Left, width)
	}
	left := Wrap(c.Left, width)
	if room := width - right - 1; room >= width/3 {
		left = Wrap(c.Left, room)
	}
	last := left[len(left)-1]
	if gap := width - right - utf8.RuneCountInString(last); gap >= 1 {
		left[len(left)-1] = last + strings.Repeat(" ", gap) + c.Right
		return left
	}
	for _, s := range Wrap(c.Right, width) {
		left = append(left, Right.Pad(s, width))
	}
	return left
}

// Wrap breaks text into lines of at most width characters, at blanks where it
// can, inside a word where it must. Line ends in text are kept. There is always
// at least one line.
func Wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrapParagraph([]rune(strings.TrimRight(paragraph, " \r")), width)...)
	}
	return lines
}

func wrapParagraph(rest []rune, width int) []string {
	var lines []string
	for len(rest) > width {
		end := width
		for end > 0 && rest[end] != ' ' {
			end--
		}
		next := end + 1
		if end == 0 {
			end, next = width, width
		}
		lines = append(lines, strings.TrimRight(string(rest[:end]), " "))
		for next < len(rest) && rest[next] == ' ' {
			next++
		}
		rest = rest[next:]
	}
	return append(lines, string(rest))
}
