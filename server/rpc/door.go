package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"till/protocol"
	"till/server"
)

// How long a connection may take.
const (
	headerTime = 10 * time.Second // the handshake, and the head of a request
	bodyTime   = 30 * time.Second // a request with its body
	idleTime   = 3 * time.Minute  // between requests; an idle terminal calls at least each minute
	// writeTime is from the head of a request to the last byte of its answer: 16
	// calls that each wait as long as a call may, and a slow line.
	writeTime = 5 * time.Minute

	maxHeader  = 16 << 10 // bytes of a request's head
	maxStreams = 32       // requests at once on one HTTP/2 connection
)

// Options are what a [Door] stands on; all but Began are needed.
type Options struct {
	Server *server.Server
	Clock  func() protocol.Time
	Random io.Reader // for references of internal errors
	Log    *slog.Logger
	// Began hears of each call that begins and returns what hears of its end, with
	// the call's method; that of a check-in that may wait is [Waiting].
	Began func() (ended func(method string))
}

// Waiting is the name under which check-ins are timed that wait for news.
const Waiting = "checkin_waiting"

// Door is the http.Handler of the terminals' listener. [Door.Serve] serves it;
// without TLS it lets nobody in.
type Door struct {
	o        Options
	quotes   atomic.Pointer[quotesText]
	refusals *refusals
	turns    *turns
	openrpc  []byte
	bodyTime time.Duration
}

// New makes a door.
func New(o Options) (*Door, error) {
	if o.Server == nil || o.Clock == nil || o.Random == nil || o.Log == nil {
		return nil, errors.New("make front door: server, clock, random and log are needed")
	}
	if o.Began == nil {
		o.Began = func() func(string) { return func(string) {} }
	}
	document, err := protocol.OpenRPC()
	if err != nil {
		return nil, fmt.Errorf("make front door: %w", err)
	}
	return &Door{o: o, refusals: newRefusals(), turns: newTurns(), openrpc: document, bodyTime: bodyTime}, nil
}

// TLS is TLS 1.3 with the server's certificate. A client need not show a
// certificate, so that it can be told 401 and can enrol; one that is shown must
// be good or the handshake ends. There is no early data: crypto/tls takes none.
func (d *Door) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"h2", "http/1.1"},
		Time:           func() time.Time { return d.o.Clock().Time() },
		GetCertificate: d.o.Server.GetCertificate,
		ClientAuth:     tls.RequestClientCert,
		ClientCAs:      d.o.Server.ClientCAs(),
		// Called on resumption too: then the ticket, which only a holder of the CA's
		// key can make, says that the certificate was verified.
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || state.DidResume {
				return nil
			}
			_, _, err := d.o.Server.VerifyClient(state.PeerCertificates[0])
			return err
		},
	}
}

// Serve answers on the listener until ctx ends; it then gives requests under
// way, whose waits the server has ended, up to grace.
func (d *Door) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s := &http.Server{
		Handler:           d,
		TLSConfig:         d.TLS(),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       d.bodyTime, // it ends with the body: a check-in may wait longer
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(d.o.Log.Handler(), slog.LevelDebug),
	}
	keys, err := d.o.Server.TicketKeys()
	if err != nil {
		return fmt.Errorf("serve terminals: %w", err)
	}
	s.TLSConfig.SetSessionTicketKeys(keys)
	go d.turnTickets(ctx, s.TLSConfig)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(newListener(l, s.TLSConfig, d.o.Log)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve terminals: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err = s.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	<-ended
	return err
}

// ServeHTTP answers in the order of terminal.md §2: 401, 403, 429, 404, 405, 413, 415.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	defer d.recover(w, r)
	if r.URL.Path == "/enroll" {
		d.enroll(w, r)
		return
	}
	v, ok := d.authenticate(w, r)
	if !ok {
		return
	}
	if !d.turns.take(v.terminal.ID) {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, protocol.CodeTooManyRequests.Message())
		return
	}
	defer d.turns.giveBack(v.terminal.ID)
	if v.terminal.State == server.TerminalSuspended && r.URL.Path != "/rpc" {
		barred(w, v.terminal)
		return
	}
	switch r.URL.Path {
	case "/rpc":
		d.rpc(w, r, v.terminal)
	case "/renew":
		d.renew(w, r, v)
	case "/openrpc.json":
		if get(w, r) {
			answer(w, http.StatusOK, d.openrpc)
		}
	case "/catalogue":
		if get(w, r) {
			d.catalogue(w, r)
		}
	default:
		refuse(w, http.StatusNotFound, "there is nothing here")
	}
}

// visitor is a terminal with the certificate it speaks with.
type visitor struct {
	terminal *server.Terminal
	serial   string
}

// authenticate finds the terminal behind the connection's certificate. One whose
// certificate has expired may renew and nothing else.
func (d *Door) authenticate(w http.ResponseWriter, r *http.Request) (visitor, bool) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		refuse(w, http.StatusUnauthorized, "a terminal's certificate is needed")
		return visitor{}, false
	}
	// The handshake verified it; what became of it since is looked up.
	serial, key := server.Speaker(r.TLS.PeerCertificates[0])
	t, err := d.o.Server.Authenticate(r.Context(), serial, key)
	switch {
	case err == nil, errors.Is(err, server.ErrCertificateExpired) && r.URL.Path == "/renew":
		return visitor{t, serial}, true
	case errors.Is(err, server.ErrCertificateUnknown), errors.Is(err, server.ErrCertificateExpired):
		refuse(w, http.StatusUnauthorized, err.Error())
	case errors.Is(err, server.ErrRevoked):
		revoked(w)
	default:
		d.fail(w, r, "authenticate", err)
	}
	return visitor{}, false
}
