package taler

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// MaxRequest is the longest body of a request, in bytes (§1).
	MaxRequest = 256 << 10
	// MaxAnswer is the longest body of an answer that is read, in bytes.
	MaxAnswer = 1 << 20

	maxDepth   = 4         // objects and arrays within one another (§1)
	maxMembers = 128       // of one object
	maxInteger = 1<<53 - 1 // what every JSON reader keeps exactly
)

// kind tells which of its fields a value uses.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInteger
	kindText
	kindList
	kindObject
)

// value is a JSON value as it was read: strings unescaped, members in their order.
type value struct {
	kind    kind
	integer int64 // of kindInteger; 0 or 1 of kindBool
	text    string
	list    []value
	members []member
}

type member struct {
	name  string
	value value
}

func textValue(s string) value         { return value{kind: kindText, text: s} }
func intValue(n int64) value           { return value{kind: kindInteger, integer: n} }
func objectValue(list ...member) value { return value{kind: kindObject, members: list} }

func boolValue(b bool) value {
	v := value{kind: kindBool}
	if b {
		v.integer = 1
	}
	return v
}

var (
	errText    = errors.New("not a string")
	errInteger = errors.New("not a whole number in its range")
)

func (v value) asText() (string, error) {
	if v.kind != kindText {
		return "", errText
	}
	return v.text, nil
}

func (v value) asUint32() (uint32, error) {
	if v.kind != kindInteger || v.integer < 0 || v.integer > math.MaxUint32 {
		return 0, errInteger
	}
	return uint32(v.integer), nil
}

// without gives the object less the members named.
func (v value) without(names ...string) value {
	var kept []member
next:
	for _, m := range v.members {
		for _, name := range names {
			if m.name == name {
				continue next
			}
		}
		kept = append(kept, m)
	}
	return objectValue(kept...)
}

// parser reads JSON (RFC 8259) less reals, control characters, lone surrogates,
// names that are not ASCII, and duplicates.
type parser struct {
	text  []byte
	at    int
	depth int
	param string // the outermost member being read
}

// parse reads one value of at most limit bytes and nothing after it. A refusal is an
// [*Error] of status 400 (413 beyond the limit) that names the outermost member it
// lies in, or "body".
func parse(body []byte, limit int) (value, error) {
	if len(body) > limit {
		return value{}, tooLarge(limit)
	}
	if !utf8.Valid(body) {
		return value{}, malformed("body", "invalid UTF-8")
	}
	p := &parser{text: body}
	v, err := p.value()
	if err == nil {
		p.space()
		if p.at < len(p.text) {
			err = errors.New("text after the end")
		}
	}
	if err != nil {
		if p.param == "" {
			p.param = "body"
		}
		return value{}, malformed(p.param, "%v (byte %d)", err, p.at)
	}
	return v, nil
}

var (
	errSyntax = errors.New("not JSON")
	errEnd    = errors.New("the text ends too early")
)

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// take skips space and then the byte, if it comes next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) value() (value, error) {
	p.space()
	if p.at == len(p.text) {
		return value{}, errEnd
	}
	switch c := p.text[p.at]; {
	case c == '{' || c == '[':
		return p.nested(c)
	case c == '"':
		s, err := p.string()
		return textValue(s), err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, word := range []struct {
		text  string
		value value
	}{{"true", boolValue(true)}, {"false", boolValue(false)}, {"null", value{}}} {
		if end := p.at + len(word.text); end <= len(p.text) && string(p.text[p.at:end]) == word.text {
			p.at = end
			return word.value, nil
		}
	}
	return value{}, errSyntax
}

