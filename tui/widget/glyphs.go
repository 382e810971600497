package widget

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// substitutes are shown where a font lacks a mark of our own vocabulary; all
// are one cell wide. console is empty where every Debian console font has the
// mark (read from the Unicode tables of console-setup's Lat15, Lat2, Lat7,
// Uni1, Uni2 and Uni3 fonts).
var substitutes = map[rune]struct{ console, ascii string }{
	'…': {"", "~"}, '●': {"", "*"}, '•': {"", "*"}, '·': {"", "-"},
	'○': {"o", "o"}, '✓': {"+", "+"}, '✗': {"", "x"}, '▸': {"", ">"},
	'×': {"", "x"}, '⌫': {"←", "<"}, '←': {"", "<"}, '→': {"", ">"},
	'↑': {"", "^"}, '↓': {"", "v"}, '€': {"", "E"}, '₿': {"B", "B"},
	'─': {"", "-"}, '━': {"", "="}, '│': {"", "|"}, '┃': {"", "#"},
	'╭': {"┌", "+"}, '╮': {"┐", "+"}, '╰': {"└", "+"}, '╯': {"┘", "+"},
	'├': {"", "+"}, '┤': {"", "+"},
	'█': {"", "#"}, '\uFFFD': {"?", "?"},
}

// shipped are the marks that the console font with half blocks adds (devices §8).
const shipped = "▀▄▌▐░▒₿✓"

// write writes text in the glyphs a font has. Letters of the data that a
// console font may lack are left to it; ASCII shows ? for each of their cells.
func (g Glyphs) write(out *strings.Builder, text string, blocks bool) {
	for rest := text; rest != ""; {
		if rest[0] < utf8.RuneSelf {
			out.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		cluster, w := ansi.FirstGraphemeCluster(rest, ansi.WcWidth)
		rest = rest[len(cluster):]
		r, _ := utf8.DecodeRuneInString(cluster)
		sub, known := substitutes[r]
		switch {
		case g == Console && blocks && strings.ContainsRune(shipped, r):
			out.WriteString(cluster)
		case g == Console && known && sub.console != "":
			out.WriteString(sub.console)
		case g == Console:
			out.WriteString(cluster)
		case known:
			out.WriteString(sub.ascii)
		default:
			for range w {
				out.WriteByte('?')
			}
		}
	}
}
