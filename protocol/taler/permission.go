package taler

import (
	"bytes"
	"crypto/sha512"
	"fmt"
	"net/http"
	"slices"
)

// Type is the kind of a deposit permission.
type Type string

// The kinds of deposit, each with a purpose of its own.
const (
	Direct        Type = "DIRECT_DEPOSIT"        // 201
	Incremental   Type = "INCREMENTAL_DEPOSIT"   // 202
	Probabilistic Type = "PROBABILISTIC_DEPOSIT" // 204
)

// maxPermissions bounds the coins that pay one contract together (§3).
const maxPermissions = 64

func (t *Type) read(v value) error {
	s, err := v.asText()
	if err != nil {
		return err
	}
	*t = Type(s)
	return t.check()
}

func (t *Type) check() error {
	switch *t {
	case Direct, Incremental, Probabilistic:
		return nil
	}
	return fmt.Errorf("%q is no kind of deposit", clip(string(*t)))
}

func (t *Type) write() (value, error) { return textValue(string(*t)), t.check() }

// PublicCoin is what shows that a coin is one: its key, and the signature of a mint's
// denomination on it.
type PublicCoin struct {
	Coin  PublicKey // coin_pub
	Mint  PublicKey // mint_pub, the mint's master key
	Denom DenomPub  // denom_pub
	UBSig Blob      // ubsig, as long as the denomination's modulus
}

func (c *PublicCoin) members(m *members) {
	m.need("coin_pub", &c.Coin)
	m.need("mint_pub", &c.Mint)
	m.need("denom_pub", &c.Denom)
	m.need("ubsig", &c.UBSig)
	m.rule("ubsig", len(c.UBSig) == c.Denom.size(), "not as long as the denomination's modulus")
}

// identity is a hash of all bytes of a permission or lock: denom_pub holds its own
// length and that of ubsig, and the block its purpose and length, so no two have the
// same text.
func (c *PublicCoin) identity(csig Signature, signed Block) Hash {
	h := sha512.New()
	for _, part := range [][]byte{c.Coin[:], c.Mint[:], c.Denom.Bytes(), c.UBSig, csig[:], signed.text} {
		h.Write(part)
	}
	return Hash(h.Sum(nil))
}

// Spend is what a coin signs to pay: the fields of blocks 201, 202 and 204, and
// csig. A mint's history shows it without the rest of the permission.
type Spend struct {
	Type          Type
	TransactionID TransactionID
	Amount        Amount
	Merchant      PublicKey // merchant_pub
	HA            Hash      // H_a
	HWire         Hash      // H_wire
	RC            Nonce     // r_c, of Probabilistic alone
	Draw          *Draw     // r_m and odds: set between merchant and mint, never by a customer
	CSig          Signature
}

func (s *Spend) members(m *members) {
	m.need("type", &s.Type)
	m.need("transaction_id", &s.TransactionID)
	m.need("amount", &s.Amount)
	m.need("merchant_pub", &s.Merchant)
	m.need("H_a", &s.HA)
	m.need("H_wire", &s.HWire)
	m.need("csig", &s.CSig)
	m.rule("amount", !s.Amount.IsZero(), "nothing is paid")
	if s.Type != Probabilistic {
		m.rule("type", s.Draw == nil, "only a lottery has a draw")
		return
	}
	m.need("r_c", &s.RC)
	var draw Draw
	if s.Draw != nil {
		draw = *s.Draw
	}
	if m.may("r_m", s.Draw != nil, &draw.RM) {
		m.need("odds", &draw.Odds)
		if m.reading {
			s.Draw = &draw
		}
	}
}

// block is purpose 201, 202 or 204. The commitment is the contract's, or the opened
// one of Draw; it counts for a lottery alone.
func (s *Spend) block(c Commitment) Block {
	purpose, payload := PurposeDirect, 180
	switch s.Type {
	case Incremental:
		purpose = PurposeIncremental
	case Probabilistic:
		purpose, payload = PurposeLottery, 284
	}
	b := newBlock(purpose, payload).
		id(s.TransactionID).
		amount(s.Amount).
		key(s.Merchant).
		hash(s.HA).
		hash(s.HWire)
	if s.Type == Probabilistic {
		b.hash(c.HRM).raw(s.RC[:]).u64(uint64(c.Odds))
	}
	return b.done()
}

// verify checks csig; a lottery without a commitment has none that holds.
func (s *Spend) verify(coin PublicKey, c *Commitment) error {
	if s.Type == Probabilistic && c == nil {
		return refused("r_m", "the draw is missing")
	}
	if c == nil {
		c = &Commitment{}
	}
	if !coin.Verify(s.block(*c), s.CSig) {
		return refused("csig", "not the signature of coin %s", coin)
	}
	return nil
}

// Permission is a deposit permission (§3): one coin pays for one contract.
type Permission struct {
	PublicCoin
	Spend
}

func (p *Permission) members(m *members) {
	p.PublicCoin.members(m)
	p.Spend.members(m)
}

// VerifyFor checks csig as the merchant does, against the contract's commitment. The
// error is an [*Error] of status 403.
func (p *Permission) VerifyFor(t *Terms) error {
	if t.Lottery == nil {
		return p.verify(p.Coin, nil)
	}
	return p.verify(p.Coin, &t.Lottery.Commitment)
}

