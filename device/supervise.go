package device

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Opening a device must not take longer (cli.md, `till devices check`), and a
// device that was plugged in again is back within the longest pause.
const (
	openTimeout = 3 * time.Second
	minPause    = 100 * time.Millisecond
	maxPause    = 2 * time.Second
)

// Supervisor keeps one device open: it opens the link, lets Serve work on it
// until it fails, closes it at the first error and opens it again by name,
// pausing longer each time until the device answers.
type Supervisor struct {
	open   Dialer
	serve  func(ctx context.Context, link Link, report func(Status)) error
	report func(Status)
	reopen chan struct{}

	mu     sync.Mutex
	status Status
}

// ErrMute is returned by a Supervisor's serve when the device does not answer.
var ErrMute = errors.New("device does not answer")

// NewSupervisor takes how to open the device; serve, which works on an open
// link until its context or the link ends and reports what it learns; and
// report, which hears every change of status, one at a time, in order, and
// must return soon. All three are needed.
func NewSupervisor(open Dialer, serve func(context.Context, Link, func(Status)) error, report func(Status)) *Supervisor {
	return &Supervisor{open: open, serve: serve, report: report, reopen: make(chan struct{}, 1)}
}

// Status is the device's status now.
func (s *Supervisor) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Reopen closes the device and opens it at once, as a person asks for.
func (s *Supervisor) Reopen() {
	select {
	case s.reopen <- struct{}{}:
	default:
	}
}

// Run keeps the device open until the context ends. An address of "none" ends
// it at once: there is nothing to wait for.
func (s *Supervisor) Run(ctx context.Context) {
	pause := minPause
	for ctx.Err() == nil {
		answered, err := s.once(ctx)
		if errors.Is(err, ErrNone) {
			return
		}
		if answered {
			pause = minPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			pause = min(2*pause, maxPause)
		case <-s.reopen:
			pause = minPause
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// once is one opening of the device, until its first error.
func (s *Supervisor) once(ctx context.Context) (answered bool, err error) {
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	link, err := s.open(opening)
	cancel()
	if err != nil {
		s.tell(ctx, statusOf(err))
		return false, err
	}
	defer link.Close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.reopen:
			stop()
		case <-serving.Done():
		}
	}()
	err = s.serve(serving, link, func(status Status) {
		answered = answered || status.State == Ready
		s.tell(ctx, status)
	})
	asked := serving.Err() != nil
	stop()
	<-watched
	if !asked {
		s.tell(ctx, statusOf(err))
	}
	return answered, err
}

// tell reports a change. What a stopped program's devices do is no news.
func (s *Supervisor) tell(ctx context.Context, status Status) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	news := s.status != status
	s.status = status
	s.mu.Unlock()
	if news {
		s.report(status)
	}
}

// statusOf is the status an error leaves a device in: one that is not there is
// absent, one that is there and cannot be used is faulted.
func statusOf(err error) Status {
	if errors.Is(err, ErrMute) || errors.Is(err, errLost) {
		return Status{State: Faulted, Fault: NoAnswer}
	}
	status := Status{State: Absent, Fault: FaultOf(err)}
	switch status.Fault {
	case NotPermitted, InUse, NoAnswer, Garbled, CardRefused:
		status.State = Faulted
	}
	return status
}
