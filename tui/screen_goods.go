package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// At a kiosk the register shows the goods as large buttons, or the keypad, with
// the cart beside them. It is the same register.

// goodsKeys are the register's keys that only a kiosk has; they come before its
// others.
func goodsKeys() []key {
	picked := func(m *model) bool { return m.reg.Text == "" && m.pickedItem() != nil }
	return []key{
		offered(key{action: ActNext, keys: []string{"enter"}, do: (*model).takePicked}, picked),
		{action: ActPay, keys: []string{"tab"}, do: func(m *model) tea.Cmd { return m.happen(register.Next{}) },
			whyNot: func(m *model) string { return m.may(register.Next{}) }, offered: picked},
		{action: ActAmount, keys: []string{"/"}, do: func(m *model) tea.Cmd {
			m.kiosk.amount, m.kiosk.picked = !m.kiosk.amount, -1
			return nil
		}, offered: func(m *model) bool {
			return m.reg.Text == "" && m.reg.Entry.Empty() && len(m.goods()) > 0
		}, label: func(m *model) string {
			if m.kiosk.amount {
				return m.w.KioskGoods
			}
			return m.w.label(ActAmount)
		}},
		{action: ActBack, keys: []string{"esc"}, do: (*model).startOver, label: (*model).startOverLabel},
	}
}

// goods are the items that have a price of their own: nobody is there to type one.
func (m *model) goods() []protocol.Item {
	var out []protocol.Item
	for _, i := range m.reg.Items {
		if i.Price != nil {
			out = append(out, i)
		}
	}
	return out
}

// padShown tells whether the keypad stands in the place of the goods.
func (m *model) padShown() bool {
	return m.kiosk.amount || !m.reg.Entry.Empty() || len(m.goods()) == 0
}

// pickedItem is the item that the arrows are on, nil none.
func (m *model) pickedItem() *protocol.Item {
	goods := m.goods()
	if k := m.kiosk; k == nil || k.picked < 0 || k.picked >= len(goods) || m.padShown() {
		return nil
	}
	return &goods[m.kiosk.picked]
}

func (m *model) takePicked() tea.Cmd { return m.happen(register.Pick{SKU: m.pickedItem().SKU}) }

// walk moves over the goods; false where an arrow means something else.
func (m *model) walk(k tea.KeyPressMsg) bool {
	n, at := len(m.goods()), m.kiosk.picked
	if m.padShown() || m.reg.Text != "" {
		return false
	}
	switch k.Code {
	case tea.KeyLeft:
		at--
	case tea.KeyRight:
		at++
	case tea.KeyUp:
		at -= max(1, m.kiosk.columns)
	case tea.KeyDown:
		at += max(1, m.kiosk.columns)
	case tea.KeyPgUp:
		at -= max(1, m.kiosk.fits)
	case tea.KeyPgDown:
		at += max(1, m.kiosk.fits)
	default:
		return false
	}
	if m.kiosk.picked < 0 {
		at = m.kiosk.page * m.kiosk.fits
	}
	m.kiosk.picked = min(max(at, 0), n-1)
	return true
}

// turn shows another page of the goods.
func (m *model) turn(by int) {
	k := m.kiosk
	k.page, k.picked = max(0, k.page+by), -1
}

// less takes one piece out of a line of the cart.
func (m *model) less(line int) tea.Cmd {
	lines := m.reg.Cart.Lines
	if line < 0 || line >= len(lines) || !m.reg.Entry.Empty() || m.reg.Text != "" {
		return nil
	}
	pieces := lines[line].Quantity / 1000
	cmd := m.happen(register.Select{Index: line})
	if pieces > 1 {
		cmd = tea.Batch(cmd, m.happen(register.Digits{Text: strconv.FormatInt(pieces-1, 10)}, register.Quantity{}))
	} else {
		cmd = tea.Batch(cmd, m.happen(register.Erase{}))
	}
	if m.reg.Selected >= 0 {
		cmd = tea.Batch(cmd, m.happen(register.Back{}))
	}
	return cmd
}

