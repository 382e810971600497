package rates

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"till/protocol"
)

// errPrice is the cause when text is not a price.
var errPrice = errors.New("not a price")

// maxPrice bounds the text of a price in bytes.
const maxPrice = 40

// parseRate reads the price of a bitcoin in whole units of the currency, such as
// "58123.40000" or "58123", into minor units, rounded half up: 5812340. Signs,
// exponents and group marks are refused; the error wraps [errPrice].
func parseRate(text string, currency protocol.Currency) (protocol.Rate, error) {
	bad := func() (protocol.Rate, error) {
		return 0, fmt.Errorf("%w: %q", errPrice, text[:min(len(text), maxPrice)])
	}
	whole, fraction, point := strings.Cut(text, ".")
	if len(text) > maxPrice || whole == "" || point && fraction == "" || !digits(whole) || !digits(fraction) {
		return bad()
	}
	places := currency.Exponent()
	up := len(fraction) > places && fraction[places] >= '5'
	kept := fraction[:min(len(fraction), places)]
	minor, err := strconv.ParseInt(whole+kept+strings.Repeat("0", places-len(kept)), 10, 64)
	if err != nil {
		return bad()
	}
	if up && minor <= protocol.MaxMinor {
		minor++
	}
	if rate := protocol.Rate(minor); rate.Valid() {
		return rate, nil
	}
	return bad()
}

func digits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}
