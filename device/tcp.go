package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// stream is a file or connection that the runtime's poller watches.
type stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// streamLink makes a Link of a stream by turning the end of a context into a
// deadline that has passed.
type streamLink struct {
	stream  stream
	release func() // before closing: gives exclusivity back
	closing sync.Once
}

// NewLink makes a link of a connection, such as one that a listener accepted.
func NewLink(conn net.Conn) Link { return &streamLink{stream: conn, release: func() {}} }

func dialTCP(ctx context.Context, address string) (Link, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open printer connection: %w", err)
	}
	return NewLink(conn), nil
}

// longAgo is a deadline that has passed by every clock.
var longAgo = time.Unix(1, 0)

func (l *streamLink) Read(ctx context.Context, p []byte) (int, error) {
	return until(ctx, l.stream.SetReadDeadline, l.stream.Read, p)
}

func (l *streamLink) Write(ctx context.Context, p []byte) (int, error) {
	return until(ctx, l.stream.SetWriteDeadline, l.stream.Write, p)
}

func (l *streamLink) Close() (err error) {
	l.closing.Do(func() {
		l.release()
		err = l.stream.Close()
	})
	return err
}

// until runs one read or write and breaks it off when the context ends.
func until(ctx context.Context, deadline func(time.Time) error, do func([]byte) (int, error), p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	broken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = deadline(longAgo) // a closed stream has ended the call already
		close(broken)
	})
	n, err := do(p)
	if !stop() {
		<-broken
		_ = deadline(time.Time{})
	}
	return n, linkError(ctx, err)
}

// linkError turns what a file or a connection says into the link's own errors.
// A terminal whose device went away reads as end of file and writes as EIO;
// both stand for unplugged (devices.md section 1).
func linkError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrClosed), errors.Is(err, net.ErrClosed):
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrUnplugged, err)
}
