package tui

import (
	"strconv"
	"strings"
	"time"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/widget"
)

// The smallest screen that is worked on; below it says so.
const (
	leastWidth  = 40
	leastHeight = 20
)

// draw is the frame for the present state.
func (m *model) draw() widget.Block {
	a := m.size
	if a.W <= 0 || a.H <= 0 {
		return widget.Block{}
	}
	if m.qrOnly() {
		return m.qrScreen()
	}
	if a.W < leastWidth || a.H < leastHeight {
		text := widget.Block{Lines: widget.Wrap(widget.Text, m.w.f(m.w.TooSmall, strconv.Itoa(leastWidth), strconv.Itoa(leastHeight)), a.W)}
		return text.Place(a, widget.Center, widget.Center)
	}
	f := widget.Frame{
		Top: m.top(a.W), Health: m.healthMarks(), Keys: m.bottom(),
		More: widget.Key{Key: "?", Label: m.w.More, Name: "do:" + string(ActHelp)},
	}
	if m.kiosk != nil && !m.serving() {
		f.Health = nil // says nothing to a customer
	}
	body := m.body(&f, a)
	frame := f.Render(a, body)
	if m.notice.text != "" {
		frame = m.noticed(frame, len(f.Foot.Lines))
	}
	if d := m.dialog(); d != nil {
		frame = m.dialogOver(d, frame)
	}
	return frame
}

// body is what the screen itself draws.
func (m *model) body(f *widget.Frame, a widget.Area) widget.Block {
	switch m.shown() {
	case onPay:
		return m.payView(f, a)
	case onKey:
		return m.keyView(f, a)
	case onSell:
		return m.sellView(f, a)
	case onAddress:
		return m.addressView(f, a)
	case onTabs:
		return m.tabsView(f, a)
	case onSignIn:
		return m.signInView(f, a)
	case onShift:
		return m.shiftView(f, a)
	case onSales:
		return m.salesView(f, a)
	case onDevices:
		return m.devicesView(f, a)
	case onAlerts:
		return m.alertsView(f, a)
	case onSettings:
		return m.settingsView(f, a)
	case onHelp:
		return m.helpView(f, a)
	case onAbout:
		return m.aboutView(f, a)
	case onAttract:
		return m.attractView(f, a)
	case onService:
		return m.serviceView(f, a)
	case onOutOfService:
		return m.outOfServiceView(f, a)
	}
	if m.kiosk != nil {
		return m.goodsView(f, a)
	}
	return m.registerView(f, a)
}

// noticed sets the notice over the rule above the foot, where no screen has
// anything to say.
func (m *model) noticed(frame widget.Block, foot int) widget.Block {
	size := frame.Size()
	text := widget.Wrap(m.notice.role, m.notice.text, size.W-6)
	w := widget.Block{Lines: text}.Size().W + 1
	if len(text) > 1 {
		w = size.W - 5
	}
	lines := make([]widget.Line, len(text))
	for i, l := range text {
		mark := widget.Text.Say(" ")
		if i == 0 {
			mark = widget.NoticeMark(m.notice.role)
		}
		lines[i] = append(widget.Line{widget.Text.Say(" "), mark, widget.Text.Say(" ")}, l.Fit(w)...)
	}
	return widget.Overlay(frame, widget.Block{Lines: lines}, 1, size.H-2-foot-len(lines))
}

// grow is the room that is left.
func grow() widget.Slot {
	return widget.Slot{Grow: true, Draw: func(widget.Area) widget.Block { return widget.Block{} }}
}

// placed is a block in the middle of its rows.
func placed(b widget.Block) widget.Slot {
	return widget.Slot{Rows: len(b.Lines), Draw: func(a widget.Area) widget.Block { return b.Place(a, widget.Center, widget.Top) }}
}

// top is where, who, what shift; the terminal's name only where it fits whole.
func (m *model) top(w int) widget.Bar {
	if b := m.topBar(m.terminalName()); b.Fits(w) {
		return b
	}
	return m.topBar("")
}

func (m *model) topBar(terminal string) widget.Bar {
	shop := m.reg.Config.Shop.Name
	if shop == "" {
		shop = "Till"
	}
	where := widget.Line{widget.Strong.Say(shop)}
	if terminal != "" && (m.kiosk == nil || m.serving()) {
		where = append(where, widget.Quiet.Say(" · "+terminal))
	}
	who := widget.Line{}
	if name := m.userName(); name != "" {
		who = widget.Quiet.Line(name)
	}
	if m.facts.shift > 0 && (m.kiosk == nil || m.serving()) {
		if len(who) > 0 {
			who = append(who, widget.Quiet.Say(" · "))
		}
		who = append(who, widget.Quiet.Say(m.w.Shift+" "+strconv.FormatInt(m.facts.shift, 10)))
	}
	b := widget.Bar{
		Left:  []widget.Part{{Line: where}},
		Right: []widget.Part{{Line: who, Rank: 2}, {Line: widget.Text.Line(m.w.clock(m.now.In(m.o.Zone))), Name: m.clockTouch()}},
	}
	if name := m.shown(); name != onRegister && name != onPay && name != onAttract && name != onOutOfService {
		b.Center = []widget.Part{{Line: widget.Text.Line(m.w.Screens[name]), Rank: 3}}
	}
	if m.o.Practice {
		b.Right = append([]widget.Part{{Line: widget.Warn.Line(m.w.Practice), Rank: 0}}, b.Right...)
	}
	return b
}

