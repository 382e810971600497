package widget

// Part is a piece of a line that can be left out when there is no room: the
// highest rank goes first, rank 0 never (it is cut with … instead).
type Part struct {
	Line Line
	Rank int
	Name string // of the hit, if it can be clicked
}

// Bar is a line with parts at the left, in the middle and at the right.
type Bar struct {
	Left, Center, Right []Part
}

const (
	partGap = 3 // between the parts of a side
	sideGap = 2 // at least, between sides
)

// Fits tells whether what is never left out stands whole in w cells.
func (b Bar) Fits(w int) bool {
	var kept [3][]Part
	for i, side := range [][]Part{b.Left, b.Center, b.Right} {
		for _, p := range side {
			if p.Rank == 0 {
				kept[i] = append(kept[i], p)
			}
		}
	}
	if w >= 20 {
		w -= 2
	}
	return width(kept[0])+width(kept[1])+width(kept[2])+gaps(kept[:]...) <= w
}

// Render sets the bar into exactly w cells of one line, with one blank at
// either end where w allows.
func (b Bar) Render(w int) Block {
	if w < 1 {
		return Block{}.Fit(Area{w, 1})
	}
	margin := 0
	if w >= 20 {
		margin = 1
	}
	inner := w - 2*margin
	left, center, right := b.Left, b.Center, b.Right
	for width(left)+width(center)+width(right)+gaps(left, center, right) > inner {
		worst := highest(left, center, right)
		if worst == 0 {
			break
		}
		left, center, right = without(left, worst), without(center, worst), without(right, worst)
	}
	r := chain(right).cutTo(inner)
	rest := inner - r.Size().W
	if r.Size().W > 0 {
		rest -= sideGap
	}
	c := chain(center).cutTo(rest)
	leftRoom := rest - c.Size().W
	if c.Size().W > 0 {
		leftRoom -= sideGap
	}
	l := chain(left).cutTo(leftRoom)
	out := Block{}.Fit(Area{w, 1})
	out = Overlay(out, l, margin, 0)
	if cw := c.Size().W; cw > 0 {
		x := (w - cw) / 2
		x = min(x, w-margin-r.Size().W-sideGap-cw)
		x = max(x, margin)
		if lw := l.Size().W; lw > 0 {
			x = max(x, margin+lw+sideGap)
		}
		out = Overlay(out, c, x, 0)
	}
	return Overlay(out, r, w-margin-r.Size().W, 0)
}

// cutTo shortens a one-line block with ….
func (b Block) cutTo(w int) Block {
	if w <= 0 || len(b.Lines) == 0 {
		return Block{}
	}
	line := b.Lines[0].Trunc(w)
	return Block{Lines: []Line{line}, Hits: clip(b.Hits, 0, 0, Area{line.Width(), 1})}
}

// chain sets parts beside each other.
func chain(parts []Part) Block {
	var line Line
	var hits []Hit
	x := 0
	for _, p := range parts {
		w := p.Line.Width()
		if w == 0 {
			continue
		}
		if x > 0 {
			line = append(line, Text.blank(partGap))
			x += partGap
		}
		if p.Name != "" {
			hits = append(hits, Hit{p.Name, x, 0, w, 1})
		}
		line = append(line, p.Line...)
		x += w
	}
	if x == 0 {
		return Block{}
	}
	return Block{Lines: []Line{line}, Hits: hits}
}

func width(parts []Part) int {
	w := 0
	for _, p := range parts {
		if pw := p.Line.Width(); pw > 0 {
			if w > 0 {
				w += partGap
			}
			w += pw
		}
	}
	return w
}

func gaps(sides ...[]Part) int {
	n := 0
	for _, s := range sides {
		if width(s) > 0 {
			n++
		}
	}
	return max(n-1, 0) * sideGap
}

func highest(sides ...[]Part) int {
	top := 0
	for _, s := range sides {
		for _, p := range s {
			top = max(top, p.Rank)
		}
	}
	return top
}

func without(parts []Part, rank int) []Part {
	var out []Part
	for _, p := range parts {
		if p.Rank != rank {
			out = append(out, p)
		}
	}
	return out
}
