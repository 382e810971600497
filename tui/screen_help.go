package tui

import (
	"till/tui/widget"

	tea "charm.land/bubbletea/v2"
)

// helpScreen shows the keys of the screen it was asked from.
type helpScreen struct {
	about  screenName
	scroll int
}

func helpKeys() []key {
	return []key{{action: ActBack, keys: []string{"esc", "enter"}, do: func(m *model) tea.Cmd { return m.leaveHelp() }}}
}

// leaveHelp goes back to the screen that help was asked from.
func (m *model) leaveHelp() tea.Cmd {
	to := m.help.about
	if to == onPay || to == "" {
		to = onRegister
	}
	m.screen = to
	return nil
}

// helpView is the keys as they are now: those of the screen, then of everywhere.
func (m *model) helpView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	at := *m
	at.screen, at.dialogs = m.help.about, nil
	if at.screen == onPay {
		at.screen = onRegister
	}
	var groups []widget.HelpGroup
	for _, name := range []screenName{m.help.about, everywhere} {
		g := widget.HelpGroup{Title: m.w.Screens[name]}
		rows := m.table[name]
		for i := range rows {
			k := &rows[i]
			if k.offered != nil && !k.offered(&at) {
				continue
			}
			names := keyName(k.keys[0])
			for _, other := range k.keys[1:] {
				names += " " + keyName(other)
			}
			g.Keys = append(g.Keys, widget.Key{Key: names, Label: m.w.Keys[k.action].Help, Off: k.why(&at) != ""})
		}
		if name == onRegister {
			g.Keys = append(g.Keys, widget.Key{Key: "0-9 00 .", Label: m.w.HelpDigits}, widget.Key{Key: "a-z", Label: m.w.HelpLetters}, widget.Key{Key: "↑ ↓", Label: m.w.HelpArrows},
				widget.Key{Key: "backspace", Label: m.w.HelpErase})
		}
		if len(g.Keys) > 0 {
			groups = append(groups, g)
		}
	}
	b := widget.Help(body.W-4, groups...).Shift(2, 1)
	m.help.scroll = max(0, min(m.help.scroll, len(b.Lines)-body.H))
	return b.Window(body, m.help.scroll)
}

// aboutView tells what runs here.
func (m *model) aboutView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	labels := column(16, m.w.AboutShop, m.w.AboutTerminal, m.w.AboutServer, m.w.AboutCertificate)
	pair := func(label, value string) widget.Line {
		return append(widget.Quiet.Line(label).Fit(labels), widget.Text.Say(value))
	}
	h := m.facts.health
	lines := []widget.Line{
		widget.Strong.Line("Till"), widget.Quiet.Line(m.o.Version), nil,
		pair(m.w.AboutShop, m.reg.Config.Shop.Name),
		pair(m.w.AboutTerminal, m.facts.identity.Name),
		pair("", string(m.facts.identity.ID)),
		pair(m.w.AboutServer, m.facts.identity.Server),
	}
	if h.Certificate != 0 {
		lines = append(lines, pair(m.w.AboutCertificate, m.w.moment(m.local(h.Certificate))))
	}
	lines = append(lines, nil)
	lines = append(lines, widget.Wrap(widget.Quiet, m.w.AboutText, min(body.W-4, 70))...)
	return widget.Block{Lines: lines}.Shift(2, 1)
}
