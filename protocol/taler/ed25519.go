package taler

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"io"
	"slices"
)

// PrivateKey is an Ed25519 key of one role: merchant, mint master, mint signing,
// reserve or coin. Keys are never shared between roles (§1). The zero value is no
// key.
type PrivateKey struct {
	hidden
	key func() ed25519.PrivateKey
}

// NewPrivateKey draws a key from random.
func NewPrivateKey(random io.Reader) (PrivateKey, error) {
	var seed [ed25519.SeedSize]byte
	defer clear(seed[:])
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("draw a key: %w", err)
	}
	return PrivateKeyFromSeed(seed), nil
}

// PrivateKeyFromSeed gives the key of an RFC 8032 seed.
func PrivateKeyFromSeed(seed [ed25519.SeedSize]byte) PrivateKey {
	key := ed25519.NewKeyFromSeed(seed[:])
	return PrivateKey{key: func() ed25519.PrivateKey { return key }}
}

// ParsePrivateKey reads the base32 of a seed, 52 symbols. The error does not quote
// the text.
func ParsePrivateKey(text string) (PrivateKey, error) {
	var seed [ed25519.SeedSize]byte
	defer clear(seed[:])
	if decodeBase32(seed[:], text) != nil {
		return PrivateKey{}, fmt.Errorf("%w: not the %d symbols of a private key", ErrBase32, symbols(len(seed)))
	}
	return PrivateKeyFromSeed(seed), nil
}

// Reveal gives the seed away, to a store that keeps it.
func (k PrivateKey) Reveal() (seed [ed25519.SeedSize]byte) {
	copy(seed[:], k.key())
	return seed
}

// Public gives the public key.
func (k PrivateKey) Public() PublicKey {
	return PublicKey(k.key()[ed25519.SeedSize:])
}

// Sign signs SHA-512 of the block (§1, GNUnet's rule of 2013 to 2019).
func (k PrivateKey) Sign(b Block) Signature {
	digest := sha512.Sum512(b.text)
	return Signature(ed25519.Sign(k.key(), digest[:]))
}

// Wipe overwrites the key, for all copies of k.
func (k PrivateKey) Wipe() { clear(k.key()) }

// smallOrder lists the y coordinates of the points whose order divides 8, little
// endian and without the sign of x: 0 (order 4), 1 (order 1), p−1 (order 2), and the
// two of order 8.
var smallOrder = [...][32]byte{
	{},
	{1},
	{0: 0xec, 1: 0xff, 2: 0xff, 3: 0xff, 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff,
		8: 0xff, 9: 0xff, 10: 0xff, 11: 0xff, 12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff,
		16: 0xff, 17: 0xff, 18: 0xff, 19: 0xff, 20: 0xff, 21: 0xff, 22: 0xff, 23: 0xff,
		24: 0xff, 25: 0xff, 26: 0xff, 27: 0xff, 28: 0xff, 29: 0xff, 30: 0xff, 31: 0x7f},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}

// fieldPrime is p = 2^255−19, little endian.
var fieldPrime = func() (p [32]byte) {
	for i := range p {
		p[i] = 0xff
	}
	p[0], p[31] = 0xed, 0x7f
	return p
}()

// Valid reports whether k is canonically encoded and of no small order. That it is
// a point of the curve shows only in [PublicKey.Verify].
func (k PublicKey) Valid() bool {
	y := k
	y[31] &= 0x7f
	for _, small := range smallOrder {
		if [32]byte(y) == small {
			return false
		}
	}
	below := false // y < p, from the most significant byte
	for i := 31; i >= 0; i-- {
		if y[i] != fieldPrime[i] {
			below = y[i] < fieldPrime[i]
			break
		}
	}
	return below
}

// Verify reports whether s is k's signature of the block. Beyond RFC 8032's checks
// (S below the order of the group, R encoded canonically) k must be [PublicKey.Valid].
func (k PublicKey) Verify(b Block, s Signature) bool {
	digest := sha512.Sum512(b.text)
	return k.Valid() && ed25519.Verify(k[:], digest[:], s[:])
}

// sortedSignatures concatenates signatures in bytewise order.
func sortedSignatures(list []Signature) []byte {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Signature) int { return bytes.Compare(a[:], b[:]) })
	out := make([]byte, 0, len(list)*len(Signature{}))
	for _, s := range sorted {
		out = append(out, s[:]...)
	}
	return out
}
