package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// tabsScreen is the open tabs, or one of them.
type tabsScreen struct {
	at, offset int
	sale       protocol.SaleID   // the one that is looked at, "" the list
	result     *register.Tab     // how that one ended, until it is acknowledged
	busy       protocol.SaleID   // a round of it is being written
	ending     []protocol.SaleID // their end is being written
}

// look shows one tab.
func (s *tabsScreen) look(id protocol.SaleID) { s.sale, s.result = id, nil }

// ended keeps the end of the tab that is looked at; false when it is another.
func (s *tabsScreen) ended(t register.Tab) bool {
	if s.sale != t.Sale {
		return false
	}
	s.result = &t
	return true
}

// tabsKeys are those of the list and of one tab.
func tabsKeys() []key {
	list := func(m *model) bool { return m.tabs.sale == "" }
	one := func(m *model) bool { return m.tabs.sale != "" && m.tabs.result == nil }
	rung := func(m *model) bool { return one(m) && m.reg.Totals().Total.Minor > 0 }
	return []key{
		{action: ActNext, keys: []string{"enter"}, do: (*model).chooseTab, offered: list, whyNot: func(m *model) string {
			if m.tabs.at < len(m.facts.tabs) {
				return ""
			}
			return m.whyNoTab()
		}},
		{action: ActAcknowledge, keys: []string{"enter"}, do: (*model).tabsBack, offered: func(m *model) bool { return m.tabs.result != nil }},
		{action: ActCharge, keys: []string{"enter"}, do: func(m *model) tea.Cmd { return m.chargeTab(m.lookedAt()) }, offered: rung,
			whyNot: (*model).whyNoRound},
		{action: ActCloseTab, keys: []string{"ctrl+x"}, do: (*model).askCloseTab, offered: one, whyNot: func(m *model) string {
			if m.lookedAt().Over() {
				return m.w.Why[register.WhyTabOver]
			}
			return ""
		}},
		{action: ActPrint, keys: []string{"ctrl+o"}, do: (*model).printTab, whyNot: (*model).whyNoPaper,
			offered: func(m *model) bool { _, ok := m.tabAsked(); return ok }},
		{action: ActBack, keys: []string{"esc"}, do: (*model).tabsBack},
	}
}

// lookedAt is the tab on the screen.
func (m *model) lookedAt() register.Tab {
	for _, s := range m.facts.tabs {
		if t, ok := tabOf(s); ok && t.Sale == m.tabs.sale {
			return t
		}
	}
	return register.Tab{Sale: m.tabs.sale, Charged: protocol.Money{Currency: m.reg.Currency()}}
}

// tabSale is the sale of the tab on the screen.
func (m *model) tabSale() (terminal.Sale, bool) {
	for _, s := range m.facts.tabs {
		if s.ID() == m.tabs.sale {
			return s, true
		}
	}
	return terminal.Sale{}, false
}

// tabAsked is the link of a tab for which no coin is held yet.
func (m *model) tabAsked() (terminal.Sale, bool) {
	if m.shown() != onTabs || m.tabs.result != nil {
		return terminal.Sale{}, false
	}
	s, ok := m.tabSale()
	if !ok {
		return s, false
	}
	t, _ := tabOf(s)
	return s, s.Tabs[len(s.Tabs)-1].Contract != nil && !t.Held() && !t.Over()
}

// whyNoTab: a tab needs what e-cash needs, and a shift.
func (m *model) whyNoTab() string {
	switch h := m.facts.health; {
	case m.reg.Config.Currency == "":
		return m.w.Why[register.WhyNotReady]
	case m.reg.Shift == "":
		return m.w.Why[register.WhyNoShift]
	case m.reg.Config.MerchantURL == "":
		return m.w.Why[register.WhyNoEcash]
	case !h.Online && h.OfflineSince != 0:
		return m.w.f(m.w.EcashOffline, m.w.clock(m.local(h.OfflineSince)))
	}
	return ""
}

