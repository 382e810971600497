package bitcoin

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

type descriptorVectors struct {
	Checksum []struct {
		Descriptor string
		Valid      bool
	}
	Vectors []struct {
		Descriptor string
		Valid      bool
		Scripts    []string
		Reason     string
	}
	Watch []struct {
		Descriptor string
		First      []string `json:"first_addresses"`
	} `json:"watch_only_wallet_examples"`
}

// supported tells which of the published descriptors this package means to read:
// one key, no scripts.
func supported(text string) bool {
	for _, w := range wrappers {
		if inner, ok := strings.CutPrefix(text, w.open); ok && !strings.ContainsAny(strings.TrimRight(inner, ")"), "(),{") {
			return true
		}
	}
	return false
}

func TestDescriptorsOfTheBIPs(t *testing.T) {
	var v descriptorVectors
	load(t, "descriptors.json", &v)
	read := 0
	for _, c := range v.Vectors {
		d, err := ParseDescriptor(c.Descriptor, Mainnet)
		if !c.Valid || !supported(c.Descriptor) {
			if !errors.Is(err, ErrDescriptor) {
				t.Errorf("%s (%s): %v", c.Descriptor, c.Reason, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Descriptor, err)
			continue
		}
		read++
		for i, script := range c.Scripts {
			a, err := d.Address(0, uint32(i))
			if err != nil || hex.EncodeToString(a.Script()) != script {
				t.Errorf("%s: script %d is %x, %v, want %s", c.Descriptor, i, a.Script(), err, script)
			}
		}
	}
	if read < 14 {
		t.Errorf("only %d of the published descriptors were read", read)
	}
}

func TestDescriptorChecksums(t *testing.T) {
	var v descriptorVectors
	load(t, "descriptors.json", &v)
	for _, c := range v.Checksum {
		body, sum, has := strings.Cut(c.Descriptor, "#")
		want, ok := descriptorChecksum(body)
		if good := ok && (!has || sum == want); good != c.Valid {
			t.Errorf("%s: checksum %s, %v", c.Descriptor, want, ok)
		}
		if _, err := ParseDescriptor(c.Descriptor, Mainnet); !errors.Is(err, ErrDescriptor) {
			t.Errorf("%s: %v", c.Descriptor, err)
		}
	}
}

func TestWatchOnlyDescriptorsGiveTheWalletsAddresses(t *testing.T) {
	var v descriptorVectors
	load(t, "descriptors.json", &v)
	for _, c := range v.Watch {
		d, err := ParseDescriptor(c.Descriptor, Mainnet)
		if err != nil {
			t.Errorf("%s: %v", c.Descriptor, err)
			continue
		}
		if d.String() != c.Descriptor {
			t.Errorf("%s is written %s", c.Descriptor, d)
		}
		if !d.Ranged() || d.Private() || d.Fingerprint().String() != "73c5da0a" {
			t.Errorf("%s: ranged %v, private %v, %s", c.Descriptor, d.Ranged(), d.Private(), d.Fingerprint())
		}
		for i, want := range c.First {
			if a, err := d.Address(0, uint32(i)); err != nil || a.String() != want {
				t.Errorf("%s: address %d is %s, %v, want %s", c.Descriptor, i, a, err, want)
			}
		}
		if want := strings.Count(c.Descriptor, ";") + 1; d.Branches() != want {
			t.Errorf("%s: %d branches", c.Descriptor, d.Branches())
		}
	}
}

func TestDescriptorPathsRunFromTheMasterKey(t *testing.T) {
	const account = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V"
	d, err := ParseDescriptor("wpkh([73c5da0a/84h/0h/0h]"+account+"/<0;1>/*)", Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := d.Path(1, 57); err != nil || p.String() != "84'/0'/0'/1/57" {
		t.Errorf("%s, %v", p, err)
	}
	for _, c := range [][2]uint32{{2, 0}, {0, hardened}, {0xffffffff, 0}} {
		if a, err := d.Address(c[0], c[1]); !errors.Is(err, ErrDescriptor) {
			t.Errorf("branch %d index %d: %v, %v", c[0], c[1], a, err)
		}
	}
	if got, want := d.WithoutOrigin().String(), "wpkh("+account+"/<0;1>/*)#"; !strings.HasPrefix(got, want) {
		t.Errorf("without origin %s", got)
	}
	x, err := ParseExtendedKey(account, Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	path, err := AccountPath(P2WPKH, Mainnet, 0)
	if err != nil {
		t.Fatal(err)
	}
	made, err := AccountDescriptor(x, P2WPKH, Fingerprint{0x73, 0xc5, 0xda, 0x0a}, path)
	if err != nil || made.String() != d.String() {
		t.Errorf("%s, %v", made, err)
	}
}

func TestDescriptorRefusals(t *testing.T) {
	const x = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V"
	const z = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
	for name, text := range map[string]string{
		"hardened step of a public key":   "wpkh(" + x + "/0h/*)",
		"hardened wildcard of public key": "wpkh(" + x + "/0/*h)",
		"steps after the wildcard":        "wpkh(" + x + "/*/0)",
		"two multipaths":                  "wpkh(" + x + "/<0;1>/<2;3>/*)",
		"multipath of one":                "wpkh(" + x + "/<0>/*)",
		"multipath with a twin":           "wpkh(" + x + "/<0;0>/*)",
		"unfinished multipath":            "wpkh(" + x + "/<0;1/*)",
		"leading zero":                    "wpkh(" + x + "/00/*)",
		"number too large":                "wpkh(" + x + "/2147483648/*)",
		"negative number":                 "wpkh(" + x + "/-1/*)",
		"empty step":                      "wpkh(" + x + "//*)",
		"path that ends in a slash":       "wpkh(" + x + "/0/)",
		"origin of three bytes":           "wpkh([73c5da/84h]" + x + "/*)",
		"origin without end":              "wpkh([73c5da0a" + x + "/*)",
		"origin that ends in a slash":     "wpkh([73c5da0a/]" + x + "/*)",
		"two origins":                     "wpkh([73c5da0a][73c5da0a]" + x + "/*)",
		"zpub outside of wpkh":            "pkh(" + z + "/0/*)",
		"x-only key outside of tr":        "wpkh(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
		"hybrid key":                      "pkh(06a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)",
		"path after a single key":         "wpkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd/0)",
		"a wrong checksum":                "wpkh(" + x + "/0/*)#aaaaaaaa",
		"an empty checksum":               "wpkh(" + x + "/0/*)#",
		"no key":                          "wpkh()",
		"no end":                          "wpkh(" + x,
		"more after the end":              "wpkh(" + x + "))",
		"a path too deep":                 "wpkh(" + x + strings.Repeat("/0", 17) + ")",
		"a text too long":                 "wpkh(" + strings.Repeat("a", maxDescriptor) + ")",
	} {
		if d, err := ParseDescriptor(text, Mainnet); !errors.Is(err, ErrDescriptor) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	if _, err := ParseDescriptor("wpkh("+x+"/0/*)", Signet); !errors.Is(err, ErrWrongNetwork) {
		t.Errorf("an xpub on signet: %v", err)
	}
	if d, err := ParseDescriptor("wpkh("+z+"/0/*)", Mainnet); err != nil || !strings.Contains(d.String(), x) {
		t.Errorf("a zpub in wpkh: %v, %v", d, err)
	}
}

func FuzzParseDescriptor(f *testing.F) {
	var v descriptorVectors
	load(f, "descriptors.json", &v)
	for _, c := range v.Vectors {
		f.Add(c.Descriptor)
	}
	for _, c := range v.Checksum {
		f.Add(c.Descriptor)
	}
	for _, c := range v.Watch {
		f.Add(c.Descriptor)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDescriptor(text, Mainnet)
		if err != nil {
			return
		}
		a, errA := d.Address(0, 0)
		if d.Private() {
			if d.String() != redacted {
				t.Fatalf("%q shows its key", text)
			}
			return
		}
		again, err := ParseDescriptor(d.String(), Mainnet)
		if err != nil || again.String() != d.String() {
			t.Fatalf("%q is written %q and read %v, %v", text, d, again, err)
		}
		if b, errB := again.Address(0, 0); b != a || (errA == nil) != (errB == nil) {
			t.Fatalf("%q: first address %v, %v and %v, %v", text, a, errA, b, errB)
		}
	})
}

// Baseline: 0.13 ms an address of each form (AMD EPYC).
func BenchmarkDescriptorAddress(b *testing.B) {
	var v descriptorVectors
	load(b, "descriptors.json", &v)
	for _, c := range v.Watch {
		if !strings.Contains(c.Descriptor, "/0/*") {
			continue
		}
		d, err := ParseDescriptor(c.Descriptor, Mainnet)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(d.Form().String(), func(b *testing.B) {
			var i uint32
			for b.Loop() {
				if _, err := d.Address(0, i); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
