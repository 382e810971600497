package widget

import (
	"strings"
	"unicode/utf8"
)

// RuleLine is a horizontal rule of w cells.
func RuleLine(w int) Line {
	if w <= 0 {
		return nil
	}
	return Line{rule("─", w)}
}

const ruleRow = "────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────"

func rule(glyph string, w int) Span {
	w = max(w, 0)
	if n := w * len("─"); glyph == "─" && n <= len(ruleRow) {
		return Span{text: ruleRow[:n], width: w, role: Rule}
	}
	return Span{text: strings.Repeat(glyph, w), width: w, role: Rule}
}

// Wrap breaks text into lines of at most w cells, at spaces where it can, and
// never before punctuation that ends something: French sets a space before it,
// Japanese has no spaces at all. Newlines begin a line; tabs are spaces; other
// control characters show as �.
func Wrap(r Role, text string, w int) []Line {
	if text == "" {
		return nil
	}
	w = max(w, 1)
	var out []Line
	for _, paragraph := range strings.Split(text, "\n") {
		paragraph = strings.ReplaceAll(strings.TrimSuffix(paragraph, "\r"), "\t", " ")
		line, used, before := Line(nil), 0, len(out)
		for _, word := range words(paragraph) {
			s := r.Say(word)
			if used > 0 && used+1+s.width > w {
				out, line, used = append(out, line), nil, 0
			} else if used > 0 {
				line, used = append(line, r.blank(1)), used+1
			}
			for s.width > w {
				var head Span
				head, s = s.split(w)
				if i := len(head.text) - len(latin(head.text)); i > 0 && i < len(head.text) && latinStart(s.text) {
					head, s = r.Say(head.text[:i]), r.Say(head.text[i:]+s.text)
				}
				for begin, _ := utf8.DecodeRuneInString(s.text); strings.ContainsRune(closing, begin) && head.width > 2; begin, _ = utf8.DecodeRuneInString(s.text) {
					_, n := utf8.DecodeLastRuneInString(head.text)
					last := head.text[len(head.text)-n:]
					head, s = r.Say(head.text[:len(head.text)-n]), r.Say(last+s.text)
				}
				out = append(out, Line{head})
			}
			if s.width > 0 {
				line, used = append(line, s), used+s.width
			}
		}
		if used > 0 || len(out) == before {
			out = append(out, line)
		}
	}
	return out
}

// latin is the run of ASCII letters at the end of a text: a word among signs that
// stand without spaces.
func latin(text string) string {
	i := len(text)
	for i > 0 && text[i-1] > ' ' && text[i-1] < utf8.RuneSelf {
		i--
	}
	return text[i:]
}

func latinStart(text string) bool { return text != "" && text[0] > ' ' && text[0] < utf8.RuneSelf }

// closing is punctuation that begins no line (JIS X 4051's and the French one).
const closing = "、。，．・：；？！」』）】’”»,.:;?!)]ーっゃゅょッャュョ々…"

// words are the words of a paragraph, with a mark that French sets apart still
// at the end of its word.
func words(paragraph string) []string {
	var out []string
	for _, word := range strings.Split(paragraph, " ") {
		first, n := utf8.DecodeRuneInString(word)
		if len(out) > 0 && n > 0 && n == len(word) && strings.ContainsRune(":;?!»…", first) {
			out[len(out)-1] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}
