package tui

import (
	"context"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"till/protocol/terminal"
	"till/tui/widget"
)

// alertsScreen is what needs a person.
type alertsScreen struct{ at int }

func alertsKeys() []key {
	return []key{
		{action: ActAcknowledge, keys: []string{"enter"},
			do: func(m *model) tea.Cmd { return m.acknowledge(m.facts.alerts[m.alerts.at].ID) },
			whyNot: func(m *model) string {
				if m.alerts.at >= len(m.facts.alerts) {
					return m.w.NoAlerts
				}
				return ""
			}},
		back(),
	}
}

func (s *alertsScreen) enter() { s.at = 0 }

func (s *alertsScreen) move(m *model, by int) {
	s.at = min(max(s.at+by, 0), max(len(m.facts.alerts)-1, 0))
}

// acknowledge says that a person has seen to an alert.
func (m *model) acknowledge(id int64) tea.Cmd {
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		if err := m.o.Terminal.Acknowledge(ctx, id); err != nil {
			return failed{"acknowledge alert", err}
		}
		return acknowledged(id)
	})
}

// acknowledged tells that it is written.
type acknowledged int64

func (a acknowledged) apply(m *model) tea.Cmd {
	m.facts.alerts = slices.DeleteFunc(m.facts.alerts, func(x terminal.Alert) bool { return x.ID == int64(a) })
	m.alerts.at = min(m.alerts.at, max(len(m.facts.alerts)-1, 0))
	return nil
}

// alertsView lists them, oldest first, with the chosen one in full.
func (m *model) alertsView(f *widget.Frame, a widget.Area) widget.Block {
	body, alerts := f.Body(a), m.facts.alerts
	list := widget.List{
		Columns: []widget.Column{{Title: m.w.ColumnTime}, {Title: m.w.ColumnWhat, Grow: true}},
		Len:     len(alerts), Selected: m.alerts.at, Header: true, Empty: m.w.NoAlerts,
		Row: func(i int) widget.Row {
			title, _ := m.alertWords(alerts[i])
			return widget.Row{Name: "row:" + strconv.Itoa(i), Cells: []widget.Span{
				widget.Quiet.Say(m.when(alerts[i].At)), widget.Warn.Say(title),
			}}
		},
	}
	var lines []widget.Line
	if m.alerts.at < len(alerts) {
		_, text := m.alertWords(alerts[m.alerts.at])
		lines = append(lines, nil)
		lines = append(lines, widget.Wrap(widget.Text, text, body.W-4)...)
	}
	words := widget.Block{Lines: lines}.Shift(2, 0)
	return widget.Stack(body,
		widget.Slot{Rows: 6, Min: 3, Grow: true, Draw: list.Render},
		widget.Slot{Rows: len(words.Lines), Rank: 1, Draw: func(widget.Area) widget.Block { return words }})
}
