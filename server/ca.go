package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"till/protocol"
)

// How long certificates are good (terminal.md §2).
const (
	caLifetime       = 20 * 365 * 24 * time.Hour
	certLifetime     = 90 * 24 * time.Hour
	renewGrace       = 60 * 24 * time.Hour // expired, yet may renew
	oldCertificate   = 24 * time.Hour      // a renewed one stays good
	clockTolerance   = time.Hour           // certificates begin this much earlier
	maxSigningPEM    = 8 << 10
	serialBytes      = 16
	settingCA        = "ca_certificate"
	settingCAKey     = "ca_key"
	settingHostNames = "hosts"
)

// errSigningRequest: the text is not a signing request for a P-256 key.
var errSigningRequest = errors.New("the certificate request is not understood")

// authority is the server's own CA (ECDSA P-256, pathlen 0).
type authority struct {
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	random io.Reader

	mu     sync.Mutex // guards the server's certificate
	hosts  []string
	server *tls.Certificate
	renew  time.Time
}

// loadAuthority reads the CA from the settings, or makes it on first start.
func loadAuthority(tx *Tx, sealing *seal, random io.Reader, now time.Time) (*authority, error) {
	der, err := tx.Settings.Get(settingCA)
	if errors.Is(err, ErrNotFound) {
		return makeAuthority(tx, sealing, random, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	sealed, err := tx.Settings.Get(settingCAKey)
	if err != nil {
		return nil, fmt.Errorf("read CA key: %w", err)
	}
	secret, err := sealing.open(settingCAKey, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	key, err := x509.ParseECPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("read CA key: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	return &authority{cert: cert, key: key, random: random}, nil
}

func makeAuthority(tx *Tx, sealing *seal, random io.Reader, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	serial, err := newSerial(random)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "till " + hex.EncodeToString(serial.Bytes()[:4])},
		NotBefore: now.Add(-clockTolerance), NotAfter: now.Add(caLifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 0, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(random, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make CA: %w", err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	defer clear(secret)
	sealed, err := sealing.close(settingCAKey, secret)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(tx.Settings.Set(settingCA, der), tx.Settings.Set(settingCAKey, sealed)); err != nil {
		return nil, fmt.Errorf("store CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make CA: %w", err)
	}
	return &authority{cert: cert, key: key, random: random}, nil
}

// newSerial draws a positive serial number of 128 bits whose top bit is set, so
// that its hexadecimal form always has 32 digits.
func newSerial(random io.Reader) (*big.Int, error) {
	b := make([]byte, serialBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b), nil
}

// signingRequest reads the one thing taken from a certificate request: its
// P-256 public key, after the request's own signature verified.
func signingRequest(text string) (*ecdsa.PublicKey, error) {
	if len(text) > maxSigningPEM {
		return nil, errSigningRequest
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(rest) > 0 {
		return nil, errSigningRequest
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.CheckSignature() != nil {
		return nil, errSigningRequest
	}
	key, ok := request.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errSigningRequest
	}
	return key, nil
}

// terminalCertificate certifies the key for the terminal: clientAuth only,
// CA:FALSE, common name its id, 90 days.
func (a *authority) terminalCertificate(id protocol.TerminalID, key *ecdsa.PublicKey, now time.Time) (certificate string, row *TerminalKey, err error) {
	serial, err := newSerial(a.random)
	if err != nil {
		return "", nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: string(id)},
		NotBefore: now.Add(-clockTolerance), NotAfter: now.Add(certLifetime),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(a.random, template, a.cert, key, a.key)
	if err != nil {
		return "", nil, fmt.Errorf("make terminal certificate: %w", err)
	}
	info, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", nil, fmt.Errorf("make terminal certificate: %w", err)
	}
	return certificatePEM(der), &TerminalKey{
		Hash: protocol.HashOf(info), Serial: hex.EncodeToString(serial.Bytes()), Terminal: id,
		NotAfter: protocol.TimeOf(template.NotAfter),
	}, nil
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// serverCertificate gives a certificate for the hosts, the present one while it
// fits and is not two thirds over.
func (a *authority) serverCertificate(hosts []string, now time.Time) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil && slices.Equal(a.hosts, hosts) && now.Before(a.renew) {
		return a.server, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.random)
	if err != nil {
		return nil, fmt.Errorf("make server key: %w", err)
	}
	serial, err := newSerial(a.random)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "till server"},
		NotBefore: now.Add(-clockTolerance), NotAfter: now.Add(certLifetime),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(a.random, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("make server certificate: %w", err)
	}
	a.hosts, a.renew = slices.Clone(hosts), now.Add(certLifetime*2/3)
	a.server = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
	return a.server, nil
}

// forget lets the next connection have a new certificate of the server.
func (a *authority) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.server = nil
}

// verifyTerminal judges a client's certificate but for what only the database knows.
func (a *authority) verifyTerminal(cert *x509.Certificate, now time.Time) error {
	// An expired certificate is judged as of its last moment: it may still renew.
	at := now
	if now.After(cert.NotAfter) && now.Before(cert.NotAfter.Add(renewGrace)) {
		at = cert.NotAfter
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return fmt.Errorf("verify terminal certificate: %w", err)
	}
	if cert.IsCA || len(cert.ExtKeyUsage) != 1 || len(cert.UnknownExtKeyUsage) > 0 {
		return errors.New("verify terminal certificate: it is not for a terminal alone")
	}
	return nil
}

// CA gives the DER of the CA's certificate, which the server sends in its chain.
func (s *Server) CA() []byte { return slices.Clone(s.ca.cert.Raw) }

// ClientCAs is the pool that terminal certificates must lead to.
func (s *Server) ClientCAs() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.ca.cert)
	return pool
}

// GetCertificate gives the server's certificate with the CA's behind it, made
// anew when a pairing link named another host or it grows old.
func (s *Server) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	ctx := context.Background()
	if hello != nil && hello.Context() != nil {
		ctx = hello.Context()
	}
	hosts, err := s.hostNames(ctx)
	if err != nil {
		return nil, fmt.Errorf("choose server certificate: %w", err)
	}
	return s.ca.serverCertificate(hosts, s.o.Clock().Time())
}

