package bitcoin

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

type miniKeyVectors struct {
	Vectors []struct {
		MiniKey      string `json:"minikey"`
		Valid        bool
		Private      string `json:"privkey_hex"`
		WIF          string `json:"wif_uncompressed"`
		Public       string `json:"pubkey_uncompressed"`
		Uncompressed string `json:"address_uncompressed"`
		Compressed   string `json:"address_compressed"`
	}
	Invalid []struct {
		MiniKey string `json:"minikey"`
		Why     string
	}
}

func TestMiniKeysOfThePublishedVectors(t *testing.T) {
	var v miniKeyVectors
	load(t, "minikeys.json", &v)
	for _, c := range v.Vectors {
		key, err := ParseMiniKey(c.MiniKey)
		if !c.Valid {
			if !errors.Is(err, ErrTypo) {
				t.Errorf("%s: %v", c.MiniKey, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.MiniKey, err)
			continue
		}
		if got := hex.EncodeToString(key.bytes()); got != c.Private {
			t.Errorf("%s: private %s, want %s", c.MiniKey, got, c.Private)
		}
		if pubs := key.PublicKeys(); len(pubs) != 1 || hex.EncodeToString(pubs[0]) != c.Public {
			t.Errorf("%s: public %x, want %s", c.MiniKey, pubs, c.Public)
		}
		if a := key.Addresses(Mainnet); len(a) != 1 || a[0].String() != c.Uncompressed {
			t.Errorf("%s: addresses %v, want %s", c.MiniKey, a, c.Uncompressed)
		}
		if w := key.WIFs(Mainnet); len(w) != 1 || w[0].Reveal() != c.WIF {
			t.Errorf("%s: not written as %s", c.MiniKey, c.WIF)
		}
	}
	for _, c := range v.Invalid {
		if _, err := ParseMiniKey(c.MiniKey); err == nil {
			t.Errorf("%q (%s) is accepted", c.MiniKey, c.Why)
		}
	}
	if _, err := ParseMiniKey("S6c56bnXQiBjk9mqSYE7ykVQ7NzrRz"); !errors.Is(err, ErrTypo) {
		t.Errorf("a changed character is not called a typing error: %v", err)
	}
}

type wifVectors struct {
	Valid []struct {
		WIF, Hex, Network string
		Compressed        bool
		P2PKH             string
	}
	Invalid []struct{ WIF, Analysis string }
}

func TestWIFsOfThePublishedVectors(t *testing.T) {
	var v wifVectors
	load(t, "wif.json", &v)
	for _, c := range v.Valid {
		net := networkOf(t, c.Network)
		key, err := ParseWIF(c.WIF, net)
		if err != nil {
			t.Errorf("%s: %v", c.WIF, err)
			continue
		}
		if got := hex.EncodeToString(key.bytes()); got != c.Hex || (key.Forms() == Compressed) != c.Compressed {
			t.Errorf("%s: %s %d", c.WIF, got, key.Forms())
		}
		if got := key.Addresses(net)[0].String(); got != c.P2PKH {
			t.Errorf("%s: address %s, want %s", c.WIF, got, c.P2PKH)
		}
		if got := key.WIFs(net)[0].Reveal(); got != c.WIF {
			t.Errorf("%s is written %s", c.WIF, got)
		}
		other := Mainnet
		if net == Mainnet {
			other = Signet
		}
		if _, err := ParseWIF(c.WIF, other); !errors.Is(err, ErrWrongNetwork) {
			t.Errorf("%s on %s: %v", c.WIF, other, err)
		}
	}
	for _, c := range v.Invalid {
		for _, net := range []Network{Mainnet, Regtest} {
			if _, err := ParseWIF(c.WIF, net); !errors.Is(err, ErrKey) && !errors.Is(err, ErrTypo) {
				t.Errorf("%s (%s): %v", c.WIF, c.Analysis, err)
			}
		}
	}
}

func TestKeyOfATestNetworkSaysSo(t *testing.T) {
	_, err := ParseWIF("cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47", Mainnet)
	if !errors.Is(err, ErrWrongNetwork) || !strings.Contains(err.Error(), "this is a key of a test network") {
		t.Error(err)
	}
}

func TestHexKeyStandsForBothPublicKeys(t *testing.T) {
	key, err := ParseHexKey("0000000000000000000000000000000000000000000000000000000000000001")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1EHNa6Q4Jz2uvNExL497mE43ikXhwF6kZm", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
		"3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
		"bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9",
	}
	for i, a := range key.Addresses(Mainnet) {
		if a.String() != want[i] {
			t.Errorf("address %d is %s, want %s", i, a, want[i])
		}
	}
	if w := key.WIFs(Mainnet); len(w) != 2 || w[0].Reveal() != "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf" ||
		w[1].Reveal() != "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn" {
		t.Error("not written as both WIFs")
	}
	for _, text := range []string{
		strings.Repeat("0", 64), strings.Repeat("f", 64), strings.Repeat("1", 63), strings.Repeat("1", 65),
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", strings.Repeat("x", 64),
	} {
		if _, err := ParseHexKey(text); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSecretsNeverShow(t *testing.T) {
	const wif = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
	const private = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
	key, _ := ParseWIF(wif, Mainnet)
	extended, err := ParseExtendedKey(private, Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := ParseDescriptor("wpkh("+private+"/0/*)", Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		key      Key
		extended ExtendedKey
		desc     Descriptor
		Key      Key
		Extended ExtendedKey
		Desc     Descriptor
		Found    Found
	}
	h := holder{key, extended, descriptor, key, extended, descriptor, Found{Kind: KindWIF, Key: key}}
	leaks := []string{wif, private, "e3b0c442", "227 176 196 66", "0xe3, 0xb0", wif[10:20], private[20:40]}
	var outputs []string
	for _, v := range []any{h, &h, key, &key, extended, descriptor, []Key{key}, map[string]Key{"a": key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%X", "%d", "%08b"} {
			outputs = append(outputs, fmt.Sprintf(verb, v))
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		outputs = append(outputs, string(j), log.String())
	}
	for _, out := range outputs {
		for _, leak := range leaks {
			if strings.Contains(strings.ToLower(out), strings.ToLower(leak)) {
				t.Errorf("%q shows %q", out, leak)
			}
		}
	}
	if got := fmt.Sprint(key, extended, descriptor); got != "[secret] [secret] [secret]" {
		t.Error(got)
	}
}

func TestWipeReachesEveryCopy(t *testing.T) {
	key, _ := ParseHexKey(strings.Repeat("11", 32))
	copied := key
	key.Wipe()
	if !copied.IsZero() || !bytes.Equal(copied.bytes(), make([]byte, 32)) || copied.Addresses(Mainnet) != nil {
		t.Error("the copy of a wiped key lives on")
	}
}

func TestGeneratedKeyComesFromTheGivenChance(t *testing.T) {
	const n = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
	good := strings.Repeat("07", 32)
	key, err := GenerateKey(bytes.NewReader(unhexed(t, n+good)))
	if err != nil || hex.EncodeToString(key.bytes()) != good || key.Forms() != Compressed {
		t.Errorf("%v, %v", hex.EncodeToString(key.bytes()), err)
	}
	if _, err := GenerateKey(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a key without enough chance")
	}
}

func FuzzParseWIF(f *testing.F) {
	var v wifVectors
	load(f, "wif.json", &v)
	for _, c := range v.Valid {
		f.Add(c.WIF)
	}
	for _, c := range v.Invalid {
		f.Add(c.WIF)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, net := range []Network{Mainnet, Regtest} {
			key, err := ParseWIF(text, net)
			if err == nil && key.WIFs(net)[0].Reveal() != text {
				t.Fatalf("%q is written otherwise", text)
			}
		}
	})
}

// Baseline: 0.17 ms for the five addresses of a key, 6000 keys a second (AMD EPYC).
func BenchmarkKeyAddresses(b *testing.B) {
	key, err := ParseHexKey(strings.Repeat("11", 32))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if len(key.Addresses(Mainnet)) != 5 {
			b.Fatal("not five addresses")
		}
	}
}
