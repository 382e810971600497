package server

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// SealKeySize is the length of the key that seals secrets in the database.
const SealKeySize = 32

// errSealed: the sealing key is not the one that sealed this.
var errSealed = errors.New("it was sealed with another key")

// seal keeps secrets in the database unreadable without the sealing key: AES-256-GCM
// with a random nonce of 12 bytes in front, bound to the name it is kept under.
type seal struct {
	aead   cipher.AEAD
	random io.Reader
}

func newSeal(key []byte, random io.Reader) (*seal, error) {
	if len(key) != SealKeySize {
		return nil, fmt.Errorf("the sealing key has %d bytes instead of %d", len(key), SealKeySize)
	}
	derived, err := hkdf.Key(sha256.New, key, nil, "till server database", 32)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	return &seal{aead, random}, nil
}

func (s *seal) close(name string, secret []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(secret)+s.aead.Overhead())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("seal %s: %w", name, err)
	}
	return s.aead.Seal(nonce, nonce, secret, []byte(name)), nil
}

func (s *seal) open(name string, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, fmt.Errorf("open %s: %w", name, errSealed)
	}
	secret, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(name))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, errSealed)
	}
	return secret, nil
}

// Sealer keeps the secrets of a practice mint as the server keeps its own.
type Sealer struct{ seal *seal }

// NewSealer takes a key of [SealKeySize] bytes.
func NewSealer(key []byte, random io.Reader) (*Sealer, error) {
	s, err := newSeal(key, random)
	return &Sealer{s}, err
}

// Seal hides a secret that is kept under the name.
func (s *Sealer) Seal(name string, secret []byte) ([]byte, error) { return s.seal.close(name, secret) }

// Unseal gives it back. It fails when the key or the name is another.
func (s *Sealer) Unseal(name string, sealed []byte) ([]byte, error) {
	return s.seal.open(name, sealed)
}
