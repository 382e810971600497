package terminal

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"till/protocol"
)

// shop is a server that keeps the rules of check-in, on real TLS, with cables
// that can be cut.
type shop struct {
	t      *testing.T
	server *httptest.Server
	ca     *x509.Certificate
	caKey  *ecdsa.PrivateKey
	signer ed25519.PrivateKey
	clock  *clock

	mu        sync.Mutex
	code      string
	terminal  protocol.TerminalID
	life      time.Duration // of certificates given out
	requests  []string      // paths
	checkIns  []protocol.CheckIn
	cutBefore int // so many requests die before they are read
	cutAfter  int // so many answers die after the work is done
	log       protocol.LogID
	journal   []protocol.Entry
	forked    bool
	suspended bool
	alerts    []protocol.Alert
	config    protocol.Config
	quotes    []protocol.Quote
	noQuote   *protocol.NoQuote
	leased    []protocol.Lease
	taken     map[string]bool
	payouts   map[protocol.PayoutID]protocol.SweepResult
	poisoned  map[protocol.PayoutID]bool
	refuse    error         // the next payout's
	changed   chan struct{} // closed and renewed at each new alert
	held      int           // check-ins being held
}

const shopHost = "till.test:8443"

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{
		t: t, clock: &clock{now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}, code: "ABCD-EFGH-JKMN",
		terminal: "0193c0de-0000-7000-8000-000000000006", life: 90 * 24 * time.Hour,
		log: "0193c0de-0000-7000-8000-00000000aaaa", taken: map[string]bool{}, changed: make(chan struct{}),
		payouts: map[protocol.PayoutID]protocol.SweepResult{}, poisoned: map[protocol.PayoutID]bool{},
	}
	_, s.signer, _ = ed25519.GenerateKey(rand.Reader)
	s.config = protocol.Config{Version: 1, Currency: "EUR", QuoteKeys: s.quoteKeys(), PaymentWindowS: 900}
	s.caKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.ca = s.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Shop"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}, &s.caKey.PublicKey, nil, 10*365*24*time.Hour)
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.server.EnableHTTP2 = true
	s.server.TLS = s.tls("till.test", x509.ExtKeyUsageServerAuth)
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func (s *shop) quoteKeys() []protocol.QuoteKey {
	return []protocol.QuoteKey{{ID: "k1", Ed25519: fmt.Sprintf("%x", s.signer.Public())}}
}

// issue signs a certificate; without a parent, its own.
func (s *shop) issue(c *x509.Certificate, key crypto.PublicKey, parent *x509.Certificate, life time.Duration) *x509.Certificate {
	c.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	c.NotBefore = s.clock.Now().Add(-time.Minute)
	c.NotAfter = c.NotBefore.Add(life)
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key, s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *shop) tls(host string, usage x509.ExtKeyUsage) *tls.Config {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf := s.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 7)}, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}, &key.PublicKey, s.ca, 365*24*time.Hour)
	pool := x509.NewCertPool()
	pool.AddCert(s.ca)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, s.ca.Raw}, PrivateKey: key}},
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool, Time: s.clock.Now,
	}
}

func (s *shop) link() protocol.Link {
	return protocol.Link{Host: shopHost, CA: protocol.HashOf(s.ca.Raw), Code: protocol.NewSecret(s.code)}
}

