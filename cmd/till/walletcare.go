package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/protocol"
	"till/server"
)

func (p *program) rescan() *cobra.Command {
	return &cobra.Command{
		Use: "rescan", Short: "Look for money in all addresses within the gap limit", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var found boot.Rescanned
			if err := p.ask(c.Context(), "wallet.rescan", struct{}{}, &found); err != nil {
				return fail("rescan wallet", err)
			}
			return p.print(found, func() { p.say("%d addresses with money were not known\n", found.Found) })
		},
	}
}

func (p *program) bump() *cobra.Command {
	rate := ""
	c := &cobra.Command{
		Use: "bump ID|TRANSACTION", Short: "Raise the fee of a payout that waits for a block", Args: cobra.ExactArgs(1),
		Long: `Replace the transaction of a payout that waits for a block by one with a higher
fee; the payout keeps its id. A sweep's key is not kept: its fee is raised at its
terminal, where the key is handed over once more.`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.raiseFee(c.Context(), protocol.PayoutID(args[0]), rate)
		},
	}
	c.Flags().StringVar(&rate, "fee-rate", "", "sat/vB, three decimals at most (default what the network asks)")
	return c
}

func (p *program) raiseFee(ctx context.Context, id protocol.PayoutID, rate string) (err error) {
	raise := boot.Raise{ID: id}
	if rate != "" {
		if raise.Rate, err = boot.ParseFeeRate(rate); err != nil {
			return usage("--fee-rate 12.5", "raise fee: %q is not a fee rate in sat/vB", rate)
		}
	}
	var now protocol.DispenseResult
	err = p.ask(ctx, "wallet.bump", raise, &now)
	if errors.Is(err, server.ErrNotFound) {
		return &failure{exitRefused, fmt.Errorf("raise fee: there is no payout %q", id), "the payout's screen and receipt show its transaction"}
	}
	if errors.Is(err, server.ErrKeyNeeded) {
		return &failure{exitRefused, fmt.Errorf("raise fee: %w", server.ErrKeyNeeded), "hand the key over once more at its terminal (F5), or wait for a block"}
	}
	if err != nil {
		return fail("raise fee", err)
	}
	return p.print(now, func() {
		p.say("%s: sent again as %s, fee %d sat\n", now.ID, now.TxID, now.FeeSat)
	})
}

func (p *program) backUpWallet() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write the sealed wallet to a file", Args: cobra.ExactArgs(1),
		Long: `Write the wallet to a file: its descriptor, the gap limit and, of a hot wallet,
the sealed seed, which opens with its passphrase only. The words cannot be shown
again. till wallet import --backup FILE takes the file back.`,
		RunE: func(_ *cobra.Command, args []string) error { return p.writeWalletBackup(args[0]) },
	}
}

// backedUp is what backup and import --backup tell.
type backedUp struct {
	File        string `json:"file"`
	Network     string `json:"network"`
	Fingerprint string `json:"fingerprint"`
	Hot         bool   `json:"hot"`
	GapLimit    int64  `json:"gap_limit"`
}

func backupFacts(path string, b *boot.WalletBackup) backedUp {
	id := b.Wallet.Identity()
	return backedUp{path, id.Network, id.Fingerprint, b.Sealed != nil, b.GapLimit}
}

func (p *program) writeWalletBackup(path string) error {
	o, err := p.administration()
	if err != nil {
		return fail("back up wallet", err)
	}
	b, err := boot.ReadWalletForBackup(o)
	if errors.Is(err, boot.ErrNoWallet) {
		return &failure{exitNo, fmt.Errorf("back up wallet: %w", err), "till wallet init, or till wallet import --descriptor …"}
	}
	if err == nil {
		err = boot.WriteWalletBackup(path, b)
	}
	if errors.Is(err, os.ErrExist) {
		return &failure{exitRefused, fmt.Errorf("back up wallet: there is a file %s already", filepath.Base(path)), "name a new file"}
	}
	if err != nil {
		return fail("back up wallet", err)
	}
	return p.print(backupFacts(path, b), func() {
		if b.Sealed == nil {
			p.say("%s: the descriptor; it holds no secret, but tells every address\n", path)
			return
		}
		p.say("%s: the sealed wallet. It opens with its passphrase only; without it the\nwords on paper are the only way to the money. Keep both apart from this machine.\n", path)
	})
}

func (p *program) restoreWallet(c *config.Config, path string) error {
	b, err := boot.ReadWalletBackup(path)
	if errors.Is(err, boot.ErrBackup) {
		return &failure{exitUsage, fmt.Errorf("import wallet: %w", err), "give a file that till wallet backup wrote"}
	}
	if err != nil {
		return fail("import wallet", err)
	}
	network := b.Wallet.Identity().Network
	if network != c.Chain.Network {
		return &failure{exitRefused, fmt.Errorf("import wallet: the backup is of %s, chain.network is %s", network, c.Chain.Network), "set chain.network"}
	}
	if err := p.makeDataDir(); err != nil {
		return err
	}
	if err := boot.RestoreWallet(c, p.dataDir(), b); err != nil {
		return fail("import wallet", err)
	}
	return p.print(backupFacts(path, b), func() {
		p.say("wallet %s is back\n", b.Wallet.Identity().Fingerprint)
		if b.GapLimit > c.Wallet.GapLimit {
			p.say("set wallet.gap_limit = %d, or money may stay unseen\n", b.GapLimit)
		}
		p.say("till wallet rescan finds its money\n")
	})
}
