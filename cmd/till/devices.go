package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/device"
)

func (p *program) devices() *cobra.Command {
	group := &cobra.Command{Use: "devices", Short: "Hardware of the counter"}
	unattended := false
	check := &cobra.Command{
		Use: "check [DEVICE…]", Short: "Open and exercise printer, card, scanner, display", Args: cobra.ArbitraryArgs, ValidArgs: boot.DeviceNames(),
		RunE: func(c *cobra.Command, names []string) error { return p.checkDevices(c.Context(), names, unattended) },
	}
	check.Flags().BoolVar(&unattended, "unattended", false, "move nothing that needs a hand: no paper, no drawer, no swipe, no scan")
	group.AddCommand(
		&cobra.Command{Use: "list", Short: "The serial ports of this machine, with their USB names", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return p.listPorts() }},
		check, p.simulateDevice(), p.recordDevice(), p.playDevice())
	return group
}

// place adds the flags that say where something lets itself be opened.
func place(c *cobra.Command, at *boot.Where) *cobra.Command {
	c.Flags().StringVar(&at.Link, "link", "", "symbolic link to make to the pseudo-terminal")
	c.Flags().StringVar(&at.TCP, "tcp", "", "HOST:PORT to listen on instead of a pseudo-terminal")
	return c
}

func (p *program) simulateDevice() *cobra.Command {
	group := &cobra.Command{Use: "sim", Short: "Simulate hardware on a pseudo-terminal or TCP"}
	for _, s := range []struct{ name, short, profiles string }{
		{"printer", "A printer: prints its path, then obeys lines such as `paper out` or `show`", "as printer.profile (default epson-80)"},
		{"card", "A card reader: obeys `card hi|lo [TRACKS]`, `swipe`, `show`", "msr605, msr606 or msr206 (default msr605)"},
		{"scanner", "A scanner: obeys `scan TEXT`", "what ends a code: cr, lf, crlf or none (default cr)"},
		{"display", "A customer display: obeys `show`", "epson or cd5220 (default epson)"},
	} {
		var at boot.Where
		profile := ""
		one := &cobra.Command{Use: s.name, Short: s.short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			simulated, err := boot.NewSim(s.name, profile)
			if err != nil {
				return usage("till devices sim "+s.name+" --help", "%w", err)
			}
			return fail("simulate "+s.name, boot.Simulate(c.Context(), simulated, at, p.in, p.out, p.err))
		}}
		one.Flags().StringVar(&profile, "profile", "", s.profiles)
		group.AddCommand(place(one, &at))
	}
	return group
}

func (p *program) recordDevice() *cobra.Command {
	var at boot.Where
	return place(&cobra.Command{
		Use: "record URL FILE", Short: "Stand between a program and a device, and write down what they say", Args: cobra.ExactArgs(2),
		Long: "Prints a path or address to give to the program instead of URL, and writes to FILE until it is stopped.\n" +
			"A conversation holds what was printed, written on cards and scanned, keys included: keep it as you keep those.",
		RunE: func(c *cobra.Command, args []string) (err error) {
			file, err := os.OpenFile(args[1], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return fail("record", err)
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			return fail("record", boot.RecordDevice(c.Context(), args[0], at, file, p.out))
		},
	}, &at)
}

func (p *program) playDevice() *cobra.Command {
	var at boot.Where
	return place(&cobra.Command{
		Use: "play FILE", Short: "Be the device of a recorded conversation", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return fail("play", err)
			}
			defer func() { _ = file.Close() }() // only read
			return fail("play", boot.PlayDevice(c.Context(), file, at, p.out))
		},
	}, &at)
}

