package device

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two  three", 7, []string{"one two", "three"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"a\nb\r\nc", 9, []string{"a", "b", "c"}},
		{"äöü ßéñ", 3, []string{"äöü", "ßéñ"}},
		{"trailing   ", 8, []string{"trailing"}},
		{"x", 0, []string{"x"}},
	} {
		if got := Wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("Wrap(%q, %d) is %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestColumnsKeepTheRightOneWhole(t *testing.T) {
	for _, c := range []struct {
		left, right string
		width       int
		want        []string
	}{
		{"Tea", "5.00", 12, []string{"Tea     5.00"}},
		{"A long name of a thing", "12.30", 16, []string{"A long", "name of a", "thing      12.30"}},
		{"Tea", "", 12, []string{"Tea"}},
		{"", "5.00", 8, []string{"    5.00"}},
		{"Tea", "123456789012", 12, []string{"Tea", "123456789012"}},
	} {
		if got := (Columns{Left: c.left, Right: c.right}).Lines(c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q | %q on %d is %q, want %q", c.left, c.right, c.width, got, c.want)
		}
	}
}

func FuzzColumns(f *testing.F) {
	f.Add("Apple strudel with cream", "12.30", 16)
	f.Add("", "\n\n", 3)
	f.Fuzz(func(t *testing.T, left, right string, width int) {
		if width < 1 || width > 200 || !utf8.ValidString(left+right) {
			return
		}
		lines := Columns{Left: left, Right: right}.Lines(width)
		if strings.ContainsRune(right, '\n') {
			return
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%q is %d wide on %d", line, n, width)
			}
		}
	})
}

func TestTextIsTheReceiptWithoutAPrinter(t *testing.T) {
	got := Document{
		Line{Text: "Shop", Align: Center, Style: Style{Double: true}},
		Columns{Left: "Tea", Right: "5.00"},
		Rule{},
		QR{Content: "x"},
		Barcode{Content: "123"},
		Pulse{Pin: 2},
		Feed{Lines: 1},
		Line{Text: "bye", Align: Right},
		Cut{},
	}.Text(12)
	want := " Shop\nTea     5.00\n------------\n[QR x]\n[Code 128 123]\n\n         bye\n"
	if got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
}

func TestACopySaysSoAndOpensNoDrawer(t *testing.T) {
	d := Document{Pulse{Pin: 2, On: time.Millisecond}, Line{Text: "x"}}
	if got := d.Copy(1); len(got) != 2 {
		t.Errorf("the first copy is %v", got)
	}
	got := d.Copy(3)
	if text := got.Text(20); !strings.HasPrefix(text, "  COPY 3\n") || !strings.HasSuffix(text, "x\n") {
		t.Errorf("the third copy is %q", text)
	}
	for _, p := range got {
		if _, ok := p.(Pulse); ok {
			t.Error("the third copy opens the drawer")
		}
	}
}

func TestQRIsTheSmallestWithTheBetterLevel(t *testing.T) {
	for _, c := range []struct {
		content string
		version int
		level   string
	}{
		{"BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU", 3, "M"},
		{"BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=0.00021163", 3, "L"},
		{"bitcoin:bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu?amount=0.00021163", 4, "L"},
	} {
		q, err := EncodeQR(c.content)
		if err != nil || q.Version != c.version || q.Level != c.level || q.Size() != 17+4*c.version {
			t.Errorf("%s is version %d %s of %d modules, %v; want %d %s", c.content, q.Version, q.Level, q.Size(), err, c.version, c.level)
		}
		if !q.Dark(0, 0) || q.Dark(-1, 0) || q.Dark(0, q.Size()) || q.Dark(1, 1) {
			t.Errorf("%s has no finder pattern at its corner", c.content)
		}
	}
	if _, err := EncodeQR(strings.Repeat("a", 3000)); err == nil {
		t.Error("3000 letters fit a QR code")
	}
	if _, err := EncodeQR(""); err == nil {
		t.Error("nothing is a QR code")
	}
}

func TestCompactURI(t *testing.T) {
	for in, want := range map[string]string{
		"bitcoin:bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu?amount=0.1": "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=0.1",
		"bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT?amount=1":           "BITCOIN:1BoatSLRHtKNngkdXEeobR76b53LETtpyT?amount=1",
		"bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080":          "BITCOIN:BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080",
		"lightning:lnbc1abc":         "LIGHTNING:LNBC1ABC",
		"https://example.com/bc1q":   "https://example.com/bc1q",
		"bitcoin:?bc=bc1qabc":        "BITCOIN:?bc=bc1qabc",
		"taler://pay/x":              "taler://pay/x",
		"no uri":                     "no uri",
		"bitcoin:Bc1qMixedIsRefused": "BITCOIN:Bc1qMixedIsRefused",
	} {
		if got := CompactURI(in); got != want {
			t.Errorf("CompactURI(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestEveryFaultHasASentence(t *testing.T) {
	for _, f := range Faults() {
		if s := f.Sentence(); s == "" || s == string(f) || !strings.HasSuffix(s, ".") {
			t.Errorf("%s says %q", f, s)
		}
	}
	if NoFault.Sentence() != "" || Fault("new_word").Sentence() != "new_word" {
		t.Error("no fault says something, or a new word nothing")
	}
}
