package protocol

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
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
// shares memory with the input, so that a secret in it is not copied.
type node struct {
	kind    kind
	raw     []byte
	items   []*node
	members []member
}

// text gives the characters of a kindString. It shares memory with raw where
// nothing is escaped.
func (n *node) text() []byte { return unquote(n.raw) }

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
		err = p.str()
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
		start := p.at
		if err := p.str(); err != nil {
			return err
		}
		name := string(unquote(p.data[start:p.at]))
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
	rest := p.data[p.at:]
	for _, word := range [...]string{"true", "false", "null"} {
		if len(rest) >= len(word) && string(rest[:len(word)]) == word {
			p.at += len(word)
			if n.kind = kindBool; word == "null" {
				n.kind = kindNull
			}
			return nil
		}
	}
	return p.fail("a value is expected")
}

// number passes over RFC 8259's number.
func (p *parser) number() error {
	p.skip("-")
	zero := p.at < len(p.data) && p.data[p.at] == '0'
	if n := p.digits(); n == 0 || zero && n > 1 {
		return p.fail("a number is malformed")
	}
	if p.skip(".") && p.digits() == 0 {
		return p.fail("a number is malformed")
	}
	if p.skip("eE") {
		p.skip("+-")
		if p.digits() == 0 {
			return p.fail("a number is malformed")
		}
	}
	return nil
}

// skip passes over one byte of set, if one stands there.
func (p *parser) skip(set string) bool {
	if p.at < len(p.data) && strings.IndexByte(set, p.data[p.at]) >= 0 {
		p.at++
		return true
	}
	return false
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.data) && p.data[p.at] >= '0' && p.data[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

// str passes over the string that starts at the present quote.
func (p *parser) str() error {
	p.at++
	start := p.at
	for p.at < len(p.data) {
		c := p.data[p.at]
		p.at++
		switch {
		case c == '"':
			if !utf8.Valid(p.data[start:p.at]) {
				return p.fail("a string is not UTF-8")
			}
			return nil
		case c == '\\':
			if err := p.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return p.fail("a control character stands in a string")
		}
	}
	return p.fail("a string does not end")
}

// escape passes over what follows a backslash; both halves of a surrogate pair
// at once.
func (p *parser) escape() error {
	switch {
	case p.skip(`"\/bfnrt`):
		return nil
	case !p.skip("u"):
		return p.fail("an escape is unknown")
	}
	r, ok := hex4(p.data[p.at:])
	if !ok {
		return p.fail("an escape is not a character")
	}
	p.at += 4
	if !utf16.IsSurrogate(r) {
		return nil
	}
	rest := p.data[p.at:]
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return p.fail("half a surrogate pair is not a character")
	}
	low, ok := hex4(rest[2:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return p.fail("half a surrogate pair is not a character")
	}
	p.at += 6
	return nil
}

// hex4 reads four hex digits.
func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unquote gives the characters of a string that passed [parser.str].
func unquote(raw []byte) []byte {
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := hex4(raw[i+3:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return out
}
