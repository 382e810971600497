package tui

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/tui/register"
	"till/tui/widget"
)

// A key that acts, beyond typing, is held for scanGap when it is a character:
// were it the first of a scan, the second would be here by then.
const scanGap = 31 * time.Millisecond

// quitTwice is within what time a second Ctrl-C leaves.
const quitTwice = 2 * time.Second

// hand is what is known of the hand at the keyboard.
type hand struct {
	wedge  device.Wedge
	last   time.Duration     // of the last key
	before register.Register // as the register was before the present fast keys
	fast   int               // characters that came one after another without a pause
	held   []tea.KeyPressMsg
	run    uint64 // numbers the waits, so that an old one does nothing
}

// keyed takes a key press. A scanner that types is told from a hand first.
func (m *model) keyed(k tea.KeyPressMsg) tea.Cmd {
	at := m.o.Hand()
	h := &m.hand
	last := h.last
	h.last = at
	if m.swallows(at, last) {
		return nil
	}
	r, typed := character(k)
	if !typed {
		if h.fast > 1 && at-last <= scanGap {
			return nil // a control character inside a scan
		}
		return tea.Batch(m.release(), m.press(k))
	}
	if at-last > scanGap || at < last || h.fast == 0 {
		h.before, h.fast = m.reg, 0
	}
	scan, found := h.wedge.Key(device.Key{Rune: r, At: at})
	if found {
		return m.takeBack(scan.Text)
	}
	h.run++
	if r == '\r' || r == '\t' {
		h.fast = 0
		return tea.Batch(m.release(), m.press(k))
	}
	h.fast++
	if !m.types(k) || len(h.held) > 0 {
		h.held = append(h.held, k)
		return m.pause(scanGap, at)
	}
	cmd := m.press(k)
	if _, may := h.wedge.Wait(); may {
		return tea.Batch(cmd, m.pause(2*scanGap, at))
	}
	return cmd
}

// character is the rune of a key as a scanner would type it.
func character(k tea.KeyPressMsg) (rune, bool) {
	switch {
	case k.Code == tea.KeyEnter && k.Mod == 0:
		return '\r', true
	case k.Code == tea.KeyTab && k.Mod == 0:
		return '\t', true
	case k.Text == "" || utf8.RuneCountInString(k.Text) != 1:
		return 0, false
	}
	r, _ := utf8.DecodeRuneInString(k.Text)
	return r, true
}

// types tells whether a character only types: it can be taken back.
func (m *model) types(k tea.KeyPressMsg) bool {
	if d := m.dialog(); d != nil {
		return d.field != nil
	}
	switch {
	case m.screen == onSales:
		return true
	case m.screen != onRegister || k.Text == "?":
		return false
	}
	return m.reg.Phase == register.Ringing || m.reg.Phase == register.Counting
}

// pause asks again when no key has come for a while.
func (m *model) pause(d time.Duration, at time.Duration) tea.Cmd {
	run, after := m.hand.run, m.o.After(d)
	return func() tea.Msg {
		<-after
		return still{run, at + d}
	}
}

// still tells that no key came after the one of the run.
type still struct {
	run uint64
	at  time.Duration
}

func (s still) apply(m *model) tea.Cmd {
	h := &m.hand
	if s.run != h.run {
		return nil
	}
	if scan, found := h.wedge.Silence(s.at); found {
		return m.takeBack(scan.Text)
	}
	if _, may := h.wedge.Wait(); may && len(h.held) > 0 {
		return m.pause(scanGap, s.at)
	}
	h.fast = 0
	return m.release()
}

// release lets held keys act: a hand pressed them.
func (m *model) release() tea.Cmd {
	held := m.hand.held
	m.hand.held = nil
	var cmds []tea.Cmd
	for _, k := range held {
		cmds = append(cmds, m.press(k))
	}
	return tea.Batch(cmds...)
}

// takeBack undoes what the keys of a scan typed and takes them as data.
func (m *model) takeBack(text string) tea.Cmd {
	h := &m.hand
	h.held, h.fast = nil, 0
	var cmd tea.Cmd
	if m.screen == onRegister && m.reg.Phase == h.before.Phase {
		changed := len(m.reg.Cart.Lines) != len(h.before.Cart.Lines)
		m.reg = h.before
		if changed {
			cmd = m.perform(register.Save{Cart: m.reg.Cart})
		}
	}
	return tea.Batch(cmd, m.scanned([]byte(text)))
}

