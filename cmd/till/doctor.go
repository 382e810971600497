package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
)

func (p *program) doctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look at everything the shop stands on, a line each", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.examine(c.Context()) },
	}
}

func (p *program) examine(ctx context.Context) error {
	file := config.Find(p.configFile, p.getenv)
	c, err := p.load(nil)
	if err != nil {
		return usageOf(fail("examine", err))
	}
	if file == "" {
		if _, err := os.Stat(p.dataDir()); err != nil {
			return &failure{exitNo, errors.New("examine: nothing is configured yet"), "till practice shows the whole shop without hardware, network or real money; till config init begins a real one"}
		}
	}
	findings := append([]boot.Finding{{What: "configuration", OK: true, Detail: named(file)}}, boot.Examine(ctx, c, p.dataDir(), &boot.Clock{})...)
	healthy := true
	for _, f := range findings {
		healthy = healthy && f.OK
	}
	err = p.print(findings, func() {
		for _, f := range findings {
			mark := "ok  "
			if !f.OK {
				mark = "FAIL"
			}
			p.say("%s  %-13s  %s\n", mark, f.What, f.Detail)
			if f.Try != "" {
				p.say("      %-13s  try: %s\n", "", f.Try)
			}
		}
	})
	if err == nil && !healthy {
		return &failure{code: exitNo}
	}
	return err
}

func named(file string) string {
	if file == "" {
		return "no file: the defaults"
	}
	return file
}
