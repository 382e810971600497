package main

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
)

// mint is the practice mint as a process of its own.
func (p *program) mint() *cobra.Command {
	c := &cobra.Command{Use: "mint", Short: "A mint of practice money", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usage("till mint serve", "say what the mint does") }}
	var address, addressesFile string
	serve := &cobra.Command{
		Use: "serve", Short: "Run the mint", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.serveMint(c.Context(), address, addressesFile) },
	}
	serve.Flags().StringVar(&address, "mint", "127.0.0.1:8495", "HOST:PORT for merchants and customers, port 0 for any")
	serve.Flags().StringVar(&addressesFile, "addresses-file", "", "file for the address really listened on, as JSON")
	c.AddCommand(serve)
	return c
}

func (p *program) serveMint(ctx context.Context, address, addressesFile string) (err error) {
	c, err := p.load(nil)
	if err != nil {
		return fail("start mint", err)
	}
	dir := filepath.Join(p.dataDir(), "mint")
	lock, err := boot.TakeLock(dir)
	if err != nil {
		return fail("start mint", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if addressesFile != "" {
		if err := boot.RemoveAddresses(addressesFile); err != nil {
			return fail("start mint", err)
		}
		defer func() { err = errors.Join(err, boot.RemoveAddresses(addressesFile)) }()
	}
	s, err := boot.OpenMint(ctx, boot.MintOptions{Dir: dir, Config: c, Clock: &boot.Clock{}, Random: rand.Reader, Log: logger(c, p.err), Listen: address})
	if err != nil {
		return fail("start mint", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Warm(ctx); err != nil {
		return fail("make the mint's keys", err)
	}
	if addressesFile != "" {
		if err := boot.WriteAddresses(addressesFile, s.Addresses()); err != nil {
			return fail("start mint", err)
		}
	}
	at := struct {
		Mint      string `json:"mint"`
		MasterPub string `json:"master_pub"`
	}{s.Addresses().Mint, s.Master()}
	if err := p.print(at, func() { p.say("http://%s\nmaster_pub %s\n", at.Mint, at.MasterPub) }); err != nil {
		return fail("start mint", err)
	}
	return fail("serve mint", s.Run(ctx))
}
