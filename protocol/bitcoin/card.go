package bitcoin

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"till/protocol"
)

// ErrCard is the cause of a refused card: swipe again, or it holds something
// else.
var ErrCard = errors.New("no bitcoin on this card")

// The types of a card's content (device specification, section 4). The high bit
// is set on every network but mainnet.
const (
	cardMiniKey      = 1 // the ASCII of a mini key
	cardCompressed   = 2 // 32 bytes
	cardUncompressed = 3 // 32 bytes
	cardBIP38        = 4 // its 39 bytes
	cardDestination  = 5 // form, hash, perhaps 8 bytes big-endian satoshi
	cardTestNetwork  = 0x80
)

// card is what track 1 holds: X, then in Crockford base32
//
//	type ‖ payload ‖ the first 4 bytes of SHA-256(SHA-256(type ‖ payload))
type card struct {
	kind    byte
	payload []byte
}

const (
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	maxTrack  = 79 // characters of track 1 with its sentinels
)

// CardOfKey is the text of track 1, with its sentinels, for a key of one public
// form.
func CardOfKey(key Key, net Network) (protocol.Secret, error) {
	kind := byte(cardCompressed)
	switch {
	case key.IsZero() || key.forms == Compressed|Uncompressed:
		return protocol.Secret{}, fmt.Errorf("%w: a card takes a key of one public form", ErrKey)
	case key.forms == Uncompressed:
		kind = cardUncompressed
	}
	return card{kind, key.bytes()}.track(net), nil
}

// CardOfMiniKey is the text of track 1 for a mini key.
func CardOfMiniKey(text string, net Network) (protocol.Secret, error) {
	key, err := ParseMiniKey(text)
	if err != nil {
		return protocol.Secret{}, err
	}
	key.Wipe()
	return card{cardMiniKey, []byte(text)}.track(net), nil
}

// CardOfBIP38 is the text of track 1 for an encrypted key.
func CardOfBIP38(key BIP38, net Network) string {
	return card{cardBIP38, key.raw[:]}.track(net).Reveal()
}

// CardOfDestination is the text of track 1 for an address, with an amount unless
// it is 0. Witness programs of the future do not fit.
func CardOfDestination(a Address, amount protocol.Sat) (string, error) {
	if a.form < P2PKH || a.form > P2TR || !amount.Valid() {
		return "", fmt.Errorf("%w: a card takes an address of today and an amount", ErrAddress)
	}
	payload := append([]byte{byte(a.form - P2PKH)}, a.Hash()...)
	if amount > 0 {
		payload = binary.BigEndian.AppendUint64(payload, uint64(amount))
	}
	return card{cardDestination, payload}.track(a.network).Reveal(), nil
}

// ParseCard reads track 1, with or without its sentinels % and ?. A decoder takes
// lower case, O for 0, I and L for 1.
func ParseCard(text string, net Network) (Found, error) {
	c, err := parseTrack(text)
	if err != nil {
		return Found{}, err
	}
	defer clear(c.payload)
	if test := c.kind&cardTestNetwork != 0; test != (net != Mainnet) {
		found := "mainnet"
		if test {
			found = "a test network"
		}
		return Found{}, net.wrongNetwork("a card", found)
	}
	c.kind &^= cardTestNetwork
	return c.meaning(net)
}

