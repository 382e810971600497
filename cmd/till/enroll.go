package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/protocol"
	"till/protocol/terminal"
)

func (p *program) enroll() *cobra.Command {
	var name string
	var again bool
	c := &cobra.Command{
		Use: "enroll LINK", Short: "Pair this machine with a server as one of its terminals", Args: cobra.MaximumNArgs(1),
		Long: "Pairs this machine with the server whose `till terminal add NAME` printed LINK.\n" +
			"A machine with its own server needs no link: with --again its next start pairs it anew.",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.forgetPairing(c.Context(), again)
			}
			return p.pair(c.Context(), args[0], name, again)
		},
	}
	c.Flags().StringVar(&name, "name", "", "the name the link was made for (default terminal.name)")
	c.Flags().BoolVar(&again, "again", false, "set an earlier pairing's data aside and begin anew")
	return c
}

func (p *program) pair(ctx context.Context, text, name string, again bool) (err error) {
	link, err := protocol.ParseLink(text)
	if err != nil {
		return &failure{exitUsage, fmt.Errorf("pair: %w", err), "copy the whole link that till terminal add printed, in quotes"}
	}
	c, err := p.load(nil)
	if err != nil {
		return fail("pair", err)
	}
	if name == "" {
		name = c.Terminal.Name
	}
	lock, err := boot.TakeLock(p.dataDir())
	if err != nil {
		return fail("pair", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if again {
		if err := p.setAside(ctx); err != nil {
			return err
		}
	}
	t, err := boot.OpenTerminal(ctx, boot.TerminalOptions{Dir: p.dataDir(), Config: c, Clock: &boot.Clock{}, Random: rand.Reader, Log: logger(c, p.err), Software: software()})
	if err != nil {
		return fail("pair", err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := t.Pair(ctx, link, name); err != nil {
		return pairFailure(err)
	}
	who, _ := t.Identity()
	return p.print(struct {
		ID     protocol.TerminalID `json:"id"`
		Name   string              `json:"name"`
		Server string              `json:"server"`
	}{who.ID, who.Name, who.Server}, func() {
		p.say("paired with %s as %q; set server.url to https://%s and start till\n", who.Server, who.Name, who.Server)
	})
}

// setAside keeps the data of an earlier pairing under another name.
func (p *program) setAside(ctx context.Context) error {
	path := filepath.Join(p.dataDir(), "terminal.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	kept, err := terminal.SetAside(ctx, path)
	if err != nil {
		return fail("set the old pairing aside", err)
	}
	_, _ = fmt.Fprintf(p.err, "the old journal is kept in %s\n", kept)
	return nil
}

// forgetPairing lets the next start pair the machine anew with its own server,
// such as after its case was opened.
func (p *program) forgetPairing(ctx context.Context, again bool) (err error) {
	c, err := p.load(nil)
	if err != nil {
		return fail("pair", err)
	}
	if !again || c.Server.URL != "" {
		return usage("till terminal add NAME on the server prints the link", "pair: the pairing link is missing")
	}
	lock, err := boot.TakeLock(p.dataDir())
	if err != nil {
		return fail("pair", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := p.setAside(ctx); err != nil {
		return err
	}
	done := struct {
		Again bool `json:"again"`
	}{true}
	return p.print(done, func() { p.say("the next start pairs this machine with its own server anew\n") })
}

func pairFailure(err error) error {
	switch {
	case errors.Is(err, terminal.ErrPaired):
		return &failure{exitRefused, fmt.Errorf("pair: %w", err), "till enroll --again LINK keeps the old journal and begins anew"}
	case errors.Is(err, protocol.ErrPairingRefused):
		return &failure{exitRefused, fmt.Errorf("pair: %w", err), "till terminal add NAME makes a new link; give its NAME with --name"}
	case errors.Is(err, protocol.ErrUnreachable):
		return &failure{exitUnreachable, fmt.Errorf("pair: %w", err), "check the address in the link and that the server runs"}
	}
	return fail("pair", err)
}
