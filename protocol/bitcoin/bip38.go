package bitcoin

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcec/v2"
	"golang.org/x/crypto/scrypt"
	"golang.org/x/text/unicode/norm"

	"till/protocol"
)

// ErrPassphrase means that the passphrase does not open the key: ask for it
// again.
var ErrPassphrase = errors.New("the passphrase does not open this key")

// maxPassphrase bounds the bytes of a passphrase before the costly part.
const maxPassphrase = 1024

// BIP38 is a private key encrypted with a passphrase, 39 bytes:
//
//	0   2  01 42 plain, 01 43 EC-multiplied
//	2   1  flags: 0x20 compressed; plain has 0xc0 as well; 0x04 lot and sequence
//	3   4  the first bytes of SHA-256(SHA-256(address)): salt and check
//	7  32  plain: the encrypted key; else owner entropy (8), part 1 (8), part 2 (16)
//
// The values are comparable and no secret without the passphrase.
type BIP38 struct{ raw [39]byte }

const (
	flagPlain      = 0xc0
	flagCompressed = 0x20
	flagLot        = 0x04
)

// ParseBIP38 reads an encrypted key: 58 characters that start with 6P. Errors
// wrap [ErrKey] or [ErrTypo].
func ParseBIP38(text string) (BIP38, error) {
	if !bip38Shape(text) {
		return BIP38{}, fmt.Errorf("%w: an encrypted key is 6P and 56 more characters", ErrKey)
	}
	payload, first, err := decodeCheck(text)
	if err != nil {
		return BIP38{}, ErrTypo
	}
	return bip38OfBytes(append([]byte{first}, payload...))
}

func bip38Shape(text string) bool {
	return len(text) == 58 && text[:2] == "6P" && isBase58(text)
}

// bip38OfBytes checks the 39 bytes; bits without a meaning are refused.
func bip38OfBytes(raw []byte) (BIP38, error) {
	if len(raw) != 39 || raw[0] != 0x01 {
		return BIP38{}, fmt.Errorf("%w: not an encrypted key", ErrKey)
	}
	flags := raw[2] &^ flagCompressed
	switch {
	case raw[1] == 0x42 && flags == flagPlain:
	case raw[1] == 0x43 && flags&^flagLot == 0:
	default:
		return BIP38{}, fmt.Errorf("%w: not an encrypted key", ErrKey)
	}
	return BIP38{[39]byte(raw)}, nil
}

// String gives the 58 characters.
func (b BIP38) String() string { return base58.CheckEncode(b.raw[1:], b.raw[0]) }

// MarshalText gives the 58 characters.
func (b BIP38) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// IsZero reports whether b is no key.
func (b BIP38) IsZero() bool { return b.raw[0] == 0 }

// Multiplied reports whether the key was made by somebody who did not know the
// passphrase (EC-multiply).
func (b BIP38) Multiplied() bool { return b.raw[1] == 0x43 }

// Lot gives lot and sequence number, which a maker of many keys may have put in.
func (b BIP38) Lot() (lot, sequence int, ok bool) {
	if !b.Multiplied() || b.raw[2]&flagLot == 0 {
		return 0, 0, false
	}
	n := binary.BigEndian.Uint32(b.raw[11:15])
	return int(n >> 12), int(n & 0xfff), true
}

func (b BIP38) forms() PublicForms {
	if b.raw[2]&flagCompressed != 0 {
		return Compressed
	}
	return Uncompressed
}

// Decrypt opens the key. It takes some tenths of a second and 16 MiB. A wrong
// passphrase fails with [ErrPassphrase], a key of another network, where that can
// be told, with [ErrWrongNetwork].
func (b BIP38) Decrypt(passphrase protocol.Secret, net Network) (Key, error) {
	pass, err := normalise(passphrase)
	if err != nil {
		return Key{}, err
	}
	defer clear(pass)
	open := b.decryptPlain
	if b.Multiplied() {
		open = b.decryptMultiplied
	}
	key, err := open(pass)
	if err != nil {
		return Key{}, err
	}
	if addressHash(key, net) == [4]byte(b.raw[3:7]) {
		return key, nil
	}
	for _, other := range []Network{Mainnet, Testnet3} {
		if addressHash(key, other) == [4]byte(b.raw[3:7]) {
			key.Wipe()
			found := "mainnet"
			if other != Mainnet {
				found = "a test network"
			}
			return Key{}, net.wrongNetwork("a key", found)
		}
	}
	key.Wipe()
	return Key{}, ErrPassphrase
}

// EncryptBIP38 encrypts a key of one public form with a passphrase, the plain
// kind. The passphrase must not be empty.
func EncryptBIP38(key Key, passphrase protocol.Secret, net Network) (BIP38, error) {
	var b BIP38
	b.raw[0], b.raw[1] = 0x01, 0x42
	switch key.forms {
	case Uncompressed:
		b.raw[2] = flagPlain
	case Compressed:
		b.raw[2] = flagPlain | flagCompressed
	default:
		return BIP38{}, fmt.Errorf("%w: encrypt one public form at a time", ErrKey)
	}
	if key.IsZero() {
		return BIP38{}, fmt.Errorf("%w: wiped", ErrKey)
	}
	pass, err := normalise(passphrase)
	if err != nil {
		return BIP38{}, err
	}
	defer clear(pass)
	hash := addressHash(key, net)
	copy(b.raw[3:7], hash[:])
	derived, err := stretch(pass, hash[:], 64)
	if err != nil {
		return BIP38{}, err
	}
	defer clear(derived)
	var mixed [32]byte
	defer clear(mixed[:])
	xor(mixed[:], key.bytes(), derived[:32])
	block, err := aes.NewCipher(derived[32:])
	if err != nil {
		return BIP38{}, fmt.Errorf("prepare cipher: %w", err)
	}
	block.Encrypt(b.raw[7:23], mixed[:16])
	block.Encrypt(b.raw[23:39], mixed[16:])
	return b, nil
}