// VerifyAtMint checks csig as the mint does: a lottery must come with r_m and odds,
// and the draw must have been won. The error is an [*Error] of status 403.
func (p *Permission) VerifyAtMint() error { return p.verifyDrawn(p.Coin) }

func (s *Spend) verifyDrawn(coin PublicKey) error {
	if s.Type != Probabilistic || s.Draw == nil {
		return s.verify(coin, nil)
	}
	c := s.Draw.Commitment()
	if err := s.verify(coin, &c); err != nil {
		return err
	}
	if !s.Draw.Won(s.RC) {
		return refused("r_m", "the draw is lost")
	}
	return nil
}

// same reports whether two spends are one: the signature binds every field.
func (s *Spend) same(other *Spend) bool {
	return s.CSig == other.CSig && s.TransactionID == other.TransactionID && s.Merchant == other.Merchant
}

// Permissions are the 1 to 64 permissions of one request: one of any type, or
// several direct ones for one transaction and of one mint, each coin once.
type Permissions []Permission

// ParsePermissions reads the body of a merchant's /deposit: a permission or an array.
// A customer's permission has no r_m and no odds. The error is an [*Error] of status
// 400 or 413.
func ParsePermissions(body []byte) (Permissions, error) {
	v, err := parse(body, MaxRequest)
	if err != nil {
		return nil, err
	}
	if v.kind != kindList {
		v = value{kind: kindList, list: []value{v}}
	}
	var all Permissions
	r := members{reading: true, object: []member{{"body", v}}, known: make([]bool, 1)}
	all.member(&r, "body")
	for i := range all {
		r.rule("r_m", all[i].Draw == nil, "a customer does not know it yet")
	}
	if r.err != nil {
		return nil, r.err
	}
	return all, nil
}

// member lists the permissions as an array.
func (ps *Permissions) member(m *members, name string) {
	needMessages(m, name, (*[]Permission)(ps), 1, maxPermissions)
	seen := make(map[PublicKey]bool, len(*ps))
	for i := range *ps {
		p := &(*ps)[i]
		if len(*ps) > 1 {
			m.rule("type", p.Type == Direct, "several coins pay by %s alone", Direct)
			m.rule("mint_pub", p.Mint == (*ps)[0].Mint, "two mints cannot take all or none")
			m.rule("transaction_id", p.TransactionID == (*ps)[0].TransactionID, "two transactions in one array")
		}
		m.rule("coin_pub", !seen[p.Coin], "coin %s stands twice", p.Coin)
		seen[p.Coin] = true
	}
}

// Encode gives the body of a merchant's /deposit: one permission alone, several as an
// array.
func (ps Permissions) Encode() ([]byte, error) {
	var w members
	ps.member(&w, "body")
	if w.err != nil {
		return nil, fmt.Errorf("encode permissions: %w", w.err)
	}
	list := w.object[0].value
	if len(ps) == 1 {
		list = list.list[0]
	}
	return list.canonical(), nil
}

// Identity tells whether permissions came before: SHA-512 over all bytes of each,
// whatever the spelling, an array as a set. What the merchant adds for the mint (r_m,
// odds) is left out, so both know a permission by the same identity.
func (ps Permissions) Identity() Hash {
	each := make([]Hash, len(ps))
	for i := range ps {
		each[i] = ps[i].Identity()
	}
	slices.SortFunc(each, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	if len(each) == 1 {
		return each[0]
	}
	h := sha512.New()
	for _, one := range each {
		h.Write(one[:])
	}
	return Hash(h.Sum(nil))
}

// Identity is that of [Permissions.Identity] for one permission.
func (p *Permission) Identity() Hash {
	return p.PublicCoin.identity(p.CSig, p.block(Commitment{}))
}

// CSigs gives the coins' signatures, which a receipt names.
func (ps Permissions) CSigs() []Signature {
	all := make([]Signature, len(ps))
	for i := range ps {
		all[i] = ps[i].CSig
	}
	return all
}

// MatchContract checks permissions against their contract, in the order of §3: the
// type (404), then merchant_pub, H_a and H_wire (403).
func (ps Permissions) MatchContract(c *Contract, merchant PublicKey) error {
	for i := range ps {
		p := &ps[i]
		switch {
		case p.Type != c.terms.Type():
			return &Error{http.StatusNotFound, "type", fmt.Sprintf("this contract is paid by %s", c.terms.Type())}
		case p.TransactionID != c.terms.TransactionID:
			return &Error{http.StatusNotFound, "transaction_id", "another contract's"}
		}
	}
	for i := range ps {
		p := &ps[i]
		switch {
		case p.Merchant != merchant:
			return refused("merchant_pub", "another merchant's")
		case p.HA != c.hash:
			return refused("H_a", "another contract's")
		case p.HWire != c.terms.HWire:
			return refused("H_wire", "another account's")
		}
	}
	return nil
}

// MatchAmount checks that the permissions add up to what is due (403 "amount"). That
// none is above its coin's face value is for [Keys.CheckDenom].
func (ps Permissions) MatchAmount(t *Terms) error {
	amounts := make([]Amount, len(ps))
	for i := range ps {
		amounts[i] = ps[i].Amount
	}
	sum, err := Sum(amounts[0], amounts[1:]...)
	if err != nil {
		return refused("amount", "%v", err)
	}
	if due := t.Due(); sum != due {
		return refused("amount", "%s instead of %s", sum, due)
	}
	return nil
}
