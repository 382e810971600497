package rpc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// handshake dials and reads until the server has judged the certificate. The
// error is the server's, nil when it waits for a request.
func (s *shop) handshake(config *tls.Config) (tls.ConnectionState, error) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	must(s.t, err)
	defer func() { _ = conn.Close() }()
	must(s.t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	config.ServerName = "127.0.0.1"
	secure := tls.Client(conn, config)
	if err := secure.Handshake(); err != nil {
		return tls.ConnectionState{}, err
	}
	// In TLS 1.3 the client has finished before the server judges it: a request
	// shows what it thinks.
	if _, err := io.WriteString(secure, "GET / HTTP/1.1\r\nHost: till\r\nConnection: close\r\n\r\n"); err != nil {
		return secure.ConnectionState(), err
	}
	_, err = secure.Read(make([]byte, 1))
	return secure.ConnectionState(), err
}

// otherCA signs terminal certificates that look like the shop's.
func (s *shop) otherCA(edit func(*x509.Certificate), like *tls.Certificate) *tls.Certificate {
	s.t.Helper()
	real, err := x509.ParseCertificate(s.core.CA())
	must(s.t, err)
	caKey, key := newKey(s.t), newKey(s.t)
	ca := &x509.Certificate{
		SerialNumber: real.SerialNumber, RawSubject: real.RawSubject, NotBefore: real.NotBefore, NotAfter: real.NotAfter,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: real.KeyUsage, SubjectKeyId: real.SubjectKeyId,
	}
	template := &x509.Certificate{
		SerialNumber: like.Leaf.SerialNumber, Subject: like.Leaf.Subject, NotBefore: like.Leaf.NotBefore, NotAfter: like.Leaf.NotAfter,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	must(s.t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kasse1"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTheHandshakeEndsForCertificatesThatAreNotATerminalsOwn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	servers, err := s.core.GetCertificate(nil)
	must(t, err)
	stolen := &tls.Certificate{Certificate: c.certificate.Certificate, PrivateKey: newKey(t)}
	for name, shown := range map[string]*tls.Certificate{
		"self-signed": selfSigned(t),
		"another CA with the same names and numbers": s.otherCA(nil, c.certificate),
		"the server's certificate as a client's":     servers,
		"a terminal's certificate without its key":   stolen,
	} {
		if _, err := s.handshake(s.config(shown)); err == nil {
			t.Errorf("%s: the server went on", name)
		} else if !strings.Contains(err.Error(), "remote error: tls:") {
			t.Errorf("%s: %v, want the server's alert", name, err)
		}
	}
	if _, err := s.handshake(s.config(c.certificate)); err != nil {
		t.Errorf("the terminal's own: %v", err)
	}
	if _, err := s.handshake(s.config(nil)); err != nil {
		t.Errorf("none at all: %v, want to be told 401", err)
	}
}

func TestTheServersCertificateNamesEveryHostGivenOutAndServesOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if _, err := s.core.AddTerminal(t.Context(), "kasse1", false, "till.example:8443"); err != nil {
		t.Fatal(err)
	}
	state, err := s.handshake(s.config(nil))
	must(t, err)
	if state.Version != tls.VersionTLS13 {
		t.Errorf("version %x", state.Version)
	}
	leaf := state.PeerCertificates[0]
	for _, host := range []string{"localhost", "127.0.0.1", "till.example"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Errorf("usage %v", leaf.ExtKeyUsage)
	}
	ca := state.PeerCertificates[len(state.PeerCertificates)-1]
	if key, ok := ca.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() || !ca.IsCA || !ca.MaxPathLenZero {
		t.Errorf("the chain does not end in a P-256 CA of path length 0: %v", ca.Subject)
	}
	if string(ca.Raw) != string(s.core.CA()) {
		t.Error("the chain does not carry the CA that links name")
	}
}

func TestOnlyTLS13IsSpoken(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	config := s.config(nil)
	config.MaxVersion = tls.VersionTLS12
	if _, err := s.handshake(config); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
}

func TestATerminalsCertificateIsOfItsIDAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	key := newKey(t)
	request := csr(t, key, func(r *x509.CertificateRequest) {
		r.Subject = pkix.Name{CommonName: "owner", Organization: []string{"Evil"}}
		r.DNSNames = []string{"localhost"}
	})
	var result struct{ ID, Certificate string }
	s.with(nil).post("/enroll", object{"code": s.invite("kasse1").Code.Reveal(), "name": "kasse1", "csr": request}).want(200).into(&result)
	leaf := keyPair(t, result.Certificate, key).Leaf
	if leaf.Subject.String() != "CN="+result.ID || len(leaf.DNSNames) > 0 {
		t.Errorf("certificate of %v %v, want that of the id alone", leaf.Subject, leaf.DNSNames)
	}
	if len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || leaf.IsCA || !leaf.BasicConstraintsValid {
		t.Errorf("usage %v, CA %v", leaf.ExtKeyUsage, leaf.IsCA)
	}
	if life := leaf.NotAfter.Sub(s.clock.now()); life > 90*24*time.Hour || life < 90*24*time.Hour-time.Minute {
		t.Errorf("good for %v", life)
	}
}

