package tui

import (
	"strconv"
	"strings"
	"time"

	"till/protocol"
)

// money says an amount without its currency: 1,204.00.
func (w *Words) money(m protocol.Money) string { return w.decimal(m.Decimal()) }

// moneyIn says an amount with its currency: 12.30 EUR.
func (w *Words) moneyIn(m protocol.Money) string { return w.money(m) + " " + string(m.Currency) }

// bitcoin says satoshi as bitcoin, always eight decimals: 0.00021163.
func (w *Words) bitcoin(s protocol.Sat) string { return w.decimal(s.String()) }

// decimal sets a number with a point in the language's signs.
func (w *Words) decimal(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, frac, point := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(w.Group)
		}
		b.WriteRune(d)
	}
	if point {
		b.WriteString(w.Decimal + frac)
	}
	return b.String()
}

// number says thousandths without noughts at the end: 2, 1.5.
func (w *Words) number(thousandths int64) string {
	text := strconv.FormatInt(thousandths/1000, 10)
	if rest := thousandths % 1000; rest != 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(1000+rest, 10)[1:], "0")
	}
	return w.decimal(text)
}

// percent says hundredths of a percent: 20 %.
func (w *Words) percent(bp int64) string { return w.number(bp*10) + " %" }

func (w *Words) clock(t time.Time) string  { return t.Format(w.Clock) }
func (w *Words) moment(t time.Time) string { return t.Format(w.Date + " " + w.Clock) }

// ago says how long something is past, coarsely: now, 4 min, 3 h.
func (w *Words) ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.Now
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " " + w.Minutes
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " " + w.Hours
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " " + w.Days
}

// sameDay reports whether two moments are of one day where they are shown.
func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

// countdown says what is left: 14:32, 0:07.
func countdown(d time.Duration) string {
	s := max(0, int((d+time.Second-1)/time.Second))
	return strconv.Itoa(s/60) + ":" + strconv.Itoa(100 + s%60)[1:]
}

// language gives the words for a locale such as de-AT or fr_CH.UTF-8, with the
// numbers and dates of its region; English where there are none.
func language(locale string) *Words {
	locale, _, _ = strings.Cut(strings.ReplaceAll(strings.ToLower(locale), "_", "-"), ".")
	name, _, _ := strings.Cut(locale, "-")
	for _, w := range languages {
		if w.Language == name {
			return w.in(locale)
		}
	}
	return english
}

// languages are those there are words in.
var languages = []*Words{english, german, french, spanish, japanese}

// Languages are their names, ISO 639-1.
func Languages() []string {
	names := make([]string, len(languages))
	for i, w := range languages {
		names[i] = w.Language
	}
	return names
}

// regions write numbers or dates otherwise than most who speak their language
// (Unicode CLDR). What is empty is as usual.
var regions = map[string]struct{ decimal, group, date, clock, short string }{
	"de-ch": {".", "’", "", "", ""}, "de-li": {".", "’", "", "", ""},
	"fr-ch": {"", "", "02.01.2006", "", "02.01."}, "fr-ca": {"", "", "2006-01-02", "", ""},
	"es-mx": {".", ",", "", "", ""}, "es-us": {".", ",", "", "", ""}, "es-sv": {".", ",", "", "", ""}, "es-gt": {".", ",", "", "", ""},
	"en-us": {"", "", "01/02/2006", "3:04 PM", "Jan 02"}, "en-gb": {"", "", "02/01/2006", "", ""}, "en-au": {"", "", "02/01/2006", "", ""},
	"en-in": {"", "", "02/01/2006", "", ""}, "en-za": {",", " ", "2006/01/02", "", ""},
}

// in is the words with a region's numbers and dates.
func (w *Words) in(locale string) *Words {
	r, ok := regions[locale]
	if !ok {
		return w
	}
	there := *w
	for _, change := range []struct {
		to   *string
		text string
	}{{&there.Decimal, r.decimal}, {&there.Group, r.group}, {&there.Date, r.date}, {&there.Clock, r.clock}, {&there.ShortDate, r.short}} {
		if change.text != "" {
			*change.to = change.text
		}
	}
	return &there
}