// VerifyClient judges the certificate that a client showed in the handshake: of
// this CA, for clientAuth only, CA:FALSE, not before its time and expired for at
// most 60 days (then [Server.Authenticate] says what it may still do). It gives
// the serial and key hash that Authenticate wants.
func (s *Server) VerifyClient(cert *x509.Certificate) (serial string, keyHash protocol.Hash, err error) {
	if err := s.ca.verifyTerminal(cert, s.o.Clock().Time()); err != nil {
		return "", "", err
	}
	serial, keyHash = Speaker(cert)
	return serial, keyHash, nil
}

// Speaker gives the serial (hex) and key hash of a certificate without judging it.
func Speaker(cert *x509.Certificate) (serial string, keyHash protocol.Hash) {
	return hex.EncodeToString(cert.SerialNumber.Bytes()), protocol.HashOf(cert.RawSubjectPublicKeyInfo)
}

// TicketKeys gives the keys of TLS session tickets, today's first and yesterday's
// after it, the same in every process on the database. They follow from the CA's
// key: whoever could forge a ticket could issue certificates as well.
func (s *Server) TicketKeys() (keys [][32]byte, err error) {
	secret, err := x509.MarshalECPrivateKey(s.ca.key)
	if err != nil {
		return nil, fmt.Errorf("make ticket keys: %w", err)
	}
	defer clear(secret)
	day := int64(s.o.Clock()) / (24 * time.Hour).Milliseconds()
	for _, d := range []int64{day, day - 1} {
		key, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprint("till session tickets ", d), 32)
		if err != nil {
			return nil, fmt.Errorf("make ticket keys: %w", err)
		}
		keys = append(keys, [32]byte(key))
	}
	return keys, nil
}

// hostNames gives the names of the server certificate: those always held and
// those of every link given out, sorted.
func hostNames(tx *Tx, always []string) ([]string, error) {
	text, err := tx.Settings.Get(settingHostNames)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	var given []string
	if err == nil {
		if err := json.Unmarshal(text, &given); err != nil {
			return nil, fmt.Errorf("read host names: %w", err)
		}
	}
	names := slices.Concat(always, given)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// addHostName remembers a host that a link names.
func addHostName(tx *Tx, always []string, host string) error {
	names, err := hostNames(tx, always)
	if err != nil || slices.Contains(names, host) {
		return err
	}
	text, err := json.Marshal(append(names, host))
	if err != nil {
		return err
	}
	return tx.Settings.Set(settingHostNames, text)
}

// fingerprint is what a pairing link says of the CA.
func (a *authority) fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return hex.EncodeToString(sum[:])
}
