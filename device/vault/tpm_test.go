package vault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
)

func TestATPMKeepsItsKeyUntilItIsErased(t *testing.T) {
	url, dir := startTPM(t), t.TempDir()
	v := openVault(t, url, dir, nil)
	if _, err := v.Signer(); !errors.Is(err, ErrNoKey) {
		t.Fatalf("a new TPM: %v", err)
	}
	s, err := v.Generate()
	made := must(t, s, err)
	verify(t, made)
	if !v.Sealed() {
		t.Error("the disk holds the key")
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = openVault(t, url, dir, nil)
	s, err = v.Signer()
	again := must(t, s, err)
	verify(t, again)
	if !made.Public().(*ecdsa.PublicKey).Equal(again.Public()) {
		t.Error("another key came back")
	}
	s, err = v.Generate()
	next := must(t, s, err)
	if next.Public().(*ecdsa.PublicKey).Equal(again.Public()) {
		t.Error("no new key was made")
	}
	if _, err := again.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("the signer of a replaced key: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is stored, %v", left, err)
	}
	for range 2 { // may be repeated
		if err := v.Erase(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := next.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("the signer of an erased key: %v", err)
	}
	if _, err := openVault(t, url, dir, nil).Signer(); !errors.Is(err, ErrNoKey) {
		t.Errorf("after an erase: %v", err)
	}
}

func TestATPMKeyAsksForTheBootSecret(t *testing.T) {
	url, dir := startTPM(t), t.TempDir()
	s, err := openVault(t, url, dir, []byte("credential")).Generate()
	made := must(t, s, err)
	s, err = openVault(t, url, dir, []byte("credential")).Signer()
	verify(t, must(t, s, err))
	for _, wrong := range [][]byte{nil, []byte("guess")} {
		for range 40 { // guesses do not lock the TPM
			if _, err := openVault(t, url, dir, wrong).Signer(); !errors.Is(err, ErrSealed) {
				t.Fatalf("with secret %q: %v", wrong, err)
			}
			if wrong != nil {
				break // Argon2id makes each one slow
			}
		}
	}
	verify(t, made)
}

func TestATPMKeySignsSHA256Only(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil)
	s, err := v.Generate()
	made := must(t, s, err)
	digest := sha512.Sum512(nil)
	for _, c := range []struct {
		digest []byte
		hash   crypto.Hash
	}{{digest[:], crypto.SHA512}, {digest[:48], crypto.SHA384}, {digest[:20], crypto.SHA1}, {digest[:31], crypto.SHA256}} {
		if _, err := made.Sign(rand.Reader, c.digest, c.hash); err == nil {
			t.Errorf("it signs %v of %d bytes", c.hash, len(c.digest))
		}
	}
	// The TPM itself refuses what the signer would not ask for.
	tpm := v.(*TPM)
	_, err = tpm2.Sign{
		KeyHandle: tpm2.AuthHandle{Handle: tpm.handle, Name: tpm.key.name, Auth: tpm2.PasswordAuth(nil)},
		Digest:    tpm2.TPM2BDigest{Buffer: digest[:48]},
		InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUSigScheme(
			tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA384})},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
	}.Execute(tpm.tpm)
	if err == nil {
		t.Error("the TPM signs SHA-384 with the key")
	}
}

func TestAForeignObjectAtTheHandleIsLeftAlone(t *testing.T) {
	url, dir := startTPM(t), t.TempDir()
	v := openVault(t, url, dir, nil).(*TPM)
	root, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(v.tpm)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner, ObjectHandle: tpm2.NamedHandle{Handle: root.ObjectHandle, Name: root.Name}, PersistentHandle: v.handle}.Execute(v.tpm)
	if err != nil {
		t.Fatal(err)
	}
	v.flush(root.ObjectHandle)
	if _, err := v.Signer(); !errors.Is(err, ErrTaken) {
		t.Errorf("signer: %v", err)
	}
	if _, err := v.Generate(); !errors.Is(err, ErrTaken) {
		t.Errorf("generate: %v", err)
	}
	if err := v.Erase(); err != nil {
		t.Errorf("erase: %v", err)
	}
	if _, err := (tpm2.ReadPublic{ObjectHandle: v.handle}).Execute(v.tpm); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	// Another handle is free.
	s, err := openVault(t, url+"?handle=0x81710002", dir, nil).Generate()
	verify(t, must(t, s, err))
}

