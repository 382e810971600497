package widget

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// placeholder stands for a character that must not reach a terminal.
const placeholder = "\uFFFD"

// maxMarks bounds the combining marks kept on one base character.
const maxMarks = 3

// clean makes s safe to show and measures it. The result holds no control,
// format or zero-width character on its own, and each of its clusters has the
// same width by wcwidth and by grapheme clustering. ascii reports that every
// byte is one cell.
func clean(s string) (text string, width int, ascii bool) {
	i := 0
	for i < len(s) && s[i] >= 0x20 && s[i] < 0x7f {
		i++
	}
	if i == len(s) {
		return s, i, true
	}
	for _, show := range []func(string) (string, int){cleanCluster, cleanRunes, cleanASCII} {
		text, width = cleanAll(s, show)
		if ansi.StringWidth(text) == width && ansi.StringWidthWc(text) == width {
			break
		}
		// Clusters that are sound alone joined into one that is not.
	}
	return text, width, false
}

// cleanAll shows each cluster of s and adds up the widths.
func cleanAll(s string, show func(cluster string) (string, int)) (string, int) {
	var b strings.Builder
	b.Grow(len(s) + 8)
	width := 0
	for s != "" {
		if c := s[0]; c < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
			if c < 0x20 || c == 0x7f {
				b.WriteString(placeholder)
			} else {
				b.WriteByte(c)
			}
			width++
			s = s[1:]
			continue
		}
		cluster, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(cluster):]
		t, w := show(cluster)
		b.WriteString(t)
		width += w
	}
	return b.String(), width
}

// cleanCluster returns what is shown for one grapheme cluster, and its width.
func cleanCluster(cluster string) (string, int) {
	base, n := utf8.DecodeRuneInString(cluster)
	switch {
	case base == utf8.RuneError && n <= 1:
		return placeholder, 1
	case unicode.Is(unicode.Zs, base):
		w := max(1, runeWidth(base))
		return blanks(w), w
	case base >= 0x1F1E6 && base <= 0x1F1FF:
		return flagLetters(cluster)
	case hidden(base):
		return afterHidden(cluster)
	case runeWidth(base) == 0 || joins(base):
		return placeholder, 1
	}
	kept := withMarks(cluster, n)
	w := ansi.WcWidth.StringWidth(kept)
	if w > 0 && w == ansi.GraphemeWidth.StringWidth(kept) {
		return kept, w
	}
	if full := voiced(cluster); full != "" {
		return full, 2
	}
	alone := string(base)
	w = ansi.WcWidth.StringWidth(alone)
	if w > 0 && w == ansi.GraphemeWidth.StringWidth(alone) {
		return alone, w
	}
	return placeholder, 1
}

// afterHidden shows a placeholder for each hidden character that leads the
// cluster (an Arabic number sign takes the digit after it along), then the rest.
func afterHidden(cluster string) (string, int) {
	rest := strings.TrimLeftFunc(cluster, hidden)
	n := utf8.RuneCountInString(cluster[:len(cluster)-len(rest)])
	if rest == "" {
		return strings.Repeat(placeholder, n), n
	}
	text, w := cleanCluster(rest)
	return strings.Repeat(placeholder, n) + text, n + w
}

// cleanRunes shows a cluster without what could join its neighbours: marks and
// leading Hangul consonants.
func cleanRunes(cluster string) (string, int) {
	text, _ := cleanCluster(cluster)
	base, _ := utf8.DecodeRuneInString(text)
	if unicode.Is(unicode.M, base) || (base >= 0x1100 && base <= 0x115F) || (base >= 0xA960 && base <= 0xA97F) {
		return placeholder, 1
	}
	return string(base), runeWidth(base)
}

// cleanASCII shows � for all else.
func cleanASCII(cluster string) (string, int) {
	if cluster[0] >= 0x20 && cluster[0] < 0x7f {
		return cluster[:1], 1
	}
	return placeholder, 1
}

// withMarks returns the cluster's base (its first n bytes) and the printable
// characters that follow it, with at most maxMarks of zero width.
func withMarks(cluster string, n int) string {
	if n == len(cluster) {
		return cluster
	}
	marks := 0
	var b strings.Builder
	b.WriteString(cluster[:n])
	for _, r := range cluster[n:] {
		if hidden(r) || unicode.Is(unicode.Variation_Selector, r) {
			continue
		}
		if runeWidth(r) == 0 {
			if marks++; marks > maxMarks {
				continue
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// flagLetters spells regional indicators as letters: terminals disagree by two cells
// about a flag.
func flagLetters(cluster string) (string, int) {
	var b strings.Builder
	w := 0
	for _, r := range cluster {
		if r >= 0x1F1E6 && r <= 0x1F1FF {
			b.WriteRune('A' + r - 0x1F1E6)
			w++
		}
	}
	return b.String(), w
}

// hidden tells the characters that act instead of showing: C0, C1, DEL,
// format characters (bidirectional overrides, joiners, tags), line and
// paragraph separators, surrogates and noncharacters.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs) ||
		r&0xFFFE == 0xFFFE || (r >= 0xFDD0 && r <= 0xFDEF)
}

// Half-width katakana that a voicing mark may follow, and their full-width
// forms, which their voiced forms follow in Unicode.
const (
	halfKana = "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ"
	fullKana = "カキクケコサシスセソタチツテトハヒフヘホ"
)

// voiced spells half-width katakana with its voicing mark as the one full-width
// character, which takes the same two cells; "" for other clusters.
func voiced(cluster string) string {
	i := strings.Index(halfKana, cluster[:min(3, len(cluster))])
	if i < 0 || len(cluster) != 6 {
		return ""
	}
	full, _ := utf8.DecodeRuneInString(fullKana[i:])
	switch {
	case cluster[3:] == "ﾞ":
		return string(full + 1)
	case cluster[3:] == "ﾟ" && full >= 'ハ':
		return string(full + 2)
	}
	return ""
}

// joins tells the characters that belong to whatever stands before them: a skin
// tone, a half-width voicing mark.
func joins(r rune) bool {
	if r < 0x300 {
		return false
	}
	cluster, _ := ansi.FirstGraphemeCluster("a"+string(r), ansi.GraphemeWidth)
	return len(cluster) > 1
}

func runeWidth(r rune) int { return ansi.WcWidth.StringWidth(string(r)) }
