package tui

import (
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// tenderActions are the actions of the tenders.
var tenderActions = map[protocol.TenderKind]Action{
	protocol.TenderBitcoin: ActBitcoin, protocol.TenderEcash: ActEcash, protocol.TenderCash: ActCash,
	protocol.TenderKey: ActTenderKey, protocol.TenderCard: ActCard, protocol.TenderLightning: ActLightning,
}

// payKeys are those of a sale being paid and of its result.
func payKeys() []key {
	in := func(phases ...register.Phase) func(*model) bool {
		return func(m *model) bool { return slices.Contains(phases, m.reg.Phase) }
	}
	paying := in(register.Choosing, register.Counting, register.Waiting, register.Asking)
	rows := []key{
		offered(sends(ActAcknowledge, register.Next{}, "enter"), in(register.Settled)),
		offered(sends(ActNext, register.Next{}, "enter"), func(m *model) bool { return paying(m) && !m.codeStays() }),
	}
	rows[1].quiet = true
	for i, kind := range register.Kinds() {
		k := sends(tenderActions[kind], register.Choose{Kind: kind}, strconv.Itoa(i+1))
		k.quiet = true
		switch kind {
		case protocol.TenderKey:
			k.do = (*model).toKey
		case protocol.TenderEcash:
			k.whyNot = (*model).whyNoEcash
		}
		choosing := in(register.Choosing, register.Waiting)
		rows = append(rows, offered(k, func(m *model) bool {
			return choosing(m) && slices.Contains(m.kinds(), kind) && !m.codeStays()
		}))
	}
	asking := func(m *model) bool { return m.reg.Phase == register.Waiting && !m.keyPending() }
	return append(rows,
		key{action: ActBack, keys: []string{"esc"}, do: (*model).payBack, offered: paying, whyNot: func(m *model) string {
			if m.reg.Phase == register.Choosing && m.reg.Sale != nil {
				return ""
			}
			return m.may(register.Back{})
		}},
		key{action: ActReprint, keys: []string{"ctrl+r"}, do: (*model).reprintThis, whyNot: (*model).whyNoPaper,
			offered: func(m *model) bool { return m.reg.Phase == register.Settled && m.reg.Outcome.Paid }},
		key{action: ActCancel, keys: []string{"ctrl+x"}, do: (*model).askCancel, offered: paying, whyNot: func(m *model) string {
			return m.may(register.Cancel{})
		}},
		offered(sends(ActPark, register.Park{}, "ctrl+p"), paying),
		key{action: ActPrint, keys: []string{"ctrl+o"}, do: (*model).printRequest, whyNot: (*model).whyNoPaper, offered: asking},
		key{action: ActQR, keys: []string{"ctrl+g"}, offered: asking, do: func(m *model) tea.Cmd {
			m.qrAlone = !m.qrAlone
			return nil
		}},
	)
}

// payBack is Esc: one step back, and a question before an open sale is left.
func (m *model) payBack() tea.Cmd {
	if m.qrAlone {
		m.qrAlone = false
		return nil
	}
	switch {
	case m.reg.Phase == register.Choosing && m.reg.Sale != nil:
		return m.askCancel()
	case m.codeStays():
		return m.askOtherWay()
	}
	return m.happen(register.Back{})
}

// counting tells whether a countdown is on the screen.
func (m *model) counting() bool {
	return m.shown() == onPay && m.reg.Phase == register.Waiting && !m.keyPending()
}

// keyPending reports whether a key's money is what the sale waits for.
func (m *model) keyPending() bool {
	if m.reg.Sale == nil {
		return false
	}
	t, pending := m.reg.Sale.Pending()
	return pending && t.Kind == protocol.TenderKey && !m.reg.Lapsed
}

// left is what remains of the payment window, of e-cash until its bill lapses.
func (m *model) left(t register.Tender) (rest, all time.Duration) {
	all = time.Duration(m.reg.Config.PaymentWindowS) * time.Second
	if t.Contract != nil {
		return t.Contract.Expiry.Sub(protocol.TimeOf(m.now)), all
	}
	return t.At.Add(all).Sub(protocol.TimeOf(m.now)), all
}

// payView draws a sale being paid.
func (m *model) payView(f *widget.Frame, a widget.Area) widget.Block {
	f.Foot = m.checkoutFoot(a)
	switch m.reg.Phase {
	case register.Settled:
		if m.kiosk != nil {
			return m.endView(f.Body(a))
		}
		return m.resultView(f.Body(a))
	case register.Waiting:
		return m.waitingView(f.Body(a))
	case register.Counting:
		return m.cashView(f.Body(a))
	}
	if m.kiosk != nil {
		return m.waysView(f.Body(a))
	}
	return m.choiceView(f.Body(a))
}

// request is the codes of the payment request, each smaller than the one before:
// the link, then the address alone.
func (m *model) request(address string, due protocol.Sat) []widget.Modules {
	var codes []widget.Modules
	for _, amount := range []protocol.Sat{due, 0} {
		link, err := m.reg.Link(address, amount)
		if err != nil {
			continue
		}
		if code, ok := m.encoded(link); ok {
			codes = append(codes, code)
		}
	}
	return codes
}

// encoded is the code of a link; the last few are kept, since every frame asks.
func (m *model) encoded(link string) (device.QRCode, bool) {
	if code, ok := m.codes[link]; ok {
		return code, true
	}
	code, err := device.EncodeQR(link)
	if err != nil {
		return code, false
	}
	if len(m.codes) >= 8 {
		clear(m.codes)
	}
	m.codes[link] = code
	return code, true
}

// qrOnly reports whether a payment request has the screen to itself: below
// 80×24, or when the cashier asks for it.
func (m *model) qrOnly() bool {
	if m.aloud != nil {
		return false
	}
	if m.dialog() != nil || m.size.W >= 80 && m.size.H >= 24 && !m.qrAlone && !m.billAlone() {
		return false
	}
	_, asked := m.tabAsked()
	return asked || m.counting() || m.shown() == onAddress && m.address.lease.Address != ""
}

// qrScreen is the request and one row: amounts, time left, state.
func (m *model) qrScreen() widget.Block {
	if m.shown() == onAddress {
		return m.qrOver(m.address.row(m))
	}
	if t, ok := m.billAsked(); ok {
		return m.billScreen(t)
	}
	if t, ok := m.reg.Ecash(); ok {
		return m.billScreen(t)
	}
	t, _ := m.reg.Bitcoin()
	due := m.reg.Sale.Due(t)
	rest, _ := m.left(t)
	state := widget.Text.Line(m.w.States[m.reg.Sale.State()])
	if m.reg.Sale.Has(protocol.FlagUnderpaid) {
		state = widget.Warn.Line(m.w.Flags[protocol.FlagUnderpaid])
	}
	if h := m.facts.health; !h.Online && h.OfflineSince != 0 {
		state = widget.Warn.Line(m.w.f(m.w.OfflineSince, m.w.clock(m.local(h.OfflineSince))))
	}
	money, coins := widget.Strong.Line(m.w.moneyIn(t.Amount)), widget.Text.Line(m.w.bitcoin(due)+" BTC")
	left := widget.Text.Line(countdown(rest))
	bar := widget.Bar{Left: []widget.Part{{Line: money}, {Line: coins, Rank: 2}}, Right: []widget.Part{{Line: state, Rank: 1}, {Line: left}}}
	// On 40 columns all of it fits when it stands close together.
	for _, gap := range []string{"  ", " "} {
		all := widget.Bar{Left: []widget.Part{{Line: widget.Join(widget.Text.Say(gap), money, coins, state, left)}}}
		if m.size.W < 60 && all.Fits(m.size.W) {
			bar = all
			break
		}
	}
	return m.qrOver(t.Address, due, bar)
}

// qrOver is the code of an address over one row. Where nothing is due any more
// the state stands in its place; where no code fits, the address.
func (m *model) qrOver(address string, due protocol.Sat, bar widget.Bar) widget.Block {
	row, area := bar.Render(m.size.W), widget.Area{W: m.size.W, H: m.size.H - 1}
	if due == 0 && m.shown() == onPay {
		big := widget.Big(m.theme, area, widget.Good, m.w.StateBig[m.reg.Sale.State()])
		return widget.Stacked(big.Place(area, widget.Center, widget.Center), row)
	}
	code, ok := widget.DrawQR(m.theme, area, m.request(address, due)...)
	if !ok {
		text := widget.Block{Lines: widget.Wrap(widget.Text, m.printIt()+"\n\n"+widget.Groups(address, 4), area.W-2)}
		return widget.Stacked(text.Place(area, widget.Center, widget.Center), row)
	}
	return widget.Stacked(code.Place(area, widget.Center, widget.Center), row)
}

// waitingView is the request at the left, as large as the body allows, and what
// the cashier has to know at the right.
func (m *model) waitingView(body widget.Area) widget.Block {
	if m.keyPending() {
		return m.keyWaitingView(body)
	}
	if t, ok := m.reg.Ecash(); ok {
		return m.billView(t, body)
	}
	t, _ := m.reg.Bitcoin()
	due := m.reg.Sale.Due(t)
	const words = 36
	qr := widget.Block{}
	if due > 0 {
		code, ok := widget.DrawQR(m.theme, widget.Area{W: body.W - words, H: body.H}, m.request(t.Address, due)...)
		if !ok {
			text := widget.Wrap(widget.Warn, m.printIt(), 28)
			code.Block = widget.Block{Lines: text}.Shift(2, 1)
		}
		qr = code.Block
	} else {
		area := widget.Area{W: min(41, body.W-words), H: body.H}
		qr = widget.Big(m.theme, widget.Area{W: area.W - 4, H: area.H}, widget.Good, m.w.StateBig[m.reg.Sale.State()]).Place(area, widget.Center, widget.Center)
	}
	return m.beside(body, qr, func(a widget.Area) widget.Block { return m.payWords(t, due, a) })
}

// wordsMost is how wide the words beside a code grow.
const wordsMost = 64

// beside sets words at the right of a code, both in the middle of a large body.
func (m *model) beside(body widget.Area, code widget.Block, words func(widget.Area) widget.Block) widget.Block {
	if m.aloud != nil {
		return words(body)
	}
	size := code.Size()
	h := min(body.H, max(size.H, 19))
	inner := widget.Area{W: min(body.W, size.W+3+wordsMost), H: h}
	right := widget.Area{W: inner.W - size.W - 3, H: h}
	return widget.Columns(inner, size.W, 3, code, words(right)).Place(body, widget.Center, widget.Center)
}

// payWords says the amounts, the price, the address, what has arrived, what that
// means, and how long the price holds.
func (m *model) payWords(t register.Tender, due protocol.Sat, a widget.Area) widget.Block {
	big := widget.Big(m.theme, widget.Area{W: a.W - 2, H: 5}, widget.Strong, m.w.money(t.Amount))
	amounts := []widget.Line{
		{widget.Strong.Say(m.w.bitcoin(t.DueSat)), widget.Quiet.Say(" BTC  =  "), widget.Strong.Say(m.w.money(t.Amount)), widget.Quiet.Say(" " + string(t.Amount.Currency))},
	}
	if t.Quote != nil {
		rate := m.w.money(protocol.Money{Currency: t.Quote.Currency, Minor: int64(t.Quote.Buy)})
		source := ""
		for _, s := range t.Quote.Sources {
			source += " " + s.Name
		}
		amounts = append(amounts, widget.Quiet.Line(rate+" "+string(t.Quote.Currency)+"/BTC"+source))
	}
	rest, all := m.left(t)
	hold := m.countdown(a.W-2, m.w.PriceHolds, rest, all)
	switch {
	case due == 0:
		hold = nil
	case rest <= 0:
		hold = widget.Warn.Line(m.w.PriceLapsed)
	}
	return widget.Stack(a,
		widget.Gap(3, 1),
		widget.Fixed(1, big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Lines(amounts...)),
		widget.Gap(4, 1),
		widget.Fixed(5, widget.Block{Lines: widget.Wrap(widget.Quiet, widget.Groups(t.Address, 4), a.W-1)}),
		widget.Gap(3, 1),
		widget.Fixed(0, widget.Block{Lines: m.arrivedLines(t, due, a.W-1)}),
		grow(),
		widget.Fixed(0, widget.Lines(hold)))
}

// arrivedLines is what came in and the verdict with its reason.
func (m *model) arrivedLines(t register.Tender, due protocol.Sat, w int) []widget.Line {
	s := m.reg.Sale
	received := s.Received(t.Tender)
	lines := []widget.Line{{widget.Quiet.Say(m.w.Received + " "), widget.Text.Say(m.w.bitcoin(received)), widget.Quiet.Say(" BTC")}}
	if due > 0 && received > 0 {
		lines = append(lines, widget.Line{widget.Warn.Say("! " + m.w.StillDue + " "), widget.Strong.Say(m.w.bitcoin(due)), widget.Quiet.Say(" BTC")})
	}
	if h := m.facts.health; !h.Online && h.OfflineSince != 0 {
		lines = append(lines, widget.Wrap(widget.Warn, "! "+m.w.f(m.w.OfflineSale, m.w.clock(m.local(h.OfflineSince))), w)...)
		return lines
	}
	if s.Status == nil {
		return append(lines, widget.Quiet.Line(m.w.WaitingForPayment))
	}
	role := widget.Text
	mark := "· "
	switch {
	case s.Status.Verdict == protocol.VerdictRefuse:
		role, mark = widget.Bad, "✗ "
	case s.Has(protocol.FlagLate), s.Has(protocol.FlagConflict), s.Has(protocol.FlagUnderpaid):
		role, mark = widget.Warn, "! "
	case s.Status.Verdict == protocol.VerdictAccept:
		role, mark = widget.Good, "✓ "
	}
	lines = append(lines, role.Line(mark+m.w.stateWords(s.Status.State, s.Status.Flags)))
	return append(lines, widget.Wrap(widget.Text, m.w.sentence(s.Status.Reason, s.Status.Message), w)...)
}

// choiceView lists the tenders with their keys.
func (m *model) choiceView(body widget.Area) widget.Block {
	kinds := register.Kinds()
	rows := make([]widget.Row, len(kinds))
	inner := widget.Area{W: min(body.W, 80), H: min(body.H, 30)}
	names := 14
	for _, k := range kinds {
		names = max(names, widget.Text.Line("("+m.w.Tenders[k]+"…)").Width())
	}
	room := inner.W - names - len("▸ 1    ")
	for i, k := range kinds {
		why := m.may(register.Choose{Kind: k})
		if k == protocol.TenderEcash {
			why = m.whyNoEcash()
		}
		role, note, name := widget.Text, "", m.w.Tenders[k]
		switch {
		case why != "":
			// Without room for the reason, marked as on the bottom line.
			if role, note = widget.Quiet, why; widget.Text.Line(why).Width() > room {
				note, name = "", "("+name+"…)"
			}
		case k == protocol.TenderBitcoin && m.reg.Offered(k):
			note = m.w.AddressKept
		}
		rows[i] = widget.Row{Name: "do:" + string(tenderActions[k]), Cells: []widget.Span{
			widget.Accent.Say(m.keyFor(onPay, tenderActions[k])), role.Say(name), widget.Quiet.Say(note),
		}}
	}
	list := widget.List{
		Columns: []widget.Column{{}, {Width: names}, {Grow: true, Rank: 1}}, Len: len(rows), Selected: -1,
		Row: func(i int) widget.Row { return rows[i] },
	}
	title := m.w.HowToPay
	if m.reg.Phase == register.Asking {
		title = m.w.Preparing
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 8, H: min(10, max(3, body.H-10))}, widget.Strong, m.w.money(m.reg.CashDue()))
	label := m.w.moneyIn(m.reg.CashDue()) + " · " + m.w.Due
	return widget.Stack(inner,
		grow(),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(1, widget.Lines(widget.Quiet.Line(label).Align(inner.W, widget.Center))),
		grow(),
		widget.Fixed(0, widget.Lines(widget.Strong.Line("  "+title))),
		widget.Gap(1, 1),
		widget.Slot{Rows: len(rows), Min: 3, Draw: list.Render}).Place(body, widget.Center, widget.Center)
}

