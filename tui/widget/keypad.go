package widget

// PadKey is a key of the keypad picture.
type PadKey struct {
	Label string
	Name  string // of the hit
	Lead  bool   // leads on: stands out
}

// Keypad draws rows of keys as large as fits into a, for fingers and the mouse:
// keys of 9×3 cells on their own ground, else of 7×1, else of 5×1. ok is false
// where not even the smallest fits; the screen then does without the picture.
func Keypad(a Area, rows ...[]PadKey) (b Block, ok bool) {
	columns := 0
	for _, r := range rows {
		columns = max(columns, len(r))
	}
	if columns == 0 {
		return Block{}, false
	}
	for _, k := range []struct{ w, h, gapX, gapY int }{{9, 3, 2, 1}, {7, 1, 1, 1}, {5, 1, 1, 0}} {
		if columns*(k.w+k.gapX)-k.gapX <= a.W && len(rows)*(k.h+k.gapY)-k.gapY <= a.H {
			return keypad(rows, k.w, k.h, k.gapX, k.gapY), true
		}
	}
	return Block{}, false
}

func keypad(rows [][]PadKey, w, h, gapX, gapY int) Block {
	var out Block
	for i, keys := range rows {
		if i > 0 {
			for range gapY {
				out.Lines = append(out.Lines, nil)
			}
		}
		var row []Block
		for _, k := range keys {
			row = append(row, k.draw(w, h))
		}
		out = Stacked(out, Beside(gapX, row...))
	}
	return out
}

func (k PadKey) draw(w, h int) Block {
	role := Tile
	if k.Lead {
		role = Selection
	}
	b := Block{Lines: make([]Line, h)}
	for y := range b.Lines {
		b.Lines[y] = Line{role.blank(w)}
	}
	b.Lines[h/2] = role.Line(k.Label).fit(w, Center, role)
	if k.Name != "" {
		b.Hits = []Hit{{k.Name, 0, 0, w, h}}
	}
	return b
}
