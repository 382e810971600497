package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/protocol"
)

func (p *program) backup() *cobra.Command {
	file, encrypt := "", false
	c := &cobra.Command{
		Use: "backup FILE", Short: "Back the server up, also while it runs", Args: cobra.ExactArgs(1),
		Long: "Writes the server's database at one moment, its keys, the sealed wallet and the configuration to FILE.\n" +
			"With a passphrase it is encrypted (age opens it too). Without one it holds the server's keys for everybody to read.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.makeBackup(c.Context(), args[0], file, encrypt)
		},
	}
	c.Flags().StringVar(&file, "passphrase-file", "", "file with the passphrase to encrypt with")
	c.Flags().BoolVar(&encrypt, "encrypt", false, "ask the passphrase to encrypt with")
	return c
}

func (p *program) makeBackup(ctx context.Context, path, passphraseFile string, encrypt bool) error {
	const what = "back up"
	o, err := p.administration()
	if err != nil {
		return fail(what, err)
	}
	passphrase, err := p.backupPassphrase(passphraseFile, encrypt, true)
	if err != nil {
		return err
	}
	defer passphrase.Wipe()
	done, err := boot.WriteBackup(ctx, boot.BackupOptions{ServerOptions: o, Software: software(), Passphrase: passphrase}, path)
	if errors.Is(err, boot.ErrNoServer) {
		return &failure{exitNo, fmt.Errorf("%s: there is no server in %s", what, o.Dir), "name its data directory with --data"}
	}
	if err != nil {
		return fail(what, err)
	}
	if passphrase.Empty() {
		_, _ = fmt.Fprintln(p.err, "till: the backup is not encrypted: who reads it can speak for the server; --passphrase-file FILE encrypts")
	}
	return p.print(done, func() {
		p.say("%s: %d bytes, %d journal entries at %s\n", path, done.Bytes, done.Entries, done.Head.Created.Time().Local().Format("2006-01-02 15:04:05"))
	})
}

func (p *program) restore() *cobra.Command {
	file, force := "", false
	c := &cobra.Command{
		Use: "restore FILE", Short: "Make a server of a backup, here", Args: cobra.ExactArgs(1),
		Long: "Makes a server of FILE in the data directory, or in store.url where the configuration names one. Terminals go on by\n" +
			"themselves: they send what the backup does not know. --force moves a server that is there aside.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.restoreBackup(c.Context(), args[0], file, force)
		},
	}
	c.Flags().StringVar(&file, "passphrase-file", "", "file with the passphrase of the backup")
	c.Flags().BoolVar(&force, "force", false, "move a server that is there aside; in PostgreSQL drop it")
	return c
}

func (p *program) restoreBackup(ctx context.Context, path, passphraseFile string, force bool) (err error) {
	const what = "restore"
	sources, c, err := p.sources(nil)
	if err != nil {
		return fail(what, err)
	}
	passphrase, err := p.backupPassphrase(passphraseFile, false, false)
	if err != nil {
		return err
	}
	head, _, err := boot.InspectBackup(path, passphrase)
	if errors.Is(err, boot.ErrPassphrase) && passphraseFile == "" && isTerminal(p.in) {
		if passphrase, err = p.backupPassphrase("", true, false); err == nil {
			head, _, err = boot.InspectBackup(path, passphrase)
		}
	}
	defer passphrase.Wipe()
	if err != nil {
		return restoreFailure(what, err)
	}
	dir := p.dataDir()
	if head.Practice {
		dir = p.practiceDir()
	}
	lock, err := boot.TakeLock(dir)
	if err != nil {
		return fail(what, err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	done, err := boot.Restore(ctx, boot.RestoreOptions{Passphrase: passphrase, Force: force, ServerOptions: boot.ServerOptions{
		Dir: dir, Practice: head.Practice, Config: c, Sources: sources, Clock: &boot.Clock{}, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(p.err, nil)),
	}}, path)
	if err != nil {
		return restoreFailure(what, err)
	}
	return p.print(done, func() {
		p.say("%s holds the server of %s again: %d journal entries, verified\n", dir, done.Head.Created.Time().Local().Format("2006-01-02 15:04:05"), done.Entries)
	})
}

func restoreFailure(what string, err error) error {
	switch {
	case errors.Is(err, boot.ErrPassphrase):
		return &failure{exitRefused, fmt.Errorf("%s: %w", what, err), "--passphrase-file FILE"}
	case errors.Is(err, boot.ErrInTheWay):
		return &failure{exitRefused, fmt.Errorf("%s: %w", what, err), "name another directory with --data, or --force to move it aside"}
	case errors.Is(err, os.ErrNotExist):
		return usage("name a file that till backup made", "%s: %w", what, err)
	}
	return fail(what, err)
}

// maxPassphrase bounds what a passphrase file may hold.
const maxPassphrase = 4096

// backupPassphrase reads the passphrase from a file, or asks it, twice where it is
// a new one.
func (p *program) backupPassphrase(file string, ask, fresh bool) (protocol.Secret, error) {
	none := protocol.Secret{}
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return none, usage("name a file that can be read", "read passphrase: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(f, maxPassphrase+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return none, fail("read passphrase", err)
		}
		defer clear(text)
		secret := protocol.NewSecret(strings.TrimRight(string(text), "\r\n"))
		if secret.Empty() || len(text) > maxPassphrase {
			return none, usage("put the passphrase in the first line", "read passphrase: %s is empty or too long", file)
		}
		return secret, nil
	}
	if !ask {
		return none, nil
	}
	if !isTerminal(p.in) {
		return none, usage("--passphrase-file FILE", "a passphrase is needed and there is no terminal to ask it")
	}
	lines := bufio.NewReader(p.in)
	if !fresh {
		return p.askOnce(lines, "passphrase of the backup: ")
	}
	typed, same, err := p.askTwice(lines, "passphrase that encrypts the backup: ")
	if err == nil && (!same || typed.Empty()) {
		err = &failure{exitNo, errors.New("the passphrases differ or are empty; nothing was written"), "again"}
	}
	return typed, err
}
