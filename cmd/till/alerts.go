package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
)

func (p *program) alerts() *cobra.Command {
	group := &cobra.Command{Use: "alerts", Short: "What the owner is told: by log, webhook and mail"}
	var asked boot.AlertsAsked
	var since string
	list := &cobra.Command{Use: "list", Short: "List what was told, newest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if asked.Since, err = p.moment(since); err != nil {
				return err
			}
			return p.listAlerts(c.Context(), asked)
		}}
	list.Flags().StringVar(&since, "since", "", "a day, 2026-11-22, or a moment, 2026-11-22T15:04")
	list.Flags().IntVar(&asked.Most, "limit", 50, "how many at most")
	group.AddCommand(list, &cobra.Command{Use: "test", Short: "Send a test by every configured way, now", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.testAlerts(c.Context()) }})
	return group
}

func (p *program) listAlerts(ctx context.Context, asked boot.AlertsAsked) error {
	lines := []boot.AlertLine{}
	if err := p.ask(ctx, "alert.list", asked, &lines); err != nil {
		return fail("list alerts", err)
	}
	return p.print(lines, func() {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "AT\tKIND\tTERMINAL\tUNTIL\tMESSAGE")
		for _, a := range lines {
			until := ""
			switch {
			case a.Ended != nil:
				until = a.Ended.Time().Local().Format("2006-01-02 15:04")
			case a.Lasting:
				until = "still"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", a.At.Time().Local().Format("2006-01-02 15:04"), a.Kind, a.Terminal, until, a.Message)
		}
		_ = table.Flush()
	})
}

func (p *program) testAlerts(ctx context.Context) error {
	tries := []boot.AlertTry{}
	if err := p.ask(ctx, "alert.test", struct{}{}, &tries); err != nil {
		return fail("test alerts", err)
	}
	if len(tries) == 0 {
		return &failure{exitNo, errors.New("test alerts: no way is configured, they go to the log alone"), "set webhook_url or smtp_server in [alerts]"}
	}
	arrived := true
	err := p.print(tries, func() {
		for _, t := range tries {
			if t.OK {
				p.say("ok    %s\n", t.Way)
			} else {
				p.say("FAIL  %s: %s\n", t.Way, t.Detail)
			}
		}
	})
	for _, t := range tries {
		arrived = arrived && t.OK
	}
	if err == nil && !arrived {
		return &failure{code: exitNo}
	}
	return err
}
