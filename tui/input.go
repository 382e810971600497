package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"till/tui/register"
	"till/tui/widget"
)

// quitTwice is within what time a second Ctrl-C leaves.
const quitTwice = 2 * time.Second

// press does what a key is for.
func (m *model) press(k tea.KeyPressMsg) tea.Cmd {
	stroke := strokeOf(k)
	if stroke == "ctrl+c" && m.kiosk == nil {
		if now := m.o.Hand(); m.lastQuit > 0 && now-m.lastQuit <= quitTwice {
			return m.leave()
		}
		m.lastQuit = m.o.Hand()
		m.say(widget.Warn, m.w.QuitAgain)
		return nil
	}
	m.notice = notice{}
	if m.typesFirst(k) {
		return m.typed(k)
	}
	if row := m.bound(stroke); row != nil {
		return m.act(row)
	}
	return m.typed(k)
}

// strokeOf names a key: f1, ctrl+p, enter, +.
func strokeOf(k tea.KeyPressMsg) string {
	s := k.String()
	switch s {
	case "kpenter":
		return "enter"
	}
	return s
}

// typesFirst: in a field of text every character is text.
func (m *model) typesFirst(k tea.KeyPressMsg) bool {
	switch d := m.dialog(); {
	case k.Text == "":
		return false
	case d != nil:
		return d.field != nil
	case m.shown() == onSignIn:
		return true
	case m.screen == onKey:
		return m.key.flow.Phase == register.KeyGathering
	}
	return m.screen == onSell && m.sell.flow.Phase == register.SellAddressing
}

// act does a row of the key table, or says why it cannot be done.
func (m *model) act(row *key) tea.Cmd {
	if row.right != "" && !m.reg.May(row.right) && row.hindrance(m) == "" {
		return m.askOverride(row)
	}
	if why := row.why(m); why != "" {
		m.say(widget.Warn, why)
		return nil
	}
	return row.do(m)
}

// typed takes a key that is no action: digits, letters, arrows.
func (m *model) typed(k tea.KeyPressMsg) tea.Cmd {
	if d := m.dialog(); d != nil {
		d.typed(k)
		return nil
	}
	switch m.shown() {
	case onRegister, onPay:
		return m.rung(k)
	case onAttract:
		return m.attracted(k)
	case onService:
		m.kiosk.service.at = min(max(m.kiosk.service.at+steps(k, widget.Block{}), 0), len(m.serviceRows())-1)
	case onSignIn:
		m.signing.typed(k)
	case onShift:
		m.shift.scroll = max(0, m.shift.scroll+steps(k, m.frame))
	case onKey:
		m.typedKey(k)
	case onSell:
		return m.typedSell(k)
	case onAddress:
		return m.address.typed(m, k)
	case onTabs:
		m.tabs.at = min(max(m.tabs.at+steps(k, m.frame), 0), len(m.facts.tabs))
	case onSales:
		return m.sales.typed(m, k)
	case onDevices:
		m.devices.typed(m, k)
	case onAlerts:
		m.alerts.move(m, steps(k, m.frame))
	case onSettings:
		return m.settings.typed(m, k)
	case onHelp, onAbout:
		m.help.scroll = max(0, m.help.scroll+steps(k, m.frame))
	}
	return nil
}

// steps is how far a key moves in a list.
func steps(k tea.KeyPressMsg, frame widget.Block) int {
	switch k.Code {
	case tea.KeyUp:
		return -1
	case tea.KeyDown:
		return 1
	case tea.KeyPgUp:
		return -max(1, len(frame.Lines)-8)
	case tea.KeyPgDown:
		return max(1, len(frame.Lines)-8)
	case tea.KeyHome:
		return -1 << 20
	case tea.KeyEnd:
		return 1 << 20
	}
	return 0
}

// rung types on the register.
func (m *model) rung(k tea.KeyPressMsg) tea.Cmd {
	if m.kiosk != nil && m.shown() == onRegister && m.walk(k) {
		return nil
	}
	if by := steps(k, m.frame); by != 0 {
		return m.happen(register.Move{By: by})
	}
	var e register.Event
	switch {
	case k.Code == tea.KeyBackspace:
		e = register.Erase{}
	case k.Text >= "0" && k.Text <= "9" && len(k.Text) == 1:
		e = register.Digits{Text: k.Text}
	case k.Text == "." || k.Text == ",":
		e = register.Point{}
	case k.Text != "":
		e = register.Typed{Text: k.Text}
	default:
		return nil
	}
	if m.reg.WhyNot(e) != "" && m.reg.Phase != register.Ringing {
		return nil // a stray key says nothing while a payment is waited for
	}
	return m.happen(e)
}

// typed edits the field or moves the choice of a dialog.
func (d *dialog) typed(k tea.KeyPressMsg) {
	switch {
	case d.field != nil && k.Code == tea.KeyBackspace:
		d.field.erase()
	case d.field != nil && k.Text != "":
		d.field.add(k.Text)
	case d.list != nil:
		d.list.at = min(max(d.list.at+steps(k, widget.Block{}), 0), max(len(d.list.rows)-1, 0))
	}
}
