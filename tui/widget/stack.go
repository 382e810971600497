package widget

// Slot is one of the things set under each other by [Stack].
type Slot struct {
	Rows int  // wanted
	Min  int  // below this it is left out; 0 is Rows
	Grow bool // takes what is left
	Rank int  // the highest is left out first when it is short; 0 last
	Draw func(Area) Block
}

// Fixed is a slot for a block of its own height.
func Fixed(rank int, b Block) Slot {
	return Slot{Rows: len(b.Lines), Rank: rank, Draw: func(a Area) Block { return b }}
}

// Gap is a slot of blank rows.
func Gap(rank, rows int) Slot {
	return Slot{Rows: rows, Rank: rank, Draw: func(Area) Block { return Block{} }}
}

func (s Slot) least() int {
	if s.Min > 0 {
		return min(s.Min, s.Rows)
	}
	return s.Rows
}

// Stack sets slots under each other in exactly a. When it is short the slots of
// the highest rank are left out until the rest fit at their least; rows that are
// left go first to what wants more than its least, in order, then in equal
// parts to the slots that grow.
func Stack(a Area, slots ...Slot) Block {
	a = a.clamp()
	kept := append([]Slot(nil), slots...)
	for {
		need, worst := 0, 0
		for _, s := range kept {
			need += s.least()
			worst = max(worst, s.Rank)
		}
		if need <= a.H || worst == 0 {
			break
		}
		var rest []Slot
		for _, s := range kept {
			if s.Rank != worst {
				rest = append(rest, s)
			}
		}
		kept = rest
	}
	heights := make([]int, len(kept))
	left, growing := a.H, 0
	for i, s := range kept {
		heights[i] = min(s.least(), left)
		left -= heights[i]
		if s.Grow {
			growing++
		}
	}
	for i, s := range kept {
		more := min(max(s.Rows-heights[i], 0), left)
		heights[i] += more
		left -= more
	}
	parts := make([]Block, len(kept))
	for i, s := range kept {
		if s.Grow {
			more := left / growing
			heights[i] += more
			left -= more
			growing--
		}
		size := Area{a.W, heights[i]}
		parts[i] = s.Draw(size).Fit(size)
	}
	return Stacked(parts...).Fit(a)
}

// Split divides a into a left part of w columns and the rest, gap columns
// between.
func Split(a Area, w, gap int) (left, right Area) {
	a = a.clamp()
	w = max(0, min(w, a.W))
	return Area{w, a.H}, Area{max(a.W-w-gap, 0), a.H}
}

// Columns sets two blocks side by side in exactly a, as divided by [Split].
func Columns(a Area, w, gap int, left, right Block) Block {
	l, r := Split(a, w, gap)
	out := Overlay(Block{}.Fit(a), left.Fit(l), 0, 0)
	if r.W > 0 {
		out = Overlay(out, right.Fit(r), a.clamp().W-r.W, 0)
	}
	return out
}
