package msr605

import (
	"context"
	"errors"
	"fmt"
	"time"

	"till/device"
)

const (
	openWait  = 3 * time.Second // how long a call waits for a reader that is not ready
	idleEvery = 3 * time.Second // how often a reader at rest is asked whether it lives
)

// Reader is a reader/writer that is kept open. One call runs at a time.
type Reader struct {
	supervisor *device.Supervisor
	calls      chan *call
}

// call is an operation on its way to the goroutine that serves the reader.
type call struct {
	ctx  context.Context
	work func(context.Context, *session) error
	done chan error
}

var _ device.CardReader = (*Reader)(nil)

// New takes how to open the reader and who hears its status, which must return
// soon. Nothing is opened before Run.
func New(open device.Dialer, report func(device.Status)) *Reader {
	r := &Reader{calls: make(chan *call)}
	r.supervisor = device.NewSupervisor(open, r.serve, report)
	return r
}

// Run works until the context ends.
func (r *Reader) Run(ctx context.Context) { r.supervisor.Run(ctx) }

// Status is the reader's status now.
func (r *Reader) Status() device.Status { return r.supervisor.Status() }

// Reopen closes and opens the reader at once.
func (r *Reader) Reopen() { r.supervisor.Reopen() }

// do runs work on the open reader.
func (r *Reader) do(ctx context.Context, what string, work func(context.Context, *session) error) error {
	c := &call{ctx: ctx, work: work, done: make(chan error, 1)}
	timer := time.NewTimer(openWait)
	defer timer.Stop()
	select {
	case r.calls <- c:
		if err := <-c.done; err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	case <-timer.C:
		return fmt.Errorf("%s: %w", what, &device.CardError{Fault: r.absence()})
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
}

// absence is why nobody took a call.
func (r *Reader) absence() device.Fault {
	switch status := r.Status(); {
	case status.State == device.Ready:
		return device.CardBusy
	case status.Fault != device.NoFault:
		return status.Fault
	}
	return device.NotFound
}

// serve works on one link until its first error.
func (r *Reader) serve(ctx context.Context, link device.Link, report func(device.Status)) error {
	ctx, stop := context.WithCancel(ctx)
	s := &session{link: link, in: make(chan []byte)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.listen(ctx)
	}()
	defer func() { stop(); <-ended }()
	name, err := s.introduce(ctx)
	if err != nil {
		return named(err)
	}
	report(device.Status{State: device.Ready, Model: name})
	idle := time.NewTicker(idleEvery)
	defer idle.Stop()
	for {
		select {
		case c := <-r.calls:
			err = s.perform(ctx, c)
		case <-idle.C:
			err = s.alive(ctx)
		case _, ok := <-s.in: // a reader at rest has nothing to say
			if !ok {
				err = s.end
			}
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return named(err)
		}
	}
}

// perform runs a call, answers it, and returns an error when the link is of no
// more use.
func (s *session) perform(ctx context.Context, c *call) error {
	both, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(c.ctx.Err()) })
	err := c.work(both, s)
	stop()
	cancel(nil)
	var fault *device.CardError
	var broken error
	switch {
	case ctx.Err() != nil:
		err, broken = ctx.Err(), ctx.Err()
	case err == nil, errors.Is(err, device.ErrTrack):
	case errors.As(err, &fault) && fault.Fault != device.NoSwipe:
	case c.ctx.Err() != nil:
		err, broken = c.ctx.Err(), s.revive(ctx)
	case fault != nil: // no swipe: is it the person, or the reader?
		if broken = s.revive(ctx); broken != nil {
			err = named(broken)
		}
	default:
		err, broken = named(err), err
	}
	c.done <- err
	return broken
}

// named gives an error of the reader its word.
func named(err error) error {
	switch {
	case errors.Is(err, errSilent):
		return &device.CardError{Fault: device.NoAnswer, Err: err}
	case errors.Is(err, errGarbled):
		return &device.CardError{Fault: device.Garbled, Err: err}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &device.CardError{Fault: device.FaultOf(err), Err: err}
}
