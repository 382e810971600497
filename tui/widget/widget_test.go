package widget

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTheKeyLineIsCutAtWholePairs(t *testing.T) {
	keys := []Key{
		{"enter", "pay", false, "pay"}, {"+", "line", false, "add"}, {"%", "discount", true, "discount"}, {"F3", "sales", false, "sales"},
	}
	more := Key{Key: "?", Label: "more", Name: "help"}
	for _, c := range []struct {
		w    int
		want string
	}{
		{60, " enter pay  + line  (% discount…)  F3 sales"},
		{44, " enter pay  + line  (% discount…)  F3 sales"},
		{43, " enter pay  + line  (% discount…)  F3 sales"},
		{42, " enter pay  + line  (% discount…)  ? more"},
		{40, " enter pay  + line  ? more"},
		{20, " enter pay  ? more"},
		{19, "enter pay  ? more"},
		{16, "? more"},
		{5, "? mo…"},
		{1, "…"},
	} {
		b := KeyLine(c.w, keys, more)
		got := strings.TrimRight(b.Lines[0].String(), " ")
		if got != c.want {
			t.Errorf("%d cells: %q, want %q", c.w, got, c.want)
		}
		for _, h := range b.Hits {
			for _, k := range append(keys, more) {
				if h.Name == k.Name && h.X+h.W < c.w && !strings.Contains(b.Lines[0].Cut(h.X, h.X+h.W).String(), k.Label) {
					t.Errorf("%d cells: hit %s lies on %q", c.w, h.Name, b.Lines[0].Cut(h.X, h.X+h.W).String())
				}
			}
		}
	}
}

