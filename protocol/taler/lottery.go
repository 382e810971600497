package taler

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Commitment is what a customer plays against: SHA-512(r_m), given before r_c is,
// and the odds (§5).
type Commitment struct {
	HRM  Hash // H_r_m
	Odds Odds
}

// Lottery is the part of a contract that makes it one of chance:
// {"H_r_m","odds","value"}. The coin asked for has the face value Value.
type Lottery struct {
	Commitment
	Value Amount
}

func (l *Lottery) members(m *members) {
	m.need("H_r_m", &l.HRM)
	m.need("odds", &l.Odds)
	m.need("value", &l.Value)
}

// NewLottery commits a merchant to r_m for a price below value.
func NewLottery(rm Secret, price, value Amount) (*Lottery, error) {
	odds, err := OddsOf(price, value)
	if err != nil {
		return nil, err
	}
	return &Lottery{Commitment{rm.Reveal().Hash(), odds}, value}, nil
}

// OddsOf gives ⌈price × 2^64 / value⌉. It fails unless 0 < price < value.
func OddsOf(price, value Amount) (Odds, error) {
	if order, err := price.Cmp(value); err != nil || order >= 0 || price.IsZero() {
		return 0, fmt.Errorf("no odds for a price of %s and a coin of %s", price, value)
	}
	quotient, rest := bits.Div64(price.Micro(), 0, value.Micro())
	if rest != 0 {
		quotient++
	}
	return Odds(quotient), nil
}

// Hash gives SHA-512 of the nonce: the commitment to r_m.
func (n Nonce) Hash() Hash { return sha512.Sum512(n[:]) }

// Draw is an opened commitment: what the mint needs beside a permission to see that
// the coin is owed.
type Draw struct {
	RM   Nonce // r_m
	Odds Odds
}

// Commitment gives what the customer signed over.
func (d Draw) Commitment() Commitment { return Commitment{d.RM.Hash(), d.Odds} }

// Won reports whether the coin is owed to the merchant: the first 8 bytes of
// SHA-512(r_m ‖ r_c), as a number, are below the odds.
func (d Draw) Won(rc Nonce) bool {
	digest := sha512.Sum512(append(d.RM[:], rc[:]...))
	return Odds(binary.BigEndian.Uint64(digest[:8])) < d.Odds
}
