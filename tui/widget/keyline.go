package widget

// Key is one thing that can be done now: what to press, what it does.
type Key struct {
	Key   string // "enter", "ctrl+p"
	Label string
	Off   bool   // disabled: shown in parentheses with …, tells why when pressed
	Name  string // of the hit; empty cannot be clicked
}

func (k Key) line() Line {
	if k.Off {
		return Line{Quiet.Say("("), Quiet.Say(k.Key), Quiet.Say(" "), Quiet.Say(k.Label), Quiet.Say("…)")}
	}
	return Line{Accent.Say(k.Key), Text.blank(1), Text.Say(k.Label)}
}

// KeyLine is the bottom line: pairs two spaces apart, most important first, cut
// at whole pairs. Where pairs are left out, more (usually `? more`) stands last;
// it alone is cut with … when even it does not fit.
func KeyLine(w int, keys []Key, more Key) Block {
	const gap = 2
	w = max(w, 0)
	margin := 0
	if w >= 20 {
		margin = 1
	}
	room := w - margin
	lines := make([]Line, len(keys))
	total := 0
	for i, k := range keys {
		lines[i] = k.line()
		total += lines[i].Width()
	}
	total += gap * max(len(keys)-1, 0)
	shown := len(keys)
	if total > room {
		for shown > 0 && total+gap+more.line().Width() > room {
			shown--
			total -= lines[shown].Width()
			if shown > 0 {
				total -= gap
			}
		}
		keys, lines = append(keys[:shown:shown], more), append(lines[:shown:shown], more.line())
	}
	line := Line{Text.blank(margin)}
	var hits []Hit
	x := margin
	for i, l := range lines {
		if i > 0 {
			line = append(line, Text.blank(gap))
			x += gap
		}
		if keys[i].Name != "" {
			hits = append(hits, Hit{keys[i].Name, x, 0, l.Width(), 1})
		}
		line = append(line, l...)
		x += l.Width()
	}
	return Block{Lines: []Line{line}, Hits: hits}.Fit(Area{w, 1})
}
