package rpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"till/protocol"
)

// listener gives connections whose handshake is done. It stands between TCP and
// net/http so that those that speak HTTP/1.1 are seen as [http1] there.
type listener struct {
	net.Listener
	config *tls.Config
	log    *slog.Logger
	conns  chan net.Conn
	errs   chan error
	closed context.Context
	close  context.CancelFunc
	all    sync.WaitGroup
}

func newListener(l net.Listener, config *tls.Config, log *slog.Logger) *listener {
	closed, cancel := context.WithCancel(context.Background())
	t := &listener{Listener: l, config: config, log: log, conns: make(chan net.Conn), errs: make(chan error), closed: closed, close: cancel}
	t.all.Go(t.accept)
	return t
}

// accept starts a handshake for every connection until the listener closes. An
// error goes to whoever accepts, which knows when to try again.
func (l *listener) accept() {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			l.all.Go(func() { l.greet(conn) })
			continue
		}
		select {
		case l.errs <- err:
		case <-l.closed.Done():
			return
		}
	}
}

// greet hands the connection on when its handshake is done in time.
func (l *listener) greet(conn net.Conn) {
	ctx, cancel := context.WithTimeout(l.closed, headerTime)
	defer cancel()
	secure := tls.Server(conn, l.config)
	if err := secure.HandshakeContext(ctx); err != nil {
		var foreign tls.RecordHeaderError
		if errors.As(err, &foreign) && foreign.Conn != nil && bytes.ContainsAny(foreign.RecordHeader[:], "/ ") {
			_, _ = conn.Write(plainRefusal("HTTP/1.1 400 Bad Request", "speak HTTPS here")) // it may have left
		}
		l.log.Debug("handshake failed", "address", conn.RemoteAddr(), "error", err)
		_ = conn.Close()
		return
	}
	var ready net.Conn = secure
	if secure.ConnectionState().NegotiatedProtocol != "h2" {
		ready = http1{secure}
	}
	select {
	case l.conns <- ready:
	case <-l.closed.Done():
		_ = secure.Close()
	}
}

// Accept gives the next connection that is ready.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case err := <-l.errs:
		return nil, err
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}

// Close ends accepting and the handshakes under way.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.close()
	l.all.Wait()
	return err
}

// http1 is a connection on which net/http's own refusals, of what is no HTTP or
// too large a head, leave as {"error":TEXT} like all others. It writes each in
// one piece; the door itself never writes text/plain, and JSON holds no line end.
type http1 struct{ *tls.Conn }

var plainHead = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

// Write turns a refusal of net/http into the door's form.
func (c http1) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("HTTP/1.1 4")) && !bytes.HasPrefix(p, []byte("HTTP/1.1 5")) {
		return c.Conn.Write(p)
	}
	head, text, own := bytes.Cut(p, plainHead)
	if !own {
		return c.Conn.Write(p)
	}
	status, _, _ := bytes.Cut(head, []byte(": "))
	if _, err := c.Conn.Write(plainRefusal(string(status), string(text))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// plainRefusal is a whole HTTP/1.1 answer that ends the connection.
func plainRefusal(status, text string) []byte {
	body, err := protocol.Encode(refusal{text})
	if err != nil {
		body = []byte(`{"error":""}`)
	}
	return fmt.Appendf(nil, "%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body)
}
