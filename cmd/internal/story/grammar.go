package story

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// one parses a statement of one bare word.
func one(make func(string) Step, what string) func(*parser) (Step, error) {
	return func(p *parser) (Step, error) {
		w, err := p.bare(what)
		return make(w), err
	}
}

func choice(make func(string) Step, choices ...string) func(*parser) (Step, error) {
	return func(p *parser) (Step, error) {
		w, err := p.among("one of "+strings.Join(choices, " "), choices...)
		return make(w), err
	}
}

func duration(make func(time.Duration) Step) func(*parser) (Step, error) {
	return func(p *parser) (Step, error) {
		d, err := p.duration()
		return make(d), err
	}
}

func text(make func(Text) Step) func(*parser) (Step, error) {
	return func(p *parser) (Step, error) {
		t, err := p.text()
		if err == nil && t.Pattern != nil {
			err = fmt.Errorf("a regular expression cannot be sent")
		}
		return make(t), err
	}
}

func parseSize(p *parser) (Step, error) {
	var all string
	for len(p.tokens) > 0 {
		w, err := p.bare("a size such as 80x24")
		if err != nil {
			return nil, err
		}
		all += w
	}
	wide, high, _ := strings.Cut(all, "x")
	w, err1 := strconv.Atoi(wide)
	h, err2 := strconv.Atoi(high)
	if err1 != nil || err2 != nil || w < 1 || h < 1 || w > 1000 || h > 1000 {
		return nil, fmt.Errorf("%q is not a size such as 80x24", all)
	}
	return Size{w, h}, nil
}

var namedKeys = []string{"enter", "esc", "tab", "shift+tab", "space", "backspace", "delete", "insert", "up", "down", "left", "right", "home", "end", "pgup", "pgdn",
	"f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12"}

func isKey(k string) bool {
	for _, prefix := range []string{"ctrl+", "alt+"} {
		if rest, found := strings.CutPrefix(k, prefix); found {
			return utf8.RuneCountInString(rest) == 1
		}
	}
	return utf8.RuneCountInString(k) == 1 || slices.Contains(namedKeys, k)
}

func (p *parser) key() (string, error) {
	k, err := p.bare("a key")
	if err == nil && !isKey(k) {
		err = fmt.Errorf("there is no key %q", k)
	}
	return k, err
}

func parsePress(p *parser) (Step, error) {
	var s Press
	for len(p.tokens) > 0 || s.Keys == nil {
		k, err := p.key()
		if err != nil {
			return nil, err
		}
		s.Keys = append(s.Keys, k)
	}
	return s, nil
}

func parseHold(p *parser) (Step, error) {
	k, err := p.key()
	if err != nil {
		return nil, err
	}
	n, err := p.integer("how often")
	return Hold{k, n}, err
}

func parseScan(p *parser) (Step, error) {
	t, err := p.text()
	if err != nil {
		return nil, err
	}
	s := Scan{Text: t, By: "serial"}
	if p.word("by") {
		s.By, err = p.among("serial or keyboard", "serial", "keyboard")
	}
	return s, err
}

func (p *parser) action() (string, error) { return p.among("an action", Actions...) }

func parseAct(p *parser) (Step, error) {
	a, err := p.action()
	return Act{a}, err
}

func parseCan(not bool) func(*parser) (Step, error) {
	return func(p *parser) (Step, error) {
		a, err := p.action()
		s := Can{Action: a, Not: not}
		if err == nil && not && p.word("because") {
			var t Text
			t, err = p.text()
			s.Because = &t
		}
		return s, err
	}
}

func parseSee(p *parser) (Step, error) {
	if p.word("state") {
		state, err := p.among("a state", states...)
		if err != nil {
			return nil, err
		}
		d, err := p.within()
		return SeeState{state, d}, err
	}
	t, err := p.text()
	if err != nil {
		return nil, err
	}
	in, err := p.in()
	if err != nil {
		return nil, err
	}
	d, err := p.within()
	return See{t, in, d}, err
}

func parseNotSee(p *parser) (Step, error) {
	t, err := p.text()
	if err != nil {
		return nil, err
	}
	in, err := p.in()
	return NotSee{t, in}, err
}

func parseNever(p *parser) (Step, error) {
	t, err := p.text()
	if err != nil {
		return nil, err
	}
	if !p.word("for") {
		return nil, fmt.Errorf("for and a time are missing")
	}
	d, err := p.duration()
	return Never{t, d}, err
}

func parseSign(p *parser) (Step, error) {
	way, err := p.among("in or out", "in", "out")
	if err != nil || way == "out" {
		return SignOut{}, err
	}
	user, err := p.bare("the user")
	if err != nil {
		return nil, err
	}
	pin, err := p.bare("the PIN")
	return SignIn{user, pin}, err
}

