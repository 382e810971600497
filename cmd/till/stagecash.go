package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"till/cmd/internal/purse"
	"till/protocol"
)

// taps is the customer with an e-cash wallet in front of a stage, and the mint.
type taps struct {
	stage *stage
	*tapper
	ctx    context.Context // of payments, which outlast the statement that began them
	cancel context.CancelFunc
	going  sync.WaitGroup
}

func newTaps(s *stage) *taps {
	t := &taps{stage: s, tapper: newTapper(s.path("customer.json"), s.Now, http.DefaultTransport)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *taps) end() {
	t.cancel()
	t.going.Wait()
}

// bill is what the puppet tells of the e-cash bill on the screen.
type bill struct {
	URL    string         `json:"url"`
	Amount protocol.Money `json:"amount"`
}

// Offer opens the shop's door for customers at the next start, and the mint's, where
// they are found again after a power cut.
func (t *taps) Offer() {
	for _, door := range []string{"--merchant", "--mint"} {
		t.stage.args = append(t.stage.args, door, quietAddress())
	}
}

// quietAddress gives an address of this machine on which nobody listens now.
func quietAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// Times of a customer.
const (
	billWait = 10 * time.Second // for the bill
	tapWait  = 2 * time.Second  // for a wallet that fails at once
)

// Tap begins to pay the bill on the screen. A wallet that waits for the mint goes on
// doing so when Tap has returned.
func (t *taps) Tap(ctx context.Context) error {
	b, err := t.bill(ctx)
	if err != nil {
		return err
	}
	at, err := t.stage.addresses(ctx)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	pay := t.tap
	if _, tab := purse.TabOf(b.URL); tab {
		pay = t.tab
	}
	t.going.Go(func() { done <- pay(t.ctx, "http://"+at.Mint, b.URL, b.Amount) })
	select {
	case err := <-done:
		return err
	case <-time.After(tapWait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *taps) bill(ctx context.Context) (*bill, error) {
	ctx, cancel := context.WithTimeout(ctx, billWait)
	defer cancel()
	for {
		var b *bill
		if err := t.stage.puppet(ctx, "/bill", nil, &b); err != nil {
			return nil, fmt.Errorf("read bill: %w", err)
		}
		if b != nil {
			return b, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.New("no sale asks for e-cash")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Mint moves the practice mint.
func (t *taps) Mint(ctx context.Context, down bool, delay time.Duration) error {
	return t.stage.control(ctx, "/mint", map[string]any{"down": down, "delay_ms": delay.Milliseconds()}, nil)
}
