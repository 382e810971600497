package tui

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/widget"
)

// serviceScreen is the menu for the staff of a kiosk.
type serviceScreen struct {
	open  bool // from the right PIN until it is left
	at    int  // of the menu
	tries tries
}

// tries are the wrong PINs in a row. They are kept, so that the power switch does
// not forget them.
type tries struct {
	Wrong int           `json:"wrong"`
	Free  protocol.Time `json:"free"` // when the next may be tried
}

// After a wrong PIN the next waits 1, 2, 4, 8 s, and lockFor from the fifth on.
const (
	draftTries = "service-tries"
	mostWrong  = 5
	lockFor    = 15 * time.Minute
)

// wrong is with one more wrong PIN.
func (t tries) wrong(now protocol.Time) tries {
	t.Wrong++
	wait := lockFor
	if t.Wrong < mostWrong {
		wait = time.Second << (t.Wrong - 1)
	}
	t.Free = now.Add(wait)
	return t
}

// serviceKey asks for the PIN.
func serviceKey() key {
	return key{action: ActSettings, keys: []string{"f10", "*"}, do: (*model).askPIN, quiet: true,
		offered: func(m *model) bool { return m.kiosk != nil && !m.kiosk.PIN.Empty() },
		whyNot:  (*model).whyNoPIN, label: func(m *model) string { return m.w.KioskStaff }}
}

// whyNoPIN: how long the next try waits.
func (m *model) whyNoPIN() string {
	if m.kiosk == nil {
		return ""
	}
	wait := m.kiosk.service.tries.Free.Sub(protocol.TimeOf(m.now))
	switch {
	case wait <= 0:
		return ""
	case wait > lockFor: // the clock was set back
		m.kiosk.service.tries.Free = protocol.TimeOf(m.now).Add(lockFor)
		fallthrough
	case m.kiosk.service.tries.Wrong >= mostWrong:
		return m.w.f(m.w.KioskLocked, m.w.clock(m.local(m.kiosk.service.tries.Free)))
	}
	return m.w.f(m.w.KioskWrong, strconv.Itoa(int((wait+time.Second-1)/time.Second)))
}

func (m *model) askPIN() tea.Cmd {
	m.open(&dialog{name: "service-pin", role: widget.Strong, title: m.w.KioskServiceTitle, text: m.w.KioskPIN, field: &field{masked: true}, pad: true, keys: []key{
		{action: ActConfirm, keys: []string{"enter"}, do: (*model).checkPIN, whyNot: (*model).whyNoPIN},
		no(),
	}})
	return nil
}

// checkPIN opens the menu, or makes the next try wait.
func (m *model) checkPIN() tea.Cmd {
	k := m.kiosk
	typed := m.dialog().field.secret()
	if typed.Empty() {
		return nil
	}
	given, right := sha256.Sum256([]byte(typed.Reveal())), sha256.Sum256([]byte(k.PIN.Reveal()))
	typed.Wipe()
	if subtle.ConstantTimeCompare(given[:], right[:]) != 1 {
		k.service.tries = k.service.tries.wrong(protocol.TimeOf(m.now))
		m.say(widget.Warn, m.whyNoPIN())
		cmd := m.keepTries()
		if k.service.tries.Wrong == mostWrong {
			m.close()
			m.say(widget.Warn, m.whyNoPIN())
			cmd = tea.Batch(cmd, m.journalService("service menu locked"))
		}
		return cmd
	}
	m.close()
	k.service = serviceScreen{open: true}
	return tea.Batch(m.keepTries(), m.journalService("service menu opened"), m.goTo(onService))
}

// keepTries writes down how often the PIN was wrong.
func (m *model) keepTries() tea.Cmd {
	var value []byte
	if t := m.kiosk.service.tries; t.Wrong > 0 {
		text, err := json.Marshal(t)
		if err != nil {
			panic(err) // integers always encode
		}
		value = text
	}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.SaveDraft(draftTries, value))
		return failed{"keep tries of the service PIN", err}
	})
}

