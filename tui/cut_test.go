package tui

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"till/tui/widget"
)

// TestNoWordIsCut finds words that lost their end at an edge: whatever stands on
// a small screen stands on a wide one too, or is a word of the language, or is
// data that may be shortened; and an ellipsis is only where a sentence has one.
func TestNoWordIsCut(t *testing.T) {
	for _, w := range languages {
		for _, s := range scenes {
			wide := counter(t, 200, 60, func(o *Options) { o.Locale = w.Language })
			s.play(wide)
			known := vocabulary(w, wide.plain())
			for _, a := range sizes {
				b := counter(t, a.W, a.H, func(o *Options) { o.Locale = w.Language })
				s.play(b)
				for _, line := range b.readable() {
					if word := known.cut(line); word != "" {
						t.Errorf("%s/%s at %dx%d: %q is cut in %q", w.Language, s.name, a.W, a.H, word, strings.TrimSpace(line))
					}
				}
			}
		}
	}
}

// shortened is what a text ends with of the lines of a sale, which lists cut.
func shortened(text string) string {
	for _, s := range past() {
		what := ""
		for _, l := range s.Opening.Lines {
			what += l.Name
		}
		if i := strings.LastIndex(text, what[:3]); i >= 0 && strings.HasPrefix(what, text[i:]) {
			return text[i:]
		}
	}
	return ""
}

// readable are the lines of the frame; where a dialog stands over a screen, those
// of the dialog.
func (b *bench) readable() []string {
	var out []string
	from, to := 0, b.size.W
	for _, l := range b.model.frame.Lines {
		text := l.String()
		if before, _, top := strings.Cut(text, "╭"); top {
			from = widget.Text.Line(before).Width()
			box, _, _ := strings.Cut(text, "╮")
			to, out = widget.Text.Line(box).Width(), nil
		}
		out = append(out, l.Cut(from, to).String())
		if strings.Contains(text, "╰") {
			break
		}
	}
	return out
}

// known is what may stand on a screen.
type known struct {
	words map[string]bool
	all   string // everything, to find pieces of addresses in
	ends  map[string]bool
}

var valueMark = regexp.MustCompile(`%[0-9]`)

func vocabulary(w *Words, wide string) known {
	k := known{words: map[string]bool{}, ends: map[string]bool{}}
	add := func(text string) {
		k.all += text + "\n"
		for _, word := range split(text) {
			k.words[word] = true
		}
		for rest := text; ; {
			before, after, found := strings.Cut(rest, "…")
			if !found {
				break
			}
			k.ends[lastRunes(before, 3)] = true
			rest = after
		}
	}
	add(wide)
	clear(k.ends) // nothing is cut there either
	each(reflect.ValueOf(*w), func(text string) { add(valueMark.ReplaceAllString(text, " ")) })
	for _, text := range english.Keys {
		add(text.Label)
	}
	for _, item := range goods() {
		add(item.Name)
	}
	return k
}

// each visits every text in a value.
func each(v reflect.Value, visit func(string)) {
	switch v.Kind() {
	case reflect.String:
		visit(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), visit)
		}
	case reflect.Map:
		for _, e := range v.Seq2() {
			each(e, visit)
		}
	}
}

func lastRunes(text string, n int) string {
	runes := []rune(text)
	return string(runes[max(0, len(runes)-n):])
}

// split gives the words of a text: runs of letters of one script.
func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && r != '’' })
}

// cut is the first word of a line that is not whole, "" none.
func (k known) cut(line string) string {
	parts := strings.SplitAfter(line, "…")
	for i, part := range parts {
		before, cut := strings.CutSuffix(part, "…")
		switch {
		case !cut, k.ends[lastRunes(before, 3)], strings.HasPrefix(strings.Join(parts[i+1:], ""), ")"):
		case shortened(before) != "":
			parts[i] = strings.TrimSuffix(before, shortened(before))
		default:
			return lastRunes(strings.TrimSpace(before), 12) + "…"
		}
	}
	for _, word := range split(strings.Join(parts, "")) {
		if k.words[word] || len(word) < 3 && !strings.HasSuffix(strings.TrimRight(line, " "), word) {
			continue
		}
		if strings.Contains(k.all, word) && !letters(word) {
			continue // a group of an address, or Japanese, which breaks anywhere
		}
		return word
	}
	return ""
}

// letters tells a word of an alphabet from a piece of an address or of Japanese.
func letters(word string) bool {
	for _, r := range word {
		if !unicode.In(r, unicode.Latin) && r != '’' {
			return false
		}
	}
	return true
}
