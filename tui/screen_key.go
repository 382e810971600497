package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// keyScreen takes a coin, a paper wallet or a card: what it holds, what the sale
// takes of it, where the change goes, one confirmation.
type keyScreen struct {
	flow  register.Redemption
	typed field
}

// keyKeys are those of the key screen. What is typed is text; the questions are
// dialogs.
func keyKeys() []key {
	in := func(phases ...register.KeyPhase) func(*model) bool {
		return func(m *model) bool {
			for _, p := range phases {
				if m.key.flow.Phase == p {
					return true
				}
			}
			return false
		}
	}
	return []key{
		{action: ActAcknowledge, keys: []string{"enter"}, offered: in(register.KeyDone), do: func(m *model) tea.Cmd { return m.redeem(register.Next{}) }},
		{action: ActNext, keys: []string{"enter"}, do: (*model).keyNext, whyNot: (*model).whyNotKeyNext,
			offered: in(register.KeyGathering, register.KeyDoubtful, register.KeyLocked, register.KeyWorking, register.KeyConfirming)},
		{action: ActClear, keys: []string{"delete", "ctrl+w"}, do: func(m *model) tea.Cmd { return m.redeem(register.Erase{}) }, quiet: true,
			whyNot: func(m *model) string { return m.mayKey(register.Erase{}) }, offered: in(register.KeyGathering)},
		{action: ActRecheck, keys: []string{"ctrl+e"}, do: func(m *model) tea.Cmd { return m.settlePayout(m.key.flow.ID) },
			offered: func(m *model) bool {
				return m.key.flow.Phase == register.KeyTaking && m.key.flow.State == protocol.PayoutUnknown
			}},
		{action: ActBack, keys: []string{"esc"}, do: (*model).keyBack},
	}
}

func (m *model) mayKey(e register.Event) string {
	why := m.key.flow.WhyNot(e)
	if why == register.WhyNoQuote {
		return m.noPrice()
	}
	return m.w.why(register.Said{Why: why})
}

// whyNoKeyScreen: a sale that a key cannot pay says so before a key is shown.
func (m *model) whyNoKeyScreen() string {
	if m.reg.Config.Currency == "" {
		return m.w.why(register.Said{Why: register.WhyNotReady})
	}
	_, why := m.reg.Claimable()
	switch {
	case m.raisable():
		return ""
	case why == register.WhyNoQuote:
		return m.noPrice()
	}
	return m.w.why(register.Said{Why: why})
}

// toKey shows the key screen; a redemption that is under way goes on.
func (m *model) toKey() tea.Cmd {
	cmd := m.goTo(onKey)
	if f := m.key.flow; f.Phase == register.KeyGathering && len(f.Keys) == 0 {
		m.key.flow = m.freshKey()
		return tea.Batch(cmd, m.refresh())
	}
	return cmd
}

// freshKey waits for a key; what was swept before is remembered.
func (m *model) freshKey() register.Redemption {
	fresh := m.reg.Redemption()
	fresh.Sent = m.key.flow.Sent
	return fresh
}

// raisable tells whether the sale on the screen is paid by a key whose sweep may
// want a higher fee.
func (m *model) raisable() bool {
	s := m.reg.Sale
	return s != nil && slices.ContainsFunc(m.key.flow.Sent, func(o register.Sent) bool { return o.Tender.Sale == s.Opening.Sale })
}

func (m *model) whyNotKeyNext() string {
	if len(m.key.typed.hidden) > 0 {
		return ""
	}
	return m.mayKey(register.Next{})
}

// keyNext hands over what is typed, else goes on to the confirmation.
func (m *model) keyNext() tea.Cmd {
	if len(m.key.typed.hidden) > 0 {
		return m.redeem(register.Hand{Text: m.key.typed.secret()})
	}
	return m.redeem(register.Next{})
}

// keyBack is one step back: what is typed, then the keys, then the screen.
func (m *model) keyBack() tea.Cmd {
	s := &m.key
	switch {
	case len(s.typed.hidden) > 0:
		s.typed.secret().Wipe()
		return nil
	case s.flow.Phase == register.KeyGathering:
		s.flow.Wipe()
		s.flow = m.freshKey()
	}
	return m.goTo(m.from)
}

