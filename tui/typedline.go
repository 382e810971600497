package tui

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"till/tui/register"
	"till/tui/widget"
)

// What a typed line means, when the program is said and not shown (accessible.go):
//
//	(nothing)   Enter
//	sales       an action that is offered now, by its name, its label or its key
//	12.50       typed; on the register an amount becomes a line, a name is looked up
//	:up f3      these keys, or actions, even in a field
//	=tea        typed as it stands, without Enter
//	<CODE       read by a scanner
//	?           what can be done now;  .  says everything once more
//
// In a field every line but those with a mark is what is typed, with Enter.

// lineSoon is how soon is looked again whether the next line can be taken.
const lineSoon = 20 * time.Millisecond

// nextLine takes the next line as soon as what came before it is done.
func (m *model) nextLine() tea.Cmd {
	a := m.aloud
	if len(a.waiting) == 0 && !a.over {
		return nil
	}
	if m.busy() {
		after := m.o.After(lineSoon)
		return func() tea.Msg {
			<-after
			return lineRetry{}
		}
	}
	if len(a.waiting) == 0 {
		a.over = false
		return m.leave()
	}
	line := a.waiting[0]
	a.waiting, a.since = a.waiting[1:], m.o.Hand()
	m.notice = notice{}
	cmd := tea.Batch(m.line(line), m.refresh(), m.awaitCard(), m.tick())
	m.frame = m.draw()
	m.publish()
	if len(a.waiting) > 0 || a.over {
		cmd = tea.Batch(cmd, func() tea.Msg { return lineRetry{} })
	}
	return cmd
}

// lineMost is how long a line waits for an effect that does not come back, such
// as a question to a server that is away.
const lineMost = 3 * time.Second

// busy tells that the last line is not done yet, or that a message came that has
// to be said first.
func (m *model) busy() bool {
	now := m.o.Hand()
	if m.aloud.under > 0 && now-m.aloud.since < lineMost {
		return true
	}
	return m.seen.Load().Screen == "" || m.people.checking || m.reg.Phase == register.Asking || m.swallows(now, m.hand.last)
}

// line does what a line says.
func (m *model) line(text string) tea.Cmd {
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		m.say(widget.Warn, m.w.ScanRefused)
		return nil
	}
	mark, rest := "", text
	if text != "" {
		mark, rest = text[:1], text[1:]
	}
	switch {
	case text == "?":
		m.aloud.out <- m.offers()
		return nil
	case text == ".":
		m.aloud.repeat = true
		return nil
	case mark == ":" && rest != "":
		return m.pressNamed(strings.Fields(rest))
	case mark == "=" && rest != "":
		return m.pressEach(rest)
	case mark == "<":
		return m.scanned([]byte(rest))
	case text == "":
		return m.press(tea.KeyPressMsg{Code: tea.KeyEnter})
	case m.inField():
		return tea.Batch(m.pressEach(text), m.press(tea.KeyPressMsg{Code: tea.KeyEnter}))
	}
	if row := m.meant(text); row != nil {
		return m.act(row)
	}
	return m.rungLine(text)
}

// inField tells whether what is typed is a text of its own.
func (m *model) inField() bool {
	return m.typesFirst(tea.KeyPressMsg{Code: 'a', Text: "a"})
}

// meant is the row of the key table that a word names, nil none.
func (m *model) meant(text string) *key {
	word := strings.TrimSpace(text)
	for _, k := range m.live() {
		if strings.EqualFold(word, string(k.action)) || strings.EqualFold(word, m.labelOf(k)) {
			return k
		}
	}
	if len([]rune(word)) > 1 || !m.digits() {
		return m.bound(strings.ToLower(word))
	}
	return nil
}

// digits tells whether digits and letters are typed here, not pressed.
func (m *model) digits() bool { return m.types(tea.KeyPressMsg{Code: '1', Text: "1"}) }

// rungLine types a line where typing is taken; an amount on the register becomes a
// line of the cart, a name is looked up, an amount that is asked for is entered. A
// word elsewhere presses nothing: its letters may be keys.
func (m *model) rungLine(text string) tea.Cmd {
	if !m.takesTyping() {
		m.say(widget.Warn, m.w.f(m.w.AloudUnknown, text))
		return nil
	}
	cmd := m.pressEach(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	follow := ActNext
	switch {
	case m.dialog() != nil, m.bound(string(last)) != nil:
		return cmd // 12.50+ and 3* are whole
	case m.shown() == onRegister && m.reg.Text == "":
		follow = ActAdd
	case m.screen == onSales, m.screen == onAddress:
		return cmd
	}
	for _, k := range m.live() {
		if k.action == follow {
			return tea.Batch(cmd, m.act(k))
		}
	}
	return cmd
}

// takesTyping tells whether the screen takes amounts or names.
func (m *model) takesTyping() bool {
	if m.dialog() != nil {
		return false
	}
	switch m.shown() {
	case onRegister, onSales, onAddress, onSell:
		return true
	}
	return m.shown() == onPay && m.reg.Phase == register.Counting
}

// pressNamed presses keys by their names in stories.md.
func (m *model) pressNamed(names []string) tea.Cmd {
	var cmds []tea.Cmd
	for _, name := range names {
		if row := m.meant(name); row != nil {
			cmds = append(cmds, m.act(row))
			continue
		}
		k, ok := strokeNamed(name)
		if !ok {
			m.say(widget.Warn, m.w.f(m.w.AloudUnknown, ":"+name))
			return tea.Batch(cmds...)
		}
		cmds = append(cmds, m.press(k))
	}
	return tea.Batch(cmds...)
}

func (m *model) pressEach(text string) tea.Cmd {
	var cmds []tea.Cmd
	for _, r := range text {
		cmds = append(cmds, m.press(tea.KeyPressMsg{Code: r, Text: string(r)}))
	}
	return tea.Batch(cmds...)
}

// namedKeys are the keys that have names.
var namedKeys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
	"space": {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete}, "insert": {Code: tea.KeyInsert},
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "pgup": {Code: tea.KeyPgUp}, "pgdn": {Code: tea.KeyPgDown},
	"f1": {Code: tea.KeyF1}, "f2": {Code: tea.KeyF2}, "f3": {Code: tea.KeyF3}, "f4": {Code: tea.KeyF4}, "f5": {Code: tea.KeyF5}, "f6": {Code: tea.KeyF6},
	"f7": {Code: tea.KeyF7}, "f8": {Code: tea.KeyF8}, "f9": {Code: tea.KeyF9}, "f10": {Code: tea.KeyF10}, "f11": {Code: tea.KeyF11}, "f12": {Code: tea.KeyF12},
}

// strokeNamed is a key by its name: enter, f3, ctrl+p, +.
func strokeNamed(name string) (tea.KeyPressMsg, bool) {
	if k, ok := namedKeys[strings.ToLower(name)]; ok {
		return k, true
	}
	for prefix, mod := range map[string]tea.KeyMod{"ctrl+": tea.ModCtrl, "alt+": tea.ModAlt} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && utf8.RuneCountInString(rest) == 1 {
			r, _ := utf8.DecodeRuneInString(rest)
			return tea.KeyPressMsg{Code: r, Mod: mod}, true
		}
	}
	if utf8.RuneCountInString(name) != 1 {
		return tea.KeyPressMsg{}, false
	}
	r, _ := utf8.DecodeRuneInString(name)
	return tea.KeyPressMsg{Code: r, Text: name}, true
}

// offers says what can be done now, with the reason where it cannot.
func (m *model) offers() []string {
	var out []string
	for _, k := range m.live() {
		keys := make([]string, len(k.keys))
		for i, s := range k.keys {
			keys[i] = keyName(s)
		}
		line := m.labelOf(k) + " (" + strings.Join(keys, ", ") + "): " + m.w.Keys[k.action].Help
		if why := k.why(m); why != "" {
			line += " (" + why + ")"
		}
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return append(out, m.w.AloudHelp)
}
