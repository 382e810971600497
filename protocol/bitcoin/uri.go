package bitcoin

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"till/protocol"
)

// ErrURI is the cause of a refused payment URI. The message says what is wrong.
var ErrURI = errors.New("payment link not understood")

// maxURI bounds a payment URI; the largest QR code holds 4296 characters.
const maxURI = 8192

// URI is a request for payment (BIP21, BIP321).
type URI struct {
	Addresses []Address    // of the till's network, the most preferred first; may be empty
	Amount    protocol.Sat // 0: the payer chooses
	Label     string       // who asks; printable characters only
	Message   string       // what for; printable characters only
	Lightning string       // an invoice (BOLT11), letters and digits
	Offer     string       // a BOLT12 offer (lno), letters and digits
	Silent    string       // a silent payment address (sp), letters and digits
	Payjoin   string       // the endpoint of pj, not contacted by this package
}

// isURI reports whether text starts with the scheme, in either case.
func isURI(text string) bool {
	return len(text) >= 8 && strings.EqualFold(text[:8], "bitcoin:")
}

// ParseURI reads a payment URI for net. Parameter names are taken in either case
// and unknown ones are ignored, except required ones (req-…), which refuse the
// whole. Nothing that a URI names is opened or called. Errors wrap [ErrURI],
// [ErrAddress] or [ErrWrongNetwork].
func ParseURI(text string, net Network) (URI, error) {
	return parseURI(text, net, ParseAddress)
}

// parseURI is ParseURI with the reader of addresses as an argument: the examples
// of the BIPs have addresses with wrong checksums.
func parseURI(text string, net Network, parse func(string, Network) (Address, error)) (URI, error) {
	if len(text) > maxURI {
		return URI{}, refuseURI("longer than %d characters", maxURI)
	}
	if !isURI(text) {
		return URI{}, refuseURI("it does not start with bitcoin:")
	}
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return URI{}, refuseURI("it contains control characters")
	}
	body, query, hasQuery := strings.Cut(text[8:], "?")
	p := uriParser{net: net, parse: parse, seen: map[string]bool{}}
	if body != "" {
		a, err := parse(body, net)
		if err != nil {
			return URI{}, err
		}
		p.Addresses = append(p.Addresses, a)
	}
	if hasQuery {
		for _, pair := range strings.Split(query, "&") {
			if err := p.parameter(pair); err != nil {
				return URI{}, err
			}
		}
	}
	if len(p.Addresses) == 0 && p.Lightning == "" && p.Offer == "" && p.Silent == "" {
		if p.foreign != nil {
			return URI{}, p.foreign
		}
		return URI{}, refuseURI("it names nobody to pay")
	}
	return p.URI, nil
}

func refuseURI(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrURI, fmt.Sprintf(format, args...))
}

type uriParser struct {
	URI
	net     Network
	parse   func(string, Network) (Address, error)
	seen    map[string]bool
	foreign error // why an address of another network was left out
}

// parameter takes one name=value. Names that may stand once only are counted
// with and without req-.
func (p *uriParser) parameter(pair string) error {
	name, raw, _ := strings.Cut(pair, "=")
	name = strings.ToLower(name)
	name, required := strings.CutPrefix(name, "req-")
	value, err := unescape(raw)
	if err != nil {
		return err
	}
	switch name {
	case "amount", "label", "message", "pj", "pop":
		if p.seen[name] {
			return refuseURI("%s stands twice", name)
		}
		p.seen[name] = true
	}
	switch name {
	case "amount":
		p.Amount, err = parseAmount(value)
	case "label":
		p.Label = printable(value)
	case "message":
		p.Message = printable(value)
	case "bc", "tb", "bcrt":
		err = p.segwit(name, value)
	case "lightning":
		p.Lightning, err = instruction(name, p.Lightning, value, required)
	case "lno":
		p.Offer, err = instruction(name, p.Offer, value, required)
	case "sp":
		p.Silent, err = instruction(name, p.Silent, value, required)
	case "pj":
		p.Payjoin = value
		if required {
			err = refuseURI("it requires payjoin, which this till cannot do")
		}
	default:
		if required {
			err = refuseURI("it requires %q, which this till does not know", clip(name))
		}
	}
	return err
}