// dial reaches the shop by whatever name.
func (s *shop) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.server.Listener.Addr().String())
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.Path)
	if s.cutBefore > 0 {
		s.cutBefore--
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var answer []byte
	switch {
	case r.URL.Path == "/enroll":
		answer = s.enroll(w, body)
	case len(r.TLS.PeerCertificates) == 0:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.URL.Path == "/renew":
		var p protocol.Renew
		if err := protocol.Decode(body, &p); err != nil {
			s.t.Error(err)
		}
		answer, _ = protocol.Encode(protocol.RenewResult{Certificate: s.certify(p.CSR)})
	case r.URL.Path == "/catalogue":
		s.mu.Lock()
		answer, _ = protocol.Encode(protocol.Catalogue{Version: s.config.CatalogueVersion, Items: []protocol.Item{{SKU: "1", Name: "Café"}}})
		s.mu.Unlock()
	default:
		answer = protocol.Serve(r.Context(), body, s.call)
	}
	s.mu.Lock()
	cut := s.cutAfter > 0
	if cut {
		s.cutAfter--
	}
	s.mu.Unlock()
	if cut {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(answer)
}

func (s *shop) enroll(w http.ResponseWriter, body []byte) []byte {
	var p protocol.Enroll
	if err := protocol.Decode(body, &p); err != nil || p.Code != s.code {
		w.WriteHeader(http.StatusForbidden)
		return []byte(`{"error":"pairing refused"}`)
	}
	answer, _ := protocol.Encode(protocol.EnrollResult{
		ID: s.terminal, Certificate: s.certify(p.CSR),
		CA:        string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.Raw})),
		QuoteKeys: s.quoteKeys(),
	})
	return answer
}

func (s *shop) certify(csr string) string {
	block, _ := pem.Decode([]byte(csr))
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.CheckSignature() != nil {
		s.t.Errorf("request %v", err)
		return ""
	}
	leaf := s.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: string(s.terminal)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, request.PublicKey, s.ca, s.life)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))
}

func (s *shop) call(ctx context.Context, c protocol.Call) (any, error) {
	switch c.Method {
	case protocol.CallCheckIn:
		return s.checkIn(ctx, c.Params)
	case protocol.CallGetAddress:
		return s.getAddress(c.Params)
	case protocol.CallSweep:
		return s.sweep(c.Params)
	case protocol.CallDispense:
		return s.dispense(c.Params)
	case protocol.CallQueryNonce:
		return s.queryNonce(c.Params)
	}
	return nil, protocol.CodeNoMethod
}

func (s *shop) checkIn(ctx context.Context, params []byte) (any, error) {
	var p protocol.CheckIn
	if err := protocol.Decode(params, &p); err != nil {
		s.t.Errorf("check-in: %v", err)
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkIns = append(s.checkIns, p)
	if err := s.store(p.Journal); err != nil {
		return nil, err
	}
	after := p.Alert
	if p.Log != s.log || after > int64(len(s.alerts)) {
		after = 0
	}
	for len(p.Journal) == 0 && p.Wait > 0 && after == int64(len(s.alerts)) && p.Config == s.config.Version && ctx.Err() == nil {
		changed := s.changed
		s.held++
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		s.held--
	}
	r := protocol.CheckInResult{Time: protocol.TimeOf(s.clock.Now()), Log: s.log, Journal: int64(len(s.journal)), Poll: 15, Entropy: strings.Repeat("ab", 32)}
	if s.suspended {
		r.Alerts = []protocol.Alert{{Kind: protocol.AlertSuspended, At: r.Time, Body: []byte(`{"reason":"journal_fork","message":"ask the owner","since":"2026-11-22T08:00:00.000Z"}`)}}
		return r, nil
	}
	r.Alerts = s.alerts[after:]
	if len(r.Alerts) > 3 {
		r.Alerts, r.More = r.Alerts[:3], true
	}
	r.Quotes, r.NoQuote = s.quotes, s.noQuote
	if p.Config != s.config.Version {
		config := s.config
		r.Config = &config
	}
	return r, nil
}

// store keeps what follows, as terminal.md §4.1 says.
func (s *shop) store(entries []protocol.Entry) error {
	if s.forked {
		return nil
	}
	last := int64(len(s.journal))
	head := protocol.NoHash
	if last > 0 {
		head = s.journal[last-1].Hash
	}
	fork := func() error {
		s.forked, s.suspended = true, true
		return &protocol.Error{Code: protocol.CodeJournalFork, Journal: &last, Hash: head}
	}
	var fresh []protocol.Entry
	for _, e := range entries {
		if err := e.Check(); err != nil {
			return &protocol.Error{Code: protocol.CodeInvalidParams, Member: "journal[0].hash", Message: "wrong"}
		}
		switch {
		case e.Seq <= last:
			if s.journal[e.Seq-1].Hash != e.Hash {
				return fork()
			}
			continue
		case e.Seq > last+int64(len(fresh))+1:
			return &protocol.Error{Code: protocol.CodeJournalGap, Journal: &last}
		}
		before := head
		if len(fresh) > 0 {
			before = fresh[len(fresh)-1].Hash
		}
		if e.Prev != before {
			return fork()
		}
		fresh = append(fresh, e)
	}
	s.journal = append(s.journal, fresh...)
	return nil
}

func (s *shop) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forked, s.suspended = false, false
}

