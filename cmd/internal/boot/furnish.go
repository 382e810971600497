package boot

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"

	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/chain"
	"till/server/wallet"
)

// practicePassphrase seals the practice wallet, which holds practice coins only.
const practicePassphrase = "practice"

// practiceStaff are the users of a practice shop (cli.md), PINs included.
var practiceStaff = []struct {
	id, name string
	role     protocol.Role
	pin      string
}{
	{"1", "Anna", protocol.RoleCashier, "1111"},
	{"2", "Marek", protocol.RoleManager, "2222"},
	{"3", "Olga", protocol.RoleOwner, "3333"},
}

// practiceGoods is the catalogue of a practice shop, prices in minor units.
var practiceGoods = []struct {
	sku, name, category, barcode string
	price                        int64
	tax                          string
}{
	{"espresso", "Espresso", "coffee", "", 250, "A"},
	{"melange", "Melange", "coffee", "", 480, "A"},
	{"cappuccino", "Cappuccino", "coffee", "", 450, "A"},
	{"cafe-creme", "Café crème", "coffee", "", 420, "A"},
	{"tea", "Pot of tea", "tea", "", 390, "A"},
	{"water", "Mineral water", "cold", "90017606", 290, "A"},
	{"apple-juice", "Apple juice", "cold", "", 360, "A"},
	{"strudel", "Apple strudel", "cake", "", 480, "B"},
	{"sachertorte", "Sachertorte", "cake", "", 620, "B"},
	{"croissant", "Croissant", "cake", "", 230, "B"},
	{"soup", "Soup of the day", "kitchen", "", 590, "B"},
	{"toast", "Ham and cheese toast", "kitchen", "", 680, "B"},
	{"beans", "Coffee beans 250 g", "shop", "9012345678909", 990, "B"},
	{"gift", "Gift wrapping", "shop", "", 0, "A"}, // price on request
}

// practiceConfig is the configuration of a practice shop: the owner's own where
// it does no harm, practice where it might.
func practiceConfig(c config.Config) *config.Config {
	c.Chain.Backend, c.Chain.Network = "practice", bitcoin.Regtest.String()
	c.Store.URL, c.Server.URL = "", ""
	c.Wallet.Descriptor, c.Wallet.SeedFile, c.Wallet.PassphraseFile = "", "", ""
	if c.Shop.Name == "" {
		c.Shop.Name, c.Shop.Address, c.Shop.TaxNumber = "Café Central", []string{"1 Practice Lane", "1010 Vienna"}, "ATU00000000"
		c.Shop.ReceiptFooter = "Thank you!"
	}
	if c.Shop.Tax == nil {
		c.Shop.Tax = []config.Tax{{Code: "A", RateBP: 2000, Included: true}, {Code: "B", RateBP: 1000, Included: true}}
	}
	if c.Ecash.LotteryBelow == "0" {
		c.Ecash.LotteryBelow = "0.05"
	}
	if c.Limits.PinApproval == "0" {
		c.Limits.PinApproval, c.Limits.PinApprovalDay = "100", "500"
	}
	return &c
}

// furnish gives a practice shop its people, goods and coins at its first start.
func furnish(ctx context.Context, db server.Store, core *server.Server, sh *shop, o ServerOptions) error {
	var fresh bool
	err := db.Read(ctx, func(tx *server.Tx) error {
		users, err := tx.Shop.Users()
		fresh = len(users) == 0
		return err
	})
	if err != nil || !fresh {
		return err
	}
	currency := protocol.Currency(o.Config.Shop.Currency)
	items := make([]protocol.Item, len(practiceGoods))
	for i, g := range practiceGoods {
		items[i] = protocol.Item{SKU: g.sku, Name: g.name, Category: g.category, Barcode: g.barcode, Tax: g.tax, Options: []string{}}
		if g.price > 0 {
			items[i].Price = &protocol.Money{Currency: currency, Minor: g.price}
		}
	}
	if err := db.Write(ctx, func(tx *server.Tx) error { return tx.Shop.ReplaceItems(items) }); err != nil {
		return fmt.Errorf("furnish practice shop: %w", err)
	}
	for _, p := range practiceStaff {
		user, approveKey, err := staff(p.id, p.name, p.role, p.pin, o.Random)
		if err == nil {
			err = core.PutUser(ctx, user, approveKey)
		}
		clear(approveKey)
		if err != nil {
			return fmt.Errorf("furnish practice shop: %w", err)
		}
	}
	if err := fillWallet(ctx, core, sh); err != nil {
		return fmt.Errorf("furnish practice shop: %w", err)
	}
	return nil
}

