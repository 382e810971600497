package widget

// Modules is a QR code as its square of modules, without the quiet zone.
type Modules interface {
	Size() int          // modules a side
	Dark(x, y int) bool // 0 ≤ x, y < Size
}

// Method is how the modules of a QR code are drawn.
type Method uint8

// Ways to draw a module. Ink is light and ground is dark in all of them.
const (
	PrintIt      Method = iota // does not fit: print it
	HalfBlocks                 // ▀ ▄ █: two modules above each other in a cell
	WholeModules               // █: modules of whole cells, two columns a row
	Spaces                     // blanks on a coloured ground: need no font
)

// Code is a QR code drawn for an area.
type Code struct {
	Block
	Method Method
	Scale  int // cells across one module: 1 for half blocks, 2 and up else
	Quiet  int // quiet modules on each side: 4, or 2 where it is tight
	Which  int // index of the code drawn
}

// DrawQR draws the first of codes that fits into a with 4 quiet modules, else
// the first that fits with 2, as large as it fits. The codes say the same in
// order of preference, each smaller than the one before (devices §8: the whole
// URI, then with the amount as a numeric segment). ok is false when none fits;
// the caller then tries the address alone, then says "print it".
//
// With ▀ ▄ █ in the font a cell holds two modules, and larger codes are the
// same picture magnified. Without them a module is two blanks on a ground.
func DrawQR(th *Theme, a Area, codes ...Modules) (code Code, ok bool) {
	if th.aloud {
		return Code{}, true // its words are said
	}
	for _, quiet := range []int{4, 2} {
		for i, m := range codes {
			side := m.Size() + 2*quiet
			scale := qrScale(th, a, side)
			if scale == 0 {
				continue
			}
			code = Code{Scale: scale, Quiet: quiet, Which: i}
			switch {
			case !th.blocks:
				code.Method = Spaces
			case scale%2 == 0:
				code.Method = WholeModules
			default:
				code.Method = HalfBlocks
			}
			code.Block = drawModules(th, m, quiet, scale)
			return code, true
		}
	}
	return Code{}, false
}

// qrScale is the columns a module takes so that side modules fit into a, or 0.
// A cell is about twice as high as wide: scale columns are scale/2 rows.
func qrScale(th *Theme, a Area, side int) int {
	scale := min(a.W/side, 2*a.H/side)
	for scale > 0 && (side*scale+1)/2 > a.H {
		scale--
	}
	if !th.blocks {
		scale -= scale % 2
	}
	return max(scale, 0)
}

// drawModules draws with scale columns and scale/2 rows a module.
func drawModules(th *Theme, m Modules, quiet, scale int) Block {
	n := m.Size()
	side := n + 2*quiet
	light := func(x, y int) bool {
		x, y = x/scale-quiet, y/scale-quiet
		return x < 0 || y < 0 || x >= n || y >= n || !m.Dark(x, y)
	}
	rows := (side*scale + 1) / 2
	out := make([]Line, rows)
	for row := range out {
		var cells []byte
		var line Line
		for x := range side * scale {
			up, down := light(x, 2*row), light(x, 2*row+1)
			if th.blocks {
				cells = append(cells, halfBlock(up, down)...)
				continue
			}
			role := QR
			if up {
				role = QR.Fill()
			}
			if k := len(line); k > 0 && line[k-1].role == role {
				line[k-1] = role.blank(line[k-1].width + 1)
			} else {
				line = append(line, role.blank(1))
			}
		}
		if th.blocks {
			line = Line{{text: string(cells), width: side * scale, role: QR}}
		}
		out[row] = line
	}
	return Block{Lines: out}
}

func halfBlock(up, down bool) string {
	switch {
	case up && down:
		return "█"
	case up:
		return "▀"
	case down:
		return "▄"
	}
	return " "
}