func (b BIP38) decryptPlain(pass []byte) (Key, error) {
	derived, err := stretch(pass, b.raw[3:7], 64)
	if err != nil {
		return Key{}, err
	}
	defer clear(derived)
	var d [32]byte
	defer clear(d[:])
	block, err := aes.NewCipher(derived[32:])
	if err != nil {
		return Key{}, fmt.Errorf("prepare cipher: %w", err)
	}
	block.Decrypt(d[:16], b.raw[7:23])
	block.Decrypt(d[16:], b.raw[23:39])
	xor(d[:], d[:], derived[:32])
	return passphraseKey(d[:], b.forms())
}

func (b BIP38) decryptMultiplied(pass []byte) (Key, error) {
	factor, err := b.passFactor(pass)
	if err != nil {
		return Key{}, err
	}
	defer factor.Zero()
	passKey := btcec.PrivKeyFromScalar(factor)
	defer passKey.Zero()
	point := passKey.PubKey().SerializeCompressed()
	derived, err := scrypt.Key(point, b.raw[3:15], 1024, 1, 1, 64)
	if err != nil {
		return Key{}, fmt.Errorf("stretch pass point: %w", err)
	}
	defer clear(derived)

	// Part 2 holds the second half of part 1 and the last third of the seed.
	block, err := aes.NewCipher(derived[32:])
	if err != nil {
		return Key{}, fmt.Errorf("prepare cipher: %w", err)
	}
	var part1, part2 [16]byte
	var seed [24]byte
	defer clear(seed[:])
	block.Decrypt(part2[:], b.raw[23:39])
	xor(part2[:], part2[:], derived[16:32])
	copy(part1[:8], b.raw[15:23])
	copy(part1[8:], part2[:8])
	copy(seed[16:], part2[8:])
	block.Decrypt(seed[:16], part1[:])
	xor(seed[:16], seed[:16], derived[:16])

	once := sha256.Sum256(seed[:])
	twice := sha256.Sum256(once[:])
	defer clear(once[:])
	defer clear(twice[:])
	var product btcec.ModNScalar
	defer product.Zero()
	if product.SetBytes(&twice) != 0 {
		return Key{}, ErrPassphrase
	}
	d := product.Mul(factor).Bytes()
	defer clear(d[:])
	return passphraseKey(d[:], b.forms())
}

// passFactor is the owner's share of an EC-multiplied key.
func (b BIP38) passFactor(pass []byte) (*btcec.ModNScalar, error) {
	entropy := b.raw[7:15]
	lot := b.raw[2]&flagLot != 0
	salt := entropy
	if lot {
		salt = entropy[:4]
	}
	factor, err := stretch(pass, salt, 32)
	if err != nil {
		return nil, err
	}
	defer clear(factor)
	if lot {
		once := sha256.Sum256(append(append(make([]byte, 0, 40), factor...), entropy...))
		twice := sha256.Sum256(once[:])
		copy(factor, twice[:])
		clear(once[:])
		clear(twice[:])
	}
	var s btcec.ModNScalar
	if s.SetByteSlice(factor) || s.IsZero() {
		return nil, ErrPassphrase
	}
	return &s, nil
}

// passphraseKey makes a key of decrypted bytes; garbage outside of the curve
// order means that the passphrase was wrong.
func passphraseKey(d []byte, forms PublicForms) (Key, error) {
	key, err := newKey(d, forms)
	if err != nil {
		return Key{}, ErrPassphrase
	}
	return key, nil
}

// addressHash is the check of BIP38: it hashes the text of the P2PKH address.
func addressHash(key Key, net Network) [4]byte {
	once := sha256.Sum256([]byte(key.Addresses(net)[0].String()))
	twice := sha256.Sum256(once[:])
	return [4]byte(twice[:4])
}

// normalise copies the passphrase in Unicode normalisation form C, as typed on
// whatever keyboard.
func normalise(passphrase protocol.Secret) ([]byte, error) {
	pass := []byte(passphrase.Reveal())
	defer clear(pass)
	if len(pass) == 0 || len(pass) > maxPassphrase || !utf8.Valid(pass) {
		return nil, fmt.Errorf("%w: it is empty, longer than %d bytes or not text", ErrPassphrase, maxPassphrase)
	}
	return norm.NFC.Append(make([]byte, 0, 2*len(pass)), pass...), nil
}

// stretch is scrypt with the cost of BIP38: N=16384, r=8, p=8.
func stretch(pass, salt []byte, size int) ([]byte, error) {
	derived, err := scrypt.Key(pass, salt, 16384, 8, 8, size)
	if err != nil {
		return nil, fmt.Errorf("stretch passphrase: %w", err)
	}
	return derived, nil
}

func xor(dst, a, b []byte) {
	for i := range dst {
		dst[i] = a[i] ^ b[i]
	}
}
