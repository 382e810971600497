package protocol

import (
	"errors"
	"fmt"
	"time"
)

// Time is a moment in whole milliseconds since 1970 UTC. On the wire it is
// RFC 3339, UTC, always three decimals: "2026-11-22T03:30:00.000Z"; in a
// database a 64-bit integer. The zero Time is "never".
type Time int64

const timeLayout = "2006-01-02T15:04:05.000Z"

// maxTime is the last moment with a four-digit year.
const maxTime Time = 253402300799999

var errTime = errors.New(`must be a time such as "2026-11-22T03:30:00.000Z"`)

// TimeOf cuts t to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Time gives the moment as the standard library's, in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add moves t by d, cut to milliseconds.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub is the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// Valid reports whether t has a four-digit year from 1970 on.
func (t Time) Valid() bool { return t >= 0 && t <= maxTime }

// String gives the form of the wire.
func (t Time) String() string { return t.Time().Format(timeLayout) }

// MarshalJSON gives the form of the wire in quotes.
func (t Time) MarshalJSON() ([]byte, error) {
	if !t.Valid() {
		return nil, fmt.Errorf("time %d is out of range", int64(t))
	}
	return t.Time().AppendFormat(make([]byte, 0, len(timeLayout)+2), `"`+timeLayout+`"`), nil
}

// UnmarshalJSON reads the one form of the wire; any other spelling of the
// moment is refused.
func (t *Time) UnmarshalJSON(data []byte) error {
	if len(data) != len(timeLayout)+2 || data[0] != '"' || data[len(data)-1] != '"' {
		return errTime
	}
	parsed, err := ParseTime(string(data[1 : len(data)-1]))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// ParseTime reads the one form of the wire.
func ParseTime(text string) (Time, error) {
	parsed, err := time.Parse(timeLayout, text)
	if err != nil {
		return 0, errTime
	}
	t := TimeOf(parsed)
	if !t.Valid() || t.String() != text {
		return 0, errTime
	}
	return t, nil
}
