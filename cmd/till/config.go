package main

import (
	"github.com/spf13/cobra"

	"till/cmd/internal/config"
)

func (p *program) config() *cobra.Command {
	group := &cobra.Command{Use: "config", Short: "Write, judge or push the configuration"}
	group.AddCommand(
		&cobra.Command{
			Use: "init", Short: "Write a whole configuration to standard output, every key explained", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { p.say("%s", config.Reference()); return nil },
		},
		p.pushConfig(),
		p.repush("promote", "Let what is staged hold for all terminals", "config.promote"),
		p.repush("rollback", "Take back what is staged, or else the last configuration pushed to all", "config.rollback"),
		&cobra.Command{
			Use: "pushes", Short: "List what was pushed, the newest first", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return p.listPushes(c.Context()) },
		},
		&cobra.Command{
			Use: "check", Short: "Judge the configuration, listing every fault with its line", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return p.checkConfig() },
		},
	)
	return group
}

func (p *program) checkConfig() error {
	file := config.Find(p.configFile, p.getenv)
	if _, err := p.load(nil); err != nil {
		return usageOf(fail("check configuration", err))
	}
	facts := struct {
		File string `json:"file"`
		Good bool   `json:"good"`
	}{file, true}
	return p.print(facts, func() {
		if file == "" {
			p.say("there is no configuration file; the defaults are good\n")
			return
		}
		p.say("%s is good\n", file)
	})
}

// usageOf turns an unreadable file into wrong usage too.
func usageOf(err error) error {
	if f, ok := err.(*failure); ok && f.code == exitNo {
		f.code = exitUsage
	}
	return err
}
