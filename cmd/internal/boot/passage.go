package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"till/device"
)

// RecordDevice stands between whoever opens where and the device at url, and
// writes down what passes ([device.Record]) until ctx ends. A conversation holds
// what was printed, written on cards and scanned: keep it as one keeps that. The
// URL of a serial printer names its speed: 9600 is assumed of all devices.
func RecordDevice(ctx context.Context, url string, at Where, to, out io.Writer) error {
	address, err := device.ParseURL(url, deviceBaud)
	if err != nil {
		return err
	}
	return at.serve(ctx, out, func(ctx context.Context, near device.Link) error {
		far, err := address.Open(ctx, nil)
		if err != nil {
			return fmt.Errorf("open %s: %w", url, err)
		}
		return bridge(ctx, near, device.Record(far, to))
	})
}

// PlayDevice is the device of a recorded conversation for whoever opens where,
// once; at its end it falls silent, until ctx ends. It fails with
// [device.ErrDeviates] when something else is said to it than was recorded.
func PlayDevice(ctx context.Context, conversation io.Reader, at Where, out io.Writer) error {
	turns, err := device.ParseConversation(conversation)
	if err != nil {
		return err
	}
	return at.serve(ctx, out, func(ctx context.Context, near device.Link) error {
		return bridge(ctx, near, silent{device.Play(turns)})
	})
}

// silent is a link that does not end by itself: a cable that is pulled takes away
// what has not been read yet.
type silent struct{ device.Link }

func (s silent) Read(ctx context.Context, p []byte) (int, error) {
	n, err := s.Link.Read(ctx, p)
	if errors.Is(err, device.ErrUnplugged) {
		<-ctx.Done()
		err = ctx.Err()
	}
	return n, err
}

func (s silent) Write(ctx context.Context, p []byte) (int, error) {
	n, err := s.Link.Write(ctx, p)
	if errors.Is(err, device.ErrUnplugged) {
		return len(p), nil
	}
	return n, err
}

// serve lets one after another open a pty or a TCP port, whose name it writes to
// out, until ctx ends.
func (w Where) serve(ctx context.Context, out io.Writer, each func(context.Context, device.Link) error) error {
	next, where, done, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err := fmt.Fprintln(out, where); err != nil {
		return err
	}
	for ctx.Err() == nil {
		link, err := next()
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return err
		}
		if err := each(ctx, link); err != nil && ctx.Err() == nil && !errors.Is(err, device.ErrUnplugged) {
			return err
		}
	}
	return nil
}

// open opens the place; next gives the link of who opens it next.
func (w Where) open(ctx context.Context) (next func() (device.Link, error), name string, done func(), err error) {
	if w.TCP != "" {
		l, err := net.Listen("tcp", w.TCP)
		if err != nil {
			return nil, "", nil, fmt.Errorf("listen: %w", err)
		}
		stop := context.AfterFunc(ctx, func() { _ = l.Close() })
		return func() (device.Link, error) {
			conn, err := l.Accept()
			if err != nil {
				return nil, fmt.Errorf("accept: %w", err)
			}
			return device.NewLink(conn), nil
		}, l.Addr().String(), func() { stop(); _ = l.Close() }, nil
	}
	link, name, err := device.OpenPTY()
	if err != nil {
		return nil, "", nil, err
	}
	done = func() { _ = link.Close() }
	if w.Link != "" {
		if err := os.Symlink(name, w.Link); err != nil {
			done()
			return nil, "", nil, fmt.Errorf("link: %w", err)
		}
		name, done = w.Link, func() { _ = os.Remove(w.Link); _ = link.Close() }
	}
	// A pty is a cable that stays plugged in: there is one link.
	given := false
	return func() (device.Link, error) {
		if given {
			return nil, fmt.Errorf("pseudo-terminal: %w", device.ErrUnplugged)
		}
		given = true
		return link, nil
	}, name, done, nil
}

// bridge carries bytes between two links until one of them ends, which is the
// error, and closes both.
func bridge(ctx context.Context, a, b device.Link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 2)
	carry := func(from, to device.Link) {
		data := make([]byte, 512)
		for {
			n, err := from.Read(ctx, data)
			if err == nil {
				_, err = to.Write(ctx, data[:n])
			}
			if err != nil {
				cancel(err)
				ended <- err
				return
			}
		}
	}
	go carry(a, b)
	go carry(b, a)
	<-ended
	_, _ = a.Close(), b.Close()
	<-ended
	return context.Cause(ctx)
}
