package bitcoin

import (
	"errors"

	"github.com/btcsuite/btcd/address/v2/base58"
)

// maxBase58 is the longest base58check text that any format here has: 111
// characters of an extended key.
const maxBase58 = 112

var errBase58 = errors.New("not base58check")

// decodeCheck reads base58check text of one version byte, a payload and a
// checksum. Its limit is checked before any arithmetic.
func decodeCheck(text string) (payload []byte, version byte, err error) {
	if len(text) > maxBase58 {
		return nil, 0, errBase58
	}
	payload, version, err = base58.CheckDecode(text)
	if err != nil {
		return nil, 0, errBase58
	}
	return payload, version, nil
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// isBase58 reports whether every character is of the base58 alphabet.
func isBase58(text string) bool {
	for i := range len(text) {
		if !inAlphabet(base58Alphabet, text[i]) {
			return false
		}
	}
	return true
}

func inAlphabet(alphabet string, c byte) bool {
	for i := range len(alphabet) {
		if alphabet[i] == c {
			return true
		}
	}
	return false
}
