package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"till/cmd/internal/config"
	"till/protocol"
	"till/server"
	"till/server/alert"
)

// openCouriers makes what the configuration names to carry alarms to people.
func openCouriers(c *config.Config, practice bool, clock *Clock) (couriers []server.Courier, err error) {
	shop := alert.Shop{Name: c.Shop.Name, Practice: practice}
	if c.Alerts.WebhookURL != "" {
		secret, err := secretFile(c.Alerts.WebhookSecretFile)
		if err != nil {
			return nil, fmt.Errorf("read alerts.webhook_secret_file: %w", err)
		}
		hook, err := alert.NewWebhook(c.Alerts.WebhookURL, secret, shop, clock.Time, &http.Client{})
		if err != nil {
			return nil, fmt.Errorf("alerts.webhook_url: %w", err)
		}
		couriers = append(couriers, hook)
	}
	if c.Alerts.SMTPServer != "" {
		password, err := secretFile(c.Alerts.SMTPPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read alerts.smtp_password_file: %w", err)
		}
		mail, err := alert.NewMail(alert.MailOptions{
			Server: c.Alerts.SMTPServer, Security: alert.Security(c.Alerts.SMTPSecurity), User: c.Alerts.SMTPUser, Password: password,
			From: c.Alerts.MailFrom, To: c.Alerts.MailTo, Shop: shop, Clock: clock.Time,
		})
		if err != nil {
			return nil, fmt.Errorf("[alerts]: %w", err)
		}
		couriers = append(couriers, mail)
	}
	return couriers, nil
}

// secretFile reads a secret of one line; no file is no secret.
func secretFile(path string) (protocol.Secret, error) {
	if path == "" {
		return protocol.Secret{}, nil
	}
	text, err := readFile(path)
	if err != nil {
		return protocol.Secret{}, err
	}
	defer clear(text)
	line := bytes.TrimRight(text, "\r\n")
	if len(line) == 0 {
		return protocol.Secret{}, errors.New("it is empty")
	}
	return protocol.NewSecret(string(line)), nil
}

// AlertLine is one line of `till alerts list`.
type AlertLine struct {
	ID       protocol.ID    `json:"id"`
	At       protocol.Time  `json:"at"`
	Kind     string         `json:"kind"`
	Terminal string         `json:"terminal,omitempty"`
	Message  string         `json:"message"`
	Lasting  bool           `json:"lasting"`
	Ended    *protocol.Time `json:"ended"` // null while it goes on, and of what only happened
}

// AlertsAsked are the params of alert.list.
type AlertsAsked struct {
	Since protocol.Time `json:"since"`
	Most  int           `json:"most"`
}

func listAlerts(ctx context.Context, s *server.Server, p AlertsAsked) (any, error) {
	all, err := s.Alarms(ctx, p.Since, p.Most)
	lines := []AlertLine{}
	for _, a := range all {
		line := AlertLine{ID: a.ID, At: a.At, Kind: a.Kind, Terminal: a.Terminal, Message: a.Message, Lasting: a.Lasting}
		if a.Ended != 0 {
			line.Ended = &a.Ended
		}
		lines = append(lines, line)
	}
	return lines, err
}

// AlertTry is what became of a trial by one way.
type AlertTry struct {
	Way    string `json:"way"` // webhook, mail
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

func testAlerts(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	tries := []AlertTry{}
	deliveries, err := s.TestCouriers(ctx)
	for _, d := range deliveries {
		try := AlertTry{Way: d.Courier, OK: d.Fault == nil}
		if d.Fault != nil {
			try.Detail = d.Fault.Error()
		}
		tries = append(tries, try)
	}
	return tries, err
}

// examineAlerts tells whether anybody hears of what happens in the shop. It
// sends nothing: `till alerts test` does.
func examineAlerts(c *config.Config, clock *Clock) Finding {
	couriers, err := openCouriers(c, false, clock)
	if err != nil {
		return bad("alerts", "set the keys of [alerts]", err)
	}
	if len(couriers) == 0 {
		return good("alerts", "to the log alone: [alerts] names a webhook or a mail server")
	}
	ways := ""
	for _, way := range couriers {
		ways += way.Name() + " "
	}
	return good("alerts", "by %s(till alerts test tries it)", ways)
}