func (p *program) listPorts() error {
	ports, err := device.Ports()
	if err != nil {
		return fail("list devices", err)
	}
	if ports == nil {
		ports = []device.Port{}
	}
	return p.print(ports, func() {
		if len(ports) == 0 {
			p.say("there are no serial ports; printers on the network need no port: printer.url = \"tcp://HOST:9100\"\n")
			return
		}
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "PORT\tUSB\tPRODUCT\tSERIAL\tURL")
		for _, port := range ports {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", port.Path, dash(port.USB), dash(port.Product), dash(port.Serial), port.URL)
		}
		_ = table.Flush()
	})
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// checkDevices checks the named devices, or all: then those that are not
// configured are said to be absent and do not count.
func (p *program) checkDevices(ctx context.Context, names []string, unattended bool) error {
	known := boot.DeviceNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return usage("till devices check "+strings.Join(known, " "), "check devices: there is no device %q", name)
		}
	}
	c, err := p.load(nil)
	if err != nil {
		return usageOf(fail("check devices", err))
	}
	inspector := inspector{p: p, config: c, hands: !unattended && isTerminal(p.in) && isTerminal(p.err), answers: bufio.NewReader(p.in)}
	if len(names) == 0 {
		names = known
	} else {
		inspector.strict = true
	}
	for _, name := range names {
		if err := inspector.check(ctx, name); err != nil {
			return err
		}
	}
	switch {
	case inspector.configured == 0 && !inspector.strict:
		return &failure{exitNo, errors.New("check devices: none is configured"), "till devices list, then set printer.url and the like"}
	case inspector.bad:
		return &failure{code: exitNo}
	}
	return nil
}

// inspector checks devices, asking who stands before them what a program cannot
// see.
type inspector struct {
	p          *program
	config     *config.Config
	hands      bool // a person is there
	strict     bool // what is not configured counts
	answers    *bufio.Reader
	configured int
	bad        bool
}

// The person's part, before a check and after it.
var (
	handsNeeded = map[string]string{
		"printer": "printer: a slip is printed and the drawer opened",
		"card":    "card: swipe any card within 15 seconds, when its lamp asks; nothing is written on it",
		"scanner": "scanner: scan any code within 15 seconds",
	}
	eyesNeeded = map[string][]struct{ what, question string }{
		"printer": {
			{"slip seen", "Is the slip on paper, with its code, and cut?"},
			{"drawer seen", "Did the drawer open? (y too where there is none)"},
		},
		"display": {{"text seen", "Does the display show TEST 1234567890, left and right?"}},
	}
)

func (i *inspector) check(ctx context.Context, name string) error {
	if i.hands && handsNeeded[name] != "" {
		_, _ = fmt.Fprintln(i.p.err, handsNeeded[name])
	}
	c, err := boot.CheckDevice(ctx, i.config, name, !i.hands)
	if err != nil {
		return &failure{exitUsage, fmt.Errorf("check devices: %w", err), "till config check"}
	}
	there := c.URL != "none"
	if there {
		i.configured++
	}
	if c.State == device.Ready && i.hands {
		for _, look := range eyesNeeded[name] {
			c.Steps = append(c.Steps, i.look(look.what, look.question))
		}
	}
	good := c.State == device.Ready
	for _, step := range c.Steps {
		good = good && step.OK
	}
	i.bad = i.bad || !good && (there || i.strict)
	if i.p.json {
		line := json.NewEncoder(i.p.out)
		line.SetEscapeHTML(false)
		return line.Encode(c)
	}
	i.p.say("%-8s %-8s %s\n", c.Device, c.State, c.URL)
	if !there && !i.strict {
		return nil
	}
	for _, step := range c.Steps {
		mark := "ok  "
		if !step.OK {
			mark = "FAIL"
		}
		i.p.say("  %s  %-11s  %s\n", mark, step.What, step.Detail)
	}
	return nil
}

// look asks a person; anything but yes is no.
func (i *inspector) look(what, question string) device.Step {
	_, _ = fmt.Fprint(i.p.err, question+" [y/N] ")
	answer, err := i.answers.ReadString('\n')
	step := device.Step{What: what, OK: strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y"), Detail: "a person says no"}
	switch {
	case step.OK:
		step.Detail = "a person says yes"
	case err != nil && !errors.Is(err, io.EOF):
		step.Detail = err.Error()
	}
	return step
}
