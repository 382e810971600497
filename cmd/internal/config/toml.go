package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

type kind string

const (
	kindText    kind = "a text"
	kindInteger kind = "an integer"
	kindBool    kind = "true or false"
	kindList    kind = "a list"
	kindTable   kind = "a table"
	kindOther   kind = "a number with a point or a date"
)

// value is one TOML value.
type value struct {
	kind    kind
	text    string // of a text, integer or boolean
	items   []value
	members map[string]value
}

func (v value) not(want string) error { return fmt.Errorf("it is %s, not %s", v.kind, want) }

func (v value) integer(k Key, into *int64) error {
	if v.kind != kindInteger {
		return v.not("an integer")
	}
	n, err := strconv.ParseInt(v.text, 0, 64)
	if err != nil || k.max > 0 && (n < k.min || n > k.max) {
		return fmt.Errorf("%s is out of range", v.text)
	}
	*into = n
	return nil
}

// table assigns each member; unknown ones are refused.
func (v value) table(into map[string]any) error {
	if v.kind != kindTable {
		return v.not("a table in braces")
	}
	for name, member := range v.members {
		p, known := into[name]
		if !known {
			return fmt.Errorf("there is no %q in it", name)
		}
		if err := assign(Key{}, member, p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// file binds every key of a TOML file, naming the line of each fault.
func (l *loader) file(path string, text []byte) {
	at := func(line int) string { return fmt.Sprintf("%s:%d", path, line) }
	if len(text) > MaxFile {
		l.fault(path, "is larger than %d bytes", MaxFile)
		return
	}
	p := &unstable.Parser{}
	p.Reset(text)
	section := ""
	for p.NextExpression() {
		e := p.Expression()
		name, line := keyOf(p, e)
		switch e.Kind {
		case unstable.Table:
			section = name + "."
		case unstable.KeyValue:
			l.line(section+name, convert(e.Value()), at(line))
		default:
			l.fault(at(line), "[[%s]]: write the list as %s = [...]", name, name)
			section = name + "."
		}
	}
	if err := p.Error(); err != nil {
		line := 1
		var broken *unstable.ParserError
		if errors.As(err, &broken) {
			line = p.Shape(p.Range(broken.Highlight)).Start.Line
		}
		l.fault(at(line), "this is not TOML: %v", err)
	}
}

func (l *loader) line(name string, v value, where string) {
	if action, other := strings.CutPrefix(name, "keys."); other {
		l.binding(action, v, where)
		return
	}
	k, known := find(name)
	if !known {
		hint := ""
		if near := nearest(name); near != "" {
			hint = "; did you mean " + near + "?"
		}
		l.fault(where, "there is no key %s%s", name, hint)
		return
	}
	if before := l.set[name]; before != "" {
		l.fault(where, "%s stands at %s already", name, before)
		return
	}
	l.set[name] = where
	l.bind(k, v, where)
}

// binding takes a line of [keys]: an action and the key, or the keys, for it.
func (l *loader) binding(action string, v value, where string) {
	if before := l.set["keys."+action]; before != "" {
		l.fault(where, "keys.%s stands at %s already", action, before)
		return
	}
	l.set["keys."+action] = where
	if v.kind == kindText {
		v = value{kind: kindList, items: []value{v}}
	}
	b := Binding{Action: action, Where: where}
	if err := assign(Key{}, v, &b.Keys); err != nil || len(b.Keys) == 0 {
		l.fault(where, "keys.%s must be a key such as \"f6\", or a list of them", action)
		return
	}
	l.config.Keys = append(l.config.Keys, b)
}

// keyOf gives the dotted name of a table or key and its line.
func keyOf(p *unstable.Parser, e *unstable.Node) (name string, line int) {
	for it := e.Key(); it.Next(); {
		if name != "" {
			name += "."
		} else {
			line = p.Shape(it.Node().Raw).Start.Line
		}
		name += string(it.Node().Data)
	}
	return name, line
}

// parseValue reads one TOML value.
func parseValue(text string) (value, error) {
	p := &unstable.Parser{}
	p.Reset([]byte("x = " + text + "\n"))
	if !p.NextExpression() || p.Expression().Kind != unstable.KeyValue {
		return value{}, errors.New("not a TOML value")
	}
	v := convert(p.Expression().Value())
	if p.NextExpression() || p.Error() != nil {
		return value{}, errors.New("more than one TOML value")
	}
	return v, nil
}

func convert(n *unstable.Node) value {
	switch n.Kind {
	case unstable.String:
		return value{kind: kindText, text: string(n.Data)}
	case unstable.Integer:
		return value{kind: kindInteger, text: string(n.Data)}
	case unstable.Bool:
		return value{kind: kindBool, text: string(n.Data)}
	case unstable.Array:
		v := value{kind: kindList}
		for it := n.Children(); it.Next(); {
			v.items = append(v.items, convert(it.Node()))
		}
		return v
	case unstable.InlineTable:
		v := value{kind: kindTable, members: map[string]value{}}
		for it := n.Children(); it.Next(); {
			member := it.Node()
			name := ""
			for key := member.Key(); key.Next(); {
				name += string(key.Node().Data)
			}
			v.members[name] = convert(member.Value())
		}
		return v
	default:
		return value{kind: kindOther, text: string(n.Data)}
	}
}