func (c card) meaning(net Network) (Found, error) {
	var found Found
	var err error
	switch c.kind {
	case cardMiniKey:
		found.Kind = KindMiniKey
		found.Key, err = ParseMiniKey(string(c.payload))
	case cardCompressed, cardUncompressed:
		forms := Compressed
		if c.kind == cardUncompressed {
			forms = Uncompressed
		}
		found.Kind = KindWIF
		found.Key, err = newKey(c.payload, forms)
	case cardBIP38:
		found.Kind = KindBIP38
		found.BIP38, err = bip38OfBytes(c.payload)
	case cardDestination:
		found.Kind = KindURI
		found.URI, err = c.destination(net)
	default:
		err = fmt.Errorf("%w: unknown type %d", ErrCard, c.kind)
	}
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

func (c card) destination(net Network) (URI, error) {
	refuse := fmt.Errorf("%w: not a destination", ErrCard)
	if len(c.payload) == 0 {
		return URI{}, refuse
	}
	form, rest := P2PKH+Form(c.payload[0]), c.payload[1:]
	size := 20
	if form == P2WSH || form == P2TR {
		size = 32
	}
	if c.payload[0] > 4 || len(rest) != size && len(rest) != size+8 {
		return URI{}, refuse
	}
	u := URI{Addresses: []Address{{net, form, scriptOf(form, rest[:size])}}}
	if len(rest) > size {
		amount := binary.BigEndian.Uint64(rest[size:])
		if amount == 0 || amount > uint64(protocol.MaxSat) {
			return URI{}, refuse
		}
		u.Amount = protocol.Sat(amount)
	}
	return u, nil
}

// scriptOf builds the script of a form from its hash of the right length.
func scriptOf(form Form, hash []byte) string {
	switch form {
	case P2PKH:
		return pubKeyHashScript(hash)
	case P2SH:
		return scriptHashScript(hash)
	}
	version := byte(0)
	if form == P2TR {
		version = 1
	}
	script, _, _ := witnessScript(version, hash)
	return script
}

// track encodes the card with its sentinels.
func (c card) track(net Network) protocol.Secret {
	if net != Mainnet {
		c.kind |= cardTestNetwork
	}
	raw := c.sealed()
	defer clear(raw)
	out := make([]byte, 0, maxTrack)
	defer clear(out[:maxTrack])
	out = append(out, "%X"...)
	var bits, acc uint
	for _, b := range raw {
		acc, bits = acc<<8|uint(b), bits+8
		for ; bits >= 5; bits -= 5 {
			out = append(out, crockford[acc>>(bits-5)&31])
		}
	}
	if bits > 0 {
		out = append(out, crockford[acc<<(5-bits)&31])
	}
	return protocol.NewSecret(string(append(out, '?')))
}

// sealed is type, payload and check.
func (c card) sealed() []byte {
	raw := append(append(make([]byte, 0, 64), c.kind), c.payload...)
	once := sha256.Sum256(raw)
	twice := sha256.Sum256(once[:])
	return append(raw, twice[:4]...)
}

// cardShape reports whether text is track 1 in format X.
func cardShape(text string) bool {
	text = strings.TrimPrefix(text, "%")
	return len(text) >= 10 && len(text) <= maxTrack && (text[0] == 'X' || text[0] == 'x') &&
		strings.Trim(strings.ToUpper(text[1:]), crockford+"OIL?") == ""
}

func parseTrack(text string) (card, error) {
	refuse := fmt.Errorf("%w: misread", ErrCard)
	if !cardShape(text) {
		return card{}, refuse
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "%"), "?")[1:]
	raw := make([]byte, 0, 64)
	var bits, acc uint
	for i := range len(text) {
		v := crockfordValue(text[i])
		if v < 0 {
			return card{}, refuse
		}
		acc, bits = acc<<5|uint(v), bits+5
		if bits >= 8 {
			bits -= 8
			raw = append(raw, byte(acc>>bits))
		}
	}
	if bits >= 5 || acc&(1<<bits-1) != 0 || len(raw) < 6 {
		return card{}, refuse
	}
	c := card{raw[0], raw[1 : len(raw)-4]}
	if sealed := c.sealed(); string(sealed) != string(raw) {
		return card{}, refuse
	}
	return c, nil
}

// crockfordValue gives the value of a symbol, -1 for none.
func crockfordValue(c byte) int {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	switch c {
	case 'O':
		c = '0'
	case 'I', 'L':
		c = '1'
	}
	return strings.IndexByte(crockford, c)
}
