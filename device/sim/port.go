package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"till/device"
)

// Peripheral is any simulator of this package: a device with one cable.
type Peripheral interface {
	// Serve plugs a link in until it ends or the context does.
	Serve(ctx context.Context, link device.Link) error
	// Dial plugs into it in memory, in the place of whoever was.
	Dial(ctx context.Context) (device.Link, error)
	// Obey does what a line of `till devices sim` says (cli.md).
	Obey(line string, out io.Writer) error
	// Close takes it away.
	Close()
	// plugged waits until the cable is plugged in.
	plugged(ctx context.Context) error
}

var _ = []Peripheral{(*Printer)(nil), (*CardReader)(nil), (*Display)(nil), (*Scanner)(nil)}

// ServeTCP lets a peripheral be reached over the network as printers are on port
// 9100: by one client at a time, the next waiting its turn. It closes the
// listener and returns when the context ends.
func ServeTCP(ctx context.Context, listener net.Listener, p Peripheral) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	defer listener.Close()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		link := device.NewLink(conn)
		_ = p.Serve(ctx, link) // unplugged: the client finds its connection closed
		_ = link.Close()
	}
}

// ServePTY lets a peripheral be reached as a serial port, until the context
// ends. With a path, a symbolic link there leads to the port, through unplugging
// and plugging in again, as names under /dev/serial/by-id do. announce hears the
// name to open, whenever it is new.
func ServePTY(ctx context.Context, path string, p Peripheral, announce func(name string)) error {
	told := ""
	for {
		if err := p.plugged(ctx); err != nil {
			return nil
		}
		port, name, err := device.OpenPTY()
		if err != nil {
			return err
		}
		if path != "" {
			if err := pointTo(path, name); err != nil {
				_ = port.Close()
				return err
			}
			name = path
		}
		if name != told {
			announce(name)
			told = name
		}
		_ = p.Serve(ctx, port) // until it is unplugged
		_ = port.Close()
		if path != "" {
			_ = os.Remove(path)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// pointTo makes path a link to the port. What stands there and is no link is
// left alone.
func pointTo(path, port string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode()&os.ModeSymlink == 0:
		return fmt.Errorf("link %s: something else is there", path)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("link: %w", err)
	}
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("link: %w", err)
	}
	if err := os.Symlink(port, next); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}
