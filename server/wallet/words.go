package wallet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"till/protocol"
)

// ErrWords is the cause of refused words. The message tells which word, by its
// number, and never what it was.
var ErrWords = errors.New("these are not the words of a wallet")

// maxWords bounds the text of 24 words of at most 8 letters.
const maxWords = 24 * 9

// NewWords makes 12, 15, 18, 21 or 24 words (BIP39, English) of random.
func NewWords(random io.Reader, count int) (protocol.Secret, error) {
	if count%3 != 0 || count < 12 || count > 24 {
		return protocol.Secret{}, fmt.Errorf("%w: %d words; take 12, 15, 18, 21 or 24", ErrWords, count)
	}
	entropy := make([]byte, count/3*4)
	defer clear(entropy)
	if _, err := io.ReadFull(random, entropy); err != nil {
		return protocol.Secret{}, fmt.Errorf("draw words: %w", err)
	}
	text, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return protocol.Secret{}, fmt.Errorf("draw words: %w", err)
	}
	return protocol.NewSecret(text), nil
}

// ReadWords checks words as a person types them, in either case and with any
// space between, and gives them in their one form.
func ReadWords(typed protocol.Secret) (protocol.Secret, error) {
	text := typed.Reveal()
	if len(text) > 2*maxWords {
		return protocol.Secret{}, fmt.Errorf("%w: too long", ErrWords)
	}
	words := strings.Fields(strings.ToLower(text))
	if n := len(words); n%3 != 0 || n < 12 || n > 24 {
		return protocol.Secret{}, fmt.Errorf("%w: %d words; there must be 12, 15, 18, 21 or 24", ErrWords, n)
	}
	for i, word := range words {
		if _, known := bip39.GetWordIndex(word); !known {
			return protocol.Secret{}, fmt.Errorf("%w: word %d is not in the list", ErrWords, i+1)
		}
	}
	canonical := strings.Join(words, " ")
	if !bip39.IsMnemonicValid(canonical) {
		return protocol.Secret{}, fmt.Errorf("%w: each is in the list, but together they do not fit: look for a swapped or similar word", ErrWords)
	}
	return protocol.NewSecret(canonical), nil
}

// seedOf stretches checked words with BIP39's own passphrase to the 64-byte seed.
// The passphrase is printable ASCII: BIP39 wants the rest in a normal form
// (NFKD) that not every program produces, and coins would be lost to it.
func seedOf(words, extra protocol.Secret) ([]byte, error) {
	checked, err := ReadWords(words)
	if err != nil {
		return nil, err
	}
	defer checked.Wipe()
	pass := extra.Reveal()
	if len(pass) > maxPassphrase || strings.IndexFunc(pass, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return nil, fmt.Errorf("%w: their passphrase may have letters without accents, digits and signs, at most %d", ErrWords, maxPassphrase)
	}
	return bip39.NewSeed(checked.Reveal(), pass), nil
}
