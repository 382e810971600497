package bitcoin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
)

// ErrAddress is the cause when text is not an address: ask for it again, it was
// mistyped or misread.
var ErrAddress = errors.New("not a bitcoin address")

// Form is the kind of output script behind an address.
type Form uint8

// The forms. WitnessUnknown is a witness program that no rule of today explains
// (BIP141: anyone can spend it until one does; versions 2 to 16, and lengths of
// version 1 other than 32): it can be paid, never swept.
const (
	P2PKH Form = iota + 1
	P2SH
	P2WPKH
	P2WSH
	P2TR
	WitnessUnknown
)

// String gives the usual name: "P2WPKH".
func (f Form) String() string {
	switch f {
	case P2PKH:
		return "P2PKH"
	case P2SH:
		return "P2SH"
	case P2WPKH:
		return "P2WPKH"
	case P2WSH:
		return "P2WSH"
	case P2TR:
		return "P2TR"
	case WitnessUnknown:
		return "witness program"
	}
	return fmt.Sprintf("Form(%d)", uint8(f))
}

// Address is a destination: an output script that has a text form on a network.
// Values are comparable; the zero value is no address.
type Address struct {
	network Network
	form    Form
	script  string
}

// maxAddress is the longest text of an address (BIP173: 90 characters).
const maxAddress = 90

// ParseAddress reads an address of net: base58check, bech32 (witness version 0)
// or bech32m (1 to 16), all lower or all upper case. Errors wrap [ErrAddress] or
// [ErrWrongNetwork]; they do not repeat the text, which may be a key typed into
// the wrong field.
func ParseAddress(text string, net Network) (Address, error) {
	if len(text) == 0 || len(text) > maxAddress {
		return Address{}, fmt.Errorf("%w: %d characters", ErrAddress, len(text))
	}
	if i := strings.LastIndexByte(text, '1'); i > 0 {
		hrp := strings.ToLower(text[:i])
		if found, ok := hrps[hrp]; ok {
			return parseSegwit(text, hrp, found, net)
		}
	}
	return parseBase58Address(text, net)
}

func parseBase58Address(text string, net Network) (Address, error) {
	hash, version, err := decodeCheck(text)
	if err != nil || len(hash) != 20 {
		return Address{}, fmt.Errorf("%w: mistyped or misread", ErrAddress)
	}
	found, p2sh := "mainnet", false
	switch version {
	case 0x00:
	case 0x05:
		p2sh = true
	case 0x6f:
		found = "a test network"
	case 0xc4:
		found, p2sh = "a test network", true
	default:
		return Address{}, fmt.Errorf("%w: unknown prefix", ErrAddress)
	}
	if (found == "mainnet") != (net == Mainnet) {
		return Address{}, net.wrongNetwork("an address", found)
	}
	if p2sh {
		return Address{net, P2SH, scriptHashScript(hash)}, nil
	}
	return Address{net, P2PKH, pubKeyHashScript(hash)}, nil
}

func parseSegwit(text, hrp, found string, net Network) (Address, error) {
	refuse := func(why string) (Address, error) {
		return Address{}, fmt.Errorf("%w: %s", ErrAddress, why)
	}
	_, data, encoding, err := bech32.DecodeGeneric(text)
	if err != nil {
		return refuse("mistyped or misread")
	}
	if len(data) == 0 {
		return refuse("empty")
	}
	version := data[0]
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	if err != nil {
		return refuse("wrong padding")
	}
	if want := checksumOf(version); encoding != want {
		return refuse("wrong checksum for its version")
	}
	script, form, ok := witnessScript(version, program)
	if !ok {
		return refuse("no such witness program")
	}
	if hrp != net.Params().Bech32HRPSegwit {
		return Address{}, net.wrongNetwork("an address", found)
	}
	return Address{net, form, script}, nil
}

// checksumOf tells which checksum a witness version uses (BIP350).
func checksumOf(version byte) bech32.Version {
	if version == 0 {
		return bech32.Version0
	}
	return bech32.VersionM
}

