package escpos

import (
	"fmt"
	"strings"

	"till/device"
)

// displayColumns is the width of a customer display.
const displayColumns = 20

// DisplayLanguage is a command set of customer displays of two lines of twenty
// characters.
type DisplayLanguage struct {
	cd5220 bool
	behind bool
}

var _ device.DisplayLanguage = DisplayLanguage{}

// NewDisplayLanguage takes the set, "epson" or "cd5220" (cli.md, display.set),
// and whether the display hangs behind a printer, which is then told to pass the
// bytes on (ESC =).
func NewDisplayLanguage(set string, behind bool) (DisplayLanguage, error) {
	switch set {
	case "epson", "cd5220":
		return DisplayLanguage{cd5220: set == "cd5220", behind: behind}, nil
	}
	return DisplayLanguage{}, fmt.Errorf("display set %q: must be epson or cd5220", set)
}

// Start resets the display, hides its cursor and clears it. CD5220 displays know
// no code pages: theirs is 437 from the maker.
func (l DisplayLanguage) Start() []byte {
	if l.cd5220 {
		return l.through([]byte{esc, '@', 0x0C})
	}
	return l.through([]byte{esc, '@', esc, 't', displayPages[0].number, 0x1F, 'C', 0, 0x0C})
}

// displayPages are those that displays have: Epson's PC858 has the euro.
var displayPages = []codePage{page858, pageKana}

// Show writes both lines in full, so that nothing needs to be cleared and
// nothing flickers: US $ column line (Epson), ESC Q A and B (CD5220).
func (l DisplayLanguage) Show(upper, lower string) []byte {
	var b []byte
	if l.cd5220 {
		b = append(append(append(b, esc, 'Q', 'A'), l.line(upper)...), '\r')
		b = append(append(append(b, esc, 'Q', 'B'), l.line(lower)...), '\r')
		return l.through(b)
	}
	b = append(append(b, 0x1F, '$', 1, 1), l.line(upper)...)
	b = append(append(b, 0x1F, '$', 1, 2), l.line(lower)...)
	return l.through(b)
}

// line is exactly twenty characters, and leaves the display in its first page.
// What stands after a tab is flush right and kept whole; the left gives way.
func (l DisplayLanguage) line(text string) []byte {
	pages := displayPages
	if l.cd5220 {
		pages = []codePage{page437}
	}
	e := encoder{profile: profile{pages: pages}}
	var end []rune
	room := displayColumns
	if i := strings.LastIndexByte(text, '\t'); i >= 0 {
		end = cut(e.spell(text[i+1:]), displayColumns)
		text, room = text[:i], max(displayColumns-len(end)-1, 0)
	}
	line := cut(e.spell(text), room)
	for len(line)+len(end) < displayColumns {
		line = append(line, ' ')
	}
	b := e.encode(nil, string(append(line, end...)))
	if e.page != 0 {
		b = append(b, esc, 't', pages[0].number)
	}
	return b
}

// cut is the beginning of a text, at most n characters.
func cut(text string, n int) []rune {
	runes := []rune(text)
	return runes[:min(len(runes), n)]
}

// through has the printer pass the bytes on, and listen to us again.
func (l DisplayLanguage) through(b []byte) []byte {
	if !l.behind {
		return b
	}
	return append(append([]byte{esc, '=', 2}, b...), esc, '=', 1)
}
