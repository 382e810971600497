package bitcoin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript/v2"

	"till/protocol"
)

// Causes of a refused key. The messages tell the cashier what to do and never
// repeat the text.
var (
	ErrKey  = errors.New("not a private key")
	ErrTypo = errors.New("typing error: compare the key with the original, character by character")
)

// PublicForms says which public keys a private key stands for: the text it came
// from decides. Several may be set.
type PublicForms uint8

// The two encodings of a public key.
const (
	Uncompressed PublicForms = 1 << iota // 65 bytes: mini keys, old WIF
	Compressed                           // 33 bytes: WIF with the 0x01 suffix
)

// Key is a private key. It prints [secret] in every way; copies share their
// memory, so that Wipe reaches all of them. The zero value is no key.
type Key struct {
	d     hidden[[32]byte]
	forms PublicForms
}

// newKey checks 0 < d < n and copies d.
func newKey(d []byte, forms PublicForms) (Key, error) {
	var s btcec.ModNScalar
	defer s.Zero()
	if len(d) != 32 || s.SetByteSlice(d) || s.IsZero() {
		return Key{}, fmt.Errorf("%w: out of range", ErrKey)
	}
	own := [32]byte(d)
	return Key{hide(&own), forms}, nil
}

// GenerateKey makes a key of a compressed public key from 32 bytes of random. It
// tries again on the one value in 2^127 that is no key.
func GenerateKey(random io.Reader) (Key, error) {
	var d [32]byte
	defer clear(d[:])
	for {
		if _, err := io.ReadFull(random, d[:]); err != nil {
			return Key{}, fmt.Errorf("generate key: %w", err)
		}
		if k, err := newKey(d[:], Compressed); err == nil {
			return k, nil
		}
	}
}

// ParseHexKey reads 64 hex digits. The key stands for both public keys. Any hash
// has this shape: use it only after the cashier has said that it is a key.
func ParseHexKey(text string) (Key, error) {
	if len(text) != 64 {
		return Key{}, fmt.Errorf("%w: a hex key has 64 digits", ErrKey)
	}
	var d [32]byte
	defer clear(d[:])
	if _, err := hex.Decode(d[:], []byte(text)); err != nil {
		return Key{}, fmt.Errorf("%w: not hexadecimal", ErrKey)
	}
	return newKey(d[:], Uncompressed|Compressed)
}

// ParseMiniKey reads a Casascius mini key: S and base58, 22, 26 or 30
// characters. [ErrTypo] means it has the shape but fails its check byte.
func ParseMiniKey(text string) (Key, error) {
	if !miniKeyShape(text) {
		return Key{}, fmt.Errorf("%w: a mini key is S and 21, 25 or 29 more characters without 0, O, I and l", ErrKey)
	}
	if check := sha256.Sum256([]byte(text + "?")); check[0] != 0 {
		return Key{}, ErrTypo
	}
	d := sha256.Sum256([]byte(text))
	defer clear(d[:])
	return newKey(d[:], Uncompressed)
}

func miniKeyShape(text string) bool {
	n := len(text)
	return (n == 22 || n == 26 || n == 30) && text[0] == 'S' && isBase58(text)
}

// ParseWIF reads a private key in wallet import format. Errors wrap [ErrKey],
// [ErrTypo] (the checksum is wrong) or [ErrWrongNetwork].
func ParseWIF(text string, net Network) (Key, error) {
	if len(text) != 51 && len(text) != 52 || !isBase58(text) {
		return Key{}, fmt.Errorf("%w: a key in wallet import format has 51 or 52 characters", ErrKey)
	}
	payload, version, err := decodeCheck(text)
	defer clear(payload)
	if err != nil {
		return Key{}, ErrTypo
	}
	forms := Uncompressed
	if len(payload) == 33 && payload[32] == 1 {
		forms, payload = Compressed, payload[:32]
	}
	if len(payload) != 32 || (version != 0x80 && version != 0xef) {
		return Key{}, fmt.Errorf("%w: not in wallet import format", ErrKey)
	}
	key, err := newKey(payload, forms)
	if err != nil {
		return Key{}, err
	}
	if version != net.Params().PrivateKeyID {
		found := "mainnet"
		if version == 0xef {
			found = "a test network"
		}
		key.Wipe()
		return Key{}, net.wrongNetwork("a key", found)
	}
	return key, nil
}

