package tui

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// A key that acts, beyond typing, is held for scanGap when it is a character:
// were it the first of a scan, the second would be here by then.
const scanGap = 31 * time.Millisecond

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
	case m.screen == onSales, m.shown() == onSignIn:
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
	if d := m.dialog(); d != nil && d.field != nil {
		return nil // it was typed where it belongs
	}
	var cmd tea.Cmd
	if m.screen == onRegister && m.reg.Phase == h.before.Phase {
		changed := len(m.reg.Cart.Lines) != len(h.before.Cart.Lines)
		m.untype(h.before)
		if changed {
			cmd = m.perform(register.Save{Cart: m.reg.Cart})
		}
	}
	return tea.Batch(cmd, m.scanned([]byte(text)))
}

// untype brings back what keys change, and leaves what was learnt meanwhile.
func (m *model) untype(before register.Register) {
	r := &m.reg
	r.Entry, r.Times, r.Text, r.Found, r.Pick = before.Entry, before.Times, before.Text, before.Found, before.Pick
	r.Selected, r.Cart, r.Cleared, r.Note = before.Selected, before.Cart, before.Cleared, before.Note
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
			d.field.add(text)
		}
		return nil
	}
	switch m.shown() {
	case onKey:
		return m.redeem(register.Hand{Text: protocol.NewSecret(text)})
	case onSell:
		return m.payOut(register.Hand{Text: protocol.NewSecret(text)})
	case onSales:
		return m.sales.find(m, strings.TrimPrefix(text, "till://sale/"))
	case onRegister:
	case onAttract:
		m.begin()
	case onDevices: // a test; what it says may be a key
		m.say(widget.Good, m.w.f(m.w.ScanSeen, strconv.Itoa(utf8.RuneCountInString(text))))
		return nil
	default:
		m.say(widget.Warn, m.w.ScanNotHere)
		return nil
	}
	if id, ok := strings.CutPrefix(text, "till://sale/"); ok && m.kiosk == nil {
		return tea.Batch(m.goTo(onSales), m.sales.find(m, id))
	}
	return m.happen(register.Scanned{Text: text})
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
