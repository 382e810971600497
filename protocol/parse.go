package protocol

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how many arrays and objects may stand inside one another.
const maxDepth = 32

type kind byte

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// node is one JSON value; raw is its text without surrounding white space and
// shares memory with the input.
type node struct {
	kind    kind
	raw     []byte
	text    string // kindString: unescaped
	items   []*node
	members []member
}

type member struct {
	name  string
	value *node
}

// Check reports whether data is exactly one JSON value as this protocol means
// it: valid UTF-8, no lone surrogates, no duplicate members, at most 32 levels.
// The error is a *[DecodeError] with Syntax set.
func Check(data []byte) error {
	_, err := parse(data)
	return err
}

func parse(data []byte) (*node, error) {
	p := parser{data: data}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at != len(data) {
		return nil, p.fail("text follows the value")
	}
	return n, nil
}

type parser struct {
	data []byte
	at   int
}

func (p *parser) fail(format string, args ...any) error {
	return &DecodeError{Syntax: true, Message: fmt.Sprintf(format, args...) + " at byte " + strconv.Itoa(p.at)}
}

func (p *parser) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next skips white space and gives the next byte, 0 at the end.
func (p *parser) next() byte {
	p.space()
	if p.at == len(p.data) {
		return 0
	}
	return p.data[p.at]
}

func (p *parser) value(depth int) (*node, error) {
	c := p.next()
	start := p.at
	n := &node{}
	var err error
	switch {
	case c == '{' || c == '[':
		if depth == maxDepth {
			return nil, p.fail("more than %d levels", maxDepth)
		}
		if c == '{' {
			err = p.object(n, depth)
		} else {
			err = p.array(n, depth)
		}
	case c == '"':
		n.kind = kindString
		n.text, err = p.str()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = kindNumber
		err = p.number()
	default:
		err = p.word(n)
	}
	if err != nil {
		return nil, err
	}
	n.raw = p.data[start:p.at:p.at]
	return n, nil
}

func (p *parser) object(n *node, depth int) error {
	n.kind = kindObject
	p.at++
	if p.next() == '}' {
		p.at++
		return nil
	}
	seen := map[string]bool{}
	for {
		if p.next() != '"' {
			return p.fail("a member name is expected")
		}
		name, err := p.str()
		if err != nil {
			return err
		}
		if seen[name] {
			return p.fail("a member stands twice")
		}
		seen[name] = true
		if p.next() != ':' {
			return p.fail("a colon is expected")
		}
		p.at++
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.members = append(n.members, member{name, v})
		switch p.next() {
		case ',':
			p.at++
		case '}':
			p.at++
			return nil
		default:
			return p.fail("a comma or a closing brace is expected")
		}
	}
}

func (p *parser) array(n *node, depth int) error {
	n.kind = kindArray
	p.at++
	if p.next() == ']' {
		p.at++
		return nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, v)
		switch p.next() {
		case ',':
			p.at++
		case ']':
			p.at++
			return nil
		default:
			return p.fail("a comma or a closing bracket is expected")
		}
	}
}

func (p *parser) word(n *node) error {
	for word, k := range map[string]kind{"true": kindBool, "false": kindBool, "null": kindNull} {
		if end := p.at + len(word); end <= len(p.data) && string(p.data[p.at:end]) == word {
			p.at = end
			n.kind = k
			return nil
		}
	}
	return p.fail("a value is expected")
}

// number passes over RFC 8259's number.
func (p *parser) number() error {
	digits := func() int {
		start := p.at
		for p.at < len(p.data) && p.data[p.at] >= '0' && p.data[p.at] <= '9' {
			p.at++
		}
		return p.at - start
	}
	peek := func(set string) bool {
		for i := range len(set) {
			if p.at < len(p.data) && p.data[p.at] == set[i] {
				return true
			}
		}
		return false
	}
	if peek("-") {
		p.at++
	}
	zero := peek("0")
	if n := digits(); n == 0 || zero && n > 1 {
		return p.fail("a number is malformed")
	}
	if peek(".") {
		p.at++
		if digits() == 0 {
			return p.fail("a number is malformed")
		}
	}
	if peek("eE") {
		p.at++
		if peek("+-") {
			p.at++
		}
		if digits() == 0 {
			return p.fail("a number is malformed")
		}
	}
	return nil
}

// str reads the string that starts at the present quote.
func (p *parser) str() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			text := string(p.data[start:p.at])
			if !utf8.ValidString(text) {
				return "", p.fail("a string is not UTF-8")
			}
			p.at++
			return text, nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.fail("a control character stands in a string")
		}
		p.at++
	}
	return "", p.fail("a string does not end")
}

// escaped goes on with a string that has a backslash at the present place.
func (p *parser) escaped(start int) (string, error) {
	out := append([]byte(nil), p.data[start:p.at]...)
	for p.at < len(p.data) {
		c := p.data[p.at]
		p.at++
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", p.fail("a string is not UTF-8")
			}
			return string(out), nil
		case c < 0x20:
			return "", p.fail("a control character stands in a string")
		case c != '\\':
			out = append(out, c)
			continue
		}
		if p.at == len(p.data) {
			break
		}
		e := p.data[p.at]
		p.at++
		switch e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b', 'f', 'n', 'r', 't':
			out = append(out, map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}[e])
		case 'u':
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", p.fail("an escape is unknown")
		}
	}
	return "", p.fail("a string does not end")
}

// unicode reads the digits after \u, and the second half of a pair.
func (p *parser) unicode() (rune, error) {
	hex := func() (rune, bool) {
		if p.at+4 > len(p.data) {
			return 0, false
		}
		v, err := strconv.ParseUint(string(p.data[p.at:p.at+4]), 16, 16)
		p.at += 4
		return rune(v), err == nil
	}
	r, ok := hex()
	if ok && utf16.IsSurrogate(r) {
		ok = p.at+2 <= len(p.data) && string(p.data[p.at:p.at+2]) == `\u`
		if ok {
			p.at += 2
			var low rune
			low, ok = hex()
			r = utf16.DecodeRune(r, low)
			ok = ok && r != utf8.RuneError
		}
	}
	if !ok {
		return 0, p.fail("an escape is not a character")
	}
	return r, nil
}
