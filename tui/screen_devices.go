package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/tui/register"
	"till/tui/widget"
)

// devicesScreen is each device's state and last fault in words, and below them
// the paper of a simulated printer.
type devicesScreen struct {
	at    int
	last  map[string]device.Status // at the last message: View asks no device
	wait  int                      // papers that wait
	paper []string                 // lines of it, the newest last
	back  int                      // lines scrolled back from the newest
}

// paperKept is how many lines of paper can be scrolled back to.
const paperKept = 2000

func devicesKeys() []key {
	return []key{
		{action: ActTest, keys: []string{"enter"}, do: (*model).testDevice, whyNot: func(m *model) string {
			if m.chosenDevice() != "printer" {
				return m.w.TestOnlyPrinter
			}
			return m.whyNoPaper()
		}},
		{action: ActReopen, keys: []string{"ctrl+o"}, do: (*model).reopenDevice, whyNot: func(m *model) string {
			if m.chosenDevice() == "printer" {
				return m.whyNoPaper()
			}
			return ""
		}},
		back(),
	}
}

func (s *devicesScreen) enter() { s.at, s.back = 0, 0 }

// typed chooses a device, or scrolls the paper.
func (s *devicesScreen) typed(m *model, k tea.KeyPressMsg) {
	by := steps(k, m.frame)
	switch k.Code {
	case tea.KeyPgUp, tea.KeyPgDown, tea.KeyHome, tea.KeyEnd:
		if len(s.paper) > 0 {
			s.back = min(max(s.back-by/2, 0), max(len(s.paper)-1, 0))
			return
		}
	}
	s.move(m, by)
}

func (s *devicesScreen) move(m *model, by int) {
	s.at = min(max(s.at+by, 0), len(m.deviceNames())-1)
}

func (m *model) chosenDevice() string {
	names := m.deviceNames()
	return names[min(m.devices.at, len(names)-1)]
}

// listenToDevices waits for a device to change.
func (m *model) listenToDevices() tea.Cmd {
	read := func() tea.Msg {
		d := devicesRead{states: map[string]device.Status{}}
		for name, dev := range m.o.Devices {
			d.states[name] = dev.Status()
		}
		if s := m.o.Spool; s != nil && s.printer != nil {
			d.states["printer"], d.wait = s.printer.Status(), s.printer.Waiting()
		}
		if p := m.o.Paper; p != nil {
			d.paper = lastLines(p.Text(), paperKept)
		}
		return d
	}
	if m.devices.last == nil {
		return read
	}
	var printed <-chan struct{} // nil is never ready
	if m.o.Spool != nil {
		printed = m.o.Spool.changed
	}
	return func() tea.Msg {
		select {
		case <-printed:
			return read()
		case <-m.o.Changed:
			return read()
		case <-m.ended:
			return nil
		}
	}
}

// devicesRead is the state of all devices.
type devicesRead struct {
	states map[string]device.Status
	wait   int
	paper  []string
}

func (d devicesRead) apply(m *model) tea.Cmd {
	if m.devices.back > 0 { // what is being read stays where it is
		m.devices.back += max(0, len(d.paper)-len(m.devices.paper))
	}
	m.devices.last, m.devices.wait, m.devices.paper = d.states, d.wait, d.paper
	return m.listenToDevices()
}

// lastLines are the last lines of a text, without the blank ones at its end.
func lastLines(text string, most int) []string {
	lines := strings.Split(strings.TrimRight(text, "\n "), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return nil
	}
	return lines[max(0, len(lines)-most):]
}

