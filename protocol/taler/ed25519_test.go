package taler

import (
	"crypto/ed25519"
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"
)

// littleEndian gives the 32 bytes of x, with the sign bit if set.
func littleEndian(x *big.Int, sign byte) (b [32]byte) {
	x.FillBytes(b[:])
	slices.Reverse(b[:])
	b[31] |= sign << 7
	return b
}

func TestKeysOfSmallOrderAndOtherSpellingsAreNotValid(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	for _, small := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			k := PublicKey(small)
			k[31] |= sign
			if k.Valid() {
				t.Errorf("%x is valid", k)
			}
		}
	}
	for y := int64(0); y < 19; y++ { // p+y is y again, in 255 bits
		for sign := range byte(2) {
			if k := PublicKey(littleEndian(new(big.Int).Add(p, big.NewInt(y)), sign)); k.Valid() {
				t.Errorf("p+%d is valid", y)
			}
		}
	}
	if k := PublicKey(littleEndian(new(big.Int).Sub(p, big.NewInt(2)), 0)); !k.Valid() {
		t.Error("p-2 is not valid")
	}
}

// The points of the table are those of order 1, 2, 4 and 8: y = 0, ±1, and the roots
// of the doubling formula.
func TestTheTableOfSmallOrderIsRight(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p))
	d.Mod(d, p)
	for _, small := range smallOrder[3:] {
		y := new(big.Int)
		b := slices.Clone(small[:])
		slices.Reverse(b)
		y.SetBytes(b)
		// A point of order 8 doubles to one of order 4, whose y is 0: x² + y² = 0.
		y2 := new(big.Int).Exp(y, big.NewInt(2), p)
		x2 := new(big.Int).Sub(y2, one)
		x2.Mul(x2, new(big.Int).ModInverse(new(big.Int).Mod(new(big.Int).Add(new(big.Int).Mul(d, y2), one), p), p)).Mod(x2, p)
		if x2.Add(x2, y2).Mod(x2, p).Sign() != 0 {
			t.Errorf("%x has no order of 8", small)
		}
	}
}

func TestSignaturesUnderAKeyOfSmallOrderAreRefused(t *testing.T) {
	// With A = identity, R = identity and S = 0 the equation holds for every message.
	identity := PublicKey{1}
	forged := Signature{1}
	block := loadVectors().spend(Direct).block(Commitment{})
	digest := sha512.Sum512(block.text)
	if !ed25519.Verify(identity[:], digest[:], forged[:]) {
		t.Fatal("the standard library refuses it by itself: the test shows nothing")
	}
	if identity.Verify(block, forged) {
		t.Error("a forged signature verifies")
	}
}

func TestASignatureHasOneS(t *testing.T) {
	v := loadVectors()
	block := v.spend(Direct).block(Commitment{})
	sig := v.private("coin").Sign(block)
	order, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	order.Add(order, new(big.Int).Lsh(one, 252))
	s := slices.Clone(sig[32:])
	slices.Reverse(s)
	other := littleEndian(new(big.Int).Add(new(big.Int).SetBytes(s), order), 0)
	copy(sig[32:], other[:])
	if v.public("coin").Verify(block, sig) {
		t.Error("S + L verifies")
	}
}

func BenchmarkCSigVerify(b *testing.B) {
	v := loadVectors()
	spend := v.spend(Direct)
	spend.CSig = v.private("coin").Sign(spend.block(Commitment{}))
	coin := v.public("coin")
	for b.Loop() {
		if spend.verify(coin, nil) != nil {
			b.Fatal("not verified")
		}
	}
}

// The baseline of BenchmarkCSigVerify: the curve alone.
func BenchmarkEd25519Verify(b *testing.B) {
	v := loadVectors()
	digest := sha512.Sum512(v.spend(Direct).block(Commitment{}).text)
	seed := v.private("coin").Reveal()
	key := ed25519.NewKeyFromSeed(seed[:])
	sig := ed25519.Sign(key, digest[:])
	public := v.public("coin")
	for b.Loop() {
		if !ed25519.Verify(public[:], digest[:], sig) {
			b.Fatal("not verified")
		}
	}
}
