package register

import "till/protocol"

// money in the hand: notes and coins in minor units, largest first. Where a
// currency is not listed its change is not taken apart.
var pieces = map[protocol.Currency][]int64{
	"EUR": {50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1},
	"USD": {10000, 5000, 2000, 1000, 500, 100, 25, 10, 5, 1},
	"CAD": {10000, 5000, 2000, 1000, 500, 200, 100, 25, 10, 5},
	"GBP": {5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1},
	"CHF": {100000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5},
	"JPY": {10000, 5000, 1000, 500, 100, 50, 10, 5, 1},
	"CZK": {500000, 200000, 100000, 50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100},
	"SEK": {100000, 50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100},
	"NOK": {100000, 50000, 20000, 10000, 5000, 2000, 1000, 500, 100},
	"DKK": {100000, 50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50},
	"PLN": {50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1},
	"AUD": {10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5},
	"NZD": {10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10},
}

// Piece is some notes or coins of one kind.
type Piece struct {
	Of    protocol.Money
	Count int64
}

// Pieces is an amount as the fewest notes and coins, largest first. What no coin
// makes up, and an unknown currency's amount, gives nothing.
func Pieces(m protocol.Money) []Piece {
	var out []Piece
	rest := m.Minor
	for _, of := range pieces[m.Currency] {
		if n := rest / of; n > 0 {
			out = append(out, Piece{protocol.Money{Currency: m.Currency, Minor: of}, n})
			rest -= n * of
		}
	}
	if rest != 0 {
		return nil
	}
	return out
}

// quickMost is how many amounts are offered for what is due.
const quickMost = 4

// Quick is what customers mostly give for an amount: what the next larger notes
// and whole multiples of them make, smallest first, each above the amount.
func Quick(due protocol.Money) []protocol.Money {
	var out []protocol.Money
	last := due.Minor
	list := pieces[due.Currency]
	for i := len(list) - 1; i >= 0 && len(out) < quickMost; i-- {
		of := list[i]
		if of*20 < due.Minor || of < list[0]/1000 {
			continue // nobody pays with a heap of small coins
		}
		if next := (due.Minor + of - 1) / of * of; next > last {
			out = append(out, protocol.Money{Currency: due.Currency, Minor: next})
			last = next
		}
	}
	return out
}

// quick puts the next offered amount, up or down, in the place of what is typed;
// past the last it is the exact amount again.
func (r Register) quick(by int) Register {
	offers := Quick(r.CashDue())
	at := -1
	for i, o := range offers {
		if o == r.Amount() {
			at = i
		}
	}
	switch at += sign(by); {
	case r.Entry.Empty() && by < 0:
		at = len(offers) - 1
	case at < -1:
		at = -1
	}
	if at < 0 || at >= len(offers) {
		r.Entry = Entry{}
		return r
	}
	r.Entry = entryOf(offers[at])
	return r
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// entryOf is an amount as if it had been typed, in minor units.
func entryOf(m protocol.Money) Entry {
	digits := protocol.Money{Currency: "JPY", Minor: m.Minor}.Decimal() // no decimals
	return Entry{Whole: digits}
}
