package crowd

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"till/protocol"
)

// Options are what a [Crowd] is made of; Now, Random and Dial are needed.
type Options struct {
	Identities []Identity
	Now        func() time.Time
	Random     io.Reader // for ids
	Seed       uint64    // of who sells when
	Dial       Dial
	HTTP1      bool                                                                 // else HTTP/2
	Wait       time.Duration                                                        // that idle check-ins may be held, at most 30 s; 0: poll as told
	Ramp       time.Duration                                                        // in which all begin
	Sellers    float64                                                              // share that sells, 0 to 1
	SaleEvery  time.Duration                                                        // mean, of one that sells
	Coins      float64                                                              // share of sales paid in bitcoin
	Pay        func(ctx context.Context, address string, amount protocol.Sat) error // the customer; nil: cash only
}

// Crowd is many terminals at work.
type Crowd struct {
	o         Options
	tally     *Tally
	terminals []*Terminal
	mu        sync.Mutex // guards dice and o.Random
	dice      *rand.Rand
}

// New makes the terminals. They call nobody before [Crowd.Run].
func New(o Options) (*Crowd, error) {
	c := &Crowd{o: o, tally: newTally(len(o.Identities), o.Now), dice: rand.New(rand.NewPCG(o.Seed, 0))}
	for _, who := range o.Identities {
		t, err := c.newTerminal(who)
		if err != nil {
			return nil, err
		}
		c.terminals = append(c.terminals, t)
	}
	return c, nil
}

// Run has all terminals live until ctx ends, then lets those that have something
// to send send it until last ends.
func (c *Crowd) Run(ctx, last context.Context) {
	var all sync.WaitGroup
	sellers := int(float64(len(c.terminals)) * c.o.Sellers)
	for i, t := range c.terminals {
		all.Go(func() {
			defer t.transport.CloseIdleConnections()
			if c.sleep(ctx, c.upTo(c.o.Ramp)) == nil {
				t.live(ctx, i < sellers)
			}
			if len(t.queue) > 0 {
				_, _ = t.insist(last) // what is left shows in its identity
			}
		})
	}
	all.Wait()
}

// Tally is what was met so far.
func (c *Crowd) Tally() *Tally { return c.tally }

// Terminals are those of the crowd; they may be looked at when Run has returned.
func (c *Crowd) Terminals() []*Terminal { return c.terminals }

// upTo draws a duration below d.
func (c *Crowd) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.dice.Int64N(int64(d)))
}

func (c *Crowd) id() protocol.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := protocol.NewID(c.o.Now(), c.o.Random)
	if err != nil {
		panic(fmt.Sprintf("draw id: %v", err)) // the machine has no randomness
	}
	return id
}

// sleep waits for the time, or gives the error of ctx.
func (c *Crowd) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// perSource is how many connections leave one address of this machine at most:
// the ports of one are not enough for a crowd and its reconnects.
const perSource = 4000

// Sources dials targets in turn, whatever host is asked for. To this machine it
// dials from many of its addresses, 127.0.1.1 and on.
func Sources(targets []string) Dial {
	var mu sync.Mutex
	n := 0
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		mu.Lock()
		target, source := targets[n%len(targets)], n/perSource%250
		n++
		mu.Unlock()
		d := net.Dialer{Timeout: answerTime}
		if host, _, err := net.SplitHostPort(target); err == nil && net.ParseIP(host).IsLoopback() && net.ParseIP(host).To4() != nil {
			d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+source))}
		}
		return d.DialContext(ctx, network, target)
	}
}
