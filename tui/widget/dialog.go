package widget

// Dialog is a question or a message over a screen.
type Dialog struct {
	Title string
	Role  Role   // of the title: Strong, Bad for a failure, …
	Text  string // wrapped to the width; newlines begin paragraphs
	Body  Block  // below the text: a field, a list
	Keys  []Key  // the answers
	Width int    // of the inside, at most; 0 is 52
}

// Render draws the dialog as large as it needs, at most a. Below 24 columns or
// 6 rows it is drawn without its border. The keys stay; text that does not fit
// above them ends in a line with ….
func (d Dialog) Render(a Area) Block {
	a = a.clamp()
	border := a.W >= 24 && a.H >= 6
	inner := d.Width
	if inner <= 0 {
		inner = 52
	}
	room := a.W
	if border {
		room -= 6
	}
	inner = max(1, min(inner, room))
	var lines []Line
	if d.Title != "" {
		lines = append(Wrap(d.Role, d.Title, inner), nil)
	}
	lines = append(lines, Wrap(Text, d.Text, inner)...)
	content := Block{Lines: lines}
	if len(d.Body.Lines) > 0 {
		content = Stacked(content, Lines(nil), d.Body.Fit(Area{inner, len(d.Body.Lines)}))
	}
	keys := answers(d.Keys, inner)
	height := a.H
	if border {
		height -= 2
	}
	room = height - len(keys.Lines) - 1
	if len(keys.Lines) == 0 {
		room = height
	}
	if len(content.Lines) > room {
		content = content.Fit(Area{inner, max(room, 0)})
		if room > 0 {
			content.Lines[room-1] = Quiet.Line("…").Fit(inner)
		}
	}
	if len(keys.Lines) > 0 {
		content = Stacked(content, Lines(nil), keys)
	}
	content = content.Fit(Area{inner, min(len(content.Lines), height)})
	if !border {
		return content
	}
	return boxed(content)
}

// Over draws the dialog centred over a dimmed background, which keeps its
// exact size. A blank column stands at either side of the dialog.
func (d Dialog) Over(background Block) Block {
	size := background.Size()
	box := d.Render(Area{max(size.W-2, min(size.W, 1)), size.H})
	b := box.Size()
	box = box.Shift(1, 0).Fit(Area{b.W + 2, b.H})
	b.W += 2
	return Overlay(background.Dim(), box, (size.W-b.W)/2, (size.H-b.H)/2)
}

// answers sets keys on as many lines as they need.
func answers(keys []Key, w int) Block {
	const gap = 3
	var lines []Line
	var hits []Hit
	x := 0
	for _, k := range keys {
		l := k.line().Trunc(w)
		if len(lines) == 0 || x+gap+l.Width() > w {
			lines = append(lines, nil)
			x = 0
		} else {
			lines[len(lines)-1] = append(lines[len(lines)-1], Text.blank(gap))
			x += gap
		}
		last := len(lines) - 1
		if k.Name != "" {
			hits = append(hits, Hit{k.Name, x, last, l.Width(), 1})
		}
		lines[last] = append(lines[last], l...)
		x += l.Width()
	}
	return Block{Lines: lines, Hits: hits}
}

// boxed draws a border with a margin of two columns.
func boxed(b Block) Block {
	size := b.Size()
	bar := rule("─", size.W+4).As(Quiet)
	out := Block{Lines: make([]Line, 0, size.H+2), Hits: moved(b.Hits, 3, 1)}
	out.Lines = append(out.Lines, Line{Quiet.Say("╭"), bar, Quiet.Say("╮")})
	for _, l := range b.Lines {
		line := Line{Quiet.Say("│"), Text.blank(2)}
		line = append(line, l.Fit(size.W)...)
		out.Lines = append(out.Lines, append(line, Text.blank(2), Quiet.Say("│")))
	}
	out.Lines = append(out.Lines, Line{Quiet.Say("╰"), bar, Quiet.Say("╯")})
	return out
}
