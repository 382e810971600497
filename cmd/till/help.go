package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

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
	rows := tui.KeyTable("en")
	return p.print(rows, func() {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, r := range rows {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Screen, strings.Join(r.Keys, " "), r.Action, r.Words)
		}
		_ = table.Flush()
	})
}