func (s *shop) getAddress(params []byte) (any, error) {
	var p protocol.GetAddress
	if err := protocol.Decode(params, &p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.journal {
		var a protocol.TenderAdded
		if e.Kind == protocol.EntryTenderAdded && protocol.DecodeResult(e.Body, &a) == nil {
			s.taken[a.Address] = true
		}
	}
	for _, a := range p.Release {
		s.taken[a] = true
	}
	var r protocol.GetAddressResult
	for _, l := range s.leased {
		if !s.taken[l.Address] {
			r.Addresses = append(r.Addresses, l)
		}
	}
	for int64(len(r.Addresses)) < p.Want {
		n := len(s.leased)
		l := protocol.Lease{Address: fmt.Sprintf("bcrt1q%04d", n), Path: fmt.Sprintf("84'/1'/0'/0/%d", n), Leased: protocol.TimeOf(s.clock.Now()) + protocol.Time(n)}
		s.leased = append(s.leased, l)
		r.Addresses = append(r.Addresses, l)
	}
	return r, nil
}

func (s *shop) sweep(params []byte) (any, error) {
	var p protocol.Sweep
	if err := protocol.Decode(params, &p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poisoned[p.ID] {
		return nil, protocol.CodeIDPoisoned
	}
	if r, known := s.payouts[p.ID]; known {
		return r, nil
	}
	if err := s.refuse; err != nil {
		s.refuse = nil
		return nil, err
	}
	s.payouts[p.ID] = protocol.SweepResult{ID: p.ID, State: protocol.PayoutBroadcast, TxID: "aa"}
	return s.payouts[p.ID], nil
}

func (s *shop) dispense(params []byte) (any, error) {
	var p protocol.Dispense
	if err := protocol.Decode(params, &p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.journal {
		var r protocol.Refund
		if e.Kind == protocol.EntryRefund && protocol.DecodeResult(e.Body, &r) == nil && r.Refund == p.RefundOf {
			return protocol.DispenseResult{ID: p.ID, State: protocol.PayoutReserved, AmountSat: p.AmountSat}, nil
		}
	}
	return nil, protocol.CodeRefundUnknown
}

func (s *shop) queryNonce(params []byte) (any, error) {
	var p protocol.QueryNonce
	if err := protocol.Decode(params, &p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, known := s.payouts[p.ID]; known {
		r.Of = protocol.PayoutSweep
		return r, nil
	}
	s.poisoned[p.ID] = true
	return protocol.QueryNonceResult{ID: p.ID, State: protocol.PayoutNever}, nil
}

// tell adds an alert.
func (s *shop) tell(kind protocol.AlertKind, body any) {
	encoded, err := protocol.Encode(body)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alerts = append(s.alerts, protocol.Alert{Seq: int64(len(s.alerts)) + 1, At: protocol.TimeOf(s.clock.Now()), Kind: kind, Body: encoded})
	close(s.changed)
	s.changed = make(chan struct{})
}

// quote gives out a price from now on.
func (s *shop) quote(id string, life time.Duration) protocol.Quote {
	now := protocol.TimeOf(s.clock.Now())
	q := protocol.Quote{ID: protocol.QuoteID(id), Key: "k1", Currency: "EUR", Buy: 5_812_345, Sell: 5_988_000, Sources: []protocol.Source{}, At: now, Until: now.Add(life)}
	if err := q.Sign(s.signer); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quotes = []protocol.Quote{q}
	return q
}

func (s *shop) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}
