package widget

import (
	"os"
	"strings"
	"testing"
)

// matrix is a QR code read from testdata/*.qr: a row a line, # dark. They were
// made at level L: uri.qr and long.qr are payment URIs
// (versions 3 and 6), address.qr is the address alone (version 3).
type matrix []string

func (m matrix) Size() int          { return len(m) }
func (m matrix) Dark(x, y int) bool { return m[y][x] == '#' }

func loadQR(t testing.TB, name string) matrix {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".qr")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// scene is a screen as the program would compose it.
type scene struct {
	name string
	draw func(testing.TB, *Theme, Area) Block
}

func scenes() []scene {
	return []scene{
		{"register", registerScene}, {"pay", payScene}, {"paid", paidScene},
		{"notpaid", notPaidScene}, {"sales", salesScene}, {"confirm", confirmScene},
		{"help", helpScene}, {"signin", signInScene},
	}
}

func shopFrame() Frame {
	return Frame{
		Top: Bar{
			Left: []Part{
				{Line: Line{Strong.Say("Café Central"), Quiet.Say(" · counter 1")}},
			},
			Right: []Part{
				{Line: Quiet.Line("Anna · shift 12"), Rank: 1},
				{Line: Text.Line("14:32")},
			},
		},
		Health: []Mark{
			{OK, "3 s", "health.server"}, {Plain, "rate 12 s", ""}, {Plain, "20 addresses", ""},
			{Plain, "printer ready", ""}, {Plain, "sent all", ""},
		},
		More: Key{Key: "?", Label: "more", Name: "help"},
	}
}

func registerScene(_ testing.TB, th *Theme, a Area) Block {
	f := shopFrame()
	f.Keys = []Key{
		{"enter", "pay", false, "pay"}, {"+", "line", false, "add"}, {"*", "qty", false, "quantity"},
		{"%", "discount", true, "discount"}, {"ctrl+t", "tip", false, "tip"},
		{"ctrl+p", "park", false, "park"}, {"F3", "sales", false, "sales"}, {"F6", "shift", false, "shift"},
		{"F9", "customer", false, "customer"},
	}
	values := Decimals(".", "12.30", "12.30")
	f.Foot = Sums(a.W, min(a.W-2, 40),
		Sum{"subtotal", values[0], "tip 0 · tax 10 % incl. 1.12", Quiet},
		Sum{"TOTAL", values[1], "= 0.00021163 BTC", Strong})
	body := f.Body(a)
	rows := [][3]string{{"2", "Espresso", "5.00"}, {"1", "Apple strudel", "4.80"}, {"1", "Open item", "2.50"}}
	cart := List{
		Columns: []Column{
			{Width: 2, Align: Right}, {Grow: true}, {Width: 8, Align: Decimal},
		},
		Len: len(rows), Selected: 2,
		Row: func(i int) Row {
			return Row{Cells: []Span{Quiet.Say(rows[i][0]), Text.Say(rows[i][1]), Text.Say(rows[i][2])}, Name: "line"}
		},
	}
	cartWidth := min(a.W, 40)
	if a.W < 60 {
		big := Big(th, Area{a.W - 4, 3}, Strong, "12.30")
		return f.Render(a, Stack(body,
			Slot{Rows: 3, Min: 2, Grow: true, Draw: cart.Render},
			Gap(2, 1),
			Slot{Rows: len(big.Lines), Rank: 1, Draw: func(a Area) Block { return big.Place(Area{a.W - 2, a.H}, Right, Top) }}))
	}
	_, right := Split(body, cartWidth, 2)
	k := func(s string) PadKey { return PadKey{s, "digit:" + s, false} }
	pad, _ := Keypad(Area{right.W, right.H - 8},
		[]PadKey{k("7"), k("8"), k("9"), {"⌫", "back", false}},
		[]PadKey{k("4"), k("5"), k("6"), {"×", "quantity", false}},
		[]PadKey{k("1"), k("2"), k("3"), {"+", "add", false}},
		[]PadKey{k("0"), k("00"), k("."), {"pay", "pay", true}})
	big := Big(th, Area{right.W, 10}, Strong, "12.30")
	side := Stack(right,
		Gap(2, 1),
		Slot{Rows: len(big.Lines), Rank: 0, Draw: func(a Area) Block { return big.Place(a, Center, Top) }},
		Gap(2, 1),
		Fixed(1, Lines(Quiet.Line("EUR").Align(right.W, Center))),
		Slot{Grow: true, Draw: func(a Area) Block { return Block{} }},
		Slot{Rows: len(pad.Lines), Rank: 1, Draw: func(a Area) Block { return pad.Place(a, Center, Top) }})
	return f.Render(a, Columns(body, cartWidth, 2, cart.Render(Area{cartWidth, body.H}), side))
}

