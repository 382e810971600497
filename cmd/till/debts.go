package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/protocol"
	"till/server"
)

func (p *program) debts() *cobra.Command {
	group := &cobra.Command{Use: "debts", Short: "What the shop owes customers: overpaid, late, paid twice"}
	group.AddCommand(
		&cobra.Command{Use: "list", Short: "List what is not settled", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return p.listDebts(c.Context()) }},
		&cobra.Command{Use: "settle ID", Short: "Note that a debt was paid back", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error { return p.settleDebt(c.Context(), protocol.ID(args[0])) }})
	return group
}

func (p *program) listDebts(ctx context.Context) error {
	lines := []boot.DebtLine{}
	if err := p.ask(ctx, "debt.list", struct{}{}, &lines); err != nil {
		return fail("list debts", err)
	}
	return p.print(lines, func() {
		if len(lines) == 0 {
			p.say("the shop owes nothing\n")
			return
		}
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "ID\tSINCE\tREASON\tAMOUNT\tSALE")
		for _, d := range lines {
			amount := fmt.Sprintf("%d sat", d.AmountSat)
			if d.Amount != nil {
				amount = d.Amount.String()
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.ID, d.Since.Time().Local().Format("2006-01-02 15:04"), d.Reason, amount, d.Sale)
		}
		_ = table.Flush()
	})
}

func (p *program) settleDebt(ctx context.Context, id protocol.ID) error {
	err := p.ask(ctx, "debt.settle", boot.DebtName{ID: id}, nil)
	if errors.Is(err, server.ErrNotFound) {
		return &failure{exitRefused, fmt.Errorf("settle debt: there is no debt %q", id), "till debts list"}
	}
	if err != nil {
		return fail("settle debt", err)
	}
	return p.print(struct {
		ID   protocol.ID `json:"id"`
		Done string      `json:"done"`
	}{id, "settled"}, func() { p.say("%s: settled\n", id) })
}
