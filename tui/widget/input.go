package widget

import "strings"

// Input is the picture of a text field. What is secret is never handed to it:
// only how many characters there are.
type Input struct {
	Label  string
	Text   string
	Masked int  // dots shown instead of Text when it is secret
	Secret bool // show Masked dots
	Cursor int  // characters before the cursor; ignored for secrets
	Focus  bool
	Hint   string // quiet, while the field is empty
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
	field, x := in.field(room)
	line = append(line, field...)
	b = Lines(line.Fit(w))
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
	before, after := in.Text, ""
	switch {
	case in.Secret:
		before = strings.Repeat("•", min(max(in.Masked, 0), w))
	default:
		runes := []rune(in.Text)
		at := min(max(in.Cursor, 0), len(runes))
		before, after = string(runes[:at]), string(runes[at:])
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
	under := Inverse.blank(1)
	if tail.width > 0 {
		var first Span
		first, tail = tail.split(min(2, max(w-head.width, 1)))
		if first.width == 2 && first.ascii {
			tail = Field.Say(first.text[1:] + tail.text)
			first = first.cut(0, 1)
		}
		under = first.As(Inverse)
	}
	line := Line{head, under, tail}
	return line.Cut(0, w).fit(w, Left, Field), head.width
}
