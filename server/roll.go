package server

import (
	"context"
	"sync"
	"sync/atomic"

	"till/protocol"
)

// roll remembers who was looked up until the next write of any kind: an idle
// terminal then costs no read. What it gives is as fresh as a read that began at
// the same moment: a writing transaction changes the generation before its
// caller hears that it is durable. One server process on a database is assumed.
type roll struct {
	generation atomic.Uint64
	mu         sync.RWMutex
	keys       map[string]remembered[TerminalKey] // by serial
	terminals  map[protocol.TerminalID]remembered[Terminal]
}

type remembered[T any] struct {
	generation uint64
	row        T
}

func newRoll() *roll {
	return &roll{keys: map[string]remembered[TerminalKey]{}, terminals: map[protocol.TerminalID]remembered[Terminal]{}}
}

// keyOf gives the certificate of a serial.
func (s *Server) keyOf(ctx context.Context, serial string) (*TerminalKey, error) {
	return recall(ctx, s, s.roll.keys, serial, func(tx *Tx) (*TerminalKey, error) { return tx.Keys.BySerial(serial) })
}

// terminalOf gives a terminal, of which the caller changes nothing that is shared.
func (s *Server) terminalOf(ctx context.Context, id protocol.TerminalID) (*Terminal, error) {
	return recall(ctx, s, s.roll.terminals, id, func(tx *Tx) (*Terminal, error) { return tx.Terminals.Get(id) })
}

func recall[K comparable, T any](ctx context.Context, s *Server, in map[K]remembered[T], key K, read func(*Tx) (*T, error)) (*T, error) {
	now := s.roll.generation.Load()
	s.roll.mu.RLock()
	known, ok := in[key]
	s.roll.mu.RUnlock()
	if ok && known.generation == now {
		row := known.row
		return &row, nil
	}
	var row *T
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		row, err = read(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.roll.mu.Lock()
	defer s.roll.mu.Unlock()
	in[key] = remembered[T]{now, *row}
	return row, nil
}
