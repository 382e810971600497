package bitcoin

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

type addressVectors struct {
	Valid []struct {
		Address string `json:"address"`
		Script  string `json:"scriptpubkey"`
	} `json:"segwit_valid_bip350"`
	Invalid []struct {
		Address string `json:"address"`
		Reason  string `json:"reason"`
	} `json:"segwit_invalid_bip350"`
	Superseded []struct {
		Address string `json:"address"`
		Script  string `json:"scriptpubkey"`
	} `json:"segwit_valid_bip173_superseded_for_v1plus"`
	Invalid173 []struct {
		Address string `json:"address"`
		Reason  string `json:"reason"`
	} `json:"segwit_invalid_bip173"`
	Core []struct {
		Address string `json:"address"`
		Script  string `json:"scriptpubkey"`
		Network string `json:"network"`
	} `json:"core_key_io_subset"`
}

func TestAddressesReadAndWriteThePublishedVectors(t *testing.T) {
	var v addressVectors
	load(t, "addresses.json", &v)
	check := func(text, script string, net Network) {
		t.Helper()
		a, err := ParseAddress(text, net)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if got := hex.EncodeToString(a.Script()); got != script {
			t.Errorf("%s: script %s, want %s", text, got, script)
		}
		if want := strings.ToLower(text); a.Form() != P2PKH && a.Form() != P2SH && a.String() != want {
			t.Errorf("%s: written as %s", text, a)
		}
		if (a.Form() == P2PKH || a.Form() == P2SH) && a.String() != text {
			t.Errorf("%s: written as %s", text, a)
		}
		again, err := AddressOfScript(a.Script(), net)
		if err != nil || again != a {
			t.Errorf("%s: from its script %v, %v", text, again, err)
		}
	}
	for _, c := range v.Valid {
		net := Mainnet
		if strings.HasPrefix(c.Address, "tb") {
			net = Signet
		}
		check(c.Address, c.Script, net)
	}
	for _, c := range v.Core {
		check(c.Address, c.Script, networkOf(t, c.Network))
	}
}

func TestAddressesRefuseThePublishedVectors(t *testing.T) {
	var v addressVectors
	load(t, "addresses.json", &v)
	for _, net := range []Network{Mainnet, Testnet4} {
		for _, c := range append(v.Invalid, v.Invalid173...) {
			if _, err := ParseAddress(c.Address, net); !errors.Is(err, ErrAddress) {
				t.Errorf("%s (%s) on %s: %v", c.Address, c.Reason, net, err)
			}
		}
		for _, c := range v.Superseded {
			if strings.HasPrefix(c.Script, "00") {
				continue // version 0 kept its checksum
			}
			if _, err := ParseAddress(c.Address, net); !errors.Is(err, ErrAddress) {
				t.Errorf("%s with the checksum of BIP173 on %s: %v", c.Address, net, err)
			}
		}
	}
}

func TestAddressOfAnotherNetworkIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		text  string
		net   Network
		names string
	}{
		{"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", Regtest, "mainnet"},
		{"1BUH8ju5qza9E5GmE1eg5h7dZKr7azyPg6", Signet, "mainnet"},
		{"mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ", Mainnet, "a test network"},
		{"2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK", Mainnet, "a test network"},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", Mainnet, "testnet or signet"},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", Regtest, "testnet or signet"},
		{"bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9", Testnet4, "regtest"},
	} {
		_, err := ParseAddress(c.text, c.net)
		if !errors.Is(err, ErrWrongNetwork) || !strings.Contains(err.Error(), "of "+c.names+",") {
			t.Errorf("%s on %s: %v", c.text, c.net, err)
		}
	}
}

func TestFormsAreNamedByTheirScripts(t *testing.T) {
	for text, want := range map[string]Form{
		"1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo":                             P2PKH,
		"36j4NfKv6Akva9amjWrLG6MuSQym1GuEmm":                             P2SH,
		"bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv":                     P2WPKH,
		"bc1qyucykdlhp62tezs0hagqury402qwhk589q80tqs5myh3rxq34nwqhkdhv7": P2WSH,
		"bc1p83n3au0rjylefxq2nc2xh2y4jzz4pm6zxj4mw5pagdjjr2a9f36s6jjnnu": P2TR,
		"bc1z2rksukkjr8": WitnessUnknown,
		"bc1pfeessrawgf": WitnessUnknown, // pay to anchor
	} {
		a, err := ParseAddress(text, Mainnet)
		if err != nil || a.Form() != want {
			t.Errorf("%s: %s, %v; want %s", text, a.Form(), err, want)
		}
	}
}

func TestScriptsWithoutAddress(t *testing.T) {
	for _, text := range []string{
		"", "51", "6a0401020304", "00", "0014", "001400",
		"0015751e76e8199196d454941c45d1b3a323f1433bd600", // version 0 of 21 bytes
		"2103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bdac",
		"76a914751e76e8199196d454941c45d1b3a323f1433bd688ad",
	} {
		if a, err := AddressOfScript(unhexed(t, text), Mainnet); !errors.Is(err, ErrAddress) {
			t.Errorf("script %s: %v, %v", text, a, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	var v addressVectors
	load(f, "addresses.json", &v)
	for _, c := range v.Valid {
		f.Add(c.Address)
	}
	for _, c := range append(v.Invalid, v.Invalid173...) {
		f.Add(c.Address)
	}
	for _, c := range v.Core {
		f.Add(c.Address)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for n := Mainnet; n <= Regtest; n++ {
			a, err := ParseAddress(text, n)
			if err != nil {
				continue
			}
			if s := a.String(); s != text && (a.base58() || s != strings.ToLower(text)) {
				t.Fatalf("%q is written %q", text, s)
			}
			if again, err := AddressOfScript(a.Script(), n); err != nil || again != a {
				t.Fatalf("%q from its script: %v, %v", text, again, err)
			}
			if again, err := ParseAddress(a.QR(), n); err != nil || again != a {
				t.Fatalf("%q from its QR: %v, %v", text, again, err)
			}
		}
	})
}
