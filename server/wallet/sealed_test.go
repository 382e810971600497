package wallet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
)

func TestSealedFileOpensWithItsPassphraseOnly(t *testing.T) {
	text := seal(t, bitcoin.P2WPKH, bitcoin.Testnet4).Text()
	s, err := ParseSealed(text)
	if err != nil || !bytes.Equal(s.Text(), text) || s.Network() != bitcoin.Testnet4 {
		t.Fatalf("%v", err)
	}
	w, err := s.Open(protocol.NewSecret("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if a, err := w.Derive(0, 5); err != nil || a.Path != "84'/1'/0'/0/5" || !strings.HasPrefix(a.Text, "tb1q") {
		t.Errorf("%+v, %v", a, err)
	}
	for _, pass := range []string{"", "open sesam", "Open sesame", "open sesame ", strings.Repeat("x", maxPassphrase+1)} {
		if _, err := s.Open(protocol.NewSecret(pass)); !errors.Is(err, ErrPassphrase) {
			t.Errorf("passphrase %.20q: %v", pass, err)
		}
	}
	if bytes.Contains(text, []byte("abandon")) {
		t.Error("the file has the words in clear")
	}
}

func TestSealedFileCannotBeChanged(t *testing.T) {
	text := seal(t, bitcoin.P2TR, bitcoin.Mainnet).Text()
	other := seal(t, bitcoin.P2WPKH, bitcoin.Mainnet).Text()
	if bytes.Equal(text, other) {
		t.Fatal("two wallets, one file")
	}
	refused := 0
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		s, err := ParseSealed(changed)
		if err != nil {
			if !errors.Is(err, ErrSealed) {
				t.Errorf("byte %d: %v", i, err)
			}
			refused++
			continue
		}
		if i%16 != 0 {
			continue // opening costs; one byte of each kind is enough
		}
		if _, err := s.Open(protocol.NewSecret("open sesame")); !errors.Is(err, ErrPassphrase) {
			t.Errorf("byte %d %q: %v", i, text[i], err)
		}
	}
	if refused == 0 {
		t.Error("every change was read")
	}
	// The head of one wallet with the box of another.
	a, b := strings.SplitAfter(string(text), "\n"), strings.SplitAfter(string(other), "\n")
	s, err := ParseSealed([]byte(strings.Join(append(b[:4:4], a[4]), "")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(protocol.NewSecret("open sesame")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("a foreign descriptor: %v", err)
	}
}

func TestSealedFileHasOneForm(t *testing.T) {
	text := string(seal(t, bitcoin.P2WPKH, bitcoin.Mainnet).Text())
	for name, changed := range map[string]string{
		"carriage returns":  strings.ReplaceAll(text, "\n", "\r\n"),
		"capitals in hex":   strings.Replace(text, "0707", "07A7", 1),
		"no line feed":      strings.TrimSuffix(text, "\n"),
		"a line more":       text + "\n",
		"two spaces":        strings.Replace(text, "argon2id ", "argon2id  ", 1),
		"leading zero":      strings.Replace(text, "argon2id 1", "argon2id 01", 1),
		"next version":      strings.Replace(text, "till-wallet 1", "till-wallet 2", 1),
		"unknown network":   strings.Replace(text, "network mainnet", "network moon", 1),
		"no pass":           strings.Replace(text, "argon2id 1 ", "argon2id 0 ", 1),
		"too many passes":   strings.Replace(text, "argon2id 1 ", "argon2id 17 ", 1),
		"too much memory":   strings.Replace(text, " 8192 ", " 1048577 ", 1),
		"too little memory": strings.Replace(text, " 8192 ", " 8191 ", 1),
		"nine lanes":        strings.Replace(text, " 8192 1 ", " 8192 9 ", 1),
		"short salt":        strings.Replace(text, "07 ", " ", 1) + "",
		"other function":    strings.Replace(text, "argon2id", "scrypt", 1),
		"other cipher":      strings.Replace(text, "xchacha20poly1305", "aes256gcm", 1),
		"without checksum":  text[:strings.Index(text, "#")] + text[strings.Index(text, "#")+9:],
		"too long":          text + strings.Repeat(" ", maxSealed),
		"empty":             "",
	} {
		if changed == text {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ParseSealed([]byte(changed)); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSealRefusals(t *testing.T) {
	good := New{Words: protocol.NewSecret(words), Passphrase: protocol.NewSecret("x"), Network: bitcoin.Regtest, Cost: cheap}
	random := func() *bytes.Reader { return bytes.NewReader(make([]byte, 64)) }
	if _, err := Seal(good, random()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(n *New){
		"no words":            func(n *New) { n.Words = protocol.Secret{} },
		"a wrong checksum":    func(n *New) { n.Words = protocol.NewSecret(strings.Replace(words, "about", "abandon", 1)) },
		"a word not listed":   func(n *New) { n.Words = protocol.NewSecret(strings.Replace(words, "about", "aboot", 1)) },
		"an accented extra":   func(n *New) { n.Extra = protocol.NewSecret("é") },
		"no passphrase":       func(n *New) { n.Passphrase = protocol.Secret{} },
		"no cost":             func(n *New) { n.Cost = Cost{} },
		"a form that is none": func(n *New) { n.Form = bitcoin.P2WSH },
	} {
		n := good
		change(&n)
		if _, err := Seal(n, random()); err == nil {
			t.Errorf("%s: sealed", name)
		} else if strings.Contains(err.Error(), "aboot") {
			t.Errorf("%s: the error repeats a word: %v", name, err)
		}
	}
	if _, err := Seal(good, bytes.NewReader(make([]byte, 20))); err == nil {
		t.Error("sealed without enough chance")
	}
}

// The seeds are of the test vectors published with BIP39 by Trezor
// (python-mnemonic, vectors.json), the last of the project's hd.json.
func TestWordsGiveThePublishedSeeds(t *testing.T) {
	var v hdVectors
	load(t, "hd.json", &v)
	for _, c := range []struct{ entropy, words, extra, seed string }{
		{"00000000000000000000000000000000", words, "TREZOR",
			"c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"},
		{"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank yellow", "TREZOR",
			"2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607"},
		{"00000000000000000000000000000000", words, "", v.Seed},
	} {
		entropy, err := hex.DecodeString(c.entropy)
		if err != nil {
			t.Fatal(err)
		}
		got, err := NewWords(bytes.NewReader(entropy), 12)
		if err != nil || got.Reveal() != c.words {
			t.Errorf("%s: other words, %v", c.entropy, err)
		}
		seed, err := seedOf(protocol.NewSecret(c.words), protocol.NewSecret(c.extra))
		if err != nil || hex.EncodeToString(seed) != c.seed {
			t.Errorf("%s: seed %x, %v", c.words, seed, err)
		}
	}
}

func TestWordsAsPeopleTypeThem(t *testing.T) {
	typed := "  ABANDON abandon\tabandon abandon abandon abandon\nabandon abandon abandon abandon abandon   About "
	if got, err := ReadWords(protocol.NewSecret(typed)); err != nil || got.Reveal() != words {
		t.Errorf("%v", err)
	}
	for _, n := range []int{12, 15, 18, 21, 24} {
		w, err := NewWords(bytes.NewReader(bytes.Repeat([]byte{byte(n)}, 32)), n)
		if err != nil || len(strings.Fields(w.Reveal())) != n {
			t.Errorf("%d words: %v", n, err)
		}
		if _, err := ReadWords(w); err != nil {
			t.Errorf("%d words: %v", n, err)
		}
	}
	for _, n := range []int{0, 11, 13, 27, -12} {
		if _, err := NewWords(bytes.NewReader(make([]byte, 64)), n); !errors.Is(err, ErrWords) {
			t.Errorf("%d words: %v", n, err)
		}
	}
	_, err := ReadWords(protocol.NewSecret(strings.Replace(words, "about", "aboot", 1)))
	if !errors.Is(err, ErrWords) || !strings.Contains(err.Error(), "word 12") || strings.Contains(err.Error(), "aboot") {
		t.Errorf("a word not listed: %v", err)
	}
	for _, text := range []string{"", words + " abandon", strings.Repeat("abandon ", 12), strings.Repeat("a", 5000)} {
		if _, err := ReadWords(protocol.NewSecret(text)); !errors.Is(err, ErrWords) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func FuzzParseSealed(f *testing.F) {
	for _, form := range forms {
		f.Add(seal(f, form, bitcoin.Mainnet).Text())
	}
	f.Add([]byte(fmt.Sprintf("%s\nnetwork regtest\ndescriptor x\nargon2id 1 8192 1 00\nxchacha20poly1305 00 00\n", sealedVersion)))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSealed(text)
		if err == nil && !bytes.Equal(s.Text(), text) {
			t.Fatalf("%q is written %q", text, s.Text())
		}
	})
}

// Baseline: 0.10 s and 67 MB at the default cost (AMD EPYC, 2 cores).
func BenchmarkOpen(b *testing.B) {
	s, err := Seal(New{
		Words: protocol.NewSecret(words), Passphrase: protocol.NewSecret("x"), Network: bitcoin.Mainnet, Cost: DefaultCost,
	}, bytes.NewReader(make([]byte, 64)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w, err := s.Open(protocol.NewSecret("x"))
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
