package wallet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// words are the public test words of BIP39 that BIP84 and BIP86 use.
const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// cheap is a cost for tests.
var cheap = Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1}

type hdVectors struct {
	Seed     string
	Accounts map[string]struct {
		Public          string `json:"slip132_pub"`
		Plain           string `json:"xpub_plain"`
		Origin          string
		Receive, Change []struct {
			Index   uint32
			Address string
		}
	}
}

func load(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func seal(t testing.TB, form bitcoin.Form, net bitcoin.Network) *Sealed {
	t.Helper()
	s, err := Seal(New{
		Words: protocol.NewSecret(words), Passphrase: protocol.NewSecret("open sesame"),
		Form: form, Network: net, Cost: cheap,
	}, bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hot opens a wallet of the test words.
func hot(t testing.TB, form bitcoin.Form, net bitcoin.Network) *Wallet {
	t.Helper()
	w, err := seal(t, form, net).Open(protocol.NewSecret("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

var forms = map[string]bitcoin.Form{"44": bitcoin.P2PKH, "49": bitcoin.P2SH, "84": bitcoin.P2WPKH, "86": bitcoin.P2TR}

func TestWalletsDeriveThePublishedAddresses(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	for purpose, form := range forms {
		c := v.Accounts[purpose]
		own := hot(t, form, bitcoin.Mainnet)
		wrap := map[bitcoin.Form]string{bitcoin.P2PKH: "pkh(%s)", bitcoin.P2SH: "sh(wpkh(%s))", bitcoin.P2WPKH: "wpkh(%s)", bitcoin.P2TR: "tr(%s)"}[form]
		watch, err := Watch(fmt.Sprintf(wrap, c.Origin+c.Plain+"/<0;1>/*"), bitcoin.Mainnet)
		if err != nil {
			t.Fatal(err)
		}
		if own.Descriptor() != watch.Descriptor() {
			t.Errorf("%s: %s and %s", purpose, own.Descriptor(), watch.Descriptor())
		}
		for branch, list := range [][]struct {
			Index   uint32
			Address string
		}{c.Receive, c.Change} {
			for _, want := range list {
				path := fmt.Sprintf("%s'/0'/0'/%d/%d", purpose, branch, want.Index)
				for _, w := range []*Wallet{own, watch} {
					a, err := w.Derive(uint32(branch), want.Index)
					if err != nil || a.Text != want.Address || a.Path != path {
						t.Errorf("%s: %s at %s, %v; want %s", path, a.Text, a.Path, err, want.Address)
					}
					script, err := w.Script(want.Address)
					if err != nil || script != a.Script {
						t.Errorf("%s: script %x, %v; want %x", want.Address, script, err, a.Script)
					}
				}
			}
		}
	}
}

func TestTheSameAccountIsTheSameWalletHoweverGiven(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	own := hot(t, bitcoin.P2WPKH, bitcoin.Mainnet)
	id := own.Identity()
	if !id.Hot || id.Network != "mainnet" || len(id.Fingerprint) != 8 {
		t.Errorf("identity %+v", id)
	}
	for _, text := range []string{v.Accounts["84"].Public, own.Descriptor(), " wpkh(" + v.Accounts["84"].Public + "/<0;1>/*)\n"} {
		w, err := Watch(text, bitcoin.Mainnet)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Identity(); got.Fingerprint != id.Fingerprint || got.Hot {
			t.Errorf("%.30s: %+v", text, got)
		}
	}
	if seal(t, bitcoin.P2WPKH, bitcoin.Mainnet).Watch().Identity().Fingerprint != id.Fingerprint {
		t.Error("a sealed wallet is another")
	}
	seen := map[server.WalletIdentity]bool{id: true}
	for _, other := range []*Wallet{hot(t, bitcoin.P2TR, bitcoin.Mainnet), hot(t, bitcoin.P2WPKH, bitcoin.Regtest), hot(t, bitcoin.P2WPKH, bitcoin.Signet)} {
		if seen[other.Identity()] {
			t.Errorf("%s is not another wallet", other.Descriptor())
		}
		seen[other.Identity()] = true
	}
}

func TestWatchRefusesWhatIsNoWallet(t *testing.T) {
	const public = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V"
	const private = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
	for name, text := range map[string]string{
		"a private key":        private,
		"a private descriptor": "wpkh(" + private + "/0/*)",
		"one address":          "wpkh(" + public + "/0/0)",
		"three branches":       "wpkh(" + public + "/<0;1;2>/*)",
	} {
		if _, err := Watch(text, bitcoin.Mainnet); !errors.Is(err, ErrDescriptor) || strings.Contains(err.Error(), private[5:20]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "hello", "wsh(" + public + ")", words} {
		if _, err := Watch(text, bitcoin.Mainnet); err == nil {
			t.Errorf("%q is a wallet", text)
		}
	}
	if _, err := Watch(public, bitcoin.Regtest); !errors.Is(err, bitcoin.ErrWrongNetwork) {
		t.Errorf("an xpub on regtest: %v", err)
	}
}

func TestTextOfATerminalGetsACode(t *testing.T) {
	w := hot(t, bitcoin.P2WPKH, bitcoin.Mainnet)
	const key = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
	for text, want := range map[string]protocol.Code{
		"bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9": protocol.CodeWrongNetwork,
		"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyv":   protocol.CodeAddressInvalid,
		"":  protocol.CodeAddressInvalid,
		key: protocol.CodeAddressInvalid,
	} {
		if _, err := w.Script(text); !errors.Is(err, want) || strings.Contains(err.Error(), key[:8]) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]protocol.Code{
		"cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47": protocol.CodeWrongNetwork,
		key[:51] + "2":                   protocol.CodeKeyInvalid,
		"S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy": protocol.CodeKeyInvalid,
	} {
		if _, err := w.KeyForms(protocol.NewSecret(text)); !errors.Is(err, want) || strings.Contains(err.Error(), text[:8]) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	all, err := w.KeyForms(protocol.NewSecret(key))
	if err != nil || len(all) != 4 || all[0].Text != "1F3sAm6ZtwLAUnj7d38pGFxtP3RVEvtsbV" {
		t.Errorf("%v, %v", all, err)
	}
}

func TestNothingOfTheKeyIsPrinted(t *testing.T) {
	w := hot(t, bitcoin.P2WPKH, bitcoin.Mainnet)
	key := bytes.Clone(w.account.page.mem[:32])
	if bytes.Equal(key, make([]byte, 32)) {
		t.Fatal("there is no key")
	}
	leaks := []string{hex.EncodeToString(key[:4]), strings.Trim(fmt.Sprint(key[:4]), "[]"), fmt.Sprintf("% x", key[:4]), fmt.Sprintf("%#v", key[:3])[7:22]}
	for _, v := range []any{w, *w, []*Wallet{w}, struct{ w *Wallet }{w}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			out := fmt.Sprintf(verb, v)
			for _, leak := range leaks {
				if strings.Contains(out, leak) {
					t.Errorf("%s of %T shows %s", verb, v, leak)
				}
			}
		}
	}
}

func TestClosedWalletPaysNothing(t *testing.T) {
	w := hot(t, bitcoin.P2WPKH, bitcoin.Regtest)
	s := payment(t, w, 10_000, 5000, 100_000)
	if _, err := w.Spend(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Spend(t.Context(), s); !errors.Is(err, errClosed) {
		t.Errorf("after closing: %v", err)
	}
	if _, err := w.Derive(0, 0); err != nil {
		t.Errorf("a closed wallet no longer receives: %v", err)
	}
}
