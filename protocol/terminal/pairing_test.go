package terminal

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"till/protocol"
)

func TestPairingMakesATerminalThatSurvivesARestart(t *testing.T) {
	c := newCounter(t, newShop(t))
	if _, is := c.Identity(); is || c.Health().Paired {
		t.Error("paired before it was")
	}
	must(t, c.Pair(context.Background(), c.shop.link(), "bar-1"))
	for range 2 {
		who, is := c.Identity()
		if !is || who.ID != c.shop.terminal || who.Name != "bar-1" || who.Server != shopHost || len(who.QuoteKeys) != 1 {
			t.Errorf("identity %+v, %v", who, is)
		}
		if end := c.Health().Certificate.Time().Sub(c.shop.clock.Now()); end < 89*24*time.Hour || end > 90*24*time.Hour {
			t.Errorf("certificate ends in %v", end)
		}
		c.restart()
	}
	c.exchange()
	if err := c.Pair(context.Background(), c.shop.link(), "bar-1"); !errors.Is(err, ErrPaired) {
		t.Errorf("paired twice: %v", err)
	}
}

func TestNothingIsSentToAServerThatIsNotTheLinks(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*shop, *protocol.Link)
	}{
		{"another CA", func(s *shop, l *protocol.Link) { l.CA = protocol.HashOf([]byte("another")) }},
		{"another name", func(s *shop, l *protocol.Link) { l.Host = "other.test:8443" }},
		{"another address", func(s *shop, l *protocol.Link) { l.Host = "192.0.2.8:8443" }},
		{"the leaf instead of the CA", func(s *shop, l *protocol.Link) {
			l.CA = protocol.HashOf(s.server.TLS.Certificates[0].Certificate[0])
		}},
		{"a terminal's certificate", func(s *shop, l *protocol.Link) {
			s.server.TLS.Certificates = s.tls("till.test", x509.ExtKeyUsageClientAuth).Certificates
		}},
		{"lapsed", func(s *shop, l *protocol.Link) { s.clock.advance(400 * 24 * time.Hour) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCounter(t, newShop(t))
			link := c.shop.link()
			test.change(c.shop, &link)
			if err := c.Pair(context.Background(), link, "bar-1"); !errors.Is(err, ErrForeignCA) {
				t.Errorf("pair: %v", err)
			}
			if len(c.shop.requests) != 0 {
				t.Errorf("it was asked %v", c.shop.requests)
			}
		})
	}
	t.Run("its address", func(t *testing.T) {
		c := newCounter(t, newShop(t))
		link := c.shop.link()
		link.Host = "192.0.2.7:8443"
		must(t, c.Pair(context.Background(), link, "bar-1"))
		c.exchange()
	})
}

func TestAPairingIsRefusedOrNotBelieved(t *testing.T) {
	c := newCounter(t, newShop(t))
	link := c.shop.link()
	link.Code = protocol.NewSecret("0000-0000-0000")
	if err := c.Pair(context.Background(), link, "bar-1"); !errors.Is(err, protocol.ErrPairingRefused) {
		t.Errorf("wrong code: %v", err)
	}
	if err := c.Pair(context.Background(), link, "bar 1"); err == nil {
		t.Error("a name with a space was taken")
	}
	ca, _ := certificate(pemOf(c.shop.ca))
	key, _ := c.vault.Generate()
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	good := Identity{ID: c.shop.terminal, CA: pemOf(c.shop.ca)}
	leaf := func(name string, pub any, usage x509.ExtKeyUsage) string {
		return pemOf(c.shop.issue(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{usage}}, pub, c.shop.ca, time.Hour))
	}
	name := string(c.shop.terminal)
	for what, certificate := range map[string]string{
		"another key":      leaf(name, &other.PublicKey, x509.ExtKeyUsageClientAuth),
		"another terminal": leaf("0193c0de-0000-7000-8000-000000000007", key.Public(), x509.ExtKeyUsageClientAuth),
		"a server's":       leaf(name, key.Public(), x509.ExtKeyUsageServerAuth),
		"no certificate":   "x",
		"two of them":      leaf(name, key.Public(), x509.ExtKeyUsageClientAuth) + pemOf(c.shop.ca),
	} {
		who := good
		who.Certificate = certificate
		if err := checkIdentity(who, protocol.HashOf(ca.Raw), key.Public(), c.shop.clock.Now()); !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: %v", what, err)
		}
	}
	good.Certificate = leaf(name, key.Public(), x509.ExtKeyUsageClientAuth)
	if err := checkIdentity(good, protocol.HashOf(ca.Raw), key.Public(), c.shop.clock.Now().Add(-time.Hour)); err != nil {
		t.Errorf("with a clock that is behind: %v", err)
	}
	if err := checkIdentity(good, protocol.HashOf([]byte("x")), key.Public(), c.shop.clock.Now()); !errors.Is(err, ErrForeignCA) {
		t.Errorf("another CA in the answer: %v", err)
	}
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func TestLaterCallsCheckTheServerToo(t *testing.T) {
	c := paired(t)
	stranger := newShop(t) // another CA under the same name
	c.o.Dial = stranger.dial
	who, _ := c.Identity()
	must(t, c.become(who))
	if _, err := c.loop().round(context.Background()); !errors.Is(err, protocol.ErrUnreachable) {
		t.Errorf("check-in: %v", err)
	}
	if len(stranger.requests) != 0 {
		t.Errorf("it was asked %v", stranger.requests)
	}
}

