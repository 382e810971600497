package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// signInScreen is a number or a name, then a PIN.
type signInScreen struct {
	who   field
	pin   field
	onPIN bool
}

func signInKeys() []key {
	return []key{
		{action: ActNext, keys: []string{"enter"}, do: (*model).signInNext, whyNot: func(m *model) string {
			if !m.signing.onPIN {
				return ""
			}
			return m.whyLocked(m.signingIn().ID)
		}},
		{action: ActBack, keys: []string{"esc"}, do: (*model).signInBack, offered: func(m *model) bool { return m.signing.onPIN || !m.nobody() }},
		{action: ActQuit, keys: []string{"f10"}, do: (*model).askQuit},
	}
}

func (s *signInScreen) enter() {
	clear(s.pin.hidden)
	*s = signInScreen{pin: field{masked: true}}
}

// typed edits the field that is being filled in.
func (s *signInScreen) typed(k tea.KeyPressMsg) {
	into := &s.who
	if s.onPIN {
		into = &s.pin
		into.masked = true
	}
	switch {
	case k.Code == tea.KeyBackspace && (into.text != "" || len(into.hidden) > 0):
		into.erase()
	case k.Text != "":
		into.add(k.Text)
	}
}

// signingIn is who is meant; nobody's PIN is right for an unknown one.
func (m *model) signingIn() protocol.User {
	u, _ := register.FindUser(m.reg.Config.Users, m.signing.who.text)
	return u
}

func (m *model) signInNext() tea.Cmd {
	s := &m.signing
	switch {
	case !s.onPIN:
		s.onPIN = s.who.text != ""
		return nil
	case len(s.pin.hidden) == 0:
		return nil
	}
	u, pin := m.signingIn(), s.pin.secret()
	return m.provePIN(u, pin, func(m *model, u protocol.User) tea.Cmd {
		m.signing.enter()
		return m.signIn(u)
	})
}

func (m *model) signInBack() tea.Cmd {
	if m.signing.onPIN {
		who := m.signing.who
		m.signing.enter()
		m.signing.who = who
		return nil
	}
	return m.goTo(m.from)
}

// signInView asks who is there, and says what is wrong before anybody sells.
func (m *model) signInView(f *widget.Frame, a widget.Area) widget.Block {
	body, s := f.Body(a), m.signing
	w := min(body.W-4, 44)
	input := func(label string, in widget.Input) []widget.Line {
		in.Label = ""
		b, _ := in.Render(w)
		head := widget.Quiet.Line("  " + label)
		if in.Focus {
			head = widget.Line{widget.Accent.Say("› " + label)}
		}
		return append([]widget.Line{head}, b.Shift(2, 0).Lines...)
	}
	who := widget.Input{Text: s.who.text, Cursor: len([]rune(s.who.text)), Focus: !s.onPIN}
	pin := widget.Input{Secret: true, Masked: len(s.pin.hidden), Focus: s.onPIN}
	lines := append([]widget.Line{widget.Strong.Line(m.w.Staff.SignInTitle), nil}, input(m.w.ApproveWho, who)...)
	lines = append(append(lines, nil), input(m.w.Staff.SignInPIN, pin)...)
	lines = append(lines, nil)
	if s.onPIN {
		lines = append(lines, widget.Wrap(widget.Warn, m.whyLocked(m.signingIn().ID), w)...)
	}
	if h := m.facts.health; h.ClockWrong() {
		lines = append(lines, nil)
		lines = append(lines, widget.Wrap(widget.Bad, "! "+m.w.f(m.w.Staff.SetClock, h.Skew.Round(time.Second).String()), w)...)
	}
	block := widget.Block{Lines: lines}.Fit(widget.Area{W: w, H: len(lines)})
	return block.Place(body, widget.Center, widget.Center)
}
