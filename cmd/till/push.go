package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/server"
)

func (p *program) pushConfig() *cobra.Command {
	var stage []string
	c := &cobra.Command{
		Use: "push FILE [--stage NAME…]", Short: "Lay a configuration over the server's own, on some terminals or on all", Args: cobra.MinimumNArgs(1),
		Long: "Lays the keys of FILE over the server's own configuration: of [shop] (without currency and time_zone), [acceptance], [limits],\n" +
			"server.offline_max and server.poll. With --stage the named terminals alone are told and judged by it, until promote or rollback.",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && len(stage) == 0 {
				return usage("till config push FILE --stage NAME NAME", "push configuration: one file is pushed at a time")
			}
			return p.push(c.Context(), args[0], append(stage, args[1:]...))
		},
	}
	c.Flags().StringSliceVar(&stage, "stage", nil, "terminals to try it on; all when not given")
	return c
}

func (p *program) push(ctx context.Context, path string, stage []string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > config.MaxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, config.MaxFile)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return usage("name a configuration file", "push configuration: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return usage("till config rollback takes a push back", "push configuration: %s is empty", path)
	}
	return p.pushed(ctx, "push configuration", "config.push", boot.PushParams{Text: string(text), Stage: stage})
}

// repush makes a command without arguments that changes what is pushed.
func (p *program) repush(use, short, call string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return p.pushed(c.Context(), use+" configuration", call, struct{}{})
	}}
}

// pushed asks the server and tells what became of the push.
func (p *program) pushed(ctx context.Context, what, call string, params any) error {
	var line boot.PushLine
	if err := p.ask(ctx, call, params, &line); err != nil {
		if errors.Is(err, server.ErrNotFound) {
			return &failure{exitRefused, fmt.Errorf("%s: %w", what, err), "till terminal list"}
		}
		return fail(what, err)
	}
	return p.print(line, func() {
		p.say("push %d %s\n", line.Push, pushWords(line))
	})
}

func pushWords(l boot.PushLine) string {
	switch l.State {
	case server.PushStaged:
		return "is tried on " + strings.Join(l.Stage, ", ")
	case server.PushHolds:
		return "holds for all terminals"
	case server.PushReplaced:
		return "was replaced"
	case server.PushRolledBack:
		return "was rolled back"
	}
	return string(l.State)
}

func (p *program) listPushes(ctx context.Context) error {
	lines := []boot.PushLine{}
	if err := p.ask(ctx, "config.pushes", struct{}{}, &lines); err != nil {
		return fail("list pushes", err)
	}
	return p.print(lines, func() {
		if len(lines) == 0 {
			p.say("nothing was pushed; till config push FILE\n")
			return
		}
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, l := range lines {
			_, _ = fmt.Fprintf(table, "%d\t%s\t%s\n", l.Push, l.At.Time().Local().Format("2006-01-02 15:04:05"), pushWords(l))
		}
		_ = table.Flush()
	})
}
