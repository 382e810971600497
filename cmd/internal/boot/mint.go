package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"

	"till/cmd/internal/config"
	"till/protocol"
	"till/server/mint"
	"till/server/store"
)

// openMint opens the practice mint whose database and key lie in dir, with what
// closes it.
func openMint(ctx context.Context, dir string, currency protocol.Currency, clock *Clock, random io.Reader, log *slog.Logger) (*mint.Mint, func() error, error) {
	db, err := store.Open(ctx, filepath.Join(dir, "mint.db"))
	if err != nil {
		return nil, nil, fmt.Errorf("open mint: %w", err)
	}
	key, err := sealKey(filepath.Join(dir, "mint.key"), random)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	m, err := mint.Open(ctx, mint.Options{Store: db, SealKey: key, Currency: currency, Clock: clock.Now, Random: random, Log: log})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return m, db.Close, nil
}

// MintOptions are what a mint in a process of its own is made of. Whoever opens one
// holds the lock of Dir.
type MintOptions struct {
	Dir    string
	Config *config.Config
	Clock  *Clock
	Random io.Reader
	Log    *slog.Logger
	Listen string // HOST:PORT, port 0 any
}

// MintServer is the practice mint in a process of its own.
type MintServer struct {
	mint     *mint.Mint
	listener net.Listener
	closeDB  func() error
	log      *slog.Logger
}

// OpenMint opens the data and binds the listener; [MintServer.Run] serves it.
func OpenMint(ctx context.Context, o MintOptions) (*MintServer, error) {
	m, closeDB, err := openMint(ctx, o.Dir, protocol.Currency(o.Config.Shop.Currency), o.Clock, o.Random, o.Log)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), closeDB())
	}
	return &MintServer{m, l, closeDB, o.Log}, nil
}

// Master is the key that merchants trust the mint by, in base32.
func (s *MintServer) Master() string { return s.mint.Master().String() }

// Addresses tells where it listens.
func (s *MintServer) Addresses() Addresses { return Addresses{Mint: s.listener.Addr().String()} }

// Warm makes what keys are missing; the first time it takes some seconds.
func (s *MintServer) Warm(ctx context.Context) error { return s.mint.Warm(ctx) }

// Run serves until ctx ends.
func (s *MintServer) Run(ctx context.Context) error {
	return serveHTTP(s.listener, s.mint.Handler(), s.log)(ctx)
}

// Close releases everything.
func (s *MintServer) Close() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.closeDB())
}
