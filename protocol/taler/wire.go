package taler

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// WireType names a format of payment information.
type WireType string

// The formats of §6.
const (
	SEPA WireType = "SEPA"
	Test WireType = "TEST"
)

// Wire is the merchant's account as only the mint sees it: for SEPA
// {"type","IBAN","name","BIC","r","salt"}, for TEST {"type","bank","account","r",
// "salt"}. r and salt are chance, so that H_wire hides the account. It prints as
// "[secret]" unless it is another type's unexported field.
type Wire struct {
	hidden
	Type    WireType
	IBAN    string // ISO 13616, electronic form: capitals and digits
	Name    string // 1 to 70 bytes
	BIC     string // ISO 9362, 8 or 11 characters
	Bank    string // of TEST, 1 to 128 bytes
	Account string // of TEST, 1 to 128 bytes
	R       int64  // 0 to 2^53−1
	Salt    [16]byte
}

const (
	maxHolder = 70  // bytes of a name (EPC rules)
	maxTest   = 128 // bytes of bank and account
)

// Seal draws r and salt.
func (w *Wire) Seal(random io.Reader) error {
	var r [8]byte
	if _, err := io.ReadFull(random, r[:]); err != nil {
		return fmt.Errorf("draw r: %w", err)
	}
	w.R = int64(binary.BigEndian.Uint64(r[:]) & maxInteger)
	if _, err := io.ReadFull(random, w.Salt[:]); err != nil {
		return fmt.Errorf("draw a salt: %w", err)
	}
	return nil
}

// Hash gives H_wire, the canonical hash of the object. It fails when the account is
// not valid.
func (w *Wire) Hash() (Hash, error) {
	v, err := encode(w)
	if err != nil {
		return Hash{}, err
	}
	return v.hash(), nil
}

func (w *Wire) members(m *members) {
	m.need("type", (*text)(&w.Type))
	switch w.Type {
	case SEPA:
		m.need("IBAN", (*text)(&w.IBAN))
		m.need("name", (*text)(&w.Name))
		m.need("BIC", (*text)(&w.BIC))
		err := CheckIBAN(w.IBAN)
		m.rule("IBAN", err == nil, "%v", err)
		m.rule("BIC", isBIC(w.BIC), "not a business identifier code")
		m.rule("name", w.Name != "" && len(w.Name) <= maxHolder, "not 1 to %d bytes", maxHolder)
	case Test:
		m.need("bank", (*text)(&w.Bank))
		m.need("account", (*text)(&w.Account))
		m.rule("bank", w.Bank != "" && len(w.Bank) <= maxTest, "not 1 to %d bytes", maxTest)
		m.rule("account", w.Account != "" && len(w.Account) <= maxTest, "not 1 to %d bytes", maxTest)
	default:
		m.rule("type", false, "%q is no wire format", clip(string(w.Type)))
	}
	m.need("r", (*count)(&w.R))
	m.need("salt", (*salt)(&w.Salt))
}

// salt is 16 bytes of chance; 26 symbols.
type salt [16]byte

func (s *salt) read(v value) error    { return readBytes(s[:], v) }
func (s *salt) write() (value, error) { return textValue(EncodeBase32(s[:])), nil }

// ibanLengths are the lengths of the countries in the IBAN registry, which SWIFT
// keeps for ISO 13616.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
	"BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
	"DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
	"GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
	"IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
	"LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
	"MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23,
	"PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
	"SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
	"TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// CheckIBAN checks an account number in its electronic form by ISO 13616: country,
// its length, and the check digits of ISO 7064 mod 97-10.
func CheckIBAN(iban string) error {
	if len(iban) < 4 {
		return errors.New("too short for an IBAN")
	}
	length, ok := ibanLengths[iban[:2]]
	switch {
	case !ok:
		return fmt.Errorf("%q is no country with IBANs", iban[:2])
	case len(iban) != length:
		return fmt.Errorf("%d characters instead of %d", len(iban), length)
	case iban[2:4] < "02" || iban[2:4] > "98": // 00, 01 and 99 are congruent to 97, 98 and 02
		return errors.New("wrong check digits")
	}
	rest := 0
	for _, c := range []byte(iban[4:] + iban[:4]) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return fmt.Errorf("%q is neither digit nor capital", c)
		}
	}
	if rest != 1 {
		return errors.New("wrong check digits")
	}
	return nil
}

// isBIC checks the shape of ISO 9362: 4 letters or digits of the institution, 2
// letters of the country, 2 of the place, and 3 of the branch or none.
func isBIC(bic string) bool {
	if len(bic) != 8 && len(bic) != 11 {
		return false
	}
	for i := range len(bic) {
		letter := bic[i] >= 'A' && bic[i] <= 'Z'
		digit := bic[i] >= '0' && bic[i] <= '9'
		if !letter && (!digit || i == 4 || i == 5) {
			return false
		}
	}
	return true
}