func parseRing(p *parser) (Step, error) {
	w, err := p.bare("an amount")
	if err != nil {
		return nil, err
	}
	a, err := amount(w)
	if err != nil {
		return nil, err
	}
	s := Ring{Amount: *a}
	if len(p.tokens) > 0 {
		s.Name, err = p.str("a name")
	}
	return s, err
}

func parseAdd(p *parser) (Step, error) {
	name, err := p.str("the name of an item")
	s := Add{name, 1}
	if err != nil || len(p.tokens) == 0 {
		return s, err
	}
	if p.word("x") {
		if s.Count, err = p.integer("how many"); err == nil && s.Count == 0 {
			err = fmt.Errorf("x 0 adds nothing")
		}
		return s, err
	}
	w, err := p.bare("x and a number")
	if err != nil {
		return nil, err
	}
	digits, found := strings.CutPrefix(w, "x")
	if s.Count, err = strconv.Atoi(digits); !found || err != nil || s.Count < 1 {
		return nil, fmt.Errorf("%q is not x and a number", w)
	}
	return s, nil
}

func parseCustomer(p *parser) (Step, error) {
	what, err := p.among("what the customer does", "pays", "replaces", "taps", "walks")
	if err != nil {
		return nil, err
	}
	switch what {
	case "taps":
		return Taps{}, nil
	case "walks":
		_, err := p.among("away", "away")
		return WalksAway{}, err
	case "replaces":
		fee, err := p.fee()
		return Replaces{fee}, err
	}
	var s Pays
	if len(p.tokens) > 0 && p.tokens[0].kind == tokenWord && p.tokens[0].text[0] >= '0' && p.tokens[0].text[0] <= '9' {
		w, _ := p.bare("an amount")
		digits, percent := strings.CutSuffix(w, "%")
		if percent || p.word("%") {
			if s.Percent, err = strconv.Atoi(digits); err != nil || s.Percent < 1 || s.Percent > 1000 {
				return nil, fmt.Errorf("%q is not a percentage", w)
			}
		} else if s.Amount, err = amount(w); err != nil {
			return nil, err
		}
	}
	if s.Fee, err = p.fee(); err != nil {
		return nil, err
	}
	s.Replaceable = p.word("replaceable")
	return s, nil
}

func (p *parser) fee() (string, error) {
	if !p.word("fee") {
		return "", nil
	}
	w, err := p.bare("a fee in sat/vB")
	if err == nil && !isDecimal(w) {
		err = fmt.Errorf("%q is not a fee in sat/vB", w)
	}
	return w, err
}

func isDecimal(w string) bool {
	f, err := strconv.ParseFloat(w, 64)
	return err == nil && f >= 0 && f < 1e12 && !strings.ContainsAny(w, "eExXpPiInN+-_")
}

func parseMine(p *parser) (Step, error) { return Mine{p.number(1)}, nil }

func parseReorg(p *parser) (Step, error) {
	n, err := p.integer("how many blocks")
	return Reorg{n, p.word("drop")}, err
}

func parseRate(p *parser) (Step, error) {
	name, err := p.bare("a currency or source")
	if err != nil {
		return nil, err
	}
	if p.word("down") {
		return Rate{Name: name, Down: true}, nil
	}
	v, err := p.bare("a rate, or down")
	if err == nil && !isDecimal(v) {
		err = fmt.Errorf("%q is not a rate", v)
	}
	return Rate{Name: name, Value: v}, err
}

func parseMint(p *parser) (Step, error) {
	state, err := p.among("up, down or slow", "up", "down", "slow")
	s := Mint{State: state}
	if err == nil && state == "slow" {
		s.Delay, err = p.duration()
	}
	return s, err
}

func parsePrinter(p *parser) (Step, error) {
	what, err := p.among("a fault", "paper", "cover", "stall", "garble", "ok")
	s := PrinterIs{What: what}
	if err != nil {
		return nil, err
	}
	switch what {
	case "paper":
		if s.Arg, err = p.among("out, in or near", "out", "in", "near"); err == nil && p.word("after") {
			if s.After, err = p.integer("how many lines"); err == nil && !p.word("lines") {
				err = fmt.Errorf("after %d lines", s.After)
			}
		}
	case "cover":
		s.Arg, err = p.among("open or closed", "open", "closed")
	case "garble":
		if s.Arg, err = p.bare("a probability"); err == nil && !isDecimal(s.Arg) {
			err = fmt.Errorf("%q is not a probability", s.Arg)
		}
	}
	return s, err
}

