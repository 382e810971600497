package taler

import (
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
)

const (
	minModulus = 2048 / 8 // bytes of n
	maxModulus = 4096 / 8
	maxPublic  = 4 // bytes of e, which is below 2^32
)

var one = big.NewInt(1)

// ErrKey is the cause of every RSA key that is refused.
var ErrKey = errors.New("RSA key not usable")

// DenomPub is the encoded public key of a denomination: u16 length of n, u16 length
// of e, n, e (§1). Values compare with ==. Its form is checked when it is read; its
// numbers are by [DenomPub.Key].
type DenomPub struct{ encoding string }

// ParseDenomPub reads base32 and checks the lengths in it.
func ParseDenomPub(text string) (DenomPub, error) {
	if len(text) > symbols(4+maxModulus+maxPublic) {
		return DenomPub{}, errors.New("longer than a key of 4096 bits")
	}
	b, err := DecodeBase32(text)
	if err != nil {
		return DenomPub{}, err
	}
	return denomPubFrom(b)
}

func denomPubFrom(b []byte) (DenomPub, error) {
	if len(b) < 4 {
		return DenomPub{}, errors.New("no lengths")
	}
	n, e := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
	if n < minModulus || n > maxModulus || e < 1 || e > maxPublic || len(b) != 4+n+e {
		return DenomPub{}, fmt.Errorf("a modulus of %d and an exponent of %d bytes in %d", n, e, len(b))
	}
	return DenomPub{string(b)}, nil
}

// Bytes gives the encoding: what [DenomPub.Hash] covers.
func (d DenomPub) Bytes() []byte { return []byte(d.encoding) }

// String gives the encoding in base32.
func (d DenomPub) String() string { return EncodeBase32([]byte(d.encoding)) }

// Hash gives SHA-512(denom_pub), which purposes 2 and 4 sign.
func (d DenomPub) Hash() Hash { return sha512.Sum512([]byte(d.encoding)) }

// size is the length of n in bytes, that of every number modulo n on the wire.
func (d DenomPub) size() int {
	if len(d.encoding) < 2 {
		return 0
	}
	return int(d.encoding[0])<<8 | int(d.encoding[1])
}

func (d *DenomPub) read(v value) error {
	s, err := v.asText()
	if err != nil {
		return err
	}
	*d, err = ParseDenomPub(s)
	return err
}

func (d *DenomPub) write() (value, error) {
	_, err := denomPubFrom([]byte(d.encoding))
	return textValue(d.String()), err
}

// DenomKey is the public key of a denomination as numbers.
type DenomKey struct {
	pub  DenomPub
	n, e *big.Int
}

// Key checks the numbers: n odd and of 2048 to 4096 bits, e odd, 3 ≤ e < 2^32, no
// leading zeros. The error wraps [ErrKey].
func (d DenomPub) Key() (*DenomKey, error) {
	size, b := d.size(), []byte(d.encoding)
	if size == 0 {
		return nil, fmt.Errorf("%w: no key", ErrKey)
	}
	n, e := b[4:4+size], b[4+size:]
	k := &DenomKey{d, new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)}
	switch {
	case n[0] == 0 || e[0] == 0:
		return nil, fmt.Errorf("%w: leading zeros", ErrKey)
	case k.n.BitLen() < 8*minModulus || k.n.Bit(0) == 0:
		return nil, fmt.Errorf("%w: the modulus has %d bits or is even", ErrKey, k.n.BitLen())
	case k.e.Bit(0) == 0 || k.e.Cmp(big.NewInt(3)) < 0:
		return nil, fmt.Errorf("%w: the exponent %d is even or below 3", ErrKey, k.e)
	}
	return k, nil
}

