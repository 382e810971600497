package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/protocol"
)

// listening is where a server listens; serve listens by default, a counter only
// when asked.
type listening struct {
	rpc, merchant, metrics, control, mint, ssh, addressesFile string
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

// args are the flags that say the same to another process.
func (l *listening) args() (flags []string) {
	for name, value := range map[string]string{"rpc": l.rpc, "control": l.control, "merchant": l.merchant, "metrics": l.metrics, "mint": l.mint,
		"addresses-file": l.addressesFile} {
		if value != "" {
			flags = append(flags, "--"+name, value)
		}
	}
	return flags
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
	c.Flags().StringVar(&l.ssh, "ssh", "", "HOST:PORT of the owner's back office over SSH (default ssh.listen)")
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

// serverGC is the garbage collector's percentage where GOGC sets none: a server of
// thousands of terminals has its memory in what they hold, and little to collect.
const serverGC = 40

func (p *program) runServer(ctx context.Context, l listening, practice bool) (err error) {
	sources, c, err := p.sources(nil)
	if err != nil {
		return fail("start server", err)
	}
	if p.getenv("GOGC") == "" {
		debug.SetGCPercent(serverGC)
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
	listen := l.listen()
	if listen.Inherited, err = boot.Inherited(p.getenv, os.Getpid()); err != nil {
		return usage("look at the socket units of the service", "start server: %w", err)
	}
	level := &slog.LevelVar{}
	level.Set(logLevels[c.Log.Level])
	log := p.logger(c, level, p.err)
	s, err := boot.OpenServer(ctx, boot.ServerOptions{
		Dir: dir, Config: c, Sources: sources, Practice: practice, Clock: &boot.Clock{}, Random: rand.Reader, Log: log, Listen: listen,
	})
	if err != nil {
		return fail("start server", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if l.ssh == "" {
		l.ssh = c.SSH.Listen
	}
	at := s.Addresses()
	office, err := p.openOffice(s, c, dir, l.ssh, log)
	if err != nil {
		return err
	}
	if office != nil {
		at.SSH = office.at()
	}
	if l.addressesFile != "" {
		if err := boot.WriteAddresses(l.addressesFile, at); err != nil {
			return fail("start server", err)
		}
	}
	return fail("serve", service{p, s, boot.NewSupervisor(p.getenv, os.Getpid()), office, level, log}.run(ctx))
}

// service is a server under a service manager.
type service struct {
	p      *program
	s      *boot.Server
	above  *boot.Supervisor
	office *office // nil: none is asked for
	level  *slog.LevelVar
	log    *slog.Logger
}

// run serves until ctx ends, tells the service manager how it goes, and reads the
// configuration again at each SIGHUP.
func (h service) run(ctx context.Context) error {
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	defer signal.Stop(hups)
	at := h.s.Addresses()
	h.tell(h.above.Ready("serving terminals on " + at.RPC))
	h.log.InfoContext(ctx, "serving", "rpc", at.RPC, "merchant", at.Merchant, "metrics", at.Metrics, "version", version)
	var beside sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	beside.Go(func() { h.above.Watch(ctx, h.s.Alive, h.log) })
	if h.office != nil {
		beside.Go(func() { h.office.serve(ctx) })
	}
	beside.Go(func() {
		for {
			select {
			case <-ctx.Done():
				h.tell(h.above.Stopping())
				return
			case <-hups:
				h.reload(ctx)
			}
		}
	})
	err := h.s.Run(ctx)
	cancel()
	beside.Wait()
	h.log.Info("stopped")
	return err
}

// reload takes up what a running server can; a faulty file changes nothing.
func (h service) reload(ctx context.Context) {
	h.tell(h.above.Reloading())
	sources, c, err := h.p.sources(nil)
	if err == nil {
		err = h.s.Reconfigure(ctx, c, sources)
	}
	if err == nil {
		h.level.Set(logLevels[c.Log.Level])
	} else {
		h.log.ErrorContext(ctx, "configuration not reloaded: nothing was changed", "error", err)
	}
	h.tell(h.above.Ready("serving terminals on " + h.s.Addresses().RPC))
}

func (h service) tell(err error) {
	if err != nil {
		h.log.Warn("service manager not told", "error", err)
	}
}

// administration is how a command reaches the server of the data directory.
func (p *program) administration() (boot.ServerOptions, error) {
	sources, c, err := p.sources(nil)
	if err != nil {
		return boot.ServerOptions{}, err
	}
	dir, practice := p.serverDir()
	return boot.ServerOptions{Dir: dir, Practice: practice, Config: c, Sources: sources, Clock: &boot.Clock{}, Random: rand.Reader, Log: logger(c, p.err), Passphrase: protocol.Secret{}}, nil
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
