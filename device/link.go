package device

import (
	"context"
	"errors"
	"io"
	"os"
)

// Link is a byte pipe to a device. Every call ends by its context, which must
// have a deadline or be cancelled by its owner. Reading and writing may go on
// at the same time; each side has one caller. After the first error that is not
// the context's the link is of no more use: close it and open it anew.
type Link interface {
	// Read reads at least one byte, at most len(p). It fails with the
	// context's error when none came, and with ErrUnplugged when none will.
	Read(ctx context.Context, p []byte) (int, error)
	// Write writes all of p, or tells how much of it went before the error.
	Write(ctx context.Context, p []byte) (int, error)
	// Close releases the device and every call on it. A second call does nothing.
	Close() error
}

// Dialer opens a link. The wiring gives one for "sim:".
type Dialer func(ctx context.Context) (Link, error)

// What a caller of Open, Read and Write branches on.
var (
	// ErrUnplugged: the device or the peer went away.
	ErrUnplugged = errors.New("device unplugged")
	// ErrClosed: the link was closed by this side.
	ErrClosed = errors.New("link is closed")
	// ErrInUse: another program holds the port.
	ErrInUse = errors.New("port is in use by another program")
	// ErrNone: the address is "none".
	ErrNone = errors.New("no device is configured")
)

// FaultOf names the fault an error of Open, Read or Write stands for.
func FaultOf(err error) Fault {
	var card *CardError
	switch {
	case err == nil:
		return NoFault
	case errors.As(err, &card):
		return card.Fault
	case errors.Is(err, ErrNone), errors.Is(err, os.ErrNotExist):
		return NotFound
	case errors.Is(err, os.ErrPermission):
		return NotPermitted
	case errors.Is(err, ErrInUse):
		return InUse
	case errors.Is(err, ErrUnplugged), errors.Is(err, io.EOF), errors.Is(err, ErrClosed):
		return Unplugged
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return NoAnswer
	}
	return Unreachable
}