func TestATPMThatComesBackIsUsedAgain(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
	s, err := v.Generate()
	signer := must(t, s, err)
	dial := v.tpm.dial
	v.tpm.dial = func() (tpmConn, error) { return nil, io.ErrClosedPipe }
	if _, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("without a TPM: %v", err)
	}
	if err := v.Erase(); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("erase without a TPM: %v", err)
	}
	v.tpm.dial = dial
	if _, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key whose erase has begun signs: %v", err)
	}
	if unfinished, err := begun(v.dir); !unfinished || err != nil {
		t.Errorf("the erase is not marked: %v", err)
	}
	if err := v.Erase(); err != nil {
		t.Error(err)
	}
}

func TestVaultURLsAreStrict(t *testing.T) {
	for _, url := range []string{
		"", "tpm:", "tpm:dev/tpm0", "tpm:/dev/../tpm0", "tpm:/", "tpm:unix:", "tpm:unix:sock", "tpm:tcp://", "tpm:tcp://host", "tpm:tcp://host:0", "tpm:tcp://:1",
		"tpm:tcp://h:1/x", "tpm:/dev/tpm0?", "tpm:/dev/tpm0?handle=1", "tpm:/dev/tpm0?handle=0x81800000", "tpm:/dev/tpm0?handle=0x81000000&x=1", "file:/x", "http://x", "tpm:" + strings.Repeat("x", 2000),
	} {
		if _, err := Open(url, t.TempDir(), nil, rand.Reader); err == nil || strings.Contains(err.Error(), "open TPM") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"tpm:/dev/tpmrm0", "tpm:unix:/run/x", "tpm:tcp://[::1]:2321", "tpm:/dev/tpm0?handle=0x8100abcd"} {
		if _, _, err := parseTPM(url); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	file := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("tpm:"+file, t.TempDir(), nil, rand.Reader); err == nil {
		t.Error("a file passes for a TPM")
	}
	if text, err := os.ReadFile(file); string(text) != "data" || err != nil {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

// FuzzRoundTrip: an answer is taken only as long as its header says.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0}, 3)
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0}, 12)
	f.Add([]byte{0x80, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}, 10)
	f.Fuzz(func(t *testing.T, answer []byte, piece int) {
		got, err := roundTrip(&script{answer, max(piece, 1)}, nil)
		if err == nil && (len(got) < headerSize || int(binary.BigEndian.Uint32(got[2:])) != len(got) || !bytes.HasPrefix(answer, got)) {
			t.Errorf("% x was taken for % x", got, answer)
		}
	})
}

// script is a TPM that says the same in pieces.
type script struct {
	rest  []byte
	piece int
}

func (s *script) Write(p []byte) (int, error) { return len(p), nil }

func (s *script) Read(p []byte) (int, error) {
	n := copy(p, s.rest[:min(s.piece, len(s.rest))])
	s.rest = s.rest[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func BenchmarkSignTPM(b *testing.B)       { benchmarkSign(b, startTPM(b), nil) }
func BenchmarkSignTPMSecret(b *testing.B) { benchmarkSign(b, startTPM(b), []byte("secret")) }
func BenchmarkSignFile(b *testing.B)      { benchmarkSign(b, "file:", nil) }

func benchmarkSign(b *testing.B, url string, secret []byte) {
	s, err := openVault(b, url, b.TempDir(), secret).Generate()
	signer := must(b, s, err)
	digest := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}
