package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/protocol"
	"till/server"
)

func (p *program) sales() *cobra.Command {
	var asked boot.SalesAsked
	var since, until, state string
	list := &cobra.Command{Use: "sales", Short: "The sales of all terminals, newest first", Args: cobra.NoArgs,
		Long: `The sales of all terminals, newest first.

--search finds the beginnings of words of number, user, total, note and goods, or
a whole sale id, address or transaction id. --since and --until take a day,
2026-11-22, or a moment, 2026-11-22T15:04; --until is the first not shown.`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if asked.Since, err = p.moment(since); err != nil {
				return err
			}
			if asked.Until, err = p.moment(until); err != nil {
				return err
			}
			asked.State = protocol.SaleState(state)
			if state != "" && !slices.Contains(saleStates, asked.State) {
				return usage("--state open, seen, accepted, confirmed, expired or cancelled", "there is no state %q", state)
			}
			if asked.Most < 1 || asked.Most > salesMost {
				return usage("--limit 1 to 10000", "--limit %d is out of range", asked.Most)
			}
			return p.listSales(c.Context(), asked)
		}}
	list.Flags().StringVar(&since, "since", "", "opened at or after")
	list.Flags().StringVar(&until, "until", "", "opened before")
	list.Flags().StringVar(&state, "state", "", "open, seen, accepted, confirmed, expired, cancelled")
	list.Flags().StringVar(&asked.Text, "search", "", "words, an id, an address or a transaction id")
	list.Flags().StringVar(&asked.Terminal, "terminal", "", "name or id of a terminal")
	list.Flags().IntVar(&asked.Most, "limit", 100, "how many at most")
	list.AddCommand(&cobra.Command{Use: "replay SALE", Short: "Step by step what happened to a sale, by its number or id", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.replaySale(c.Context(), args[0]) }})
	return list
}

var saleStates = []protocol.SaleState{protocol.SaleOpen, protocol.SaleSeen, protocol.SaleAccepted, protocol.SaleConfirmed, protocol.SaleExpired, protocol.SaleCancelled}

const salesMost = 10_000

func (p *program) listSales(ctx context.Context, asked boot.SalesAsked) error {
	lines := []boot.SaleLine{}
	if err := p.ask(ctx, "sale.list", asked, &lines); err != nil {
		return fail("list sales", err)
	}
	return p.print(lines, func() {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "NUMBER\tOPENED\tTERMINAL\tUSER\tTOTAL\tPAID BY\tSTATE\tGOODS")
		for _, s := range lines {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Number, local(s.Opened), s.Terminal, s.User, s.Total, meansOf(s), stateOf(s), goodsOf(s))
		}
		_ = table.Flush()
	})
}

func local(t protocol.Time) string { return t.Time().Local().Format("2006-01-02 15:04:05") }

// meansOf names how a sale was or is to be paid.
func meansOf(s boot.SaleLine) string {
	var means []string
	for _, t := range s.Tenders {
		if !t.Removed && t.Refused == "" && !slices.Contains(means, string(t.Kind)) {
			means = append(means, string(t.Kind))
		}
	}
	return strings.Join(means, "+")
}

func stateOf(s boot.SaleLine) string {
	words := []string{string(s.State)}
	for _, f := range s.Flags {
		words = append(words, string(f))
	}
	if len(s.Refunds) > 0 {
		words = append(words, "refunded")
	}
	return strings.Join(words, " ")
}

func goodsOf(s boot.SaleLine) string {
	var names []string
	for _, l := range s.Lines {
		names = append(names, l.Name)
	}
	text := []rune(strings.Join(names, ", "))
	if len(text) > 40 {
		text = append(text[:39], '…')
	}
	return string(text)
}

func (p *program) replaySale(ctx context.Context, sale string) error {
	var r boot.Replay
	err := p.ask(ctx, "sale.replay", boot.SaleName{Sale: sale}, &r)
	if errors.Is(err, server.ErrNotFound) {
		return &failure{exitRefused, fmt.Errorf("replay sale: there is no sale %q", sale), "till sales --search " + sale}
	}
	if err != nil {
		return fail("replay sale", err)
	}
	return p.print(r, func() {
		p.say("sale %s of %s at %s, %s\n%s\n\n", r.Number, r.Terminal, local(r.Opened), r.Total, r.Sale)
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, s := range r.Steps {
			state := string(s.State)
			for _, f := range s.Flags {
				state += " " + string(f)
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", local(s.At), state, strings.ReplaceAll(s.What, "_", " "), stepWords(s))
		}
		_ = table.Flush()
	})
}

// stepWords tells what an entry says beside its kind.
func stepWords(s boot.StepLine) string {
	if s.Body == nil {
		return s.Cause
	}
	var b struct {
		Total, Amount, Change *protocol.Money
		Kind, Reason, Address string
		DueSat                protocol.Sat `json:"due_sat"`
		Copy                  int64
		User                  string
		ApprovedBy            string `json:"approved_by"`
		Lines                 []protocol.Line
	}
	if json.Unmarshal(s.Body, &b) != nil {
		return "" // an entry of another kind of terminal; the replay as JSON holds it whole
	}
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	for _, l := range b.Lines {
		add("%s × %s", thousandths(l.Quantity), l.Name)
	}
	for _, m := range []*protocol.Money{b.Total, b.Amount} {
		if m != nil {
			add("%s", *m)
		}
	}
	if b.Kind != "" {
		add("%s", b.Kind)
	}
	if b.DueSat > 0 {
		add("%s BTC to %s", b.DueSat, b.Address)
	}
	if b.Change != nil {
		add("change %s", *b.Change)
	}
	if b.Copy > 0 {
		add("copy %d", b.Copy)
	}
	if b.Reason != "" {
		add("%s", b.Reason)
	}
	if b.User != "" {
		add("by %s", b.User)
	}
	if b.ApprovedBy != "" {
		add("approved by %s", b.ApprovedBy)
	}
	return strings.Join(words, ", ")
}

// thousandths writes a quantity: 1000 is 1, 1500 is 1.5.
func thousandths(n int64) string {
	text := protocol.Money{Currency: "KWD", Minor: n}.Decimal() // three decimals
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
