package alert

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

var tamper = server.Alarm{ID: "018f0000-0000-7000-8000-000000000001", Kind: "tamper", Terminal: "bar",
	Message: "the case of bar was opened\r\nBcc: thief@example.com — Gehäuse", At: 1_795_000_000_000}

// postOffice is an SMTP server (RFC 5321) with STARTTLS and AUTH PLAIN.
type postOffice struct {
	listener net.Listener
	tls      *tls.Config
	roots    *x509.CertPool
	implicit bool   // TLS from the first byte
	answer   string // to the end of data
	mails    chan string
	spoken   chan string // AUTH as it came, with the security it came over
}

func newPostOffice(t *testing.T, with ...func(*postOffice)) *postOffice {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{roots: x509.NewCertPool(), answer: "250 taken", mails: make(chan string, 4), spoken: make(chan string, 4),
		tls: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}
	p.roots.AddCert(certificate)
	for _, change := range with {
		change(p)
	}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.listener.Close() })
	go func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *postOffice) address() string {
	_, port, _ := net.SplitHostPort(p.listener.Addr().String())
	return "localhost:" + port
}

func (p *postOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	secure := p.implicit
	if secure {
		conn = tls.Server(conn, p.tls)
	}
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 localhost ESMTP")
	var to []string
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb := strings.ToUpper(strings.Fields(line + " -")[0]); verb {
		case "EHLO":
			if secure {
				say("250-localhost\r\n250-AUTH PLAIN\r\n250 8BITMIME")
			} else {
				say("250-localhost\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, p.tls)
			in, secure = bufio.NewReader(conn), true
		case "AUTH":
			p.spoken <- fmt.Sprintf("%v %s", secure, line)
			say("235 welcome")
		case "RCPT":
			to = append(to, line)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			say(p.answer)
			p.mails <- strings.Join(to, ",") + "\n" + text.String()
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (p *postOffice) mail(security Security) MailOptions {
	return MailOptions{Server: p.address(), Security: security, User: "till", Password: protocol.NewSecret("geheim"),
		From: "Till <till@example.com>", To: []string{"olga@example.com", "marek@example.com"}, Shop: Shop{Name: "Café Central"},
		Clock: func() protocol.Time { return 1_795_000_000_000 }, Roots: p.roots}
}

func TestMailArrivesOverStartTLSAndOverTLSWithThePassword(t *testing.T) {
	for _, security := range []Security{StartTLS, TLS} {
		p := newPostOffice(t, func(p *postOffice) { p.implicit = security == TLS })
		m, err := NewMail(p.mail(security))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Deliver(t.Context(), tamper); err != nil {
			t.Fatalf("%s: %v", security, err)
		}
		want := "true AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00till\x00geheim"))
		if said := <-p.spoken; said != want {
			t.Errorf("%s: signed in with %q", security, said)
		}
		text := <-p.mails
		to, text, _ := strings.Cut(text, "\n")
		if !strings.Contains(to, "<olga@example.com>") || !strings.Contains(to, "<marek@example.com>") {
			t.Errorf("%s: sent to %s", security, to)
		}
		letter, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v in\n%s", security, err, text)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
		if err != nil || !strings.Contains(string(body), "Gehäuse") || letter.Header.Get("Bcc") != "" {
			t.Errorf("%s: %v, %q, %v", security, err, body, letter.Header)
		}
		if letter.Header.Get("Subject") != "=?utf-8?q?Caf=C3=A9_Central,_bar:_tamper?=" {
			t.Errorf("%s: subject %q", security, letter.Header.Get("Subject"))
		}
	}
}

func TestMailIsNotSentWithoutTheTLSThatWasAskedFor(t *testing.T) {
	p := newPostOffice(t)
	o := p.mail(StartTLS)
	o.Roots = x509.NewCertPool() // a certificate nobody vouches for
	m, err := NewMail(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Deliver(t.Context(), tamper); err == nil || len(p.mails)+len(p.spoken) > 0 {
		t.Errorf("sent: %v", err)
	}
	o.Security = Plain
	if _, err := NewMail(o); err == nil {
		t.Error("a password in the clear is allowed")
	}
}

func TestMailThatTheServerDoesNotTakeDidNotArrive(t *testing.T) {
	p := newPostOffice(t, func(p *postOffice) { p.answer = "451 later" })
	m, err := NewMail(p.mail(StartTLS))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Deliver(t.Context(), tamper); err == nil {
		t.Error("it counts as arrived")
	}
}
