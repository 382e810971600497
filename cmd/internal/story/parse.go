package story

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"till/protocol"
)

// SyntaxError is every line of a story that is not understood.
type SyntaxError []string

func (e SyntaxError) Error() string { return strings.Join(e, "\n") }

// Parse reads a story. The error is a [SyntaxError] that names every wrong line
// as FILE:LINE; nothing of a story with one is run.
func Parse(file, text string) ([]Statement, error) {
	if len(text) > maxStory {
		return nil, SyntaxError{fmt.Sprintf("%s: the story has more than %d bytes", file, maxStory)}
	}
	var story []Statement
	var wrong SyntaxError
	for i, line := range strings.Split(text, "\n") {
		s, err := parseLine(line)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s:%d: %v", file, i+1, err))
			continue
		}
		if s != nil {
			s.File, s.Line = file, i+1
			story = append(story, *s)
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	return story, nil
}

// parseLine gives nil for a line without a statement.
func parseLine(line string) (*Statement, error) {
	tokens, text, err := lex(line)
	if err != nil || len(tokens) == 0 {
		return nil, err
	}
	s := &Statement{Text: text, On: "main"}
	p := &parser{tokens: tokens}
	if p.word("on") {
		name, err := p.bare("the name of a terminal")
		if err != nil {
			return nil, err
		}
		var colon bool
		if s.On, colon = strings.CutSuffix(name, ":"); !colon && !p.word(":") {
			return nil, fmt.Errorf("a colon follows the terminal: on %s: …", name)
		}
	}
	verb, err := p.bare("a statement")
	if err != nil {
		return nil, err
	}
	parse, known := verbs[verb]
	if !known {
		return nil, fmt.Errorf("there is no statement %q", verb)
	}
	if s.Do, err = parse(p); err != nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	if len(p.tokens) > 0 {
		return nil, fmt.Errorf("%s: %q is too much", verb, p.tokens[0].text)
	}
	return s, nil
}

// verbs has the rest of each statement behind its first word.
var verbs map[string]func(p *parser) (Step, error)

func init() {
	verbs = map[string]func(p *parser) (Step, error){
		"size": parseSize, "term": one(func(s string) Step { return Term{s} }, "TERM"), "locale": one(func(s string) Step { return Locale{s} }, "a locale"),
		"colour": choice(func(s string) Step { return Colour{s} }, "none", "16", "256", "true"), "patience": duration(func(d time.Duration) Step { return Patience{d} }),
		"press": parsePress, "hold": parseHold,
		"type": text(func(t Text) Step { return TypeText{t} }), "paste": text(func(t Text) Step { return Paste{t} }), "scan": parseScan,
		"do": parseAct, "can": parseCan(false), "cannot": parseCan(true),
		"screen": choice(func(s string) Step { return OnScreen{s} }, Screens...), "see": parseSee, "not": parseNotSee, "never": parseNever,
		"sign": parseSign, "ring": parseRing, "add": parseAdd, "customer": parseCustomer,
		"mine": parseMine, "reorg": parseReorg, "rate": parseRate, "mint": parseMint,
		"node": choice(func(s string) Step { return Node{s == "up"} }, "up", "down"),
		"pull": choice(func(s string) Step { return Pull{s} }, lines...), "plug": choice(func(s string) Step { return Plug{s} }, lines...),
		"printer": parsePrinter, "reader": parseReader, "tamper": func(*parser) (Step, error) { return Tamper{}, nil },
		"paper": parsePaper, "display": parseDisplay, "drawer": choice(func(s string) Step { return SeeDrawer{s} }, "opened", "closed"), "card": parseCard,
		"qr": parseQR, "let": parseLet, "expect": parseExpect,
		"clock": parseClock, "wait": duration(func(d time.Duration) Step { return Wait{d} }),
		"stop":   func(p *parser) (Step, error) { return Stop{p.word("kill")}, nil },
		"start":  func(*parser) (Step, error) { return Start{}, nil },
		"signal": one(func(s string) Step { return Signal{s} }, "a signal"), "shot": parseShot,
		"journal": choice(func(string) Step { return Verify{} }, "verify"),
		"include": parseInclude, "say": func(p *parser) (Step, error) { s, err := p.str("what to say"); return Say{s}, err },
	}
}

// Screens are the names that `screen` knows.
var Screens = []string{"sign-in", "register", "pay", "key", "sell", "address", "sales", "shift", "devices", "alerts", "settings", "help", "about",
	"tabs", "attract", "service", "out-of-service", "too-small"}

// Actions are what `do`, `can` and `cannot` know: the names that stories.md
// fixes, then those that this program's key table adds.
var Actions = []string{"help", "back", "quit", "register", "sales", "sell", "key", "shift", "devices", "alerts", "settings", "address", "pay", "next", "add",
	"clear", "undo", "park", "recall", "quantity", "price", "discount", "deduct", "tip", "note", "qr", "print", "reprint", "recheck", "refund", "replay", "cancel", "confirm",
	"acknowledge", "customer", "user", "sign-out", "approve",
	"tender.bitcoin", "tender.ecash", "tender.cash", "tender.card", "tender.lightning", "tender.key",
	"about", "unit", "rate", "sell.card", "test", "reopen", "tab", "tab.charge", "tab.close", "amount", "language", "restart",
	"shift.open", "shift.close", "shift.x", "shift.pay-in", "shift.drop", "shift.no-sale"}

// CardKinds are what `card holds` knows: no more than the stripe's clock, a key
// of any form, the three forms that track 1 gives it, a destination, other text,
// what no reader reads.
var CardKinds = []string{"nothing", "key", "minikey", "wif", "bip38", "destination", "text", "unreadable"}

var (
	lines  = []string{"server", "printer", "card", "scanner", "display", "network", "power"}
	states = []string{"open", "seen", "accepted", "confirmed", "expired", "cancelled", "underpaid", "overpaid", "late", "replaced", "conflict"}
	places = []string{"title", "body", "dialog", "bottom", "health"}
)

type parser struct{ tokens []token }

// word takes the next token if it is the bare word.
func (p *parser) word(w string) bool {
	if len(p.tokens) > 0 && p.tokens[0].kind == tokenWord && p.tokens[0].text == w {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *parser) take(kind tokenKind) (token, bool) {
	if len(p.tokens) == 0 || p.tokens[0].kind != kind {
		return token{}, false
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t, true
}

func (p *parser) bare(what string) (string, error) {
	t, ok := p.take(tokenWord)
	if !ok {
		return "", fmt.Errorf("%s is missing", what)
	}
	return t.text, nil
}

func (p *parser) str(what string) (string, error) {
	t, ok := p.take(tokenString)
	if !ok {
		return "", fmt.Errorf("%s is missing, in double quotes", what)
	}
	return t.text, nil
}

func (p *parser) integer(what string) (int, error) {
	w, err := p.bare(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 || n > 1_000_000 {
		return 0, fmt.Errorf("%q is not %s", w, what)
	}
	return n, nil
}

// number takes an integer if one is next, else gives def.
func (p *parser) number(def int) int {
	if len(p.tokens) > 0 && p.tokens[0].kind == tokenWord {
		if n, err := strconv.Atoi(p.tokens[0].text); err == nil && n >= 0 && n <= 1_000_000 {
			p.tokens = p.tokens[1:]
			return n
		}
	}
	return def
}

func (p *parser) among(what string, choices ...string) (string, error) {
	w, err := p.bare(what)
	if err == nil && !slices.Contains(choices, w) {
		err = fmt.Errorf("%q is none of: %s", w, strings.Join(choices, " "))
	}
	return w, err
}

func (p *parser) duration() (time.Duration, error) {
	w, err := p.bare("a time")
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(w)
	if err != nil || d < 0 || d > 30*24*time.Hour {
		return 0, fmt.Errorf("%q is not a time such as 5s", w)
	}
	return d, nil
}

// text takes a TEXT, or a variable.
func (p *parser) text() (Text, error) {
	if t, ok := p.optional(); ok {
		return *t, nil
	}
	return Text{}, fmt.Errorf(`a text is missing: "…", /…/ or $name`)
}

func (p *parser) optional() (*Text, bool) {
	if t, ok := p.take(tokenString); ok {
		return &Text{Literal: t.text}, true
	}
	if t, ok := p.take(tokenPattern); ok {
		return &Text{Pattern: t.pattern}, true
	}
	if t, ok := p.take(tokenVar); ok {
		return &Text{Var: t.text}, true
	}
	return nil, false
}

func (p *parser) within() (time.Duration, error) {
	if !p.word("within") {
		return 0, nil
	}
	d, err := p.duration()
	return max(d, 1), err // 0 is the story's patience
}

func (p *parser) in() (string, error) {
	if !p.word("in") {
		return "", nil
	}
	return p.among("a place", places...)
}

// amount reads 12.50, 0.00025btc or 25000sat.
func amount(w string) (*Amount, error) {
	bitcoin, isBitcoin := strings.CutSuffix(w, "btc")
	satoshi, isSatoshi := strings.CutSuffix(w, "sat")
	var sat protocol.Sat
	var err error
	switch {
	case isBitcoin:
		sat, err = protocol.ParseBitcoin(bitcoin)
	case isSatoshi:
		var n int64
		n, err = strconv.ParseInt(satoshi, 10, 64)
		sat = protocol.Sat(n)
	default:
		// The currency is the shop's; BHD has the most decimals there are.
		_, err = protocol.ParseMoney("BHD", w)
		return &Amount{Decimal: w}, err
	}
	if err != nil || !sat.Valid() {
		return nil, fmt.Errorf("%q is not an amount such as 12.50, 0.00025btc or 25000sat", w)
	}
	return &Amount{Sat: &sat}, nil
}

// ReadFile reads a story file, "-" being standard input, as far as Parse needs
// to refuse one that is too long.
func ReadFile(name string, stdin io.Reader) (string, error) {
	if name == "-" && stdin == nil {
		return "", errors.New("there is no standard input")
	}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // only read
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxStory+1))
	return string(text), err
}
