package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
)

func (p *program) vault() *cobra.Command {
	group := &cobra.Command{Use: "vault", Short: "Where this machine keeps its key"}
	yes := false
	provision := &cobra.Command{
		Use: "provision", Short: "Let an opened case clear the whole TPM, so that no copy of the key can be used", Args: cobra.NoArgs,
		Long: "Takes the TPM's lockout authorization. From then on erasing the key clears the TPM: everything else\n" +
			"that hangs on its owner is useless too, such as a disk key that was sealed in it.",
		RunE: func(*cobra.Command, []string) error { return p.provision(yes) },
	}
	provision.Flags().BoolVar(&yes, "yes", false, "do not ask")
	group.AddCommand(provision, &cobra.Command{
		Use: "show", Short: "Tell whether there is a key and how safe it is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.showVault() },
	})
	return group
}

// withSafe opens the vault of the data directory, which no running till may hold.
func (p *program) withSafe(do func(*boot.Safe, *config.Config) error) (err error) {
	c, err := p.load(nil)
	if err != nil {
		return usageOf(fail("open vault", err))
	}
	lock, err := boot.TakeLock(p.dataDir())
	if err != nil {
		return fail("open vault", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	safe, err := boot.OpenSafe(c, p.dataDir(), rand.Reader, false)
	if err != nil {
		return fail("open vault", err)
	}
	defer func() { err = errors.Join(err, safe.Close()) }()
	return do(safe, c)
}

func (p *program) showVault() error {
	return p.withSafe(func(safe *boot.Safe, c *config.Config) error {
		state, err := safe.State(c)
		if err != nil {
			return fail("look into vault", err)
		}
		return p.print(state, func() {
			key, sealed := "no key: till enroll makes one", "whoever has the disk has the key: set vault.secret_file, or use a TPM"
			if state.Key {
				key = "holds a key"
			}
			if state.Sealed {
				sealed = "the disk alone is worth nothing"
			}
			p.say("%s  %s\n%s\ncase switch  %s\n", state.URL, key, sealed, state.Switch)
			if state.Tampered != "" {
				p.say("the case was opened (%s): the key is erased\n", state.Tampered)
			}
		})
	})
}

func (p *program) provision(yes bool) error {
	if !yes {
		if !isTerminal(p.in) {
			return usage("till vault provision --yes", "provision vault: there is nobody to ask")
		}
		_, _ = fmt.Fprint(p.err, "An opened case will clear the whole TPM, and with it all that other programs keep there. Go on? [y/N] ")
		answer, _ := bufio.NewReader(p.in).ReadString('\n') // no answer is no
		if !strings.HasPrefix(strings.ToLower(answer), "y") {
			return &failure{exitNo, errors.New("provision vault: nothing was done"), ""}
		}
	}
	return p.withSafe(func(safe *boot.Safe, _ *config.Config) error {
		err := safe.Provision()
		if errors.Is(err, boot.ErrNoTPM) {
			return &failure{exitRefused, fmt.Errorf("provision vault: %w", err), `set vault.url to "tpm:/dev/tpmrm0"`}
		}
		if err != nil {
			return fail("provision vault", err)
		}
		done := struct {
			Provisioned bool `json:"provisioned"`
		}{true}
		return p.print(done, func() { p.say("an opened case clears the TPM from now on\n") })
	})
}
