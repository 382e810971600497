package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"till/server"
)

// newsChannel is the PostgreSQL channel that carries news.
const newsChannel = "till"

// A connection that says nothing for pulse is asked for a sign of life, which it
// must give within pulseWait: what it holds is lost then.
const (
	pulse     = time.Second
	pulseWait = 3 * time.Second
)

// peers is what server processes on one PostgreSQL share: NOTIFY, and advisory
// locks of one session, which the database lets go when the session ends.
type peers struct {
	location string
	stop     context.Context
	end      context.CancelFunc
	mu       sync.Mutex // one question at a time; guards hold
	hold     *held      // nil before the first question and after a loss
	all      sync.WaitGroup
}

// held is the session whose locks are the claims.
type held struct {
	conn *pgx.Conn
	lost chan struct{}
}

func newPeers(location string) *peers {
	stop, end := context.WithCancel(context.Background())
	return &peers{location: location, stop: stop, end: end}
}

// connect opens a session. One whose machine is gone is noticed by the database
// within a quarter of a minute, so that its claims do not outlive it for long.
func (p *peers) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(p.location)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["synchronous_commit"] = "off" // nothing durable is said here
	config.RuntimeParams["tcp_keepalives_idle"] = "5"
	config.RuntimeParams["tcp_keepalives_interval"] = "3"
	config.RuntimeParams["tcp_keepalives_count"] = "3"
	return pgx.ConnectConfig(ctx, config)
}

// Listen implements [server.Peers].
func (p *peers) Listen(ctx context.Context, up func(), heard func(string)) error {
	conn, err := p.connect(ctx)
	if err != nil {
		return fmt.Errorf("listen to other servers: %w", err)
	}
	defer shut(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+newsChannel); err != nil {
		return fmt.Errorf("listen to other servers: %w", err)
	}
	up()
	for {
		wait, cancel := context.WithTimeout(ctx, pulse)
		news, err := conn.WaitForNotification(wait)
		cancel()
		switch {
		case err == nil:
			heard(news.Payload)
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("listen to other servers: %w", err)
		}
		if err := beat(ctx, conn); err != nil {
			return fmt.Errorf("listen to other servers: %w", err)
		}
	}
}

// beat asks for a sign of life.
func beat(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, pulseWait)
	defer cancel()
	return conn.Ping(ctx)
}

func shut(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), pulseWait)
	defer cancel()
	_ = conn.Close(ctx) // it is of no more use, nor is why
}

// Tell implements [server.Peers].
func (p *peers) Tell(ctx context.Context, text string) error {
	_, err := p.ask(ctx, "SELECT pg_notify('"+newsChannel+"', $1) IS NULL", text)
	return err
}

// Claim implements [server.Peers].
func (p *peers) Claim(ctx context.Context, name string) (*server.Claim, error) {
	key := lockOf(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	ours, err := p.query(ctx, "SELECT pg_try_advisory_lock($1)", key)
	if err != nil || !ours {
		return nil, err
	}
	on := p.hold
	return &server.Claim{Lost: on.lost, Release: func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.hold == on { // else the database has let go already
			_, _ = p.query(p.stop, "SELECT pg_advisory_unlock($1)", key) // a failure ends the session, and the claim with it
		}
	}}, nil
}

// lockOf is the number of an advisory lock.
func lockOf(name string) int64 {
	sum := sha256.Sum256([]byte("till " + name))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

func (p *peers) ask(ctx context.Context, question string, arg any) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.query(ctx, question, arg)
}

// query asks on the session, after making it where there is none; mu is held. A
// question that fails leaves it unknown what the session holds: it is given up,
// and all claims with it.
func (p *peers) query(ctx context.Context, question string, arg any) (yes bool, err error) {
	if p.stop.Err() != nil {
		return false, errClosed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pulseWait)
	defer cancel()
	if p.hold == nil {
		conn, err := p.connect(ctx)
		if err != nil {
			return false, fmt.Errorf("speak to other servers: %w", err)
		}
		h := &held{conn, make(chan struct{})}
		p.hold = h
		p.all.Go(func() { p.prove(h) })
	}
	if err := p.hold.conn.QueryRow(ctx, question, arg).Scan(&yes); err != nil {
		p.drop()
		return false, fmt.Errorf("speak to other servers: %w", err)
	}
	return yes, nil
}

// drop gives the session up; mu is held.
func (p *peers) drop() {
	close(p.hold.lost)
	shut(p.hold.conn)
	p.hold = nil
}

// prove asks the session for a sign of life until it is lost or given up: whoever
// holds a claim hears of its end.
func (p *peers) prove(h *held) {
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-h.lost:
			return
		case <-p.stop.Done():
			return
		}
		p.mu.Lock()
		if p.hold == h && beat(context.Background(), h.conn) != nil {
			p.drop()
		}
		p.mu.Unlock()
	}
}

// close lets all claims go.
func (p *peers) close() {
	p.mu.Lock()
	p.end()
	if p.hold != nil {
		p.drop()
	}
	p.mu.Unlock()
	p.all.Wait()
}

// news is the noun of what other processes are told with a transaction.
type news struct{ rows }

func (r news) Tell(text string) error {
	var none bool
	return r.one("SELECT pg_notify('"+newsChannel+"', $1) IS NULL", []any{text}, &none)
}
