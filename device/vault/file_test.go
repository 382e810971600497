package vault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func vaultIn(t *testing.T, dir string, secret []byte) *File {
	t.Helper()
	f, err := OpenFile(dir, secret, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAKeySurvivesReopeningWithItsSecretOnly(t *testing.T) {
	for name, secret := range map[string][]byte{"boot secret": []byte("credential"), "none": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := vaultIn(t, dir, secret)
			if _, err := f.Signer(); !errors.Is(err, ErrNoKey) {
				t.Fatalf("an empty vault: %v", err)
			}
			made, err := f.Generate()
			if err != nil {
				t.Fatal(err)
			}
			again, err := vaultIn(t, dir, secret).Signer()
			if err != nil {
				t.Fatal(err)
			}
			if !made.Public().(*ecdsa.PublicKey).Equal(again.Public()) {
				t.Error("another key came back")
			}
			_, err = vaultIn(t, dir, []byte("wrong")).Signer()
			if !errors.Is(err, ErrSealed) {
				t.Errorf("with a wrong secret: %v", err)
			}
			if f.Sealed() != (secret != nil) {
				t.Errorf("sealed %v", f.Sealed())
			}
		})
	}
}

func TestEveryBitOfTheSealedFileCounts(t *testing.T) {
	dir := t.TempDir()
	f := vaultIn(t, dir, nil)
	if _, err := f.Generate(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, keyFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := vaultIn(t, dir, nil).Signer(); err == nil {
			t.Fatalf("byte %d may be altered", i)
		}
	}
}

func TestAnErasedKeyIsGoneAndAnInterruptedEraseIsFinished(t *testing.T) {
	for _, cut := range []string{"", secretFile, keyFile} {
		dir := t.TempDir()
		f := vaultIn(t, dir, nil)
		if _, err := f.Generate(); err != nil {
			t.Fatal(err)
		}
		if cut == "" {
			if err := f.Erase(); err != nil {
				t.Fatal(err)
			}
		} else { // the power went after the mark, or after the first file
			if err := replace(filepath.Join(dir, eraseMark), nil); err != nil {
				t.Fatal(err)
			}
			if cut == keyFile {
				if err := shred(filepath.Join(dir, secretFile)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := vaultIn(t, dir, nil).Signer(); !errors.Is(err, ErrNoKey) {
			t.Errorf("cut at %q: %v", cut, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 0 {
			t.Errorf("cut at %q: %v is left, %v", cut, left, err)
		}
	}
}

func TestSignersOfAKeyThatIsGoneSignNothing(t *testing.T) {
	digest := make([]byte, 32)
	for name, end := range map[string]func(*File) error{
		"erased": (*File).Erase, "closed": (*File).Close,
		"tampered": func(f *File) error { return f.Tamper("lid") },
		"replaced": func(f *File) error { _, err := f.Generate(); return err },
	} {
		f := vaultIn(t, t.TempDir(), nil)
		s, err := f.Generate()
		if err != nil {
			t.Fatal(err)
		}
		//lint:ignore SA1019 to see that these words are wiped
		words := f.key.D.Bits()
		if _, err := s.Sign(rand.Reader, digest, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
		if err := end(f); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(rand.Reader, digest, crypto.SHA256); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range words {
			if w != 0 {
				t.Errorf("%s: the scalar is still in memory", name)
				break
			}
		}
	}
}

func TestTheSensorIsRememberedUntilAcknowledged(t *testing.T) {
	dir := t.TempDir()
	f := vaultIn(t, dir, nil)
	if err := f.Erase(); err != nil {
		t.Fatal(err)
	}
	if _, found, err := Tampered(dir); found || err != nil {
		t.Errorf("a plain erase is told as tampering: %v", err)
	}
	if err := f.Tamper("case switch\n" + strings.Repeat("x", 100)); err != nil {
		t.Fatal(err)
	}
	if err := f.Erase(); err != nil { // forgets nothing
		t.Fatal(err)
	}
	want := ("case-switch-" + strings.Repeat("x", 100))[:maxSensor]
	if sensor, found, err := Tampered(dir); sensor != want || !found || err != nil {
		t.Errorf("%q, %v, %v", sensor, found, err)
	}
	if _, err := f.Generate(); err != nil {
		t.Fatal(err)
	}
	if _, err := vaultIn(t, dir, nil).Signer(); err != nil {
		t.Errorf("a remembered sensor erases a new key: %v", err)
	}
	for range 2 {
		if err := Acknowledge(dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := Tampered(dir); found || err != nil {
		t.Errorf("acknowledged: %v, %v", found, err)
	}
}

// TestAFullDiskStopsNoErase: the mark cannot be written, the key is gone.
func TestAFullDiskStopsNoErase(t *testing.T) {
	dir := t.TempDir()
	f := vaultIn(t, dir, nil)
	if _, err := f.Generate(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, eraseMark+".new"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Erase(); err == nil {
		t.Error("an erase without its mark is told as whole")
	}
	if _, err := f.Signer(); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key: %v", err)
	}
}

func TestTheFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := vaultIn(t, dir, nil).Generate(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{keyFile, secretFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	v, err := OpenFile(dir, nil, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := v.Generate(); err != nil {
		f.Fatal(err)
	}
	sealed, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := v.open(text); err == nil && !bytes.Equal(text, sealed) {
			t.Error("a file that was not sealed here opens")
		}
	})
}
