package server

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"till/protocol"
)

// stripes is how finely the roll knows what a transaction touched.
const stripes = 1 << 12

// roll remembers who was looked up until something of theirs is written: an idle
// terminal then costs no read. What it gives is as fresh as a read that began at
// the same moment: a writing transaction changes the stripe before its caller
// hears that it is durable. What another process writes is forgotten when its
// news arrives; while none can arrive nothing is remembered. Whatever moves money
// looks in its own transaction.
type roll struct {
	seed      maphash.Seed
	all       atomic.Uint64 // touched whole
	touched   [stripes]atomic.Uint64
	deaf      atomic.Bool // other processes may write unheard
	mu        sync.RWMutex
	keys      map[string]remembered[TerminalKey] // by serial
	terminals map[string]remembered[Terminal]    // by id
	hosts     map[string]remembered[[]string]    // under settingHostNames
}

// stamp tells what a row was read before.
type stamp struct{ all, one uint64 }

type remembered[T any] struct {
	stamp stamp
	row   T
}

func newRoll() *roll {
	return &roll{seed: maphash.MakeSeed(), keys: map[string]remembered[TerminalKey]{},
		terminals: map[string]remembered[Terminal]{}, hosts: map[string]remembered[[]string]{}}
}

func (r *roll) stripe(key string) *atomic.Uint64 {
	return &r.touched[maphash.String(r.seed, key)%stripes]
}

// touch forgets what is known under a key.
func (r *roll) touch(key string) { r.stripe(key).Add(1) }

func (r *roll) now(key string) stamp { return stamp{r.all.Load(), r.stripe(key).Load()} }

// keyOf gives the certificate of a serial.
func (s *Server) keyOf(ctx context.Context, serial string) (*TerminalKey, error) {
	return recall(ctx, s, s.roll.keys, serial, func(tx *Tx) (*TerminalKey, error) { return tx.Keys.BySerial(serial) })
}

// terminalOf gives a terminal, of which the caller changes nothing that is shared.
func (s *Server) terminalOf(ctx context.Context, id protocol.TerminalID) (*Terminal, error) {
	return recall(ctx, s, s.roll.terminals, string(id), func(tx *Tx) (*Terminal, error) { return tx.Terminals.Get(id) })
}

// hostNames gives the names of the server's certificate, not to be changed.
func (s *Server) hostNames(ctx context.Context) ([]string, error) {
	names, err := recall(ctx, s, s.roll.hosts, settingHostNames, func(tx *Tx) (*[]string, error) {
		names, err := hostNames(tx, s.rules().Hosts)
		return &names, err
	})
	if err != nil {
		return nil, err
	}
	return *names, nil
}

func recall[T any](ctx context.Context, s *Server, in map[string]remembered[T], key string, read func(*Tx) (*T, error)) (*T, error) {
	now := s.roll.now(key)
	s.roll.mu.RLock()
	known, ok := in[key]
	s.roll.mu.RUnlock()
	deaf := s.roll.deaf.Load()
	if ok && known.stamp == now && !deaf {
		row := known.row
		return &row, nil
	}
	var row *T
	err := s.read(ctx, func(tx *Tx) (err error) {
		row, err = read(tx)
		return err
	})
	if err != nil || deaf {
		return row, err
	}
	s.roll.mu.Lock()
	defer s.roll.mu.Unlock()
	in[key] = remembered[T]{now, *row}
	return row, nil
}
