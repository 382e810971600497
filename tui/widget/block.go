package widget

// Area is a size in cells.
type Area struct{ W, H int }

// clamp makes both sides at least zero.
func (a Area) clamp() Area { return Area{max(a.W, 0), max(a.H, 0)} }

// Hit is a named rectangle that can be clicked or touched, in cells from the
// top left of its block. The name is the caller's: an action, "row:3".
type Hit struct {
	Name       string
	X, Y, W, H int
}

// Block is a picture of lines and the places in it that can be clicked.
type Block struct {
	Lines []Line
	Hits  []Hit
}

// Lines is a block of lines without hits.
func Lines(lines ...Line) Block { return Block{Lines: lines} }

// Size is the widest line and the number of lines.
func (b Block) Size() Area {
	w := 0
	for _, l := range b.Lines {
		w = max(w, l.Width())
	}
	return Area{w, len(b.Lines)}
}

// At names what lies under a cell; the last hit added is on top.
func (b Block) At(x, y int) (name string, ok bool) {
	for i := len(b.Hits) - 1; i >= 0; i-- {
		h := b.Hits[i]
		if x >= h.X && x < h.X+h.W && y >= h.Y && y < h.Y+h.H {
			return h.Name, true
		}
	}
	return "", false
}

// Fit makes the block exactly a: cut at the right with … and below, padded
// with blanks.
func (b Block) Fit(a Area) Block {
	a = a.clamp()
	out := make([]Line, a.H)
	for y := range out {
		if y < len(b.Lines) {
			out[y] = b.Lines[y].Fit(a.W)
		} else if a.W > 0 {
			out[y] = Line{Text.blank(a.W)}
		}
	}
	return Block{Lines: out, Hits: clip(b.Hits, 0, 0, a)}
}

// Place puts the block somewhere in a, exactly a in size; what does not fit is
// cut as by Fit.
func (b Block) Place(a Area, h, v Align) Block {
	a = a.clamp()
	size := b.Size()
	if size.W > a.W || size.H > a.H {
		b = b.Fit(Area{min(size.W, a.W), min(size.H, a.H)})
		size = b.Size()
	}
	return Overlay(Block{}.Fit(a), b.Fit(size), offset(a.W-size.W, h), offset(a.H-size.H, v))
}

func offset(room int, a Align) int {
	switch a {
	case Center:
		return max(room, 0) / 2
	case Right:
		return max(room, 0)
	}
	return 0
}

// Shift moves the block right and down by blank cells.
func (b Block) Shift(x, y int) Block {
	out := Block{Lines: make([]Line, 0, len(b.Lines)+y), Hits: moved(b.Hits, x, y)}
	for range y {
		out.Lines = append(out.Lines, nil)
	}
	for _, l := range b.Lines {
		if x > 0 {
			l = append(Line{Text.blank(x)}, l...)
		}
		out.Lines = append(out.Lines, l)
	}
	return out
}

// Stacked sets blocks one under the other.
func Stacked(blocks ...Block) Block {
	var out Block
	for _, b := range blocks {
		out.Hits = append(out.Hits, moved(b.Hits, 0, len(out.Lines))...)
		out.Lines = append(out.Lines, b.Lines...)
	}
	return out
}

// Beside sets blocks side by side with gap blank columns between. Each keeps
// its own width; the result is as high as the highest.
func Beside(gap int, blocks ...Block) Block {
	h := 0
	for _, b := range blocks {
		h = max(h, len(b.Lines))
	}
	out := Block{Lines: make([]Line, h)}
	x := 0
	for i, b := range blocks {
		w := b.Size().W
		b = b.Fit(Area{w, h})
		for y := range out.Lines {
			if i > 0 && gap > 0 {
				out.Lines[y] = append(out.Lines[y], Text.blank(gap))
			}
			out.Lines[y] = append(out.Lines[y], b.Lines[y]...)
		}
		if i > 0 {
			x += gap
		}
		out.Hits = append(out.Hits, moved(b.Hits, x, 0)...)
		x += w
	}
	return out
}

// Overlay draws top over bottom with its left upper corner at x, y. The result
// has exactly the lines and widths of bottom; what lies outside is cut. Hits of
// bottom that top covers even partly no longer answer.
func Overlay(bottom, top Block, x, y int) Block {
	out := Block{Lines: append([]Line(nil), bottom.Lines...)}
	for i, l := range top.Lines {
		row := y + i
		if row < 0 || row >= len(out.Lines) {
			continue
		}
		under := out.Lines[row]
		w, from := under.Width(), max(x, 0)
		if x < 0 {
			l = l.Cut(-x, l.Width())
		}
		l = l.Cut(0, w-from)
		if from >= w {
			continue
		}
		line := make(Line, 0, len(under)+len(l)+2)
		line = append(line, under.Cut(0, from)...)
		line = append(line, l...)
		out.Lines[row] = append(line, under.Cut(from+l.Width(), w)...)
	}
	size := top.Size()
	for _, h := range bottom.Hits {
		if h.X+h.W <= x || h.X >= x+size.W || h.Y+h.H <= y || h.Y >= y+size.H {
			out.Hits = append(out.Hits, h)
		}
	}
	out.Hits = append(out.Hits, clip(top.Hits, x, y, bottom.Size())...)
	return out
}

// Dim says everything but a QR code quietly: what lies behind a dialog.
func (b Block) Dim() Block {
	out := make([]Line, len(b.Lines))
	for y, l := range b.Lines {
		out[y] = make(Line, len(l))
		for i, s := range l {
			switch s.role {
			case QR, QR.Fill(), Rule:
			default:
				s.role = Quiet
			}
			out[y][i] = s
		}
	}
	return Block{Lines: out}
}

func moved(hits []Hit, x, y int) []Hit {
	if x == 0 && y == 0 {
		return hits
	}
	out := make([]Hit, len(hits))
	for i, h := range hits {
		h.X, h.Y = h.X+x, h.Y+y
		out[i] = h
	}
	return out
}

// clip moves hits and keeps the part of each that lies in a.
func clip(hits []Hit, x, y int, a Area) []Hit {
	var out []Hit
	for _, h := range hits {
		left, top := max(h.X+x, 0), max(h.Y+y, 0)
		right, bottom := min(h.X+x+h.W, a.W), min(h.Y+y+h.H, a.H)
		if left < right && top < bottom {
			out = append(out, Hit{h.Name, left, top, right - left, bottom - top})
		}
	}
	return out
}