// scanned takes what a scanner read or a terminal pasted.
func (m *model) scanned(raw []byte) tea.Cmd {
	text, err := device.CheckScan(raw)
	if err != nil {
		m.say(widget.Warn, m.w.ScanRefused)
		return nil
	}
	if d := m.dialog(); d != nil {
		if d.field != nil {
			d.field.text += text
		}
		return nil
	}
	if m.shown() == onSales {
		return m.sales.find(m, strings.TrimPrefix(text, "till://sale/"))
	}
	if m.shown() != onRegister {
		m.say(widget.Warn, m.w.ScanNotHere)
		return nil
	}
	if id, ok := strings.CutPrefix(text, "till://sale/"); ok {
		return tea.Batch(m.goTo(onSales), m.sales.find(m, id))
	}
	return m.happen(register.Scanned{Text: text})
}

// press does what a key is for.
func (m *model) press(k tea.KeyPressMsg) tea.Cmd {
	stroke := strokeOf(k)
	if stroke == "ctrl+c" {
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
	d := m.dialog()
	return d != nil && d.field != nil && k.Text != ""
}

// act does a row of the key table, or says why it cannot be done.
func (m *model) act(row *key) tea.Cmd {
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
	case onAddress:
		return m.address.typed(m, k)
	case onSales:
		return m.sales.typed(m, k)
	case onDevices:
		m.devices.move(m, steps(k, m.frame))
	case onAlerts:
		m.alerts.move(m, steps(k, m.frame))
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
		if runes := []rune(d.field.text); len(runes) > 0 {
			d.field.text = string(runes[:len(runes)-1])
		}
	case d.field != nil && k.Text != "" && utf8.RuneCountInString(d.field.text) < 200:
		d.field.text += k.Text
	case d.list != nil:
		d.list.at = min(max(d.list.at+steps(k, widget.Block{}), 0), max(len(d.list.rows)-1, 0))
	}
}

// clicked takes a click or a touch.
func (m *model) clicked(click tea.MouseClickMsg) tea.Cmd {
	if click.Button != tea.MouseLeft || m.swallows(m.o.Hand(), m.hand.last) {
		return nil
	}
	name, ok := m.frame.At(click.X, click.Y)
	if !ok {
		return nil
	}
	m.notice = notice{}
	what, arg, _ := strings.Cut(name, ":")
	switch what {
	case "do":
		for _, row := range m.live() {
			if row.action == Action(arg) {
				return m.act(row)
			}
		}
	case "type":
		return m.happen(register.Digits{Text: arg})
	case "point":
		return m.happen(register.Point{})
	case "erase":
		return m.happen(register.Erase{})
	case "row":
		i, _ := strconv.Atoi(arg)
		return m.rowClicked(i)
	}
	return nil
}

// rowClicked chooses a row of the list on the screen.
func (m *model) rowClicked(i int) tea.Cmd {
	if d := m.dialog(); d != nil {
		if d.list != nil && i < len(d.list.rows) {
			d.list.at = i
		}
		return nil
	}
	switch m.shown() {
	case onRegister:
		return m.happen(register.Select{Index: i})
	case onSales:
		m.sales.at = i
	case onDevices:
		m.devices.at = i
	case onAlerts:
		m.alerts.at = i
	}
	return nil
}

// wheeled moves a list.
func (m *model) wheeled(w tea.MouseWheelMsg) tea.Cmd {
	code := tea.KeyDown
	if w.Button == tea.MouseWheelUp {
		code = tea.KeyUp
	}
	return m.typed(tea.KeyPressMsg{Code: code})
}

// listenToScans waits for a serial scanner.
func (m *model) listenToScans() tea.Cmd {
	scans := m.o.Scans
	if scans == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case text := <-scans:
			return scannedText(text)
		case <-m.ended:
			return nil
		}
	}
}

// scannedText is what a serial scanner read.
type scannedText string

func (s scannedText) apply(m *model) tea.Cmd {
	return tea.Batch(m.listenToScans(), m.scanned([]byte(s)))
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
