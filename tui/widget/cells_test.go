package widget

import (
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// cell is what a terminal would show in one place.
type cell struct {
	text    string
	wide    bool   // the left half of a wide character
	fg, bg  uint32 // 0xRRGGBB
	bold    bool
	reverse bool
}

// terminal colours of the reader: the Linux console's 16, on black.
var vga = []uint32{
	0x000000, 0xAA0000, 0x00AA00, 0xAA5500, 0x0000AA, 0xAA00AA, 0x00AAAA, 0xAAAAAA,
	0x555555, 0xFF5555, 0x55FF55, 0xFFFF55, 0x5555FF, 0xFF55FF, 0x55FFFF, 0xFFFFFF,
}

// xterm returns colour n of xterm's 256.
func xterm(n int) uint32 {
	switch {
	case n < 16:
		return vga[n]
	case n >= 232:
		v := uint32(8 + 10*(n-232))
		return v<<16 | v<<8 | v
	}
	level := func(i int) uint32 {
		if i == 0 {
			return 0
		}
		return uint32(55 + 40*i)
	}
	n -= 16
	return level(n/36)<<16 | level(n/6%6)<<8 | level(n%6)
}

// readCells reads a rendered block as a terminal does. It fails the test on any
// sequence but SGR and on any control character but newline. fg and bg are the
// terminal's own colours.
func readCells(t testing.TB, s string, fg, bg uint32) [][]cell {
	t.Helper()
	var out [][]cell
	for _, line := range strings.Split(s, "\n") {
		var row []cell
		pen := cell{fg: fg, bg: bg}
		for line != "" {
			if strings.HasPrefix(line, "\x1b[") {
				end := strings.IndexByte(line, 'm')
				if end < 0 {
					t.Fatalf("a sequence that is not SGR: %q", line)
				}
				pen = readSGR(t, pen, line[2:end], fg, bg)
				line = line[end+1:]
				continue
			}
			cluster, w := ansi.FirstGraphemeCluster(line, ansi.GraphemeWidth)
			if cluster[0] < 0x20 || cluster[0] == 0x7f || (cluster[0] == 0xc2 && cluster[1] < 0xa0) {
				t.Fatalf("control character %q reached the terminal", cluster)
			}
			if wc := ansi.WcWidth.StringWidth(cluster); wc != w || w < 1 || w > 2 {
				t.Fatalf("cluster %q is %d cells by grapheme, %d by wcwidth", cluster, w, wc)
			}
			line = line[len(cluster):]
			c := pen
			c.text, c.wide = cluster, w == 2
			row = append(row, c)
			if w == 2 {
				c.text, c.wide = "", false
				row = append(row, c)
			}
		}
		out = append(out, row)
	}
	return out
}

func readSGR(t testing.TB, pen cell, params string, fg, bg uint32) cell {
	t.Helper()
	p := strings.Split(params, ";")
	for i := 0; i < len(p); i++ {
		n, err := strconv.Atoi("0" + p[i])
		if err != nil {
			t.Fatalf("SGR %q", params)
		}
		target, base := &pen.fg, n
		if (n >= 40 && n < 50) || n >= 100 {
			target, base = &pen.bg, n-10
		}
		switch {
		case n == 0:
			pen = cell{fg: fg, bg: bg}
		case n == 1:
			pen.bold = true
		case n == 4:
		case n == 7:
			pen.reverse = true
		case base >= 30 && base <= 37:
			*target = vga[base-30]
		case base >= 90 && base <= 97:
			*target = vga[base-90+8]
		case base == 38 && p[i+1] == "5":
			c, _ := strconv.Atoi(p[i+2])
			*target = xterm(c)
			i += 2
		case base == 38 && p[i+1] == "2":
			var rgb uint32
			for _, v := range p[i+2 : i+5] {
				c, _ := strconv.Atoi(v)
				rgb = rgb<<8 | uint32(c)
			}
			*target = rgb
			i += 4
		default:
			t.Fatalf("SGR %q is not in the vocabulary", params)
		}
	}
	return pen
}

// ink and ground are the colours as seen.
func (c cell) ink() uint32 {
	if c.reverse {
		return c.bg
	}
	return c.fg
}

func (c cell) ground() uint32 {
	if c.reverse {
		return c.fg
	}
	return c.bg
}
