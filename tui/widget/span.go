package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Role says what a run of text means; a [Theme] says how that looks.
type Role uint8

// The dozen tokens every screen is made of.
const (
	Text      Role = iota // what is read
	Quiet                 // labels, units, hints
	Strong                // the figure that counts
	Accent                // the one accent: keys, the chosen thing
	Good                  // paid, ready
	Bad                   // refused, failed
	Warn                  // needs a look
	Rule                  // lines and borders
	Inverse               // a block cursor, a title bar
	Selection             // the selected row or tab
	Field                 // what is typed into
	Tile                  // a key of the keypad
	QR                    // ink: light modules, ground: dark modules
	roleCount
)

// Fill is the role with ink and ground exchanged: a blank said in it is a solid
// cell in the role's colour.
func (r Role) Fill() Role {
	if r >= roleCount {
		return r - roleCount
	}
	return r + roleCount
}

// Say cleans s and gives it the role. It is the only way into a [Span].
func (r Role) Say(s string) Span {
	text, width, ascii := clean(s)
	return Span{text: text, width: width, role: r, ascii: ascii}
}

// Line is a line of one span.
func (r Role) Line(s string) Line { return Line{r.Say(s)} }

// blank is w blank cells in the role.
func (r Role) blank(w int) Span {
	return Span{text: blanks(w), width: max(w, 0), role: r, ascii: true}
}

// Span is a run of clean text in one role. The zero value is empty.
type Span struct {
	text  string
	width int
	role  Role
	ascii bool
}

// Width is the number of cells.
func (s Span) Width() int { return s.width }

// String is the text without its role.
func (s Span) String() string { return s.text }

// Role is what the text means.
func (s Span) Role() Role { return s.role }

// As is the same text in another role.
func (s Span) As(r Role) Span {
	s.role = r
	return s
}

// cut returns the cells from ≤ x < to; half of a wide character is a blank.
func (s Span) cut(from, to int) Span {
	from, to = max(from, 0), min(to, s.width)
	if from >= to {
		return Span{role: s.role, ascii: true}
	}
	if from == 0 && to == s.width {
		return s
	}
	if s.ascii {
		return Span{text: s.text[from:to], width: to - from, role: s.role, ascii: true}
	}
	var b strings.Builder
	x := 0
	for rest := s.text; rest != "" && x < to; {
		cluster, w := ansi.FirstGraphemeCluster(rest, ansi.WcWidth)
		rest = rest[len(cluster):]
		switch {
		case x >= from && x+w <= to:
			b.WriteString(cluster)
		case x < to && x+w > from:
			b.WriteString(blanks(min(x+w, to) - max(x, from)))
		}
		x += w
	}
	return Span{text: b.String(), width: to - from, role: s.role}
}

// split breaks the span after at most w ≥ 1 cells, between characters. A
// character wider than w becomes a placeholder, so that every split advances.
func (s Span) split(w int) (head, tail Span) {
	if s.ascii {
		return s.cut(0, w), s.cut(w, s.width)
	}
	x, i := 0, 0
	for i < len(s.text) {
		cluster, cw := ansi.FirstGraphemeCluster(s.text[i:], ansi.WcWidth)
		if x+cw > w {
			break
		}
		x, i = x+cw, i+len(cluster)
	}
	if i == 0 && s.text != "" {
		cluster, cw := ansi.FirstGraphemeCluster(s.text, ansi.WcWidth)
		return Span{text: placeholder, width: 1, role: s.role},
			Span{text: s.text[len(cluster):], width: s.width - cw, role: s.role}
	}
	return Span{text: s.text[:i], width: x, role: s.role},
		Span{text: s.text[i:], width: s.width - x, role: s.role}
}

// Line is a row of spans.
type Line []Span

// Width is the number of cells.
func (l Line) Width() int {
	w := 0
	for i := range l {
		w += l[i].width
	}
	return w
}

// String is the text without roles.
func (l Line) String() string {
	var b strings.Builder
	for i := range l {
		b.WriteString(l[i].text)
	}
	return b.String()
}

// As is the same text in one role.
func (l Line) As(r Role) Line {
	out := make(Line, len(l))
	for i := range l {
		out[i] = l[i].As(r)
	}
	return out
}

// Cut returns the cells from ≤ x < to, less where the line ends before.
func (l Line) Cut(from, to int) Line {
	out := make(Line, 0, len(l))
	x := 0
	for _, s := range l {
		if x >= to {
			break
		}
		if x+s.width > from && s.width > 0 {
			out = append(out, s.cut(from-x, to-x))
		}
		x += s.width
	}
	return out
}

// Trunc shortens the line to at most w cells, ending in … where more than
// blanks are cut.
func (l Line) Trunc(w int) Line {
	have := l.Width()
	if have <= w {
		return l
	}
	if w <= 0 {
		return nil
	}
	if have-l.trailing() <= w {
		return l.Cut(0, w)
	}
	out := l.Cut(0, w-1)
	role := Text
	if len(out) > 0 {
		role = out[len(out)-1].role
	} else if len(l) > 0 {
		role = l[0].role
	}
	return append(out, role.Say("…"))
}

// trailing counts the blanks at the end of the line.
func (l Line) trailing() int {
	n := 0
	for i := len(l) - 1; i >= 0; i-- {
		rest := len(strings.TrimRight(l[i].text, " "))
		n += len(l[i].text) - rest
		if rest > 0 {
			break
		}
	}
	return n
}

// Fit makes the line exactly w cells: cut with …, or padded at the end.
func (l Line) Fit(w int) Line { return l.fit(w, Left, Text) }

// Align makes the line exactly w cells with its text to one side.
func (l Line) Align(w int, a Align) Line { return l.fit(w, a, Text) }

// fit pads with blanks of the role.
func (l Line) fit(w int, a Align, pad Role) Line {
	w = max(w, 0)
	have := l.Width()
	if have == w {
		return l
	}
	if have > w {
		return l.Trunc(w)
	}
	left := 0
	switch a {
	case Right:
		left = w - have
	case Center:
		left = (w - have) / 2
	}
	out := make(Line, 0, len(l)+2)
	if left > 0 {
		out = append(out, pad.blank(left))
	}
	out = append(out, l...)
	if right := w - have - left; right > 0 {
		out = append(out, pad.blank(right))
	}
	return out
}

// Align is where something lies in a space larger than itself.
type Align uint8

// Places in a space. Top and Bottom are Left and Right turned.
const (
	Left Align = iota
	Center
	Right
	Decimal // columns of a list only: aligned on the decimal point
	Top     = Left
	Bottom  = Right
)

const blankRow = "                                                                                                                                                                                                        "

func blanks(n int) string {
	switch {
	case n <= 0:
		return ""
	case n <= len(blankRow):
		return blankRow[:n]
	}
	return strings.Repeat(" ", n)
}

// Join sets lines beside each other with sep between those that are not empty.
func Join(sep Span, parts ...Line) Line {
	var out Line
	for _, p := range parts {
		if p.Width() == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, sep)
		}
		out = append(out, p...)
	}
	return out
}
