package tui

import (
	"strings"
	"testing"
)

func TestKeysCanBeRemapped(t *testing.T) {
	b := counter(t, 80, 24, func(o *Options) { o.Keys = map[Action][]string{ActSales: {"f4"}, ActSell: {"f3"}} })
	b.press("f4")
	if b.shown() != onSales && b.screen != onSales {
		t.Error("the other key does not work")
	}
}

// TestTheScreenNamesTheOtherKeys: rows and sentences, not only the bottom line.
func TestTheScreenNamesTheOtherKeys(t *testing.T) {
	b := counter(t, 80, 24, func(o *Options) { o.Keys = map[Action][]string{ActCash: {"9"}, ActPrint: {"ctrl+k"}} })
	b.rung().press("enter")
	if !strings.Contains(b.plain(), "9  Cash") || strings.Contains(b.plain(), "3  Cash") {
		t.Errorf("cash is not on 9:\n%s", b.plain())
	}
	if got := b.printIt(); !strings.Contains(got, "ctrl+k") {
		t.Errorf("it says %q", got)
	}
	if b.press("9"); !strings.Contains(b.plain(), english.Given) {
		t.Errorf("9 takes no cash:\n%s", b.plain())
	}
}

func TestOtherKeysAreJudged(t *testing.T) {
	for _, c := range []struct {
		keys map[Action][]string
		want string // in the fault of the first; "" good
	}{
		{map[Action][]string{"sales": {"f4"}, "sell": {"f3"}}, ""},
		{map[Action][]string{"sales": {"insert"}}, ""},
		{map[Action][]string{"tender.cash": {"9"}}, ""},
		{map[Action][]string{"sales": {"f4"}}, "f4 is sell already"},
		{map[Action][]string{"sales": {"f2"}}, "f2 is register already"},
		{map[Action][]string{"park": {"ctrl+n"}}, "ctrl+n is note already"},
		{map[Action][]string{"park": {"f9"}}, "f9 is customer already"},
		{map[Action][]string{"tender.cash": {"1"}}, "1 is tender.bitcoin already"},
		{map[Action][]string{"sale": {"f3"}}, "no such action"},
		{map[Action][]string{"sales": {"F3"}}, `"F3" is no key`},
		{map[Action][]string{"sales": {"ctrl+shift+k"}}, "is no key"},
		{map[Action][]string{"sales": {"ctrl+c"}}, "leaves the program"},
		{map[Action][]string{"sales": {"ctrl+m"}}, "terminals send it for enter"},
		{map[Action][]string{"sales": {"k"}}, "k types"},
		{map[Action][]string{"confirm": {"j"}}, "stays on y"},
	} {
		for action := range c.keys {
			got := strings.Join(JudgeKeys(c.keys)[action], "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%v: %q, want %q", c.keys, got, c.want)
			}
		}
	}
}

// TestOurOwnKeysAreGood: what the program comes with passes its own judgement.
func TestOurOwnKeysAreGood(t *testing.T) {
	for _, r := range KeyTable("en") {
		for _, k := range r.Keys {
			if !strokes.MatchString(k) {
				t.Errorf("%s is on %q, which nobody could write", r.Action, k)
			}
		}
	}
}
