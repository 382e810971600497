package terminal

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"till/protocol"
)

// The pace of the loop (terminal.md §4).
const (
	waitSeconds   = 25 // that a check-in may be held while money is awaited
	holdDeadline  = 10 * time.Second
	firstBackOff  = time.Second
	lastBackOff   = time.Minute
	tooSoon       = time.Second // a held check-in that came back empty before this is no hold
	renewalPause  = 10 * time.Minute
	defaultPoll   = 15 * time.Second
	suspendedPoll = 15 * time.Second
)

// Run checks in with the server until ctx ends, whose error it returns, or
// [ErrNotPaired] at once. It is to run once at a time. What it meets shows in
// Health; it gives up on nothing.
func (t *Terminal) Run(ctx context.Context) error {
	if _, err := t.caller(); err != nil && !errors.Is(err, ErrTampered) {
		return err
	}
	loop := &loop{t: t, patience: holdDeadline}
	for ctx.Err() == nil {
		pause, err := loop.round(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			pause = loop.failed(ctx, err)
		}
		loop.rest(ctx, pause, err != nil)
	}
	return ctx.Err()
}

// loop is what one Run remembers between its rounds.
type loop struct {
	t        *Terminal
	patience time.Duration // for an answer, beyond the wait
	failures int
	heard    bool      // the server has answered in this run: an answer may be held
	renewAt  time.Time // not before, after a renewal failed
}

// round does one check-in with what goes before and after it, and tells how long
// to rest.
func (l *loop) round(ctx context.Context) (time.Duration, error) {
	t := l.t
	client, err := t.caller()
	if err != nil {
		return 0, err
	}
	if err := l.renew(ctx, client); err != nil {
		return 0, err
	}
	live, err := t.live(ctx)
	if err != nil {
		return 0, err
	}
	wait := int64(0)
	if live && l.failures == 0 && l.heard {
		wait = waitSeconds
	}
	began := t.o.Clock()
	result, asked, err := l.checkIn(ctx, client, wait)
	switch {
	case errors.Is(err, errWoken), errors.Is(err, errRewound):
		return 0, nil
	case errors.Is(err, errGrafted):
		return suspendedPoll, nil
	case err != nil:
		return 0, err
	}
	l.succeeded()
	l.heard = true
	l.afterwards(ctx, client)
	ignored := asked && len(result.Alerts) == 0 && result.Config == nil && t.o.Clock().Sub(began) < tooSoon
	if live, err = t.live(ctx); err != nil { // what came may have changed it
		return 0, err
	}
	return l.pace(result, live, ignored), nil
}

// errWoken ends a held check-in because something waits to be sent.
var errWoken = errors.New("woken")

// checkIn lets an entry end a check-in that is being held: the next one carries
// it, and by the protocol ends this one on the server's side too.
func (l *loop) checkIn(ctx context.Context, client *protocol.Client, wait int64) (protocol.CheckInResult, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(wait)*time.Second+l.patience)
	defer cancel()
	l.t.stayAwake() // this one carries what is there
	if wait == 0 {
		return l.t.checkIn(ctx, client, 0)
	}
	held, end := l.t.nap(ctx)
	defer end()
	result, asked, err := l.t.checkIn(held, client, wait)
	if err != nil && context.Cause(held) == errWoken {
		err = errWoken
	}
	return result, asked, err
}

// afterwards does what a check-in showed to be due. What fails is tried again
// after the next.
func (l *loop) afterwards(ctx context.Context, client *protocol.Client) {
	if l.t.Health().Suspended != nil {
		return // all of it would be refused
	}
	ctx, cancel := context.WithTimeout(ctx, 4*l.patience)
	defer cancel()
	for _, do := range []func(context.Context, *protocol.Client) error{l.t.settleAll, l.t.refillWhenLow, l.t.fetchCatalogue} {
		if err := do(ctx, client); err != nil {
			l.t.o.Log.WarnContext(ctx, "after check-in", "error", err)
		}
	}
}

// pace tells how long to rest after a check-in; a server that does not hold an
// answer that it was asked to hold is not hurried.
func (l *loop) pace(result protocol.CheckInResult, live, ignored bool) time.Duration {
	poll := defaultPoll
	if p := result.Poll; p > 0 {
		poll = time.Duration(min(max(p, protocol.MinPoll), protocol.MaxPoll)) * time.Second
	}
	health := l.t.Health()
	switch {
	case result.More, health.Unsent > 0 && health.Suspended == nil:
		return 0
	case health.Suspended != nil:
		return suspendedPoll
	case live && ignored:
		return tooSoon
	case live:
		return 0
	}
	return poll
}

// rest waits for the time or until something is to be sent. After a failure what
// is to be sent waits at least a second, too.
func (l *loop) rest(ctx context.Context, d time.Duration, failed bool) {
	if failed {
		if l.t.o.Sleep(ctx, firstBackOff) != nil {
			return
		}
		d -= firstBackOff
	}
	if d <= 0 {
		return
	}
	nap, end := l.t.nap(ctx)
	defer end()
	_ = l.t.o.Sleep(nap, d) // ended early it is as good as waited
}

