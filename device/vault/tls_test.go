package vault

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"
)

// authority is a server's CA for the tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{key: key}
	a.certificate = a.issue(t, &key.PublicKey, "CA", true)
	return a
}

func (a authority) issue(t testing.TB, public crypto.PublicKey, name string, ca bool) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: ca,
	}
	parent := a.certificate
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve runs a TLS 1.3 server that wants clients of the CA and greets them.
func serve(t testing.TB, a authority) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{a.issue(t, &key.PublicKey, "server", false).Raw}, PrivateKey: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// connect makes a handshake with the signer's key and hears the greeting.
func connect(ctx context.Context, address string, a authority, certificate *x509.Certificate, s crypto.Signer) error {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	d := tls.Dialer{Config: &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: "server",
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: s, Leaf: certificate}},
	}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err == nil && string(text) != "hello" {
		err = errors.New("the server said " + string(text))
	}
	return err
}

func TestTheKeyOfATLSConnectionLivesAndDiesInTheVault(t *testing.T) {
	for _, kind := range []string{"file", "TPM", "TPM over TCP"} {
		t.Run(kind, func(t *testing.T) {
			url := "file:"
			switch kind {
			case "TPM":
				url = startTPM(t)
			case "TPM over TCP":
				url = "tpm:tcp://127.0.0.1:" + startSwtpm(t, "type=tcp,port=", freePort(t))
			}
			ca := newAuthority(t)
			address := serve(t, ca)
			dir := t.TempDir()
			v := openVault(t, url, dir, nil)
			s, err := v.Generate()
			signer := must(t, s, err)
			certificate := ca.issue(t, signer.Public(), "terminal", false)
			for range 2 {
				if err := connect(t.Context(), address, ca, certificate, signer); err != nil {
					t.Fatal(err)
				}
			}
			if err := v.Tamper("case switch"); err != nil {
				t.Fatal(err)
			}
			if err := connect(t.Context(), address, ca, certificate, signer); err == nil || !strings.Contains(err.Error(), ErrNoKey.Error()) {
				t.Errorf("with an erased key: %v", err)
			}
			if sensor, found, err := Tampered(dir); sensor != "case-switch" || !found || err != nil {
				t.Errorf("tampered: %q, %v, %v", sensor, found, err)
			}
			// A new key is not the old one: its certificate is refused too.
			s, err = openVault(t, url, dir, nil).Generate()
			if err := connect(t.Context(), address, ca, certificate, must(t, s, err)); err == nil {
				t.Error("another key passes for the erased one")
			}
		})
	}
}

// BenchmarkHandshake is a whole TLS 1.3 connection with a client's certificate.
func BenchmarkHandshakeTPM(b *testing.B)  { benchmarkHandshake(b, startTPM(b)) }
func BenchmarkHandshakeFile(b *testing.B) { benchmarkHandshake(b, "file:") }

func benchmarkHandshake(b *testing.B, url string) {
	ca := newAuthority(b)
	address := serve(b, ca)
	s, err := openVault(b, url, b.TempDir(), nil).Generate()
	signer := must(b, s, err)
	certificate := ca.issue(b, signer.Public(), "terminal", false)
	for b.Loop() {
		if err := connect(b.Context(), address, ca, certificate, signer); err != nil {
			b.Fatal(err)
		}
	}
}
