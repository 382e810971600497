package mint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// Options are what a [Mint] stands on; all are needed.
type Options struct {
	Store    server.Store // a database of its own
	SealKey  []byte       // [server.SealKeySize] bytes
	Currency protocol.Currency
	Clock    func() time.Time
	Random   io.Reader // safe for use by many goroutines
	Log      *slog.Logger
}

// Mint is a practice mint. Its methods may be called at once from many goroutines.
type Mint struct {
	o      Options
	sealer *server.Sealer
	vault  vault         // as stored; held by making
	making chan struct{} // holds one token: the right to make keys
	ring   atomic.Pointer[ring]

	mu    sync.Mutex
	fault Fault
}

// Fault is how a mint misbehaves on demand.
type Fault struct {
	Down  bool          // answers 503 to everybody
	Delay time.Duration // does what it is asked at once, and answers later
}

// Open reads the mint's keys, or makes the master key at the first start. The keys
// of denominations, which take a while, are made by [Mint.Warm] or the first request.
func Open(ctx context.Context, o Options) (*Mint, error) {
	if o.Store == nil || o.Clock == nil || o.Random == nil || o.Log == nil || !o.Currency.Valid() {
		return nil, errors.New("make mint: store, clock, random, log and currency are needed")
	}
	sealer, err := server.NewSealer(o.SealKey, o.Random)
	if err != nil {
		return nil, fmt.Errorf("make mint: %w", err)
	}
	m := &Mint{o: o, sealer: sealer, making: make(chan struct{}, 1)}
	if err := m.load(ctx); err != nil {
		return nil, fmt.Errorf("make mint: %w", err)
	}
	return m, nil
}

// Master is the mint's identity, which merchants and wallets pin.
func (m *Mint) Master() taler.PublicKey { return m.vault.master.Public() }

// Warm makes what keys are missing, so that no customer waits for them.
func (m *Mint) Warm(ctx context.Context) error {
	_, err := m.keys(ctx)
	return err
}

// SetFault changes how the mint misbehaves; it is forgotten at a restart.
func (m *Mint) SetFault(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// Fault tells how the mint misbehaves.
func (m *Mint) Fault() Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

func (m *Mint) now() protocol.Time { return protocol.TimeOf(m.o.Clock()) }
