package widget

import "strings"

// Column is a column of a [List].
type Column struct {
	Title string
	Width int   // at least; 0 is as wide as what is shown
	Grow  bool  // takes the room that is left
	Align Align // Left, Right, Center or Decimal
	Rank  int   // the highest is left out first when it is narrow; 0 never
}

// Row is a row of a [List]: a cell for each column.
type Row struct {
	Cells []Span
	Name  string // of the hit, if it can be clicked
}

// List is a table, or a list of which one row is selected. Only the rows that
// are shown are asked for.
type List struct {
	Columns  []Column
	Len      int
	Row      func(i int) Row // 0 ≤ i < Len
	Selected int             // -1 for none
	Offset   int             // the first row shown last time; see Scroll
	Header   bool            // the column titles above
	Point    string          // the decimal point of Decimal columns; "" is "."
	Empty    string          // said in place of no rows
}

const columnGap = 2

// Scroll is the first row to show in h lines (the header included) so that the
// selection is visible with a row of context, moving as little as it can. Keep
// it as the next Offset.
func (l List) Scroll(h int) int {
	h -= l.head(h)
	if h <= 0 || l.Len <= h {
		return 0
	}
	first := l.Offset
	if l.Selected >= 0 {
		context := 0
		if h >= 5 {
			context = 1
		}
		first = min(first, l.Selected-context)
		first = max(first, l.Selected+context-h+1)
	}
	return max(0, min(first, l.Len-h))
}

func (l List) head(h int) int {
	if l.Header && h >= 3 {
		return 1
	}
	return 0
}

// Render draws the list in exactly a. A selected row is marked with ▸ and the
// selection's ground; a list longer than the area has a scroll bar.
func (l List) Render(a Area) Block {
	a = a.clamp()
	if l.Len <= 0 {
		return Block{Lines: Wrap(Quiet, l.Empty, a.W-3)}.Shift(2, 0).Fit(a)
	}
	head := l.head(a.H)
	first := l.Scroll(a.H)
	count := min(l.Len-first, a.H-head)
	rows := make([]Row, max(count, 0))
	for i := range rows {
		rows[i] = l.Row(first + i)
	}
	inner := a.W - 2 // the mark
	bar := l.Len > a.H-head && a.W >= 20
	if bar {
		inner -= 2
	}
	c := l.measure(rows, inner)
	out := Block{Lines: make([]Line, 0, a.H)}
	if head > 0 {
		line := Line{Text.blank(2)}
		out.Lines = append(out.Lines, append(line, c.titles(l.Columns)...))
	}
	for i, r := range rows {
		role, mark := Text, Text.blank(2)
		if first+i == l.Selected {
			role, mark = Selection, Selection.Say("▸ ")
		}
		line := append(Line{mark}, c.cells(l.Columns, r, role)...)
		if r.Name != "" {
			out.Hits = append(out.Hits, Hit{r.Name, 0, len(out.Lines), a.W, 1})
		}
		if bar {
			line = line.fit(a.W-2, Left, role)
			line = append(line, Text.blank(1), thumb(i, count, first, l.Len))
		} else {
			line = line.fit(a.W, Left, role)
		}
		out.Lines = append(out.Lines, line)
	}
	return out.Fit(a)
}

// thumb is the scroll bar's cell beside row i of count.
func thumb(i, count, first, all int) Span {
	size := max(1, count*count/all)
	top := 0
	if all > count {
		top = (count - size) * first / (all - count)
	}
	if i >= top && i < top+size {
		return Quiet.Say("┃")
	}
	return Rule.Say("│")
}

// columns are the measured columns: the ones shown, and their widths.
type columns struct {
	shown  []int
	widths []int
	whole  []int // cells before the decimal point
	point  string
}

func (l List) measure(rows []Row, room int) columns {
	c := columns{point: l.Point, widths: make([]int, len(l.Columns)), whole: make([]int, len(l.Columns))}
	if c.point == "" {
		c.point = "."
	}
	for i, col := range l.Columns {
		c.shown = append(c.shown, i)
		if l.Header {
			c.widths[i] = Text.Say(col.Title).width
		}
		rest := 0
		for _, r := range rows {
			if i >= len(r.Cells) {
				continue
			}
			if col.Align == Decimal {
				w := wholeWidth(r.Cells[i], c.point)
				c.whole[i] = max(c.whole[i], w)
				rest = max(rest, r.Cells[i].width-w)
			} else {
				c.widths[i] = max(c.widths[i], r.Cells[i].width)
			}
		}
		if col.Align == Decimal {
			c.widths[i] = max(c.widths[i], c.whole[i]+rest)
			c.whole[i] = max(c.whole[i], c.widths[i]-rest)
		}
		if c.widths[i] < col.Width {
			c.whole[i] += col.Width - c.widths[i]
			c.widths[i] = col.Width
		}
	}
	c.drop(l.Columns, room)
	c.grow(l.Columns, room)
	return c
}

// drop leaves out the columns of highest rank until the rest fit.
func (c *columns) drop(cols []Column, room int) {
	for c.total(cols) > room {
		worst, at := 0, -1
		for k, i := range c.shown {
			if cols[i].Rank > worst {
				worst, at = cols[i].Rank, k
			}
		}
		if at < 0 {
			return
		}
		c.shown = append(c.shown[:at:at], c.shown[at+1:]...)
	}
}

// total is the width of the columns shown; one that grows counts what it must
// have, not the text it holds, which may be cut.
func (c *columns) total(cols []Column) int {
	w := columnGap * max(len(c.shown)-1, 0)
	for _, i := range c.shown {
		if cols[i].Grow {
			w += min(c.widths[i], max(cols[i].Width, 8))
		} else {
			w += c.widths[i]
		}
	}
	return w
}

// grow gives what is left, or takes what is missing, from the columns that grow.
func (c *columns) grow(cols []Column, room int) {
	var growing []int
	used := columnGap * max(len(c.shown)-1, 0)
	for _, i := range c.shown {
		if cols[i].Grow {
			growing = append(growing, i)
		} else {
			used += c.widths[i]
		}
	}
	left := max(room-used, 0)
	for k, i := range growing {
		c.widths[i] = left / (len(growing) - k)
		left -= c.widths[i]
	}
}

func (c *columns) titles(cols []Column) Line {
	var out Line
	for k, i := range c.shown {
		if k > 0 {
			out = append(out, Text.blank(columnGap))
		}
		a := cols[i].Align
		if a == Decimal {
			a = Right
		}
		out = append(out, Quiet.Line(cols[i].Title).fit(c.widths[i], a, Text)...)
	}
	return out
}

func (c *columns) cells(cols []Column, r Row, role Role) Line {
	out := make(Line, 0, 3*len(c.shown)+2)
	for k, i := range c.shown {
		if k > 0 {
			out = append(out, role.blank(columnGap))
		}
		var cell Span
		if i < len(r.Cells) {
			cell = r.Cells[i]
		}
		if role == Selection {
			cell.role = Selection
		}
		a := cols[i].Align
		line := Line{cell}
		if a == Decimal {
			a = Left
			if pad := c.whole[i] - wholeWidth(cell, c.point); pad > 0 {
				line = Line{role.blank(pad), cell}
			}
		}
		out = append(out, line.fit(c.widths[i], a, role)...)
	}
	return out
}

// wholeWidth is the cells before the last decimal point.
func wholeWidth(s Span, point string) int {
	i := strings.LastIndex(s.text, point)
	if i < 0 {
		return s.width
	}
	if s.ascii {
		return i
	}
	_, w, _ := clean(s.text[:i])
	return w
}
