package widget

// Frame is the screen around a body: a top line (where, who, what shift), a
// rule, the body, a rule, foot lines that belong to the body (the totals), the
// health line and the keys that work now.
type Frame struct {
	Top    Bar
	Foot   Block // lines kept at the bottom, above health; cut to the width
	Health []Mark
	Keys   []Key
	More   Key // stands last where keys are left out
}

// rows says which parts of the frame are shown at a height. The body keeps at
// least half of the rows; what goes first: rules, foot, health, top, keys.
type rows struct {
	top, upper, lower, health, keys bool
	foot                            int
	body                            int
}

func (f Frame) rows(h int) rows {
	r := rows{
		keys:   h >= 2,
		top:    h >= 4,
		health: h >= 6 && len(f.Health) > 0,
		upper:  h >= 10,
		lower:  h >= 8,
	}
	used := 0
	for _, on := range []bool{r.top, r.upper, r.lower, r.health, r.keys} {
		if on {
			used++
		}
	}
	r.foot = max(0, min(len(f.Foot.Lines), (h-used)/2))
	r.body = max(0, h-used-r.foot)
	return r
}

// Body is the area left for the body in a.
func (f Frame) Body(a Area) Area {
	a = a.clamp()
	return Area{a.W, f.rows(a.H).body}
}

// Render sets the frame around body, in exactly a.W × a.H cells.
func (f Frame) Render(a Area, body Block) Block {
	a = a.clamp()
	r := f.rows(a.H)
	rule := Block{Lines: []Line{RuleLine(a.W)}}
	parts := make([]Block, 0, 7)
	if r.top {
		parts = append(parts, f.Top.Render(a.W))
	}
	if r.upper {
		parts = append(parts, rule)
	}
	parts = append(parts, body.Fit(Area{a.W, r.body}))
	if r.lower {
		parts = append(parts, rule)
	}
	if r.foot > 0 {
		parts = append(parts, f.Foot.Fit(Area{a.W, r.foot}))
	}
	if r.health {
		parts = append(parts, Health(a.W, f.Health))
	}
	if r.keys {
		parts = append(parts, KeyLine(a.W, f.Keys, f.More))
	}
	return Stacked(parts...)
}