// clockTouch: at a kiosk the staff touch the clock.
func (m *model) clockTouch() string {
	if m.kiosk == nil {
		return ""
	}
	return "do:" + string(ActSettings)
}

// healthMarks is the health line: the server, the price, the addresses, what is
// not sent, the printer, what needs a person.
func (m *model) healthMarks() []widget.Mark {
	h := m.facts.health
	now := protocol.TimeOf(m.now)
	lacking := widget.Fault
	if !h.Online && h.OfflineSince == 0 {
		lacking = widget.Off // it may come with the first answer
	}
	marks := []widget.Mark{m.serverMark()}
	switch {
	case h.Suspended != nil:
		marks = append(marks, widget.Mark{State: widget.Fault, Text: m.w.Suspended})
	case h.Revoked:
		marks = append(marks, widget.Mark{State: widget.Fault, Text: m.w.Revoked})
	}
	if m.reg.Quote == nil {
		marks = append(marks, widget.Mark{State: lacking, Text: m.w.NoRate})
	} else {
		marks = append(marks, widget.Mark{Text: m.w.Rate + " " + m.w.ago(now.Sub(m.reg.Quote.At))})
	}
	addresses := widget.Mark{Text: m.w.f(m.w.Addresses, strconv.FormatInt(h.Addresses, 10))}
	if h.Addresses == 0 {
		addresses.State = lacking
	}
	marks = append(marks, addresses, m.printerMark())
	if m.devices.wait > 1 {
		marks = append(marks, widget.Mark{State: widget.Off, Text: m.w.f(m.w.PapersWait, strconv.Itoa(m.devices.wait)), Name: "do:" + string(ActDevices)})
	}
	switch {
	case h.Unsent > 0 && !h.Online:
		marks = append(marks, widget.Mark{State: widget.Off, Text: m.w.f(m.w.Unsent, strconv.FormatInt(h.Unsent, 10))})
	case h.Unsent == 0:
		marks = append(marks, widget.Mark{Text: m.w.SentAll})
	}
	if h.InDoubt > 0 {
		marks = append(marks, widget.Mark{State: widget.Fault, Text: m.w.f(m.w.InDoubt, strconv.FormatInt(h.InDoubt, 10))})
	}
	if n := len(m.facts.alerts); n > 0 {
		marks = append(marks, widget.Mark{State: widget.Fault, Text: m.w.f(m.w.AlertsWait, strconv.Itoa(n)), Name: "do:" + string(ActAlerts)})
	}
	if h.ClockWrong() {
		marks = append(marks, widget.Mark{State: widget.Fault, Text: m.w.f(m.w.ClockWrong, h.Skew.Round(time.Second).String())})
	}
	return marks
}

func (m *model) serverMark() widget.Mark {
	h := m.facts.health
	switch {
	case h.Tampered != "":
		return widget.Mark{State: widget.Fault, Text: m.w.KeyErased}
	case h.Online:
		return widget.Mark{State: widget.OK, Text: m.w.Server + " " + m.w.ago(protocol.TimeOf(m.now).Sub(h.LastCheckIn))}
	case h.OfflineSince != 0:
		return widget.Mark{State: widget.Fault, Text: m.w.f(m.w.OfflineSince, m.w.clock(m.local(h.OfflineSince)))}
	}
	return widget.Mark{State: widget.Off, Text: m.w.Connecting}
}

// dialogOver draws a dialog over the screen.
func (m *model) dialogOver(d *dialog, frame widget.Block) widget.Block {
	size := frame.Size()
	out := widget.Dialog{Title: d.title, Role: d.role, Text: d.text}
	for i := range d.keys {
		k := &d.keys[i]
		out.Keys = append(out.Keys, widget.Key{Key: keyName(k.keys[0]), Label: m.w.label(k.action), Off: k.why(m) != "", Name: "do:" + string(k.action)})
	}
	if d.field != nil {
		out.Body, _ = d.field.input().Render(min(52, size.W-8))
	}
	if d.pad {
		out.Body = m.padUnder(out.Body, size)
	}
	if d.list != nil {
		area := widget.Area{W: min(52, size.W-8), H: min(len(d.list.rows), max(3, size.H-12))}
		list := widget.List{
			Columns: d.list.cols, Len: len(d.list.rows), Selected: d.list.at, Offset: d.list.offset, Point: m.w.Decimal,
			Row: func(i int) widget.Row { return d.list.rows[i] },
		}
		d.list.offset = list.Scroll(area.H)
		out.Body = list.Render(area)
	}
	return out.Over(frame)
}

