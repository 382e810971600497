package terminal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"till/protocol"
)

// Identity is who this terminal is since its pairing.
type Identity struct {
	ID          protocol.TerminalID `json:"id"`
	Name        string              `json:"name"`
	Server      string              `json:"server"`      // HOST:PORT of the pairing link
	CA          string              `json:"ca"`          // PEM
	Certificate string              `json:"certificate"` // PEM
	QuoteKeys   []protocol.QuoteKey `json:"quote_keys"`  // until a configuration brings others
}

func loadIdentity(ctx context.Context, q querier) (Identity, bool, error) {
	var who Identity
	err := loadSetting(ctx, q, "identity", &who)
	return who, who.ID != "", err
}

func (t *Terminal) saveIdentity(ctx context.Context, who Identity) error {
	_, err := t.write(ctx, func(ctx context.Context, c *change) error {
		value, err := text(who)
		if err != nil {
			return err
		}
		return c.set(ctx, "identity", value)
	})
	return err
}

// holder gives the present certificate to each new connection, so that a renewal
// loses no call.
type holder struct {
	atomic.Pointer[x509.Certificate]
}

// become makes the calls of this terminal the identity's.
func (t *Terminal) become(who Identity) error {
	leaf, err := certificate(who.Certificate)
	if err != nil {
		return fmt.Errorf("own certificate: %w", err)
	}
	root, err := certificate(who.CA)
	if err != nil {
		return fmt.Errorf("server's CA: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	server := t.server(who.Server)
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return fmt.Errorf("server address: %w", err)
	}
	held, resumed := &holder{}, newSessions()
	held.Store(leaf)
	// crypto/tls checks the server's chain, its host, and that it is a server's.
	client, transport, err := t.dialer(server, &tls.Config{
		MinVersion:           tls.VersionTLS13,
		RootCAs:              roots,
		ServerName:           host,
		ClientSessionCache:   resumed,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.clientCertificate(held) },
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.identity = who
	t.route = route{client, transport, held, resumed}
	t.health.Paired, t.health.Certificate = true, protocol.TimeOf(leaf.NotAfter)
	return nil
}

func (t *Terminal) clientCertificate(held *holder) (*tls.Certificate, error) {
	signer, err := t.o.Vault.Signer()
	if err != nil {
		return nil, fmt.Errorf("show certificate: %w", err)
	}
	leaf := held.Load()
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: signer, Leaf: leaf}, nil
}

// caller gives the client, or [ErrNotPaired], [ErrTampered].
func (t *Terminal) caller() (*protocol.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.route.client == nil {
		return nil, ErrNotPaired
	}
	if t.health.Tampered != "" {
		return nil, ErrTampered
	}
	return t.route.client, nil
}

// renewalDue reports whether two thirds of the certificate's life are over.
func renewalDue(leaf *x509.Certificate, now time.Time) bool {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	return now.After(leaf.NotBefore.Add(life / 3 * 2))
}

// renew asks for the next certificate when it is time; connections already made
// go on with the old one, which stays good for 24 hours.
func (t *Terminal) renew(ctx context.Context, client *protocol.Client) error {
	who, _ := t.Identity()
	t.mu.Lock()
	held, transport, resumed := t.route.certificate, t.route.transport, t.route.sessions
	t.mu.Unlock()
	now := t.o.Clock()
	if !renewalDue(held.Load(), now) {
		return nil
	}
	signer, err := t.o.Vault.Signer()
	if err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	csr, err := request(t.random, who.Name, signer)
	if err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	result, err := client.Renew(ctx, protocol.Renew{CSR: csr})
	if err != nil {
		return err
	}
	who.Certificate = result.Certificate
	if err := checkIdentity(who, "", signer.Public(), now); err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	leaf, err := certificate(result.Certificate)
	if err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	if renewalDue(leaf, now) {
		return errors.New("renew certificate: the server sent one that is over already")
	}
	if err := t.saveIdentity(ctx, who); err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	t.mu.Lock()
	t.identity = who
	t.mu.Unlock()
	held.Store(leaf)
	resumed.forget()                 // they speak for the old one
	transport.CloseIdleConnections() // the next call shows the new one
	t.updateHealth(func(h *Health) { h.Certificate = protocol.TimeOf(leaf.NotAfter) })
	return nil
}