// devicesView lists the devices.
func (m *model) devicesView(f *widget.Frame, a widget.Area) widget.Block {
	body, names := f.Body(a), m.deviceNames()
	list := widget.List{
		Columns: []widget.Column{{Title: m.w.ColumnDevice}, {Title: m.w.ColumnState}, {Title: m.w.ColumnModel, Grow: true, Rank: 1}},
		Len:     len(names), Selected: m.devices.at, Header: true,
		Row: func(i int) widget.Row {
			s, there := m.devices.last[names[i]]
			state := widget.Quiet.Say("○ " + m.w.DeviceStates[device.Absent])
			switch {
			case !there:
				state = widget.Quiet.Say("○ " + m.w.NotConfigured)
			case s.State == device.Ready && s.Warning != "":
				state = widget.Warn.Say("! " + m.w.DeviceStates[s.State])
			case s.State == device.Ready:
				state = widget.Good.Say("● " + m.w.DeviceStates[s.State])
			case s.State == device.Faulted:
				state = widget.Bad.Say("! " + m.w.DeviceStates[s.State])
			}
			return widget.Row{Name: "row:" + strconv.Itoa(i), Cells: []widget.Span{
				widget.Text.Say(m.w.Devices[names[i]]), state, widget.Quiet.Say(s.Model),
			}}
		},
	}
	name := m.chosenDevice()
	s := m.devices.last[name]
	var lines []widget.Line
	for _, f := range []device.Fault{s.Fault, s.Warning} {
		if f != device.NoFault {
			lines = append(lines, widget.Wrap(widget.Text, m.w.fault(f), body.W-4)...)
		}
	}
	if s.Unconfirmed && name == "printer" {
		lines = append(lines, widget.Wrap(widget.Quiet, m.w.Unconfirmed, body.W-4)...)
	}
	if name == "printer" && m.devices.wait > 0 {
		lines = append(lines, widget.Warn.Line(m.w.f(m.w.PapersWait, strconv.Itoa(m.devices.wait))))
	}
	if s.Drawer != device.DrawerUnknown && name == "printer" {
		lines = append(lines, widget.Quiet.Line(m.w.DrawerStates[s.Drawer]))
	}
	words := widget.Block{Lines: lines}.Shift(2, 0)
	rows := widget.Slot{Rows: len(names) + 2, Min: 3, Draw: list.Render}
	if m.o.Paper == nil {
		return widget.Stack(body, rows, widget.Slot{Grow: true, Draw: func(widget.Area) widget.Block { return words }})
	}
	return widget.Stack(body, rows, widget.Fixed(0, words), widget.Slot{Grow: true, Draw: m.paperView})
}

// paperView is the end of the simulated printer's paper.
func (m *model) paperView(a widget.Area) widget.Block {
	title := m.w.PaperTitle
	if len(m.devices.paper) == 0 {
		title = m.w.PaperEmpty
	}
	lines := []widget.Line{widget.Quiet.Line("── " + title)}
	if lines[0].Width() > a.W {
		lines = widget.Wrap(widget.Quiet, title, a.W)
	}
	n, room := len(m.devices.paper), max(a.H-len(lines), 0)
	end := min(n, max(n-m.devices.back, room))
	for _, text := range m.devices.paper[max(0, end-room):end] {
		lines = append(lines, widget.Text.Line(narrowed("  "+text, a.W)))
	}
	return widget.Block{Lines: lines}
}

// narrowed takes blanks and rules out of a line of paper that is wider than the
// screen, where most of them stand.
func narrowed(text string, w int) string {
	for over := widget.Text.Line(text).Width() - w; over > 0; over-- {
		at, most := 0, 2
		for i := 0; i < len(text); {
			n := 1
			for i+n < len(text) && text[i+n] == text[i] && (text[i] == ' ' || text[i] == '-') {
				n++
			}
			if n > most {
				at, most = i, n
			}
			i += n
		}
		if most == 2 {
			break
		}
		text = text[:at] + text[at+1:]
	}
	return text
}

// testDevice prints a test page.
func (m *model) testDevice() tea.Cmd {
	return m.queuePaper(register.Paper{Kind: register.PaperTest}, "")
}

// reopenDevice closes and opens the device.
func (m *model) reopenDevice() tea.Cmd {
	name := m.chosenDevice()
	m.say(widget.Text, m.w.Reopening)
	if name == "printer" {
		spool := m.o.Spool
		return func() tea.Msg {
			spool.printer.Reopen()
			return nil
		}
	}
	dev := m.o.Devices[name]
	return func() tea.Msg {
		dev.Reopen()
		return nil
	}
}

// printerMark is the printer on the health line.
func (m *model) printerMark() widget.Mark {
	s, there := m.devices.last["printer"]
	mark := widget.Mark{State: widget.Off, Text: m.w.Devices["printer"] + " " + m.w.DeviceStates[s.State], Name: "do:" + string(ActDevices)}
	switch {
	case !there:
		mark.Text = m.w.NoPrinterShort
	case s.State == device.Ready && s.Warning == "":
		mark.State = widget.OK
	case s.State == device.Ready:
		mark.State, mark.Text = widget.Fault, m.w.FaultShort[s.Warning]
	default:
		mark.State = widget.Fault
		if short := m.w.FaultShort[s.Fault]; short != "" {
			mark.Text = short
		}
	}
	return mark
}

// deviceNames are the devices in the order of the screen.
func (m *model) deviceNames() []string {
	names := []string{"printer"}
	for name := range m.o.Devices {
		names = append(names, name)
	}
	slices.Sort(names[1:])
	return names
}
