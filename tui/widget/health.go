package widget

// State is a mark that reads without colour.
type State uint8

// States of a thing on the health line.
const (
	Plain State = iota // a fact without a mark
	OK                 // ●
	Off                // ○
	Fault              // !
)

// Mark is one fact of the health line.
type Mark struct {
	State State
	Text  string
	Name  string // of the hit, if it can be clicked
}

func (m Mark) line() Line {
	switch m.State {
	case OK:
		return Line{Good.Say("● "), Quiet.Say(m.Text)}
	case Off:
		return Line{Quiet.Say("○ "), Quiet.Say(m.Text)}
	case Fault:
		return Line{Bad.Say("! "), Bad.Say(m.Text)}
	}
	return Quiet.Line(m.Text)
}

// Health is the line above the keys. Where there is no room for all, what is
// well is left out from the end first, then what is off, and faults stay.
func Health(w int, marks []Mark) Block {
	parts := make([]Part, len(marks))
	for i, m := range marks {
		rank := i + 1 // of what is off; what is well ranks above all of it
		switch m.State {
		case Fault:
			rank = 0
		case Plain, OK:
			rank += len(marks)
		}
		parts[i] = Part{Line: m.line(), Rank: rank, Name: m.Name}
	}
	return Bar{Left: parts}.Render(w)
}
