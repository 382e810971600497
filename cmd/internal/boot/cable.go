package boot

import (
	"context"
	"net"
	"sync"
)

// Cable is the way from a terminal to a server elsewhere, over TCP. A story can
// cut it.
type Cable struct {
	mu   sync.Mutex
	cut  bool
	open map[net.Conn]struct{}
}

// Dial connects, unless the cable is cut.
func (c *Cable) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		_ = conn.Close()
		return nil, errCut
	}
	if c.open == nil {
		c.open = map[net.Conn]struct{}{}
	}
	c.open[conn] = struct{}{}
	return &cableConn{conn, c}, nil
}

// Cut breaks every connection and refuses new ones until it is mended.
func (c *Cable) Cut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.open {
			_ = conn.Close()
		}
		clear(c.open)
	}
}

// cableConn is forgotten by its cable when it is closed.
type cableConn struct {
	net.Conn
	cable *Cable
}

func (c *cableConn) Close() error {
	c.cable.mu.Lock()
	delete(c.cable.open, c.Conn)
	c.cable.mu.Unlock()
	return c.Conn.Close()
}
