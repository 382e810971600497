package taler

import (
	"fmt"
	"net/url"
	"strings"
)

// Limits of a contract.
const (
	maxDescription = 1024 // bytes (§1)
	maxMints       = 16
	maxURL         = 512
	maxName        = 64 // of a sale, product or service
)

// Terms are what a merchant asks for. The first five are the document's; the rest
// are covered by H_a and thereby by xsig (§2).
type Terms struct {
	TransactionID TransactionID
	Expiry        Time
	Amount        Amount // for a tab the whole amount so far
	Description   string // for a tab the whole description so far; at most 1024 bytes
	HWire         Hash

	Sale    string // the till's sale, or ""
	Tab     bool   // paid by incremental deposits under a lock
	Lottery *Lottery
	Mints   []MintRef
}

// MintRef is a mint whose coins the merchant takes: {"mint_pub","url","keys"}.
type MintRef struct {
	Master PublicKey // mint_pub
	URL    string    // http or https
	Keys   Hash      // as the merchant sees it: [Keys.Hash]
}

func (r *MintRef) members(m *members) {
	m.need("mint_pub", &r.Master)
	m.need("url", (*text)(&r.URL))
	m.need("keys", &r.Keys)
	m.rule("url", isWeb(r.URL), "not an http or https URL of at most %d bytes", maxURL)
}

// isWeb reports whether text is the base of an HTTP service.
func isWeb(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxURL && (u.Scheme == "http" || u.Scheme == "https") &&
		u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func (t *Terms) members(m *members) {
	m.need("transaction_id", &t.TransactionID)
	m.need("expiry", &t.Expiry)
	m.need("amount", &t.Amount)
	m.need("description", (*text)(&t.Description))
	m.need("H_wire", &t.HWire)
	m.may("sale", t.Sale != "", name{&t.Sale})
	m.may("tab", t.Tab, (*flag)(&t.Tab))
	mayMessage(m, "lottery", &t.Lottery)
	needMessages(m, "mints", &t.Mints, 1, maxMints)
	m.rule("amount", !t.Amount.IsZero(), "nothing to pay")
	m.rule("description", len(t.Description) <= maxDescription, "longer than %d bytes", maxDescription)
	if l := t.Lottery; l != nil {
		odds, err := OddsOf(t.Amount, l.Value)
		m.rule("lottery", err == nil && odds == l.Odds && !t.Tab, "odds that are not price by value, or a lottery on a tab")
	}
}

// Type gives the kind of deposit that pays the contract. Wallets sign no other (§4).
func (t *Terms) Type() Type {
	switch {
	case t.Lottery != nil:
		return Probabilistic
	case t.Tab:
		return Incremental
	}
	return Direct
}

// Due gives the amount that its permissions add up to: the coin's face value in a
// lottery, otherwise the amount of the contract.
func (t *Terms) Due() Amount {
	if t.Lottery != nil {
		return t.Lottery.Value
	}
	return t.Amount
}

// block is purpose 101.
func (t *Terms) block() Block {
	return newBlock(PurposeContract, 100+len(t.Description)+1).
		raw([]byte(t.TransactionID.String())).
		time(t.Expiry).
		raw([]byte{0, 0, 0}).
		amount(t.Amount).
		hash(t.HWire).
		raw([]byte(t.Description)).
		raw([]byte{0}).
		done()
}

// extrasBlock is purpose 104.
func extrasBlock(contract Hash) Block {
	return newBlock(PurposeExtras, 64).hash(contract).done()
}

// Contract is a signed contract as it stands on the wire. It does not change: its
// text is kept, its hash covers the members it came with.
type Contract struct {
	terms Terms
	hash  Hash
	text  []byte
	msig  Signature
	xsig  Signature
}

// NewContract signs terms with the merchant's key.
func NewContract(t Terms, merchant PrivateKey) (*Contract, error) {
	v, err := encode(&t)
	if err != nil {
		return nil, err
	}
	c := &Contract{terms: t, hash: v.hash()}
	c.terms = c.Terms() // no slice shared with the caller
	c.msig = merchant.Sign(t.block())
	c.xsig = merchant.Sign(extrasBlock(c.hash))
	v.members = append(v.members,
		member{"msig", textValue(c.msig.String())},
		member{"xsig", textValue(c.xsig.String())})
	c.text = v.canonical()
	return c, nil
}

// ParseContract reads a contract of at most [MaxRequest] bytes. Members this version
// does not know are kept in text and hash. It checks no signature:
// [Contract.Verify] does. The error is an [*Error] of status 400.
func ParseContract(body []byte) (*Contract, error) {
	v, err := parse(body, MaxRequest)
	if err != nil {
		return nil, err
	}
	c := &Contract{}
	if err := readMessage(v, (*signedTerms)(c), true); err != nil {
		return nil, err
	}
	c.hash = contractHash(v)
	c.text = v.canonical()
	return c, nil
}

// contractHash is H_a: over the members received, unknown ones included, less the
// two signatures.
func contractHash(v value) Hash { return v.without("msig", "xsig").hash() }

// signedTerms reads the terms with their signatures.
type signedTerms Contract

func (c *signedTerms) members(m *members) {
	c.terms.members(m)
	m.need("msig", &c.msig)
	m.need("xsig", &c.xsig)
}

// Terms gives a copy of what is asked for.
func (c *Contract) Terms() Terms {
	t := c.terms
	t.Mints = append([]MintRef(nil), t.Mints...)
	if t.Lottery != nil {
		lottery := *t.Lottery
		t.Lottery = &lottery
	}
	return t
}

// Hash gives H_a, which names the contract in permissions and receipts.
func (c *Contract) Hash() Hash { return c.hash }

// Text gives the contract as canonical JSON: what is kept, and what is answered.
func (c *Contract) Text() []byte { return append([]byte(nil), c.text...) }

// Verify checks both signatures with the merchant's key, which the caller knows
// beforehand. The error is an [*Error] of status 403.
func (c *Contract) Verify(merchant PublicKey) error {
	if !merchant.Verify(c.terms.block(), c.msig) {
		return refused("msig", "not the signature of merchant %s", merchant)
	}
	if !merchant.Verify(extrasBlock(c.hash), c.xsig) {
		return refused("xsig", "not the signature of merchant %s", merchant)
	}
	return nil
}

// name is a sale, product or service: 1 to 64 printable ASCII characters.
type name struct{ s *string }

func (n name) check() error {
	outside := func(r rune) bool { return r < '!' || r > '~' }
	if *n.s == "" || len(*n.s) > maxName || strings.ContainsFunc(*n.s, outside) {
		return fmt.Errorf("not 1 to %d printable ASCII characters", maxName)
	}
	return nil
}

func (n name) read(v value) (err error) {
	if *n.s, err = v.asText(); err != nil {
		return err
	}
	return n.check()
}

func (n name) write() (value, error) { return textValue(*n.s), n.check() }
