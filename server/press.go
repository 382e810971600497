package server

import (
	"context"
	"sync/atomic"
	"time"

	"till/protocol"
)

// How many transactions may be under way or wait for the database before idle
// check-ins are put off, so that what moves money does not stand behind them;
// from half as many on terminals are asked to call less often.
const (
	pressMost = 128
	pressMuch = pressMost / 2
)

// press is how many transactions are under way or wait.
type press struct{ n atomic.Int64 }

func (p *press) enter() (leave func()) {
	p.n.Add(1)
	return func() { p.n.Add(-1) }
}

// read is [Store.Read], counted.
func (s *Server) read(ctx context.Context, f func(tx *Tx) error) error {
	defer s.press.enter()()
	return s.o.Store.Read(ctx, f)
}

// putOff refuses a check-in of an idle terminal, one with nothing to tell that
// does not wait for money, while the database has more to do than it can.
func (s *Server) putOff() error {
	if s.press.n.Load() < pressMost {
		return nil
	}
	return &protocol.Error{Code: protocol.CodeTooManyRequests}
}

// poll is how many seconds an idle terminal is told to stay away.
func (s *Server) poll(id protocol.TerminalID) int64 {
	told := int64(s.rulesFor(id).Poll / time.Second)
	if s.press.n.Load() >= pressMuch {
		return max(told, protocol.MaxPoll)
	}
	return told
}
