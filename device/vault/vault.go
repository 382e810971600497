package vault

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of a vault.
var (
	// ErrNoKey: there is no key, or it was erased; generate one and pair anew.
	ErrNoKey = errors.New("the vault holds no key")
	// ErrSealed: the boot secret is not the one the key was sealed with.
	ErrSealed = errors.New("the vault does not open with this boot secret")
	// ErrTaken: something else lies at the TPM's handle; choose another one.
	ErrTaken = errors.New("the TPM handle is taken by something that is not till's")
)

// Vault holds one ECDSA P-256 key. Vaults are safe for concurrent use.
type Vault interface {
	// Signer gives the key. Errors: [ErrNoKey], [ErrSealed], [ErrTaken].
	Signer() (crypto.Signer, error)
	// Generate makes a new key in place of the present one, durably.
	Generate() (crypto.Signer, error)
	// Erase destroys the key for good; package vault says what may survive.
	// Erasing nothing is no error. After an error it must be called again.
	Erase() error
	// Tamper is Erase because of a sensor, which [Tampered] tells from then on.
	Tamper(sensor string) error
	// Sealed reports whether the key is safe from who has the disk.
	Sealed() bool
	// Close forgets the key in memory.
	Close() error
}

// Open opens the vault named by a URL (vault.url in cli.md):
//
//	file:                       sealed in dir
//	tpm:/dev/tpmrm0             the kernel's TPM
//	tpm:unix:/run/swtpm.sock    a software TPM's socket
//	tpm:tcp://127.0.0.1:2321
//
// The TPM's take ?handle=0x81710001, the persistent handle that holds the key.
// secret is the boot secret, nil for none; it is copied. dir holds the sealed
// file and the marks of an erase. An erase that was interrupted is finished
// first.
func Open(url, dir string, secret []byte, random io.Reader) (Vault, error) {
	switch {
	case len(url) > maxURL:
		return nil, fmt.Errorf("vault URL of %d bytes: longer than %d", len(url), maxURL)
	case url == "file:":
		return OpenFile(dir, secret, random)
	case strings.HasPrefix(url, "tpm:"):
		return OpenTPM(url, dir, secret, random)
	}
	return nil, fmt.Errorf("vault URL %q: write file:, tpm:/dev/tpmrm0, tpm:unix:/PATH or tpm:tcp://HOST:PORT", url)
}

const maxURL = 1024

var _, _ Vault = (*File)(nil), (*TPM)(nil)
