package bitcoin

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrUnknown means that text is none of the things a customer may hand over.
var ErrUnknown = errors.New("not recognised: neither a key, an address nor a payment link")

// Kind is what [Recognise] found.
type Kind uint8

// The kinds, each with the field of [Found] that holds it.
const (
	KindMiniKey Kind = iota + 1 // Key
	KindWIF                     // Key
	KindBIP38                   // BIP38: ask for the passphrase
	KindHexKey                  // Key: use it only after the cashier confirms that it is one
	KindAddress                 // URI with this one address
	KindURI                     // URI
	KindBill                    // Bill: an e-cash contract, a bill and not money
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindMiniKey:
		return "mini key"
	case KindWIF:
		return "private key"
	case KindBIP38:
		return "encrypted key"
	case KindHexKey:
		return "hexadecimal key"
	case KindAddress:
		return "address"
	case KindURI:
		return "payment link"
	case KindBill:
		return "e-cash bill"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Found is the meaning of scanned, typed or swiped text.
type Found struct {
	Kind  Kind
	Key   Key
	BIP38 BIP38
	URI   URI
	Bill  string
}

// Recognise tells what text is, by its shape alone, after trimming white space
// around it. The error of text that has a shape but fails its check is that of
// the parser: [ErrTypo], [ErrKey], [ErrAddress], [ErrURI], [ErrCard],
// [ErrWrongNetwork]. Text without a known shape is [ErrUnknown].
func Recognise(text string, net Network) (Found, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxURI || strings.ContainsFunc(text, unicode.IsControl) {
		return Found{}, ErrUnknown
	}
	switch {
	case isURI(text):
		u, err := ParseURI(text, net)
		return found(Found{Kind: KindURI, URI: u}, err)
	case isBill(text):
		return Found{Kind: KindBill, Bill: text}, nil
	case miniKeyShape(text):
		key, err := ParseMiniKey(text)
		return found(Found{Kind: KindMiniKey, Key: key}, err)
	case bip38Shape(text):
		key, err := ParseBIP38(text)
		return found(Found{Kind: KindBIP38, BIP38: key}, err)
	case wifShape(text):
		key, err := ParseWIF(text, net)
		return found(Found{Kind: KindWIF, Key: key}, err)
	case hexShape(text):
		key, err := ParseHexKey(text)
		return found(Found{Kind: KindHexKey, Key: key}, err)
	case cardShape(text):
		return ParseCard(text, net)
	case addressShape(text):
		a, err := ParseAddress(text, net)
		return found(Found{Kind: KindAddress, URI: URI{Addresses: []Address{a}}}, err)
	}
	return Found{}, ErrUnknown
}

func found(f Found, err error) (Found, error) {
	if err != nil {
		return Found{}, err
	}
	return f, nil
}

// isBill knows an e-cash contract by its scheme alone.
func isBill(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && (strings.EqualFold(scheme, "taler+http") || strings.EqualFold(scheme, "taler+https"))
}

// wifShape holds for what starts and is as long as a WIF of some network.
func wifShape(text string) bool {
	if !isBase58(text) || text == "" {
		return false
	}
	switch len(text) {
	case 51:
		return text[0] == '5' || text[0] == '9'
	case 52:
		return text[0] == 'K' || text[0] == 'L' || text[0] == 'c'
	}
	return false
}

func hexShape(text string) bool {
	_, err := hex.DecodeString(text)
	return len(text) == 64 && err == nil
}

// addressShape holds for what is worth reading as an address, so that a mistyped
// one is called an address.
func addressShape(text string) bool {
	if hrp, _, ok := strings.Cut(text, "1"); ok && hrps[strings.ToLower(hrp)] != "" {
		return true
	}
	return len(text) >= 25 && len(text) <= 35 && isBase58(text) && strings.ContainsRune("13mn2", rune(text[0]))
}