// cashView is what is given and what goes back.
func (m *model) cashView(body widget.Area) widget.Block {
	due, given := m.reg.CashDue(), m.reg.Amount()
	if m.reg.Entry.Empty() {
		given = due
	}
	_, figure := m.figure()
	if m.reg.Entry.Empty() {
		figure = m.w.money(due)
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 8, H: min(10, max(3, body.H-8))}, widget.Strong, figure)
	back := protocol.Money{Currency: due.Currency, Minor: given.Minor - due.Minor}
	label, role := m.w.Change, widget.Good
	if back.Minor < 0 {
		label, role = m.w.StillDue, widget.Warn
		back.Minor = -back.Minor
	}
	values := widget.Decimals(m.w.Decimal, m.w.money(due), m.w.money(given), m.w.money(back))
	sums := widget.Sums(body.W, min(body.W-4, body.W/2+12),
		widget.Sum{Label: m.w.Due, Amount: values[0], Role: widget.Text},
		widget.Sum{Label: m.w.Given, Amount: values[1], Role: widget.Text},
		widget.Sum{Label: label, Amount: values[2], Role: role})
	return widget.Stack(body,
		grow(),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(1, widget.Lines(widget.Quiet.Line(figure+" "+string(due.Currency)+" · "+m.w.Given).Align(body.W, widget.Center))),
		grow(),
		widget.Fixed(0, sums),
		widget.Gap(1, 1),
		widget.Fixed(0, m.countingHints(due, body.W-4)))
}

