package server_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"till/protocol"
	"till/server"
)

// slowStore is a database that stands still while it is told to.
type slowStore struct {
	server.Store
	still   atomic.Pointer[chan struct{}]
	waiting atomic.Int64
}

func (s *slowStore) Read(ctx context.Context, f func(*server.Tx) error) error {
	if still := s.still.Load(); still != nil {
		s.waiting.Add(1)
		<-*still
	}
	return s.Store.Read(ctx, f)
}

func (s *slowStore) Write(ctx context.Context, f func(*server.Tx) error) error {
	if still := s.still.Load(); still != nil {
		s.waiting.Add(1)
		<-*still
	}
	return s.Store.Write(ctx, f)
}

func TestIdleCheckInsArePutOffBeforeWhatMovesMoney(t *testing.T) {
	t.Parallel()
	shop := openShop(t, nil)
	slow := &slowStore{}
	shop.around = func(s server.Store) server.Store { slow.Store = s; return slow }
	shop.restart()
	till := shop.pair("main", false)
	till.sync()
	still := make(chan struct{})
	slow.still.Store(&still)
	var busy sync.WaitGroup
	const many = 200
	for range many {
		busy.Go(func() { _, _ = shop.GetAddress(context.Background(), till.id, protocol.GetAddress{Want: 1}) })
	}
	settled(t, "the database is busy", func() bool { return slow.waiting.Load() >= many })
	_, err := till.checkIn(protocol.CheckIn{})
	if !errors.Is(err, protocol.CodeTooManyRequests) {
		t.Errorf("an idle check-in: %v", err)
	}
	paid := make(chan error, 1)
	go func() {
		_, err := till.checkIn(protocol.CheckIn{Journal: []protocol.Entry{till.entry(till.clock(), protocol.EntrySettings, protocol.PersonDid{User: "1"})}})
		paid <- err
	}()
	slow.still.Store(nil)
	close(still)
	if err := <-paid; err != nil {
		t.Errorf("one with entries: %v", err)
	}
	busy.Wait()
	if r := till.sync(); r.Poll > 60 {
		t.Errorf("told to stay away for %d s", r.Poll)
	}
}
