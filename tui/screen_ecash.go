package tui

import (
	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// What is on the screen while a customer pays in e-cash: the bill as a code, then
// what the mint says (merchant.md §§3, 8).

// whyNoEcash: without the server there is no bill, but one that is there stays.
func (m *model) whyNoEcash() string {
	if why := m.may(register.Choose{Kind: protocol.TenderEcash}); why != "" || m.reg.Offered(protocol.TenderEcash) {
		return why
	}
	if h := m.facts.health; !h.Online && h.OfflineSince != 0 {
		return m.w.f(m.w.EcashOffline, m.w.clock(m.local(h.OfflineSince)))
	}
	return ""
}

// billAsked is the tender whose bill waits for a customer: of the sale being paid, or
// the tab on the screen.
func (m *model) billAsked() (register.Tender, bool) {
	if s, ok := m.tabAsked(); ok {
		tab, _ := tabOf(s)
		ask := protocol.TenderAdded{Sale: tab.Sale, Tender: tab.Tender, Kind: protocol.TenderEcash, Amount: tab.Max}
		return register.Tender{TenderAdded: ask, Contract: s.Tabs[len(s.Tabs)-1].Contract}, true
	}
	t, ok := m.reg.Ecash()
	return t, ok && m.counting() && t.Contract != nil && !t.AtMint()
}

// besideBill is how wide the words beside a bill are at least.
const besideBill = 36

// billCode draws the bill's code.
func (m *model) billCode(t register.Tender, a widget.Area) (widget.Code, bool) {
	code, ok := m.encoded(t.Contract.URL)
	if !ok {
		return widget.Code{}, false
	}
	return widget.DrawQR(m.theme, a, code)
}

// alone is the room of a code that has the screen to itself but for a row.
func (m *model) alone() widget.Area { return widget.Area{W: m.size.W, H: m.size.H - 1} }

// billAlone reports whether a bill fits on the screen only when it has it to
// itself: it is longer than a bitcoin link.
func (m *model) billAlone() bool {
	t, asked := m.billAsked()
	if !asked {
		return false
	}
	f := widget.Frame{}
	_, beside := m.billCode(t, widget.Area{W: m.size.W - besideBill, H: f.Body(m.size).H})
	_, fits := m.billCode(t, m.alone())
	return fits && !beside
}

// billScreen is the code over one row: amount, state, time left.
func (m *model) billScreen(t register.Tender) widget.Block {
	state, end := widget.Text.Line(m.w.TabOpen), ""
	if m.shown() == onTabs {
		end = m.w.f(m.w.TabUntil, m.w.clock(m.local(t.Contract.Expiry)))
	} else {
		rest, _ := m.left(t)
		state, end = widget.Text.Line(m.w.States[m.reg.Sale.State()]), countdown(rest)
	}
	if h := m.facts.health; !h.Online && h.OfflineSince != 0 {
		state = widget.Warn.Line(m.w.f(m.w.OfflineSince, m.w.clock(m.local(h.OfflineSince))))
	}
	bar := widget.Bar{Left: []widget.Part{{Line: widget.Strong.Line(m.w.moneyIn(t.Amount))}, {Line: widget.Quiet.Line(m.w.Tenders[t.Kind]), Rank: 2}},
		Right: []widget.Part{{Line: state, Rank: 1}, {Line: widget.Text.Line(end)}}}
	row, area := bar.Render(m.size.W), m.alone()
	var body widget.Block
	if t.AtMint() || t.Contract == nil {
		body = m.billWords(t, widget.Area{W: area.W - 2, H: area.H})
	} else if code, fits := m.billCode(t, area); fits {
		body = code.Block
	} else {
		body = widget.Block{Lines: widget.Wrap(widget.Text, m.printIt(), area.W-2)}
	}
	return widget.Stacked(body.Place(area, widget.Center, widget.Center), row)
}

// billView is the code at the left and what the cashier has to know at the right.
func (m *model) billView(t register.Tender, body widget.Area) widget.Block {
	words := func(a widget.Area) widget.Block { return m.billWords(t, a) }
	switch {
	case t.AtMint():
		area := widget.Area{W: min(41, body.W-besideBill), H: body.H}
		big := widget.Big(m.theme, widget.Area{W: area.W - 4, H: area.H}, widget.Warn, m.w.StateBig[protocol.SaleSeen])
		return m.beside(body, big.Place(area, widget.Center, widget.Center), words)
	case t.Contract == nil:
		return words(widget.Area{W: min(body.W-4, 72), H: body.H}).Place(body, widget.Center, widget.Center)
	}
	code, ok := m.billCode(t, widget.Area{W: body.W - besideBill, H: body.H})
	if !ok {
		code.Block = widget.Block{Lines: widget.Wrap(widget.Warn, m.printIt(), 28)}.Shift(2, 1)
	}
	return m.beside(body, code.Block, words)
}

// billWords says the amount, what is being waited for, and how long the bill holds.
func (m *model) billWords(t register.Tender, a widget.Area) widget.Block {
	big := widget.Big(m.theme, widget.Area{W: a.W - 2, H: 5}, widget.Strong, m.w.money(t.Amount))
	rest, all := m.left(t)
	hold := m.countdown(a.W-2, m.w.BillHolds, rest, all)
	switch {
	case t.AtMint(), t.Contract == nil:
		hold = nil
	case rest <= 0:
		hold = widget.Warn.Line(m.w.BillLapsed)
	}
	return widget.Stack(a,
		widget.Gap(3, 1),
		widget.Fixed(1, big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Lines(widget.Strong.Line(m.w.moneyIn(t.Amount)))),
		widget.Gap(4, 1),
		widget.Fixed(0, widget.Block{Lines: m.billLines(t, a.W-1)}),
		grow(),
		widget.Fixed(0, widget.Lines(hold)))
}

// billLines is how far the payment is and what to do.
func (m *model) billLines(t register.Tender, w int) []widget.Line {
	if h := m.facts.health; !h.Online && h.OfflineSince != 0 {
		return widget.Wrap(widget.Warn, "! "+m.w.f(m.w.OfflineSale, m.w.clock(m.local(h.OfflineSince))), w)
	}
	switch {
	case t.AtMint():
		lines := widget.Wrap(widget.Warn, "! "+m.w.sentence(t.Deposit.Reason, t.Deposit.Message), w)
		return append(lines, widget.Wrap(widget.Text, m.w.AtMint, w)...)
	case t.Contract == nil:
		return widget.Wrap(widget.Quiet, m.w.PreparingBill, w)
	}
	return append(widget.Wrap(widget.Text, m.w.ScanEcash, w), widget.Quiet.Line(m.w.WaitingForPayment))
}

// printBill prints the bill for a screen that is too small.
func (m *model) printBill(t register.Tender) tea.Cmd {
	if t.Contract == nil {
		m.say(widget.Text, m.w.PreparingBill)
		return nil
	}
	return m.queuePaper(register.Paper{Kind: register.PaperRequest, Amount: t.Amount, Link: t.Contract.URL}, t.Sale)
}