func (p *parser) nested(open byte) (value, error) {
	if p.depth == maxDepth {
		return value{}, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	p.depth++
	p.at++
	read := p.list
	if open == '{' {
		read = p.object
	}
	v, err := read()
	p.depth--
	return v, err
}

func (p *parser) list() (value, error) {
	v := value{kind: kindList}
	if p.take(']') {
		return v, nil
	}
	for {
		item, err := p.value()
		if err != nil {
			return value{}, err
		}
		v.list = append(v.list, item)
		if p.take(']') {
			return v, nil
		}
		if !p.take(',') {
			return value{}, errSyntax
		}
	}
}

func (p *parser) object() (value, error) {
	v := value{kind: kindObject}
	if p.take('}') {
		return v, nil
	}
	outermost := p.param == ""
	for {
		if len(v.members) == maxMembers {
			return value{}, fmt.Errorf("more than %d members", maxMembers)
		}
		m, err := p.member(v.members, outermost)
		if err != nil {
			return value{}, err
		}
		v.members = append(v.members, m)
		if outermost {
			p.param = ""
		}
		if p.take('}') {
			return v, nil
		}
		if !p.take(',') {
			return value{}, errSyntax
		}
	}
}

func (p *parser) member(before []member, outermost bool) (member, error) {
	p.space()
	name, err := p.string()
	if err != nil {
		return member{}, err
	}
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return member{}, fmt.Errorf("the name %q is not ASCII", clip(name))
		}
	}
	if outermost {
		p.param = clip(name)
	}
	for _, m := range before {
		if m.name == name {
			return member{}, fmt.Errorf("the member %q stands twice", clip(name))
		}
	}
	if !p.take(':') {
		return member{}, errSyntax
	}
	v, err := p.value()
	return member{name, v}, err
}

// number reads a whole number; -0, leading zeros and reals are refused, so each has
// one spelling.
func (p *parser) number() (value, error) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	first := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	if p.at < len(p.text) && (p.text[p.at] == '.' || p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		return value{}, errors.New("a real number")
	}
	digits := p.text[first:p.at]
	if len(digits) == 0 || digits[0] == '0' && (len(digits) > 1 || first > start) {
		return value{}, errSyntax
	}
	n, err := strconv.ParseInt(string(p.text[start:p.at]), 10, 64)
	if err != nil || n > maxInteger || n < -maxInteger {
		return value{}, errInteger
	}
	return intValue(n), nil
}

// string reads a string from its opening quote.
func (p *parser) string() (string, error) {
	if p.at == len(p.text) || p.text[p.at] != '"' {
		return "", errSyntax
	}
	p.at++
	start := p.at
	for p.at < len(p.text) { // without escapes the text is taken as it stands
		switch p.text[p.at] {
		case '"':
			s := string(p.text[start:p.at])
			p.at++
			return s, checkText(s)
		case '\\':
			return p.escaped(append([]byte(nil), p.text[start:p.at]...))
		}
		p.at++
	}
	return "", errEnd
}

// escaped goes on with a string at its first backslash.
func (p *parser) escaped(out []byte) (string, error) {
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return string(out), checkText(string(out))
		case c != '\\':
			out = append(out, c)
		case p.at == len(p.text):
			return "", errEnd
		default:
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return "", errEnd
}

// escape reads what follows a backslash.
func (p *parser) escape() (rune, error) {
	c := p.text[p.at]
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b', 'f', 'n', 'r', 't':
		return 0, errControl
	case 'u':
		r, err := p.hex4()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if p.at+1 < len(p.text) && p.text[p.at] == '\\' && p.text[p.at+1] == 'u' {
			p.at += 2
			low, err := p.hex4()
			if err != nil {
				return 0, err
			}
			if pair := utf16.DecodeRune(r, low); pair != unicode.ReplacementChar {
				return pair, nil
			}
		}
		return 0, errors.New("a lone surrogate")
	}
	return 0, errSyntax
}

func (p *parser) hex4() (rune, error) {
	if p.at+4 > len(p.text) {
		return 0, errEnd
	}
	n, err := strconv.ParseUint(string(p.text[p.at:p.at+4]), 16, 16)
	if err != nil {
		return 0, errSyntax
	}
	p.at += 4
	return rune(n), nil
}

var errControl = errors.New("a control character")

// checkText refuses what canonical JSON cannot carry: invalid UTF-8 and control
// characters, those of U+007F to U+009F included since they move a terminal's
// cursor as well as the others.
func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("invalid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return errControl
		}
	}
	return nil
}
