package taler

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"
)

// encodeKey puts a key together without any check.
func encodeKey(n, e []byte) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(n)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
	return EncodeBase32(append(append(b, n...), e...))
}

func TestDenominationKeysAreRefused(t *testing.T) {
	n := denomSecret().public.n.Bytes()
	even := bytes.Clone(n)
	even[len(even)-1] &^= 1
	short := bytes.Clone(n)
	short[0] &= 0x7f
	for _, c := range []struct {
		name string
		text string
		form bool // refused by its form already
	}{
		{"2040 bits", encodeKey(n[1:], []byte{1, 0, 1}), true},
		{"4104 bits", encodeKey(bytes.Repeat(n, 3)[:513], []byte{1, 0, 1}), true},
		{"exponent of 40 bits", encodeKey(n, []byte{1, 0, 0, 0, 1}), true},
		{"no exponent", encodeKey(n, nil), true},
		{"a byte too many", EncodeBase32(append(must(DecodeBase32(encodeKey(n, []byte{3}))), 0)), true},
		{"nothing", "", true},
		{"2047 bits", encodeKey(short, []byte{3}), false},
		{"even modulus", encodeKey(even, []byte{3}), false},
		{"modulus with a leading zero", encodeKey(append([]byte{0}, n...), []byte{3}), false},
		{"exponent with a leading zero", encodeKey(n, []byte{0, 3}), false},
		{"exponent 1", encodeKey(n, []byte{1}), false},
		{"even exponent", encodeKey(n, []byte{4}), false},
	} {
		pub, err := ParseDenomPub(c.text)
		if (err != nil) != c.form {
			t.Errorf("%s: form %v", c.name, err)
		}
		if _, err := pub.Key(); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := must(ParseDenomPub(encodeKey(n, []byte{0xff, 0xff, 0xff, 0xff}))).Key(); err != nil {
		t.Errorf("the largest exponent: %v", err)
	}
}

func TestACoinWhoseHashSharesAFactorIsRefused(t *testing.T) {
	// A modulus of many small primes: nearly every hash shares a factor with it.
	n := big.NewInt(1)
	for p := int64(3); n.BitLen() < 2048; p += 2 {
		if big.NewInt(p).ProbablyPrime(0) {
			n.Mul(n, big.NewInt(p))
		}
	}
	key := must(must(ParseDenomPub(encodeKey(n.Bytes(), []byte{3}))).Key())
	refusals := 0
	for i := range byte(8) {
		coin := PublicKey{i}
		digest := Nonce(coin).Hash()
		h := must(key.hkdfMod(key.pub.Bytes(), digest[:], "RSA-FDA FTpsW!"))
		shares := new(big.Int).GCD(nil, nil, h, n).Cmp(one) != 0
		_, err := key.fullDomainHash(coin)
		if shares != errors.Is(err, ErrKey) {
			t.Errorf("coin %d shares a factor: %t, %v", i, shares, err)
		}
		if _, blind := key.Blind(coin, SecretFrom([32]byte{})); shares && blind == nil {
			t.Errorf("coin %d is blinded", i)
		}
		if shares {
			refusals++
			cubed := new(big.Int).Exp(h, one, n)
			if key.Verify(coin, key.blob(cubed)) {
				t.Errorf("coin %d verifies", i)
			}
		}
	}
	if refusals == 0 {
		t.Error("no hash shared a factor: the test shows nothing")
	}
}

func TestOnlyTheSignatureOfThatLengthVerifies(t *testing.T) {
	v := loadVectors()
	key := denomSecret().Public()
	coin := must(ParsePublicKey(v.Coin.CoinPub))
	good := Blob(must(DecodeBase32(v.Coin.FDH.UBSig)))
	if !key.Verify(coin, good) {
		t.Fatal("the vectors' signature does not verify")
	}
	plusN := new(big.Int).Add(new(big.Int).SetBytes(good), key.n)
	changed := bytes.Clone(good)
	changed[100] ^= 1
	for name, sig := range map[string]Blob{
		"plus n": plusN.Bytes(), "longer": append(Blob{0}, good...), "shorter": good[1:], "changed": changed,
		"zero": make(Blob, 256), "none": nil,
	} {
		if key.Verify(coin, sig) {
			t.Errorf("%s verifies", name)
		}
	}
	if key.Verify(PublicKey{1}, good) {
		t.Error("another coin verifies")
	}
}

func TestASignatureBeyondTheModulusIsRefused(t *testing.T) {
	secret := denomSecret()
	for i := range byte(255) { // a signature so small that n fits on top of it; about one in ten is
		coin := PublicKey{i}
		s := secret.power(must(secret.public.fullDomainHash(coin)))
		sum := new(big.Int).Add(s, secret.public.n)
		if sum.BitLen() > 2048 {
			continue
		}
		if !secret.public.Verify(coin, secret.public.blob(s)) {
			t.Fatal("the signature itself does not verify")
		}
		if secret.public.Verify(coin, sum.Bytes()) {
			t.Error("s + n verifies")
		}
		return
	}
	t.Error("no small signature: the test shows nothing")
}

func TestBlindSigningDoesNotDependOnChance(t *testing.T) {
	v := loadVectors()
	coinEv := Blob(must(DecodeBase32(v.Coin.FDH.CoinEv)))
	for range 3 {
		if got := must(denomSecret().BlindSign(rand.Reader, coinEv)); got.String() != v.Coin.FDH.EvSig {
			t.Fatalf("ev_sig %s", got)
		}
	}
}

func TestBlindSigningRefusesWhatIsNoNumberBelowTheModulus(t *testing.T) {
	key := denomSecret().public
	for name, ev := range map[string]Blob{
		"zero": make(Blob, 256), "n": key.n.Bytes(), "short": make(Blob, 255), "long": append(Blob{0}, key.n.Bytes()...),
	} {
		if _, err := denomSecret().BlindSign(rand.Reader, ev); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFaultInTheMachineGivesNoSignature(t *testing.T) {
	key := loadVectors().rsa()
	secret := must(NewDenomSecret(key))
	key.Precomputed.Dp.Add(key.Precomputed.Dp, one) // Boneh, DeMillo, Lipton: half a signature factors n
	if sig, err := secret.BlindSign(rand.Reader, must(DecodeBase32(loadVectors().Coin.FDH.CoinEv))); err == nil {
		t.Errorf("signed %s", sig)
	}
}

func TestUnblindingFindsAMintThatSignedSomethingElse(t *testing.T) {
	s := newShop(t)
	planchet := must(NewPlanchet(rand.Reader))
	evSig := must(denomSecret().BlindSign(rand.Reader, must(DecodeBase32(loadVectors().Coin.FDH.CoinEv))))
	if _, err := planchet.Coin(s.master.Public(), s.denom, evSig); err == nil {
		t.Error("the coin is taken")
	}
}

func FuzzDenomPub(f *testing.F) {
	f.Add(loadVectors().RSA.DenomPub)
	f.Add(encodeKey(make([]byte, 256), []byte{3}))
	f.Fuzz(func(t *testing.T, text string) {
		pub, err := ParseDenomPub(text)
		if err != nil {
			return
		}
		if again, err := ParseDenomPub(pub.String()); err != nil || again != pub {
			t.Fatalf("%s is %s, %v", text, again, err)
		}
		if key, err := pub.Key(); err == nil {
			k := append(key.n.Bytes(), key.e.Bytes()...)
			if !bytes.Equal(k, pub.Bytes()[4:]) {
				t.Fatalf("%s has the numbers %x", text, k)
			}
		}
	})
}

func BenchmarkUBSigVerify(b *testing.B) {
	v := loadVectors()
	key := denomSecret().Public()
	coin := must(ParsePublicKey(v.Coin.CoinPub))
	sig := Blob(must(DecodeBase32(v.Coin.FDH.UBSig)))
	for b.Loop() {
		if !key.Verify(coin, sig) {
			b.Fatal("not verified")
		}
	}
}

func BenchmarkFullDomainHash(b *testing.B) {
	key := denomSecret().Public()
	for b.Loop() {
		must(key.fullDomainHash(PublicKey{1}))
	}
}

func BenchmarkBlindSign(b *testing.B) {
	coinEv := Blob(must(DecodeBase32(loadVectors().Coin.FDH.CoinEv)))
	for b.Loop() {
		must(denomSecret().BlindSign(rand.Reader, coinEv))
	}
}

// The baseline of BenchmarkBlindSign: the private operation without blinding the
// number and checking the result.
func BenchmarkPrivateOperation(b *testing.B) {
	x := new(big.Int).SetBytes(must(DecodeBase32(loadVectors().Coin.FDH.CoinEv)))
	for b.Loop() {
		denomSecret().power(x)
	}
}
