package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/protocol"
)

// listening is where a server listens; serve listens by default, a counter only
// when asked.
type listening struct {
	rpc, merchant, metrics, control, mint, addressesFile string
}

// flags takes the addresses to listen on unless told otherwise, "" for none.
func (l *listening) flags(c *cobra.Command, rpc, merchant, metrics, control, mint string) {
	c.Flags().StringVar(&l.rpc, "rpc", rpc, "HOST:PORT for terminals, port 0 for any")
	c.Flags().StringVar(&l.control, "control", control, "HOST:PORT of the practice control listener")
	c.Flags().StringVar(&l.merchant, "merchant", merchant, "HOST:PORT for customers who pay in e-cash")
	c.Flags().StringVar(&l.metrics, "metrics", metrics, "HOST:PORT of /metrics, /healthz and /readyz")
	c.Flags().StringVar(&l.mint, "mint", mint, "HOST:PORT of the practice mint")
	c.Flags().StringVar(&l.addressesFile, "addresses-file", "", "file for the addresses really listened on, as JSON")
}

func (l *listening) listen() boot.Listen {
	return boot.Listen{RPC: l.rpc, Merchant: l.merchant, Metrics: l.metrics, Control: l.control, Mint: l.mint}
}

func (p *program) serve() *cobra.Command {
	var l listening
	var practice bool
	c := &cobra.Command{
		Use: "serve", Short: "Run the server alone, headless", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("rpc") {
				l.rpc = ""
			}
			return p.runServer(c.Context(), l, practice)
		},
	}
	l.flags(c, "127.0.0.1:8443", "127.0.0.1:8480", "127.0.0.1:9480", "127.0.0.1:8490", "127.0.0.1:8495")
	c.Flags().BoolVar(&practice, "practice", false, "a practice chain and shop, moved through the control listener")
	return c
}

// practiceDir is where practice keeps its data, away from real data.
func (p *program) practiceDir() string { return filepath.Join(p.dataDir(), "practice") }

// serverDir is the data that commands about a server mean: the real one where
// there is one, else a practice shop's.
func (p *program) serverDir() (dir string, practice bool) {
	for _, name := range []string{"server.db", "till.sock"} {
		if _, err := os.Stat(filepath.Join(p.dataDir(), name)); err == nil {
			return p.dataDir(), false
		}
	}
	if _, err := os.Stat(filepath.Join(p.practiceDir(), "server.db")); err == nil {
		return p.practiceDir(), true
	}
	return p.dataDir(), false
}

func (p *program) runServer(ctx context.Context, l listening, practice bool) (err error) {
	c, err := p.load(nil)
	if err != nil {
		return fail("start server", err)
	}
	if l.rpc == "" {
		l.rpc = c.Server.RPC
	}
	dir := p.dataDir()
	if practice {
		dir = p.practiceDir()
	}
	lock, err := boot.TakeLock(dir)
	if err != nil {
		return fail("start server", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if l.addressesFile != "" {
		if err := boot.RemoveAddresses(l.addressesFile); err != nil {
			return fail("start server", err)
		}
		defer func() { err = errors.Join(err, boot.RemoveAddresses(l.addressesFile)) }()
	}
	s, err := boot.OpenServer(ctx, boot.ServerOptions{
		Dir: dir, Config: c, Practice: practice, Clock: &boot.Clock{}, Random: rand.Reader, Log: logger(c, p.err),
		Listen: l.listen(),
	})
	if err != nil {
		return fail("start server", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if l.addressesFile != "" {
		if err := boot.WriteAddresses(l.addressesFile, s.Addresses()); err != nil {
			return fail("start server", err)
		}
	}
	return fail("serve", s.Run(ctx))
}

// administration is how a command reaches the server of the data directory.
func (p *program) administration() (boot.ServerOptions, error) {
	c, err := p.load(nil)
	if err != nil {
		return boot.ServerOptions{}, err
	}
	dir, practice := p.serverDir()
	return boot.ServerOptions{Dir: dir, Practice: practice, Config: c, Clock: &boot.Clock{}, Random: rand.Reader, Log: logger(c, p.err), Passphrase: protocol.Secret{}}, nil
}

var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

func logger(c *config.Config, to io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: logLevels[c.Log.Level]}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, o))
	}
	return slog.New(slog.NewTextHandler(to, o))
}

// terminalDir is where this machine's own journal lies: the real one, or that of
// a practice shop.
func (p *program) terminalDir() string {
	if _, err := os.Stat(filepath.Join(p.dataDir(), "terminal.db")); err != nil {
		if _, err := os.Stat(filepath.Join(p.practiceDir(), "terminal.db")); err == nil {
			return p.practiceDir()
		}
	}
	return p.dataDir()
}
