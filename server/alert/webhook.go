package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"till/protocol"
	"till/server"
)

// deadline is how long a receiver may take.
const deadline = 10 * time.Second

// Shop is who speaks.
type Shop struct {
	Name     string
	Practice bool
}

// Webhook posts alarms to an address.
type Webhook struct {
	url    string
	secret protocol.Secret
	shop   Shop
	clock  func() protocol.Time
	client *http.Client
}

var _ server.Courier = Webhook{}

// NewWebhook makes a courier that posts to an https or http address, signed
// with the secret where it is not empty. Redirects are not followed: the
// signature is for the receiver that was named.
func NewWebhook(address string, secret protocol.Secret, shop Shop, clock func() protocol.Time, client *http.Client) (Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return Webhook{}, errors.New("the webhook's address must be https://HOST/…")
	}
	careful := *client
	careful.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return Webhook{address, secret, shop, clock, &careful}, nil
}

// Name is "webhook".
func (Webhook) Name() string { return "webhook" }

// States of an alarm.
const (
	told  = "told"  // something happened
	begun = "begun" // something began to be wrong
	over  = "over"  // and ended
)

func stateOf(a server.Alarm) string {
	switch {
	case a.Ended != 0:
		return over
	case a.Lasting:
		return begun
	}
	return told
}

// message is the body of a webhook.
type message struct {
	ID       protocol.ID    `json:"id"`
	Kind     string         `json:"kind"`
	State    string         `json:"state"`
	Message  string         `json:"message"`
	Terminal string         `json:"terminal,omitempty"`
	Shop     string         `json:"shop"`
	Practice bool           `json:"practice,omitempty"`
	At       protocol.Time  `json:"at"`
	Ended    *protocol.Time `json:"ended,omitempty"`
}

// Deliver posts the alarm.
func (w Webhook) Deliver(ctx context.Context, a server.Alarm) error {
	m := message{a.ID, a.Kind, stateOf(a), a.Message, a.Terminal, w.shop.Name, w.shop.Practice, a.At, nil}
	if a.Ended != 0 {
		m.Ended = &a.Ended
	}
	body, err := protocol.Encode(m)
	if err != nil {
		return fmt.Errorf("write webhook: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("post webhook: the address is not understood")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "till")
	request.Header.Set("Till-Delivery", string(a.ID)+"-"+m.State)
	if !w.secret.Empty() {
		at := strconv.FormatInt(int64(w.clock())/1000, 10)
		request.Header.Set("Till-Signature", "t="+at+",v1="+sign(w.secret, at, body))
	}
	response, err := w.client.Do(request)
	if err != nil {
		// An address may hold a token: it is not for the log.
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err
		}
		return fmt.Errorf("post webhook: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be used again
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("post webhook: the receiver answers %s", response.Status)
	}
	return nil
}

// sign is HMAC-SHA-256 over "at.body" in hex.
func sign(secret protocol.Secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