// typedKey types on the key screen.
func (m *model) typedKey(k tea.KeyPressMsg) {
	s := &m.key
	s.typed.masked = true
	switch {
	case s.flow.Phase != register.KeyGathering:
	case k.Code == tea.KeyBackspace:
		s.typed.erase()
	case k.Text != "":
		s.typed.add(k.Text)
	}
}

// keyMoved opens the question that a phase asks, and shows what it ends with.
func (m *model) keyMoved(before register.KeyPhase) tea.Cmd {
	if before == register.KeyConfirming {
		m.closeNamed("key-take")
	}
	back := func(m *model) tea.Cmd { return m.redeem(register.Back{}) }
	switch f := m.key.flow; f.Phase {
	case register.KeyDoubtful:
		m.open(&dialog{name: "key-hex", role: widget.Warn, title: m.w.KeyHexTitle, text: m.w.KeyHexText, keys: []key{
			yes("y", func(m *model) tea.Cmd { return m.redeem(register.Confirm{}) }),
			{action: ActBack, keys: []string{"esc", "n"}, do: closing(back)},
		}})
	case register.KeyLocked:
		m.open(&dialog{name: "key-passphrase", role: widget.Strong, title: m.w.KeyLockedTitle, text: m.w.KeyLockedText, field: &field{masked: true}, keys: []key{
			{action: ActConfirm, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
				secret := m.dialog().field.secret()
				if secret.Empty() {
					return nil
				}
				m.close()
				m.say(widget.Text, m.w.KeyOpening)
				return m.redeem(register.Unlock{Passphrase: secret})
			}},
			{action: ActBack, keys: []string{"esc"}, do: closing(back)},
		}})
	case register.KeyConfirming:
		title := m.w.KeyTakeTitle
		if f.Waits() != nil {
			title = m.w.KeyRaiseTitle
		}
		return m.confirmMoney("key-take", title, m.keyQuestion(), func(m *model) tea.Cmd { return m.redeem(register.Confirm{}) }, back)
	case register.KeyDone:
		return m.keyDone()
	}
	return nil
}

// keyQuestion is what y is asked for.
func (m *model) keyQuestion() string {
	f := m.key.flow
	amount, due := f.Takes()
	if s := f.Waits(); s != nil {
		return m.w.f(m.w.KeyRaiseText, m.w.bitcoin(s.Fee))
	}
	if f.Rest.Minor <= 0 {
		return m.w.f(m.w.KeyTakeAll, m.w.bitcoin(f.Usable()), m.w.moneyIn(amount))
	}
	text := m.w.f(m.w.KeyTakeSale, m.w.bitcoin(due), m.w.moneyIn(amount))
	if left := f.Left(); left > 0 {
		if f.Change != "" {
			return text + "\n" + m.w.f(m.w.KeyChangeGoes, m.w.bitcoin(left), widget.Groups(f.Change, 4))
		}
		return text + "\n" + m.w.f(m.w.KeyChangeOwed, m.w.bitcoin(left))
	}
	return text
}

// keyDone: within a sale the verdict is the result, on the register; what went
// back or is owed is printed. Without one the result stays here.
func (m *model) keyDone() tea.Cmd {
	f := m.key.flow
	taken := f.State == protocol.PayoutBroadcast || f.State == protocol.PayoutConfirmed
	var cmds []tea.Cmd
	if r := f.Result; taken && (f.Tender.Tender == "" || r.ChangeSat > 0 || r.RefundOwedSat > 0) {
		slip := &register.Slip{State: f.State, Sat: r.ReceivedSat, Fee: r.FeeSat, Change: r.ChangeSat, To: f.Change, Owed: r.RefundOwedSat, Price: f.Tender.Amount}
		if r.ChangeSat == 0 {
			slip.To = ""
		}
		cmds = append(cmds, m.queuePaper(register.Paper{Kind: register.PaperSweep, TxID: r.TxID, Slip: slip}, f.Tender.Sale))
	}
	if f.Tender.Tender == "" {
		return tea.Batch(cmds...)
	}
	if m.screen == onKey && m.reg.Sale != nil && m.reg.Sale.Opening.Sale == f.Tender.Sale {
		cmds = append(cmds, m.goTo(onRegister))
	}
	cmds = append(cmds, m.redeem(register.Next{}), m.askForNews())
	if !taken {
		m.say(widget.Warn, m.w.Why[register.WhyNotTaken])
	}
	return tea.Batch(cmds...)
}

