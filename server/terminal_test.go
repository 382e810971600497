package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
	"till/server/store"
)

func parseCertificate(t testing.TB, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("not PEM: %q", text)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// invite gives the code of a new link.
func (s *shop) invite(name string, replace bool) string {
	s.t.Helper()
	invitation, err := s.AddTerminal(context.Background(), name, replace, "till.example:8443")
	if err != nil {
		s.t.Fatal(err)
	}
	link, err := protocol.ParseLink(invitation.Link)
	if err != nil {
		s.t.Fatal(err)
	}
	if sum := sha256.Sum256(s.CA()); link.Host != "till.example:8443" || string(link.CA) != hex.EncodeToString(sum[:]) {
		s.t.Fatalf("link %s", invitation.Link)
	}
	if want := s.clock().Add(time.Hour); invitation.Expires != want {
		s.t.Fatalf("the link expires at %s, want %s", invitation.Expires, want)
	}
	return link.Code.Reveal()
}

func (s *shop) enroll(code, name, csr string) (*protocol.EnrollResult, error) {
	return s.Enroll(context.Background(), protocol.Enroll{Code: code, Name: name, CSR: csr})
}

func TestPairingGivesACertificateForThisTerminalAlone(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	code := shop.invite("main", false)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	got, err := shop.enroll(code, "main", requestFor(t, key))
	if err != nil {
		t.Fatal(err)
	}
	cert := parseCertificate(t, got.Certificate)
	if cert.Subject.CommonName != string(got.ID) || cert.IsCA || !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) {
		t.Errorf("certificate of %s, CA %v, usage %v", cert.Subject.CommonName, cert.IsCA, cert.ExtKeyUsage)
	}
	if life := cert.NotAfter.Sub(shop.clock().Time()); life != 90*24*time.Hour {
		t.Errorf("it lasts %s", life)
	}
	ca := parseCertificate(t, got.CA)
	if !ca.IsCA || ca.MaxPathLen != 0 || !ca.MaxPathLenZero {
		t.Errorf("CA %v pathlen %d", ca.IsCA, ca.MaxPathLen)
	}
	serial, hash, err := shop.VerifyClient(cert)
	if err != nil {
		t.Fatal(err)
	}
	who, err := shop.Authenticate(context.Background(), serial, hash)
	if err != nil || who.ID != got.ID || who.Name != "main" {
		t.Fatalf("authenticated as %+v, %v", who, err)
	}
	if _, err := shop.Authenticate(context.Background(), serial, protocol.HashOf(nil)); !errors.Is(err, server.ErrCertificateUnknown) {
		t.Errorf("another key with this serial: %v", err)
	}
	if _, err := shop.enroll(code, "main", request(t)); !errors.Is(err, server.ErrPairingRefused) {
		t.Errorf("the link a second time: %v", err)
	}
}

func TestPairingIsRefused(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forged := []byte(request(t))
	block, _ := pem.Decode(forged)
	block.Bytes[len(block.Bytes)-1] ^= 1
	good := request(t)
	cases := map[string]func(code string) (code2, name, csr string){
		"wrong code":          func(string) (string, string, string) { return "0000-0000-0000", "main", good },
		"no link of the name": func(code string) (string, string, string) { return code, "other", good },
		"no request":          func(code string) (string, string, string) { return code, "main", "" },
		"forged request":      func(code string) (string, string, string) { return code, "main", string(pem.EncodeToMemory(block)) },
		"RSA key":             func(code string) (string, string, string) { return code, "main", requestFor(t, old) },
		"P-384 key":           func(code string) (string, string, string) { return code, "main", requestFor(t, large) },
		"text after it":       func(code string) (string, string, string) { return code, "main", good + "x" },
	}
	for what, c := range cases {
		if _, err := shop.enroll(c(shop.invite("main", false))); !errors.Is(err, server.ErrPairingRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	code := shop.invite("main", false)
	for range 5 {
		if _, err := shop.enroll("0000-0000-0000", "main", good); !errors.Is(err, server.ErrPairingRefused) {
			t.Fatal(err)
		}
	}
	if _, err := shop.enroll(code, "main", good); !errors.Is(err, server.ErrPairingRefused) {
		t.Errorf("the link lives after five tries: %v", err)
	}
	code = shop.invite("main", false)
	shop.pass(time.Hour)
	if _, err := shop.enroll(code, "main", good); !errors.Is(err, server.ErrPairingRefused) {
		t.Errorf("the link lives after an hour: %v", err)
	}
}

func TestReplacementTakesOverOpenSales(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	old := shop.pair("main", false)
	if _, err := shop.AddTerminal(context.Background(), "main", false, ""); !errors.Is(err, server.ErrExists) {
		t.Fatalf("a second link for a living terminal: %v", err)
	}
	d := old.sell(1000)
	printed := old.addresses[0]
	fresh := shop.pair("main", true)
	if _, err := old.checkIn(protocol.CheckIn{}); !errors.Is(err, server.ErrRevoked) {
		t.Fatalf("the old one: %v", err)
	}
	if got := fresh.last(d.sale); got.State != protocol.SaleOpen {
		t.Fatalf("the new one is shown %+v", got)
	}
	shop.pay(d.address, d.due)
	fresh.untilState(d.sale, protocol.SaleAccepted)
	shop.pay(printed, 1234)
	fresh.untilIncoming(printed, 0)
	if slices.Contains(fresh.addresses, printed) {
		t.Errorf("an address of the old one was leased again")
	}
	fresh.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: d.sale})
	fresh.untilState(d.sale, protocol.SaleCancelled)
	third := shop.pair("main", true)
	shop.pay(d.address, 600)
	third.until("the third hears of it", 0, func(a protocol.Alert) bool { return a.Kind == protocol.AlertIncoming })
}