func payScene(t testing.TB, th *Theme, a Area) Block {
	uri := loadQR(t, "uri")
	if a.W < 80 || a.H < 24 {
		code, ok := DrawQR(th, Area{a.W, a.H - 1}, uri)
		row := Bar{
			Left:  []Part{{Line: Strong.Line("12.30 EUR")}, {Line: Quiet.Line("0.00021163 BTC"), Rank: 1}},
			Right: []Part{{Line: Text.Line("13:41")}},
		}.Render(a.W)
		if !ok {
			return Stacked(row, Lines(Warn.Line("print it"))).Fit(a)
		}
		return Stacked(code.Place(Area{a.W, a.H - 1}, Center, Center), row)
	}
	f := shopFrame()
	f.Keys = []Key{
		{"enter", "done", true, "next"}, {"1", "bitcoin", false, ""}, {"2", "e-cash", false, ""},
		{"3", "cash", false, ""}, {"4", "key or coin", false, ""}, {"F9", "customer", false, ""}, {"esc", "back", false, ""},
	}
	body := f.Body(a)
	code, ok := DrawQR(th, Area{body.W - 36, body.H}, uri)
	if !ok {
		return f.Render(a, Lines(Warn.Line("print it")))
	}
	size := code.Size()
	words := Stack(Area{body.W - size.W - 3, body.H},
		Gap(3, 1),
		Fixed(0, Big(th, Area{body.W - size.W - 5, 5}, Strong, "12.30")),
		Gap(2, 1),
		Fixed(1, Lines(
			Line{Strong.Say("0.00021163"), Quiet.Say(" BTC")},
			Quiet.Line("58 120.00 EUR/BTC"),
			Quiet.Line("kraken coinbase bitstamp"))),
		Gap(3, 1),
		Fixed(4, Block{Lines: Wrap(Quiet, Groups("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", 4), body.W-size.W-3)}),
		Gap(3, 1),
		Fixed(0, Lines(
			Line{Quiet.Say("received "), Text.Say("0.00021163"), Quiet.Say(" BTC")},
			Line{Good.Say("✓ SEEN"), Text.Say("  the goods may go")},
			Quiet.Line("fee 14 sat/vB, under the 50 EUR limit"))),
		Slot{Grow: true, Draw: func(Area) Block { return Block{} }},
		Fixed(0, Lines(Countdown(body.W-size.W-5, "price holds", "13:41", 821, 900))))
	return f.Render(a, Columns(body, size.W, 3, code.Block, words))
}

func resultScene(th *Theme, a Area, r Role, word, amount, why, next string) Block {
	f := shopFrame()
	f.Keys = []Key{{"enter", "next sale", false, "acknowledge"}, {"ctrl+r", "reprint", false, "reprint"}}
	body := f.Body(a)
	big := Big(th, Area{body.W - 4, max(body.H-6, 0)}, r, word)
	center := func(l Line) Block { return Lines(l.Align(body.W, Center)) }
	return f.Render(a, Stack(body,
		Slot{Grow: true, Draw: func(Area) Block { return Block{} }},
		Slot{Rows: len(big.Lines), Draw: func(a Area) Block { return big.Place(a, Center, Top) }},
		Gap(1, 1),
		Fixed(0, center(Strong.Line(amount))),
		Gap(2, 1),
		Fixed(0, center(Line{NoticeMark(r), Text.Say(" " + why)})),
		Fixed(0, center(Quiet.Line(next))),
		Slot{Grow: true, Draw: func(Area) Block { return Block{} }}))
}

func paidScene(_ testing.TB, th *Theme, a Area) Block {
	return resultScene(th, a, Good, "PAID", "12.30 EUR", "seen, no conflict, under the 50 EUR limit", "hand over the goods")
}

func notPaidScene(_ testing.TB, th *Theme, a Area) Block {
	return resultScene(th, a, Bad, "NOT PAID", "12.30 EUR", "the price ran out after 15 minutes", "start again, or take cash")
}