// segwit takes an address from bc=, tb= or bcrt=, whose prefix must be its name
// (BIP321). One of another network than the till's is left out.
func (p *uriParser) segwit(hrp, text string) error {
	if !strings.HasPrefix(strings.ToLower(text), hrp+"1") {
		return refuseURI("%s=%s is not a %s1… address", hrp, clip(text), hrp)
	}
	a, err := p.parse(text, p.net)
	if errors.Is(err, ErrWrongNetwork) {
		p.foreign = err
		return nil
	}
	if err != nil {
		return err
	}
	p.Addresses = append(p.Addresses, a)
	return nil
}

// instruction takes a way to pay that is handed on as it is. The first of several
// counts.
func instruction(name, old, value string, required bool) (string, error) {
	if required {
		return "", refuseURI("it requires %s, which this till cannot promise", name)
	}
	for i := range len(value) {
		if c := value[i] | 0x20; (c < 'a' || c > 'z') && (value[i] < '0' || value[i] > '9') {
			return "", refuseURI("%s has characters other than letters and digits", name)
		}
	}
	if old != "" {
		return old, nil
	}
	return value, nil
}

// parseAmount reads *digit [ "." *digit ] of bitcoin, exact to the satoshi.
func parseAmount(text string) (protocol.Sat, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole+fraction == "" {
		return 0, refuseURI("the amount has no digits")
	}
	amount, err := protocol.ParseBitcoin(orZero(whole) + "." + orZero(fraction))
	if err != nil {
		return 0, refuseURI("%v", err)
	}
	return amount, nil
}

func orZero(digits string) string {
	if digits == "" {
		return "0"
	}
	return digits
}

// unescape undoes percent encoding (RFC 3986); + stays +.
func unescape(text string) (string, error) {
	if !strings.Contains(text, "%") {
		return text, nil
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out = append(out, text[i])
			continue
		}
		if i+2 >= len(text) || unhex(text[i+1]) > 15 || unhex(text[i+2]) > 15 {
			return "", refuseURI("a %% stands alone")
		}
		out = append(out, unhex(text[i+1])<<4|unhex(text[i+2]))
		i += 2
	}
	if !utf8.Valid(out) {
		return "", refuseURI("its text is not UTF-8")
	}
	return string(out), nil
}

// unhex gives the value of a hex digit, 255 for anything else.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// printable puts a space for what a screen or printer would act on or hide:
// control characters, line breaks, direction marks.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// String gives the URI in lower case, as for a link.
func (u URI) String() string { return u.text(false) }

// QR gives the URI for a QR code: scheme, bech32 addresses and the invoice in
// upper case for the alphanumeric mode, parameter names in lower case for old
// wallets.
func (u URI) QR() string { return u.text(true) }

func (u URI) text(qr bool) string {
	var b strings.Builder
	scheme, format, upper := "bitcoin:", Address.String, func(s string) string { return s }
	if qr {
		format, upper = Address.QR, strings.ToUpper
		if len(u.Addresses) == 0 || !u.Addresses[0].base58() {
			scheme = "BITCOIN:"
		}
	}
	b.WriteString(scheme)
	rest := u.Addresses
	if len(rest) > 0 {
		b.WriteString(format(rest[0]))
		rest = rest[1:]
	}
	separator := byte('?')
	put := func(name, value string) {
		if value != "" {
			b.WriteByte(separator)
			b.WriteString(name + "=" + value)
			separator = '&'
		}
	}
	if u.Amount > 0 {
		put("amount", trimAmount(u.Amount))
	}
	put("label", escape(u.Label))
	put("message", escape(u.Message))
	for _, a := range rest {
		if !a.base58() {
			put(a.network.Params().Bech32HRPSegwit, format(a))
		}
	}
	put("lightning", upper(u.Lightning))
	put("lno", upper(u.Offer))
	put("sp", upper(u.Silent))
	put("pj", escape(u.Payjoin))
	return b.String()
}

// base58 reports whether the text form is base58: case matters.
func (a Address) base58() bool { return a.form == P2PKH || a.form == P2SH }

// trimAmount gives bitcoin without trailing zeros: 0.0005, 1.
func trimAmount(s protocol.Sat) string {
	return strings.TrimSuffix(strings.TrimRight(s.String(), "0"), ".")
}

// escape leaves the unreserved characters of RFC 3986 and encodes all others.
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z', c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
