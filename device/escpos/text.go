package escpos

import "strings"

// spell replaces what no page of the printer has by what it has, so that the
// text can be laid out in characters. Controls do not reach the printer.
func (e *encoder) spell(text string) string {
	var b strings.Builder
	for _, r := range e.reading(text) {
		switch {
		case r == '\n', e.has(r):
			b.WriteRune(r)
		default:
			e.respell(&b, r)
		}
	}
	return b.String()
}

func (e *encoder) respell(b *strings.Builder, r rune) {
	for _, candidate := range spellings[r] {
		if e.hasAll(candidate) {
			b.WriteString(candidate)
			return
		}
	}
	if !silent(r) {
		b.WriteByte('?')
	}
}

// has tells whether a rune is ASCII text or in one of the pages.
func (e *encoder) has(r rune) bool {
	if r < 0x80 {
		return r >= 0x20 && r != 0x7F
	}
	if r == 0xA0 || r == 0xAD {
		return false // a blank and a hyphen that printers show as they like
	}
	for _, p := range e.profile.pages {
		if _, ok := p.bytes[r]; ok {
			return true
		}
	}
	return false
}

func (e *encoder) hasAll(text string) bool {
	for _, r := range text {
		if !e.has(r) {
			return false
		}
	}
	return true
}

// silent are runes that show nothing by themselves: joiners, directions,
// variation selectors, combining marks.
func silent(r rune) bool {
	return r >= 0x300 && r <= 0x36F || r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E ||
		r >= 0x2060 && r <= 0x2069 || r >= 0xFE00 && r <= 0xFE0F || r == 0xFEFF || r == 0xAD
}

// encode appends spelled text in the printer's pages, staying on the present
// page as long as it can, and changing to one that has the whole rest if any.
func (e *encoder) encode(b []byte, text string) []byte {
	runes := []rune(text)
	for i, r := range runes {
		if r < 0x80 {
			b = append(b, byte(r))
			continue
		}
		if _, ok := e.profile.pages[e.page].bytes[r]; !ok {
			e.page = e.pageFor(runes[i:])
			b = append(b, esc, 't', e.profile.pages[e.page].number)
		}
		b = append(b, e.profile.pages[e.page].bytes[r])
	}
	return b
}

// pageFor is the page that reaches farthest into the text.
func (e *encoder) pageFor(runes []rune) int {
	best, farthest := 0, -1
	for i, p := range e.profile.pages {
		reach := 0
		for _, r := range runes {
			if _, ok := p.bytes[r]; !ok && r >= 0x80 {
				break
			}
			reach++
		}
		if reach > farthest {
			best, farthest = i, reach
		}
	}
	return best
}
