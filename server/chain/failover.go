package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"till/server"
)

// rest is how long a backend that did not answer is left alone.
const rest = 15 * time.Second

// Failover is several backends as one: the first that answers serves. When
// another one starts to serve, a change of anything is reported. Safe for
// concurrent use; its backends are closed by whoever opened them.
type Failover struct {
	backends []*backend
	now      func() time.Time
	hub      hub

	mu      sync.Mutex
	serving int
}

type backend struct {
	server.Chain
	until time.Time // resting; guarded by Failover.mu
	owed  map[server.Script]bool
	watch sync.Mutex // one delivery of what is owed at a time; guards owed
}

var _ server.Chain = (*Failover)(nil)

// NewFailover puts backends in order of preference.
func NewFailover(now func() time.Time, backends ...server.Chain) (*Failover, error) {
	if now == nil || len(backends) == 0 {
		return nil, errors.New("failover: a clock and at least one backend are needed")
	}
	f := &Failover{now: now}
	for _, c := range backends {
		f.backends = append(f.backends, &backend{Chain: c, owed: map[server.Script]bool{}})
	}
	return f, nil
}

// Serving is the number of the backend that answered last, from 0: above 0, those
// before it are out of order.
func (f *Failover) Serving() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.serving
}

func (f *Failover) resting(b *backend) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now().Before(b.until)
}

// note remembers how a backend answered.
func (f *Failover) note(i int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(err, server.ErrChainUnavailable) {
		f.backends[i].until = f.now().Add(rest)
		return
	}
	f.backends[i].until = time.Time{}
	if err == nil && f.serving != i {
		f.serving = i
		f.hub.publish(anything)
	}
}

// serve lets backends answer in turn until one does. Those that rest are asked
// only when nobody else answered.
func (f *Failover) serve(ctx context.Context, ask func(server.Chain) error) error {
	err := server.ErrChainUnavailable
	asked := make([]bool, len(f.backends))
	for _, wake := range []bool{false, true} {
		for i, b := range f.backends {
			if asked[i] || f.resting(b) && !wake {
				continue
			}
			asked[i] = true
			if err = b.deliver(ctx); err == nil {
				err = ask(b.Chain)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f.note(i, err)
			if !errors.Is(err, server.ErrChainUnavailable) && !errors.Is(err, server.ErrChainUnsupported) {
				return err
			}
		}
	}
	return err
}

// deliver hands over the scripts that the backend does not watch yet.
func (b *backend) deliver(ctx context.Context) error {
	b.watch.Lock()
	defer b.watch.Unlock()
	if len(b.owed) == 0 {
		return nil
	}
	scripts := make([]server.Script, 0, len(b.owed))
	for s := range b.owed {
		scripts = append(scripts, s)
	}
	if err := b.Watch(ctx, scripts); err != nil {
		return err
	}
	clear(b.owed)
	return nil
}

// Tip implements [server.Chain].
func (f *Failover) Tip(ctx context.Context) (tip server.Tip, err error) {
	err = f.serve(ctx, func(c server.Chain) (err error) {
		tip, err = c.Tip(ctx)
		return err
	})
	return tip, err
}

// Watch implements [server.Chain]: every backend follows the scripts, one that
// does not answer now as soon as it does.
func (f *Failover) Watch(ctx context.Context, scripts []server.Script) error {
	for _, b := range f.backends {
		b.watch.Lock()
		for _, s := range scripts {
			b.owed[s] = true
		}
		b.watch.Unlock()
	}
	return f.serve(ctx, func(server.Chain) error { return nil })
}

// Payments implements [server.Chain].
func (f *Failover) Payments(ctx context.Context, scripts []server.Script) (found []server.Payment, tip server.Tip, err error) {
	err = f.serve(ctx, func(c server.Chain) (err error) {
		found, tip, err = c.Payments(ctx, scripts)
		return err
	})
	return found, tip, err
}

// Broadcast implements [server.Chain]: all backends get the transaction, since one
// of them may have it from an earlier try whose answer was lost. It is rejected
// only when every one of them rejects it.
func (f *Failover) Broadcast(ctx context.Context, tx []byte) error {
	var rejected, doubt error
	taken := false
	for i, b := range f.backends {
		if f.resting(b) {
			doubt = server.ErrChainUnavailable
			continue
		}
		err := b.Broadcast(ctx, tx)
		if ctx.Err() == nil && errors.Is(err, server.ErrChainUnavailable) {
			f.note(i, err)
		}
		switch {
		case err == nil:
			taken = true
		case errors.Is(err, server.ErrRejected):
			rejected = err
		default:
			doubt = err
		}
	}
	switch {
	case taken:
		return nil
	case doubt == nil:
		return rejected
	case rejected != nil: // its text, not its certainty
		return fmt.Errorf("one node refuses the transaction (%s), another leaves it open: %w", rejected.Error(), doubt)
	}
	return doubt
}

// FeeRate implements [server.Chain].
func (f *Failover) FeeRate(ctx context.Context, blocks int) (rate server.FeeRate, err error) {
	err = f.serve(ctx, func(c server.Chain) (err error) {
		rate, err = c.FeeRate(ctx, blocks)
		return err
	})
	return rate, err
}

// Changes implements [server.Chain]: what any backend reports is passed on.
func (f *Failover) Changes(ctx context.Context, changed func(server.Change)) error {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, b := range f.backends {
		wg.Go(func() { _ = b.Changes(ctx, f.hub.publish) }) // it ends with ctx
	}
	defer func() {
		stop()
		wg.Wait()
	}()
	return f.hub.listen(ctx, changed)
}