// nap gives a context that ends with errWoken when something waits to be sent.
func (t *Terminal) nap(ctx context.Context) (context.Context, context.CancelFunc) {
	nap, wake := context.WithCancelCause(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wanted {
		wake(errWoken)
	}
	t.wanted, t.wake = false, wake
	return nap, func() {
		t.mu.Lock()
		t.wake = nil
		t.mu.Unlock()
		wake(nil)
	}
}

// wakeUp ends a nap, or the next one before it begins.
func (t *Terminal) wakeUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wake == nil {
		t.wanted = true
		return
	}
	t.wake(errWoken)
}

// stayAwake forgets what waited to be sent: it is being sent.
func (t *Terminal) stayAwake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wanted = false
}

// succeeded notes that the server answers.
func (l *loop) succeeded() {
	l.failures = 0
	now := l.t.now()
	l.t.updateHealth(func(h *Health) {
		h.Online, h.OfflineSince, h.LastCheckIn, h.Problem, h.Revoked = true, 0, now, "", false
	})
}

// failed notes why it does not and gives the pause before the next try:
// exponential, 1 s to 60 s, a random half of it so that the terminals of a shop
// do not come back as one.
func (l *loop) failed(ctx context.Context, err error) time.Duration {
	t := l.t
	now := t.now()
	t.updateHealth(func(h *Health) {
		if h.Online || h.OfflineSince == 0 {
			h.OfflineSince = now
		}
		h.Online, h.Problem, h.Revoked = false, sentence(err), errors.Is(err, protocol.ErrRevoked)
	})
	t.o.Log.WarnContext(ctx, "check-in failed", "error", err, "failures", l.failures+1)
	t.mu.Lock()
	transport, resumed := t.route.transport, t.route.sessions
	t.mu.Unlock()
	if errors.Is(err, protocol.ErrNoCertificate) {
		resumed.forget() // it may be of a certificate that is over
	}
	transport.CloseIdleConnections() // a dead one must not carry the next try
	pause := lastBackOff
	if l.failures < 6 {
		pause = min(firstBackOff<<l.failures, lastBackOff)
	}
	l.failures++
	if errors.Is(err, protocol.ErrRevoked) {
		pause = lastBackOff
	}
	var random [8]byte
	if _, err := t.random.Read(random[:]); err != nil {
		return pause
	}
	half := pause / 2
	return max(firstBackOff, half+time.Duration(binary.BigEndian.Uint64(random[:])%uint64(half+1)))
}

// sentence is what a cashier is told.
func sentence(err error) string {
	var invalid x509.CertificateInvalidError
	var e *protocol.Error
	switch {
	case errors.Is(err, ErrDiskFull):
		return ErrDiskFull.Error()
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate is not valid at this machine's date; check the clock"
	case errors.As(err, &e):
		return e.Error()
	}
	for _, known := range []error{protocol.ErrRevoked, protocol.ErrNoCertificate, ErrTampered, ErrNoKey, protocol.ErrUnreachable} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}

// A payment is unsettled while it may still be taken back: the goods are gone
// and a replacement must interrupt the counter at once. Of the last sales only,
// within a day: a payment that is never mined does not keep the line busy for ever.
const (
	unsettledSales = 100
	unsettledFor   = 24 * time.Hour
)

// live reports whether money is awaited: an open sale, one whose payment is not
// settled, or a payout that is not certain or under way.
func (t *Terminal) live(ctx context.Context) (bool, error) {
	var live bool
	since := protocol.TimeOf(t.o.Clock().Add(-unsettledFor))
	err := t.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sales WHERE said = 'open')
		OR EXISTS (SELECT 1 FROM (SELECT said, opened, status FROM sales ORDER BY position DESC LIMIT $1)
			WHERE said = 'paid' AND opened > $2 AND json_extract(status, '$.state') IN ('seen', 'accepted'))
		OR EXISTS (SELECT 1 FROM payouts WHERE state = 'unknown' AND own = 1)`, unsettledSales, since).Scan(&live)
	if err != nil {
		return false, fmt.Errorf("look for open sales: %w", storage(err))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return live || len(t.running) > 0, nil
}

// renew renews the certificate when it is time; a failure is tried again later,
// as long as the present one is good.
func (l *loop) renew(ctx context.Context, client *protocol.Client) error {
	now := l.t.o.Clock()
	if now.Before(l.renewAt) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	err := l.t.renew(ctx, client)
	if err == nil {
		return nil
	}
	l.renewAt = now.Add(renewalPause)
	if l.t.Health().Certificate < protocol.TimeOf(now) {
		l.renewAt = time.Time{} // nothing else works before
		return err
	}
	l.t.o.Log.WarnContext(ctx, "certificate not renewed", "error", err)
	return nil
}

// fetchCatalogue brings the goods when the configuration names a newer version.
func (t *Terminal) fetchCatalogue(ctx context.Context, client *protocol.Client) error {
	config, ok := t.Config()
	if !ok || config.CatalogueVersion == t.Catalogue().Version {
		return nil
	}
	goods, err := client.Catalogue(ctx, config.CatalogueVersion)
	if err != nil {
		return err
	}
	_, err = t.write(ctx, func(ctx context.Context, c *change) error {
		value, err := text(goods)
		if err != nil {
			return err
		}
		return c.set(ctx, "catalogue", value)
	})
	if err != nil {
		return fmt.Errorf("store catalogue: %w", err)
	}
	t.mu.Lock()
	t.catalogue = goods
	t.mu.Unlock()
	t.facts.tell(Fact{Catalogue: true})
	return nil
}
