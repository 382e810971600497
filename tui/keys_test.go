package tui

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// fixed are the names of stories.md that screens of this program offer, whether
// they can be done yet or not.
var fixed = []Action{
	"help", "back", "quit", "register", "sales", "sell", "key", "shift", "devices", "alerts", "settings", "address", "pay", "next", "add",
	"clear", "undo", "park", "recall", "quantity", "price", "discount", "tip", "note", "qr", "print", "reprint", "recheck", "refund", "cancel",
	"acknowledge", "customer", "user", "sign-out", "tender.bitcoin", "tender.ecash", "tender.cash", "tender.card", "tender.lightning", "tender.key",
}

func TestEveryFixedActionHasAKey(t *testing.T) {
	table := KeyTable("en")
	for _, a := range fixed {
		if !slices.ContainsFunc(table, func(r KeyRow) bool { return r.Action == a && len(r.Keys) > 0 }) {
			t.Errorf("%s has no key", a)
		}
	}
}

func TestNoLetterIsAnActionWhereLettersSearch(t *testing.T) {
	for _, r := range KeyTable("en") {
		if r.Screen != "register" && r.Screen != "everywhere" && r.Screen != "sales" {
			continue
		}
		for _, k := range r.Keys {
			if len([]rune(k)) == 1 && (unicode.IsLetter([]rune(k)[0]) || unicode.IsDigit([]rune(k)[0])) {
				t.Errorf("%s on %s is %q, which types", r.Action, r.Screen, k)
			}
		}
	}
}

// TestNoKeyMeansTwoThings plays every scene and looks at the live keys.
func TestNoKeyMeansTwoThings(t *testing.T) {
	for _, s := range scenes {
		b := counter(t, 80, 24)
		s.play(b)
		seen := map[string]Action{}
		for _, k := range b.live() {
			for _, stroke := range k.keys {
				if other, taken := seen[stroke]; taken {
					t.Errorf("%s: %s is %s and %s", s.name, stroke, other, k.action)
				}
				seen[stroke] = k.action
			}
		}
	}
}

// TestEveryKeyDoesOrSaysWhy: a key on the screen either can be done or has a
// reason, a sentence that stands on the screen when it is pressed.
func TestEveryKeyDoesOrSaysWhy(t *testing.T) {
	tried := map[string]bool{}
	for _, s := range scenes {
		b := counter(t, 120, 30)
		s.play(b)
		for _, o := range b.seen.Load().Offers {
			what := b.seen.Load().Screen + b.seen.Load().Dialog + string(o.Action) + o.Why
			if tried[what] {
				continue
			}
			tried[what] = true
			b := counter(t, 120, 30)
			s.play(b)
			if o.Why == "" {
				if k := b.bound(o.Key); k == nil || k.do == nil {
					t.Errorf("%s: %s can be done and does nothing", s.name, o.Action)
				}
				continue
			}
			b.press(o.Key)
			if b.qrOnly() {
				continue // no room for words
			}
			if !strings.Contains(b.plain(), o.Why[:min(len(o.Why), 40)]) {
				t.Errorf("%s: %s does not say %q\n%s", s.name, o.Action, o.Why, b.plain())
			}
		}
	}
}

func TestTheTableForTheReadme(t *testing.T) {
	golden(t, "keys-markdown", KeyMarkdown("en"))
}
