package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"till/protocol/terminal"
	"till/server"
)

func (p *program) journal() *cobra.Command {
	group := &cobra.Command{Use: "journal", Short: "The hash-chained journals"}
	own := false
	verify := &cobra.Command{
		Use: "verify [FILE]", Short: "Check chain, numbering and sums; exit 1 at the first bad entry", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 1:
				return p.verifyFile(c.Context(), args[0])
			case own:
				return p.verifyFile(c.Context(), filepath.Join(p.terminalDir(), "terminal.db"))
			}
			return p.verifyServer(c.Context())
		},
	}
	verify.Flags().BoolVar(&own, "terminal", false, "this terminal's own journal")
	group.AddCommand(verify)
	return group
}

// verified is one journal's result.
type verified struct {
	Name    string `json:"name"`
	Entries int64  `json:"entries"`
	Bad     int64  `json:"bad"` // the first bad entry, 0 none
	Why     string `json:"why,omitempty"`
	Flagged int64  `json:"flagged"`
}

func (p *program) verifyFile(ctx context.Context, path string) error {
	v, err := terminal.VerifyFile(ctx, path)
	if err != nil {
		return fail("verify journal", err)
	}
	return p.tellVerified([]verified{{Name: "this terminal", Entries: v.Entries, Bad: v.Bad, Why: v.Why}})
}

func (p *program) verifyServer(ctx context.Context) error {
	var reports []server.JournalReport
	if err := p.ask(ctx, "journal.verify", struct{}{}, &reports); err != nil {
		return fail("verify journals", err)
	}
	list := []verified{}
	for _, r := range reports {
		list = append(list, verified{r.Name, r.Entries, r.Bad, r.Fault, r.Flagged})
	}
	return p.tellVerified(list)
}

func (p *program) tellVerified(list []verified) error {
	var broken error
	for _, v := range list {
		if v.Bad != 0 && broken == nil {
			broken = &failure{exitNo, fmt.Errorf("verify journal of %s: entry %d: %s", v.Name, v.Bad, v.Why), "keep the files as they are and restore from a backup elsewhere to compare"}
		}
	}
	err := p.print(list, func() {
		for _, v := range list {
			state := "whole"
			if v.Bad != 0 {
				state = fmt.Sprintf("broken at entry %d: %s", v.Bad, v.Why)
			}
			p.say("%s: %d entries, %s", v.Name, v.Entries, state)
			if v.Flagged > 0 {
				p.say(", %d flagged", v.Flagged)
			}
			p.say("\n")
		}
	})
	if broken != nil {
		return broken
	}
	return err
}