func (m *model) whyNoRound() string {
	if m.tabs.busy != "" {
		return m.w.Why[register.WhyWorking]
	}
	why := m.reg.WhyNoRound(m.lookedAt())
	if why == register.WhyAboveTab {
		return m.w.Why[why] + " (" + m.w.f(m.w.TabLeft, m.w.moneyIn(m.lookedAt().Left())) + ")"
	}
	return m.w.Why[why]
}

// toTabs shows the open tabs; without one it asks for the first. What is typed on the
// register becomes a line, as Enter makes it one.
func (m *model) toTabs() tea.Cmd {
	var cmd tea.Cmd
	if m.reg.Text == "" && !m.reg.Entry.Empty() {
		if cmd = m.happen(register.Add{}); !m.reg.Entry.Empty() {
			return cmd
		}
	}
	cmd = tea.Batch(cmd, m.goTo(onTabs))
	m.tabs.at, m.tabs.offset, m.tabs.sale, m.tabs.result = 0, 0, "", nil
	if len(m.facts.tabs) == 0 {
		return tea.Batch(cmd, m.askNewTab())
	}
	return cmd
}

// whyNoTabs: a list that would be empty is not shown when no tab can be opened.
func (m *model) whyNoTabs() string {
	if len(m.facts.tabs) > 0 {
		return ""
	}
	return m.whyNoTab()
}

// tabsBack is one step back.
func (m *model) tabsBack() tea.Cmd {
	if m.tabs.sale != "" && len(m.facts.tabs) > 0 && m.tabs.result == nil {
		m.tabs.sale = ""
		return nil
	}
	m.tabs.sale, m.tabs.result = "", nil
	return m.goTo(onRegister)
}

// chooseTab looks at the chosen tab; the last row is a new one.
func (m *model) chooseTab() tea.Cmd {
	if m.tabs.at < len(m.facts.tabs) {
		m.tabs.look(m.facts.tabs[m.tabs.at].ID())
		return nil
	}
	return m.askNewTab()
}

// usualTab is what a tab may come to unless the cashier says another amount, in units
// of the currency.
const usualTab = 50

// askNewTab asks how much a new tab may come to.
func (m *model) askNewTab() tea.Cmd {
	most := &field{text: strconv.Itoa(usualTab)}
	m.open(&dialog{
		name: "tab", role: widget.Strong, title: m.w.TabLimitTitle, text: m.w.TabLimitText, field: most,
		keys: []key{yes("enter", func(m *model) tea.Cmd {
			amount, err := protocol.ParseMoney(m.reg.Currency(), strings.ReplaceAll(strings.TrimSpace(most.text), ",", "."))
			if err != nil || amount.Minor <= 0 {
				m.say(widget.Warn, m.w.TabLimitBad)
				return m.askNewTab()
			}
			return m.openTab(amount)
		}), no()},
	})
	return nil
}

// askCloseTab closes the tab after a question.
func (m *model) askCloseTab() tea.Cmd {
	t := m.lookedAt()
	text := m.w.TabCloseText
	if t.Unsigned().Minor > 0 {
		text = m.w.f(m.w.TabCloseUnsigned, m.w.moneyIn(t.Unsigned()))
	}
	if t.Charged.Minor == 0 {
		text = m.w.TabCloseEmpty
	}
	return m.ask("close-tab", m.w.f(m.w.TabCloseTitle, m.w.moneyIn(t.Charged)), text, widget.Strong, func(m *model) tea.Cmd { return m.closeTab(t) })
}

// printTab prints the link for a screen that is too small.
func (m *model) printTab() tea.Cmd {
	s, _ := m.tabAsked()
	b := s.Tabs[len(s.Tabs)-1]
	return m.queuePaper(register.Paper{Kind: register.PaperRequest, Amount: b.MaxAmount, Link: b.Contract.URL}, s.ID())
}

