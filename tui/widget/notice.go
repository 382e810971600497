package widget

// Notice is a line about something that just happened, with a mark that reads
// without colour: ✓ for Good, ✗ for Bad, ! for Warn, · else.
func Notice(w int, r Role, text string) Line {
	return append(Line{NoticeMark(r), Text.blank(1)}, r.Say(text)).Fit(w)
}

// NoticeMark is the mark of a role.
func NoticeMark(r Role) Span {
	switch r {
	case Good:
		return r.Say("✓")
	case Bad:
		return r.Say("✗")
	case Warn:
		return r.Say("!")
	}
	return r.Say("·")
}

// Tab is one of several views of a screen.
type Tab struct {
	Label string
	Name  string // of the hit
}

// Tabs is a line of tabs with the chosen one in brackets; where they do not
// all fit the chosen one stays in sight.
func Tabs(w int, chosen int, tabs ...Tab) Block {
	var hits []Hit
	from, to := 0, 0
	line := Line{Text.blank(1)}
	for i, t := range tabs {
		if i > 0 {
			line = append(line, Text.blank(1))
		}
		x := line.Width()
		if i == chosen {
			line = append(line, Accent.Say("["), Strong.Say(t.Label), Accent.Say("]"))
			from, to = x, line.Width()
		} else {
			line = append(line, Text.blank(1), Quiet.Say(t.Label), Text.blank(1))
		}
		if t.Name != "" {
			hits = append(hits, Hit{t.Name, x, 0, line.Width() - x, 1})
		}
	}
	start := 0
	if to > w {
		start = min(from, to-w)
	}
	return Block{Lines: []Line{line.Cut(start, line.Width())}, Hits: moved(hits, -start, 0)}.Fit(Area{w, 1})
}
