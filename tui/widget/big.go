package widget

import "strings"

// Big draws text large: PAID, an amount. It takes the largest of these that
// fits into a, on one line or broken at blanks:
//
//   - pixels of 2k×k cells, five pixels high: 5k rows,
//   - pixels of one column and one row: five rows,
//   - with ▀ ▄ in the font, pixels of half a cell: three rows,
//   - the plain words.
//
// A pixel is █ where the font has it, else a blank on a ground of the role's
// ink, or # in ASCII. The block is as large as the picture, not as a. Words with
// letters the font lacks (Japanese) stand on a band of the role's ink.
func Big(th *Theme, a Area, r Role, text string) Block {
	a = a.clamp()
	if th.aloud {
		return Block{}
	}
	best, size := Block{}, 0
	for _, lines := range breaks(text) {
		b, n := bigLines(th, a, r, lines)
		if n > size {
			best, size = b, n
		}
	}
	if size > 0 {
		return best
	}
	if _, drawn := pixels(text); !drawn {
		if b, ok := band(a, r, text); ok {
			return b
		}
	}
	b := Block{Lines: Wrap(r, text, max(a.W, 1))}
	b.Lines = b.Lines[:min(len(b.Lines), a.H)]
	return b
}

// band is three rows in the role's ink with the text in the middle.
func band(a Area, r Role, text string) (Block, bool) {
	const margin = 6
	word := r.Fill().Line(text)
	w := word.Width() + 2*margin
	if word.Width() == 0 || w > a.W || a.H < 3 {
		return Block{}, false
	}
	blank := Line{r.Fill().blank(w)}
	return Lines(blank, word.fit(w, Center, r.Fill()), blank), true
}

// breaks are the ways to set text: on one line, and a word a line.
func breaks(text string) [][]string {
	words := strings.Fields(text)
	if len(words) < 2 {
		return [][]string{{text}}
	}
	return [][]string{{text}, words}
}

// bigLines draws lines under each other at the largest size that fits; size
// orders results, 0 is none.
func bigLines(th *Theme, a Area, r Role, lines []string) (b Block, size int) {
	drawn := make([][fontHeight]string, len(lines))
	widest := 1
	for i, l := range lines {
		rows, ok := pixels(l)
		if !ok {
			return Block{}, 0
		}
		drawn[i] = rows
		widest = max(widest, len(rows[0]))
	}
	n := len(lines)
	for k := min(a.W/(2*widest), a.H/fontHeight); k >= 1; k-- {
		if n*fontHeight*k+(n-1)*k <= a.H {
			return bigBlock(drawn, k, func(row string) Line { return inked(th, r, row, 2*k) }, k), 1 + 2*k
		}
	}
	if widest <= a.W && n*fontHeight+n-1 <= a.H {
		return bigBlock(drawn, 1, func(row string) Line { return inked(th, r, row, 1) }, 1), 2
	}
	if th.blocks && widest <= a.W && n*3+n-1 <= a.H {
		var out []Line
		for i, rows := range drawn {
			if i > 0 {
				out = append(out, nil)
			}
			for y := 0; y < fontHeight; y += 2 {
				below := ""
				if y+1 < fontHeight {
					below = rows[y+1]
				}
				out = append(out, halves(r, rows[y], below))
			}
		}
		return Block{Lines: out}, 1
	}
	return Block{}, 0
}

// bigBlock repeats each row of pixels k times, with gap rows between lines.
func bigBlock(drawn [][fontHeight]string, k int, draw func(string) Line, gap int) Block {
	var out []Line
	for i, rows := range drawn {
		for range gap {
			if i > 0 {
				out = append(out, nil)
			}
		}
		for _, row := range rows {
			line := draw(row)
			for range k {
				out = append(out, line)
			}
		}
	}
	return Block{Lines: out}
}

// inked draws a row of pixels, each cols cells wide.
func inked(th *Theme, r Role, row string, cols int) Line {
	var line Line
	for row != "" {
		ink := row[0] == '#'
		n := 1
		for n < len(row) && (row[n] == '#') == ink {
			n++
		}
		row = row[n:]
		switch {
		case !ink:
			line = append(line, Text.blank(n*cols))
		case th.blocks || th.glyphs == ASCII:
			line = append(line, Span{text: strings.Repeat("█", n*cols), width: n * cols, role: r})
		default:
			line = append(line, r.Fill().blank(n*cols))
		}
	}
	return line
}

// halves draws two rows of pixels in one.
func halves(r Role, up, down string) Line {
	var b strings.Builder
	for x := range len(up) {
		u, d := up[x] == '#', x < len(down) && down[x] == '#'
		b.WriteString(halfBlock(u, d))
	}
	return Line{{text: b.String(), width: len(up), role: r}}
}
