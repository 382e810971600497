package taler

import (
	"crypto/sha512"
	"slices"
	"strconv"
	"strings"
)

// Canonical gives the one form of a JSON text that is hashed: compact, names sorted
// bytewise, only `"` and `\` escaped (§1). A text that has no such form (reals,
// control characters, duplicates, depth above 4 …) is refused with an [*Error].
func Canonical(text []byte) ([]byte, error) {
	v, err := parse(text, MaxAnswer)
	if err != nil {
		return nil, err
	}
	return v.canonical(), nil
}

// HashJSON gives H of §1: SHA-512 over the canonical form and one zero byte. It
// refuses what [Canonical] refuses.
func HashJSON(text []byte) (Hash, error) {
	v, err := parse(text, MaxAnswer)
	if err != nil {
		return Hash{}, err
	}
	return v.hash(), nil
}

func (v value) hash() Hash { return sha512.Sum512(append(v.canonical(), 0)) }

func (v value) canonical() []byte { return v.appendTo(nil) }

func (v value) appendTo(out []byte) []byte {
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(out, v.integer != 0)
	case kindInteger:
		return strconv.AppendInt(out, v.integer, 10)
	case kindText:
		return appendString(out, v.text)
	case kindList:
		out = append(out, '[')
		for i, item := range v.list {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.appendTo(out)
		}
		return append(out, ']')
	case kindObject:
		sorted := slices.Clone(v.members)
		slices.SortFunc(sorted, func(a, b member) int { return strings.Compare(a.name, b.name) })
		out = append(out, '{')
		for i, m := range sorted {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendString(out, m.name)
			out = append(out, ':')
			out = m.value.appendTo(out)
		}
		return append(out, '}')
	}
	return append(out, "null"...)
}

func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return append(out, '"')
}
