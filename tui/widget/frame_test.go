package widget

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// nasty is text that breaks careless layouts.
var nasty = []string{
	"", " ", "plain", "Café", "日本茶とケーキ", "ｈａｌｆ", "e\u0301\u0301\u0301\u0301\u0301\u0301x", "\u0301lead",
	"👨‍👩‍👧‍👦 family", "🇩🇪🇦🇹 flags", "👍🏽", "❤️", "1️⃣ keycap", "a\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\x00\x07\x08\x7f",
	"line\nbreak\r\n", "tab\there", "\u009b31m", "\xff\xfe\xc3", "\u202Eamount\u202C", "\u200B\u200D\uFEFF", "\u2028\u2029",
	"क्षत्रिय", "한국어 \u1112\u1161\u11ab", "नमस्ते", "עברית", "مرحبا", "\U000E0041\U000E007F", "\uFFFE\uFFFD", "ﷺ", "𝓬𝓪𝓯𝓮́",
	"0123456789012345678901234567890123456789012345678901234567890123456789", strings.Repeat("日", 120), "a\u00adb\u00a0c\u3000d\u202fe",
}

// checkExact fails unless the rendered block is a.W × a.H cells that every
// terminal measures alike and holds no control bytes. readCells checks the rest.
func checkExact(t testing.TB, th *Theme, b Block, a Area) {
	t.Helper()
	s := th.String(b)
	if a.H == 0 || a.W == 0 {
		return
	}
	cells := readCells(t, s, 0xAAAAAA, 0)
	if len(cells) != a.H {
		t.Fatalf("%d lines for %v", len(cells), a)
	}
	for y, row := range cells {
		if len(row) != a.W {
			t.Fatalf("line %d is %d cells for %v: %q", y, len(row), a, b.Lines[y].String())
		}
	}
	for _, h := range b.Hits {
		if h.W < 1 || h.H < 1 || h.X < 0 || h.Y < 0 || h.X+h.W > a.W || h.Y+h.H > a.H {
			t.Fatalf("hit %+v lies outside %v", h, a)
		}
	}
}

// fullScreen composes one of everything around the texts.
func fullScreen(th *Theme, a Area, texts []string) Block {
	pick := func(i int) string { return texts[i%len(texts)] }
	f := Frame{
		Top: Bar{
			Left:   []Part{{Line: Strong.Line(pick(0)), Name: "shop"}, {Line: Quiet.Line(pick(1)), Rank: 3}},
			Center: []Part{{Line: Warn.Line(pick(2)), Rank: 2}},
			Right:  []Part{{Line: Text.Line(pick(3)), Rank: 1}, {Line: Text.Line("14:32")}},
		},
		Foot:   Sums(a.W, a.W/2, Sum{pick(4), pick(5), pick(6), Strong}, Sum{pick(7), "1.00", "", Quiet}),
		Health: []Mark{{OK, pick(0), "a"}, {Off, pick(1), ""}, {Fault, pick(2), "b"}, {Plain, pick(3), ""}},
		Keys:   []Key{{pick(4), pick(5), false, "k"}, {"x", pick(6), true, "l"}, {"esc", "back", false, "back"}},
		More:   Key{Key: "?", Label: "more", Name: "help"},
	}
	body := f.Body(a)
	list := List{
		Columns: []Column{{Title: pick(1), Align: Decimal, Rank: 2}, {Title: pick(2), Grow: true}, {Title: "c", Align: Right, Width: 5}},
		Len:     len(texts), Selected: len(texts) / 2, Header: len(texts)%2 == 0,
		Row: func(i int) Row { return Row{Cells: []Span{Text.Say(texts[i]), Good.Say(pick(i + 1))}, Name: "row"} },
	}
	field, _ := Input{Label: pick(3), Text: pick(4), Cursor: 3, Focus: true, Fault: pick(5), Hint: pick(6)}.Render(body.W)
	pad, _ := Keypad(Area{body.W / 2, body.H}, []PadKey{{pick(0), "p", false}, {"2", "q", true}})
	left := Stack(Area{body.W / 2, body.H},
		Slot{Rows: 3, Min: 1, Grow: true, Draw: list.Render}, Fixed(2, field),
		Fixed(1, Block{Lines: Wrap(Text, pick(2), body.W/2)}), Fixed(3, Tabs(body.W/2, 1, Tab{pick(0), "t"}, Tab{pick(1), "u"})),
		Fixed(4, Lines(Countdown(body.W/2, pick(1), pick(2), 3, 9), Notice(body.W/2, Bad, pick(3)))))
	right := Stacked(Big(th, Area{body.W / 2, 6}, Strong, pick(6)), pad, Help(body.W/2, HelpGroup{pick(1), f.Keys}))
	return f.Render(a, Columns(body, body.W/2, 1, left, right))
}

