package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// balancer is a TCP balancer before servers that come and go. Where it is bad it
// also cuts, delays, halves and repeats what passes, by a seeded choice.
type balancer struct {
	listener net.Listener
	bad      float64 // share of connections that something happens to
	mu       sync.Mutex
	backends []string
	next     int
	dice     *rand.Rand
	conns    map[net.Conn]struct{}
	all      sync.WaitGroup
}

func startBalancer(t *testing.T, seed uint64, bad float64) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l, bad: bad, dice: rand.New(rand.NewPCG(seed, 1)), conns: map[net.Conn]struct{}{}}
	b.all.Go(b.accept)
	t.Cleanup(func() {
		_ = l.Close()
		b.cutAll()
		b.all.Wait()
	})
	return b
}

func (b *balancer) address() string { return b.listener.Addr().String() }

// set names the servers that are there.
func (b *balancer) set(backends ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = backends
}

// cutAll ends every connection.
func (b *balancer) cutAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.Close()
	}
}

func (b *balancer) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.all.Go(func() { b.serve(c) })
	}
}

// hold lists a connection until it is let go.
func (b *balancer) hold(c net.Conn) (letGo func()) {
	b.mu.Lock()
	b.conns[c] = struct{}{}
	b.mu.Unlock()
	return func() {
		b.mu.Lock()
		delete(b.conns, c)
		b.mu.Unlock()
		_ = c.Close()
	}
}

func (b *balancer) serve(client net.Conn) {
	defer b.hold(client)()
	server, err := b.dial()
	if err != nil {
		return
	}
	defer b.hold(server)()
	f := b.fate()
	both := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		b.all.Go(func() {
			b.pass(way[1], way[0], f)
			both <- struct{}{}
		})
	}
	<-both // one way over, the connection is over
}

// dial reaches the next server that is there.
func (b *balancer) dial() (net.Conn, error) {
	b.mu.Lock()
	backends := b.backends
	first := b.next
	b.next++
	b.mu.Unlock()
	for i := range backends {
		c, err := net.DialTimeout("tcp", backends[(first+i)%len(backends)], time.Second)
		if err == nil {
			return c, nil
		}
	}
	return nil, errors.New("no server is there")
}

// fate is what happens to a connection.
type fate struct {
	kind  string // "", cut, delay, halve, repeat
	after int64  // bytes
	delay time.Duration
}

func (b *balancer) fate() fate {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dice.Float64() >= b.bad {
		return fate{}
	}
	kinds := []string{"cut", "delay", "halve", "repeat"}
	return fate{kinds[b.dice.IntN(len(kinds))], b.dice.Int64N(12_000), time.Duration(b.dice.Int64N(int64(400 * time.Millisecond)))}
}

// pass moves bytes one way, as the fate has it.
func (b *balancer) pass(to io.Writer, from io.Reader, f fate) {
	buffer := make([]byte, 16<<10)
	moved := int64(0)
	for {
		n, err := from.Read(buffer)
		due := moved+int64(n) > f.after
		part := buffer[:n]
		switch {
		case f.kind == "delay":
			pauseFor(context.Background(), f.delay)
		case f.kind == "cut" && due:
			return
		case f.kind == "halve" && due:
			_, _ = to.Write(part[:n/2])
			return
		case f.kind == "repeat" && due && n > 0:
			_, _ = to.Write(part)
		}
		if _, fault := to.Write(part); err != nil || fault != nil {
			return
		}
		moved += int64(n)
	}
}

// pauseFor waits for the time or the end of ctx.
func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
