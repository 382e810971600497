package widget

// HelpGroup is a titled group of keys on the help page.
type HelpGroup struct {
	Title string
	Keys  []Key
}

// Help sets groups of keys in as many columns as fit into w, each group whole,
// columns about equally high. The block is as high as it needs; show a part of
// it with [Block.Window].
func Help(w int, groups ...HelpGroup) Block {
	key, label := 0, 0
	height := 0
	for _, g := range groups {
		height += len(g.Keys) + 2
		label = max(label, Text.Say(g.Title).width-2)
		for _, k := range g.Keys {
			key = max(key, Text.Say(k.Key).width)
			label = max(label, Text.Say(k.Label).width)
		}
	}
	const gap = 4
	column := max(1, min(key+2+label, w))
	columns := max(1, min((w+gap)/(column+gap), len(groups)))
	limit := (height + columns - 1) / columns
	blocks := make([]Block, 0, columns)
	current := Block{}
	for _, g := range groups {
		b := g.draw(key, column)
		if len(blocks) < columns-1 && len(current.Lines) > 0 && len(current.Lines)+len(b.Lines)/2 > limit {
			blocks, current = append(blocks, current), Block{}
		}
		current = Stacked(current, b)
	}
	return Beside(gap, append(blocks, current)...)
}

func (g HelpGroup) draw(key, w int) Block {
	out := Block{Lines: []Line{Strong.Line(g.Title).Fit(w)}}
	for _, k := range g.Keys {
		keyRole, labelRole := Accent, Text
		label := k.Label
		if k.Off {
			keyRole, labelRole = Quiet, Quiet
			label = "(" + label + "…)"
		}
		if k.Name != "" {
			out.Hits = append(out.Hits, Hit{k.Name, 0, len(out.Lines), w, 1})
		}
		head := keyRole.Line(k.Key).Align(key, Left)
		for _, l := range Wrap(labelRole, label, max(w-key-2, 1)) {
			out.Lines = append(out.Lines, append(append(head, Text.blank(2)), l...).Fit(w))
			head = Line{Text.blank(key)}
		}
	}
	out.Lines = append(out.Lines, nil)
	return out
}

// Window is the part of a block from line first that fits into a, exactly a.
func (b Block) Window(a Area, first int) Block {
	first = max(0, min(first, len(b.Lines)-a.H))
	return Block{Lines: b.Lines[first:], Hits: moved(b.Hits, 0, -first)}.Fit(a)
}
