package tui

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/tui/register"
	"till/tui/widget"
)

// devicesScreen is each device's state and last fault in words.
type devicesScreen struct {
	at   int
	last map[string]device.Status // at the last message: View asks no device
	wait int                      // papers that wait
}

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

func (s *devicesScreen) enter() { s.at = 0 }

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
		return d
	}
	if m.devices.last == nil || m.o.Spool == nil {
		return read
	}
	changed := m.o.Spool.changed
	return func() tea.Msg {
		select {
		case <-changed:
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
}

func (d devicesRead) apply(m *model) tea.Cmd {
	m.devices.last, m.devices.wait = d.states, d.wait
	if m.o.Spool == nil {
		return nil
	}
	return m.listenToDevices()
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
	if s.Unconfirmed {
		lines = append(lines, widget.Wrap(widget.Quiet, m.w.Unconfirmed, body.W-4)...)
	}
	if name == "printer" && m.devices.wait > 0 {
		lines = append(lines, widget.Warn.Line(m.w.f(m.w.PapersWait, strconv.Itoa(m.devices.wait))))
	}
	if s.Drawer != device.DrawerUnknown && name == "printer" {
		lines = append(lines, widget.Quiet.Line(m.w.DrawerStates[s.Drawer]))
	}
	words := widget.Block{Lines: lines}.Shift(2, 0)
	return widget.Stack(body,
		widget.Slot{Rows: len(names) + 2, Min: 3, Draw: list.Render},
		widget.Slot{Grow: true, Draw: func(widget.Area) widget.Block { return words }})
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
	if m.devices.wait > 1 {
		mark.Text += " · " + m.w.f(m.w.PapersWait, strconv.Itoa(m.devices.wait))
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
