package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/protocol"
)

// program is what all commands share.
type program struct {
	stdio
	env        []string
	data       string
	configFile string
	json       bool
	accessible bool         // plain lines in place of screens
	puppet     string       // socket for the stage of a story, "" none
	server     *boot.Server // of this process, which commands ask; nil: the one of the data directory
}

// run parses the arguments and carries the command out.
func run(ctx context.Context, args, env []string, s stdio) error {
	p := &program{stdio: s, env: env}
	started := false
	root := p.root()
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	if err != nil && !started {
		return usage("till help", "%w", err)
	}
	return err
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "till",
		Short:         "A point of sale for bitcoin and e-cash in the terminal",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return p.counter(c.Context()) },
	}
	root.PersistentFlags().StringVar(&p.data, "data", "", "data directory (default $XDG_DATA_HOME/till, else /var/lib/till)")
	root.PersistentFlags().StringVar(&p.configFile, "config", "", "configuration file")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON")
	root.PersistentFlags().BoolVar(&p.accessible, "accessible", false, "plain lines in place of screens, for screen readers and scripts")
	root.PersistentFlags().StringVar(&p.puppet, "puppet", "", "socket for the stage of a story")
	_ = root.PersistentFlags().MarkHidden("puppet") // it exists
	root.AddCommand(p.practice(), p.kiosk(), p.serve(), p.terminal(), p.enroll(), p.vault(), p.wallet(), p.catalogue(), p.user(), p.debts(), p.report(), p.alerts(), p.sales(), p.export(), p.config(), p.journal(), p.devices(), p.doctor(), p.customer(), p.mint(), p.store(), p.bench(), p.version())
	root.AddCommand(p.backup(), p.restore(), p.completion(), p.man())
	root.SetHelpCommand(p.help(root))
	root.CompletionOptions.DisableDefaultCmd = true
	return root
}

func (p *program) getenv(name string) string {
	for _, pair := range p.env {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return ""
}

// dataDir is --data, else the user's, else the machine's.
func (p *program) dataDir() string {
	if p.data != "" {
		return p.data
	}
	if home := p.getenv("XDG_DATA_HOME"); home != "" {
		return filepath.Join(home, "till")
	}
	if home := p.getenv("HOME"); home != "" && home != "/" {
		return filepath.Join(home, ".local", "share", "till")
	}
	return "/var/lib/till"
}

// load reads the configuration with the flags over it, keys by name.
func (p *program) load(flags map[string]string) (*config.Config, error) {
	_, c, err := p.sources(flags)
	return c, err
}

// sources is load with what was read, over which a server lays pushed configurations.
func (p *program) sources(flags map[string]string) (config.Sources, *config.Config, error) {
	sources, err := config.Sources{File: config.Find(p.configFile, p.getenv), Env: p.env, Flags: flags, Judge: judgeKeys}.Read()
	if err != nil {
		return sources, nil, err
	}
	c, err := config.Load(sources)
	return sources, c, err
}

// print writes v as JSON, or as words.
func (p *program) print(v any, words func()) error {
	if !p.json {
		words()
		return nil
	}
	text, err := protocol.Encode(v)
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	_, err = fmt.Fprintf(p.out, "%s\n", text)
	return err
}

func (p *program) say(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }
