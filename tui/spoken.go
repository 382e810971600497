package tui

import (
	"slices"
	"strings"

	"till/tui/register"
	"till/tui/widget"
)

// spoken is a screen in words.
type spoken struct {
	Title  string   `json:"title"`  // where, who, what shift
	Dialog []string `json:"dialog"` // what stands over it and takes the keys
	Body   []string `json:"body"`
	Notice string   `json:"notice"` // what was just done, or could not be
	Health []string `json:"health"`
	Keys   string   `json:"keys"` // what can be done now, most important first
}

// describe puts what is on the screen into words.
func (m *model) describe() spoken {
	s := spoken{Title: m.w.Screens[m.shown()]}
	practice := ""
	if m.o.Practice {
		practice = m.w.Practice
	}
	for _, part := range []string{m.userName(), shiftWords(m), practice} {
		if part != "" {
			s.Title += " · " + part
		}
	}
	var f widget.Frame
	body := m.body(&f, m.size)
	s.Body = plainLines(append(slices.Clone(body.Lines), f.Foot.Lines...))
	if link := m.linkAsked(); link != "" {
		s.Body = append(s.Body, "QR: "+link)
	}
	if d := m.dialog(); d != nil {
		s.Dialog = m.dialogLines(d)
	}
	if m.notice.text != "" {
		s.Notice = widget.NoticeMark(m.notice.role).String() + " " + m.notice.text
	}
	for _, mark := range m.healthMarks() {
		text := mark.Text
		if mark.State == widget.Fault {
			text = "! " + text
		}
		s.Health = append(s.Health, text)
	}
	var pairs []string
	for _, k := range m.bottom() {
		if len(pairs) < 6 && !k.Off {
			pairs = append(pairs, k.Key+" "+k.Label)
		}
	}
	s.Keys = strings.Join(append(pairs, "? "+m.w.More), "  ")
	return s
}

func shiftWords(m *model) string {
	if m.facts.shift == 0 {
		return ""
	}
	return m.w.Shift + " " + m.w.number(m.facts.shift*1000)
}

// dialogLines is the question, what is typed into it or chosen from, and its keys.
func (m *model) dialogLines(d *dialog) []string {
	var lines []string
	for _, text := range []string{d.title, d.text} {
		if text != "" {
			lines = append(lines, strings.Split(text, "\n")...)
		}
	}
	if d.field != nil {
		if typed := d.field.input().Text; typed != "" {
			lines = append(lines, typed)
		}
	}
	if d.list != nil {
		list := widget.List{Columns: d.list.cols, Len: len(d.list.rows), Selected: d.list.at, Point: m.w.Decimal, Row: func(i int) widget.Row { return d.list.rows[i] }}
		lines = append(lines, plainLines(list.Render(widget.Area{W: aloudSize.W, H: len(d.list.rows)}).Lines)...)
	}
	return lines
}

// linkAsked is what the code on the screen says, "" none.
func (m *model) linkAsked() string {
	if t, ok := m.billAsked(); ok {
		return t.Contract.URL
	}
	switch m.shown() {
	case onAddress:
		if m.address.lease.Address == "" {
			return ""
		}
		_, due := m.address.amount(m)
		link, _ := m.reg.Link(m.address.lease.Address, due) // an address that does not parse has no link
		return link
	case onPay:
		link, _, _ := m.asks()
		return link
	}
	return ""
}

// plainLines are lines without what only decorates.
func plainLines(lines []widget.Line) []string {
	var out []string
	for _, l := range lines {
		text := strings.TrimSpace(strings.Map(func(r rune) rune {
			if strings.ContainsRune("─━│┃█▀▄▌▐░▒▓╭╮╰╯├┤•", r) {
				return ' '
			}
			return r
		}, l.String()))
		for strings.Contains(text, "   ") {
			text = strings.ReplaceAll(text, "   ", "  ")
		}
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

// tell says what is new: all of a screen that was not there before, else the
// lines that were not.
func (m *model) tell() {
	a := m.aloud
	if m.seen.Load().Screen == "" || m.reg.Phase == register.Asking || m.people.checking || a.left {
		return // a moment between two others
	}
	now := m.describe()
	var lines []string
	whole := now.Title != a.last.Title || a.repeat
	if whole {
		lines = append(lines, "", "== "+now.Title)
	}
	before := a.last.Body
	if whole {
		before = nil
	}
	lines = append(lines, fresh(now.Body, before)...)
	if len(now.Dialog) > 0 && (!slices.Equal(now.Dialog, a.last.Dialog) || a.repeat) {
		if len(a.last.Dialog) == 0 || a.repeat {
			lines = append(lines, "--")
		}
		lines = append(lines, fresh(now.Dialog, a.last.Dialog)...)
	}
	lines = append(lines, a.faults(now.Health)...)
	if now.Notice != "" && now.Notice != a.last.Notice {
		lines = append(lines, now.Notice)
	}
	if now.Keys != a.last.Keys || whole {
		lines = append(lines, "> "+now.Keys)
	}
	a.last, a.repeat = now, false
	if hide := m.hides(); a.echo != nil && hide != a.hidden {
		a.hidden = hide
		a.echo(!hide)
	}
	if len(lines) > 0 {
		a.out <- lines
	}
}

// hides tells whether what is typed now is secret.
func (m *model) hides() bool {
	if d := m.dialog(); d != nil {
		return d.field != nil && d.field.masked
	}
	return m.shown() == onSignIn && m.signing.onPIN || m.screen == onKey && m.inField()
}

// faults are the faults of the health line that are new.
func (a *aloud) faults(health []string) []string {
	var out []string
	now := map[string]bool{}
	for _, text := range health {
		if !strings.HasPrefix(text, "! ") {
			continue
		}
		now[text] = true
		if !a.health[text] {
			out = append(out, text)
		}
	}
	a.health = now
	return out
}

// fresh are the lines that are not among those before.
func fresh(lines, before []string) []string {
	var out []string
	for _, l := range lines {
		if !slices.Contains(before, l) {
			out = append(out, l)
		}
	}
	return out
}
