package boot

import (
	"crypto/rand"
	"errors"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server/wallet"
)

// backups makes one of a hot wallet and one of a wallet that only receives.
func backups(t testing.TB) map[string]*WalletBackup {
	words := protocol.NewSecret("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")
	sealed, err := wallet.Seal(wallet.New{Words: words, Passphrase: protocol.NewSecret("p"), Network: bitcoin.Regtest,
		Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*WalletBackup{
		"hot":      {Wallet: sealed.Watch(), Sealed: sealed, GapLimit: 1000},
		"watching": {Wallet: sealed.Watch(), GapLimit: 20},
	}
}

func TestWalletBackupIsTakenBackOnlyWhole(t *testing.T) {
	for name, b := range backups(t) {
		text := b.Text()
		back, err := ParseWalletBackup(text)
		if err != nil || back.Wallet.Identity() != b.Wallet.Identity() || back.GapLimit != b.GapLimit || (back.Sealed == nil) != (b.Sealed == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for n := range text {
			if _, err := ParseWalletBackup(text[:n]); !errors.Is(err, ErrBackup) {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

// FuzzParseWalletBackup: whatever is taken is written the same.
func FuzzParseWalletBackup(f *testing.F) {
	for _, b := range backups(f) {
		f.Add(b.Text())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ParseWalletBackup(text)
		if err == nil && string(b.Text()) != string(text) {
			t.Errorf("%q is taken as %q", text, b.Text())
		}
	})
}