func TestAnErasedKeyEndsTheCalls(t *testing.T) {
	c := paired(t)
	c.exchange()
	must(t, c.vault.Erase())
	c.restart()
	l := c.loop()
	_, err := l.round(context.Background())
	if !errors.Is(err, ErrNoKey) {
		t.Fatalf("check-in: %v", err)
	}
	l.failed(context.Background(), err)
	if got := c.Health().Problem; got != ErrNoKey.Error() {
		t.Errorf("problem %q", got)
	}
}

func TestACertificateIsRenewedFromTwoThirdsOfItsLife(t *testing.T) {
	c := paired(t)
	c.exchange()
	before := c.Health().Certificate
	c.shop.clock.advance(59 * 24 * time.Hour)
	c.exchange()
	if c.Health().Certificate != before {
		t.Error("renewed too early")
	}
	c.shop.clock.advance(2 * 24 * time.Hour)
	c.exchange()
	after := c.Health().Certificate
	if after.Sub(before) < 60*24*time.Hour {
		t.Errorf("ends %s, before %s", after, before)
	}
	c.exchange() // the new one is shown now, and not due
	c.restart()
	if c.Health().Certificate != after {
		t.Error("the new certificate was not kept")
	}
	c.exchange()
	renewals := strings.Count(strings.Join(c.shop.requests, " "), "/renew")
	if renewals != 1 {
		t.Errorf("%d renewals", renewals)
	}
}

func TestAFailedRenewalDisturbsNothingWhileTheOldOneIsGood(t *testing.T) {
	c := paired(t)
	c.exchange()
	c.shop.clock.advance(70 * 24 * time.Hour)
	c.shop.with(func() { c.shop.cutAfter = 1 })
	l := c.loop()
	_, err := l.round(context.Background())
	must(t, err)
	_, err = l.round(context.Background()) // not tried again at once
	must(t, err)
	if n := strings.Count(strings.Join(c.shop.requests, " "), "/renew"); n != 1 {
		t.Errorf("%d renewals", n)
	}
	c.shop.clock.advance(11 * time.Minute)
	_, err = l.round(context.Background())
	must(t, err)
	if c.Health().Certificate.Time().Before(c.shop.clock.Now().Add(80 * 24 * time.Hour)) {
		t.Error("not renewed later")
	}
}

func TestARenewalLosesNoCallUnderWay(t *testing.T) {
	c := paired(t)
	c.sale(100)
	c.run()
	c.eventually("a held check-in", func() bool { defer c.shop.mu.Unlock(); c.shop.mu.Lock(); return c.shop.held == 1 })
	c.shop.clock.advance(70 * 24 * time.Hour)
	client, err := c.caller()
	must(t, err)
	must(t, c.renew(context.Background(), client))
	c.shop.tell(protocol.AlertReserveLow, protocol.Notice{})
	c.eventually("the alert", func() bool { a, err := c.Alerts(context.Background()); return err == nil && len(a) == 1 })
	if h := c.Health(); !h.Online {
		t.Errorf("health %+v", h)
	}
}

func TestANewPairingBeginsWithEmptyLogsAndKeepsTheOldOnes(t *testing.T) {
	c := paired(t)
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	must(t, c.Terminal.Close())
	aside, err := SetAside(context.Background(), c.path)
	must(t, err)
	if !strings.HasSuffix(aside, "terminal-"+string(c.shop.terminal)+".db") {
		t.Errorf("set aside as %s", aside)
	}
	if v, err := VerifyFile(context.Background(), aside); err != nil || v.Entries != 1 {
		t.Errorf("the old journal: %+v, %v", v, err)
	}
	c.open()
	if _, is := c.Identity(); is {
		t.Error("the new database is paired")
	}
	if e := c.append(protocol.EntryDrawerOpened, drawer("b")); e.Seq != 1 {
		t.Errorf("the new journal begins with %d", e.Seq)
	}
	must(t, c.Terminal.Close())
	if _, err := SetAside(context.Background(), c.path); !errors.Is(err, ErrNotPaired) {
		t.Errorf("an unpaired database was set aside: %v", err)
	}
	c.open()
	info, err := os.Stat(c.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	c := newCounter(t, newShop(t))
	_, err := c.writer.ExecContext(context.Background(), `PRAGMA user_version = 99`)
	must(t, err)
	if _, err := Open(context.Background(), c.o); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("opened: %v", err)
	}
	if err := os.WriteFile(c.path+"x", []byte("this is not a database, whatever it is called, and long enough"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.o.Path = c.path + "x"
	if _, err := Open(context.Background(), c.o); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
}

func TestOnlyTLS13IsSpoken(t *testing.T) {
	c := paired(t)
	c.shop.server.TLS.MaxVersion = tls.VersionTLS12
	c.shop.server.TLS.MinVersion = tls.VersionTLS12
	c.restart()
	if _, err := c.loop().round(context.Background()); !errors.Is(err, protocol.ErrUnreachable) {
		t.Errorf("check-in over TLS 1.2: %v", err)
	}
}