// Coins of a new practice wallet: several, so that a payout need not wait for the
// change of the one before it.
const (
	practiceCoins = 10
	practiceCoin  = protocol.SatPerBitcoin / 20
)

// fillWallet pays coins to the wallet's change branch, which is never lent to a
// terminal, and lets the server find them.
func fillWallet(ctx context.Context, core *server.Server, sh *shop) error {
	for i := range uint32(practiceCoins) {
		a, err := sh.wallet.Derive(server.BranchChange, i)
		if err != nil {
			return fmt.Errorf("derive address: %w", err)
		}
		if _, err := sh.practice.Pay(ctx, a.Text, practiceCoin, chain.DefaultPayRate, false); err != nil {
			return fmt.Errorf("pay to the wallet: %w", err)
		}
	}
	if _, err := sh.practice.Mine(ctx, 1); err != nil {
		return fmt.Errorf("mine: %w", err)
	}
	_, err := core.Rescan(ctx)
	return err
}

// staff makes a user with the PIN as a PHC string of Argon2id, and for approvers
// the key that the PIN approves with (terminal.md §8), nil for cashiers.
func staff(id, name string, role protocol.Role, pin string, random io.Reader) (u protocol.User, approveKey []byte, err error) {
	var salt, approve [16]byte
	for _, b := range [][]byte{salt[:], approve[:]} {
		if _, err := io.ReadFull(random, b); err != nil {
			return u, nil, fmt.Errorf("make user: %w", err)
		}
	}
	// t=2, m=19 MiB, p=1: what OWASP asks of a password, and quick enough on the
	// machine at the counter that signs people in.
	hash := argon2.IDKey([]byte(pin), salt[:], 2, 19<<10, 1, 32)
	u = protocol.User{ID: id, Name: name, Role: role,
		PIN: fmt.Sprintf("$argon2id$v=19$m=19456,t=2,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt[:]), base64.RawStdEncoding.EncodeToString(hash))}
	if role != protocol.RoleCashier {
		u.ApproveSalt = hex.EncodeToString(approve[:])
		approveKey = argon2.IDKey([]byte(pin), approve[:], 3, 64<<10, 1, 32)
	}
	return u, approveKey, nil
}

// practiceWallet opens the hot wallet of a practice shop, made at its first start.
func practiceWallet(dir string, random io.Reader) (*wallet.Wallet, error) {
	path := filepath.Join(dir, "wallet.seed")
	passphrase := protocol.NewSecret(practicePassphrase)
	if _, err := os.Stat(path); err != nil {
		words, err := wallet.NewWords(random, 12)
		if err != nil {
			return nil, fmt.Errorf("make practice wallet: %w", err)
		}
		defer words.Wipe()
		// The least cost there is: the coins are worth nothing and the start is quick.
		sealed, err := wallet.Seal(wallet.New{Words: words, Passphrase: passphrase, Network: bitcoin.Regtest,
			Cost: wallet.Cost{Passes: 1, MemoryKiB: 8 << 10, Lanes: 1}}, random)
		if err != nil {
			return nil, fmt.Errorf("make practice wallet: %w", err)
		}
		if err := WriteSeed(path, sealed); err != nil {
			return nil, fmt.Errorf("make practice wallet: %w", err)
		}
	}
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("open practice wallet: %w", err)
	}
	sealed, err := wallet.ParseSealed(text)
	if err != nil {
		return nil, fmt.Errorf("open practice wallet: %w", err)
	}
	return sealed.Open(passphrase)
}
