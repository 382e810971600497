package story

import "image"

// strokes are the rectangles that make up a block, a line or a mark in a cell
// of 8×16 dots: the font has none of them, and blocks must meet without a gap.
func strokes(r rune) ([]image.Rectangle, bool) {
	switch {
	case r == '▀':
		return []image.Rectangle{image.Rect(0, 0, 8, 8)}, true
	case r >= '▁' && r <= '█': // eighths from below
		return []image.Rectangle{image.Rect(0, 16-2*int(r-'▀'), 8, 16)}, true
	case r >= '▉' && r <= '▏': // eighths from the left
		return []image.Rectangle{image.Rect(0, 0, 7-int(r-'▉'), 16)}, true
	case r == '▐':
		return []image.Rectangle{image.Rect(4, 0, 8, 16)}, true
	case r >= '░' && r <= '▓':
		return dither(int(r-'░') + 1), true
	}
	if arms, ok := boxes[r]; ok {
		return arms.strokes(), true
	}
	if rows, ok := marks8[r]; ok {
		return bitmap(rows), true
	}
	return nil, false
}

// dither sets one, two or three dots of four.
func dither(n int) []image.Rectangle {
	var all []image.Rectangle
	for y := range cellHeight {
		for x := range cellWidth {
			if order := [4]int{0, 2, 3, 1}[y%2*2+x%2]; order < n {
				all = append(all, dot(x, y))
			}
		}
	}
	return all
}

func dot(x, y int) image.Rectangle { return image.Rect(x, y, x+1, y+1) }

// arms are how thick the lines from a cell's middle are: up, right, down, left.
type arms [4]int

// boxes are the box drawing characters; double lines are drawn thick.
var boxes = map[rune]arms{
	'─': {0, 1, 0, 1}, '│': {1, 0, 1, 0}, '┌': {0, 1, 1, 0}, '┐': {0, 0, 1, 1}, '└': {1, 1, 0, 0}, '┘': {1, 0, 0, 1},
	'├': {1, 1, 1, 0}, '┤': {1, 0, 1, 1}, '┬': {0, 1, 1, 1}, '┴': {1, 1, 0, 1}, '┼': {1, 1, 1, 1},
	'╭': {0, 1, 1, 0}, '╮': {0, 0, 1, 1}, '╰': {1, 1, 0, 0}, '╯': {1, 0, 0, 1},
	'═': {0, 2, 0, 2}, '║': {2, 0, 2, 0}, '╔': {0, 2, 2, 0}, '╗': {0, 0, 2, 2}, '╚': {2, 2, 0, 0}, '╝': {2, 0, 0, 2},
	'╠': {2, 2, 2, 0}, '╣': {2, 0, 2, 2}, '╦': {0, 2, 2, 2}, '╩': {2, 2, 0, 2}, '╬': {2, 2, 2, 2},
	'━': {0, 2, 0, 2}, '┃': {2, 0, 2, 0}, '┏': {0, 2, 2, 0}, '┓': {0, 0, 2, 2}, '┗': {2, 2, 0, 0}, '┛': {2, 0, 0, 2},
}

func (a arms) strokes() []image.Rectangle {
	up, right, down, left := a[0], a[1], a[2], a[3]
	return []image.Rectangle{
		image.Rect(4-up/2, 0, 4+(up+1)/2, 8), image.Rect(3, 8-right/2, 8, 8+(right+1)/2),
		image.Rect(4-down/2, 8, 4+(down+1)/2, 16), image.Rect(0, 8-left/2, 5, 8+(left+1)/2),
	}
}

// marks8 are marks of the screens that the font lacks, eight rows of eight dots.
var marks8 = map[rune][8]byte{
	'✓': {0x00, 0x01, 0x03, 0x06, 0x8C, 0xD8, 0x70, 0x20},
	'●': {0x00, 0x3C, 0x7E, 0x7E, 0x7E, 0x7E, 0x3C, 0x00},
	'○': {0x00, 0x3C, 0x42, 0x42, 0x42, 0x42, 0x3C, 0x00},
	'■': {0x00, 0x7E, 0x7E, 0x7E, 0x7E, 0x7E, 0x7E, 0x00},
	'₿': {0x28, 0x7C, 0x62, 0x7C, 0x62, 0x62, 0x7C, 0x28},
	'→': {0x00, 0x08, 0x0C, 0xFE, 0xFE, 0x0C, 0x08, 0x00},
	'←': {0x00, 0x10, 0x30, 0x7F, 0x7F, 0x30, 0x10, 0x00},
	'▲': {0x00, 0x10, 0x10, 0x38, 0x38, 0x7C, 0x7C, 0x00},
	'▼': {0x00, 0x7C, 0x7C, 0x38, 0x38, 0x10, 0x10, 0x00},
	'▶': {0x20, 0x30, 0x38, 0x3C, 0x38, 0x30, 0x20, 0x00},
	'⌫': {0x00, 0x1F, 0x3B, 0x75, 0x7B, 0x35, 0x1F, 0x00},
}

func bitmap(rows [8]byte) []image.Rectangle {
	var all []image.Rectangle
	for y, row := range rows {
		for x := range 8 {
			if row&(0x80>>x) != 0 {
				all = append(all, dot(x, y+4))
			}
		}
	}
	return all
}
