package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// resultView is the word PAID or NOT PAID, readable from two metres, why, and
// what to do next.
func (m *model) resultView(body widget.Area) widget.Block {
	o := m.reg.Outcome
	role, word, next := widget.Good, m.w.Paid, m.w.HandOver
	why := m.w.sentence(o.Reason, o.Message)
	if s := m.reg.Sale; s != nil && s.Status != nil && o.Paid {
		why = m.w.stateWords(s.Status.State, s.Status.Flags) + ": " + m.w.sentence(s.Status.Reason, s.Status.Message)
	}
	if lot := m.lotWords(); lot != "" && o.Paid {
		why = lot
	}
	if !o.Paid {
		role, word, next = widget.Bad, m.w.NotPaid, m.w.PayAnotherWay
		if m.reg.Sale.Ended == protocol.EntrySalePaid {
			next = m.w.KeepTheGoods
		}
	}
	amount := word + "  " + m.w.moneyIn(m.reg.Total())
	if s := m.reg.Sale; s != nil {
		if t, ok := s.Pending(); ok && t.DueSat > 0 {
			amount += "\n=  " + m.w.bitcoin(t.DueSat) + " BTC"
		}
	}
	if one := strings.ReplaceAll(amount, "\n", "  "); widget.Text.Line(one).Width() <= body.W-2 {
		amount = one
	}
	var lines []widget.Line
	for _, l := range widget.Wrap(widget.Strong, amount, body.W) {
		lines = append(lines, l.Align(body.W, widget.Center))
	}
	lines = append(lines, nil)
	for i, l := range widget.Wrap(widget.Text, why, min(body.W-4, 72)) {
		if i == 0 && why != "" {
			l = append(widget.Line{widget.NoticeMark(role), widget.Text.Say(" ")}, l...)
		}
		lines = append(lines, l.Align(body.W, widget.Center))
	}
	for _, l := range widget.Wrap(widget.Quiet, next, min(body.W-4, 72)) {
		lines = append(lines, l.Align(body.W, widget.Center))
	}
	room := body.H - len(lines) - 2
	var change widget.Block
	if o.Change.Minor > 0 {
		// What goes back is read from afar too.
		label := widget.Text.Line(m.w.Change+"  "+m.w.moneyIn(o.Change)).Align(body.W, widget.Center)
		large := widget.Big(m.theme, widget.Area{W: body.W - 4, H: max((room-3)/2, 3)}, widget.Strong, m.w.money(o.Change))
		hand := m.piecesLine(o.Change, body.W-4).Align(body.W, widget.Center)
		change = widget.Stacked(widget.Lines(nil, label, hand), large.Place(widget.Area{W: body.W, H: len(large.Lines)}, widget.Center, widget.Top))
		room -= len(change.Lines)
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 4, H: max(room, 3)}, role, word)
	return widget.Stack(body,
		grow(),
		placed(big),
		widget.Fixed(0, change),
		widget.Gap(1, 1),
		widget.Fixed(0, widget.Lines(lines...)),
		grow())
}

// lotWords says how the lot fell for an amount that is paid by one, "" for any other
// (merchant.md §5).
func (m *model) lotWords() string {
	t, ok := m.reg.Ecash()
	if !ok || !t.Lot() {
		return ""
	}
	return m.w.sentence(t.Deposit.Reason, t.Deposit.Message)
}

// piecesLine is the change as the fewest notes and coins: 1 × 5.00   2 × 0.20.
func (m *model) piecesLine(change protocol.Money, w int) widget.Line {
	var parts []string
	for _, p := range register.Pieces(change) {
		parts = append(parts, strconv.FormatInt(p.Count, 10)+" × "+m.w.money(p.Of))
	}
	for _, gap := range []string{"   ", "  "} {
		if l := widget.Quiet.Line(strings.Join(parts, gap)); l.Width() <= w {
			return l
		}
		for i := range parts {
			parts[i] = strings.ReplaceAll(parts[i], " × ", "×")
		}
	}
	return nil
}

// reprintThis prints the receipt of the sale on the screen once more.
func (m *model) reprintThis() tea.Cmd {
	return m.queuePaper(m.reg.Receipt(*m.reg.Sale, m.userName(), m.reg.Outcome.Change), m.reg.Sale.Opening.Sale)
}