// padUnder sets the digits under a field, as large as there is room.
func (m *model) padUnder(field widget.Block, screen widget.Area) widget.Block {
	digit := func(d string) widget.PadKey { return widget.PadKey{Label: d, Name: "type:" + d} }
	pad, ok := widget.Keypad(widget.Area{W: screen.W - 12, H: screen.H - 12},
		[]widget.PadKey{digit("1"), digit("2"), digit("3")}, []widget.PadKey{digit("4"), digit("5"), digit("6")},
		[]widget.PadKey{digit("7"), digit("8"), digit("9")},
		[]widget.PadKey{{Label: "⌫", Name: "erase"}, digit("0"), {Label: m.w.label(ActConfirm), Name: "do:" + string(ActConfirm), Lead: true}})
	if !ok {
		return field
	}
	return widget.Stacked(field, widget.Lines(nil), pad.Place(widget.Area{W: max(field.Size().W, pad.Size().W), H: len(pad.Lines)}, widget.Center, widget.Top))
}

// publish makes the snapshot for scripts.
func (m *model) publish() {
	s := &Seen{Screen: string(m.shown()), Inputs: m.inputs, Alerts: len(m.facts.alerts), Sale: m.seenSale()}
	if m.size.W > 0 && (m.size.W < leastWidth || m.size.H < leastHeight) && !m.qrOnly() {
		s.Screen = string(onTooSmall)
	}
	if m.reg.Currency() == "" || !m.people.begun {
		s.Screen = ""
	}
	if d := m.dialog(); d != nil {
		s.Dialog = d.name
		if d.itself {
			s.Still = min(d.opened+stillMost, max(d.opened, m.hand.last)+stillFor)
		}
		if d.calm {
			s.Still = m.kiosk.touched + calmFor
		}
	}
	for _, k := range m.live() {
		s.Offers = append(s.Offers, Offer{Action: k.action, Key: k.keys[0], Words: m.labelOf(k), Why: k.why(m)})
	}
	if m.aloud != nil && s.Screen != "" {
		words := m.describe()
		s.Spoken = &words
	}
	m.seen.Store(s)
	m.face()
}

// seenSale is the sale that the screen is about: the one being paid, or the
// chosen one of the list.
func (m *model) seenSale() *SeenSale {
	if s := m.reg.Sale; s != nil && m.screen == onRegister {
		out := &SeenSale{ID: string(s.Opening.Sale), Number: s.Opening.Number, State: string(s.State())}
		if t, ok := s.Pending(); ok {
			out.DueSat, out.Received = int64(t.DueSat), int64(s.Received(t.Tender))
		}
		out.take(s.Status)
		return out
	}
	var s terminal.Sale
	ok := false
	switch m.screen {
	case onSales:
		s, ok = m.sales.chosen()
	case onTabs:
		s, ok = m.tabSale()
	}
	if !ok {
		return nil
	}
	state, _ := stateOf(s)
	out := &SeenSale{ID: string(s.ID()), Number: s.Opening.Number, State: string(state)}
	out.take(s.Status)
	return out
}

func (s *SeenSale) take(status *protocol.SaleStatus) {
	if status == nil {
		return
	}
	s.DueSat, s.Received = int64(status.DueSat), int64(status.ReceivedSat)
	s.TxIDs = append(s.TxIDs, status.TxIDs...)
	for _, f := range status.Flags {
		s.Flags = append(s.Flags, string(f))
	}
}

// columns sets two blocks side by side; said, one after the other.
func (m *model) columns(body widget.Area, w, gap int, left, right widget.Block) widget.Block {
	if m.aloud != nil {
		return widget.Stacked(left, right)
	}
	return widget.Columns(body, w, gap, left, right)
}

// countdown is how long something holds still; said, when it ends.
func (m *model) countdown(w int, label string, rest, all time.Duration) widget.Line {
	if m.aloud != nil {
		return widget.Text.Line(label + ": " + m.w.clock(m.now.Add(rest).In(m.o.Zone)))
	}
	return widget.Countdown(w, label, countdown(rest), int64(rest), int64(all))
}

// column is how wide the labels of a screen stand: whole, and apart from what
// they name.
func column(least int, labels ...string) int {
	for _, l := range labels {
		least = max(least, widget.Text.Line(l).Width()+2)
	}
	return least
}

// f puts values into a sentence at its %1, %2, …: languages order them as they
// need.
func (w *Words) f(sentence string, values ...string) string {
	for i, v := range values {
		sentence = strings.ReplaceAll(sentence, "%"+strconv.Itoa(i+1), v)
	}
	return sentence
}
