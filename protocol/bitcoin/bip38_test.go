package bitcoin

import (
	"encoding/hex"
	"errors"
	"testing"

	"till/protocol"
)

type bip38Vector struct {
	Passphrase, Encrypted, WIF, Address string
	Multiplied                          bool `json:"ec_multiply"`
	Lot, Sequence                       int
	HasLot                              bool `json:"intermediate_has_lot"`
}

type bip38Vectors struct {
	Valid  []bip38Vector
	Ranges []struct {
		Encoded string
		Raw     string `json:"raw_hex"`
	} `json:"prefix_ranges"`
	Invalid []struct{ Description, Base58, Passphrase string }
}

func secret(text string) protocol.Secret { return protocol.NewSecret(text) }

func TestBIP38OpensThePublishedVectors(t *testing.T) {
	var v bip38Vectors
	load(t, "bip38.json", &v)
	for _, c := range v.Valid {
		t.Run(c.Encrypted, func(t *testing.T) {
			t.Parallel()
			testBIP38Vector(t, c)
		})
	}
}

func testBIP38Vector(t *testing.T, c bip38Vector) {
	b, err := ParseBIP38(c.Encrypted)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != c.Encrypted || b.Multiplied() != c.Multiplied {
		t.Errorf("%s, multiplied %v", b, b.Multiplied())
	}
	if lot, sequence, ok := b.Lot(); ok != c.HasLot || lot != c.Lot || sequence != c.Sequence {
		t.Errorf("lot %d, sequence %d, %v", lot, sequence, ok)
	}
	key, err := b.Decrypt(secret(c.Passphrase), Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	if got := key.WIFs(Mainnet)[0].Reveal(); got != c.WIF {
		t.Errorf("%s, want %s", got, c.WIF)
	}
	if got := key.Addresses(Mainnet)[0].String(); got != c.Address {
		t.Errorf("address %s, want %s", got, c.Address)
	}
	if c.Multiplied || c.Passphrase == "Satoshi" {
		return // the plain kind is encrypted again for the other passphrases: each costs as much as a guess
	}
	again, err := EncryptBIP38(key, secret(c.Passphrase), Mainnet)
	if err != nil || again != b {
		t.Errorf("encrypted again: %s, %v", again, err)
	}
}

func TestBIP38Refusals(t *testing.T) {
	var v bip38Vectors
	load(t, "bip38.json", &v)
	for _, c := range v.Invalid {
		b, err := ParseBIP38(c.Base58)
		if c.Passphrase != "" {
			if _, err := b.Decrypt(secret(c.Passphrase), Mainnet); !errors.Is(err, ErrPassphrase) {
				t.Errorf("%s: %v", c.Description, err)
			}
			continue
		}
		if !errors.Is(err, ErrKey) && !errors.Is(err, ErrTypo) {
			t.Errorf("%s: %v", c.Description, err)
		}
	}
	for _, c := range v.Ranges {
		b, err := ParseBIP38(c.Encoded)
		if err != nil || hex.EncodeToString(b.raw[:]) != c.Raw || b.String() != c.Encoded {
			t.Errorf("%s: %x, %v", c.Encoded, b.raw, err)
		}
	}
	for name, raw := range map[string]string{
		"plain with a lot":         "0142c4",
		"plain without its flags":  "014200",
		"plain with a spare bit":   "0142c1",
		"multiplied with its bits": "0143c0",
		"multiplied, spare bit":    "014310",
	} {
		full := append(unhexed(t, raw), make([]byte, 36)...)
		if b, err := bip38OfBytes(full); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	b, _ := ParseBIP38(v.Valid[0].Encrypted)
	for _, pass := range []string{"", string(make([]byte, maxPassphrase+1)), "\xff"} {
		if _, err := b.Decrypt(secret(pass), Mainnet); !errors.Is(err, ErrPassphrase) {
			t.Errorf("passphrase of %d bytes: %v", len(pass), err)
		}
	}
}

func TestBIP38OfAnotherNetworkSaysSo(t *testing.T) {
	key, err := ParseHexKey("4c7a9640c72dc2099f23715d0c8a0d8a35f8906e3cab61dd3f78b67bf887c9ab")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := EncryptBIP38(key, secret("x"), Regtest); !errors.Is(err, ErrKey) {
		t.Errorf("a key of two public forms is encrypted: %v", err)
	}
	key.forms = Compressed
	b, err := EncryptBIP38(key, secret("x"), Regtest)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := b.Decrypt(secret("x"), Regtest); err != nil || !back.Equal(key) {
		t.Errorf("does not come back: %v", err)
	}
	if _, err := b.Decrypt(secret("x"), Mainnet); !errors.Is(err, ErrWrongNetwork) {
		t.Errorf("on mainnet: %v", err)
	}
}

func FuzzParseBIP38(f *testing.F) {
	var v bip38Vectors
	load(f, "bip38.json", &v)
	for _, c := range v.Valid {
		f.Add(c.Encrypted)
	}
	for _, c := range v.Invalid {
		f.Add(c.Base58)
	}
	for _, c := range v.Ranges {
		f.Add(c.Encoded)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := ParseBIP38(text); err == nil && b.String() != text {
			t.Fatalf("%q is written %q", text, b)
		}
	})
}

// Baseline: 0.32 s plain, 0.35 s multiplied, 17 MB (AMD EPYC).
func BenchmarkBIP38Decrypt(b *testing.B) {
	var v bip38Vectors
	load(b, "bip38.json", &v)
	for name, i := range map[string]int{"plain": 0, "multiplied": 7} {
		key, err := ParseBIP38(v.Valid[i].Encrypted)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := key.Decrypt(secret(v.Valid[i].Passphrase), Mainnet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
