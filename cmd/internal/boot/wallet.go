package boot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/bitcoin"
	"till/server/wallet"
)

// ErrNoWallet: neither a descriptor nor a seed is configured.
var ErrNoWallet = errors.New("there is no wallet; run till wallet init or till wallet import")

// ErrLocked: the wallet's passphrase is needed and was not given.
var ErrLocked = errors.New("the wallet is locked; give its passphrase with wallet.passphrase_file")

// maxWalletFile bounds the files of a wallet.
const maxWalletFile = 64 << 10

// SeedPath is where the sealed seed of a hot wallet is kept, and DescriptorPath
// the public descriptor of a wallet that only receives.
func SeedPath(c *config.Config, dir string) string {
	if c.Wallet.SeedFile != "" {
		return c.Wallet.SeedFile
	}
	return filepath.Join(dir, "wallet.seed")
}

// DescriptorPath is described at [SeedPath].
func DescriptorPath(dir string) string { return filepath.Join(dir, "wallet.descriptor") }

// OpenWallet opens the wallet that is configured, or that `till wallet` left in
// the data directory: the sealed seed when there is one, else the descriptor.
// Errors: [ErrNoWallet], [ErrLocked].
func OpenWallet(c *config.Config, dir string, passphrase protocol.Secret) (*wallet.Wallet, error) {
	sealed, err := ReadSeed(c, dir)
	switch {
	case err == nil:
		return unlock(c, sealed, passphrase)
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	return openWatching(c, dir)
}

// openWatching opens a wallet that only receives: [ErrNoWallet] without one.
func openWatching(c *config.Config, dir string) (*wallet.Wallet, error) {
	network, err := bitcoin.ParseNetwork(c.Chain.Network)
	if err != nil {
		return nil, err
	}
	descriptor := c.Wallet.Descriptor
	if descriptor == "" {
		text, err := readFile(DescriptorPath(dir))
		if errors.Is(err, os.ErrNotExist) {
			return nil, ErrNoWallet
		}
		if err != nil {
			return nil, fmt.Errorf("read wallet: %w", err)
		}
		descriptor = string(bytes.TrimSpace(text))
	}
	return wallet.Watch(descriptor, network)
}

// ReadSeed reads the sealed seed without opening it; os.ErrNotExist when there
// is none.
func ReadSeed(c *config.Config, dir string) (*wallet.Sealed, error) {
	text, err := readFile(SeedPath(c, dir))
	if err != nil {
		return nil, fmt.Errorf("read wallet: %w", err)
	}
	return wallet.ParseSealed(text)
}

func unlock(c *config.Config, sealed *wallet.Sealed, passphrase protocol.Secret) (*wallet.Wallet, error) {
	if passphrase.Empty() && c.Wallet.PassphraseFile != "" {
		text, err := readFile(c.Wallet.PassphraseFile)
		if err != nil {
			return nil, fmt.Errorf("read passphrase: %w", err)
		}
		passphrase = protocol.NewSecret(string(bytes.TrimRight(text, "\r\n")))
		clear(text)
		defer passphrase.Wipe()
	}
	if passphrase.Empty() {
		return nil, ErrLocked
	}
	return sealed.Open(passphrase)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxWalletFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > maxWalletFile {
		return nil, fmt.Errorf("%s has more than %d bytes", filepath.Base(path), maxWalletFile)
	}
	return text, nil
}

// WriteSeed keeps a sealed seed; it never replaces one.
func WriteSeed(path string, sealed *wallet.Sealed) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s", errWalletExists, path)
	}
	return writeDurably(path, sealed.Text())
}

// errWalletExists refuses to overwrite money.
var errWalletExists = errors.New("there is a wallet already; move its file away first, and keep it")

// WriteDescriptor keeps a descriptor; it never replaces one.
func WriteDescriptor(dir, descriptor string) error {
	path := DescriptorPath(dir)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s", errWalletExists, path)
	}
	return writeDurably(path, []byte(descriptor+"\n"))
}
