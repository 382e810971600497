package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Input is the picture of a text field. What is secret is never handed to it:
// only how many characters there are.
type Input struct {
	Label  string
	Text   string
	Masked int  // dots shown instead of Text when it is secret
	Secret bool // show Masked dots
	Cursor int  // characters before the cursor; ignored for secrets
	Focus  bool
	Hint   string // while the field is empty, quiet; above the field where it is longer than that
	Fault  string // why it cannot be taken, under the field
	Width  int    // cells of the field itself; 0 takes what is left
}

// Render draws the field in w cells: the label, the field, the fault on a line
// of its own. cursor is the column of the text cursor, for the terminal's own
// cursor, or -1 without focus.
func (in Input) Render(w int) (b Block, cursor int) {
	var line Line
	if in.Label != "" {
		role := Quiet
		if in.Focus {
			role = Accent
		}
		line = append(line, role.Say(in.Label), Text.blank(2))
	}
	from := line.Width()
	room := max(1, w-from)
	if in.Width > 0 {
		room = min(room, in.Width)
	}
	if long := Wrap(Quiet, in.Hint, w); Text.Say(in.Hint).width >= room && in.Text == "" && in.Masked == 0 {
		in.Hint, b.Lines = "", long
	}
	field, x := in.field(room)
	line = append(line, field...)
	b.Lines = append(b.Lines, line.Fit(w))
	if in.Fault != "" {
		fault := Line{Text.blank(from), Bad.Say("! "), Bad.Say(in.Fault)}
		b.Lines = append(b.Lines, fault.Fit(w))
	}
	if !in.Focus || from+x >= w {
		return b, -1
	}
	return b, from + x
}

// field is exactly w cells that show the text around the cursor.
func (in Input) field(w int) (Line, int) {
	before, after := splitAt(in.Text, in.Cursor)
	if in.Secret {
		before, after = strings.Repeat("•", min(max(in.Masked, 0), w)), ""
	}
	if in.Hint != "" && before+after == "" {
		line := Line{Field.Say(in.Hint).As(Field)}.Trunc(max(w-1, 0))
		if in.Focus {
			return append(Line{Inverse.blank(1)}, line...).fit(w, Left, Field), 0
		}
		return line.fit(w, Left, Field), 0
	}
	head, tail := Field.Say(before), Field.Say(after)
	if !in.Focus {
		return Line{head, tail}.fit(w, Left, Field), 0
	}
	if head.width > w-1 {
		head = head.cut(head.width-(w-1), head.width)
	}
	under, rest := underCursor(tail, Field)
	line := Line{head, under, rest}
	return line.Cut(0, w).fit(w, Left, Field), head.width
}

// FilterLine is the line over a list that is being narrowed by typing: what was
// typed, and at the right how much is left of the list. cursor is as for
// [Input.Render].
func FilterLine(w int, typed string, at int, focus bool, found string) (b Block, cursor int) {
	margin := 0
	if w >= 20 {
		margin = 1
	}
	count := Quiet.Say(found)
	room := w - 2*margin
	if count.width > 0 && count.width+12 <= room {
		room -= count.width + 2
	} else {
		count = Span{}
	}
	before, after := splitAt(typed, at)
	line := Line{Text.blank(margin), Accent.Say("/ "), Text.Say(before)}
	cursor = -1
	if focus {
		cursor = line.Width()
		under, rest := underCursor(Text.Say(after), Text)
		line = append(line, under, rest)
	} else {
		line = append(line, Text.Say(after))
	}
	line = line.Fit(margin + room)
	if count.width > 0 {
		line = append(line, Text.blank(2), count)
	}
	if cursor >= margin+room {
		cursor = -1
	}
	return Lines(line.Fit(w)), cursor
}

// splitAt divides text after its first n characters.
func splitAt(text string, n int) (before, after string) {
	runes := []rune(text)
	n = min(max(n, 0), len(runes))
	return string(runes[:n]), string(runes[n:])
}

// underCursor divides what follows the cursor into the character under it,
// reversed, and the rest.
func underCursor(tail Span, r Role) (under, rest Span) {
	if tail.width == 0 {
		return Inverse.blank(1), tail
	}
	_, w := ansi.FirstGraphemeCluster(tail.text, ansi.WcWidth)
	under, rest = tail.split(w)
	return under.As(Inverse), rest.As(r)
}
