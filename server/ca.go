package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"

	"till/protocol"
)

// CA gives the DER of the CA's certificate.
func (s *Server) CA() []byte { return nil }

// ClientCAs is the pool that terminal certificates must lead to.
func (s *Server) ClientCAs() *x509.CertPool { return x509.NewCertPool() }

// GetCertificate gives the server's certificate with the CA's behind it, made
// anew when a pairing link named another host or it grows old.
func (s *Server) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return nil, unfinished
}

// VerifyClient judges the certificate that a client showed in the handshake: of
// this CA, for clientAuth only, CA:FALSE, not before its time and expired for at
// most 60 days (then [Server.Authenticate] says what it may still do). It gives
// the serial and key hash that Authenticate wants.
func (s *Server) VerifyClient(cert *x509.Certificate) (serial string, keyHash protocol.Hash, err error) {
	return "", "", unfinished
}

// VerifyJournals reads every terminal's journal from the start: the hash chain,
// the numbering, the sums. report is called once a terminal. It returns an
// error only when the store fails.
func (s *Server) VerifyJournals(ctx context.Context, report func(JournalReport)) error {
	return unfinished
}