// readTries reads them at the start.
func (m *model) readTries(ctx context.Context) error {
	text, err := m.o.Terminal.Draft(ctx, draftTries)
	if err != nil || text == nil {
		return err
	}
	return json.Unmarshal(text, &m.kiosk.service.tries)
}

// serviceKeys are those of the menu; its rows are the same actions.
func serviceKeys() []key {
	return []key{
		{action: ActNext, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			rows := m.serviceRows()
			return m.act(rows[min(m.kiosk.service.at, len(rows)-1)])
		}},
		{action: ActDevices, keys: []string{"f7", "1"}, do: func(m *model) tea.Cmd { return m.goTo(onDevices) }},
		{action: ActAlerts, keys: []string{"f8", "2"}, do: func(m *model) tea.Cmd { return m.goTo(onAlerts) }},
		{action: ActSales, keys: []string{"f3", "3"}, do: func(m *model) tea.Cmd { return m.goTo(onSales) }},
		{action: ActAbout, keys: []string{"ctrl+b", "5"}, do: func(m *model) tea.Cmd { return m.goTo(onAbout) }},
		{action: ActRestart, keys: []string{"f11", "8"}, do: (*model).askRestart},
		{action: ActQuit, keys: []string{"f10", "9"}, do: (*model).askLeaveKiosk},
		{action: ActBack, keys: []string{"esc", "0"}, do: (*model).endService},
	}
}

// serviceRows are the actions of the menu.
func (m *model) serviceRows() []*key {
	var rows []*key
	for _, k := range m.live() {
		if k.action != ActNext && k.action != ActCustomer && k.action != ActHelp {
			rows = append(rows, k)
		}
	}
	return rows
}

// endService gives the kiosk back to the customers.
func (m *model) endService() tea.Cmd { return m.beginAgain() }

func (m *model) askRestart() tea.Cmd {
	return m.ask("restart", m.w.KioskRestartTitle, m.w.KioskRestartText, widget.Strong, func(m *model) tea.Cmd {
		m.kiosk.again = true
		return tea.Sequence(m.journalService("restarted"), m.leave())
	})
}

func (m *model) askLeaveKiosk() tea.Cmd {
	return m.ask("quit", m.w.QuitTitle, m.w.KioskLeaveText, widget.Strong, func(m *model) tea.Cmd {
		return tea.Sequence(m.journalService("left"), m.leave())
	})
}

// serviceView is the menu.
func (m *model) serviceView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	rows := m.serviceRows()
	m.kiosk.service.at = min(m.kiosk.service.at, len(rows)-1)
	columns := []widget.Column{{Width: 3}, {Width: 14}, {Grow: true}}
	if body.W < 60 {
		columns = columns[:2] // half a sentence says less than none
	}
	list := widget.List{
		Columns: columns, Len: len(rows), Selected: m.kiosk.service.at,
		Row: func(i int) widget.Row {
			k := rows[i]
			return widget.Row{Name: "do:" + string(k.action), Cells: []widget.Span{
				widget.Accent.Say(keyName(k.keys[len(k.keys)-1])), widget.Strong.Say(m.labelOf(k)), widget.Quiet.Say(m.w.Keys[k.action].Help),
			}}
		},
	}
	lines := widget.Block{Lines: []widget.Line{widget.Strong.Line("  " + m.w.KioskServiceTitle), nil}}
	why := widget.Block{}
	if text := m.unfit(); text != "" {
		why = widget.Block{Lines: widget.Wrap(widget.Warn, "! "+m.w.KioskOut+": "+text, body.W-4)}.Shift(2, 0)
	}
	return widget.Stack(body, widget.Gap(2, 1), widget.Fixed(0, lines), widget.Slot{Rows: len(rows), Min: 3, Draw: list.Render}, grow(), widget.Fixed(0, why), widget.Gap(2, 1))
}
