package widget

import "strings"

// Decimals pads values with blanks so that their last decimal points stand
// under each other and all are equally wide.
func Decimals(point string, values ...string) []string {
	whole, rest := 0, 0
	spans := make([]Span, len(values))
	for i, v := range values {
		spans[i] = Text.Say(v)
		w := wholeWidth(spans[i], point)
		whole, rest = max(whole, w), max(rest, spans[i].width-w)
	}
	out := make([]string, len(values))
	for i, s := range spans {
		w := wholeWidth(s, point)
		out[i] = blanks(whole-w) + s.text + blanks(rest-(s.width-w))
	}
	return out
}

// Sum is a line of the totals: a label at the left, an amount that ends (its
// decimal point aligned by [Decimals]) at column at, and a quiet note at the
// right.
type Sum struct {
	Label, Amount, Note string
	Role                Role // of label and amount
}

// Sums sets sums under each other in w cells with their amounts ending at
// column at. Where it is narrow the notes are left out.
func Sums(w, at int, sums ...Sum) Block {
	at = min(max(at, 0), w)
	lines := make([]Line, len(sums))
	for i, s := range sums {
		label := Line{Text.blank(2), s.Role.Say(s.Label)}
		amount := s.Role.Say(s.Amount)
		room := max(at-amount.width-1, 0)
		line := label.Fit(room)
		line = append(line, Text.blank(min(1, at-room)))
		line = append(line, amount)
		note := Quiet.Say(s.Note)
		if left := w - line.Width() - 1; note.width > 0 && note.width+2 <= left {
			line = append(line, Line{note}.Align(left, Right)...)
		}
		lines[i] = line.Fit(w)
	}
	return Block{Lines: lines}
}

// Groups breaks a long word (an address) into groups of n, a blank between.
func Groups(s string, n int) string {
	if n <= 0 {
		return s
	}
	var b strings.Builder
	for i, r := range []rune(s) {
		if i > 0 && i%n == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
