package taler

import (
	"errors"
	"strings"
	"testing"
)

const linkKey = "7W0P76BB16RXVS1CQH7FCJ18X3T74756ZC0G0572B3E4YGP3F7EG"

func TestLinksComeBackAsTheyWere(t *testing.T) {
	for _, text := range []string{
		"taler+http://127.0.0.1:8490/contract?sale=019a0000-0000-7000-8000-000000000001#" + linkKey + ".000000000002M",
		"taler+https://shop.example:443/contract?sale=a#" + linkKey + ".000000000002M",
		"taler+http://[::1]:8490/contract?sale=a#" + linkKey,
	} {
		l, err := ParseLink(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := l.Encode(); err != nil || got != text {
			t.Errorf("%s becomes %s, %v", text, got, err)
		}
	}
	l := must(ParseLink("taler+https://shop.example:443/contract?sale=a#" + strings.ToLower(linkKey) + ".000000000002m"))
	if l.Base() != "https://shop.example:443" || !l.Secure || l.Sale != "a" || *l.TransactionID != 42 || l.Merchant != loadVectors().public("merchant") {
		t.Errorf("%+v", l)
	}
}

func TestLinksWithAnotherSpellingAreRefused(t *testing.T) {
	good := "taler+http://shop:8490/contract?sale=a#" + linkKey + ".000000000002M"
	for _, change := range [][2]string{
		{"taler+http", "TALER+HTTP"}, {"taler+http", "http"}, {"shop:8490", "shop"}, {"shop:8490", "shop:08490"}, {"shop:8490", "shop:0"},
		{"shop:8490", "shop:65536"}, {"shop:8490", ":8490"}, {"shop:8490", "user@shop:8490"}, {"shop:8490", "Shop:8490"}, {"shop:8490", "sho\u0440:8490"},
		{"shop:8490", "-shop:8490"}, {"shop:8490", "[0:0::1]:8490"}, {"shop:8490", "[fe80::1%25eth0]:8490"}, {"shop:8490", "[shop]:8490"},
		{"/contract", "/x/contract"}, {"/contract", "//contract"}, {"sale=a", "sale="}, {"sale=a", "sale=a&sale=b"}, {"sale=a", "sale=%61"},
		{"sale=a", "product=a"}, {"#", ""}, {"#", "?"}, {linkKey, ""}, {linkKey, linkKey[1:]}, {linkKey, "04" + strings.Repeat("0", 50)},
		{".000000000002M", "."}, {".000000000002M", ".000000000002N"}, {".000000000002M", ".000000000002M.x"}, {".0", ".G"},
		{"sale=a", "sale=" + strings.Repeat("a", 512)},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if l, err := ParseLink(text); err == nil {
			t.Errorf("%s is read as %+v", text, l)
		}
	}
}

func TestAWalletTakesOnlyTheContractOfItsLink(t *testing.T) {
	s := newShop(t)
	direct := s.contract(s.terms(5_000_000))
	tabTerms := s.terms(5_000_000)
	tabTerms.Tab = true
	tab := s.contract(tabTerms)
	id, other := direct.terms.TransactionID, TransactionID(1)
	for _, c := range []struct {
		name, parameter string
		link            Link
		contract        *Contract
	}{
		{"its own", "", Link{TransactionID: &id}, direct},
		{"another transaction's", "transaction_id", Link{TransactionID: &other}, direct},
		{"a tab's", "", Link{Sale: tabTerms.Sale}, tab},
		{"another sale's tab", "sale", Link{Sale: "a"}, tab},
		{"a bill instead of a tab", "tab", Link{Sale: tabTerms.Sale}, direct},
		{"another merchant's", "msig", Link{TransactionID: &id, Merchant: s.master.Public()}, direct},
	} {
		if c.link.Merchant == (PublicKey{}) {
			c.link.Merchant = s.merchant.Public()
		}
		err := c.link.Accept(c.contract)
		if c.parameter == "" && err != nil || c.parameter != "" && !errors.Is(err, &Error{Status: 403, Parameter: c.parameter}) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add("taler+http://127.0.0.1:8490/contract?sale=a#" + linkKey + ".000000000002M")
	f.Add("taler+https://[::1]:443/contract?sale=a#" + linkKey)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLink(text)
		if err != nil {
			return
		}
		again, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(text, "#")
		if !strings.HasPrefix(again, before+"#") || len(again) != len(text) {
			t.Fatalf("%s becomes %s", text, again)
		}
	})
}
