package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"till/tui/widget"
)

// listener is a counter that is said; heard is what it said since the last look.
type listener struct {
	*bench
	out  chan []string
	echo []bool
}

func listening(t *testing.T, change ...func(*Options)) *listener {
	l := &listener{out: make(chan []string, 1000)}
	l.bench = counter(t, aloudSize.W, aloudSize.H, change...)
	theme, err := widget.NewTheme("none", widget.Terminal{Aloud: true})
	if err != nil {
		t.Fatal(err)
	}
	l.theme, l.term = theme, widget.Terminal{Aloud: true}
	l.aloud = &aloud{out: l.out, health: map[string]bool{}, echo: func(on bool) { l.echo = append(l.echo, on) }}
	l.reg.Shift = "0193b1a0-0000-7000-8000-00000000000b"
	l.send(ticked{})
	l.heard()
	return l
}

// lines hands lines over, as the program's reader does; carts are kept at once.
func (l *listener) lines(lines ...string) *listener {
	for _, line := range lines {
		l.hand += time.Second
		l.aloud.under = 0
		_, _ = spokenModel{l.model}.Update(lineTyped(line))
	}
	return l
}

func (l *listener) heard() string {
	var all []string
	spokenModel{l.model}.tell()
	for {
		select {
		case lines := <-l.out:
			all = append(all, lines...)
		default:
			return strings.Join(all, "\n")
		}
	}
}

// TestASaleIsSaid from the first line to the result.
func TestASaleIsSaid(t *testing.T) {
	l := listening(t)
	l.lines("2.50", "esp")
	if got := l.heard(); !strings.Contains(got, "1  Open item  2.50") || !strings.Contains(got, "1  Espresso  2.50") || !strings.Contains(got, "TOTAL  5.00") {
		t.Errorf("the cart: %s", got)
	}
	l.lines("pay", "bitcoin").recorded()
	got := l.heard()
	for _, want := range []string{"How does the customer pay?", "QR: BITCOIN:BCRT1", "waiting for the payment", "price holds: 14:47"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said: %s", want, got)
		}
	}
	l.send(status("accepted", "accept", 8603, "the goods may go"))
	if got := l.heard(); !strings.Contains(got, "PAID  5.00 EUR") || !strings.Contains(got, "Hand over the goods.") {
		t.Errorf("the result: %s", got)
	}
	if l.lines(""); l.shown() != onRegister {
		t.Error("an empty line does not acknowledge")
	}
}

// TestNothingIsSaidTwice: only what is new, and all of it again when asked for.
func TestNothingIsSaidTwice(t *testing.T) {
	l := listening(t)
	l.lines("2.50")
	l.heard()
	l.lines("4.00")
	got := l.heard()
	if strings.Contains(got, "Open item  2.50") || !strings.Contains(got, "Open item  4.00") {
		t.Errorf("said: %s", got)
	}
	l.lines(".")
	if got := l.heard(); !strings.Contains(got, "Open item  2.50") || !strings.Contains(got, "== Register") {
		t.Errorf("not again: %s", got)
	}
}

func TestNothingDrawnIsSaid(t *testing.T) {
	for _, s := range scenes {
		l := listening(t)
		s.play(l.bench)
		if got := l.heard(); strings.ContainsAny(got, "─│█▀▄╭╯\x1b") || strings.Contains(got, "   ") {
			t.Errorf("%s says a picture: %s", s.name, got)
		}
	}
}

// TestLinesMeanWhatTheyName: actions by name, by label, by key; marks.
func TestLinesMeanWhatTheyName(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  func(*listener) bool
	}{
		{[]string{"sales"}, func(l *listener) bool { return l.shown() == onSales }},
		{[]string{"f3"}, func(l *listener) bool { return l.shown() == onSales }},
		{[]string{":f3"}, func(l *listener) bool { return l.shown() == onSales }},
		{[]string{"Sales", "back"}, func(l *listener) bool { return l.shown() == onRegister }},
		{[]string{"3*", "esp"}, func(l *listener) bool { return l.reg.Cart.Lines[0].Quantity == 3000 }},
		{[]string{"12.30+"}, func(l *listener) bool { return l.reg.Total() == eur(1230) }},
		{[]string{"=12.30"}, func(l *listener) bool { return len(l.reg.Cart.Lines) == 0 && l.reg.Amount() == eur(1230) }},
		{[]string{"=12", ":backspace 5"}, func(l *listener) bool { return l.reg.Amount() == eur(15) }},
		{[]string{"<9002236311036"}, func(l *listener) bool { return len(l.reg.Cart.Lines)+len(l.notice.text) > 0 }},
		{[]string{"5", "note", "sales"}, func(l *listener) bool { return l.reg.Cart.Note == "sales" }},
		{[]string{"5", "note", ":esc"}, func(l *listener) bool { return l.dialog() == nil && l.reg.Cart.Note == "" }},
		{[]string{"5", "pay", "what"}, func(l *listener) bool { return strings.Contains(l.notice.text, "“what”") }},
		{[]string{"sell", "no sale"}, func(l *listener) bool { return l.shown() == onSell }},
		{[]string{"shift", "nonsense"}, func(l *listener) bool {
			return l.dialog() == nil && strings.Contains(l.notice.text, "“nonsense”")
		}},
		{[]string{"a\x07b"}, func(l *listener) bool { return l.notice.text == english.ScanRefused && l.reg.Text == "" }},
		{[]string{"quit"}, func(l *listener) bool { return l.dialog() != nil && l.dialog().name == "quit" }},
	} {
		l := listening(t).lines(c.lines...)
		if !c.want(l) {
			t.Errorf("%q: on %s, %q, %+v", c.lines, l.shown(), l.notice.text, l.reg.Cart)
		}
	}
}

// TestALineWaitsForTheOneBefore: what is being written is not overtaken.
func TestALineWaitsForTheOneBefore(t *testing.T) {
	l := listening(t, func(o *Options) { o.After = func(time.Duration) <-chan time.Time { return nil } })
	l.lines("5", "pay", "cash", "10.00", "sales")
	if l.shown() == onSales {
		t.Fatal("the sale was left while it was written")
	}
	l.recorded()
	if got := l.heard(); !strings.Contains(got, "PAID") {
		t.Errorf("the result was not said first: %s", got)
	}
	l.aloud.under = 0
	_, _ = spokenModel{l.model}.Update(lineRetry{})
	if l.shown() != onSales {
		t.Errorf("the line is lost: %s", l.shown())
	}
}

// TestSecretsAreTypedUnseen: the terminal's echo is off while a passphrase is asked for.
func TestSecretsAreTypedUnseen(t *testing.T) {
	l := listening(t)
	l.open(&dialog{name: "x", title: "PIN", field: &field{masked: true}, keys: []key{no()}})
	l.heard()
	l.lines("=2222")
	if got := l.heard(); strings.Contains(got, "2222") {
		t.Errorf("said: %s", got)
	}
	l.lines(":esc")
	l.heard()
	if !slices.Equal(l.echo, []bool{false, true}) {
		t.Errorf("echo %v", l.echo)
	}
}

// TestTheEndOfTheInputLeaves, after the lines that still wait.
func TestTheEndOfTheInputLeaves(t *testing.T) {
	l := listening(t)
	_, _ = spokenModel{l.model}.Update(linesOver{})
	if !l.aloud.left {
		t.Error("it goes on")
	}
}