func TestCertificateIsRenewedAndTheOldOneEnds(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	ctx := context.Background()
	got, err := shop.enroll(shop.invite("main", false), "main", request(t))
	if err != nil {
		t.Fatal(err)
	}
	first := parseCertificate(t, got.Certificate)
	serial, hash, err := shop.VerifyClient(first)
	if err != nil {
		t.Fatal(err)
	}
	shop.pass(60 * 24 * time.Hour)
	renewed, err := shop.Renew(ctx, got.ID, serial, protocol.Renew{CSR: request(t)})
	if err != nil {
		t.Fatal(err)
	}
	second := parseCertificate(t, renewed.Certificate)
	shop.pass(24 * time.Hour)
	if _, err := shop.Authenticate(ctx, serial, hash); err != nil {
		t.Errorf("the old one within a day: %v", err)
	}
	shop.pass(time.Millisecond)
	if _, err := shop.Authenticate(ctx, serial, hash); !errors.Is(err, server.ErrCertificateUnknown) {
		t.Errorf("the old one after a day: %v", err)
	}
	serial, hash, err = shop.VerifyClient(second)
	if err != nil {
		t.Fatal(err)
	}
	shop.pass(100 * 24 * time.Hour)
	if _, _, err := shop.VerifyClient(second); err != nil {
		t.Errorf("expired for less than 60 days: %v", err)
	}
	if who, err := shop.Authenticate(ctx, serial, hash); !errors.Is(err, server.ErrCertificateExpired) || who == nil {
		t.Errorf("expired: %v, %v", who, err)
	}
	if _, err := shop.Renew(ctx, got.ID, serial, protocol.Renew{CSR: request(t)}); err != nil {
		t.Errorf("renewing an expired one: %v", err)
	}
	shop.pass(60 * 24 * time.Hour)
	if _, _, err := shop.VerifyClient(second); err == nil {
		t.Error("expired for more than 60 days and still good")
	}
	_, err = shop.Renew(ctx, got.ID, serial, protocol.Renew{CSR: "x"})
	wants(t, err, protocol.CodeInvalidParams, -1)
}

