package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// errCut answers calls while the line is cut.
var errCut = errors.New("the line is cut")

// Line is the way to a server of the same process: a listener in memory, over which
// both ends speak what they would speak over a network. It exists before the server
// listens; a call made meanwhile waits. Practice can cut it as a cable is cut.
type Line struct {
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once

	mu   sync.Mutex
	cut  bool
	open map[net.Conn]struct{} // the caller's ends
}

// NewLine makes a line that a server will listen on.
func NewLine() *Line {
	return &Line{waiting: make(chan net.Conn), closed: make(chan struct{}), open: map[net.Conn]struct{}{}}
}

// Dial connects to the server; network and address are ignored.
func (l *Line) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far, err := pair()
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if !l.add(near) {
		return nil, errors.Join(errCut, near.Close(), far.Close())
	}
	select {
	case l.waiting <- farConn{far}:
		return &lineConn{near, l}, nil
	case <-l.closed:
		l.drop(near)
		return nil, errors.Join(net.ErrClosed, near.Close(), far.Close())
	case <-ctx.Done():
		l.drop(near)
		return nil, errors.Join(ctx.Err(), near.Close(), far.Close())
	}
}

// pair makes the two ends of a connection. It buffers as the kernel's sockets do:
// both ends of TLS may write at once, which over [net.Pipe] waits for ever.
func pair() (near, far net.Conn, err error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	var conns [2]net.Conn
	var errs [2]error
	for i, fd := range ends {
		f := os.NewFile(uintptr(fd), "line")
		conns[i], errs[i] = net.FileConn(f) // of a copy of its own
		_ = f.Close()
	}
	if err := errors.Join(errs[:]...); err != nil {
		for _, c := range conns {
			if c != nil {
				err = errors.Join(err, c.Close())
			}
		}
		return nil, nil, err
	}
	return conns[0], conns[1], nil
}

// Cut breaks every connection and refuses new ones until it is mended.
func (l *Line) Cut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for c := range l.open {
			_ = c.Close()
		}
		clear(l.open)
	}
}

func (l *Line) add(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *Line) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// lineConn is forgotten by its line when it is closed.
type lineConn struct {
	net.Conn
	line *Line
}

func (c *lineConn) Close() error {
	c.line.drop(c.Conn)
	return c.Conn.Close()
}

// farConn is the server's end: whoever calls is on this machine.
type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// Accept waits for the next connection.
func (l *Line) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// dialing gives a transport that reaches each line under its address, HOST:PORT,
// and everything else over the network.
func dialing(lines map[string]*Line) *http.Transport {
	network := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
		DialContext: func(ctx context.Context, kind, address string) (net.Conn, error) {
			if l := lines[address]; l != nil {
				return l.Dial(ctx, kind, address)
			}
			return network.DialContext(ctx, kind, address)
		},
	}
}

// Close ends the listener; connections live on.
func (l *Line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr names the listener.
func (l *Line) Addr() net.Addr { return lineAddr{} }

type lineAddr struct{}

func (lineAddr) Network() string { return "line" }
func (lineAddr) String() string  { return "embedded" }
