package tui

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"unicode"
	"unicode/utf8"

	"till/device"
	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

var values = regexp.MustCompile(`%[0-9]`)

// TestEveryLanguageIsWhole: no word is missing, and each sentence takes the same
// values in every language.
func TestEveryLanguageIsWhole(t *testing.T) {
	for _, w := range languages {
		wholeSentences(t, w.Language, reflect.ValueOf(*w), reflect.ValueOf(*english))
		wholeSentences(t, w.Language, reflect.ValueOf(w.Staff), reflect.ValueOf(english.Staff))
	}
}

// wholeSentences compares the sentences of a language with those of the first.
func wholeSentences(t *testing.T, language string, v, first reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if k, ok := v.Field(i).Interface().(KeyWords); ok && (k.Label == "" || k.Help == "") {
			t.Errorf("%s: %s is missing", language, field.Name)
		}
		if field.Type.Kind() != reflect.String {
			continue
		}
		text := v.Field(i).String()
		if text == "" {
			t.Errorf("%s: %s is missing", language, field.Name)
		}
		have, want := values.FindAllString(text, -1), values.FindAllString(first.Field(i).String(), -1)
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("%s: %s takes %v, English %v", language, field.Name, have, want)
		}
	}
}

// whole checks that a map of words has one for each of names, and no other.
func whole[K comparable](t *testing.T, language, what string, words map[K]string, names []K) {
	t.Helper()
	for _, n := range names {
		if words[n] == "" {
			t.Errorf("%s: %s lacks %v", language, what, n)
		}
	}
	for n := range words {
		if !slices.Contains(names, n) {
			t.Errorf("%s: %s has a word for %v, which is nothing", language, what, n)
		}
	}
}

func TestEveryNameHasItsWord(t *testing.T) {
	states := []protocol.SaleState{"open", "seen", "accepted", "confirmed", "expired", "cancelled"}
	flags := []protocol.Flag{"underpaid", "overpaid", "late", "replaced", "conflict"}
	for _, w := range languages {
		whole(t, w.Language, "Why", w.Why, register.Whys())
		for _, w := range []*Words{w, w.onPaper()} {
			whole(t, w.Language, "Paper", w.Paper, register.Labels())
			whole(t, w.Language, "Report", w.Staff.Report, register.ReportLabels())
			whole(t, w.Language, "States", w.States, states)
			whole(t, w.Language, "PayoutStates", w.PayoutStates, []protocol.PayoutState{"reserved", "signed", "broadcast", "confirmed", "refused", "unknown", "never"})
			whole(t, w.Language, "Tenders", w.Tenders, register.Kinds())
		}
		whole(t, w.Language, "StateBig", w.StateBig, states)
		whole(t, w.Language, "Flags", w.Flags, flags)
		whole(t, w.Language, "Screens", w.Screens, append(screenNames(), onTooSmall))
		whole(t, w.Language, "FaultShort", w.FaultShort, device.Faults())
		whole(t, w.Language, "DeviceStates", w.DeviceStates, []device.State{device.Absent, device.Ready, device.Faulted})
		whole(t, w.Language, "DrawerStates", w.DrawerStates, []device.DrawerState{device.DrawerUnknown, device.DrawerClosed, device.DrawerOpen})
		whole(t, w.Language, "Devices", w.Devices, []string{"printer", "scanner", "card", "display", "case"})
		whole(t, w.Language, "Values", w.Values, append(widget.ThemeNames(), "on", "off", "auto", "ask", "never"))
		if w != english {
			whole(t, w.Language, "Faults", w.Faults, device.Faults())
			whole(t, w.Language, "Reasons", w.Reasons, slices.Collect(maps.Keys(german.Reasons)))
		}
		used := map[Action]bool{}
		for _, r := range KeyTable(w.Language) {
			used[r.Action] = true
			if k := w.Keys[r.Action]; k.Label == "" || k.Help == "" {
				t.Errorf("%s: %s has no words", w.Language, r.Action)
			}
		}
		for a := range w.Keys {
			if !used[a] {
				t.Errorf("%s: %s has words and no key", w.Language, a)
			}
		}
	}
}

func TestNumbersByLocale(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{english.money(eur(123456789)), "1,234,567.89"}, {german.money(eur(123456789)), "1.234.567,89"},
		{english.money(eur(-5)), "-0.05"}, {english.money(protocol.Money{Currency: "JPY", Minor: 1200}), "1,200"},
		{german.bitcoin(21164), "0,00021164"}, {english.number(1500), "1.5"}, {german.number(1250), "1,25"}, {english.number(2000), "2"},
		{english.percent(1950), "19.5 %"}, {countdown(0), "0:00"}, {countdown(821e9), "13:41"}, {countdown(6001e6), "0:07"}, {countdown(-5e9), "0:00"},
		{german.money(protocol.Money{Currency: "JPY", Minor: 1200}), "1.200"}, {french.moneyIn(eur(123456789)), "1 234 567,89 EUR"}, {spanish.money(eur(123456)), "1.234,56"},
		{japanese.moneyIn(protocol.Money{Currency: "JPY", Minor: 123456}), "123,456 JPY"}, {language("de-CH").money(eur(123456)), "1’234.56"}, {language("de-CH").label(ActPay), german.label(ActPay)},
		{language("en_US.UTF-8").moment(noon), "11/24/2026 2:32 PM"}, {language("ja-JP").moment(noon), "2026/11/24 14:32"}, {language("fr").moment(noon), "24/11/2026 14:32"},
		{language("es_MX").money(eur(123456)), "1,234.56"}, {language("fr_CA.UTF-8").Language, "fr"},
		{language("de_AT").Language, "de"}, {language("xx").Language, "en"}, {language("").Language, "en"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestPaperHasSignsThatPrintersHave: no printer has a font of Chinese characters
// that could be relied on.
func TestPaperHasSignsThatPrintersHave(t *testing.T) {
	for _, w := range languages {
		check := func(what, text string) {
			for _, r := range text {
				if unicode.Is(unicode.Han, r) {
					t.Errorf("%s: %s on paper has %q: %s", w.Language, what, r, text)
					return
				}
			}
		}
		p := w.onPaper()
		v := reflect.ValueOf(*p)
		for i := range v.NumField() {
			switch f := v.Field(i); f.Kind() {
			case reflect.String:
				check(v.Type().Field(i).Name, f.String())
			case reflect.Map:
				for k, word := range f.Seq2() {
					if word.Kind() == reflect.String {
						check(k.String(), word.String())
					}
				}
			}
		}
		for _, text := range []string{p.Practice, p.TotalCapital, p.StillDue, p.Received, p.Preparing, p.Paid, p.NotPaid, p.Change, p.Paper[register.LabelScanToPay]} {
			if text == "" || utf8.RuneCountInString(text) > 20 {
				t.Errorf("%s: %q does not fit the customer's display", w.Language, text)
			}
		}
	}
}
