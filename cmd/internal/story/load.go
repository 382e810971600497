package story

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// maxIncludes bounds how deep stories include each other.
const maxIncludes = 16

// load reads and parses files with what they include. The error is a
// [SyntaxError] with every wrong line of all of them.
func load(files []string, stdin io.Reader) ([][]Statement, error) {
	stories := make([][]Statement, len(files))
	var wrong SyntaxError
	for i, file := range files {
		l := loader{stdin: stdin, known: map[string]bool{}}
		stories[i] = l.file(file, nil)
		wrong = append(wrong, l.wrong...)
	}
	if wrong != nil {
		return nil, wrong
	}
	return stories, nil
}

type loader struct {
	stdin io.Reader
	wrong SyntaxError
	known map[string]bool // variables set so far
}

func (l *loader) fault(s Statement, format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf("%s:%d: %s", s.File, s.Line, fmt.Sprintf(format, args...)))
}

// file loads one file; from are the include statements that led to it.
func (l *loader) file(name string, from []Statement) []Statement {
	text, err := ReadFile(name, l.stdin)
	if err != nil {
		if len(from) > 0 {
			l.fault(from[len(from)-1], "include: %v", err)
		} else {
			l.wrong = append(l.wrong, fmt.Sprintf("%s: %v", name, err))
		}
		return nil
	}
	statements, err := Parse(name, text)
	if err != nil {
		var lines SyntaxError
		if errors.As(err, &lines) {
			l.wrong = append(l.wrong, lines...)
		}
		return nil
	}
	var all []Statement
	for _, s := range statements {
		include, ok := s.Do.(Include)
		if !ok {
			l.check(s)
			all = append(all, s)
			continue
		}
		if len(from) == maxIncludes {
			l.fault(s, "include: more than %d files deep", maxIncludes)
			return nil
		}
		path := include.File
		if !filepath.IsAbs(path) && name != "-" {
			path = filepath.Join(filepath.Dir(name), path)
		}
		all = append(all, l.file(path, append(from, s))...)
	}
	return all
}

// check finds what is wrong with a statement beyond its grammar.
func (l *loader) check(s Statement) {
	switch do := s.Do.(type) {
	case Term:
		if !knownTerm(do.Name) {
			l.fault(s, "term: it is not known what the keys of %q send", do.Name)
		}
	case Press:
		for _, key := range do.Keys {
			if _, err := keyBytes("xterm", key, false); err != nil {
				l.fault(s, "press: %v", err)
			}
		}
	case Hold:
		if _, err := keyBytes("xterm", do.Key, false); err != nil {
			l.fault(s, "hold: %v", err)
		}
	case Shot:
		if !filepath.IsLocal(do.File) {
			l.fault(s, "shot: %q leaves the directory of the shots", do.File)
		}
	case Expect:
		for _, operand := range []string{do.Left, do.Right} {
			if name, found := strings.CutPrefix(operand, "@"); found && !values[name] {
				l.fault(s, "expect: there is no value @%s", name)
			}
		}
	}
	for _, name := range used(s.Do) {
		if !l.known[name] {
			l.fault(s, "nothing has set $%s", name)
		}
	}
	switch do := s.Do.(type) {
	case Let:
		l.known[do.Var] = true
	case ReadQR:
		if do.As != "" {
			l.known[do.As] = true
		}
	}
}

// used are the variables a statement reads.
func used(step Step) []string {
	var texts []Text
	some := func(t *Text) {
		if t != nil {
			texts = append(texts, *t)
		}
	}
	var names []string
	switch do := step.(type) {
	case TypeText:
		texts = append(texts, do.Text)
	case Paste:
		texts = append(texts, do.Text)
	case Scan:
		texts = append(texts, do.Text)
	case See:
		texts = append(texts, do.Text)
	case NotSee:
		texts = append(texts, do.Text)
	case Never:
		texts = append(texts, do.Text)
	case SeeDisplay:
		texts = append(texts, do.Text)
	case Reader:
		texts = append(texts, do.Tracks...)
	case Can:
		some(do.Because)
	case Paper:
		some(do.Text)
	case ReadQR:
		some(do.Text)
	case Expect:
		for _, operand := range []string{do.Left, do.Right} {
			if name, found := strings.CutPrefix(operand, "$"); found {
				names = append(names, name)
			}
		}
	}
	for _, t := range texts {
		if t.Var != "" {
			names = append(names, t.Var)
		}
	}
	return names
}

// refuse names every statement that cannot be carried out in this shop.
func refuse(stories [][]Statement, shop *Shop) error {
	var wrong SyntaxError
	for _, story := range stories {
		for _, s := range story {
			if what := shop.lacks(s); what != "" {
				wrong = append(wrong, fmt.Sprintf("%s:%d: statement %s cannot be carried out in this shop", s.File, s.Line, what))
			}
		}
	}
	if wrong != nil {
		return wrong
	}
	return nil
}

// lacks names the statement if the shop, or this version, cannot carry it out.
func (shop *Shop) lacks(s Statement) string {
	if s.On != mainSeat && shop.Further == nil {
		return "on " + s.On + ":"
	}
	switch do := s.Do.(type) {
	case Ring:
		if do.Amount.Sat != nil {
			return "ring in bitcoin"
		}
	}
	for what, there := range shop.needed(s.Do) {
		if !there {
			return what
		}
	}
	return ""
}

// needed are the parts of the shop that a statement needs, by what to call the
// statement without it, and whether they are there.
func (shop *Shop) needed(step Step) map[string]bool {
	world, books, printer := shop.World != nil, shop.Books != nil, shop.Printer != nil
	switch do := step.(type) {
	case Pays:
		return map[string]bool{"customer pays": world && books}
	case Replaces:
		return map[string]bool{"customer replaces": world}
	case Taps:
		return map[string]bool{"customer taps": shop.Ecash != nil}
	case Mint:
		return map[string]bool{"mint": shop.Ecash != nil}
	case Mine:
		return map[string]bool{"mine": world}
	case Reorg:
		return map[string]bool{"reorg": world}
	case Rate:
		return map[string]bool{"rate": world}
	case Node:
		return map[string]bool{"node": world}
	case Pull:
		return map[string]bool{"pull " + do.Line: shop.Cables != nil || do.Line == "power"}
	case Plug:
		return map[string]bool{"plug " + do.Line: shop.Cables != nil || do.Line == "power"}
	case PrinterIs:
		return map[string]bool{"printer": printer}
	case Paper:
		return map[string]bool{"paper": printer}
	case SeeDisplay:
		return map[string]bool{"display": shop.Display != nil}
	case Reader:
		return map[string]bool{"reader": shop.Reader != nil}
	case CardHolds:
		return map[string]bool{"card holds": shop.Reader != nil}
	case Tamper:
		return map[string]bool{"tamper": shop.Case != nil}
	case SeeDrawer:
		return map[string]bool{"drawer": shop.Drawer != nil}
	case Scan:
		return map[string]bool{"scan by serial": shop.Scanner != nil || do.By != "serial"}
	case SeeState:
		return map[string]bool{"see state": books}
	case Verify:
		return map[string]bool{"journal verify": books}
	case Expect:
		needs := map[string]bool{}
		for _, operand := range []string{do.Left, do.Right} {
			needs["expect "+operand] = (books || !isBooked(operand)) && (printer || operand != "@paper.lines")
		}
		return needs
	}
	return nil
}
