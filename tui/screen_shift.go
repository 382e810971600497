package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// shiftScreen is the shift, and a report while one is read.
type shiftScreen struct {
	report *protocol.Report // on the screen, nil none
	scroll int
}

func shiftKeys() []key {
	open := func(m *model) bool { return m.reg.Shift != "" }
	closed := func(m *model) bool { return m.reg.Shift == "" }
	return []key{
		{action: ActShiftOpen, keys: []string{"enter"}, do: (*model).askFloat, offered: closed, right: register.MayOpen, whyNot: func(m *model) string {
			if m.reg.Currency() == "" {
				return m.w.Why[register.WhyNotReady]
			}
			return ""
		}},
		{action: ActReading, keys: []string{"x"}, do: (*model).readX, right: register.MayRead},
		{action: ActShiftClose, keys: []string{"z"}, do: (*model).askClose, offered: open, right: register.MayClose},
		{action: ActPayIn, keys: []string{"i"}, do: func(m *model) tea.Cmd { return m.askCash(m.w.Staff.PayInTitle, 1) }, offered: open, right: register.MayPayIn},
		{action: ActDrop, keys: []string{"d"}, do: func(m *model) tea.Cmd { return m.askCash(m.w.Staff.DropTitle, -1) }, offered: open, right: register.MayDrop},
		{action: ActNoSale, keys: []string{"n"}, do: (*model).askNoSale, right: register.MayNoSale},
		{action: ActPrint, keys: []string{"ctrl+o"}, do: (*model).printReport, offered: func(m *model) bool { return m.shift.report != nil }, whyNot: (*model).whyNoPaper},
		{action: ActBack, keys: []string{"esc"}, do: func(m *model) tea.Cmd {
			if m.shift.report != nil {
				m.shift = shiftScreen{}
				return nil
			}
			return m.goTo(m.from)
		}},
	}
}

// shiftView is what is open since when, or the report that is read.
func (m *model) shiftView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	if m.shift.report != nil {
		return m.reportView(body)
	}
	big, lines := m.w.Staff.ShiftClosedBig, []string{m.w.Staff.ShiftNone}
	role := widget.Warn
	if m.reg.Shift != "" {
		role, big = widget.Strong, m.w.Shift+" "+strconv.FormatInt(m.facts.shift, 10)
		lines = []string{m.w.f(m.w.Staff.ShiftSince, m.w.moment(m.local(m.facts.opened)), m.nameOf(m.facts.opener))}
		lines = append(lines, m.warnings()...)
	}
	word := widget.Big(m.theme, widget.Area{W: body.W - 8, H: min(8, max(3, body.H-len(lines)-4))}, role, big)
	var rows []widget.Line
	for _, text := range lines {
		for _, l := range widget.Wrap(widget.Text, text, min(body.W-4, 72)) {
			rows = append(rows, l.Align(body.W, widget.Center))
		}
	}
	return widget.Stack(body, grow(), placed(word), widget.Gap(2, 1), widget.Fixed(0, widget.Lines(rows...)), grow())
}

// warnings is what should be settled before a shift is closed.
func (m *model) warnings() []string {
	var out []string
	say := func(sentence string, n int64) {
		if n > 0 {
			out = append(out, m.w.f(sentence, strconv.FormatInt(n, 10)))
		}
	}
	open := int64(len(m.facts.parked))
	if m.reg.Sale != nil && m.reg.Sale.Ended == "" {
		open++
	}
	say(m.w.Staff.OpenSales, open)
	say(m.w.Unsent, m.facts.health.Unsent)
	say(m.w.InDoubt, m.facts.health.InDoubt)
	return out
}

// nameOf is what a person is called.
func (m *model) nameOf(id string) string {
	for _, u := range m.reg.Config.Users {
		if u.ID == id {
			return u.Name
		}
	}
	return id
}

// reportWidth is how wide a report is drawn.
const reportWidth = 52

// reportView is a report, as it stands on paper, scrolled where it is longer than
// the screen.
func (m *model) reportView(body widget.Area) widget.Block {
	w := min(body.W-4, reportWidth)
	style := m.w.style(m.o.Zone)
	lines := []widget.Line{widget.Strong.Line(register.ReportTitle(*m.shift.report, style)).Align(w, widget.Center)}
	for _, row := range register.ReportRows(*m.shift.report, style, m.nameOf) {
		if row.Rule {
			lines = append(lines, widget.Quiet.Line(strings.Repeat("─", w)))
			continue
		}
		role := widget.Text
		if row.Bold {
			role = widget.Strong
		}
		left, right := role.Line(row.Left), role.Line(row.Right)
		if row.Right != "" && left.Width()+right.Width()+4 > w { // on two lines rather than cut
			lines = append(lines, append(widget.Line{widget.Text.Say(" ")}, left...).Fit(w), append(right, widget.Text.Say(" ")).Align(w, widget.Right))
			continue
		}
		bar := widget.Bar{Left: []widget.Part{{Line: left}}, Right: []widget.Part{{Line: right}}}
		lines = append(lines, bar.Render(w).Lines...)
	}
	m.shift.scroll = min(m.shift.scroll, max(0, len(lines)-body.H))
	shown := lines[m.shift.scroll:min(len(lines), m.shift.scroll+body.H)]
	return widget.Block{Lines: shown}.Place(body, widget.Center, widget.Top)
}

// printReport prints what is read.
func (m *model) printReport() tea.Cmd { return m.queuePaper(m.reportPaper(*m.shift.report), "") }

// reportPaper is a report as a paper with the names of the people in it.
func (m *model) reportPaper(r protocol.Report) register.Paper {
	staff := map[string]string{}
	for _, id := range []string{r.OpenedBy, r.ClosedBy} {
		if id != "" {
			staff[id] = m.nameOf(id)
		}
	}
	return register.Paper{Kind: register.PaperReport, Report: &r, Staff: staff}
}
