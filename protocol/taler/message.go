package taler

import (
	"errors"
	"fmt"
)

// Message is a document of the page: a request, an answer or a part of one. Each
// lists its members once, for reading and for writing. Only this package has them.
type Message interface{ members(*members) }

// Encode writes a message as canonical JSON. It fails when the message holds what no
// reader accepts: an amount of nothing, control characters, a time out of range.
func Encode(m Message) ([]byte, error) {
	v, err := encode(m)
	if err != nil {
		return nil, err
	}
	return v.canonical(), nil
}

func encode(m Message) (value, error) {
	var w members
	m.members(&w)
	if w.err != nil {
		return value{}, fmt.Errorf("encode %T: %w", m, w.err)
	}
	return objectValue(w.object...), nil
}

// Decode reads a request of at most [MaxRequest] bytes into m. A member that m does
// not have is refused. The error is an [*Error] naming the parameter, 400 or 413;
// m is then half filled and of no use.
func Decode(body []byte, m Message) error { return decode(body, MaxRequest, m, false) }

// DecodeAnswer reads an answer of at most [MaxAnswer] bytes into m, skipping members
// that this version does not know. It fails as [Decode] does.
func DecodeAnswer(body []byte, m Message) error { return decode(body, MaxAnswer, m, true) }

func decode(body []byte, limit int, m Message, open bool) error {
	v, err := parse(body, limit)
	if err != nil {
		return err
	}
	return readMessage(v, m, open)
}

func readMessage(v value, m Message, open bool) error {
	if v.kind != kindObject {
		return malformed("body", "not an object")
	}
	r := members{reading: true, open: open, object: v.members, known: make([]bool, len(v.members))}
	m.members(&r)
	if r.err != nil {
		return r.err
	}
	for i, known := range r.known {
		if !known && !open {
			return malformed(clip(v.members[i].name), "unknown member")
		}
	}
	return nil
}

// scalar is what stands as one value on the wire. read takes the value or says what
// is wrong with it; write refuses what read would.
type scalar interface {
	read(value) error
	write() (value, error)
}

// members is an object being read into a message, or written from one. The first
// error stays and makes every later call a no-op.
type members struct {
	reading bool
	open    bool // unknown members are skipped
	object  []member
	known   []bool // reading: which members of object the message has
	err     error
}

// find marks the member as known and gives its value.
func (m *members) find(name string) (value, bool) {
	for i := range m.object {
		if m.object[i].name == name {
			m.known[i] = true
			return m.object[i].value, true
		}
	}
	return value{}, false
}

func (m *members) fail(name string, err error) {
	var inner *Error
	switch {
	case !errors.As(err, &inner):
		m.err = malformed(name, "%v", err)
	case inner.Parameter == "body":
		m.err = malformed(name, "%s", inner.Reason)
	default:
		m.err = inner
	}
}

// need is a member that must be there.
func (m *members) need(name string, s scalar) {
	if !m.may(name, true, s) && m.err == nil {
		m.err = malformed(name, "missing")
	}
}

// may is a member that can be missing. Writing puts it down if present is set;
// reading reports whether it was there.
func (m *members) may(name string, present bool, s scalar) bool {
	if m.err != nil {
		return false
	}
	if !m.reading {
		if present {
			v, err := s.write()
			if err != nil {
				m.fail(name, err)
				return false
			}
			m.object = append(m.object, member{name, v})
		}
		return present
	}
	v, found := m.find(name)
	if !found {
		return false
	}
	if err := s.read(v); err != nil {
		m.fail(name, err)
	}
	return true
}

// rule is a condition on the members before it, checked in both directions.
func (m *members) rule(name string, holds bool, format string, args ...any) {
	if m.err == nil && !holds {
		m.err = malformed(name, format, args...)
	}
}

// nested is a scalar that is an object of its own.
type nested struct {
	m    Message
	open bool
}

func (n nested) read(v value) error    { return readMessage(v, n.m, n.open) }
func (n nested) write() (value, error) { return encode(n.m) }

func (m *members) needMessage(name string, part Message) { m.need(name, nested{part, m.open}) }

// mayScalar is an optional value, absent when *part is nil. Like all of members it
// changes the message only when reading, so messages can be shared by writers.
func mayScalar[T any, S interface {
	*T
	scalar
}](m *members, name string, part **T) {
	var held T
	if *part != nil {
		held = **part
	}
	if m.may(name, *part != nil, S(&held)) && m.reading {
		*part = &held
	}
}

// mayMessage is an optional object, absent when *part is nil.
func mayMessage[T any, M interface {
	*T
	Message
}](m *members, name string, part *M) {
	n := nested{*part, m.open}
	if m.reading {
		n.m = M(new(T))
	}
	if m.may(name, *part != nil, n) && m.reading {
		*part = n.m.(M)
	}
}

// needMessages is an array of objects, of least to most of them.
func needMessages[T any, M interface {
	*T
	Message
}](m *members, name string, items *[]T, least, most int) {
	m.need(name, &messages[T, M]{items, least, most, m.open})
}

type messages[T any, M interface {
	*T
	Message
}] struct {
	items       *[]T
	least, most int
	open        bool
}

func (l *messages[T, M]) check(n int) error {
	if n < l.least || n > l.most {
		return fmt.Errorf("%d items instead of %d to %d", n, l.least, l.most)
	}
	return nil
}

func (l *messages[T, M]) read(v value) error {
	if v.kind != kindList {
		return errors.New("not an array")
	}
	if err := l.check(len(v.list)); err != nil {
		return err
	}
	items := make([]T, len(v.list))
	for i := range items {
		if err := readMessage(v.list[i], M(&items[i]), l.open); err != nil {
			return err
		}
	}
	*l.items = items
	return nil
}

func (l *messages[T, M]) write() (value, error) {
	if err := l.check(len(*l.items)); err != nil {
		return value{}, err
	}
	v := value{kind: kindList}
	for i := range *l.items {
		item, err := encode(M(&(*l.items)[i]))
		if err != nil {
			return value{}, err
		}
		v.list = append(v.list, item)
	}
	return v, nil
}

// text is a string that canonical JSON can carry.
type text string

func (t *text) read(v value) error {
	s, err := v.asText()
	*t = text(s)
	return err
}

func (t *text) write() (value, error) { return textValue(string(*t)), checkText(string(*t)) }

// flag is true or false.
type flag bool

func (f *flag) read(v value) error {
	if v.kind != kindBool {
		return errors.New("neither true nor false")
	}
	*f = v.integer != 0
	return nil
}

func (f *flag) write() (value, error) { return boolValue(bool(*f)), nil }

// count is a whole number, 0 to 2^53−1.
type count int64

func (c *count) check() error {
	if *c < 0 || *c > maxInteger {
		return errInteger
	}
	return nil
}

func (c *count) read(v value) error {
	if v.kind != kindInteger {
		return errInteger
	}
	*c = count(v.integer)
	return c.check()
}

func (c *count) write() (value, error) { return intValue(int64(*c)), c.check() }

// word is a member that says which kind of object it stands in.
type word string

func (w word) read(v value) error {
	if v.kind != kindText || v.text != string(w) {
		return fmt.Errorf("not %q", string(w))
	}
	return nil
}

func (w word) write() (value, error) { return textValue(string(w)), nil }
