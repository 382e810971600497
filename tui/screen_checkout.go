package tui

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// How a customer pays at a kiosk, and how it ended: the register's flow in words
// for a customer, one large thing at a time.

// onlyWay spares the customer a choice of one.
func (m *model) onlyWay(before register.Phase) tea.Cmd {
	if m.kiosk == nil || before != register.Ringing || m.reg.Phase != register.Choosing || m.reg.Sale != nil {
		return nil
	}
	var open []protocol.TenderKind
	for _, kind := range m.kinds() {
		if m.whyNotKind(kind) == "" {
			open = append(open, kind)
		}
	}
	if len(open) != 1 || open[0] == protocol.TenderKey {
		return nil
	}
	return m.happen(register.Choose{Kind: open[0]})
}

// checkoutFoot is the way back, for a finger, where there is room beside a code.
func (m *model) checkoutFoot(a widget.Area) widget.Block {
	if m.kiosk == nil || a.H < 30 {
		return widget.Block{}
	}
	var buttons []widget.Button
	for _, k := range m.live() {
		switch k.action {
		case ActBack, ActAcknowledge:
			buttons = append(buttons, widget.Button{Label: m.w.label(k.action), Name: "do:" + string(k.action), Off: k.why(m) != "", Lead: k.action == ActAcknowledge})
		}
	}
	return widget.ButtonRow(m.theme, widget.Area{W: a.W, H: 3}, buttons...)
}

// waysView is the amount and the ways to pay as large buttons.
func (m *model) waysView(body widget.Area) widget.Block {
	title := m.w.KioskPay
	if m.reg.Phase == register.Asking {
		title = m.w.Preparing
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 8, H: max(3, body.H/3)}, widget.Strong, m.w.money(m.reg.CashDue()))
	var buttons []widget.Button
	if m.reg.Phase != register.Asking {
		for _, k := range m.live() {
			for i, kind := range register.Kinds() {
				if k.action != tenderActions[kind] {
					continue
				}
				why := k.why(m)
				buttons = append(buttons, widget.Button{Key: strconv.Itoa(i + 1), Label: m.w.Tenders[kind], Note: why, Name: "do:" + string(k.action), Lead: why == "" && len(buttons) == 0, Off: why != ""})
			}
		}
	}
	room := widget.Area{W: min(body.W-4, 64), H: body.H - len(big.Lines) - 6}
	height := 3
	if n := max(len(buttons), 1); room.H >= n*6 {
		height = 5
	} else if room.H < n*4-1 {
		height = 2
	}
	column, _ := widget.Buttons(m.theme, widget.Area{W: room.W, H: len(buttons)*(height+1) - 1}, widget.ButtonSize{W: room.W, H: height, GapY: 1}, buttons...)
	return widget.Stack(body,
		grow(),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Lines(widget.Quiet.Line(m.w.moneyIn(m.reg.CashDue())).Align(body.W, widget.Center))),
		widget.Gap(3, 1),
		widget.Fixed(0, widget.Lines(widget.Strong.Line(title).Align(body.W, widget.Center))),
		widget.Gap(1, 1),
		placed(column),
		grow())
}

// endView is the word PAID or NOT PAID, what to do next, and when it begins again.
func (m *model) endView(body widget.Area) widget.Block {
	o, s := m.reg.Outcome, m.reg.Sale
	role, word := widget.Good, m.w.Paid
	amount := "  " + m.w.moneyIn(m.reg.Total())
	next := []string{m.w.KioskThanks}
	if m.o.Spool == nil {
		next = []string{m.w.KioskThanksPaperless}
	}
	if !o.Paid {
		role, word = widget.Bad, m.w.NotPaid
		next = []string{m.w.sentence(o.Reason, o.Message)}
		switch {
		case s.Ended == protocol.EntrySalePaid:
			next = append(next, m.w.f(m.w.KioskFailed, s.Opening.Number))
		case s.Status != nil && s.Status.ReceivedSat > 0:
			next = append(next, m.w.KioskPaidPart, m.w.f(m.w.KioskFailed, s.Opening.Number))
		default:
			next = append(next, m.w.KioskTryAgain)
		}
	}
	sum := widget.Strong.Line(word + amount)
	if t, ok := s.Pending(); ok && t.DueSat > 0 {
		if both := append(sum, widget.Strong.Say("  =  "+m.w.bitcoin(t.DueSat)+" BTC")); both.Width() <= body.W {
			sum = both
		}
	}
	lines := []widget.Line{sum.Align(body.W, widget.Center), nil}
	for _, text := range next {
		for _, l := range widget.Wrap(widget.Text, text, min(body.W-4, 72)) {
			lines = append(lines, l.Align(body.W, widget.Center))
		}
	}
	begins := widget.Line{}
	if left, waits := m.rests(); waits {
		begins = widget.Quiet.Line(m.w.f(m.w.KioskBackIn, strconv.Itoa(int((max(left, 0)+time.Second-1)/time.Second)))).Align(body.W, widget.Center)
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 4, H: max(3, body.H-len(lines)-4)}, role, word)
	return widget.Stack(body,
		grow(),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(0, widget.Lines(lines...)),
		grow(),
		widget.Fixed(1, widget.Lines(begins)),
		widget.Gap(3, 1))
}
