package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/config"
	"till/tui"
)

// help is cobra's, with `till help keys` beside it.
func (p *program) help(root *cobra.Command) *cobra.Command {
	command := &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about a command, or the keys of the screens", Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			about, _, err := root.Find(args)
			if err != nil {
				return usage("till help", "%w", err)
			}
			return about.Help()
		},
	}
	command.AddCommand(&cobra.Command{
		Use: "keys", Short: "The keys of every screen", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.tellKeys() },
	})
	return command
}

func (p *program) tellKeys() error {
	c, err := p.load(nil)
	if err != nil {
		return usageOf(fail("tell the keys", err))
	}
	rows := tui.MappedKeys("en", otherKeys(c.Keys))
	return p.print(rows, func() {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, r := range rows {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Screen, strings.Join(r.Keys, " "), r.Action, r.Words)
		}
		_ = table.Flush()
	})
}

// otherKeys are the keys of the configuration as the screens take them.
func otherKeys(bindings []config.Binding) map[tui.Action][]string {
	keys := map[tui.Action][]string{}
	for _, b := range bindings {
		keys[tui.Action(b.Action)] = b.Keys
	}
	return keys
}

// judgeKeys tells what is wrong with them, at their lines.
func judgeKeys(bindings []config.Binding) []config.Fault {
	wrong := tui.JudgeKeys(otherKeys(bindings))
	var faults []config.Fault
	for _, b := range bindings {
		for _, what := range wrong[tui.Action(b.Action)] {
			faults = append(faults, config.Fault{Where: b.Where, What: "keys." + b.Action + ": " + what})
		}
	}
	return faults
}