// countingHints is what customers mostly give, and what the keys do; for a card
// what to wait for.
func (m *model) countingHints(due protocol.Money, w int) widget.Block {
	if m.reg.Takes == protocol.TenderCard {
		return widget.Block{Lines: widget.Wrap(widget.Quiet, m.w.Staff.CardHint, w)}.Shift(2, 0)
	}
	lines := widget.Wrap(widget.Quiet, m.w.CashHint, w)
	if offers := register.Quick(due); len(offers) > 0 {
		amounts := make([]string, len(offers))
		for i, o := range offers {
			amounts[i] = m.w.money(o)
		}
		text := strings.Join(amounts, "  ")
		if full := text + "   " + m.w.Staff.QuickCash; widget.Text.Line(full).Width() <= w {
			text = full
		}
		lines = append([]widget.Line{widget.Line{widget.Accent.Say("↑↓ "), widget.Text.Say(text)}.Trunc(w)}, lines...)
	}
	return widget.Block{Lines: lines}.Shift(2, 0)
}

// printIt says that the code has to be printed, and with which key.
func (m *model) printIt() string {
	if m.kiosk != nil {
		return m.w.KioskSmall
	}
	return m.w.f(m.w.PrintIt, m.keyFor(onPay, ActPrint))
}

// printRequest prints the payment request for a screen that is too small.
func (m *model) printRequest() tea.Cmd {
	if t, ok := m.reg.Ecash(); ok {
		return m.printBill(t)
	}
	t, ok := m.reg.Bitcoin()
	if !ok {
		return nil
	}
	due := m.reg.Sale.Due(t)
	link, err := m.reg.Link(t.Address, due)
	if err != nil {
		return nil
	}
	return m.queuePaper(register.Paper{
		Kind: register.PaperRequest, Address: t.Address, Amount: t.Amount, AmountSat: due, Link: link,
	}, t.Sale)
}
