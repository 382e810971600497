package tui

import (
	"context"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// sellScreen pays coins out: amount, method, approval, limits left. It gives
// refunds too.
type sellScreen struct {
	flow   register.Payout
	typed  string           // an address
	wallet *register.Wallet // the key that was made, until it is on paper
	stop   context.CancelFunc
	again  bool          // the card that was written is to be swiped once more
	wrong  int           // approvals in a row that were wrong
	free   time.Duration // when the next may be tried, by the hand's clock
}

// sellKeys are those of the sell screen.
func sellKeys() []key {
	in := func(phases ...register.SellPhase) func(*model) bool {
		return func(m *model) bool {
			for _, p := range phases {
				if m.sell.flow.Phase == p {
					return true
				}
			}
			return false
		}
	}
	refund := func(is bool, when func(*model) bool) func(*model) bool {
		return func(m *model) bool { return when(m) && (m.sell.flow.Refund != nil) == is }
	}
	send := func(a Action, e register.Event, when func(*model) bool, keys ...string) key {
		return key{action: a, keys: keys, offered: when, do: func(m *model) tea.Cmd { return m.payOut(e) }, whyNot: func(m *model) string { return m.maySell(e) }}
	}
	return []key{
		send(ActAcknowledge, register.Next{}, in(register.SellDone), "enter"),
		send(ActNext, register.Next{}, in(register.SellPricing), "enter"),
		send(ActUnit, register.Unit{}, refund(false, in(register.SellPricing)), "tab"),
		send(ActRate, register.Unit{}, refund(true, in(register.SellPricing)), "tab"),
		send(ActCash, register.Cash{}, refund(true, in(register.SellChoosing)), "1"),
		send(ActPrint, register.Deliver{Method: protocol.MethodPrinter}, refund(false, in(register.SellChoosing)), "1"),
		send(ActToCard, register.Deliver{Method: protocol.MethodMagcard}, refund(false, in(register.SellChoosing)), "2"),
		send(ActBitcoin, register.Deliver{Method: protocol.MethodAddress}, refund(true, in(register.SellChoosing)), "2"),
		send(ActAddress, register.Deliver{Method: protocol.MethodAddress}, refund(false, in(register.SellChoosing)), "3"),
		{action: ActNext, keys: []string{"enter"}, do: (*model).sellTyped, offered: in(register.SellAddressing), whyNot: func(m *model) string {
			return m.maySell(register.Hand{Text: protocol.NewSecret(m.sell.typed)})
		}},
		{action: ActApprove, keys: []string{"enter"}, do: (*model).askApprover, offered: in(register.SellReviewing), whyNot: (*model).whyNoApproval},
		{action: ActRecheck, keys: []string{"ctrl+e"}, offered: in(register.SellPaying, register.SellDone),
			do:     func(m *model) tea.Cmd { return m.settlePayout(m.sell.flow.Order.ID) },
			whyNot: func(m *model) string { return m.whyNoRecheck() }, quiet: true},
		{action: ActCancel, keys: []string{"esc"}, offered: in(register.SellMaking), do: func(m *model) tea.Cmd {
			m.sell.stop()
			return nil
		}},
		{action: ActBack, keys: []string{"esc"}, do: (*model).sellBack,
			offered: func(m *model) bool { return m.sell.flow.Phase != register.SellMaking }},
	}
}

func (m *model) maySell(e register.Event) string {
	switch why := m.sell.flow.WhyNot(e); why {
	case register.WhyNoQuote:
		return m.noPrice()
	case register.WhyAboveLimit, register.WhyAboveDay:
		return m.w.Why[why] + m.limitWords()
	default:
		return m.w.Why[why]
	}
}

func (m *model) whyNoRecheck() string {
	if m.sell.flow.State == protocol.PayoutUnknown {
		return ""
	}
	return m.w.why(register.Said{Why: register.WhyNotHere})
}

func (m *model) whyNoSellScreen() string {
	if m.reg.Config.Currency == "" {
		return m.w.why(register.Said{Why: register.WhyNotReady})
	}
	return ""
}

// toSell shows the sell screen; a payout that is under way goes on.
func (m *model) toSell() tea.Cmd {
	cmd := m.goTo(onSell)
	if m.sell.flow.Phase != register.SellPricing {
		return cmd
	}
	m.sell.flow, m.sell.typed = m.reg.Payout(), ""
	return tea.Batch(cmd, m.refresh())
}

// sellBack is one step back; from the first it leaves the screen.
func (m *model) sellBack() tea.Cmd {
	switch f := m.sell.flow; {
	case m.sell.typed != "" && f.Phase == register.SellAddressing:
		m.sell.typed = ""
		return nil
	case f.WhyNot(register.Back{}) == "":
		return m.payOut(register.Back{})
	case f.Phase == register.SellPricing:
		m.sell.flow = m.reg.Payout()
	}
	return m.goTo(m.from)
}

// typedSell types the amount or the address.
func (m *model) typedSell(k tea.KeyPressMsg) tea.Cmd {
	s := &m.sell
	switch s.flow.Phase {
	case register.SellPricing:
		switch {
		case k.Code == tea.KeyBackspace:
			return m.payOut(register.Erase{})
		case len(k.Text) == 1 && k.Text >= "0" && k.Text <= "9":
			return m.payOut(register.Digits{Text: k.Text})
		case k.Text == "." || k.Text == ",":
			return m.payOut(register.Point{})
		}
	case register.SellChoosing:
		// A letter is the beginning of an address.
		if k.Text != "" && m.maySell(register.Deliver{Method: protocol.MethodAddress}) == "" {
			s.typed = k.Text
			return m.payOut(register.Deliver{Method: protocol.MethodAddress})
		}
	case register.SellAddressing:
		switch {
		case k.Code == tea.KeyBackspace:
			_, n := utf8.DecodeLastRuneInString(s.typed)
			s.typed = s.typed[:len(s.typed)-n]
		case k.Text != "" && len(s.typed) < maxField:
			s.typed += k.Text
		}
	}
	return nil
}

// sellTyped hands the typed address over.
func (m *model) sellTyped() tea.Cmd {
	text := m.sell.typed
	m.sell.typed = ""
	return m.payOut(register.Hand{Text: protocol.NewSecret(text)})
}

// sellMoved opens the question that a phase asks, and shows what it ends with.
func (m *model) sellMoved(before register.SellPhase) tea.Cmd {
	if before == register.SellConfirming {
		m.closeNamed("sell-pay")
	}
	switch f := m.sell.flow; f.Phase {
	case register.SellPricing, register.SellReviewing: // back, too, when the price lapses
		m.closeNamed("approve")
		m.closeNamed("approve-code")
		if f.Failure.Code == protocol.CodeAuthcodeWrong {
			m.sell.wrong++
			wait := time.Second << min(m.sell.wrong-1, 5)
			m.sell.free = m.o.Hand() + wait
			return ripenAt(m.o.After(wait))
		}
	case register.SellConfirming:
		return m.confirmMoney("sell-pay", m.w.SellPayTitle, m.sellQuestion(),
			func(m *model) tea.Cmd { return m.payOut(register.Confirm{}) }, func(m *model) tea.Cmd { return m.payOut(register.Back{}) })
	case register.SellDone:
		m.sell.wrong = 0
		return m.sellDone()
	}
	return nil
}

// sellQuestion is what y is asked for.
func (m *model) sellQuestion() string {
	f := m.sell.flow
	price, _ := f.Priced()
	if f.Method == "" {
		return m.w.f(m.w.SellPayCash, m.w.moneyIn(price), f.Approver.Name)
	}
	to := widget.Groups(f.Order.Address, 4)
	switch {
	case f.Method != protocol.MethodAddress:
		to = m.w.Methods[f.Method]
	case f.Refund == nil:
		to += "\n" + m.w.SellTakeMoney
	}
	return m.w.f(m.w.SellPayText, m.w.bitcoin(f.Order.AmountSat), m.w.moneyIn(price), f.Approver.Name) + "\n" + to
}

// limitWords say what the shop allows, "" where nothing is limited.
func (m *model) limitWords() string {
	l := m.reg.Config.Limits
	text := ""
	if l.PerPayout != nil {
		text = " · " + m.w.f(m.w.SellLimit, m.w.moneyIn(*l.PerPayout))
	}
	if left := m.facts.health.PayoutLeft; left != nil {
		text += " · " + m.w.f(m.w.SellLeft, m.w.moneyIn(*left))
	}
	return text
}

// sellView is the amount large, what is decided below it, and what to do now.
func (m *model) sellView(f *widget.Frame, a widget.Area) widget.Block {
	body, s := f.Body(a), m.sell.flow
	switch s.Phase {
	case register.SellMaking:
		switch {
		case s.Method == protocol.MethodMagcard && m.sell.again:
			return m.bigWord(body, widget.Text, m.w.SellCheckBig, m.w.SellCheck)
		case s.Method == protocol.MethodMagcard:
			return m.bigWord(body, widget.Text, m.w.SellSwipeBig, m.w.SellSwipe)
		}
		return m.bigWord(body, widget.Text, m.w.SellMakingBig, m.w.SellMaking)
	case register.SellPaying:
		if s.State == protocol.PayoutUnknown {
			return m.bigWord(body, widget.Warn, m.w.SellPayingBig, m.w.SellUnknown, m.failureWords(s.Failure))
		}
		return m.bigWord(body, widget.Text, m.w.SellPayingBig, m.w.SellPaying)
	case register.SellDone:
		return m.sellResult(body)
	}
	price, sat := s.Priced()
	figure := m.w.money(price)
	if s.Satoshi {
		figure = m.w.bitcoin(s.Entry.Sat())
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 8, H: min(8, max(3, body.H-12))}, widget.Strong, figure)
	title := m.w.SellTitle
	if s.Refund != nil {
		title = m.w.f(m.w.RefundTitle, s.Refund.Number)
	}
	lines := m.sellLines(price, sat, min(body.W-4, 76))
	input := widget.Block{}
	if s.Phase == register.SellAddressing {
		input, _ = widget.Input{Text: m.sell.typed, Cursor: utf8.RuneCountInString(m.sell.typed), Focus: true, Hint: m.w.SellScan}.Render(min(body.W-4, 76))
	}
	return widget.Stack(body,
		widget.Gap(3, 1),
		widget.Fixed(0, widget.Block{Lines: widget.Wrap(widget.Strong, title, body.W-3)}.Shift(2, 0)),
		grow(),
		placed(big),
		widget.Gap(2, 1),
		grow(),
		widget.Fixed(0, widget.Block{Lines: lines}.Shift(2, 0)),
		grow(),
		widget.Fixed(0, m.noteBlock(m.w.why(s.Note), min(body.W-4, 76))),
		widget.Fixed(0, input.Shift(2, 0)),
		widget.Gap(3, 1))
}

// sellLines say what is decided, and what is asked now.
func (m *model) sellLines(price protocol.Money, sat protocol.Sat, w int) []widget.Line {
	s := m.sell.flow
	labels := column(14, m.w.SellAmount, m.w.SellTo, m.w.SellApproved)
	if s.Refund != nil {
		labels = column(labels, m.w.RefundOldRate, m.w.RefundNowRate)
	} else {
		labels = column(labels, m.w.SellRate)
	}
	pair := func(label, value string, role widget.Role) widget.Line {
		return append(widget.Quiet.Line(label).Fit(labels), role.Say(value))
	}
	lines := []widget.Line{pair(m.w.SellAmount, m.w.moneyIn(price), widget.Strong)}
	if coins := m.w.bitcoin(sat) + " BTC"; sat > 0 && w < 50 {
		lines = append(lines, pair("", coins, widget.Strong))
	} else if sat > 0 {
		lines[0] = append(lines[0], widget.Strong.Say("  =  "+coins))
	}
	switch {
	case s.Refund != nil:
		lines = append(lines, pair("", m.w.f(m.w.RefundMost, m.w.moneyIn(s.Refund.Most)), widget.Quiet))
		if owed := s.Refund.Owed; owed.Minor > 0 {
			lines = append(lines, pair("", m.w.f(m.w.RefundOwed, m.w.moneyIn(owed)), widget.Text))
		}
		if rate, ok := s.Refund.Rate(s.Quote); ok {
			which := m.w.RefundOldRate
			if s.Refund.Now {
				which = m.w.RefundNowRate
			}
			lines = append(lines, pair(which, m.w.money(protocol.Money{Currency: price.Currency, Minor: int64(rate)})+" "+string(price.Currency)+"/BTC", widget.Quiet))
		}
	case s.Quote != nil:
		rate := m.w.money(protocol.Money{Currency: s.Quote.Currency, Minor: int64(s.Quote.Sell)})
		lines = append(lines, pair(m.w.SellRate, rate+" "+string(s.Quote.Currency)+"/BTC", widget.Quiet))
	default:
		lines = append(lines, widget.Wrap(widget.Warn, "! "+m.noPrice(), w)...)
	}
	if words := m.limitWords(); words != "" && s.Refund == nil {
		lines = append(lines, widget.Wrap(widget.Quiet, words[len(" · "):], w)...)
	}
	lines = append(lines, nil)
	if s.Phase == register.SellChoosing {
		return append(lines, m.methodLines(w)...)
	}
	if s.Phase >= register.SellReviewing {
		to := m.w.Methods[s.Method]
		if s.Method == protocol.MethodAddress {
			to = widget.Groups(s.Order.Address, 4)
		}
		for i, l := range widget.Wrap(widget.Text, to, w-labels) {
			label := ""
			if i == 0 {
				label = m.w.SellTo
			}
			lines = append(lines, append(widget.Quiet.Line(label).Fit(labels), l...))
		}
		if s.Failure.Code != "" {
			lines = append(lines, widget.Wrap(widget.Bad, "! "+m.failureWords(s.Failure), w)...)
		}
		if s.Approver.ID == "" {
			return append(lines, widget.Wrap(widget.Quiet, m.w.SellApprove, w)...)
		}
		lines = append(lines, pair(m.w.SellApproved, s.Approver.Name, widget.Text))
	}
	return lines
}

