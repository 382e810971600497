package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"till/server"
)

// together is how many writes share one commit at most.
const together = 256

// errClosed answers writes after Close.
var errClosed = errors.New("the database is closed")

// writer owns SQLite's one writing session. Whoever writes queues a job; the
// writer takes all that have queued, runs each in a savepoint, and commits once.
type writer struct {
	s     *session
	jobs  chan *job
	stop  chan struct{}
	once  sync.Once
	ended chan struct{}
	began atomic.Pointer[func(int) func()] // see [DB.Observe]
}

type job struct {
	ctx  context.Context
	f    func(*server.Tx) error
	err  error
	done chan struct{}
}

func newWriter(s *session) *writer {
	return &writer{s: s, jobs: make(chan *job, together), stop: make(chan struct{}), ended: make(chan struct{})}
}

// do queues f and waits for its commit. A caller whose context ends meanwhile
// still waits: the outcome of a write is never unknown to who asked for it.
func (w *writer) do(ctx context.Context, f func(*server.Tx) error) error {
	j := &job{ctx: ctx, f: f, done: make(chan struct{})}
	select {
	case <-w.stop:
		return errClosed
	default:
	}
	select {
	case w.jobs <- j:
	case <-w.stop:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for the database: %w", ctx.Err())
	}
	select {
	case <-j.done:
		return j.err
	case <-w.ended:
		// The writer may have finished this job just before it ended.
		select {
		case <-j.done:
			return j.err
		default:
			return errClosed
		}
	}
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.gather(j))
		case <-w.stop:
			return
		}
	}
}

// gather takes what has queued behind the first; it does not wait for more.
func (w *writer) gather(first *job) []*job {
	batch := []*job{first}
	for len(batch) < together {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (w *writer) commit(batch []*job) {
	defer observed(w.began.Load(), len(batch))()
	err := w.s.transaction(context.Background(), "BEGIN IMMEDIATE", func() error {
		for _, j := range batch {
			if err := w.attempt(j); err != nil {
				return err
			}
		}
		return nil
	})
	for _, j := range batch {
		if j.err == nil {
			j.err = err
		}
		close(j.done)
	}
}

// attempt runs one job in a savepoint. Its failure is the job's own; an error
// returned here ends the whole transaction.
func (w *writer) attempt(j *job) error {
	ctx := context.Background()
	if _, err := w.s.exec(ctx, "SAVEPOINT job"); err != nil {
		return fmt.Errorf("set savepoint: %w", err)
	}
	if j.err = run(j, w.s); j.err != nil {
		if _, err := w.s.exec(ctx, "ROLLBACK TO job"); err != nil {
			return fmt.Errorf("roll back to savepoint: %w", err)
		}
	}
	if _, err := w.s.exec(ctx, "RELEASE job"); err != nil {
		return fmt.Errorf("release savepoint: %w", err)
	}
	return nil
}

// run calls the job unless its caller has left before it began. Once begun it
// runs to its end: an interrupted statement would take others' work with it.
func run(j *job, s *session) error {
	if err := j.ctx.Err(); err != nil {
		return fmt.Errorf("wait for the database: %w", err)
	}
	return j.f(s.tx(context.WithoutCancel(j.ctx)))
}

// close ends the writer after the commit under way; queued jobs get errClosed.
func (w *writer) close() {
	w.once.Do(func() { close(w.stop) })
	<-w.ended
}