// keyView is what is there, what it holds and what becomes of it.
func (m *model) keyView(f *widget.Frame, a widget.Area) widget.Block {
	body, k := f.Body(a), m.key.flow
	switch k.Phase {
	case register.KeyTaking:
		return m.bigWord(body, widget.Text, m.w.KeyTakingBig, m.keyTakingLines()...)
	case register.KeyDone:
		if k.State == protocol.PayoutBroadcast || k.State == protocol.PayoutConfirmed {
			return m.bigWord(body, widget.Good, m.w.KeyTaken, m.keyTakenLines()...)
		}
		return m.bigWord(body, widget.Bad, m.w.KeyNotTaken, m.failureWords(k.Failure), m.w.KeyGiveBack)
	}
	return m.gatherView(body)
}

func (m *model) keyTakingLines() []string {
	if k := m.key.flow; k.State == protocol.PayoutUnknown {
		return []string{m.w.KeyUnknown, m.failureWords(k.Failure)}
	}
	return []string{m.w.KeyTaking}
}

func (m *model) keyTakenLines() []string {
	r := m.key.flow.Result
	lines := []string{m.w.PayoutStates[m.key.flow.State]}
	if r.ReceivedSat > 0 {
		lines = append(lines, m.w.f(m.w.KeyReceived, m.w.bitcoin(r.ReceivedSat), m.w.bitcoin(r.FeeSat)))
	}
	if r.RefundOwedSat > 0 {
		lines = append(lines, m.w.Paper[register.LabelOwed]+" "+m.w.bitcoin(r.RefundOwedSat)+" BTC")
	}
	if r.TxID != "" {
		lines = append(lines, m.w.Paper[register.LabelTx]+" "+r.TxID)
	}
	return lines
}

// gatherView lists the keys with what they hold, the sums, and the field that is
// typed into.
func (m *model) gatherView(body widget.Area) widget.Block {
	k, w := m.key.flow, min(body.W-4, 76)
	pair := func(label, value string, role widget.Role) []widget.Line {
		l, v := widget.Quiet.Line(label), role.Line(value)
		if l.Width()+v.Width() >= w { // an amount is never cut
			return []widget.Line{l, v.Align(w, widget.Right)}
		}
		return []widget.Line{append(l.Fit(w-v.Width()), v...)}
	}
	lines := widget.Wrap(widget.Strong, m.w.KeyTitle, w)
	if k.Rest.Minor <= 0 && k.Waits() == nil {
		lines = append(lines, widget.Wrap(widget.Quiet, m.w.KeyNoSale, w)...)
	}
	lines = append(lines, nil)
	for i, h := range k.Keys {
		lines = append(lines, widget.Line{widget.Accent.Say(strconv.Itoa(i+1) + "  "), widget.Text.Say(m.w.KeyKinds[h.What])})
		for _, l := range widget.Wrap(widget.Quiet, widget.Groups(k.Shown(h), 4), w-3) {
			lines = append(lines, append(widget.Line{widget.Text.Say("   ")}, l...))
		}
	}
	switch {
	case len(k.Keys) > 0 && k.Funds == nil && k.Note.Why != register.WhyNotAnswered:
		lines = append(lines, widget.Wrap(widget.Quiet, m.w.KeyAsking, w)...)
	case k.Funds != nil:
		lines = append(append(lines, nil), m.fundsLines(w, pair)...)
	}
	typed := widget.Input{Text: string(m.key.typed.hidden), Cursor: len([]rune(string(m.key.typed.hidden))), Focus: true, Hint: m.w.KeyHint}
	input, _ := typed.Render(w)
	return widget.Stack(body,
		widget.Gap(2, 1),
		widget.Slot{Rows: len(lines), Min: 4, Draw: func(widget.Area) widget.Block { return widget.Block{Lines: lines}.Shift(2, 0) }},
		grow(),
		widget.Fixed(0, m.noteBlock(m.keyWhy(k.Note), w)),
		widget.Fixed(0, input.Shift(2, 0)),
		widget.Gap(3, 1))
}

// noteBlock says what was wrong with the last thing, until the next.
func (m *model) noteBlock(text string, w int) widget.Block {
	if text == "" {
		return widget.Block{}
	}
	return widget.Block{Lines: widget.Wrap(widget.Warn, "! "+text, w)}.Shift(2, 0)
}

