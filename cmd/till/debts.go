package main

import (
	"bufio"
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
			RunE: func(c *cobra.Command, args []string) error { return p.settleDebt(c.Context(), protocol.ID(args[0])) }},
		p.payDebt())
	return group
}

func (p *program) payDebt() *cobra.Command {
	var approver, code string
	c := &cobra.Command{
		Use: "pay ID ADDRESS", Short: "Pay a debt out of the wallet to an address of the customer", Args: cobra.ExactArgs(2),
		Long: `Pay all that is open of a debt out of the wallet. A manager or the owner approves
with the code of their authenticator (till user totp); the limits of payouts hold.
The debt is settled with the payout, and open again should that certainly fail.`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.repay(c.Context(), protocol.ID(args[0]), args[1], approver, code)
		},
	}
	c.Flags().StringVar(&approver, "approve", "", "id of the manager or owner who approves")
	c.Flags().StringVar(&code, "code", "", "code of their authenticator; asked for on a terminal")
	return c
}

func (p *program) repay(ctx context.Context, id protocol.ID, address, approver, code string) error {
	if approver == "" {
		return usage("till debts pay ID ADDRESS --approve 3", "pay debt: who approves?")
	}
	if code == "" {
		if !isTerminal(p.in) {
			return usage("--code 123456", "pay debt: a code is needed and there is no terminal to ask for it")
		}
		typed, err := p.askOnce(bufio.NewReader(p.in), "code of the authenticator: ")
		if err != nil {
			return fail("pay debt", err)
		}
		code = typed.Reveal()
	}
	var paid protocol.DispenseResult
	err := p.ask(ctx, "debt.pay", boot.Repayment{ID: id, Address: address, Approval: approver + ":" + code}, &paid)
	switch {
	case errors.Is(err, server.ErrNotFound):
		return &failure{exitRefused, fmt.Errorf("pay debt: there is no debt %q", id), "till debts list"}
	case errors.Is(err, server.ErrSettled):
		return &failure{exitRefused, fmt.Errorf("pay debt: %w", server.ErrSettled), "till debts list"}
	case errors.Is(err, server.ErrEcashDebt):
		return &failure{exitRefused, fmt.Errorf("pay debt: %w", server.ErrEcashDebt), "give it from the drawer, then till debts settle " + string(id)}
	case err != nil:
		return fail("pay debt", err)
	}
	return p.print(struct {
		Debt protocol.ID `json:"debt"`
		protocol.DispenseResult
	}{id, paid}, func() {
		p.say("%s: %s, %d sat to %s, fee %d sat, transaction %s\n", id, paid.State, paid.AmountSat, address, paid.FeeSat, paid.TxID)
	})
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