func TestAFrameIsExactAtAnySizeWhateverTheTextHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var themes []*Theme
	for _, term := range terminals {
		themes = append(themes, mustTheme(t, "dark", term))
	}
	check := func(a Area) {
		texts := make([]string, 8)
		for i := range texts {
			texts[i] = nasty[rng.IntN(len(nasty))] + nasty[rng.IntN(len(nasty))]
		}
		th := themes[rng.IntN(len(themes))]
		b := fullScreen(th, a, texts)
		checkExact(t, th, b, a)
		d := Dialog{Title: texts[0], Role: Bad, Text: texts[1] + "\n" + texts[2], Keys: []Key{{"y", texts[3], false, "y"}, {"n", texts[4], true, "n"}}}
		checkExact(t, th, d.Over(b), a)
	}
	for h := 1; h <= 30; h++ {
		for w := 1; w <= 30; w++ {
			check(Area{w, h})
		}
	}
	for range 300 {
		check(Area{1 + rng.IntN(220), 1 + rng.IntN(70)})
	}
}

func TestScenesAreExactInEachThemeAndSize(t *testing.T) {
	for kind, term := range terminals {
		th := mustTheme(t, "light", term)
		for _, s := range scenes() {
			for _, a := range append([]Area{{1, 1}, {2, 3}, {10, 4}, {39, 19}, {81, 25}}, sizes...) {
				t.Run(fmt.Sprintf("%s-%s-%dx%d", s.name, kind, a.W, a.H), func(t *testing.T) {
					checkExact(t, th, s.draw(t, th, a), a)
				})
			}
		}
	}
}

func FuzzFrame(f *testing.F) {
	for i, s := range nasty {
		f.Add(s, nasty[(i+7)%len(nasty)], uint8(1+3*i), uint8(1+i))
	}
	th := mustTheme(f, "dark", Terminal{Blocks: true})
	ascii := mustTheme(f, "none", Terminal{Glyphs: ASCII})
	f.Fuzz(func(t *testing.T, a, b string, w, h uint8) {
		if len(a)+len(b) > 4096 || w == 0 || h == 0 {
			return
		}
		area := Area{int(w), int(h)}
		screen := fullScreen(th, area, []string{a, b, b + a})
		checkExact(t, th, screen, area)
		for _, r := range ascii.String(screen) {
			if r != '\n' && r != 0x1b && (r < 0x20 || r > 0x7e) {
				t.Fatalf("%q in ASCII", r)
			}
		}
		checkExact(t, th, Dialog{Title: a, Text: b}.Over(screen), area)
	})
}

func TestTheBodyAreaIsWhatRenderGivesTheBody(t *testing.T) {
	f := shopFrame()
	f.Foot = Lines(Text.Line("a"), Text.Line("b"))
	for h := 1; h <= 40; h++ {
		a := Area{60, h}
		body := f.Body(a)
		full := make([]Line, 100)
		for i := range full {
			full[i] = Text.Line("#body#")
		}
		got := strings.Count(text(f.Render(a, Lines(full...))), "#body#")
		if got != body.H {
			t.Errorf("height %d: Body says %d rows, Render shows %d", h, body.H, got)
		}
	}
}

func TestAShortFrameKeepsTheBodyAndTheKeys(t *testing.T) {
	f := shopFrame()
	f.Keys = []Key{{"enter", "pay", false, "pay"}}
	for h, want := range map[int][]string{
		1: {"BODY"}, 2: {"BODY", "enter pay"}, 4: {"BODY", "enter pay", "Café"}, 6: {"BODY", "enter pay", "Café", "● 3 s"},
	} {
		got := text(f.Render(Area{60, h}, Lines(Text.Line("BODY"))))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("height %d: no %q in\n%s", h, w, got)
			}
		}
	}
}

func TestRulesComeWithTheHeight(t *testing.T) {
	for h, want := range map[int]int{7: 0, 8: 1, 9: 1, 10: 2, 24: 2} {
		if got := strings.Count(text(shopFrame().Render(Area{20, h}, Block{})), strings.Repeat("─", 20)); got != want {
			t.Errorf("%d rows: %d rules, want %d", h, got, want)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	th := mustTheme(b, "dark", Terminal{Blocks: true})
	for _, a := range []Area{{80, 24}, {200, 60}} {
		for _, s := range scenes() {
			b.Run(fmt.Sprintf("%s/%dx%d", s.name, a.W, a.H), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					th.String(s.draw(b, th, a))
				}
			})
		}
	}
}
