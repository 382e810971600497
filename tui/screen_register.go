package tui

import (
	"context"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// sends makes a key that sends an event to the register.
func sends(action Action, e register.Event, keys ...string) key {
	return key{
		action: action, keys: keys,
		do:     func(m *model) tea.Cmd { return m.happen(e) },
		whyNot: func(m *model) string { return m.may(e) },
	}
}

// registerKeys are those of the cart. No action here is a letter: letters search.
func registerKeys() []key {
	searching := func(m *model) bool { return m.reg.Text != "" }
	ringing := func(m *model) bool { return m.reg.Text == "" }
	rows := []key{
		offered(sends(ActNext, register.Next{}, "enter"), searching),
		offered(sends(ActPay, register.Next{}, "enter"), func(m *model) bool { return ringing(m) && m.pickedItem() == nil }),
		sends(ActAdd, register.Add{}, "+"),
		offered(sends(ActQuantity, register.Quantity{}, "*"), ringing),
		offered(sends(ActDiscount, register.Discount{}, "%"), ringing),
		offered(sends(ActDeduct, register.Deduct{}, "-"), ringing),
		offered(sends(ActTip, register.Tip{}, "ctrl+t"), ringing),
		offered(sends(ActPark, register.Park{}, "ctrl+p"), ringing),
		{action: ActRecall, keys: []string{"ctrl+r"}, do: (*model).askRecall, whyNot: (*model).whyNoRecall, offered: ringing},
		{action: ActTabs, keys: []string{"ctrl+k"}, do: (*model).toTabs, whyNot: (*model).whyNoTabs, offered: ringing},
		offered(sends(ActUndo, register.Undo{}, "ctrl+z"), ringing),
		offered(sends(ActClear, register.Clear{}, "delete", "ctrl+w"), ringing),
		{action: ActNote, keys: []string{"ctrl+n"}, do: (*model).askNote, offered: ringing, whyNot: func(m *model) string { return m.may(register.Note{}) }},
		offered(sends(ActPrice, register.Price{}, "="), ringing),
		offered(sends(ActBack, register.Back{}, "esc"), func(m *model) bool {
			return m.reg.Text != "" || !m.reg.Entry.Empty() || m.reg.Selected >= 0 || m.reg.Times > 0
		}),
	}
	for i, k := range rows {
		switch k.action {
		case ActPay, ActNext:
		case ActPrice:
			rows[i].right, rows[i].quiet = register.MayPrice, true
		case ActDiscount:
			rows[i].right, rows[i].quiet = register.MayDiscount, true
		default:
			rows[i].quiet = true
		}
	}
	return rows
}

func offered(k key, when func(*model) bool) key {
	k.offered = when
	return k
}

// registerView draws the cart at the left and what is typed at the right.
func (m *model) registerView(f *widget.Frame, a widget.Area) widget.Block {
	t := m.reg.Totals()
	f.Foot = m.sums(a.W, t)
	body := f.Body(a)
	if a.W < 60 || m.aloud != nil {
		return m.narrowRegister(body)
	}
	cart := cartWidth(body.W)
	side := body.W - cart - 2
	var third widget.Block
	if a.W >= wideRecent {
		side = min(side, sideMost)
		third = m.recentSales(widget.Area{W: body.W - cart - side - 4, H: body.H})
	}
	left := m.cart(widget.Area{W: cart, H: body.H})
	if m.reg.Text != "" {
		left = m.searchList(widget.Area{W: cart, H: body.H})
	}
	right := m.typing(widget.Area{W: side, H: body.H})
	if len(third.Lines) > 0 {
		return widget.Beside(2, left, right, third)
	}
	return m.columns(body, cart, 2, left, right)
}

// sideMost is how wide the right side grows, where more is free.
const sideMost = 64

// cartWidth is what the cart has of w columns.
func cartWidth(w int) int { return min(max(w/2, 40), 64) }

// narrowRegister has no room for the picture of the keypad.
func (m *model) narrowRegister(body widget.Area) widget.Block {
	top := m.cart
	if m.reg.Text != "" {
		top = m.searchList
	}
	label, figure := m.figure()
	big := widget.Big(m.theme, widget.Area{W: body.W - 4, H: 3}, widget.Strong, figure)
	return widget.Stack(body,
		widget.Slot{Rows: 4, Min: 2, Grow: true, Draw: top},
		widget.Gap(3, 1),
		widget.Slot{Rows: len(big.Lines), Draw: func(a widget.Area) widget.Block {
			return big.Place(widget.Area{W: a.W - 2, H: a.H}, widget.Right, widget.Top)
		}},
		widget.Fixed(1, widget.Lines(widget.Quiet.Line(label).Align(body.W-2, widget.Right))))
}

// figure is the number that is large: what is typed, else what is due.
func (m *model) figure() (label, figure string) {
	c := string(m.reg.Currency())
	if m.reg.Entry.Empty() {
		figure = m.w.money(m.reg.Total())
		return strings.TrimSpace(figure+" "+c) + " · " + m.w.Total, figure
	}
	figure = m.w.money(m.reg.Amount())
	if e := m.reg.Entry; e.Point {
		figure = e.Whole + m.w.Decimal + e.Frac
		if e.Whole == "" {
			figure = "0" + figure
		}
	}
	return figure + " " + c + " · " + m.w.Typed, figure
}

// typing is the right side: the figure large, and the keypad.
func (m *model) typing(a widget.Area) widget.Block {
	label, figure := m.figure()
	if m.reg.Times > 0 {
		label = m.w.number(m.reg.Times) + " × " + label
	}
	big := widget.Big(m.theme, widget.Area{W: a.W, H: max(5, min(10, a.H-10))}, widget.Strong, figure)
	pad, _ := widget.Keypad(widget.Area{W: a.W, H: a.H - len(big.Lines) - 4}, m.pad()...)
	return widget.Stack(a,
		widget.Gap(2, 1),
		placed(big),
		widget.Gap(2, 1),
		widget.Fixed(1, widget.Lines(widget.Quiet.Line(label).Align(a.W, widget.Center))),
		grow(),
		widget.Slot{Rows: len(pad.Lines), Rank: 1, Draw: func(a widget.Area) widget.Block { return pad.Place(a, widget.Center, widget.Top) }})
}

func (m *model) pad() [][]widget.PadKey {
	digit := func(d string) widget.PadKey { return widget.PadKey{Label: d, Name: "type:" + d} }
	if m.kiosk != nil { // the rest stands on large buttons
		return [][]widget.PadKey{
			{digit("7"), digit("8"), digit("9")}, {digit("4"), digit("5"), digit("6")}, {digit("1"), digit("2"), digit("3")},
			{digit("00"), digit("0"), {Label: "⌫", Name: "erase"}},
		}
	}
	act := func(label string, a Action) widget.PadKey {
		return widget.PadKey{Label: label, Name: "do:" + string(a)}
	}
	pay := act(m.w.label(ActPay), ActPay)
	pay.Lead = true
	return [][]widget.PadKey{
		{digit("7"), digit("8"), digit("9"), {Label: "⌫", Name: "erase"}},
		{digit("4"), digit("5"), digit("6"), act("×", ActQuantity)},
		{digit("1"), digit("2"), digit("3"), act("+", ActAdd)},
		{digit("0"), digit("00"), {Label: m.w.Decimal, Name: "point"}, pay},
	}
}

// cart is the lines, the newest in sight.
func (m *model) cart(a widget.Area) widget.Block {
	lines := m.reg.Cart.Lines
	list := widget.List{
		Columns: []widget.Column{{Width: 3, Align: widget.Right}, {Grow: true}, {Width: 8, Align: widget.Decimal}},
		Len:     len(lines), Selected: m.reg.Selected, Point: m.w.Decimal, Empty: m.w.CartEmpty,
		Row: func(i int) widget.Row { return m.cartRow(i, lines[i]) },
	}
	if m.reg.Selected < 0 {
		list.Offset = len(lines)
	}
	note := m.reg.Cart.Note
	if note == "" || a.H < 4 {
		return list.Render(a)
	}
	rows := min(max(len(lines), 1), a.H-1)
	foot := widget.Lines(widget.Line{widget.Text.Say("       "), widget.Quiet.Say("“" + note + "”")}.Trunc(a.W))
	return widget.Stacked(list.Render(widget.Area{W: a.W, H: rows}), foot)
}

func (m *model) cartRow(i int, l protocol.Line) widget.Row {
	amount, err := l.Total()
	if err != nil {
		amount = protocol.Money{Currency: l.Price.Currency}
	}
	name := l.Name
	if l.Discount != nil {
		name += "  −" + m.w.money(*l.Discount)
		if l.Reason != "" {
			name += " " + l.Reason
		}
	}
	return widget.Row{Name: "row:" + strconv.Itoa(i), Cells: []widget.Span{
		widget.Quiet.Say(m.w.number(l.Quantity)), widget.Text.Say(name), widget.Text.Say(m.w.money(amount)),
	}}
}

// searchList is what typing found.
func (m *model) searchList(a widget.Area) widget.Block {
	found := m.reg.Found
	head, _ := widget.FilterLine(a.W, m.reg.Text, len([]rune(m.reg.Text)), true, m.w.f(m.w.FoundCount, strconv.Itoa(len(found))))
	list := widget.List{
		Columns: []widget.Column{{Grow: true}, {Rank: 2}, {Width: 8, Align: widget.Decimal}},
		Len:     len(found), Selected: m.reg.Pick, Point: m.w.Decimal, Empty: m.w.NothingFound,
		Row: func(i int) widget.Row {
			item := found[i].Item
			name, price, about := item.Name, "", item.Category
			if left, counted := m.reg.Left(item); counted {
				about = m.w.f(m.w.StockLeft, strconv.FormatInt(max(left, 0), 10))
			}
			if found[i].Option != "" {
				name += ", " + found[i].Option
			}
			switch {
			case found[i].Open:
				name, price = m.w.f(m.w.OpenItemNamed, item.Name), m.w.money(m.reg.Amount())
			case item.Price != nil:
				price = m.w.money(*item.Price)
			case !m.reg.Entry.Empty():
				price = m.w.money(m.reg.Amount())
			}
			return widget.Row{Name: "row:" + strconv.Itoa(i), Cells: []widget.Span{
				widget.Text.Say(name), widget.Quiet.Say(about), widget.Text.Say(price),
			}}
		},
	}
	return widget.Stacked(head, list.Render(widget.Area{W: a.W, H: max(0, a.H-1)}))
}

// sums are the totals at the foot.
func (m *model) sums(w int, t register.Totals) widget.Block {
	amounts := []string{m.w.money(t.Lines), m.w.money(m.reg.Total())}
	values := widget.Decimals(m.w.Decimal, amounts...)
	note := ""
	if q := m.reg.Quote; q != nil {
		if due, err := q.Buy.Charge(m.reg.Total().Minor); err == nil && due > 0 {
			note = "= " + m.w.bitcoin(due) + " BTC"
		}
	}
	at := w - 2
	if w >= 60 {
		at = cartWidth(w)
		w = min(w, at+2+sideMost)
	}
	return widget.Sums(w, at,
		widget.Sum{Label: m.w.Subtotal, Amount: values[0], Note: m.sumNote(t, w-at-3), Role: widget.Quiet},
		widget.Sum{Label: m.w.TotalCapital, Amount: values[1], Note: note, Role: widget.Strong})
}

// sumNote says what is in the total beside the lines, as much as has room.
func (m *model) sumNote(t register.Totals, room int) string {
	var parts []string
	if t.Discount.Minor != 0 {
		parts = append(parts, m.w.Discount+" −"+m.w.money(t.Discount))
	}
	if t.Tip.Minor != 0 {
		parts = append(parts, m.w.Tip+" "+m.w.money(t.Tip))
	}
	rate := m.w.Tax
	if len(t.Tax) == 1 {
		rate += " " + m.w.percent(t.Tax[0].RateBP)
	}
	if t.Included.Minor != 0 {
		parts = append(parts, rate+" "+m.w.Included+" "+m.w.money(t.Included))
	}
	if t.Added.Minor != 0 {
		parts = append(parts, rate+" + "+m.w.money(t.Added))
	}
	for len(parts) > 1 && widget.Text.Line(strings.Join(parts, " · ")).Width() > room {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, " · ")
}

// recentSales is the newest sales, for wide screens.
func (m *model) recentSales(a widget.Area) widget.Block {
	sales := m.facts.recent
	list := widget.List{
		Columns: []widget.Column{{}, {Grow: true}, {Align: widget.Decimal}, {}},
		Len:     len(sales), Selected: -1, Point: m.w.Decimal, Empty: m.w.NoSales,
		Row: func(i int) widget.Row { return m.saleRow(sales[i], false) },
	}
	head := widget.Lines(nil, widget.Quiet.Line("  "+m.w.RecentSales), nil)
	return widget.Stacked(head, list.Render(widget.Area{W: a.W, H: max(0, a.H-3)}))
}

// askNote types a note for the receipt.
func (m *model) askNote() tea.Cmd {
	if line := m.reg.Discounted; line >= 0 {
		return m.askReason(line)
	}
	note := &field{text: m.reg.Cart.Note}
	m.open(&dialog{
		name: "note", role: widget.Strong, title: m.w.NoteTitle, field: note,
		keys: []key{yes("enter", func(m *model) tea.Cmd { return m.happen(register.Note{Text: note.text}) }), no()},
	})
	return nil
}

// askReason types why a line just got its discount.
func (m *model) askReason(line int) tea.Cmd {
	reason := &field{}
	m.open(&dialog{
		name: "reason", role: widget.Strong, title: m.w.ReasonTitle, field: reason,
		keys: []key{yes("enter", func(m *model) tea.Cmd { return m.happen(register.Reason{Line: line, Text: reason.text}) }), no()},
	})
	return nil
}

func (m *model) whyNoRecall() string {
	if len(m.facts.parked) == 0 {
		return m.w.NothingParked
	}
	return m.may(register.Recall{Sale: register.Sale{Opening: protocol.SaleOpened{Sale: "any"}}})
}

// askRecall chooses one of the parked sales, or takes the only one.
func (m *model) askRecall() tea.Cmd {
	parked := m.facts.parked
	if len(parked) == 1 {
		return m.recall(parked[0])
	}
	list := &choice{cols: []widget.Column{{}, {Grow: true}, {Align: widget.Decimal}}}
	for i, s := range parked {
		row := m.saleRow(s, false)
		list.rows = append(list.rows, widget.Row{Name: "row:" + strconv.Itoa(i), Cells: row.Cells[:3]})
	}
	m.open(&dialog{
		name: "recall", role: widget.Strong, title: m.w.RecallTitle, list: list,
		keys: []key{yes("enter", func(m *model) tea.Cmd { return m.recall(parked[list.at]) }), no()},
	})
	return nil
}

// recall reads a parked sale and takes it up.
func (m *model) recall(s terminal.Sale) tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		sale, err := saleOf(ctx, m.o.Terminal, s)
		if err != nil {
			return failed{"read sale", err}
		}
		return recalled{sale}
	})
}

// recalled is a parked sale that was read.
type recalled struct{ sale register.Sale }

func (r recalled) apply(m *model) tea.Cmd { return m.happen(register.Recall{Sale: r.sale}) }