// WIFs gives the key in wallet import format, once for each public form it has:
// the texts a sweep sends.
func (k Key) WIFs(net Network) []protocol.Secret {
	var texts []protocol.Secret
	if k.forms&Uncompressed != 0 {
		texts = append(texts, k.wif(net, nil))
	}
	if k.forms&Compressed != 0 {
		texts = append(texts, k.wif(net, []byte{1}))
	}
	return texts
}

func (k Key) wif(net Network, suffix []byte) protocol.Secret {
	raw := append(append(make([]byte, 0, 33), k.bytes()...), suffix...)
	defer clear(raw)
	return protocol.NewSecret(base58.CheckEncode(raw, net.Params().PrivateKeyID))
}

// Forms tells which public keys the key stands for.
func (k Key) Forms() PublicForms { return k.forms }

// IsZero reports whether k is no key or has been wiped.
func (k Key) IsZero() bool { return k.d == nil || *k.d() == [32]byte{} }

// Equal reports whether both are the same secret for the same public keys.
func (k Key) Equal(o Key) bool {
	return k.forms == o.forms && bytes.Equal(k.bytes(), o.bytes())
}

// Wipe overwrites the secret in every copy of k.
func (k Key) Wipe() {
	clear(k.bytes())
}

func (k Key) bytes() []byte {
	if k.d == nil {
		return nil
	}
	return k.d()[:]
}

// Private gives the key to sign with. The caller calls its Zero method when done.
func (k Key) Private() *btcec.PrivateKey {
	priv, _ := btcec.PrivKeyFromBytes(k.bytes())
	return priv
}

// PublicKeys gives the encoded public keys: uncompressed before compressed.
func (k Key) PublicKeys() [][]byte {
	if k.IsZero() {
		return nil
	}
	priv := k.Private()
	defer priv.Zero()
	var keys [][]byte
	if k.forms&Uncompressed != 0 {
		keys = append(keys, priv.PubKey().SerializeUncompressed())
	}
	if k.forms&Compressed != 0 {
		keys = append(keys, priv.PubKey().SerializeCompressed())
	}
	return keys
}

// Addresses gives every address of the key, in this order: P2PKH of the
// uncompressed public key; P2PKH, P2SH-P2WPKH, P2WPKH and P2TR of the compressed.
func (k Key) Addresses(net Network) []Address {
	var all []Address
	for _, pub := range k.PublicKeys() {
		forms, err := AddressesOfPublicKey(pub, net)
		if err != nil {
			panic("bitcoin: " + err.Error()) // we encoded the public key ourselves
		}
		all = append(all, forms...)
	}
	return all
}

// AddressesOfPublicKey gives the addresses of an encoded public key: P2PKH of 65
// bytes; P2PKH, P2SH-P2WPKH, P2WPKH and P2TR (BIP86: no script tree) of 33.
func AddressesOfPublicKey(pub []byte, net Network) ([]Address, error) {
	point, err := parsePublicKey(pub)
	if err != nil {
		return nil, err
	}
	hash := address.Hash160(pub)
	legacy := Address{net, P2PKH, pubKeyHashScript(hash)}
	if pub[0] == 4 {
		return []Address{legacy}, nil
	}
	segwit, _, _ := witnessScript(0, hash)
	nested := scriptHashScript(address.Hash160([]byte(segwit)))
	return []Address{
		legacy,
		{net, P2SH, nested},
		{net, P2WPKH, segwit},
		{net, P2TR, taprootScript(point)},
	}, nil
}

// parsePublicKey reads a compressed or uncompressed public key; the hybrid form
// (06, 07) that OpenSSL also knew is refused.
func parsePublicKey(pub []byte) (*btcec.PublicKey, error) {
	point, err := btcec.ParsePubKey(pub)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	if pub[0] > 4 {
		return nil, fmt.Errorf("parse public key: hybrid encoding")
	}
	return point, nil
}

// taprootScript is the output script of an internal key without scripts (BIP86).
func taprootScript(internal *btcec.PublicKey) string {
	output := txscript.ComputeTaprootKeyNoScript(internal)
	script, _, _ := witnessScript(1, schnorr.SerializePubKey(output))
	return script
}

// Format prints [secret] whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText gives [secret].
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [secret].
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
