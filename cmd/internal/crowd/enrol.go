package crowd

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"till/protocol"
)

// Identity is a paired terminal with the head of its journal and its cursor. The
// key is in the clear: it is worth nothing beyond the server under test.
type Identity struct {
	Name        string              `json:"name"`
	ID          protocol.TerminalID `json:"id"`
	Key         []byte              `json:"key"`         // DER, SEC 1
	Certificate []byte              `json:"certificate"` // DER
	CA          []byte              `json:"ca"`          // DER
	Host        string              `json:"host"`        // HOST:PORT of its link
	Head        Head                `json:"head"`
	Log         protocol.LogID      `json:"log"`
	Alert       int64               `json:"alert"`
}

// Head is the end of a journal; Seq 0 is an empty one.
type Head struct {
	Seq  int64         `json:"seq"`
	At   protocol.Time `json:"at"`
	Hash protocol.Hash `json:"hash"`
}

// Dial makes connections.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

var errForeign = errors.New("the server's CA is not that of the link")

// Enrol pairs a new terminal by link, which is used up.
func Enrol(ctx context.Context, link protocol.Link, name string, dial Dial, clock func() time.Time) (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("enrol %s: %w", name, err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("enrol %s: %w", name, err)
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // the CA is known by its hash
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, shown := range s.PeerCertificates {
				if sum := sha256.Sum256(shown.Raw); hex.EncodeToString(sum[:]) == string(link.CA) {
					return s.PeerCertificates[0].CheckSignatureFrom(shown)
				}
			}
			return errForeign
		},
	}}
	client, err := protocol.NewClient("https://"+link.Host, &http.Client{Transport: transport}, clock)
	if err != nil {
		return nil, fmt.Errorf("enrol %s: %w", name, err)
	}
	result, err := client.Enroll(ctx, protocol.Enroll{Code: link.Code.Reveal(), Name: name,
		CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}))})
	if err != nil {
		return nil, fmt.Errorf("enrol %s: %w", name, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	certificate, _ := pem.Decode([]byte(result.Certificate))
	ca, _ := pem.Decode([]byte(result.CA))
	if err != nil || certificate == nil || ca == nil {
		return nil, errors.Join(fmt.Errorf("enrol %s: the certificate is not understood", name), err)
	}
	return &Identity{Name: name, ID: result.ID, Key: der, Certificate: bytes.Clone(certificate.Bytes), CA: bytes.Clone(ca.Bytes), Host: link.Host,
		Head: Head{Hash: protocol.NoHash}}, nil
}
