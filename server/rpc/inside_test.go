package rpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"till/server/rpc"
)

// inside calls the handler without a network, as if the terminal's certificate
// had passed the handshake. arm, if there is one, is called when the body is
// read: the terminal is known by then.
type inside struct {
	door *rpc.Door
	arm  func()
}

// post sends the body as the till; one without certificate is a stranger.
func (i *inside) post(ctx context.Context, t testing.TB, c *till, path, body string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "https://till"+path, armedReader{strings.NewReader(body), i.arm})
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Date", c.s.clock.now().UTC().Format(http.TimeFormat))
	r.TLS = &tls.ConnectionState{}
	if c.certificate != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{c.certificate.Leaf}
	}
	w := httptest.NewRecorder()
	i.door.ServeHTTP(w, r)
	return answer{t, w.Code, w.Result().Header, r.Proto, w.Body.Bytes(), false}
}

type armedReader struct {
	*strings.Reader
	arm func()
}

func (r armedReader) Read(p []byte) (int, error) {
	if r.arm != nil {
		r.arm()
	}
	return r.Reader.Read(p)
}
