package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/tui"
)

func (p *program) report() *cobra.Command {
	group := &cobra.Command{Use: "report", Short: "What the terminals took: readings and closings"}
	for name, short := range map[string]string{
		"x": "Each terminal's takings since its last Z report, or of a day",
		"z": "The Z reports that were closed on a day",
	} {
		date := ""
		c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			return p.printReports(c.Context(), boot.ReportOrder{Z: name == "z", Date: date})
		}}
		c.Flags().StringVar(&date, "date", "", "a day of the shop, such as 2026-11-24 (z: default today)")
		group.AddCommand(c)
	}
	return group
}

// reportWidth is how wide a report is printed, in columns.
const reportWidth = 48

func (p *program) printReports(ctx context.Context, o boot.ReportOrder) error {
	var all boot.ShopReports
	if err := p.ask(ctx, "report", o, &all); err != nil {
		if errors.Is(err, boot.ErrInput) {
			return &failure{exitUsage, err, "--date 2026-11-24"}
		}
		return fail("report", err)
	}
	zone, err := time.LoadLocation(all.Zone)
	if err != nil {
		zone = time.UTC
	}
	name := func(id string) string {
		if n := all.Users[id]; n != "" {
			return n
		}
		return id
	}
	return p.print(all, func() {
		if len(all.Reports.Reports) == 0 {
			p.say("nothing to report\n")
			return
		}
		for _, r := range all.Reports.Reports {
			p.say("%s\n%s\n", r.Terminal, tui.ReportText(r, "en", zone, name, reportWidth))
		}
		if len(all.Reports.Reports) > 1 {
			p.say("the whole shop\n%s", tui.ReportText(all.Total, "en", zone, name, reportWidth))
		}
	})
}