// fundsLines is what the keys hold, what is taken of it and where the rest goes.
func (m *model) fundsLines(w int, pair func(label, value string, role widget.Role) []widget.Line) []widget.Line {
	k := m.key.flow
	f := k.Funds
	if s := k.Waits(); s != nil {
		return widget.Wrap(widget.Text, m.w.f(m.w.KeyWaits, m.w.bitcoin(f.ContestedSat), m.w.bitcoin(s.Fee)), w)
	}
	lines := pair(m.w.KeyConfirmed, m.w.bitcoin(f.ConfirmedSat)+" BTC", widget.Text)
	if f.PendingSat != nil && *f.PendingSat > 0 {
		lines = append(lines, pair("! "+m.w.KeyPending, m.w.bitcoin(*f.PendingSat)+" BTC", widget.Warn)...)
	}
	if f.ContestedSat > 0 {
		lines = append(lines, pair("! "+m.w.KeyContested, m.w.bitcoin(f.ContestedSat)+" BTC", widget.Bad)...)
	}
	if f.ConfirmedSat == 0 {
		return lines
	}
	lines = append(lines, pair(m.w.KeyFee, m.w.bitcoin(-f.SweepFeeSat)+" BTC", widget.Quiet)...)
	amount, due := k.Takes()
	if k.Rest.Minor <= 0 {
		worth := m.w.bitcoin(k.Usable()) + " BTC"
		if amount.Minor > 0 {
			worth = m.w.moneyIn(amount) + "  =  " + worth
		}
		return append(append(lines, nil), pair(m.w.KeyShopTakes, worth, widget.Strong)...)
	}
	lines = append(append(lines, nil), pair(m.w.KeySaleTakes, m.w.moneyIn(amount)+"  =  "+m.w.bitcoin(due)+" BTC", widget.Strong)...)
	if short := k.Rest.Minor - amount.Minor; short > 0 {
		missing := protocol.Money{Currency: k.Rest.Currency, Minor: short}
		lines = append(lines, pair("! "+m.w.KeyShort, m.w.moneyIn(missing), widget.Warn)...)
	}
	if left := k.Left(); left > 0 {
		lines = append(lines, pair(m.w.KeyLeft, m.w.bitcoin(left)+" BTC", widget.Text)...)
		if k.Change != "" {
			return append(lines, widget.Wrap(widget.Text, m.w.KeyChangeTo+" "+widget.Groups(k.Change, 4), w)...)
		}
		return append(lines, widget.Wrap(widget.Quiet, m.w.KeyScanChange, w)...)
	}
	return lines
}

// bigWord is a word readable from afar over sentences, in the middle.
func (m *model) bigWord(body widget.Area, role widget.Role, word string, sentences ...string) widget.Block {
	var lines []widget.Line
	for _, s := range sentences {
		if strings.TrimSpace(s) == "" {
			continue
		}
		for _, l := range widget.Wrap(widget.Text, s, min(body.W-4, 72)) {
			lines = append(lines, l.Align(body.W, widget.Center))
		}
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 4, H: max(3, min(10, body.H-len(lines)-3))}, role, word)
	plain := role.Line(word).Align(body.W, widget.Center)
	return widget.Stack(body,
		grow(),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Lines(plain)),
		widget.Fixed(0, widget.Block{Lines: lines}),
		grow())
}

// keyWaitingView is a sale whose key is being taken: no code is to be scanned, the
// verdict is waited for.
func (m *model) keyWaitingView(body widget.Area) widget.Block {
	t, _ := m.reg.Sale.Pending()
	big := widget.Big(m.theme, widget.Area{W: body.W - 8, H: min(10, max(3, body.H-10))}, widget.Strong, m.w.money(t.Amount))
	amounts := widget.Line{widget.Strong.Say(m.w.bitcoin(t.DueSat)), widget.Quiet.Say(" BTC  =  "), widget.Strong.Say(m.w.moneyIn(t.Amount))}
	lines := m.arrivedLines(t, 0, min(body.W-4, 72))
	if m.reg.Sale.Status == nil || m.key.flow.Busy() {
		lines = nil
		for _, text := range m.keyTakingLines() {
			lines = append(lines, widget.Wrap(widget.Text, text, min(body.W-4, 72))...)
		}
	}
	return widget.Stack(body,
		grow(),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Lines(amounts.Align(body.W, widget.Center))),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Block{Lines: lines}.Shift(2, 0)),
		grow())
}
