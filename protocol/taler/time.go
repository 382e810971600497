package taler

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time is a moment in milliseconds since 1970, a multiple of 1000 with
// 0 < t < 10^13. On the wire it is the text "/Date(1421000000000)/" (§1).
type Time int64

// maxTime is the first moment that is too late, in the year 2286.
const maxTime Time = 10_000_000_000_000

// TimeAt gives the moment of t, cut to its second. It is not [Time.Valid] when t
// lies outside 1970 to 2286.
func TimeAt(t time.Time) Time { return Time(t.Unix() * 1000) }

// Time gives t as the standard library's type, in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Valid reports whether t may stand on the wire.
func (t Time) Valid() bool { return t > 0 && t < maxTime && t%1000 == 0 }

// String gives the form of the wire.
func (t Time) String() string { return "/Date(" + strconv.FormatInt(int64(t), 10) + ")/" }

// ParseTime reads "/Date(MILLISECONDS)/". One moment has one spelling: no sign, no
// leading zero, nothing around it.
func ParseTime(text string) (Time, error) {
	const longest = len("/Date(9999999999000)/")
	if len(text) <= longest {
		digits := strings.TrimSuffix(strings.TrimPrefix(text, "/Date("), ")/")
		ms, err := strconv.ParseInt(digits, 10, 64)
		if t := Time(ms); err == nil && t.Valid() && t.String() == text {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%q is not a time /Date(MILLISECONDS)/ of a whole second", clip(text))
}

func (t *Time) read(v value) error {
	text, err := v.asText()
	if err != nil {
		return err
	}
	*t, err = ParseTime(text)
	return err
}

func (t *Time) write() (value, error) {
	if !t.Valid() {
		return value{}, fmt.Errorf("%d is not a time of a whole second between 1970 and 2286", int64(*t))
	}
	return textValue(t.String()), nil
}

// clip shortens foreign text for a message.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
