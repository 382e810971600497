package boot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"till/device/sim"
)

// Where says where something that is no device lets itself be opened like one.
type Where struct {
	Link string // a symbolic link to make to the pty, "" none
	TCP  string // HOST:PORT to listen on instead of a pty
}

// The profiles of simulated scanners: what ends a code.
var scannerEnds = map[string]string{"": "\r", "cr": "\r", "lf": "\n", "crlf": "\r\n", "none": ""}

// NewSim makes a simulated device of a profile; "" is the usual one.
func NewSim(name, profile string) (sim.Peripheral, error) {
	switch name {
	case "printer":
		if profile == "" {
			profile = "epson-80"
		}
		return sim.NewPrinter(profile, nil)
	case "card":
		return sim.NewCardReader(profile, nil)
	case "scanner":
		end, known := scannerEnds[profile]
		if !known {
			return nil, fmt.Errorf("simulate scanner: profile %q is unknown: write cr, lf, crlf or none", profile)
		}
		return sim.NewScanner(end), nil
	case "display":
		if profile == "" {
			profile = "epson"
		}
		return sim.NewDisplay(profile)
	}
	return nil, fmt.Errorf("simulate %s: there is no such device", name)
}

// Simulate runs a simulated device: it writes its path or address to out, then
// obeys the lines of in until it ends.
func Simulate(ctx context.Context, p sim.Peripheral, at Where, in io.Reader, out, complaints io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer p.Close()
	announced := make(chan string, 1)
	served := make(chan error, 1)
	announce := func(name string) {
		_, _ = fmt.Fprintln(out, name) // a reader that left needs no name
		select {
		case announced <- name:
		default:
		}
	}
	if at.TCP != "" {
		l, err := net.Listen("tcp", at.TCP)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		announce(l.Addr().String())
		go func() { served <- sim.ServeTCP(ctx, l, p) }()
	} else {
		go func() { served <- sim.ServePTY(ctx, at.Link, p, announce) }()
	}
	select {
	case <-announced: // the path comes before anything that is obeyed
	case err := <-served:
		return err
	}
	obeyed := make(chan error, 1)
	go func() { obeyed <- obey(p, in, out, complaints) }()
	var err error
	select {
	case err = <-obeyed:
	case err = <-served:
		return err
	case <-ctx.Done():
	}
	cancel()
	return errors.Join(err, <-served)
}

// obey carries out the lines; one that is not understood is complained about.
func obey(p sim.Peripheral, in io.Reader, out, complaints io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := p.Obey(lines.Text(), out); err != nil {
			if _, err := fmt.Fprintf(complaints, "till: simulator: %v\n", err); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
