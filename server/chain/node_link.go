package chain

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/rpcclient"

	"till/server"
)

const (
	dialTimeout = 10 * time.Second
	callTimeout = 15 * time.Second
)

// link is one websocket connection to btcd. (Over plain HTTP btcd closes the
// connection after each call and tells nothing by itself.)
type link struct {
	client *rpcclient.Client
	lost   chan struct{} // closed when the connection is gone
}

// drop ends the connection; calls that wait fail.
func (l *link) drop() { l.client.Shutdown() }

func (l *link) gone() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}

// current gives the connection, making one where there is none. It tries once.
func (n *Node) current(ctx context.Context) (*link, error) {
	n.dial.Lock()
	defer n.dial.Unlock()
	n.mu.Lock()
	l, closed := n.link, n.closed
	n.mu.Unlock()
	if closed {
		return nil, server.ErrChainUnavailable
	}
	if l != nil && !l.gone() {
		return l, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	l, err := n.connect(limited)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		l.drop()
		return nil, server.ErrChainUnavailable
	}
	n.link = l
	n.hub.publish(anything)
	return l, nil
}

// connect dials, checks that the node is on our network, and subscribes.
func (n *Node) connect(ctx context.Context) (*link, error) {
	l, err := n.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to node: %w", err)
	}
	if err := n.greet(ctx, l); err != nil {
		l.drop()
		return nil, err
	}
	return l, nil
}

// open dials in the background, because the client cannot be told a deadline; a
// connection that comes too late is dropped.
func (n *Node) open(ctx context.Context) (*link, error) {
	type result struct {
		client *rpcclient.Client
		err    error
	}
	dialed := make(chan result)
	password := n.config.Password.Reveal()
	config := &rpcclient.ConnConfig{
		Host: n.config.Address, Endpoint: "ws", User: n.config.User, Pass: password,
		Certificates: n.config.Certificate, DisableTLS: n.config.Plain,
		DisableAutoReconnect: true, Params: n.config.Network.Params().Name,
	}
	go func() {
		client, err := rpcclient.New(config, n.notifications())
		select {
		case dialed <- result{client, err}:
		case <-ctx.Done():
			if err == nil {
				client.Shutdown()
			}
		}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-dialed:
		if r.err != nil {
			return nil, r.err
		}
		l := &link{r.client, make(chan struct{})}
		go func() { // ends with the connection
			l.client.WaitForShutdown()
			close(l.lost)
		}()
		return l, nil
	}
}

func (n *Node) greet(ctx context.Context, l *link) error {
	var genesis string
	if err := l.ask(ctx, &genesis, "getblockhash", 0); err != nil {
		return err
	}
	if want := n.config.Network.Params().GenesisHash.String(); genesis != want {
		return fmt.Errorf("the node is not on %s: its first block is %s", n.config.Network, genesis)
	}
	if _, err := l.call(ctx, "notifyblocks"); err != nil {
		return fmt.Errorf("subscribe to blocks: %w", err)
	}
	if _, err := l.call(ctx, "notifynewtransactions", true); err != nil {
		return fmt.Errorf("subscribe to transactions: %w", err)
	}
	return nil
}

// call makes one JSON-RPC call. A refusal of the node is a *btcjson.RPCError;
// anything else wraps [server.ErrChainUnavailable] or is ctx's own error. A call that
// runs into the deadline costs the connection.
func (l *link) call(ctx context.Context, method string, params ...any) (json.RawMessage, error) {
	raw := make([]json.RawMessage, len(params))
	for i, p := range params {
		text, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encode call of %s: %w", method, err)
		}
		raw[i] = text
	}
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var answer json.RawMessage
	var err error
	done := make(chan struct{})
	go func() { // ends with the answer or the connection
		defer close(done)
		answer, err = l.client.RawRequest(method, raw)
	}()
	select {
	case <-limited.Done():
		if ctx.Err() == nil {
			l.drop()
		}
		return nil, unavailable(ctx, fmt.Errorf("%s: %w", method, limited.Err()))
	case <-done:
	}
	var refusal *btcjson.RPCError
	switch {
	case err == nil:
		return answer, nil
	case errors.As(err, &refusal) && refusal.Code != btcjson.ErrRPCInWarmup:
		return nil, fmt.Errorf("%s: %w", method, refusal)
	}
	return nil, unavailable(ctx, fmt.Errorf("%s: %w", method, err))
}

// sighting is a transaction where the node sees it.
type sighting struct {
	tx            *btcutil.Tx
	confirmations int64 // 0 in the mempool
}

// located is how btcd shows a transaction; of the many members only these are used.
type located struct {
	Hex           string `json:"hex"`
	Confirmations int64  `json:"confirmations"`
}

func (s located) parse() (*sighting, error) {
	raw, err := hex.DecodeString(s.Hex)
	if err != nil {
		return nil, fmt.Errorf("%w: a transaction is not in hex", server.ErrChainUnavailable)
	}
	tx, err := btcutil.NewTxFromBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: a transaction cannot be read: %w", server.ErrChainUnavailable, err)
	}
	return &sighting{tx, s.Confirmations}, nil
}

// transaction finds one by its id in chain or mempool, nil when there is none.
func (l *link) transaction(ctx context.Context, id chainhash.Hash) (*sighting, error) {
	var shown located
	err := l.ask(ctx, &shown, "getrawtransaction", id.String(), 1)
	if refusal := rpcError(err); refusal != nil && refusal.Code == codeNoInfo {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return shown.parse()
}

// each runs f for the numbers below n, some at a time, and gives the first error.
func each(n int, f func(i int) error) error {
	const atOnce = 8
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := 0
	for range min(n, atOnce) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= n || first != nil
				mu.Unlock()
				if stop {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}
