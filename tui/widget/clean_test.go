package widget

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestSayCleansText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"12.30 EUR", "12.30 EUR"},
		{"Café Ñandú", "Café Ñandú"},
		{"日本茶", "日本茶"},
		{"a\x1b[2Jb", "a�[2Jb"},
		{"a\u009b2Jb", "a�2Jb"},
		{"one\ntwo\r\nthree", "one�two��three"},
		{"\u202E00.001", "�00.001"},
		{"1\u202f204,00\u00a0€", "1 204,00 €"},
		{"🇦🇹", "AT"},
		{"👨‍👩‍👧‍👦", "👨👩👧👦"},
		{"👍🏽", "👍"},
		{"❤️", "❤"},
		{"e\u0301", "e\u0301"},
		{"z\u0301\u0302\u0303\u0304\u0305", "z\u0301\u0302\u0303"},
		{"\u1112\u1161한", "�한"},
		{"\u060012", "�12"}, {"\u0301", "�"}, {"🏽", "�"}, {"ｶﾞｷﾞｱﾊﾟ", "ガギｱパ"},
		{"\xff", "�"},
	} {
		s := Text.Say(c.in)
		if s.String() != c.want {
			t.Errorf("Say(%q) shows %q, want %q", c.in, s.String(), c.want)
		}
		if w := ansi.StringWidth(c.want); s.Width() != w {
			t.Errorf("Say(%q) is %d cells, want %d", c.in, s.Width(), w)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4096 {
			return
		}
		text, width, ascii := clean(s)
		if w := ansi.StringWidth(text); w != width {
			t.Fatalf("%q: %d cells by grapheme, said %d", text, w, width)
		}
		if w := ansi.StringWidthWc(text); w != width {
			t.Fatalf("%q: %d cells by wcwidth, said %d", text, w, width)
		}
		if ascii && len(text) != width {
			t.Fatalf("%q is not ASCII", text)
		}
		for _, r := range text {
			if hidden(r) {
				t.Fatalf("%q holds %U", text, r)
			}
		}
		if again, _, _ := clean(text); again != text {
			t.Fatalf("cleaning twice: %q then %q", text, again)
		}
		span := Text.Say(s)
		for w := 1; w <= min(width, 6); w++ {
			line := Line{span}.Fit(w)
			if line.Width() != w || ansi.StringWidth(line.String()) != w {
				t.Fatalf("%q cut to %d cells is %q", text, w, line.String())
			}
			head, tail := span.split(w)
			if head.width > w || head.width+tail.width > width {
				t.Fatalf("%q split at %d: %q %q", text, w, head.text, tail.text)
			}
		}
	})
}

func TestTruncationMarksWhatIsCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"Espresso", 8, "Espresso"}, {"Espresso", 5, "Espr…"}, {"Espresso", 1, "…"}, {"Espresso", 0, ""},
		{"日本茶", 5, "日本…"}, {"日本茶", 4, "日 …"}, {"blank     ", 6, "blank "},
	} {
		if got := Text.Line(c.in).Trunc(c.w).String(); got != c.want {
			t.Errorf("%q in %d cells: %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

func TestWrapBreaksBetweenWordsAndKeepsEveryCharacter(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want []string
	}{
		{"the goods may go", 9, []string{"the goods", "may go"}},
		{"a\nb\n\nc", 9, []string{"a", "b", "", "c"}},
		{"bc1qcr8te4kr609g", 6, []string{"bc1qcr", "8te4kr", "609g"}},
		{"日本茶とケーキ", 5, []string{"日本", "茶と", "ケー", "キ"}},
		{"日", 1, []string{"�"}},
	} {
		var got []string
		for _, l := range Wrap(Text, c.in, c.w) {
			got = append(got, l.String())
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q in %d: %q, want %q", c.in, c.w, got, c.want)
		}
	}
}