// startOver is Esc: one step back, from an empty register to the attract screen.
func (m *model) startOver() tea.Cmd {
	switch {
	case m.kiosk.picked >= 0 && m.reg.Text == "" && m.reg.Entry.Empty():
		m.kiosk.picked = -1
		return nil
	case m.reg.Text != "" || !m.reg.Entry.Empty() || m.reg.Selected >= 0 || m.reg.Times > 0:
		return m.happen(register.Back{})
	case m.kiosk.amount:
		m.kiosk.amount = false
		return nil
	case m.reg.Cart.Empty():
		return m.beginAgain()
	}
	return m.ask("start-over", m.w.KioskOverTitle, m.w.KioskOverText, widget.Warn, (*model).beginAgain)
}

func (m *model) startOverLabel() string {
	if m.reg.Text == "" && m.reg.Entry.Empty() && m.kiosk.picked < 0 && !m.kiosk.amount {
		return m.w.KioskOver
	}
	return m.w.label(ActBack)
}

// goodsView draws the register of a kiosk.
func (m *model) goodsView(f *widget.Frame, a widget.Area) widget.Block {
	f.Foot = m.goodsFoot(a)
	body := f.Body(a)
	side := 0
	switch {
	case body.W >= 140:
		side = 44
	case body.W >= 76:
		side = 28
	}
	main := widget.Area{W: body.W, H: body.H}
	if side > 0 {
		main.W -= side + 3
	}
	var left widget.Block
	switch {
	case m.reg.Text != "":
		left = m.searchList(main)
	case m.padShown():
		left = m.typing(main)
	default:
		left = m.goodsGrid(main)
	}
	if side == 0 {
		return left
	}
	return m.columns(body, main.W, 3, left, m.chosenLines(widget.Area{W: side, H: body.H}))
}

// goodsGrid is a page of the goods.
func (m *model) goodsGrid(a widget.Area) widget.Block {
	k, goods := m.kiosk, m.goods()
	size := widget.ButtonSize{W: 16, H: 3, GapX: 2, GapY: 1}
	switch {
	case a.W >= 120:
		size = widget.ButtonSize{W: 34, H: 7, GapX: 4, GapY: 2}
	case a.W >= 90:
		size = widget.ButtonSize{W: 26, H: 5, GapX: 3, GapY: 1}
	case a.W >= 60:
		size = widget.ButtonSize{W: 20, H: 4, GapX: 2, GapY: 1}
	}
	title := widget.Stacked(widget.Lines(widget.Strong.Line(m.w.KioskChoose).Align(a.W, widget.Center)), widget.Block{}.Fit(widget.Area{W: a.W, H: 1}))
	room := widget.Area{W: a.W, H: a.H - len(title.Lines) - 2}
	k.columns = max(1, (room.W+size.GapX)/(size.W+size.GapX))
	k.fits = k.columns * max(1, (room.H+size.GapY)/(size.H+size.GapY))
	pages := (len(goods) + k.fits - 1) / k.fits
	if k.picked >= 0 {
		k.page = k.picked / k.fits
	}
	k.page = min(k.page, pages-1)
	first := k.page * k.fits
	var buttons []widget.Button
	for i, item := range goods[first:min(first+k.fits, len(goods))] {
		buttons = append(buttons, widget.Button{Label: item.Name, Note: m.w.money(*item.Price), Name: "good:" + strconv.Itoa(first+i), Lead: first+i == k.picked})
	}
	grid, _ := widget.Buttons(m.theme, room, size, buttons...)
	return widget.Stacked(title, grid, widget.Block{}.Fit(widget.Area{W: a.W, H: 1}), m.pageRow(a.W, pages))
}

