package bitcoin

import (
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
)

type hdVectors struct {
	BIP32 []struct {
		Seed   string
		Chains []struct{ Path, Xpub, Xprv, Fingerprint string }
	} `json:"bip32_valid"`
	Invalid  []struct{ Key, Reason string } `json:"bip32_invalid"`
	Seed     string
	Master   string `json:"master_fingerprint"`
	Accounts map[string]struct {
		Path            string `json:"account_path"`
		Public          string `json:"slip132_pub"`
		Private         string `json:"slip132_prv"`
		Plain           string `json:"xpub_plain"`
		Receive, Change []struct {
			Index           uint32
			Address, Pubkey string
		}
	}
	BIP49 struct {
		Path    string `json:"account_path"`
		Upub    string
		Uprv    string
		WIF     string `json:"receive0_wif"`
		Address string `json:"receive0_address"`
	} `json:"bip49_testnet"`
	SLIP132 []struct{ Prefix, Pub, Prv, Network string } `json:"slip132_versions"`
}

// derive follows "m/0'/1" from a master key.
func derive(t testing.TB, x ExtendedKey, path string) ExtendedKey {
	t.Helper()
	p, err := ParsePath(strings.TrimPrefix(strings.TrimPrefix(path, "m"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	x, err = x.Derive(p...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestBIP32Vectors(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	for _, c := range v.BIP32 {
		master, err := NewMaster(unhexed(t, c.Seed), Mainnet)
		if err != nil {
			t.Fatal(err)
		}
		for _, chain := range c.Chains {
			x := derive(t, master, chain.Path)
			if x.hd().String() != chain.Xprv || x.Neuter().String() != chain.Xpub || x.Fingerprint().String() != chain.Fingerprint {
				t.Errorf("%s of %s: %s", chain.Path, c.Seed, x.Neuter())
			}
			for _, text := range []string{chain.Xprv, chain.Xpub} {
				again, err := ParseExtendedKey(text, Mainnet)
				if err != nil || again.hd().String() != text {
					t.Errorf("%s: %v", text, err)
				}
			}
		}
	}
	for _, c := range v.Invalid {
		if x, err := ParseExtendedKey(c.Key, Mainnet); !errors.Is(err, ErrExtendedKey) {
			t.Errorf("%s (%s): %v, %v", c.Key, c.Reason, x, err)
		}
	}
}

func TestAccountsOfBIP44To86(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	master, err := NewMaster(unhexed(t, v.Seed), Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	if master.Fingerprint().String() != v.Master {
		t.Errorf("master %s, want %s", master.Fingerprint(), v.Master)
	}
	for purpose, form := range map[string]Form{"44": P2PKH, "49": P2SH, "84": P2WPKH, "86": P2TR} {
		c := v.Accounts[purpose]
		path, err := AccountPath(form, Mainnet, 0)
		if err != nil || "m/"+path.String() != c.Path {
			t.Errorf("path %s, %v, want %s", path, err, c.Path)
		}
		account := derive(t, master, c.Path)
		public, err := ParseExtendedKey(c.Public, Mainnet)
		if err != nil || public.String() != c.Plain || account.Neuter().String() != c.Plain {
			t.Errorf("%s: %v %v, %v", purpose, public, account.Neuter(), err)
		}
		private, err := ParseExtendedKey(c.Private, Mainnet)
		if err != nil || !private.Private() || private.Neuter().String() != c.Plain {
			t.Errorf("%s: private account: %v", purpose, err)
		}
		d, err := AccountDescriptor(public, form, master.Fingerprint(), path)
		if err != nil {
			t.Fatal(err)
		}
		for branch, list := range [][]struct {
			Index           uint32
			Address, Pubkey string
		}{c.Receive, c.Change} {
			if len(list) == 0 {
				t.Fatal("no addresses in the vectors")
			}
			for _, want := range list {
				a, err := d.Address(uint32(branch), want.Index)
				if err != nil || a.String() != want.Address {
					t.Errorf("%s/%d/%d: %s, %v, want %s", purpose, branch, want.Index, a, err, want.Address)
				}
				child, err := private.Derive(uint32(branch), want.Index)
				if err != nil || hex.EncodeToString(child.PublicKey()) != want.Pubkey {
					t.Errorf("%s/%d/%d: public key, %v", purpose, branch, want.Index, err)
				}
			}
		}
	}
}

func TestPrefixesOfSLIP132(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	for _, form := range []struct {
		purpose string
		form    Form
	}{{"44", 0}, {"49", P2SH}, {"84", P2WPKH}} {
		x, err := ParseExtendedKey(v.Accounts[form.purpose].Public, Mainnet)
		if err != nil || x.Form() != form.form {
			t.Errorf("%s: %s, %v", form.purpose, x.Form(), err)
		}
	}
	up, err := ParseExtendedKey(v.BIP49.Upub, Testnet4)
	if err != nil || up.Form() != P2SH {
		t.Fatalf("upub: %v", err)
	}
	prv, err := ParseExtendedKey(v.BIP49.Uprv, Testnet4)
	if err != nil || prv.Neuter().String() != up.String() {
		t.Fatalf("uprv: %v", err)
	}
	d, err := AccountDescriptor(up, 0, Fingerprint{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := d.Address(0, 0); err != nil || a.String() != v.BIP49.Address {
		t.Errorf("%s, %v, want %s", a, err, v.BIP49.Address)
	}
	child, err := prv.Derive(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	key, err := child.Key()
	if err != nil || key.WIFs(Testnet4)[0].Reveal() != v.BIP49.WIF {
		t.Errorf("private key of the first address: %v", err)
	}
	for _, c := range v.SLIP132 {
		for _, known := range versions {
			if hex.EncodeToString(known.public[:]) == c.Pub &&
				(hex.EncodeToString(known.private[:]) != c.Prv || known.test != (c.Network == "test")) {
				t.Errorf("%s does not match the list", c.Prefix)
			}
		}
	}
	if _, err := AccountDescriptor(up, P2WPKH, Fingerprint{}, nil); !errors.Is(err, ErrDescriptor) {
		t.Errorf("a upub as wpkh: %v", err)
	}
}

func TestMultisignatureKeysAreRefusedByName(t *testing.T) {
	master, err := NewMaster(make([]byte, 32), Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	for i, prefix := range []string{"Ypub", "Yprv", "Zpub", "Zprv", "Upub", "Uprv", "Vpub", "Vprv"} {
		hd := master.hd()
		if i%2 == 0 {
			hd = master.Neuter().hd()
		}
		hd, err := hd.CloneWithVersion(multisigVersions[i][:])
		if err != nil || !strings.HasPrefix(hd.String(), prefix) {
			t.Fatalf("%s: %v", prefix, err)
		}
		_, err = ParseExtendedKey(hd.String(), Mainnet)
		if !errors.Is(err, ErrExtendedKey) || !strings.Contains(err.Error(), "multisignature") {
			t.Errorf("%s: %v", prefix, err)
		}
	}
}

func TestExtendedKeyOfAnotherNetworkIsRefused(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	if _, err := ParseExtendedKey(v.Accounts["84"].Public, Regtest); !errors.Is(err, ErrWrongNetwork) {
		t.Errorf("zpub on regtest: %v", err)
	}
	if _, err := ParseExtendedKey(v.BIP49.Upub, Mainnet); !errors.Is(err, ErrWrongNetwork) {
		t.Errorf("upub on mainnet: %v", err)
	}
}

func TestPublicHalfOutlivesAWipe(t *testing.T) {
	master, err := NewMaster(make([]byte, 32), Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	public := master.Neuter()
	want := public.String()
	child, err := master.Derive(hardened, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantChild := child.Neuter().String()
	master.Wipe()
	if public.String() != want || child.Neuter().String() != wantChild {
		t.Error("wiping the master key changed what came from it")
	}
	if _, err := master.Key(); err == nil {
		t.Error("a wiped master key still has a private key")
	}
}

func TestDerivingSideBySideIsSafe(t *testing.T) {
	master, err := NewMaster(make([]byte, 32), Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := master.Derive(uint32(i), 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPaths(t *testing.T) {
	for text, want := range map[string]string{"": "", "0": "0", "84h/0'/0h/1/57": "84'/0'/0'/1/57", "2147483647'": "2147483647'"} {
		if p, err := ParsePath(text); err != nil || p.String() != want {
			t.Errorf("%q: %s, %v", text, p, err)
		}
	}
	for _, text := range []string{"/", "0/", "m", "m/0", "00", "+1", "-1", "2147483648", "0''", "0'h", " 0", strings.Repeat("0/", 16) + "0"} {
		if p, err := ParsePath(text); !errors.Is(err, ErrExtendedKey) {
			t.Errorf("%q: %s, %v", text, p, err)
		}
	}
}

func FuzzParseExtendedKey(f *testing.F) {
	var v hdVectors
	load(f, "hd.json", &v)
	for _, c := range v.Invalid {
		f.Add(c.Key)
	}
	for _, c := range v.Accounts {
		f.Add(c.Public)
		f.Add(c.Private)
	}
	f.Add(v.BIP49.Upub)
	f.Fuzz(func(t *testing.T, text string) {
		for _, net := range []Network{Mainnet, Testnet4} {
			x, err := ParseExtendedKey(text, net)
			if err != nil {
				continue
			}
			again, err := ParseExtendedKey(x.hd().String(), net)
			if err != nil || again.hd().String() != x.hd().String() {
				t.Fatalf("%q does not come back: %v", text, err)
			}
			if x.Form() == 0 && x.hd().String() != text {
				t.Fatalf("%q is written %q", text, x.hd().String())
			}
		}
	})
}