// tabsView is the list, or one tab.
func (m *model) tabsView(f *widget.Frame, a widget.Area) widget.Block {
	body, s := f.Body(a), &m.tabs
	switch t := m.lookedAt(); {
	case s.result != nil:
		return m.tabResult(*s.result, body)
	case s.sale != "":
		return m.tabView(t, body)
	}
	open := m.facts.tabs
	s.at = min(s.at, len(open))
	list := widget.List{
		Columns: []widget.Column{
			{Title: m.w.ColumnSale, Align: widget.Right}, {Title: m.w.ColumnTime, Rank: 3}, {Title: m.w.ColumnWhat, Grow: true, Rank: 4},
			{Title: string(m.reg.Currency()), Align: widget.Decimal}, {Title: m.w.ColumnState},
		},
		Len: len(open) + 1, Selected: s.at, Offset: s.offset, Header: true, Point: m.w.Decimal,
		Row: func(i int) widget.Row {
			row := widget.Row{Name: "row:" + strconv.Itoa(i)}
			if i == len(open) {
				row.Cells = []widget.Span{widget.Text.Say("+"), {}, {}, {}, widget.Text.Say(m.w.TabNew)}
				return row
			}
			t, _ := tabOf(open[i])
			role, state := m.tabState(t)
			row.Cells = []widget.Span{
				widget.Quiet.Say(open[i].Opening.Number), widget.Quiet.Say(m.w.clock(m.local(open[i].Opened))),
				widget.Text.Say(linesInWords(open[i].Opening.Lines)), widget.Text.Say(m.w.money(t.Charged)), role.Say(state),
			}
			return row
		},
	}
	area := widget.Area{W: body.W, H: max(0, body.H-1)}
	s.offset = list.Scroll(area.H)
	return widget.Stacked(widget.Lines(nil), list.Render(area))
}

// tabState is how far a tab is, in a few words with a mark.
func (m *model) tabState(t register.Tab) (widget.Role, string) {
	switch {
	case t.State == register.TabLost:
		return widget.Bad, "✗ " + m.w.TabLost
	case t.Closed, t.State == register.TabLapsing, t.State == register.TabPaid:
		return widget.Warn, "! " + m.w.TabClosing
	case !t.Held():
		return widget.Quiet, "· " + m.w.WaitingForPayment
	case t.Unsigned().Minor > 0:
		return widget.Warn, "! " + m.w.f(m.w.TabUnsigned, m.w.money(t.Unsigned()))
	}
	return widget.Good, "✓ " + m.w.TabHeld
}

// tabView is the code to scan, or the rounds at the left and the sums at the right.
func (m *model) tabView(t register.Tab, body widget.Area) widget.Block {
	words := func(a widget.Area) widget.Block { return m.tabWords(t, a) }
	if ask, ok := m.billAsked(); ok {
		code, ok := m.billCode(ask, widget.Area{W: body.W - besideBill, H: body.H})
		if !ok {
			code.Block = widget.Block{Lines: widget.Wrap(widget.Warn, m.printIt(), 28)}.Shift(2, 1)
		}
		return m.beside(body, code.Block, words)
	}
	s, _ := m.tabSale()
	lines := s.Opening.Lines
	list := widget.List{
		Columns: []widget.Column{{Width: 3, Align: widget.Right}, {Grow: true}, {Width: 8, Align: widget.Decimal}},
		Len:     len(lines), Selected: -1, Offset: len(lines), Point: m.w.Decimal, Empty: m.w.TabNoRounds,
		Row: func(i int) widget.Row { return m.cartRow(i, lines[i]) },
	}
	if body.W < 60 {
		h := min(max(len(lines), 1), body.H/2)
		return widget.Stacked(list.Render(widget.Area{W: body.W, H: h}), words(widget.Area{W: body.W, H: body.H - h}).Shift(1, 0))
	}
	cart := cartWidth(body.W)
	return m.columns(body, cart, 2, list.Render(widget.Area{W: cart, H: body.H}), words(widget.Area{W: body.W - cart - 2, H: body.H}))
}