func TestWithoutCertificateEverythingButPairingIs401(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	stranger := s.with(nil)
	const body = `{"error":"a terminal's certificate is needed"}`
	for _, path := range []string{"/rpc", "/renew", "/openrpc.json", "/catalogue?version=1", "/", "/nothing"} {
		stranger.do(http.MethodGet, path, nil, nil).exactly(401, body)
		stranger.do(http.MethodPost, path, asJSON, strings.NewReader(`{`)).exactly(401, body)
	}
}

func TestRevocationHoldsOnOpenConnectionsWhileWaitingAndOnResumption(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const body = `{"error":"this terminal is revoked"}`
	c := s.enroll("kasse1")
	waits := c.waiting()

	cache := &tickets{ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	config := s.config(c.certificate)
	config.ClientSessionCache = cache
	if state, err := s.handshake(config); err != nil || state.DidResume {
		t.Fatalf("first handshake: resumed %v, %v", state.DidResume, err)
	}
	if !cache.filled() {
		t.Fatal("the server gave no ticket: resumption cannot be tried")
	}

	must(t, s.core.Revoke(t.Context(), "kasse1"))
	c.soon(waits).exactly(403, body)
	c.raw(`{"jsonrpc":"2.0","id":1,"method":"checkin","params":{"software":"","config":0,"alert":0,"addresses":0}}`).exactly(403, body)
	for _, path := range []string{"/renew", "/openrpc.json", "/catalogue", "/nothing"} {
		c.do(http.MethodGet, path, nil, nil).exactly(403, body)
	}

	again := s.with(c.certificate)
	again.http.Transport.(*http.Transport).TLSClientConfig.ClientSessionCache = cache
	again.http.Transport.(*http.Transport).TLSClientConfig.ServerName = "127.0.0.1"
	a := again.do(http.MethodGet, "/openrpc.json", nil, nil)
	if !a.resumed {
		t.Error("the session was not resumed: the test shows nothing")
	}
	a.exactly(403, body)
}

// tickets counts the session tickets and keeps whether one allows early data.
type tickets struct {
	tls.ClientSessionCache
	early bool
	got   int
}

func (c *tickets) Put(key string, session *tls.ClientSessionState) {
	if session != nil {
		c.got++
		if _, state, err := session.ResumptionState(); err == nil && state.EarlyData {
			c.early = true
		}
	}
	c.ClientSessionCache.Put(key, session)
}

func (c *tickets) filled() bool { return c.got > 0 }

func TestTicketsAllowNoEarlyData(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	cache := &tickets{ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	config := s.config(c.certificate)
	config.ClientSessionCache = cache
	if _, err := s.handshake(config); err != nil {
		t.Fatal(err)
	}
	if !cache.filled() || cache.early {
		t.Errorf("%d tickets, early data %v", cache.got, cache.early)
	}
}

// asks makes a connection of its own for one request, and tells whether it took
// up a session and what was answered.
func (s *shop) asks(config *tls.Config) (resumed bool, status string) {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.addr, config)
	must(s.t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET /openrpc.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
	must(s.t, err)
	text, err := io.ReadAll(conn) // the ticket comes before it
	must(s.t, err)
	return conn.ConnectionState().DidResume, string(text[:min(12, len(text))])
}

func TestASessionIsTakenUpByTheServerThatComesAfter(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("bar")
	config := s.config(c.certificate)
	config.ClientSessionCache, config.ServerName = tls.NewLRUClientSessionCache(1), "127.0.0.1"
	if resumed, status := s.asks(config); resumed || status != "HTTP/1.1 200" {
		t.Fatalf("the first: resumed %v, %s", resumed, status)
	}
	s.stop()
	s.open()
	s.serve()
	if resumed, status := s.asks(config); !resumed || status != "HTTP/1.1 200" {
		t.Errorf("after a restart: resumed %v, %s", resumed, status)
	}
	must(t, s.core.Revoke(t.Context(), "bar"))
	if resumed, status := s.asks(config); !resumed || status != "HTTP/1.1 403" {
		t.Errorf("a revoked terminal: resumed %v, %s", resumed, status)
	}
	s.stop()
	s.clock.advance(3 * 24 * time.Hour)
	s.open()
	s.serve()
	if resumed, _ := s.asks(config); resumed {
		t.Error("a ticket of three days ago was taken: its key should be gone")
	}
}