// NewDenomKey takes over a public key of crypto/rsa. It refuses what
// [DenomPub.Key] refuses.
func NewDenomKey(pub *rsa.PublicKey) (*DenomKey, error) {
	n, e := pub.N.Bytes(), big.NewInt(int64(pub.E)).Bytes()
	if len(n) > maxModulus {
		return nil, fmt.Errorf("%w: more than 4096 bits", ErrKey)
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(len(n)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
	d, err := denomPubFrom(append(append(b, n...), e...))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return d.Key()
}

// Pub gives the encoded key.
func (k *DenomKey) Pub() DenomPub { return k.pub }

// Verify reports whether sig is the denomination's signature of the coin: ubsig^e =
// FDH(coin_pub) mod n, ubsig below n and exactly as long.
func (k *DenomKey) Verify(coin PublicKey, sig Blob) bool {
	s, ok := k.number(sig)
	if !ok {
		return false
	}
	want, err := k.fullDomainHash(coin)
	return err == nil && s.Exp(s, k.e, k.n).Cmp(want) == 0
}

// number reads a number modulo n as it stands on the wire.
func (k *DenomKey) number(b Blob) (*big.Int, bool) {
	x := new(big.Int).SetBytes(b)
	return x, len(b) == k.pub.size() && x.Cmp(k.n) < 0
}

func (k *DenomKey) blob(x *big.Int) Blob { return x.FillBytes(make([]byte, k.pub.size())) }

// fullDomainHash gives FDH of §1. A coin whose hash shares a factor with n is
// refused with [ErrKey]: its signature would give the key away, or be 0.
func (k *DenomKey) fullDomainHash(coin PublicKey) (*big.Int, error) {
	digest := sha512.Sum512(coin[:])
	h, err := k.hkdfMod(k.pub.Bytes(), digest[:], "RSA-FDA FTpsW!")
	if err == nil && !k.coprime(h) {
		err = fmt.Errorf("%w: the hash of coin %s shares a factor with it", ErrKey, coin)
	}
	return h, err
}

func (k *DenomKey) coprime(x *big.Int) bool {
	return new(big.Int).GCD(nil, nil, x, k.n).Cmp(one) == 0
}

// hkdfMod derives a number below n: HKDF extracting with HMAC-SHA-512 and expanding
// with HMAC-SHA-256, info followed by a u16 counter that goes up until the output,
// its surplus top bits cleared, is below n.
func (k *DenomKey) hkdfMod(salt, ikm []byte, info string) (*big.Int, error) {
	prk, err := hkdf.Extract(sha512.New, ikm, salt)
	if err != nil {
		return nil, fmt.Errorf("extract: %w", err)
	}
	bits := k.n.BitLen()
	for counter := range 1 << 16 {
		okm, err := hkdf.Expand(sha256.New, prk, info+string([]byte{byte(counter >> 8), byte(counter)}), (bits+7)/8)
		if err != nil {
			return nil, fmt.Errorf("expand: %w", err)
		}
		okm[0] &= 0xff >> (8*len(okm) - bits)
		if x := new(big.Int).SetBytes(okm); x.Cmp(k.n) < 0 {
			return x, nil
		}
	}
	return nil, fmt.Errorf("%w: no number below the modulus in 65536 draws", ErrKey)
}

// blindingFactor derives r from 32 bytes of chance.
func (k *DenomKey) blindingFactor(seed Secret) (*big.Int, error) {
	bytes := seed.Reveal()
	r, err := k.hkdfMod([]byte("Blinding KDF extractor HMAC key"), bytes[:], "Blinding KDF")
	if err == nil && !k.coprime(r) {
		err = fmt.Errorf("%w: a blinding factor shares a factor with it", ErrKey)
	}
	return r, err
}

// Blind hides a coin from its mint: coin_ev = FDH(coin_pub) · r^e mod n. The error
// wraps [ErrKey]: take another coin, or better another mint.
func (k *DenomKey) Blind(coin PublicKey, seed Secret) (Blob, error) {
	h, err := k.fullDomainHash(coin)
	if err != nil {
		return nil, err
	}
	r, err := k.blindingFactor(seed)
	if err != nil {
		return nil, err
	}
	r.Exp(r, k.e, k.n)
	return k.blob(h.Mul(h, r).Mod(h, k.n)), nil
}

// Unblind takes the blinding off the mint's answer: ubsig = ev_sig · r⁻¹ mod n. It
// verifies what comes out and fails when the mint did not sign this coin.
func (k *DenomKey) Unblind(coin PublicKey, seed Secret, evSig Blob) (Blob, error) {
	s, ok := k.number(evSig)
	if !ok {
		return nil, errors.New("ev_sig is not a number below the modulus")
	}
	r, err := k.blindingFactor(seed)
	if err != nil {
		return nil, err
	}
	sig := k.blob(s.Mul(s, r.ModInverse(r, k.n)).Mod(s, k.n))
	if !k.Verify(coin, sig) {
		return nil, fmt.Errorf("ev_sig is no signature of coin %s", coin)
	}
	return sig, nil
}

// DenomSecret is the mint's half of a denomination key.
//
// BUGS: crypto/rsa has no raw private operation, so this one is math/big's, which
// does not promise constant time: exponents are read in windows whose table is
// addressed by secret digits. Each number is first multiplied by a fresh r^e, so the
// base is not the customer's to choose and averages over many signatures say
// little; an attacker on the same processor who watches its caches is not kept out.
// It suits a practice mint, not one that holds money.
type DenomSecret struct {
	hidden
	key    func() *rsa.PrivateKey
	public *DenomKey
}

// NewDenomSecret takes over a two-prime key of crypto/rsa, 2048 to 4096 bits. The
// error wraps [ErrKey].
func NewDenomSecret(key *rsa.PrivateKey) (*DenomSecret, error) {
	public, err := NewDenomKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := key.Validate(); err != nil || len(key.Primes) != 2 {
		return nil, fmt.Errorf("%w: %d primes: %v", ErrKey, len(key.Primes), err)
	}
	key.Precompute()
	return &DenomSecret{key: func() *rsa.PrivateKey { return key }, public: public}, nil
}

// Public gives the public half.
func (d *DenomSecret) Public() *DenomKey { return d.public }

// BlindSign gives ev_sig = coin_ev^d mod n. The result does not depend on random,
// which hides the number while it is worked on and spoils nothing if it is weak. It
// fails with [ErrKey] when coin_ev is not 0 < x < n and as long as n, or when the
// result does not verify (a fault of the machine, which would give the key away).
func (d *DenomSecret) BlindSign(random io.Reader, coinEv Blob) (Blob, error) {
	k := d.public
	m, ok := k.number(coinEv)
	if !ok || m.Sign() == 0 {
		return nil, fmt.Errorf("%w: coin_ev is not a number below the modulus", ErrKey)
	}
	seed, err := NewSecret(random)
	if err != nil {
		return nil, err
	}
	defer seed.Wipe()
	r, err := k.blindingFactor(seed)
	if err != nil {
		return nil, err
	}
	x := new(big.Int).Exp(r, k.e, k.n)
	x.Mul(x, m).Mod(x, k.n)
	s := d.power(x)
	s.Mul(s, r.ModInverse(r, k.n)).Mod(s, k.n)
	if new(big.Int).Exp(s, k.e, k.n).Cmp(m) != 0 {
		return nil, fmt.Errorf("%w: a signature did not verify", ErrKey)
	}
	return k.blob(s), nil
}

// power gives x^d mod n by the Chinese remainder theorem (RFC 8017, section 5.1.2).
func (d *DenomSecret) power(x *big.Int) *big.Int {
	key := d.key()
	p, q, pre := key.Primes[0], key.Primes[1], &key.Precomputed
	m1 := new(big.Int).Mod(x, p)
	m1.Exp(m1, pre.Dp, p)
	m2 := new(big.Int).Mod(x, q)
	m2.Exp(m2, pre.Dq, q)
	h := m1.Sub(m1, m2)
	h.Mul(h, pre.Qinv).Mod(h, p)
	return h.Mul(h, q).Add(h, m2)
}
