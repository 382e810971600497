package alert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"strings"

	"till/protocol"
	"till/server"
)

// Security is how a connection to a mail server is protected.
type Security string

// The kinds.
const (
	StartTLS Security = "starttls" // RFC 3207, required
	TLS      Security = "tls"      // from the first byte, RFC 8314
	Plain    Security = "none"     // no password is sent then
)

// MailOptions say how mail is handed over.
type MailOptions struct {
	Server   string // HOST:PORT
	Security Security
	User     string          // "" no authentication
	Password protocol.Secret // of PLAIN (RFC 4616)
	From     string
	To       []string
	Shop     Shop
	Clock    func() protocol.Time
	Roots    *x509.CertPool // nil: the machine's
}

// Mail sends alarms by SMTP (RFC 5321), one message each, to all receivers.
type Mail struct {
	o        MailOptions
	host     string
	from     *mail.Address
	to       []*mail.Address
	password protocol.Secret
}

var _ server.Courier = Mail{}

// NewMail judges the addresses.
func NewMail(o MailOptions) (Mail, error) {
	host, _, err := net.SplitHostPort(o.Server)
	if err != nil || host == "" {
		return Mail{}, errors.New("the mail server must be HOST:PORT")
	}
	m := Mail{o: o, host: host, password: o.Password}
	if m.from, err = mail.ParseAddress(o.From); err != nil {
		return Mail{}, fmt.Errorf("the sender %q is no mail address", o.From)
	}
	for _, text := range o.To {
		to, err := mail.ParseAddress(text)
		if err != nil {
			return Mail{}, fmt.Errorf("%q is no mail address", text)
		}
		m.to = append(m.to, to)
	}
	switch {
	case len(m.to) == 0:
		return Mail{}, errors.New("nobody is named to send mail to")
	case o.User != "" && o.Security == Plain:
		return Mail{}, errors.New("a password is only sent over TLS")
	}
	return m, nil
}

// Name is "mail".
func (Mail) Name() string { return "mail" }

// Deliver sends the alarm. It arrived when the mail server took it.
func (m Mail) Deliver(ctx context.Context, a server.Alarm) (err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	client, err := m.dial(ctx)
	if err != nil {
		return fmt.Errorf("reach mail server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	defer func() { _ = client.Close() }() // after Quit it is closed already
	if m.o.User != "" {
		// net/smtp sends a password over TLS only.
		if err := client.Auth(smtp.PlainAuth("", m.o.User, m.password.Reveal(), m.host)); err != nil {
			return fmt.Errorf("sign in to mail server: %w", err)
		}
	}
	if err := client.Mail(m.from.Address); err != nil {
		return fmt.Errorf("name sender: %w", err)
	}
	for _, to := range m.to {
		if err := client.Rcpt(to.Address); err != nil {
			return fmt.Errorf("name receiver: %w", err)
		}
	}
	w, err := client.Data()
	if err != nil {
		return fmt.Errorf("begin mail: %w", err)
	}
	if _, err := w.Write(m.message(a)); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	_ = client.Quit() // the mail was taken
	return nil
}

func (m Mail) dial(ctx context.Context) (*smtp.Client, error) {
	secure := &tls.Config{ServerName: m.host, RootCAs: m.o.Roots, MinVersion: tls.VersionTLS12}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", m.o.Server)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	if m.o.Security == TLS {
		conn = tls.Client(conn, secure)
	}
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if m.o.Security == StartTLS {
		if err := client.StartTLS(secure); err != nil {
			return nil, errors.Join(fmt.Errorf("begin TLS: %w", err), client.Close())
		}
	}
	return client, nil
}

// message is the mail (RFC 5322) in ASCII, its text quoted-printable.
func (m Mail) message(a server.Alarm) []byte {
	subject := m.o.Shop.Name
	if m.o.Shop.Practice {
		subject = "PRACTICE " + subject
	}
	if a.Terminal != "" {
		subject += ", " + a.Terminal
	}
	subject += ": " + strings.ReplaceAll(a.Kind, "_", " ")
	if stateOf(a) == over {
		subject += " (over)"
	}
	to := make([]string, len(m.to))
	for i, t := range m.to {
		to[i] = t.String()
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("Date: %s", m.o.Clock().Time().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	line("From: %s", m.from)
	line("To: %s", strings.Join(to, ",\r\n "))
	line("Subject: %s", mime.QEncoding.Encode("utf-8", printable(subject)))
	line("Message-ID: <%s-%s@%s>", a.ID, stateOf(a), m.host)
	line("Auto-Submitted: auto-generated") // RFC 3834: no holiday replies
	line("MIME-Version: 1.0")
	line("Content-Type: text/plain; charset=utf-8")
	line("Content-Transfer-Encoding: quoted-printable")
	line("")
	text := quotedprintable.NewWriter(&b)
	fmt.Fprintf(text, "%s\r\n\r\n", printable(a.Message))
	fmt.Fprintf(text, "since %s\r\n", a.At.Time().Format("2006-01-02 15:04:05 MST"))
	if a.Ended != 0 {
		fmt.Fprintf(text, "over at %s\r\n", a.Ended.Time().Format("2006-01-02 15:04:05 MST"))
	}
	_ = text.Close() // a builder takes all
	return []byte(b.String())
}

// printable keeps a text to one line: it may hold what a terminal sent.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
