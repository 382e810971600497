package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// DecodeError is what [Decode] finds wrong.
type DecodeError struct {
	Syntax  bool   // not one JSON value as [Check] means it
	Member  string // else the path of what is refused: "devices[0].smell"; "" is the value itself
	Message string // what is wrong, without any value of the input
}

func (e *DecodeError) Error() string {
	if e.Member == "" {
		return e.Message
	}
	return e.Member + ": " + e.Message
}

// Decode reads one JSON value into v, a pointer, strictly: an unknown member, a
// wrong type, a real number where an integer belongs, null where the Go type
// is not a pointer, a value whose type has Valid() bool and says no, the
// absence of a member tagged `wire:"required"`, or a member out of the range
// that its tag gives (`wire:"0..30"`: the value of an integer, the characters of
// a string, the length of an array) is refused. Names are matched exactly. The
// error is a *[DecodeError].
func Decode(data []byte, v any) error { return decode(data, v, true) }

// DecodeResult is [Decode] for answers, in which unknown members are ignored
// and a member that is null counts as absent.
func DecodeResult(data []byte, v any) error { return decode(data, v, false) }

// Encoded is a value as [Encode] has written it already.
type Encoded []byte

// Encode writes v as compact JSON without HTML escapes. Secrets stand in clear
// only where v itself is a call that carries them, [Sweep] or [Dispense].
func Encode(v any) ([]byte, error) {
	if text, ok := v.(Encoded); ok {
		return text, nil
	}
	if call, ok := v.(interface{ wire() any }); ok {
		v = call.wire()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// List is a slice that stands on the wire as [] when it is nil, never as null.
type List[T any] []T

// MarshalJSON writes an array.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("[]"), nil
	}
	return Encode([]T(l))
}

func decode(data []byte, v any, strict bool) error {
	root, err := parse(data)
	if err != nil {
		return err
	}
	b := binder{strict: strict}
	return b.bind(root, reflect.ValueOf(v).Elem(), "")
}

// validator is what range-checked types of this package have.
type validator interface{ Valid() bool }

var (
	rawType         = reflect.TypeFor[json.RawMessage]()
	validatorType   = reflect.TypeFor[validator]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

type binder struct{ strict bool }

func refuse(path, format string, args ...any) error {
	return &DecodeError{Member: path, Message: fmt.Sprintf(format, args...)}
}

func (b *binder) bind(n *node, v reflect.Value, path string) error {
	t := v.Type()
	switch {
	case t == rawType:
		v.SetBytes(bytes.Clone(n.raw))
		return nil
	case t.Kind() == reflect.Pointer:
		if n.kind == kindNull {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(t.Elem()))
		return b.bind(n, v.Elem(), path)
	case v.CanAddr() && v.Addr().Type().Implements(unmarshalerType):
		if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(n.raw); err != nil {
			var inner *DecodeError
			if errors.As(err, &inner) {
				return refuse(path+inner.Member, "%s", inner.Message)
			}
			return refuse(path, "%v", err)
		}
	default:
		if err := b.bindPlain(n, v, path); err != nil {
			return err
		}
	}
	if t.Implements(validatorType) && !v.Interface().(validator).Valid() {
		return refuse(path, "is out of range or malformed")
	}
	return nil
}

func (b *binder) bindPlain(n *node, v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Struct:
		return b.bindStruct(n, v, path)
	case reflect.Slice:
		if n.kind != kindArray {
			return refuse(path, "must be an array, not %s", n.kind)
		}
		items := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
		for i, item := range n.items {
			if err := b.bind(item, items.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
		v.Set(items)
	case reflect.String:
		if n.kind != kindString {
			return refuse(path, "must be a string, not %s", n.kind)
		}
		v.SetString(string(n.text()))
	case reflect.Bool:
		if n.kind != kindBool {
			return refuse(path, "must be a boolean, not %s", n.kind)
		}
		v.SetBool(n.raw[0] == 't')
	case reflect.Int, reflect.Int64, reflect.Int32:
		if n.kind != kindNumber {
			return refuse(path, "must be an integer, not %s", n.kind)
		}
		i, err := strconv.ParseInt(string(n.raw), 10, v.Type().Bits())
		if err != nil {
			return refuse(path, "must be an integer of %d bits", v.Type().Bits())
		}
		v.SetInt(i)
	case reflect.Uint32, reflect.Uint64:
		if n.kind != kindNumber {
			return refuse(path, "must be an integer, not %s", n.kind)
		}
		i, err := strconv.ParseUint(string(n.raw), 10, v.Type().Bits())
		if err != nil {
			return refuse(path, "must be a positive integer of %d bits", v.Type().Bits())
		}
		v.SetUint(i)
	default:
		return fmt.Errorf("decode: Go type %s has no form on the wire", v.Type())
	}
	return nil
}

func (b *binder) bindStruct(n *node, v reflect.Value, path string) error {
	if n.kind != kindObject {
		return refuse(path, "must be an object, not %s", n.kind)
	}
	shape := shapeOf(v.Type())
	prefix := path
	if path != "" {
		prefix += "."
	}
	given := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		field, known := shape.fields[m.name]
		if !known {
			if b.strict {
				return refuse(prefix+clip(m.name), "is not a member known here")
			}
			continue
		}
		if !b.strict && m.value.kind == kindNull {
			continue
		}
		given[m.name] = true
		member := v.FieldByIndex(field.index)
		if err := b.bind(m.value, member, prefix+m.name); err != nil {
			return err
		}
		if b.strict && field.bounds != nil && !field.bounds.hold(member) {
			return refuse(prefix+m.name, "must be %s", field.bounds.words(member.Kind()))
		}
	}
	for _, name := range shape.required {
		if !given[name] {
			return refuse(prefix+name, "is missing")
		}
	}
	return nil
}

// shape is what a struct's tags say; shapes are computed once a type.
type shape struct {
	fields   map[string]field
	names    []string // in the order of declaration
	required []string
}

type field struct {
	index  []int
	bounds *bounds
}

// bounds is the range of a tag: of an integer's value, a string's characters,
// an array's length.
type bounds struct{ low, high int64 }

func (b *bounds) hold(v reflect.Value) bool {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return true
		}
		v = v.Elem()
	}
	var n int64
	switch v.Kind() {
	case reflect.Slice:
		n = int64(v.Len())
	case reflect.String:
		n = int64(utf8.RuneCountInString(v.String()))
	default:
		n = v.Int()
	}
	return n >= b.low && n <= b.high
}

func (b *bounds) words(k reflect.Kind) string {
	text := fmt.Sprintf("%d to %d", b.low, b.high)
	switch k {
	case reflect.Slice:
		return text + " items"
	case reflect.String:
		return text + " characters"
	}
	return text
}

var shapes sync.Map

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{fields: map[string]field{}}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		member := field{index: f.Index}
		for word := range strings.SplitSeq(f.Tag.Get("wire"), ",") {
			if word == "required" {
				s.required = append(s.required, name)
			} else if low, high, ranged := strings.Cut(word, ".."); ranged {
				member.bounds = &bounds{mustInt(low), mustInt(high)}
			}
		}
		s.fields[name] = member
		s.names = append(s.names, name)
	}
	shapes.Store(t, s)
	return s
}

// mustInt reads a number of a tag, which is source code.
func mustInt(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("wire tag: " + err.Error())
	}
	return n
}
