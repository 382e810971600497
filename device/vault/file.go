package vault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// The sealed file: magic ‖ salt 16 ‖ nonce 24 ‖ XChaCha20-Poly1305 of the key in
// PKCS #8, with magic and salt authenticated. Argon2id: t=3, m=64 MiB, p=1.
const (
	magic     = "till-vault-1\n"
	saltSize  = 16
	maxFile   = 4 << 10
	maxSecret = 4 << 10
)

const (
	keyFile    = "vault.key"    // sealed
	secretFile = "vault.secret" // the boot secret when nobody gave one
)

// File is a vault in a folder of its own or of others. It is safe for
// concurrent use.
type File struct {
	dir    string
	given  bool
	random io.Reader

	mu     sync.Mutex
	secret []byte
	key    *ecdsa.PrivateKey
}

// OpenFile opens the vault in dir. secret is the boot secret, nil for none; it
// is copied. An erase that was interrupted is finished first.
func OpenFile(dir string, secret []byte, random io.Reader) (*File, error) {
	if len(secret) > maxSecret {
		return nil, fmt.Errorf("open vault: the boot secret has more than %d bytes", maxSecret)
	}
	f := &File{dir: dir, given: len(secret) > 0, random: random, secret: bytes.Clone(secret)}
	unfinished, err := begun(dir)
	if err == nil && unfinished {
		err = f.Erase()
	}
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return f, nil
}

// Sealed reports whether a boot secret protects the key from who has the disk.
func (f *File) Sealed() bool { return f.given }

// Signer gives the key. Errors: [ErrNoKey], [ErrSealed].
func (f *File) Signer() (crypto.Signer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.key != nil {
		return fileSigner{f, f.key}, nil
	}
	sealed, err := readLimited(f.path(keyFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read vault: %w", err)
	}
	plain, err := f.open(sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, errors.New("read vault: the sealed key is malformed")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("read vault: the sealed key is not P-256")
	}
	f.key = key
	return fileSigner{f, key}, nil
}

// Generate makes a new key and keeps it in place of the present one, durably,
// before it returns.
func (f *File) Generate() (crypto.Signer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, err := ecdsa.GenerateKey(elliptic.P256(), f.random)
	if err != nil {
		return nil, fmt.Errorf("make vault key: %w", err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make vault key: %w", err)
	}
	defer clear(plain)
	sealed, err := f.seal(plain)
	if err != nil {
		return nil, err
	}
	if err := replace(f.path(keyFile), sealed); err != nil {
		return nil, fmt.Errorf("write vault: %w", err)
	}
	f.forget()
	f.key = key
	return fileSigner{f, key}, nil
}

// Erase destroys the key, and the secret beside it, for good.
func (f *File) Erase() error { return f.erase("") }

// Tamper is Erase because of a sensor.
func (f *File) Tamper(sensor string) error { return f.erase(nameOfSensor(sensor)) }

func (f *File) erase(sensor string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget()
	if !f.given {
		clear(f.secret)
		f.secret = nil
	}
	return erase(f.dir, sensor, func() (err error) {
		for _, name := range []string{secretFile, keyFile, keyFile + ".new", secretFile + ".new"} {
			err = errors.Join(err, shred(f.path(name)))
		}
		return err
	})
}

// Close forgets the key and the boot secret in memory.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget()
	clear(f.secret)
	f.secret = nil
	return nil
}

// forget wipes the key in memory; signers that were handed out are then void.
func (f *File) forget() {
	if f.key != nil {
		//lint:ignore SA1019 the scalar's own words are wiped, not changed into another key
		clear(f.key.D.Bits())
		f.key = nil
	}
}

// fileSigner is the key as long as it is the vault's.
type fileSigner struct {
	file *File
	key  *ecdsa.PrivateKey
}

// Public is the key's *ecdsa.PublicKey.
func (s fileSigner) Public() crypto.PublicKey { return &s.key.PublicKey }

// Sign signs, or fails with ErrNoKey once the key is erased or replaced.
func (s fileSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	if s.file.key != s.key {
		return nil, ErrNoKey
	}
	return s.key.Sign(random, digest, opts)
}

func (f *File) path(name string) string { return filepath.Join(f.dir, name) }

// sealingKey derives the key of the file from the boot secret.
func (f *File) sealingKey(salt []byte) ([]byte, error) {
	if f.given {
		return argon2.IDKey(f.secret, salt, 3, 64<<10, 1, chacha20poly1305.KeySize), nil
	}
	if f.secret == nil {
		kept, err := readLimited(f.path(secretFile))
		if errors.Is(err, os.ErrNotExist) {
			kept = make([]byte, chacha20poly1305.KeySize)
			if _, err = io.ReadFull(f.random, kept); err == nil {
				err = replace(f.path(secretFile), kept)
			}
		}
		if err != nil || len(kept) != chacha20poly1305.KeySize {
			return nil, errors.Join(errors.New("the secret beside the vault is not usable"), err)
		}
		f.secret = kept
	}
	// A random key of full length needs no stretching.
	return f.secret, nil
}

func (f *File) seal(plain []byte) ([]byte, error) {
	header := make([]byte, len(magic)+saltSize+chacha20poly1305.NonceSizeX)
	copy(header, magic)
	if _, err := io.ReadFull(f.random, header[len(magic):]); err != nil {
		return nil, fmt.Errorf("seal vault: %w", err)
	}
	salt, nonce := header[len(magic):len(magic)+saltSize], header[len(magic)+saltSize:]
	key, err := f.sealingKey(salt)
	if err != nil {
		return nil, fmt.Errorf("seal vault: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("seal vault: %w", err)
	}
	return aead.Seal(header, nonce, plain, header[:len(magic)+saltSize]), nil
}

func (f *File) open(sealed []byte) ([]byte, error) {
	size := len(magic) + saltSize + chacha20poly1305.NonceSizeX
	if len(sealed) < size || string(sealed[:len(magic)]) != magic {
		return nil, errors.New("read vault: this is not a vault of till")
	}
	salt, nonce := sealed[len(magic):len(magic)+saltSize], sealed[len(magic)+saltSize:size]
	key, err := f.sealingKey(salt)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	plain, err := aead.Open(nil, nonce, sealed[size:], sealed[:len(magic)+saltSize])
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// readLimited reads a small file.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", filepath.Base(path), maxFile)
	}
	return text, nil
}

// replace writes a file durably under its name or leaves the old one.
func replace(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// shred overwrites a file in place, syncs, unlinks and syncs the folder.
func shred(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(make([]byte, min(info.Size(), maxFile)), 0)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Remove(path), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
