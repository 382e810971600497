package chain

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"till/server"
)

// cable forwards connections to a node and can be cut.
type cable struct {
	to string
	at string

	mu       sync.Mutex
	listener net.Listener
	ends     []net.Conn
	wg       sync.WaitGroup
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	c := &cable{to: to, at: freeAddress(t)}
	c.join(t)
	t.Cleanup(c.cut)
	return c
}

func (c *cable) join(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", c.at)
	if err != nil {
		t.Fatal(err)
	}
	c.listener = l
	c.wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", c.to)
			if err != nil {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			c.ends = append(c.ends, near, far)
			c.mu.Unlock()
			c.wg.Go(func() { _, _ = io.Copy(near, far); _ = near.Close() })
			c.wg.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
		}
	})
}

func (c *cable) cut() {
	_ = c.listener.Close()
	c.mu.Lock()
	for _, end := range c.ends {
		_ = end.Close()
	}
	c.ends = nil
	c.mu.Unlock()
	c.wg.Wait()
}

// failoverWorld is a node behind a failover of two ways to it.
type failoverWorld struct {
	*Failover
	nodeWorld
	cable *cable
	clock *time.Time
}

func newFailoverWorld(t *testing.T) failoverWorld {
	w := newNodeWorld(t)
	c := newCable(t, w.btcd.address)
	cfg := w.btcd.config(t)
	cfg.Address = c.at
	clock := time.Unix(2_000_000_000, 0)
	f, err := NewFailover(func() time.Time { return clock }, openNode(t, cfg), w.Node)
	if err != nil {
		t.Fatal(err)
	}
	return failoverWorld{f, w, c, &clock}
}

func (w failoverWorld) Tip(ctx context.Context) (server.Tip, error) { return w.Failover.Tip(ctx) }
func (w failoverWorld) Watch(ctx context.Context, s []server.Script) error {
	return w.Failover.Watch(ctx, s)
}
func (w failoverWorld) Payments(ctx context.Context, s []server.Script) ([]server.Payment, server.Tip, error) {
	return w.Failover.Payments(ctx, s)
}
func (w failoverWorld) Broadcast(ctx context.Context, tx []byte) error {
	return w.Failover.Broadcast(ctx, tx)
}
func (w failoverWorld) FeeRate(ctx context.Context, n int) (server.FeeRate, error) {
	return w.Failover.FeeRate(ctx, n)
}
func (w failoverWorld) Changes(ctx context.Context, f func(server.Change)) error {
	return w.Failover.Changes(ctx, f)
}
func (w failoverWorld) restart(*testing.T) world { return w }

func TestFailoverKeepsTheContractOfAChain(t *testing.T) {
	testConformance(t, newFailoverWorld(t))
}

func TestTheFirstThatAnswersServes(t *testing.T) {
	ctx := context.Background()
	w := newFailoverWorld(t)
	o := observe(t, w)
	k := watched(t, w)
	w.pay(t, k.script, 10_000, 5000)
	o.hear(t, k)
	before, _ := onePayment(t, w, k)
	if w.Serving() != 0 {
		t.Fatal("the second serves while the first is well")
	}
	w.cable.cut()
	if now, _ := onePayment(t, w, k); now != before || w.Serving() != 1 {
		t.Fatalf("by the second %+v, by the first %+v; %d serves", now, before, w.Serving())
	}
	other := k.other(t, 1)
	if err := w.Watch(ctx, []server.Script{server.Script(other.script)}); err != nil {
		t.Fatal(err)
	}
	forged := spend(t, k, before, k.script, 1000)
	forged.TxIn[0].Witness[0][10] ^= 1
	if err := w.Broadcast(ctx, raw(t, forged)); err == nil || errors.Is(err, server.ErrRejected) {
		t.Fatal("rejected for certain while one node was not asked:", err)
	}
	broadcast(t, w, spend(t, k, before, other.script, 1000))

	w.cable.join(t)
	onePayment(t, w, other)
	if w.Serving() != 1 {
		t.Fatal("the first was asked before it had rested")
	}
	*w.clock = w.clock.Add(rest)
	for len(o.changes) > 0 {
		<-o.changes
	}
	onePayment(t, w, other)
	if w.Serving() != 0 {
		t.Fatal("the first is well again and does not serve")
	}
	o.until(t, "a change of anything", func(c server.Change) bool { return len(c.Scripts) == 0 && !c.TipMoved })
	if err := w.Broadcast(ctx, raw(t, forged)); !errors.Is(err, server.ErrRejected) {
		t.Fatal(err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	w := newFailoverWorld(t)
	w.cable.cut()
	if err := w.Node.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time both are resting
		if _, err := w.Tip(context.Background()); !errors.Is(err, server.ErrChainUnavailable) {
			t.Fatal(err)
		}
	}
}

func TestFailoverConfigIsChecked(t *testing.T) {
	if _, err := NewFailover(time.Now); err == nil {
		t.Error("no backends")
	}
	if _, err := NewFailover(nil, &Practice{}); err == nil {
		t.Error("no clock")
	}
}
