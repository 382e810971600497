package taler

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestAContractComesBackAsItWas(t *testing.T) {
	s := newShop(t)
	rm := SecretFrom([32]byte{3})
	tab := s.terms(1_000_000)
	tab.Tab, tab.Sale = true, ""
	for name, terms := range map[string]Terms{"direct": s.terms(5_000_000), "tab": tab, "lottery": s.lotteryTerms(rm)} {
		c := s.contract(terms)
		again, err := ParseContract(c.Text())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Hash() != c.Hash() || !bytes.Equal(again.Text(), c.Text()) || again.terms.Type() != terms.Type() || again.terms.Due() != terms.Due() {
			t.Errorf("%s comes back as %s", name, again.Text())
		}
		if err := again.Verify(s.merchant.Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := again.Verify(s.master.Public()); !errors.Is(err, &Error{Status: 403, Parameter: "msig"}) {
			t.Errorf("%s verifies with another key: %v", name, err)
		}
	}
}

func TestWhatAContractIsSignedOverCannotChange(t *testing.T) {
	s := newShop(t)
	text := string(s.contract(s.lotteryTerms(SecretFrom([32]byte{3}))).Text())
	for _, c := range []struct{ name, old, new, parameter string }{
		{"description", "café", "cafe", "msig"},
		{"amount and nothing else", `"fraction":0,"value":1}`, `"fraction":1,"value":1}`, "lottery"}, // the odds do not fit
		{"sale", "8000-000000000001", "8000-000000000002", "xsig"},
		{"mint", "8495", "8496", "xsig"},
		{"unknown member added", `{"H_wire"`, `{"A_tip":1,"H_wire"`, "xsig"},
		{"spelling", EncodeBase32(s.keys.hash[:])[:20], strings.ToLower(EncodeBase32(s.keys.hash[:])[:20]), "xsig"},
	} {
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Fatalf("%s: nothing changed", c.name)
		}
		contract, err := ParseContract([]byte(changed))
		if err == nil {
			err = contract.Verify(s.merchant.Public())
		}
		if !errors.Is(err, &Error{Parameter: c.parameter}) {
			t.Errorf("%s: %v instead of %s", c.name, err, c.parameter)
		}
	}
}

func TestMembersUnknownToThisVersionAreHashed(t *testing.T) {
	s := newShop(t)
	v := must(parse(s.contract(s.terms(1)).Text(), MaxRequest)).without("msig", "xsig")
	v.members = append(v.members, member{"later", objectValue(member{"b", intValue(1)}, member{"a", boolValue(true)})})
	terms := s.terms(1)
	xsig := s.merchant.Sign(extrasBlock(v.hash()))
	v.members = append(v.members, member{"msig", textValue(s.merchant.Sign(terms.block()).String())}, member{"xsig", textValue(xsig.String())})
	c := must(ParseContract(v.canonical()))
	if err := c.Verify(s.merchant.Public()); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(c.Text(), []byte(`"later":{"a":true,"b":1}`)) {
		t.Errorf("the member is lost: %s", c.Text())
	}
}

func TestContractsThatCannotBeAreNotSigned(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		name, parameter string
		change          func(*Terms)
	}{
		{"nothing to pay", "amount", func(t *Terms) { t.Amount = eur(0) }},
		{"long description", "description", func(t *Terms) { t.Description = strings.Repeat("é", 513) }},
		{"control character", "description", func(t *Terms) { t.Description = "a\x1b[2J" }},
		{"transaction of 64 bits", "transaction_id", func(t *Terms) { t.TransactionID = 1 << 63 }},
		{"half a second", "expiry", func(t *Terms) { t.Expiry = 1500 }},
		{"no mint", "mints", func(t *Terms) { t.Mints = nil }},
		{"mint at a file", "url", func(t *Terms) { t.Mints = []MintRef{{URL: "file:///x"}} }},
		{"price above the coin", "lottery", func(t *Terms) { t.Lottery = &Lottery{Value: t.Amount} }},
		{"odds that are not the price's", "lottery", func(t *Terms) { t.Lottery = &Lottery{Commitment{Odds: 1}, eur(50_000_000)} }},
	} {
		terms := s.terms(5_000_000)
		c.change(&terms)
		if _, err := NewContract(terms, s.merchant); !errors.Is(err, &Error{Status: 400, Parameter: c.parameter}) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	terms := s.terms(1)
	terms.Description = strings.Repeat("é", 512)
	if _, err := NewContract(terms, s.merchant); err != nil {
		t.Errorf("1024 bytes: %v", err)
	}
}

func TestOddsAreRoundedUp(t *testing.T) {
	for _, c := range []struct {
		price, value uint64
		want         Odds
	}{
		{1, 2, 1 << 63}, {1, 3, 0x5555555555555556}, {999_999, 1_000_000, 0xffffef39085f4a13}, {1, 4_294_967_295_999_999, 4295},
	} {
		got := must(OddsOf(eur(c.price), eur(c.value)))
		if got != c.want {
			t.Errorf("%d of %d: %x instead of %x", c.price, c.value, uint64(got), uint64(c.want))
		}
	}
	for _, c := range [][2]Amount{{eur(1), eur(1)}, {eur(2), eur(1)}, {eur(0), eur(1)}, {eur(1), {"USD", 2, 0}}} {
		if got, err := OddsOf(c[0], c[1]); err == nil {
			t.Errorf("%s of %s: %x", c[0], c[1], uint64(got))
		}
	}
}

func TestOffersAreSigned(t *testing.T) {
	s := newShop(t)
	o := s.offer(5_000_000)
	again := new(Offer)
	if err := DecodeAnswer(must(Encode(o)), again); err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(s.merchant.Public()); err != nil {
		t.Error(err)
	}
	again.LockUntil += 1000
	if err := again.Verify(s.merchant.Public()); !errors.Is(err, &Error{Status: 403, Parameter: "msig"}) {
		t.Error(err)
	}
}

func FuzzContract(f *testing.F) {
	s := newShop(f)
	f.Add([]byte(loadVectors().Contract))
	f.Add(s.contract(s.terms(5_000_000)).Text())
	f.Add(s.contract(s.lotteryTerms(SecretFrom([32]byte{3}))).Text())
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseContract(body)
		if err != nil {
			return
		}
		again, err := ParseContract(c.Text())
		if err != nil || again.Hash() != c.Hash() || !bytes.Equal(again.Text(), c.Text()) {
			t.Fatalf("%s becomes %s, %v", body, c.Text(), err)
		}
	})
}

func BenchmarkContractSign(b *testing.B) {
	s := newShop(b)
	terms := s.terms(5_000_000)
	for b.Loop() {
		must(NewContract(terms, s.merchant))
	}
}

// The baseline of BenchmarkContractSign: its two signatures.
func BenchmarkTwoSignatures(b *testing.B) {
	s := newShop(b)
	terms := s.terms(5_000_000)
	block, extras := terms.block(), extrasBlock(Hash{})
	for b.Loop() {
		s.merchant.Sign(block)
		s.merchant.Sign(extras)
	}
}
