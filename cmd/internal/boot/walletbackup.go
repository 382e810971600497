package boot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"till/cmd/internal/config"
	"till/protocol/bitcoin"
	"till/server/wallet"
)

// WalletBackup is what a wallet is restored from on another machine: the sealed
// seed as it lies on disk, which opens with its passphrase only, or the descriptor
// of a wallet that only receives. As text:
//
//	till-wallet-backup 1
//	network regtest
//	fingerprint 73c5da0a
//	descriptor wpkh(…)#…
//	gap_limit 1000
//	seed sealed
//
// and an empty line and the file of [wallet.Sealed]; of a wallet that only receives
// the last line is "seed none". Each line ends with a line feed. The words are not in it: they are shown once, when the
// wallet is made. Money in addresses beyond the gap limit is not found again with
// a smaller one, so that it stands here.
type WalletBackup struct {
	Wallet   *wallet.Wallet
	Sealed   *wallet.Sealed // nil receives only
	GapLimit int64
}

const backupHead = "till-wallet-backup 1"

// ErrBackup: the file is not a backup of a wallet, or was changed.
var ErrBackup = errors.New("not a backup of a wallet")

// ReadWalletForBackup reads the wallet of a data directory; nothing is opened.
func ReadWalletForBackup(o ServerOptions) (*WalletBackup, error) {
	if o.Practice {
		o.Config = practiceConfig(*o.Config)
	}
	b := &WalletBackup{GapLimit: o.Config.Wallet.GapLimit}
	sealed, err := ReadSeed(o.Config, o.Dir)
	switch {
	case err == nil:
		b.Sealed, b.Wallet = sealed, sealed.Watch()
		return b, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	b.Wallet, err = openWatching(o.Config, o.Dir)
	return b, err
}

// Text writes the backup.
func (b *WalletBackup) Text() []byte {
	id := b.Wallet.Identity()
	text := fmt.Appendf(nil, "%s\nnetwork %s\nfingerprint %s\ndescriptor %s\ngap_limit %d\n",
		backupHead, id.Network, id.Fingerprint, b.Wallet.Descriptor(), b.GapLimit)
	if b.Sealed == nil {
		return append(text, "seed none\n"...)
	}
	return append(append(text, "seed sealed\n\n"...), b.Sealed.Text()...)
}

// ParseWalletBackup reads what [WalletBackup.Text] writes and nothing else; all
// errors wrap [ErrBackup].
func ParseWalletBackup(text []byte) (*WalletBackup, error) {
	if len(text) > maxWalletFile {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrBackup, maxWalletFile)
	}
	head, sealed, hot := strings.Cut(string(text), "\n\n")
	values := map[string]string{}
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		values[name] = value
	}
	gap, err := strconv.ParseInt(values["gap_limit"], 10, 32)
	if err != nil || gap < 1 {
		return nil, fmt.Errorf("%w: gap_limit", ErrBackup)
	}
	b := &WalletBackup{GapLimit: gap}
	if hot {
		if b.Sealed, err = wallet.ParseSealed([]byte(sealed)); err == nil {
			b.Wallet = b.Sealed.Watch()
		}
	} else {
		var network bitcoin.Network
		if network, err = bitcoin.ParseNetwork(values["network"]); err == nil {
			b.Wallet, err = wallet.Watch(values["descriptor"], network)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if !bytes.Equal(b.Text(), text) {
		return nil, fmt.Errorf("%w: its parts do not belong together", ErrBackup)
	}
	return b, nil
}

// ReadWalletBackup reads a backup's file.
func ReadWalletBackup(path string) (*WalletBackup, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	return ParseWalletBackup(text)
}

// WriteWalletBackup writes a backup's file, mode 0600; it never replaces one:
// os.ErrExist.
func WriteWalletBackup(path string, b *WalletBackup) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	_, err = f.Write(b.Text())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write backup: %w", err), os.Remove(path))
	}
	return nil
}

// RestoreWallet puts a backup's wallet where the server looks for it.
func RestoreWallet(c *config.Config, dir string, b *WalletBackup) error {
	if b.Sealed != nil {
		return WriteSeed(SeedPath(c, dir), b.Sealed)
	}
	return WriteDescriptor(dir, b.Wallet.Descriptor())
}