func parseReader(p *parser) (Step, error) {
	what, err := p.among("what the reader does", "takes", "swipe", "stall", "ok")
	s := Reader{What: what}
	if err != nil {
		return nil, err
	}
	switch what {
	case "takes":
		if s.Arg, err = p.among("hi or lo", "hi", "lo"); err != nil {
			return nil, err
		}
		for {
			t, ok := p.optional()
			if !ok {
				break
			}
			if t.Pattern != nil || len(s.Tracks) == 3 {
				return nil, fmt.Errorf("a card has up to three tracks of text")
			}
			s.Tracks = append(s.Tracks, *t)
		}
	case "swipe":
		for _, how := range []string{"bad", "half"} {
			if p.word(how) {
				s.Arg = how
			}
		}
	}
	return s, nil
}

func parsePaper(p *parser) (Step, error) {
	s := Paper{What: "text"}
	var err error
	for _, what := range []string{"not", "count", "qr", "cut"} {
		if p.word(what) {
			s.What = what
			break
		}
	}
	if s.What != "cut" {
		var found bool
		if s.Text, found = p.optional(); !found && s.What != "qr" {
			return nil, fmt.Errorf(`a text is missing: "…" or /…/`)
		}
	}
	if s.What == "count" || s.What == "cut" {
		if s.Count, err = p.integer("how many"); err != nil {
			return nil, err
		}
	}
	s.Within, err = p.within()
	return s, err
}

func parseDisplay(p *parser) (Step, error) {
	row, err := p.integer("a line, 1 or 2")
	if err == nil && row == 0 {
		err = fmt.Errorf("lines count from 1")
	}
	if err != nil {
		return nil, err
	}
	t, err := p.text()
	return SeeDisplay{row, t}, err
}

func parseCard(p *parser) (Step, error) {
	if !p.word("holds") {
		return nil, fmt.Errorf("holds is missing")
	}
	kind, err := p.among("a kind of content", CardKinds...)
	return CardHolds{kind}, err
}

func parseQR(p *parser) (Step, error) {
	var s ReadQR
	var err error
	s.Text, _ = p.optional()
	if p.word("as") {
		if s.As, err = p.bare("a variable"); err == nil && !isName(s.As) {
			err = fmt.Errorf("%q is not a variable", s.As)
		}
	}
	if err != nil {
		return nil, err
	}
	s.Within, err = p.within()
	return s, err
}

func parseLet(p *parser) (Step, error) {
	name, err := p.bare("a variable")
	if err != nil {
		return nil, err
	}
	if !isName(name) || !p.word("=") {
		return nil, fmt.Errorf("write: let name = /…/")
	}
	if t, ok := p.take(tokenPattern); ok {
		return Let{Var: name, Pattern: t.pattern}, nil
	}
	s, err := p.str("a value")
	return Let{Var: name, Text: s}, err
}

// operand takes a value of expect: a word, @name, $name or string.
func (p *parser) operand() (string, error) {
	if t, ok := p.take(tokenVar); ok {
		return "$" + t.text, nil
	}
	if t, ok := p.take(tokenString); ok {
		return `"` + t.text, nil
	}
	if t, ok := p.take(tokenPattern); ok {
		return "/" + t.pattern.String(), nil
	}
	return p.bare("a value")
}

func parseExpect(p *parser) (Step, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	op, err := p.among("a comparison", "==", "!=", "<", "<=", ">", ">=", "~")
	if err != nil {
		return nil, err
	}
	right, err := p.operand()
	return Expect{left, op, right}, err
}

func parseClock(p *parser) (Step, error) {
	if len(p.tokens) > 0 && p.tokens[0].kind == tokenWord {
		if rest, found := strings.CutPrefix(p.tokens[0].text, "+"); found {
			p.tokens[0].text = rest
			if rest == "" {
				p.tokens = p.tokens[1:]
			}
			d, err := p.duration()
			return Advance{d}, err
		}
	}
	return nil, fmt.Errorf("write: clock +5m")
}

// name takes a file's name, bare or in quotes.
func (p *parser) name() (string, error) {
	if t, ok := p.take(tokenString); ok {
		return t.text, nil
	}
	return p.bare("a file")
}

func parseShot(p *parser) (Step, error) {
	file, err := p.name()
	if err == nil && !slices.ContainsFunc([]string{".txt", ".ans", ".png"}, func(end string) bool { return strings.HasSuffix(file, end) }) {
		err = fmt.Errorf("%q ends neither in .txt, .ans nor .png", file)
	}
	return Shot{file}, err
}

func parseInclude(p *parser) (Step, error) {
	file, err := p.name()
	return Include{file}, err
}
