package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"till/cmd/internal/purse"
	"till/protocol"
)

// tapper is the simulated customer's wallet for e-cash. It fills itself at the
// practice mint, as often as it has to.
type tapper struct {
	path  string // of its purse
	clock func() time.Time
	way   http.RoundTripper // to the shop and the mint

	paying sync.Mutex // one payment at a time

	mu   sync.Mutex        // guards what follows
	keys map[string][]byte // what /keys last was, by URL
}

func newTapper(path string, clock func() time.Time, way http.RoundTripper) *tapper {
	return &tapper{path: path, clock: clock, way: way, keys: map[string][]byte{}}
}

// tap pays a bill over an amount with coins of the mint.
func (c *tapper) tap(ctx context.Context, mint, bill string, amount protocol.Money) error {
	c.paying.Lock()
	defer c.paying.Unlock()
	client := &http.Client{Transport: c, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := purse.Open(purse.Options{Path: c.path, Clock: c.clock, Random: rand.Reader, HTTP: client})
	if err != nil {
		return err
	}
	_, err = w.Pay(ctx, bill)
	// A withdrawal that was cut off is finished before the one that is asked for.
	for tries := 0; tries < 3 && errors.Is(err, purse.ErrTooLittle); tries++ {
		if _, err = w.Withdraw(ctx, mint, "", roundUp(amount)); err == nil {
			_, err = w.Pay(ctx, bill)
		}
	}
	return errors.Join(err, w.Close())
}

// tabAgain is how long a customer waits before a tab that could not be opened is tried
// once more.
const tabAgain = time.Second

// tab opens the tab behind a link, or goes on with it, and signs its rounds until it
// is closed or ctx ends. Each tab is a customer with a purse of its own.
func (c *tapper) tab(ctx context.Context, mint, link string, most protocol.Money) error {
	sale, ok := purse.TabOf(link)
	if !ok {
		return errors.New("this is not the link of a tab")
	}
	client := &http.Client{Transport: c, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := purse.Open(purse.Options{Path: c.path + "." + sale, Clock: c.clock, Random: rand.Reader, HTTP: client})
	if err != nil {
		return err
	}
	for {
		_, err = w.Tab(ctx, link, func(string, string) {})
		if errors.Is(err, purse.ErrTooLittle) {
			_, err = w.Withdraw(ctx, mint, "", wholeCoin(most))
			if err == nil {
				continue
			}
		}
		if !errors.Is(err, purse.ErrUnreachable) {
			return errors.Join(err, w.Close())
		}
		timer := time.NewTimer(tabAgain)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, w.Close())
		}
	}
}

// wholeCoin gives the smallest coin of the practice mint that covers an amount: one
// coin is held for a tab.
func wholeCoin(m protocol.Money) string {
	for _, whole := range []int64{1, 5, 10} {
		if m.Minor <= whole*unit(m.Currency) {
			return strconv.FormatInt(whole, 10)
		}
	}
	return "50"
}

// unit is one whole unit of a currency in minor units.
func unit(c protocol.Currency) int64 {
	u := int64(1)
	for range c.Exponent() {
		u *= 10
	}
	return u
}

// roundUp gives an amount that coins make and that covers another: whole units, or for
// what is paid by lot the smallest coin of the practice mint.
func roundUp(m protocol.Money) string {
	u := unit(m.Currency)
	if smallest := u / 20; m.Minor < smallest {
		return protocol.Money{Currency: m.Currency, Minor: smallest}.Decimal()
	}
	return strconv.FormatInt((m.Minor+u-1)/u, 10)
}

// RoundTrip keeps the keys of mints, as wallets do: with them coins can be spent
// while the mint does not answer.
func (c *tapper) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.way.RoundTrip(r)
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/keys") {
		return response, err
	}
	at := r.URL.String()
	if err != nil || response.StatusCode != http.StatusOK {
		c.mu.Lock()
		kept, ok := c.keys[at]
		c.mu.Unlock()
		if !ok {
			return response, err
		}
		if err == nil {
			_ = response.Body.Close()
		}
		return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(kept)), ContentLength: int64(len(kept))}, nil
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	c.mu.Lock()
	c.keys[at] = text
	c.mu.Unlock()
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, nil
}
