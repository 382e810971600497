package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"till/tui/widget"
)

// ours is a message of the program's own: it knows what it changes.
type ours interface {
	apply(m *model) tea.Cmd
}

// Init starts to listen. What was loaded is on the first frame already.
func (m *model) Init() tea.Cmd {
	return tea.Batch(m.listen(), m.listenToDevices(), m.listenToScans(), m.resume(), m.resumeMoney(), m.tick())
}

// Update takes a message. It does no I/O: what is to be done is in the command.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.now = m.o.Clock()
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.size = widget.Area{W: msg.Width, H: msg.Height}
	case tea.KeyPressMsg:
		m.inputs++
		m.touch()
		cmd = m.keyed(msg)
	case tea.PasteMsg:
		m.inputs++
		m.touch()
		cmd = m.scanned([]byte(msg.Content))
	case tea.MouseClickMsg:
		m.inputs++
		m.touch()
		cmd = m.clicked(msg)
	case tea.MouseWheelMsg:
		cmd = m.wheeled(msg)
	case ours:
		cmd = msg.apply(m)
	default:
		return m, nil
	}
	m.settleDown(msg)
	cmd = tea.Batch(cmd, m.refresh(), m.awaitCard(), m.tick())
	m.frame = m.draw()
	m.publish()
	return m, cmd
}

// View shows the frame that Update drew.
func (m *model) View() tea.View {
	v := tea.NewView(m.theme.String(m.frame))
	v.AltScreen = true
	if m.mouse() {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// repainted asks for the whole screen anew.
type repainted struct{}

// modes are those of View: the other screen, no cursor, pastes in brackets (and
// clicks, ?1002 and ?1006).
const modes, mouseModes = "\x1b[?1049h\x1b[?25l\x1b[?2004h", "\x1b[?1002h\x1b[?1006h"

func (repainted) apply(m *model) tea.Cmd {
	set := modes
	if m.mouse() {
		set += mouseModes
	}
	return tea.Sequence(tea.Raw(set), tea.ClearScreen)
}

// ticked is the time passing.
type ticked struct{}

func (ticked) apply(m *model) tea.Cmd {
	m.ticking = false
	cmd := m.idle()
	if m.screen == onSales && m.sales.moving() {
		cmd = tea.Batch(cmd, m.askForNews())
	}
	return cmd
}

// liveEvery is how often the server is asked while unsettled sales are on the
// screen; at the register it tells by itself.
const liveEvery = 3 * time.Second

// tick waits until something on the screen is out of date: a second where a
// countdown runs, a little where sales may move, else until the clock shows
// another minute.
func (m *model) tick() tea.Cmd {
	if m.ticking {
		return nil
	}
	m.ticking = true
	d := m.now.Truncate(time.Minute).Add(time.Minute).Sub(m.now)
	switch {
	case m.counting(), m.kiosk != nil:
		d = time.Second
	case m.screen == onSales && m.sales.moving():
		d = min(d, liveEvery)
	}
	after := m.o.After(d)
	return func() tea.Msg {
		<-after
		return ticked{}
	}
}
