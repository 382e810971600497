package boot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"till/device"
	"till/device/sim"
)

// SimOptions say what `till devices sim printer` simulates and where.
type SimOptions struct {
	Profile string
	Link    string // a symbolic link to make to the pty
	TCP     string // HOST:PORT to listen on instead of a pty
}

// SimulatePrinter runs a simulated printer: it writes its path or address to
// out, then obeys the lines of in until it ends.
func SimulatePrinter(ctx context.Context, o SimOptions, in io.Reader, out, complaints io.Writer) error {
	p, err := sim.NewPrinter(o.Profile, nil)
	if err != nil {
		return err
	}
	defer p.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	serve, where, err := openSim(ctx, o, p)
	if err != nil {
		return err
	}
	if o.Link != "" {
		if err := os.Symlink(where, o.Link); err != nil {
			return fmt.Errorf("link simulator: %w", err)
		}
		defer func() { _ = os.Remove(o.Link) }()
	}
	if _, err := fmt.Fprintln(out, where); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- serve() }()
	obeyed := make(chan error, 1)
	go func() { obeyed <- obey(p, in, out, complaints) }()
	select {
	case err = <-obeyed:
	case <-ctx.Done():
	}
	cancel()
	return errors.Join(err, <-served)
}

// openSim opens the pty or the listener that the printer stands behind.
func openSim(ctx context.Context, o SimOptions, p *sim.Printer) (serve func() error, where string, err error) {
	if o.TCP == "" {
		link, path, err := device.OpenPTY()
		if err != nil {
			return nil, "", err
		}
		return func() error {
			err := p.Serve(ctx, link)
			return errors.Join(ignoreEnd(err), link.Close())
		}, path, nil
	}
	l, err := net.Listen("tcp", o.TCP)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	return func() error {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("accept: %w", err)
			}
			// Unplugged, it takes no connection; a new one takes the place of the last.
			link := device.NewLink(conn)
			go func() { _ = errors.Join(p.Serve(ctx, link), link.Close()) }()
		}
	}, l.Addr().String(), nil
}

func ignoreEnd(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// obey carries out the lines; one that is not understood is complained about.
func obey(p *sim.Printer, in io.Reader, out, complaints io.Writer) error {
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