// methodLines are the ways to the customer, with the reason where one is shut.
func (m *model) methodLines(w int) []widget.Line {
	type way struct {
		action Action
		words  string
		event  register.Event
	}
	ways := []way{
		{ActPrint, m.w.Methods[protocol.MethodPrinter], register.Deliver{Method: protocol.MethodPrinter}},
		{ActToCard, m.w.Methods[protocol.MethodMagcard], register.Deliver{Method: protocol.MethodMagcard}},
		{ActAddress, m.w.Methods[protocol.MethodAddress], register.Deliver{Method: protocol.MethodAddress}},
	}
	title := m.w.SellHow
	if m.sell.flow.Refund != nil {
		title = m.w.RefundHow
		ways = []way{{ActCash, m.w.Methods[""], register.Cash{}}, {ActBitcoin, m.w.Methods[protocol.MethodAddress], ways[2].event}}
	}
	lines := widget.Wrap(widget.Strong, title, w)
	for _, x := range ways {
		role, why := widget.Text, m.maySell(x.event)
		if why != "" {
			role = widget.Quiet
		}
		line := widget.Line{widget.Accent.Say(m.keyFor(onSell, x.action) + "  "), role.Say(x.words), widget.Quiet.Say("   " + why)}
		if why == "" || line.Width() <= w {
			lines = append(lines, line)
			continue
		}
		lines = append(lines, line[:2])
		for _, l := range widget.Wrap(widget.Quiet, why, w-3) {
			lines = append(lines, append(widget.Line{widget.Text.Say("   ")}, l...))
		}
	}
	return lines
}