func salesScene(_ testing.TB, _ *Theme, a Area) Block {
	f := shopFrame()
	f.Keys = []Key{{"enter", "open", false, "next"}, {"r", "refund", true, "refund"}, {"p", "reprint", false, "reprint"}, {"/", "search", false, ""}, {"esc", "back", false, "back"}}
	state := []Line{Good.Line("✓ confirmed"), Good.Line("✓ accepted"), Bad.Line("✗ expired"), Warn.Line("! conflict")}
	list := List{
		Columns: []Column{
			{Title: "time"}, {Title: "sale", Align: Right, Rank: 2}, {Title: "what", Grow: true, Rank: 3},
			{Title: "EUR", Align: Decimal}, {Title: "BTC", Align: Decimal, Rank: 4}, {Title: "state"},
		},
		Len: 180, Selected: 3, Header: true,
		Row: func(i int) Row {
			return Row{Cells: []Span{
				Quiet.Say([]string{"14:32", "14:29", "14:02"}[i%3]), Quiet.Say([]string{"118", "117", "116"}[i%3]),
				Text.Say([]string{"Espresso, Apple strudel", "Tee", "日本茶 und Kuchen"}[i%3]),
				Text.Say([]string{"12.30", "4.80", "1 204.00"}[i%3]), Quiet.Say([]string{"0.00021163", "0.00008258", "0.02071576"}[i%3]),
				state[i%4][0]}, Name: "row"}
		},
	}
	body := f.Body(a)
	return f.Render(a, Stack(body,
		Slot{Rows: 1, Rank: 1, Draw: func(a Area) Block { return Tabs(a.W, 0, Tab{"all", ""}, Tab{"open", ""}, Tab{"refunded", ""}) }},
		Gap(2, 1),
		Slot{Rows: 3, Min: 1, Grow: true, Draw: list.Render}))
}

func confirmScene(t testing.TB, th *Theme, a Area) Block {
	field, _ := Input{Label: "PIN", Secret: true, Masked: 4, Focus: true, Width: 12}.Render(46)
	return Dialog{
		Title: "Refund 12.30 EUR?", Role: Strong, Width: 46,
		Text: "0.00021163 BTC leave the shop for\nbc1q cr8t e4kr 609g cawu tmrz a0j4 xv80 jy8z 306f yu\n\nThis cannot be undone.",
		Body: field,
		Keys: []Key{{"y", "refund", false, "confirm"}, {"esc", "keep the money", false, "cancel"}},
	}.Over(salesScene(t, th, a))
}

func helpScene(_ testing.TB, _ *Theme, a Area) Block {
	f := shopFrame()
	f.Keys = []Key{{"esc", "back", false, "back"}}
	groups := []HelpGroup{
		{"Register", []Key{{"enter", "pay", false, "pay"}, {"+", "add the amount as a line", false, ""}, {"*", "quantity", false, ""}, {"%", "discount", true, ""}, {"ctrl+t", "tip", false, ""}, {"ctrl+p", "park", false, ""}}},
		{"Go to", []Key{{"F2", "register", false, ""}, {"F3", "sales", false, ""}, {"F4", "sell", false, ""}, {"F5", "key", false, ""}, {"F6", "shift", false, ""}, {"F7", "devices", false, ""}, {"F8", "alerts", false, ""}}},
		{"Everywhere", []Key{{"F1", "help", false, ""}, {"esc", "one step back", false, ""}, {"ctrl+u", "another user", false, ""}, {"F10", "quit", false, ""}}},
	}
	body := f.Body(a)
	return f.Render(a, Help(a.W-4, groups...).Shift(2, 1).Window(body, 0))
}

func signInScene(_ testing.TB, th *Theme, a Area) Block {
	f := shopFrame()
	f.Health = append([]Mark{{Fault, "clock 4 min slow", ""}}, f.Health...)
	f.Keys = []Key{{"enter", "next", false, "next"}, {"F10", "quit", false, "quit"}}
	body := f.Body(a)
	name, _ := Input{Label: "user", Text: "Anna", Width: 20}.Render(40)
	pin, _ := Input{Label: "PIN ", Secret: true, Masked: 3, Focus: true, Width: 20, Fault: "wrong PIN, wait 4 s"}.Render(40)
	form := Stacked(Lines(Strong.Line("Who is at the counter?"), nil), name, Lines(nil), pin)
	return f.Render(a, form.Place(body, Center, Center))
}