// pageRow turns the pages, for a finger.
func (m *model) pageRow(w, pages int) widget.Block {
	if pages < 2 {
		return widget.Block{}.Fit(widget.Area{W: w, H: 1})
	}
	back, on := widget.Field.Line("   ←   "), widget.Field.Line("   →   ")
	return widget.Bar{
		Left:   []widget.Part{{Line: back, Name: "page:-1"}},
		Center: []widget.Part{{Line: widget.Quiet.Line(m.w.f(m.w.KioskPage, strconv.Itoa(m.kiosk.page+1), strconv.Itoa(pages)))}},
		Right:  []widget.Part{{Line: on, Name: "page:1"}},
	}.Render(w)
}

// chosenLines is the cart; a touch on − takes one piece out.
func (m *model) chosenLines(a widget.Area) widget.Block {
	lines := m.reg.Cart.Lines
	list := widget.List{
		Columns: []widget.Column{{}, {Align: widget.Right}, {Grow: true}, {Align: widget.Decimal}},
		Len:     len(lines), Selected: -1, Point: m.w.Decimal, Empty: m.w.KioskEmpty, Offset: len(lines),
		Row: func(i int) widget.Row {
			row := m.cartRow(i, lines[i])
			row.Name = "less:" + strconv.Itoa(i)
			row.Cells = append([]widget.Span{widget.Accent.Say("-")}, row.Cells...)
			return row
		},
	}
	return widget.Stacked(widget.Block{}.Fit(widget.Area{W: a.W, H: 2}), list.Render(widget.Area{W: a.W, H: max(0, a.H-2)}))
}

// goodsFoot is the total and the large buttons.
func (m *model) goodsFoot(a widget.Area) widget.Block {
	total := m.reg.Total()
	if sum, err := total.Add(m.reg.Amount()); err == nil && m.reg.Text == "" {
		total = sum
	}
	figure := widget.Strong.Line(m.w.moneyIn(total))
	note := ""
	if q := m.reg.Quote; q != nil {
		if due, err := q.Buy.Charge(total.Minor); err == nil && due > 0 {
			note = "=  " + m.w.bitcoin(due) + " BTC"
		}
	}
	pieces := int64(0)
	for _, l := range m.reg.Cart.Lines {
		pieces += l.Quantity / 1000
	}
	left := widget.Quiet.Line(m.w.TotalCapital)
	if pieces > 0 && a.W < 76 {
		left = append(left, widget.Quiet.Say("  "+strconv.FormatInt(pieces, 10)+" ×"))
	}
	sums := widget.Bar{Left: []widget.Part{{Line: left}}, Center: []widget.Part{{Line: widget.Quiet.Line(note), Rank: 1}}, Right: []widget.Part{{Line: figure}}}.Render(a.W)
	height := 3
	if a.H > 40 {
		height = 5
	}
	var buttons []widget.Button
	for _, action := range []Action{ActBack, ActAmount, ActPay} {
		for _, k := range m.live() {
			if k.action != action {
				continue
			}
			buttons = append(buttons, widget.Button{Label: m.labelOf(k), Name: "do:" + string(action), Lead: action == ActPay, Off: k.why(m) != ""})
			break
		}
	}
	return widget.Stacked(sums, widget.Block{}.Fit(widget.Area{W: a.W, H: 1}), widget.ButtonRow(m.theme, widget.Area{W: a.W, H: height}, buttons...))
}

// touchedGoods takes a touch on what only a kiosk draws.
func (m *model) touchedGoods(what, arg string) tea.Cmd {
	n, _ := strconv.Atoi(arg)
	switch what {
	case "good":
		if goods := m.goods(); n >= 0 && n < len(goods) {
			m.kiosk.picked = -1
			return m.happen(register.Pick{SKU: goods[n].SKU})
		}
	case "page":
		m.turn(n)
	case "less":
		return m.less(n)
	case "language":
		m.chooseLanguage(strings.TrimSpace(arg))
	}
	return nil
}