// sellResult is PAID OUT or NOT PAID OUT, why, and what to do next.
func (m *model) sellResult(body widget.Area) widget.Block {
	s := m.sell.flow
	price, _ := s.Priced()
	if s.State != protocol.PayoutBroadcast && s.State != protocol.PayoutConfirmed {
		why := m.failureWords(s.Failure)
		next := m.w.SellKeepMoney
		if s.Method == protocol.MethodPrinter {
			next += " " + m.w.SellPaperVoid
		}
		return m.bigWord(body, widget.Bad, m.w.SellNotPaid, why, next)
	}
	if s.Method == "" {
		return m.bigWord(body, widget.Good, m.w.SellPaid, m.w.moneyIn(price), m.w.SellGiveCash)
	}
	amount := m.w.bitcoin(s.Order.AmountSat) + " BTC"
	if s.Order.Price != nil {
		amount += "  =  " + m.w.moneyIn(*s.Order.Price)
	}
	lines := []string{amount, m.w.PayoutStates[s.State]}
	if s.Result.TxID != "" {
		lines = append(lines, m.w.Paper[register.LabelTx]+" "+s.Result.TxID)
	}
	switch s.Method {
	case protocol.MethodPrinter:
		lines = append(lines, m.w.SellHandPaper)
	case protocol.MethodMagcard:
		lines = append(lines, m.w.Paper[register.LabelStripe])
	}
	return m.bigWord(body, widget.Good, m.w.SellPaid, lines...)
}
