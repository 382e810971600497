package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/tui/register"
)

// clicked takes a click or a touch.
func (m *model) clicked(click tea.MouseClickMsg) tea.Cmd {
	if click.Button != tea.MouseLeft || m.swallows(m.o.Hand(), m.hand.last) {
		return nil
	}
	name, ok := m.frame.At(click.X, click.Y)
	if !ok {
		return nil
	}
	m.notice = notice{}
	what, arg, _ := strings.Cut(name, ":")
	switch what {
	case "do":
		for _, row := range m.live() {
			if row.action == Action(arg) {
				return m.act(row)
			}
		}
	case "type", "point", "erase":
		return m.padTouched(what, arg)
	case "row":
		i, _ := strconv.Atoi(arg)
		return m.rowClicked(i)
	case "good", "page", "less", "language":
		return m.touchedGoods(what, arg)
	}
	return nil
}

// padTouched types by a picture of keys: into the dialog on top, else on the
// register.
func (m *model) padTouched(what, arg string) tea.Cmd {
	if d := m.dialog(); d != nil {
		switch {
		case d.field == nil:
		case what == "type":
			d.field.add(arg)
		case what == "erase":
			d.field.erase()
		}
		return nil
	}
	switch what {
	case "type":
		return m.happen(register.Digits{Text: arg})
	case "point":
		return m.happen(register.Point{})
	}
	return m.happen(register.Erase{})
}

// rowClicked chooses a row of the list on the screen.
func (m *model) rowClicked(i int) tea.Cmd {
	if d := m.dialog(); d != nil {
		if d.list != nil && i < len(d.list.rows) {
			d.list.at = i
		}
		return nil
	}
	switch m.shown() {
	case onTabs:
		m.tabs.at = min(i, len(m.facts.tabs))
		return m.chooseTab()
	case onRegister:
		return m.happen(register.Select{Index: i})
	case onSales:
		m.sales.at = i
	case onDevices:
		m.devices.at = i
	case onAlerts:
		m.alerts.at = i
	case onSettings:
		if m.settings.at = i; m.whyNoChange() == "" {
			return m.change(1)
		}
	}
	return nil
}

// wheeled moves a list.
func (m *model) wheeled(w tea.MouseWheelMsg) tea.Cmd {
	code := tea.KeyDown
	if w.Button == tea.MouseWheelUp {
		code = tea.KeyUp
	}
	return m.typed(tea.KeyPressMsg{Code: code})
}
