package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/device"
	"till/protocol"
	"till/server"
)

func (p *program) terminal() *cobra.Command {
	group := &cobra.Command{Use: "terminal", Short: "The server's terminals"}
	add := boot.Named{}
	addCommand := &cobra.Command{
		Use: "add NAME", Short: "Print a pairing link that is good once, for an hour", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			add.Name = args[0]
			if err := mayBeNamed(add.Name); err != nil {
				return err
			}
			return p.addTerminal(c.Context(), add)
		},
	}
	addCommand.Flags().BoolVar(&add.Replace, "replace", false, "take the place of the living terminal of this name, which is revoked")
	addCommand.Flags().StringVar(&add.Host, "host", "", "HOST:PORT the terminal will call (default server.public_host)")
	reason := ""
	suspend := p.about("suspend NAME", "Stop a terminal: it may only send its journal", "terminal.suspend", "suspended", func(n *boot.Named) { n.Reason = reason })
	suspend.Flags().StringVar(&reason, "reason", "owner", "a word the terminal shows")
	group.AddCommand(addCommand, suspend,
		&cobra.Command{Use: "list", Short: "List all terminals", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return p.listTerminals(c.Context()) }},
		p.about("resume NAME", "Let a suspended terminal work again", "terminal.resume", "works again", nil),
		p.about("revoke NAME", "End a terminal for good", "terminal.revoke", "revoked", nil),
		&cobra.Command{
			Use: "rename NAME NEW", Short: "Give a terminal another name", Args: cobra.ExactArgs(2),
			RunE: func(c *cobra.Command, args []string) error {
				if err := mayBeNamed(args[1]); err != nil {
					return err
				}
				return p.order(c.Context(), "terminal.rename", boot.Named{Name: args[0], To: args[1]}, "renamed "+args[1])
			},
		})
	return group
}

// mayBeNamed refuses what cannot be a terminal's name (terminal.md §2).
func mayBeNamed(name string) error {
	if protocol.ValidTerminalName(name) {
		return nil
	}
	return usage("a name like bar-2", "name terminal: %q is not 1 to 64 of A-Z a-z 0-9 . _ -", name)
}

// about makes a command about one terminal that answers in a few words.
func (p *program) about(use, short, call, done string, fill func(*boot.Named)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			n := boot.Named{Name: args[0]}
			if fill != nil {
				fill(&n)
			}
			return p.order(c.Context(), call, n, done)
		},
	}
}

// order asks the server for something that has no result.
func (p *program) order(ctx context.Context, call string, n boot.Named, done string) error {
	if err := p.ask(ctx, call, n, nil); err != nil {
		return p.terminalFailure(call, n.Name, err)
	}
	return p.print(struct {
		Name string `json:"name"`
		Done string `json:"done"`
	}{n.Name, done}, func() { p.say("%s: %s\n", n.Name, done) })
}

// ask sends a command to the server of the data directory.
func (p *program) ask(ctx context.Context, call string, params, result any) error {
	if p.server != nil {
		return p.server.Ask(ctx, call, params, result)
	}
	o, err := p.administration()
	if err != nil {
		return err
	}
	return boot.Administer(ctx, o, call, params, result)
}

func (p *program) terminalFailure(call, name string, err error) error {
	what := strings.ReplaceAll(call, "terminal.", "") + " terminal"
	switch {
	case errors.Is(err, server.ErrExists):
		return &failure{exitRefused, fmt.Errorf("%s: there is a living terminal %q", what, name), "choose another name, or --replace to take its place"}
	case errors.Is(err, server.ErrNotFound):
		return &failure{exitRefused, fmt.Errorf("%s: there is no terminal %q", what, name), "till terminal list"}
	}
	return fail(what, err)
}

func (p *program) addTerminal(ctx context.Context, n boot.Named) error {
	var link server.Invitation
	if err := p.ask(ctx, "terminal.add", n, &link); err != nil {
		return p.terminalFailure("terminal.add", n.Name, err)
	}
	return p.print(link, func() {
		p.say("On the new terminal, before %s:\n\n  till enroll '%s'\n\n", link.Expires.Time().Local().Format(time.Kitchen), link.Link)
		if code, err := device.EncodeQR(link.Link); err == nil {
			p.say("%s", drawQR(code))
		}
	})
}

// drawQR draws a code in half blocks, light on a dark terminal: the ground is
// drawn, the modules are left out.
func drawQR(code device.QRCode) string {
	const quiet = 4
	light := func(x, y int) bool {
		x, y = x-quiet, y-quiet
		return x < 0 || y < 0 || x >= code.Size() || y >= code.Size() || !code.Dark(x, y)
	}
	var b strings.Builder
	size := code.Size() + 2*quiet
	for y := 0; y < size; y += 2 {
		for x := range size {
			top, bottom := light(x, y), y+1 < size && light(x, y+1)
			b.WriteRune(map[[2]bool]rune{{true, true}: '█', {true, false}: '▀', {false, true}: '▄', {false, false}: ' '}[[2]bool{top, bottom}])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (p *program) listTerminals(ctx context.Context) error {
	lines := []boot.TerminalLine{}
	if err := p.ask(ctx, "terminal.list", struct{}{}, &lines); err != nil {
		return fail("list terminals", err)
	}
	return p.print(lines, func() {
		if len(lines) == 0 {
			p.say("there are no terminals; till terminal add NAME invites one\n")
			return
		}
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "NAME\tSTATE\tLAST SEEN\tCLOCK\tJOURNAL\tALERTS\tCONFIG\tCERTIFICATE UNTIL")
		for _, t := range lines {
			seen := "never"
			if t.LastSeen != nil {
				seen = t.LastSeen.Time().Local().Format("2006-01-02 15:04:05")
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", t.Name, stateWords(t), seen, driftWords(t.ClockDriftS),
				t.Journal, t.Alert, configWords(t.Config), t.CertificateUntil.Time().Local().Format("2006-01-02"))
		}
		_ = table.Flush()
	})
}

func stateWords(t boot.TerminalLine) string {
	if t.Overdue {
		return string(t.State) + ", overdue"
	}
	return string(t.State)
}

// driftWords tells a clock that is off by what may be more than the way there.
func driftWords(seconds *int64) string {
	switch {
	case seconds == nil:
		return "-"
	case *seconds >= -2 && *seconds <= 2:
		return "right"
	}
	return fmt.Sprintf("%+d s", *seconds)
}

func configWords(version int64) string {
	if version == 0 {
		return "-"
	}
	return strconv.FormatInt(version, 10)
}