// AddressOfScript names the address of an output script. Scripts without one
// (pay to public key, multisignature, data) fail with [ErrAddress].
func AddressOfScript(script []byte, net Network) (Address, error) {
	s := string(script)
	switch {
	case len(s) == 25 && s[:3] == "\x76\xa9\x14" && s[23:] == "\x88\xac":
		return Address{net, P2PKH, s}, nil
	case len(s) == 23 && s[:2] == "\xa9\x14" && s[22] == 0x87:
		return Address{net, P2SH, s}, nil
	case len(s) >= 4 && len(s) <= 42 && int(s[1]) == len(s)-2 && (s[0] == 0 || s[0] >= 0x51 && s[0] <= 0x60):
		version := s[0]
		if version != 0 {
			version -= 0x50
		}
		if again, form, ok := witnessScript(version, script[2:]); ok {
			return Address{net, form, again}, nil
		}
	}
	return Address{}, fmt.Errorf("%w: script %x has none", ErrAddress, script[:min(len(script), 8)])
}

func pubKeyHashScript(hash []byte) string { return "\x76\xa9\x14" + string(hash) + "\x88\xac" }

func scriptHashScript(hash []byte) string { return "\xa9\x14" + string(hash) + "\x87" }

// witnessScript builds the output script of a witness program and names its
// form; ok is false for programs that BIP141 forbids.
func witnessScript(version byte, program []byte) (script string, form Form, ok bool) {
	n := len(program)
	if version > 16 || n < 2 || n > 40 {
		return "", 0, false
	}
	form = WitnessUnknown
	op := version
	switch {
	case version == 0 && n == 20:
		form = P2WPKH
	case version == 0 && n == 32:
		form = P2WSH
	case version == 0:
		return "", 0, false
	case version == 1 && n == 32:
		form = P2TR
	}
	if version > 0 {
		op = 0x50 + version
	}
	return string([]byte{op, byte(n)}) + string(program), form, true
}

// Network is the network the address was read for. Test networks share prefixes;
// the text alone cannot always tell them apart.
func (a Address) Network() Network { return a.network }

// Form is the kind of script.
func (a Address) Form() Form { return a.form }

// IsZero reports whether a is no address.
func (a Address) IsZero() bool { return a.form == 0 }

// Script is the output script that pays the address.
func (a Address) Script() []byte { return []byte(a.script) }

// Hash is the part of the script that names the owner: the 20- or 32-byte hash or
// key, or the witness program.
func (a Address) Hash() []byte {
	switch a.form {
	case P2PKH:
		return []byte(a.script[3:23])
	case P2SH:
		return []byte(a.script[2:22])
	case 0:
		return nil
	}
	return []byte(a.script[2:])
}

// String gives the canonical text; bech32 in lower case.
func (a Address) String() string {
	switch a.form {
	case 0:
		return ""
	case P2PKH:
		return base58.CheckEncode(a.Hash(), a.network.Params().PubKeyHashAddrID)
	case P2SH:
		return base58.CheckEncode(a.Hash(), a.network.Params().ScriptHashAddrID)
	}
	version := a.script[0]
	if version != 0 {
		version -= 0x50
	}
	words, err := bech32.ConvertBits(a.Hash(), 8, 5, true)
	if err != nil {
		panic("bitcoin: convert witness program: " + err.Error()) // 8 to 5 with padding cannot fail
	}
	encode := bech32.EncodeM
	if version == 0 {
		encode = bech32.Encode
	}
	text, err := encode(a.network.Params().Bech32HRPSegwit, append([]byte{version}, words...))
	if err != nil {
		panic("bitcoin: encode witness program: " + err.Error()) // the words are below 32
	}
	return text
}

// QR gives the text for a QR code: bech32 in upper case, which fits the
// alphanumeric mode; base58 as it is.
func (a Address) QR() string {
	if a.form == P2PKH || a.form == P2SH {
		return a.String()
	}
	return strings.ToUpper(a.String())
}

// MarshalText gives the canonical text.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
