package bitcoin

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"till/protocol"
)

type uriVectors struct {
	Valid      []struct{ URI string } `json:"valid_bip"`
	Invalid    []struct{ URI string } `json:"invalid_bip"`
	ExtraValid []struct {
		URI     string
		Amount  protocol.Sat `json:"amount_sat"`
		Label   string
		Message string
	} `json:"extra_valid"`
	ExtraInvalid []struct{ URI, Description string } `json:"extra_invalid"`
}

// anyAddress stands in for ParseAddress: the BIPs' own examples have addresses
// with wrong checksums.
func anyAddress(text string, net Network) (Address, error) {
	a, err := ParseAddress(text, net)
	if errors.Is(err, ErrAddress) {
		return Address{net, P2PKH, pubKeyHashScript(make([]byte, 20))}, nil
	}
	return a, err
}

func TestURIsOfTheBIPs(t *testing.T) {
	var v uriVectors
	load(t, "bip21-bip321.json", &v)
	for _, c := range v.Valid {
		net := Mainnet
		if strings.Contains(c.URI, "?tb=") {
			net = Testnet4
		}
		if _, err := parseURI(c.URI, net, anyAddress); err != nil {
			t.Errorf("%s: %v", c.URI, err)
		}
	}
	for _, c := range v.Invalid {
		if _, err := parseURI(c.URI, Mainnet, anyAddress); !errors.Is(err, ErrURI) {
			t.Errorf("%s: %v", c.URI, err)
		}
	}
	for _, c := range v.ExtraValid {
		u, err := ParseURI(c.URI, Mainnet)
		if err != nil || u.Amount != c.Amount || u.Label != c.Label || u.Message != c.Message {
			t.Errorf("%s: %+v, %v", c.URI, u, err)
		}
	}
	for _, c := range v.ExtraInvalid {
		_, err := ParseURI(c.URI, Mainnet)
		if !errors.Is(err, ErrURI) && !errors.Is(err, ErrAddress) {
			t.Errorf("%s (%s): %v", c.URI, c.Description, err)
		}
	}
}

const shopAddress = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"

func TestURIRefusals(t *testing.T) {
	for name, text := range map[string]string{
		"required and unknown":        "?req-foo=1",
		"required in capitals":        "?REQ-FOO=1",
		"required payjoin":            "?req-pj=https://example.com",
		"required lightning":          "?req-lightning=lnbc1",
		"amount in both forms":        "?amount=1&req-amount=1",
		"two calls back":              "?pop=a&pop=b",
		"a lone percent":              "?label=100%",
		"percent and one digit":       "?label=%4",
		"text that is no UTF-8":       "?label=%ff",
		"more than 21 million":        "?amount=21000001",
		"amount without digits":       "?amount=.",
		"empty amount":                "?amount=",
		"two points":                  "?amount=1.2.3",
		"space in amount":             "?amount= 1",
		"control character":           "?label=a\x1b[31m",
		"invoice with other letters":  "?lightning=lnbc-1",
		"segwit address in base58":    "?bc=1BUH8ju5qza9E5GmE1eg5h7dZKr7azyPg6",
		"mistyped additional address": "?bc=bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyv",
	} {
		if u, err := ParseURI("bitcoin:"+shopAddress+text, Mainnet); err == nil {
			t.Errorf("%s: %+v", name, u)
		}
	}
}

func TestURIOfAnotherNetwork(t *testing.T) {
	for _, text := range []string{
		"bitcoin:tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
		"bitcoin:?tb=tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
	} {
		if _, err := ParseURI(text, Mainnet); !errors.Is(err, ErrWrongNetwork) {
			t.Errorf("%s: %v", text, err)
		}
	}
	u, err := ParseURI("bitcoin:?tb=tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7&bc="+shopAddress, Mainnet)
	if err != nil || len(u.Addresses) != 1 || u.Addresses[0].String() != shopAddress {
		t.Errorf("address of each network: %+v, %v", u, err)
	}
}

func TestLabelCannotDriveAScreen(t *testing.T) {
	u, err := ParseURI("bitcoin:"+shopAddress+"?label=a%1b%5b31mb%0ac%e2%80%ae", Mainnet)
	if err != nil || u.Label != "a [31mb c " {
		t.Errorf("label %q, %v", u.Label, err)
	}
}

func TestURIIsWrittenForLinksAndForQR(t *testing.T) {
	segwit, _ := ParseAddress(shopAddress, Mainnet)
	legacy, _ := ParseAddress("1BUH8ju5qza9E5GmE1eg5h7dZKr7azyPg6", Mainnet)
	for _, c := range []struct {
		u        URI
		link, qr string
	}{
		{URI{Addresses: []Address{segwit}},
			"bitcoin:" + shopAddress, "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU"},
		{URI{Addresses: []Address{segwit}, Amount: 50_000},
			"bitcoin:" + shopAddress + "?amount=0.0005", "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=0.0005"},
		{URI{Addresses: []Address{segwit}, Amount: 100_000_000, Lightning: "lnbc1p"},
			"bitcoin:" + shopAddress + "?amount=1&lightning=lnbc1p", "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=1&lightning=LNBC1P"},
		{URI{Addresses: []Address{legacy}, Amount: 1, Label: "Café & Bar"},
			"bitcoin:1BUH8ju5qza9E5GmE1eg5h7dZKr7azyPg6?amount=0.00000001&label=Caf%C3%A9%20%26%20Bar",
			"bitcoin:1BUH8ju5qza9E5GmE1eg5h7dZKr7azyPg6?amount=0.00000001&label=Caf%C3%A9%20%26%20Bar"},
		{URI{Addresses: []Address{segwit}, Amount: 1_000_000_000},
			"bitcoin:" + shopAddress + "?amount=10", "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=10"},
	} {
		if got := c.u.String(); got != c.link {
			t.Errorf("link %s, want %s", got, c.link)
		}
		if got := c.u.QR(); got != c.qr {
			t.Errorf("QR %s, want %s", got, c.qr)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	var v uriVectors
	load(f, "bip21-bip321.json", &v)
	for _, c := range append(v.Valid, v.Invalid...) {
		f.Add(c.URI)
	}
	for _, c := range v.ExtraValid {
		f.Add(c.URI)
	}
	for _, c := range v.ExtraInvalid {
		f.Add(c.URI)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text, Mainnet)
		if err != nil {
			return
		}
		if !u.Amount.Valid() {
			t.Fatalf("%q: amount %d", text, u.Amount)
		}
		again, err := ParseURI(u.String(), Mainnet)
		if err != nil || !reflect.DeepEqual(again.Addresses, u.Addresses) || again.Amount != u.Amount ||
			again.Label != u.Label || again.Message != u.Message || again.Lightning != u.Lightning {
			t.Fatalf("%q is written %q and read %+v, %v", text, u, again, err)
		}
		if _, err := ParseURI(u.QR(), Mainnet); err != nil {
			t.Fatalf("%q in a QR is %q: %v", text, u.QR(), err)
		}
	})
}
