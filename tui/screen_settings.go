package tui

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// settings are what was chosen at this terminal in place of what is configured;
// what is empty is as configured.
type settings struct {
	Theme    string `json:"theme,omitempty"`
	Language string `json:"language,omitempty"`
	Mouse    string `json:"mouse,omitempty"`   // on, off
	Sound    string `json:"sound,omitempty"`   // on, off
	Receipt  string `json:"receipt,omitempty"` // auto, ask, never
}

const draftSettings = "settings"

// settingsScreen is where they are chosen.
type settingsScreen struct{ at int }

// setting is a row of the screen.
type setting struct {
	words  func(*Words) KeyWords
	values func() []string
	chosen func(*model) *string // in the settings
	now    func(*model) string  // what holds
	// leading: only a manager or the owner changes it.
	leading bool
}

var onOff = []string{"on", "off"}

// settingRows are the rows, in their order.
var settingRows = []setting{
	{words: func(w *Words) KeyWords { return w.SettingTheme }, values: widget.ThemeNames,
		chosen: func(m *model) *string { return &m.chosen.Theme }, now: func(m *model) string { return m.theme.Name() }},
	{words: func(w *Words) KeyWords { return w.SettingLanguage }, values: Languages,
		chosen: func(m *model) *string { return &m.chosen.Language }, now: func(m *model) string { return m.w.Language }},
	{words: func(w *Words) KeyWords { return w.SettingMouse }, values: func() []string { return onOff },
		chosen: func(m *model) *string { return &m.chosen.Mouse }, now: func(m *model) string { return onOff[btoi(!m.mouse())] }},
	{words: func(w *Words) KeyWords { return w.SettingSound }, values: func() []string { return onOff }, leading: true,
		chosen: func(m *model) *string { return &m.chosen.Sound }, now: func(m *model) string { return onOff[btoi(m.silent())] }},
	{words: func(w *Words) KeyWords { return w.SettingReceipt }, values: func() []string { return []string{"auto", "ask", "never"} }, leading: true,
		chosen: func(m *model) *string { return &m.chosen.Receipt }, now: (*model).receipts},
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func settingsKeys() []key {
	return []key{
		{action: ActNext, keys: []string{"enter", "right", "space"}, do: func(m *model) tea.Cmd { return m.change(1) }, whyNot: (*model).whyNoChange},
		back(),
	}
}

// leads tells whether a manager or the owner is at the counter.
func (m *model) leads() bool {
	return m.reg.User.Role == protocol.RoleManager || m.reg.User.Role == protocol.RoleOwner
}

func (m *model) whyNoChange() string {
	if settingRows[m.settings.at].leading && !m.leads() {
		return m.w.SettingLeading
	}
	return ""
}

// typed moves between the rows, and back among the values of one.
func (s *settingsScreen) typed(m *model, k tea.KeyPressMsg) tea.Cmd {
	if k.Code == tea.KeyLeft {
		if why := m.whyNoChange(); why != "" {
			m.say(widget.Warn, why)
			return nil
		}
		return m.change(-1)
	}
	s.at = min(max(s.at+steps(k, m.frame), 0), len(settingRows)-1)
	return nil
}

// change takes the next value of the chosen row, at once and for good.
func (m *model) change(by int) tea.Cmd {
	row := settingRows[m.settings.at]
	values := row.values()
	at := max(slices.Index(values, row.now(m)), 0)
	*row.chosen(m) = values[(at+by+len(values))%len(values)]
	m.dress()
	m.speak(m.reg.Config.Locale)
	text, err := json.Marshal(m.chosen)
	if err != nil {
		// Strings always encode.
		panic(err)
	}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.SaveDraft(draftSettings, text))
		return failed{"keep settings", err}
	})
}

// dress puts the chosen theme on.
func (m *model) dress() {
	if theme, err := widget.NewTheme(first(m.chosen.Theme, m.o.Theme), m.term); err == nil {
		m.theme = theme
	}
}

// speak takes the words for the customer's language at a kiosk, the chosen one,
// the configured one, or that of the shop's locale.
func (m *model) speak(shops string) {
	locale := first(m.customers(), m.chosen.Language, m.o.Locale, shops)
	if shops != "" && language(shops).Language == language(locale).Language {
		locale = shops // with the numbers of its region
	}
	m.w = language(locale)
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func (m *model) mouse() bool      { return first(m.chosen.Mouse, onOff[btoi(!m.o.Mouse)]) == "on" }
func (m *model) silent() bool     { return first(m.chosen.Sound, onOff[btoi(m.o.Silent)]) == "off" }
func (m *model) receipts() string { return first(m.chosen.Receipt, m.o.Receipt, "auto") }

// loadSettings reads what was chosen before.
func (m *model) loadSettings(ctx context.Context) error {
	text, err := m.o.Terminal.Draft(ctx, draftSettings)
	if err != nil || text == nil {
		return err
	}
	if err := json.Unmarshal(text, &m.chosen); err != nil {
		m.o.Log.Warn("read settings", "error", err)
		m.chosen = settings{}
	}
	m.dress()
	m.speak(m.reg.Config.Locale)
	return nil
}

// settingsView lists them, with what the chosen one is about below.
func (m *model) settingsView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	list := widget.List{
		Columns: []widget.Column{{}, {Grow: true, Width: 12}}, Len: len(settingRows), Selected: m.settings.at,
		Row: func(i int) widget.Row {
			row := settingRows[i]
			value, role := m.w.value(row.now(m)), widget.Strong
			if row.leading && !m.leads() {
				value, role = "("+value+"…)", widget.Quiet
			}
			return widget.Row{Name: "row:" + strconv.Itoa(i), Cells: []widget.Span{widget.Text.Say(row.words(m.w).Label), role.Say(value)}}
		},
	}
	words := widget.Block{Lines: widget.Wrap(widget.Quiet, settingRows[m.settings.at].words(m.w).Help, min(body.W-4, 76))}.Shift(2, 0)
	return widget.Stack(body,
		widget.Gap(1, 1),
		widget.Slot{Rows: len(settingRows), Draw: list.Render},
		widget.Gap(1, 1),
		widget.Fixed(0, words),
		grow())
}

// value says a value of a setting; what has no word of its own, such as the name
// of a language, says itself.
func (w *Words) value(v string) string {
	if text := w.Values[v]; text != "" {
		return text
	}
	if i := slices.Index(Languages(), v); i >= 0 {
		return languages[i].Itself
	}
	return v
}

// wantsReceipt tells whether an accepted sale prints its receipt by itself.
func (m *model) wantsReceipt(r register.Record) bool {
	return r.Receipt != nil && m.receipts() == "auto"
}