func TestDecimalsStandUnderEachOther(t *testing.T) {
	for _, c := range []struct {
		point string
		in    []string
		want  []string
	}{
		{".", []string{"5.00", "12.30", "1 204.5", "7"}, []string{"    5.00", "   12.30", "1 204.5 ", "    7   "}},
		{",", []string{"1.204,50", "0,00021163"}, []string{"1.204,50      ", "    0,00021163"}},
	} {
		if got := Decimals(c.point, c.in...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func numbers(n, selected, offset int) List {
	return List{
		Columns: []Column{{Grow: true}}, Len: n, Selected: selected, Offset: offset,
		Row: func(i int) Row {
			return Row{Cells: []Span{Text.Say(fmt.Sprint(i))}, Name: fmt.Sprintf("row:%d", i)}
		},
	}
}

func TestAListScrollsAsLittleAsItCan(t *testing.T) {
	for _, c := range []struct{ n, selected, offset, h, want int }{
		{5, 4, 0, 10, 0}, {100, 0, 0, 10, 0}, {100, 8, 0, 10, 0}, {100, 9, 0, 10, 1}, {100, 50, 48, 10, 48},
		{100, 50, 90, 10, 49}, {100, 99, 0, 10, 90}, {100, -1, 30, 10, 30}, {100, -1, 500, 10, 90}, {100, 50, 0, 0, 0}, {3, 2, 0, 1, 2},
	} {
		l := numbers(c.n, c.selected, c.offset)
		if got := l.Scroll(c.h); got != c.want {
			t.Errorf("%+v: first row %d", c, got)
		}
		if c.selected >= 0 && c.h > 0 && !strings.Contains(text(l.Render(Area{30, c.h})), "▸ "+fmt.Sprint(c.selected)) {
			t.Errorf("%+v: the selection is out of sight", c)
		}
	}
}

func TestAListAsksOnlyForTheRowsItShows(t *testing.T) {
	asked := 0
	l := numbers(1_000_000, 500_000, 0)
	row := l.Row
	l.Row = func(i int) Row { asked++; return row(i) }
	b := l.Render(Area{30, 12})
	if asked != 12 {
		t.Errorf("asked for %d rows", asked)
	}
	name, ok := b.At(5, 3)
	if want := strings.Fields(b.Lines[3].String())[0]; !ok || name != "row:"+want {
		t.Errorf("row 3 shows %s and answers %s", want, name)
	}
}

func TestANarrowListLeavesOutColumnsByRank(t *testing.T) {
	l := List{
		Columns: []Column{{Rank: 2}, {Grow: true}, {Align: Right, Rank: 1}, {Align: Right}},
		Len:     1, Selected: -1,
		Row: func(int) Row {
			return Row{Cells: []Span{Text.Say("time"), Text.Say("Apple strudel"), Text.Say("0.00021163"), Text.Say("12.30")}}
		},
	}
	for _, c := range []struct {
		w    int
		want string
	}{
		{40, "time  Apple strudel  0.00021163  12.30"},
		{37, "time  Apple str…  0.00021163  12.30"},
		{34, "Apple strudel  0.00021163  12.30"},
		{20, "Apple stru…  12.30"},
	} {
		if got := strings.TrimSpace(l.Render(Area{c.w, 1}).Lines[0].String()); got != c.want {
			t.Errorf("%d cells: %q, want %q", c.w, got, c.want)
		}
	}
}

func TestAStackLeavesOutTheHighestRankFirst(t *testing.T) {
	slot := func(name string, rows, rank int, grow bool) Slot {
		return Slot{Rows: rows, Rank: rank, Grow: grow, Draw: func(a Area) Block {
			out := Block{}
			for range a.H {
				out.Lines = append(out.Lines, Text.Line(name))
			}
			return out
		}}
	}
	slots := []Slot{slot("a", 1, 0, false), slot("b", 2, 2, false), slot("c", 1, 1, true), slot("d", 1, 0, false)}
	for h, want := range map[int]string{7: "abbcccd", 5: "abbcd", 4: "ac d", 3: "acd", 2: "ad", 1: "a", 0: ""} {
		got := strings.ReplaceAll(strings.ReplaceAll(text(Stack(Area{1, h}, slots...)), "\n", ""), " ", "")
		if got != strings.ReplaceAll(want, " ", "") && h != 4 {
			t.Errorf("%d rows: %q, want %q", h, got, want)
		}
		if h == 4 && got != "accd" {
			t.Errorf("4 rows: %q: what grows takes what is left", got)
		}
	}
}

func TestADialogCoversWhatItHidesFromTheMouse(t *testing.T) {
	th := mustTheme(t, "dark", Terminal{Blocks: true})
	b := confirmScene(t, th, Area{80, 24})
	hits := map[string]bool{}
	for y := range 24 {
		for x := range 80 {
			if name, ok := b.At(x, y); ok {
				hits[name] = true
			}
		}
	}
	if want := map[string]bool{"confirm": true, "cancel": true}; !reflect.DeepEqual(hits, want) {
		t.Errorf("what can be clicked: %v", hits)
	}
}

func TestAnOverlayHidesOnlyTheHitsItCovers(t *testing.T) {
	bottom := Block{Hits: []Hit{{"left", 0, 0, 3, 1}, {"under", 4, 0, 3, 1}, {"right", 9, 0, 2, 1}, {"below", 4, 1, 3, 1}}}.Fit(Area{12, 2})
	top := Block{Lines: []Line{Text.Line("top")}, Hits: []Hit{{"top", 0, 0, 3, 1}}}
	b := Overlay(bottom, top, 5, 0)
	for x, want := range map[int]string{0: "left", 4: "", 5: "top", 7: "top", 8: "", 9: "right"} {
		if got, _ := b.At(x, 0); got != want {
			t.Errorf("column %d answers %q, want %q", x, got, want)
		}
	}
	if got, _ := b.At(4, 1); got != "below" {
		t.Errorf("the row below answers %q", got)
	}
}

func TestADialogTooHighShowsThatTextIsCut(t *testing.T) {
	d := Dialog{Title: "Refund", Text: "one\ntwo\nthree\nfour\nfive", Keys: []Key{{"y", "refund", false, "confirm"}}}
	got := text(d.Render(Area{30, 8}))
	for _, want := range []string{"Refund", "one", "…", "y refund"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if whole := text(d.Render(Area{30, 20})); strings.Contains(whole, "…") || !strings.Contains(whole, "five") {
		t.Errorf("cut although it fits:\n%s", whole)
	}
}

func TestABarLeavesOutTheHighestRankAndKeepsItsSidesApart(t *testing.T) {
	bar := Bar{
		Left:   []Part{{Line: Text.Line("Café Central")}},
		Center: []Part{{Line: Warn.Line("PRACTICE"), Rank: 1}},
		Right:  []Part{{Line: Text.Line("Anna"), Rank: 2}, {Line: Text.Line("14:32")}},
	}
	for w, want := range map[int]string{
		50: " Café Central        PRACTICE        Anna   14:32 ",
		33: " Café Central  PRACTICE    14:32 ",
		26: " Café Central       14:32 ",
		21: " Café Central  14:32 ",
		19: "Café Central  14:32",
		16: "Café Cen…  14:32",
		6:  " 14:32",
		3:  "14…",
	} {
		if got := bar.Render(w).Lines[0].String(); got != want {
			t.Errorf("%d cells: %q, want %q", w, got, want)
		}
	}
}

func TestTwoRunsOfOneRoleDoNotJoin(t *testing.T) {
	th := mustTheme(t, "dark", Terminal{})
	a := Area{4, 1}
	checkExact(t, th, Lines(Line{Text.Say("\u1112"), Text.Say("한")}), a)
}

func TestTheKeypadAnswersWhereItsLabelsAre(t *testing.T) {
	b := registerScene(t, mustTheme(t, "dark", Terminal{Blocks: true}), Area{80, 24})
	for label, want := range map[string]string{"7": "digit:7", "00": "digit:00", "pay": "pay"} {
		found := false
		for _, h := range b.Hits {
			if h.Name == want && strings.TrimSpace(b.Lines[h.Y+h.H/2].Cut(h.X, h.X+h.W).String()) == label {
				found = true
			}
		}
		if !found {
			t.Errorf("no key %s", label)
		}
	}
}

func TestHealthKeepsFaultsWhereItIsNarrow(t *testing.T) {
	marks := []Mark{{OK, "3 s", ""}, {Plain, "rate 12 s", ""}, {Off, "no drawer", ""}, {Fault, "paper out", ""}}
	for w, want := range map[int]string{
		60: " ● 3 s   rate 12 s   ○ no drawer   ! paper out",
		40: " ● 3 s   ○ no drawer   ! paper out",
		30: " ○ no drawer   ! paper out",
		20: " ! paper out",
		10: "! paper o…",
	} {
		if got := strings.TrimRight(Health(w, marks).Lines[0].String(), " "); got != want {
			t.Errorf("%d cells: %q, want %q", w, got, want)
		}
	}
}

func TestAnInputShowsTheTextAroundItsCursor(t *testing.T) {
	for _, c := range []struct {
		in     Input
		w      int
		want   string
		cursor int
	}{
		{Input{Label: "user", Text: "Anna", Cursor: 4, Focus: true}, 20, "user  Anna", 10},
		{Input{Text: "0123456789", Cursor: 10, Focus: true}, 6, "56789", 5},
		{Input{Text: "0123456789", Cursor: 0, Focus: true}, 6, "012345", 0},
		{Input{Text: "日本茶", Cursor: 1, Focus: true}, 8, "日本茶", 2},
		{Input{Text: "0123456789"}, 6, "01234…", -1},
		{Input{Secret: true, Masked: 4, Text: "never", Focus: true}, 8, "••••", 4},
		{Input{Secret: true, Masked: 400, Focus: true}, 8, "•••••••", 7},
		{Input{Hint: "search", Focus: true}, 10, " search", 0},
	} {
		b, cursor := c.in.Render(c.w)
		if got := strings.TrimRight(b.Lines[0].String(), " "); got != c.want || cursor != c.cursor {
			t.Errorf("%+v: %q at %d, want %q at %d", c.in, got, cursor, c.want, c.cursor)
		}
	}
}

func TestTheFilterLineTellsWhatIsFound(t *testing.T) {
	b, cursor := FilterLine(40, "espr", 4, true, "3 of 120")
	if got := b.Lines[0].String(); got != " / espr"+strings.Repeat(" ", 24)+"3 of 120 " || cursor != 7 {
		t.Errorf("%q at %d", got, cursor)
	}
	b, _ = FilterLine(12, "espr", 4, true, "3 of 120")
	if got := b.Lines[0].String(); !strings.HasPrefix(got, "/ espr") || len(got) != 12 {
		t.Errorf("narrow: %q", got)
	}
}

func TestAGaugeIsNeverFullOrEmptyBeforeItIs(t *testing.T) {
	for _, c := range []struct {
		done, all int64
		want      int
	}{
		{0, 9, 0}, {1, 1 << 62, 1}, {1 << 61, 1 << 62, 5}, {1<<62 - 1, 1 << 62, 9}, {9, 9, 10}, {10, 9, 10}, {-1, 9, 0}, {1, 0, 0},
	} {
		got := strings.Count(Gauge(10, Accent, c.done, c.all).String(), "━")
		if got != c.want {
			t.Errorf("%d of %d: %d cells, want %d", c.done, c.all, got, c.want)
		}
	}
}

func TestBigTypeTakesTheLargestSizeThatFits(t *testing.T) {
	blocks := mustTheme(t, "dark", Terminal{Blocks: true})
	spaces := mustTheme(t, "dark", Terminal{Profile: Color16, Glyphs: Console})
	for _, c := range []struct {
		th   *Theme
		a    Area
		text string
		want Area
	}{
		{blocks, Area{80, 20}, "PAID", Area{72, 10}},
		{blocks, Area{80, 9}, "PAID", Area{36, 5}},
		{blocks, Area{20, 9}, "PAID", Area{18, 5}},
		{blocks, Area{20, 4}, "PAID", Area{18, 3}},
		{spaces, Area{20, 4}, "PAID", Area{4, 1}},
		{blocks, Area{17, 9}, "PAID", Area{4, 1}},
		{blocks, Area{76, 20}, "NOT PAID", Area{76, 5}},
		{blocks, Area{50, 12}, "NOT PAID", Area{36, 11}},
		{blocks, Area{40, 9}, "支払済", Area{18, 3}},
		{blocks, Area{12, 9}, "支払済", Area{6, 1}},
		{blocks, Area{60, 6}, "payé", Area{40, 5}},
	} {
		b := Big(c.th, c.a, Good, c.text)
		if got := b.Size(); got != c.want {
			t.Errorf("%q in %v is %v, want %v", c.text, c.a, got, c.want)
		}
		checkExact(t, c.th, b.Fit(b.Size()), b.Size())
	}
}

func TestTheFontIsWellDrawn(t *testing.T) {
	for r, glyph := range font {
		rows := strings.Split(glyph, "/")
		if len(rows) != fontHeight {
			t.Errorf("%q has %d rows", r, len(rows))
			continue
		}
		for _, row := range rows {
			if len(row) != len(rows[0]) || strings.Trim(row, "# ") != "" {
				t.Errorf("%q: row %q", r, row)
			}
		}
	}
	for r, spelled := range accents {
		for _, s := range spelled {
			if _, ok := font[s]; !ok {
				t.Errorf("%q is spelled %q", r, spelled)
			}
		}
	}
	seen := map[string]rune{}
	for r, glyph := range font {
		if twin, ok := seen[glyph]; ok && !(strings.ContainsRune("5S", r) && strings.ContainsRune("5S", twin)) {
			t.Errorf("%q and %q look the same", r, twin)
		}
		seen[glyph] = r
	}
}
