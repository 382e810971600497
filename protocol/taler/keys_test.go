package taler

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"till/protocol"
)

func TestKeyListsComeBackAsTheyWere(t *testing.T) {
	s := newShop(t)
	keys, err := ParseKeys(must(s.keys.Encode()), s.master.Public(), s.now)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Hash() != s.keys.Hash() || keys.Master() != s.master.Public() || keys.Issued() != s.at(0) || len(keys.Denominations()) != 1 {
		t.Error("another list")
	}
	if keys.Hash() != s.denom.Pub.Hash() {
		t.Error("the hash is not over the denominations' bytes")
	}
}

func TestKeyListsAreBelievedOnlyWhole(t *testing.T) {
	s := newShop(t)
	resign := func(l *KeyList) {
		for i := range l.SigningKeys {
			l.SigningKeys[i].Sign(s.master)
		}
		for i := range l.Denoms {
			l.Denoms[i].Sign(s.master)
		}
		l.Sign(s.signing)
	}
	for _, c := range []struct {
		name   string
		resign bool
		change func(*KeyList)
	}{
		{"other master", true, func(l *KeyList) { l.Master = s.merchant.Public() }},
		{"a whole list of another master", false, func(l *KeyList) {
			l.Master = s.merchant.Public()
			l.SigningKeys[0].Sign(s.merchant)
			l.Denoms[0].Sign(s.merchant)
			l.Sign(s.signing)
		}},
		{"list signature", false, func(l *KeyList) { l.Sig[0] ^= 1 }},
		{"date of the list", false, func(l *KeyList) { l.Issued += 1000 }},
		{"list signed by the master", false, func(l *KeyList) { l.Sign(s.master) }},
		{"list signed after the key's end", true, func(l *KeyList) { l.Issued = l.SigningKeys[0].Expire }},
		{"list signed before the key's start", true, func(l *KeyList) { l.Issued = l.SigningKeys[0].Start - 1000 }},
		{"signing key not of the master", false, func(l *KeyList) { l.SigningKeys[0].MasterSig[0] ^= 1 }},
		{"signing key twice", true, func(l *KeyList) { l.SigningKeys = append(l.SigningKeys, l.SigningKeys[0]) }},
		{"signing key that never lives", true, func(l *KeyList) { l.SigningKeys[0].Expire = l.SigningKeys[0].Start }},
		{"value changed", false, func(l *KeyList) { l.Denoms[0].Value.Value++ }},
		{"fee changed", false, func(l *KeyList) { l.Denoms[0].FeeDeposit.Fraction++ }},
		{"end changed", false, func(l *KeyList) { l.Denoms[0].ExpireDeposit += 1000 }},
		{"denomination twice", true, func(l *KeyList) { l.Denoms = append(l.Denoms, l.Denoms[0]) }},
		{"denomination added without the list's signature", false, func(l *KeyList) { l.Denoms = append(l.Denoms, s.denomination(otherDenomPub(3))) }},
		{"fee in another currency", true, func(l *KeyList) { l.Denoms[0].FeeRefresh.Currency = "USD" }},
		{"fee above the value", true, func(l *KeyList) { l.Denoms[0].FeeDeposit = eur(5_000_001) }},
		{"never withdrawable", true, func(l *KeyList) { l.Denoms[0].ExpireWithdraw = l.Denoms[0].Start }},
		{"withdrawable after its end", true, func(l *KeyList) { l.Denoms[0].ExpireWithdraw = l.Denoms[0].ExpireDeposit + 1000 }},
		{"exponent 1", true, func(l *KeyList) {
			l.Denoms[0].Pub = must(ParseDenomPub(encodeKey(denomSecret().public.n.Bytes(), []byte{1})))
		}},
		{"three live keys of a value", true, func(l *KeyList) {
			l.Denoms = append(l.Denoms, s.denomination(otherDenomPub(3)), s.denomination(otherDenomPub(5)))
		}},
		{"three that lived at the list's date", true, func(l *KeyList) {
			l.Issued = s.at(-30 * time.Minute)
			for _, e := range []int{3, 5, 7} {
				d := s.denomination(otherDenomPub(e))
				d.ExpireWithdraw = s.at(-time.Minute)
				l.Denoms = append(l.Denoms, d)
			}
		}},
		{"three that live later, but now", true, func(l *KeyList) {
			l.Issued = s.at(-30 * time.Minute)
			for _, e := range []int{3, 5, 7} {
				d := s.denomination(otherDenomPub(e))
				d.Start = s.at(-time.Minute)
				l.Denoms = append(l.Denoms, d)
			}
		}},
	} {
		list := s.list
		list.SigningKeys = append([]SigningKey(nil), s.list.SigningKeys...)
		list.Denoms = append([]Denomination(nil), s.list.Denoms...)
		c.change(&list)
		if c.resign {
			resign(&list)
		}
		if _, err := ParseKeys(must(Encode(&list)), s.master.Public(), s.now); !errors.Is(err, ErrMintFault) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	two := s.list
	two.Denoms = []Denomination{s.list.Denoms[0], s.denomination(otherDenomPub(3))}
	two.Sign(s.signing)
	if _, err := NewKeys(two, s.master.Public(), s.now); err != nil {
		t.Errorf("two live keys of a value: %v", err)
	}
	if _, err := ParseKeys(bytes.Repeat([]byte{' '}, MaxAnswer+1), s.master.Public(), s.now); !errors.Is(err, ErrMintFault) {
		t.Errorf("a long answer: %v", err)
	}
}

func TestTheSmallestCoinOfALottery(t *testing.T) {
	s := newShop(t)
	for minor, want := range map[int64]Amount{1: eur(5_000_000), 500: eur(5_000_000), 501: {}} {
		if got, ok := s.keys.SmallestAtLeast(protocol.Money{Currency: "EUR", Minor: minor}, s.at(0)); got != want || ok == want.IsZero() {
			t.Errorf("at least %d cents: %s, %t", minor, got, ok)
		}
	}
	if got, ok := s.keys.SmallestAtLeast(protocol.Money{Currency: "USD", Minor: 1}, s.at(0)); ok {
		t.Errorf("dollars: %s", got)
	}
	if got, ok := s.keys.SmallestAtLeast(protocol.Money{Currency: "EUR", Minor: 1}, s.list.Denoms[0].ExpireWithdraw); ok {
		t.Errorf("no longer withdrawable: %s", got)
	}
}

func TestConfirmationsAreThoseOfAMintsKey(t *testing.T) {
	s := newShop(t)
	c := s.contract(s.terms(5_000_000))
	a, b := s.pay(s.coin(t, 1), c, 2_000_000), s.pay(s.coin(t, 2), c, 3_000_000)
	ps := Permissions{a, b}
	good := []Confirmation{ConfirmDeposit(&b, s.signing), ConfirmDeposit(&a, s.signing)}
	if err := s.keys.VerifyDeposit(&DepositAnswer{good}, ps); err != nil {
		t.Error(err)
	}
	changed := good[0]
	changed.Sig[0] ^= 1
	for name, list := range map[string][]Confirmation{
		"one missing": good[:1], "one twice": {good[0], good[0]}, "changed": {changed, good[1]},
		"signed by the master": {ConfirmDeposit(&b, s.master), good[1]},
		"one too many":         {good[0], good[1], good[1]},
	} {
		if err := s.keys.VerifyDeposit(&DepositAnswer{list}, ps); !errors.Is(err, ErrMintFault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzKeys(f *testing.F) {
	s := newShop(f)
	f.Add(must(s.keys.Encode()))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := ParseKeys(body, s.master.Public(), s.now)
		if err != nil {
			return
		}
		again, err := ParseKeys(must(keys.Encode()), s.master.Public(), s.now)
		if err != nil || again.Hash() != keys.Hash() || keys.Hash() != s.keys.Hash() {
			t.Fatalf("%s is believed: %v", body, err)
		}
	})
}
