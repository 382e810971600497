package register

import (
	"strconv"
	"strings"

	"till/protocol"
)

// maxDigits bounds what can be typed: 12 digits are far above MaxLinePrice.
const maxDigits = 12

// Entry is a number being typed. Without a point its digits fill from the right
// in minor units (1250 is 12.50); with one they are units and decimals.
type Entry struct {
	Whole string `json:"whole,omitempty"` // digits before the point, or all of them
	Point bool   `json:"point,omitempty"`
	Frac  string `json:"frac,omitempty"` // digits after the point
}

// Empty reports whether nothing is typed.
func (e Entry) Empty() bool { return e == Entry{} }

// Typed is the entry with some more digits; decimals is how many may follow a
// point.
func (e Entry) Typed(s string, decimals int) Entry {
	for _, d := range s {
		switch {
		case d < '0' || d > '9' || len(e.Whole)+len(e.Frac) >= maxDigits:
		case !e.Point && e.Whole == "" && d == '0':
			// A leading nought says nothing, and 00 after nothing neither.
		case !e.Point:
			e.Whole += string(d)
		case len(e.Frac) < decimals:
			e.Frac += string(d)
		}
	}
	return e
}

// Pointed is the entry with a point: what was typed are whole units.
func (e Entry) Pointed() Entry {
	e.Point = true
	return e
}

// Erased is the entry without its last key.
func (e Entry) Erased() Entry {
	switch {
	case e.Frac != "":
		e.Frac = e.Frac[:len(e.Frac)-1]
	case e.Point:
		e.Point = false
	case e.Whole != "":
		e.Whole = e.Whole[:len(e.Whole)-1]
	}
	return e
}

// Money is what is typed as an amount of the currency.
func (e Entry) Money(c protocol.Currency) protocol.Money {
	places := c.Exponent()
	digits := e.Whole
	if e.Point {
		frac := e.Frac[:min(len(e.Frac), places)]
		digits += frac + strings.Repeat("0", places-len(frac))
	}
	minor, _ := strconv.ParseInt("0"+digits, 10, 64) // at most maxDigits and 3 digits
	return protocol.Money{Currency: c, Minor: minor}
}

// Number is what is typed as a plain number in thousandths: 3 is 3000, 1.5 is
// 1500. With a point at most three decimals count.
func (e Entry) Number() int64 {
	frac := e.Frac[:min(len(e.Frac), 3)]
	n, _ := strconv.ParseInt("0"+e.Whole+frac+strings.Repeat("0", 3-len(frac)), 10, 64)
	return n
}
