package widget

// Button is a large target: for a finger, and for the key that does the same.
type Button struct {
	Key   string // what to press, "" none
	Label string
	Note  string // below the label: a price, a reason
	Name  string // of the hit
	Lead  bool   // leads on, or is chosen: stands out
	Off   bool   // can do nothing now; its note says why
}

// ButtonSize is how large buttons are, and how far apart.
type ButtonSize struct{ W, H, GapX, GapY int }

// Buttons sets buttons into rows of as many as fit into a's width, from the left,
// in exactly a. shown is how many have room; the rest are not drawn.
func Buttons(th *Theme, a Area, size ButtonSize, buttons ...Button) (b Block, shown int) {
	a = a.clamp()
	size.W = min(size.W, a.W)
	if size.W < 1 || size.H < 1 || a.H < size.H {
		return Block{}.Fit(a), 0
	}
	columns := max(1, (a.W+size.GapX)/(size.W+size.GapX))
	rows := (a.H + size.GapY) / (size.H + size.GapY)
	shown = min(len(buttons), columns*rows)
	b = Block{}.Fit(a)
	left := (a.W - columns*size.W - (columns-1)*size.GapX) / 2
	for i, button := range buttons[:shown] {
		x, y := left+i%columns*(size.W+size.GapX), i/columns*(size.H+size.GapY)
		b = Overlay(b, button.draw(th, size.W, size.H), x, y)
	}
	return b, shown
}

// ButtonRow sets buttons beside each other over the whole width of a, the leading
// one twice as wide as the others.
func ButtonRow(th *Theme, a Area, buttons ...Button) Block {
	a = a.clamp()
	b := Block{}.Fit(a)
	parts := 0
	for _, button := range buttons {
		parts += button.parts()
	}
	if parts == 0 {
		return b
	}
	const gap = 1
	room := a.W - gap*(len(buttons)-1)
	x, done := 0, 0
	for i, button := range buttons {
		done += button.parts()
		end := room*done/parts + gap*i
		if w := end - x; w > 0 {
			b = Overlay(b, button.draw(th, w, a.H), x, 0)
		}
		x = end + gap
	}
	return b
}

func (k Button) parts() int {
	if k.Lead {
		return 2
	}
	return 1
}

// draw is the button in w×h cells: its words in the middle, on its own ground, or
// in brackets where the theme shows no ground.
func (k Button) draw(th *Theme, w, h int) Block {
	role := Field
	switch {
	case k.Off:
		role = Tile
	case k.Lead:
		role = Selection
	}
	if th.flat && !k.Lead {
		role = Text
	}
	room := max(w-2, 1)
	words := Wrap(role, k.Label, room)
	if k.Key != "" {
		words = Wrap(role, k.Key+"  "+k.Label, room)
	}
	if k.Note != "" {
		words = append(words, Wrap(role, k.Note, room)...)
	}
	if len(words) > h {
		words = append(words[:h-1:h-1], words[len(words)-1])
	}
	b := Block{Lines: make([]Line, h)}
	for y := range b.Lines {
		b.Lines[y] = Line{role.blank(w)}
	}
	top := (h - len(words)) / 2
	for i, l := range words {
		line := l.fit(room, Center, role)
		if th.flat {
			line = append(append(Line{Quiet.Say("[")}, line...), Quiet.Say("]"))
		} else {
			line = line.fit(w, Center, role)
		}
		b.Lines[top+i] = line.fit(w, Left, role)
	}
	if k.Name != "" {
		b.Hits = []Hit{{k.Name, 0, 0, w, h}}
	}
	return b
}
