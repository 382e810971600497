package taler

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The identities of this page. Spellings of base32 differ, bytes do not: all of them
// compare with ==.
type (
	// PublicKey is an Ed25519 public key; 52 symbols.
	PublicKey [32]byte
	// Signature is an Ed25519 signature over SHA-512 of a [Block]; 103 symbols.
	Signature [64]byte
	// Hash is SHA-512; 103 symbols. H_a names a contract, H_wire an account.
	Hash [64]byte
	// Nonce is 32 bytes of chance that the other side may see: r_c, or r_m after
	// the draw. Before it, r_m is a [Secret].
	Nonce [32]byte
	// TransactionID is a random number below 2^63, 8 bytes big-endian; 13 symbols.
	TransactionID uint64
	// Odds is the chance of a lottery coin to be owed, in 2^−64; 13 symbols.
	Odds uint64
)

// String gives the key in base32.
func (k PublicKey) String() string { return EncodeBase32(k[:]) }

// String gives the signature in base32.
func (s Signature) String() string { return EncodeBase32(s[:]) }

// String gives the hash in base32.
func (h Hash) String() string { return EncodeBase32(h[:]) }

// String gives the nonce in base32.
func (n Nonce) String() string { return EncodeBase32(n[:]) }

// String gives the id in base32: what the wire and the contract's block hold.
func (id TransactionID) String() string { return encodeNumber(uint64(id)) }

// String gives the odds in base32.
func (o Odds) String() string { return encodeNumber(uint64(o)) }

func encodeNumber(n uint64) string { return EncodeBase32(binary.BigEndian.AppendUint64(nil, n)) }

// MarshalText gives the key in base32, for configuration and stores.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads 52 symbols. It checks no point: [PublicKey.Valid] does.
func (k *PublicKey) UnmarshalText(text []byte) error { return decodeBase32(k[:], string(text)) }

// ParsePublicKey reads 52 symbols. It checks no point: [PublicKey.Valid] does.
func ParsePublicKey(text string) (k PublicKey, err error) { return k, decodeBase32(k[:], text) }

// ParseHash reads 103 symbols.
func ParseHash(text string) (h Hash, err error) { return h, decodeBase32(h[:], text) }

// ParseSignature reads 103 symbols.
func ParseSignature(text string) (s Signature, err error) { return s, decodeBase32(s[:], text) }

// ParseTransactionID reads 13 symbols whose top bit is not set.
func ParseTransactionID(text string) (TransactionID, error) {
	n, err := decodeNumber(text)
	if err == nil && n>>63 != 0 {
		err = fmt.Errorf("the top bit of %s is set", clip(text))
	}
	if err != nil {
		return 0, err
	}
	return TransactionID(n), nil
}

// NewTransactionID draws 63 bits from random.
func NewTransactionID(random io.Reader) (TransactionID, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("draw a transaction id: %w", err)
	}
	return TransactionID(binary.BigEndian.Uint64(b[:]) >> 1), nil
}

func decodeNumber(text string) (uint64, error) {
	var b [8]byte
	err := decodeBase32(b[:], text)
	return binary.BigEndian.Uint64(b[:]), err
}

// readBytes fills dst from a base32 string.
func readBytes(dst []byte, v value) error {
	s, err := v.asText()
	if err != nil {
		return err
	}
	return decodeBase32(dst, s)
}

func (k *PublicKey) read(v value) error    { return readBytes(k[:], v) }
func (k *PublicKey) write() (value, error) { return textValue(k.String()), nil }
func (s *Signature) read(v value) error    { return readBytes(s[:], v) }
func (s *Signature) write() (value, error) { return textValue(s.String()), nil }
func (h *Hash) read(v value) error         { return readBytes(h[:], v) }
func (h *Hash) write() (value, error)      { return textValue(h.String()), nil }
func (n *Nonce) read(v value) error        { return readBytes(n[:], v) }
func (n *Nonce) write() (value, error)     { return textValue(n.String()), nil }

func (id *TransactionID) read(v value) error {
	s, err := v.asText()
	if err != nil {
		return err
	}
	*id, err = ParseTransactionID(s)
	return err
}

func (id *TransactionID) write() (value, error) {
	if *id>>63 != 0 {
		return value{}, fmt.Errorf("the top bit of transaction %s is set", id)
	}
	return textValue(id.String()), nil
}

func (o *Odds) read(v value) error {
	s, err := v.asText()
	if err != nil {
		return err
	}
	n, err := decodeNumber(s)
	*o = Odds(n)
	return err
}

func (o *Odds) write() (value, error) { return textValue(o.String()), nil }

// Blob is a number of RSA on the wire, big-endian and as long as its modulus: a
// blinded coin (coin_ev) or a signature (ev_sig, ubsig). 256 to 512 bytes.
type Blob []byte

// String gives the bytes in base32.
func (b Blob) String() string { return EncodeBase32(b) }

func (b *Blob) check() error {
	if len(*b) < minModulus || len(*b) > maxModulus {
		return fmt.Errorf("%d bytes instead of %d to %d", len(*b), minModulus, maxModulus)
	}
	return nil
}

func (b *Blob) read(v value) error {
	s, err := v.asText()
	if err != nil {
		return err
	}
	if len(s) > symbols(maxModulus) {
		return fmt.Errorf("longer than %d bytes", maxModulus)
	}
	if *b, err = DecodeBase32(s); err != nil {
		return err
	}
	return b.check()
}

func (b *Blob) write() (value, error) { return textValue(b.String()), b.check() }
