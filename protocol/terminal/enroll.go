package terminal

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"till/protocol"
)

// Errors of a pairing, beside [protocol.ErrPairingRefused].
var (
	// ErrForeignCA: whoever answers is not the server that gave the link. Nothing
	// was sent.
	ErrForeignCA = errors.New("the server is not the one that gave the pairing link")
	// ErrCertificate: the server's answer does not make a terminal of this key.
	ErrCertificate = errors.New("the server sent a certificate that does not fit")
)

// handshakeDeadline bounds a connection's TLS handshake.
const handshakeDeadline = 10 * time.Second

// Pair makes this machine the terminal name of the server that gave the link: a
// new key in the vault, its certificate here. It fails with [ErrPaired] when the
// database belongs to a pairing, [ErrForeignCA] before anything was sent,
// [protocol.ErrPairingRefused] when the server will not.
//
// After any other error the link may be used up; ask for another.
func (t *Terminal) Pair(ctx context.Context, link protocol.Link, name string) error {
	if _, paired := t.Identity(); paired {
		return fmt.Errorf("pair: %w", ErrPaired)
	}
	if !protocol.ValidTerminalName(name) {
		return errors.New("pair: a terminal's name is 1 to 64 of A-Z a-z 0-9 . _ -")
	}
	signer, err := t.o.Vault.Generate()
	if err != nil {
		return fmt.Errorf("pair: make key: %w", err)
	}
	csr, err := request(t.random, name, signer)
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	host, _, err := net.SplitHostPort(link.Host)
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	client, transport, err := t.dialer(link.Host, &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: host,
		// The chain is verified against the pinned CA instead of the system's.
		InsecureSkipVerify: true, //nolint:gosec // see pinned
		VerifyConnection:   pinned(link.CA, host, t.o.Clock),
	})
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	defer transport.CloseIdleConnections()
	result, err := client.Enroll(ctx, protocol.Enroll{Code: link.Code.Reveal(), Name: name, CSR: csr})
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	who := Identity{ID: result.ID, Name: name, Server: link.Host, CA: result.CA, Certificate: result.Certificate, QuoteKeys: result.QuoteKeys}
	if err := checkIdentity(who, link.CA, signer.Public(), t.o.Clock()); err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	if err := t.saveIdentity(ctx, who); err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	if err := t.become(who); err != nil {
		return err
	}
	t.updateHealth(func(h *Health) { h.Revoked, h.Problem = false, "" })
	t.wakeUp()
	return nil
}

// Identity tells who this terminal is, false before it is paired.
func (t *Terminal) Identity() (Identity, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.identity, t.identity.ID != ""
}

// pinned verifies, before anything is sent, that the chain shown ends in the CA
// whose SHA-256 is ca, that the leaf is for the host we called (an address has no
// place in the connection's own ServerName), and that it is a server's
// (terminal.md §2).
func pinned(ca protocol.Hash, host string, clock func() time.Time) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		roots, middle := x509.NewCertPool(), x509.NewCertPool()
		found := false
		for _, shown := range s.PeerCertificates {
			sum := sha256.Sum256(shown.Raw)
			if hex.EncodeToString(sum[:]) == string(ca) && shown.IsCA {
				roots.AddCert(shown)
				found = true
			} else {
				middle.AddCert(shown)
			}
		}
		if !found {
			return ErrForeignCA
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: middle, DNSName: host, CurrentTime: clock(),
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrForeignCA, err)
		}
		return nil
	}
}

// request makes a PEM certificate request for the vault's key.
func request(random io.Reader, name string, signer crypto.Signer) (string, error) {
	if key, ok := signer.Public().(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return "", errors.New("make certificate request: the vault's key is not ECDSA P-256")
	}
	der, err := x509.CreateCertificateRequest(random, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, signer)
	if err != nil {
		return "", fmt.Errorf("make certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// checkIdentity verifies what the server made of us: the CA is the pinned one (no
// hash: as it is), and the certificate is a client's, for this id and this key.
func checkIdentity(who Identity, ca protocol.Hash, key crypto.PublicKey, now time.Time) error {
	root, err := certificate(who.CA)
	if err != nil {
		return err
	}
	if ca != "" && protocol.HashOf(root.Raw) != ca {
		return ErrForeignCA
	}
	leaf, err := certificate(who.Certificate)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	// A clock that runs behind must not make a fresh certificate invalid.
	at := now
	if at.Before(leaf.NotBefore) {
		at = leaf.NotBefore
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	own, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || !own.Equal(key):
		return fmt.Errorf("%w: it is for another key", ErrCertificate)
	case !who.ID.Valid() || leaf.Subject.CommonName != string(who.ID):
		return fmt.Errorf("%w: it is for another terminal", ErrCertificate)
	}
	return nil
}

// certificate reads one certificate in PEM and nothing else.
func certificate(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(slices.DeleteFunc(rest, func(c byte) bool { return c == '\n' || c == '\r' })) > 0 {
		return nil, fmt.Errorf("%w: it is not one PEM certificate", ErrCertificate)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return c, nil
}

// server is the HOST:PORT to call for a link's.
func (t *Terminal) server(host string) string {
	if t.o.Server != "" {
		return t.o.Server
	}
	return host
}

// dialer makes a client of the server with its own connections.
func (t *Terminal) dialer(server string, config *tls.Config) (*protocol.Client, *http.Transport, error) {
	dial := t.o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: handshakeDeadline}).DialContext
	}
	transport := &http.Transport{
		DialContext:         dial,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: handshakeDeadline,
		ForceAttemptHTTP2:   true, // a waiting check-in is given up without a new handshake
		MaxIdleConns:        4,
		IdleConnTimeout:     2 * time.Minute,
		// A cable that was pulled says nothing: ask.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
	config.Time = t.o.Clock
	client, err := protocol.NewClient("https://"+server, &http.Client{Transport: transport}, t.o.Clock)
	if err != nil {
		return nil, nil, err
	}
	return client, transport, nil
}