// tabWords says what was charged and signed, what is left, and what to do.
func (m *model) tabWords(t register.Tab, a widget.Area) widget.Block {
	big := widget.Big(m.theme, widget.Area{W: a.W - 2, H: 5}, widget.Strong, m.w.money(t.Charged))
	until := ""
	if t.Until != 0 {
		until = m.w.f(m.w.TabUntil, m.w.clock(m.local(t.Until)))
	}
	facts := []widget.Line{widget.Text.Line(m.w.f(m.w.TabLeft, m.w.moneyIn(t.Left()))), widget.Quiet.Line(until)}
	if t.Charged.Minor > 0 {
		signed := m.w.f(m.w.TabSigned, m.w.money(t.Signed), m.w.moneyIn(t.Charged))
		facts = append([]widget.Line{widget.Strong.Line(signed)}, facts...)
	}
	return widget.Stack(a,
		widget.Gap(3, 1),
		widget.Fixed(1, big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Block{Lines: facts}),
		widget.Gap(4, 1),
		widget.Fixed(0, widget.Block{Lines: m.tabLines(t, a.W-1)}),
		grow())
}

// tabLines is what is being waited for.
func (m *model) tabLines(t register.Tab, w int) []widget.Line {
	rung := m.reg.Totals().Total
	s, _ := m.tabSale()
	waits := len(s.Tabs) > 0 && s.Tabs[len(s.Tabs)-1].Deposit != nil
	switch h := m.facts.health; {
	case !h.Online && h.OfflineSince != 0:
		return widget.Wrap(widget.Warn, "! "+m.w.f(m.w.OfflineSince, m.w.clock(m.local(h.OfflineSince))), w)
	case t.Over() && waits:
		return widget.Wrap(widget.Warn, "! "+m.w.TabAtMint, w)
	case t.Over():
		return widget.Wrap(widget.Text, m.w.TabAsk, w)
	case t.State == "":
		return widget.Wrap(widget.Quiet, m.w.TabPreparing, w)
	case !t.Held():
		return append(widget.Wrap(widget.Text, m.w.f(m.w.TabScan, m.w.moneyIn(t.Max)), w), widget.Quiet.Line(m.w.WaitingForPayment))
	case rung.Minor > 0:
		return widget.Wrap(widget.Strong, "+ "+m.w.moneyIn(rung), w)
	case t.Unsigned().Minor > 0:
		return widget.Wrap(widget.Warn, "! "+m.w.f(m.w.TabUnsigned, m.w.moneyIn(t.Unsigned())), w)
	}
	return widget.Wrap(widget.Good, "✓ "+m.w.TabHeld, w)
}

// tabResult is how a tab ended, readable from two metres.
func (m *model) tabResult(t register.Tab, body widget.Area) widget.Block {
	role, word, text := widget.Good, m.w.Paid, ""
	switch {
	case t.State == register.TabLost:
		role, word, text = widget.Bad, m.w.NotPaid, m.w.f(m.w.TabLostText, m.w.moneyIn(t.Charged))
	case t.Unsigned().Minor > 0:
		role, text = widget.Warn, m.w.f(m.w.TabPart, m.w.moneyIn(t.Signed), m.w.moneyIn(t.Charged))
	}
	lines := []widget.Line{widget.Strong.Line(word+"  "+m.w.moneyIn(t.Signed)).Align(body.W, widget.Center), nil}
	for _, l := range widget.Wrap(widget.Text, text, min(body.W-4, 72)) {
		lines = append(lines, l.Align(body.W, widget.Center))
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 4, H: max(body.H-len(lines)-3, 3)}, role, word)
	return widget.Stack(body, grow(), placed(big), widget.Gap(1, 1), widget.Fixed(0, widget.Lines(lines...)), grow())
}

// tabAlert says what became of a tab that needs a person.
func (m *model) tabAlert(s protocol.TabStatus) (title, text string) {
	charged, signed := protocol.Money{Currency: s.MaxAmount.Currency}, protocol.Money{Currency: s.MaxAmount.Currency}
	if s.Charged != nil {
		charged = *s.Charged
	}
	if s.Signed != nil {
		signed = *s.Signed
	}
	sums := m.w.f(m.w.TabSigned, m.w.money(signed), m.w.moneyIn(charged)) + "\n" + m.w.Paper[register.LabelSale] + " " + m.numberOf(s.Sale)
	if s.State == register.TabLost {
		return m.w.TabLost, sums + "\n" + m.w.f(m.w.TabLostText, m.w.moneyIn(charged))
	}
	return m.w.TabLapsing, sums + "\n" + m.w.TabLapsingText
}
