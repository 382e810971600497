//go:build !linux

package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.bug.st/serial"
)

// openSerial opens the port through go.bug.st/serial, which cannot set flow
// control.
func openSerial(s Serial) (Link, error) {
	if s.Flow != NoFlow {
		return nil, fmt.Errorf("open %s: flow=%s works on Linux only", s.Path, s.Flow)
	}
	mode := &serial.Mode{BaudRate: s.Baud, DataBits: 8, StopBits: serial.OneStopBit}
	switch s.Parity {
	case OddParity:
		mode.Parity = serial.OddParity
	case EvenParity:
		mode.Parity = serial.EvenParity
	}
	port, err := serial.Open(s.Path, mode)
	var why *serial.PortError
	switch {
	case errors.As(err, &why) && why.Code() == serial.PortBusy:
		return nil, fmt.Errorf("open %s: %w", s.Path, ErrInUse)
	case errors.As(err, &why) && why.Code() == serial.PortNotFound:
		return nil, fmt.Errorf("open %s: %w", s.Path, os.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", s.Path, err)
	}
	return &portLink{port: port}, nil
}

// portLink lives with the library's rules: a read returns nothing on timeout,
// and a write has none, so it runs beside its caller. A write that its context
// left behind keeps the link unusable until it returns.
//
// BUGS: a port that stalls for ever keeps one goroutine until it is unplugged.
type portLink struct {
	port serial.Port

	mu      sync.Mutex
	closed  bool
	writing bool
}

const readSlice = 50 * time.Millisecond

func (l *portLink) Read(ctx context.Context, p []byte) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := l.port.SetReadTimeout(readSlice); err != nil {
			return 0, l.gone(err)
		}
		n, err := l.port.Read(p)
		if err != nil {
			return n, l.gone(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (l *portLink) Write(ctx context.Context, p []byte) (int, error) {
	l.mu.Lock()
	if l.closed || l.writing {
		l.mu.Unlock()
		return 0, ErrClosed
	}
	l.writing = true
	l.mu.Unlock()
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	own := append([]byte(nil), p...)
	go func() {
		n, err := l.port.Write(own)
		l.mu.Lock()
		l.writing = false
		if l.closed {
			_ = l.port.Close()
		}
		l.mu.Unlock()
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return r.n, l.gone(r.err)
		}
		return r.n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Close leaves a running write its descriptor, which a closed port would hand
// to whatever file is opened next; the write closes it when it returns.
func (l *portLink) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.writing {
		return nil
	}
	return l.port.Close()
}

func (l *portLink) gone(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrUnplugged, err)
}