func TestForeignCertificatesAreNotTerminals(t *testing.T) {
	t.Parallel()
	shop, other := openShop(t, nil), openShop(t, nil)
	foreign, err := other.enroll(other.invite("main", false), "main", request(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := shop.VerifyClient(parseCertificate(t, foreign.Certificate)); err == nil {
		t.Error("a certificate of another CA is good")
	}
	own, err := shop.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(own.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := shop.VerifyClient(cert); err == nil {
		t.Error("the server's certificate is a terminal's")
	}
}

func TestServerCertificateNamesEveryHostOfALink(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	shop.invite("main", false)
	for _, host := range []string{"shop.example:443", "[2001:db8::1]:8443", "192.0.2.7:8443"} {
		if _, err := shop.AddTerminal(context.Background(), "second", false, host); err != nil {
			t.Fatal(err)
		}
	}
	for _, host := range []string{"", "nothing", "a b:1", "x:0", "x:y"} {
		if _, err := shop.AddTerminal(context.Background(), "third", false, host); err == nil != (host == "") {
			t.Errorf("host %q: %v", host, err)
		}
	}
	shop.restart()
	got, err := shop.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(got.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parseCertificate(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: got.Certificate[1]}))))
	for _, name := range []string{"till.example", "shop.example", "2001:db8::1", "192.0.2.7", "localhost", "127.0.0.1"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: shop.clock().Time(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("usage %v", cert.ExtKeyUsage)
	}
}

func TestTerminalsAreSuspendedResumedRevokedAndRenamed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	shop.pair("second", false)
	if err := shop.Rename(ctx, "main", "second"); !errors.Is(err, server.ErrExists) {
		t.Errorf("a name twice: %v", err)
	}
	if err := shop.Rename(ctx, "main", "not a name"); err == nil {
		t.Error("a name with spaces")
	}
	if err := errors.Join(shop.Rename(ctx, "main", "bar"), shop.Suspend(ctx, "bar", server.SuspendedByOwner)); err != nil {
		t.Fatal(err)
	}
	r, err := till.checkIn(protocol.CheckIn{})
	if err != nil || len(r.Alerts) != 1 || r.Alerts[0].Seq != 0 || r.Config != nil || len(r.Quotes) != 0 || r.NoQuote != nil {
		t.Fatalf("a suspended terminal got %+v, %v", r, err)
	}
	var notice protocol.Notice
	if err := r.Alerts[0].Decode(&notice); err != nil || notice.Reason != "owner" || notice.Since != shop.clock() {
		t.Errorf("told %+v, %v", notice, err)
	}
	till.write(protocol.EntrySignedIn, protocol.PersonDid{User: "1"}) // its journal is taken
	_, err = shop.QueryAddress(ctx, till.id, protocol.QueryAddress{Addresses: till.addresses[:1]})
	wants(t, err, protocol.CodeTerminalSuspended, -1)
	if err := shop.Resume(ctx, "bar"); err != nil {
		t.Fatal(err)
	}
	if r := till.sync(); len(r.Quotes) != 1 {
		t.Fatalf("resumed: %+v", r)
	}
	if err := shop.Revoke(ctx, "bar"); err != nil {
		t.Fatal(err)
	}
	if _, err := till.checkIn(protocol.CheckIn{}); !errors.Is(err, server.ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if err := shop.Resume(ctx, "bar"); !errors.Is(err, server.ErrNotFound) {
		t.Errorf("resuming a revoked one: %v", err)
	}
	list, err := shop.Terminals(ctx)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, line := range list {
		if line.Name == "bar" && (line.State != server.TerminalRevoked || line.LastSeen != shop.clock() || line.Software != "test" || line.CertificateUntil == 0) {
			t.Errorf("listed as %+v", line)
		}
	}
}

func TestPresenceIsStoredWhenTheServerEnds(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	till.sell(1000)
	till.sync()
	till.sync()
	shop.restart()
	list, err := shop.Terminals(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0]; got.LastSeen != shop.clock() || got.JournalSeq != 2 || got.AlertSeq != 1 || got.AlertAck != 1 {
		t.Fatalf("after the restart %+v", got)
	}
}

func TestDatabaseIsBoundToItsWallet(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	shop.stop()
	db, err := store.Open(context.Background(), shop.dir+"/server.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o := shop.options()
	o.Store, o.Wallet = db, otherWallet{shop.wallet}
	if _, err := server.New(context.Background(), o); !errors.Is(err, server.ErrOtherWallet) || !strings.Contains(err.Error(), "use the wallet") {
		t.Fatalf("another wallet: %v", err)
	}
	o = shop.options()
	o.Store, o.SealKey = db, []byte("thirty-two other bytes of a key!")
	if _, err := server.New(context.Background(), o); err == nil || !strings.Contains(err.Error(), "sealed with another key") {
		t.Fatalf("another sealing key: %v", err)
	}
}

// otherWallet is the wallet of another network.
type otherWallet struct{ server.Wallet }

func (otherWallet) Identity() server.WalletIdentity {
	return server.WalletIdentity{Network: "mainnet", Fingerprint: "00000000"}
}
