package device

import (
	"context"
	"sync"
)

// NewPipe is a link in memory: what goes in at one end comes out at the other.
// Each direction holds at most size bytes, as a device's buffer does; a writer
// waits for room. Closing one end unplugs the other.
func NewPipe(size int) (Link, Link) {
	there, back := newLane(size), newLane(size)
	return &pipeEnd{in: back, out: there}, &pipeEnd{in: there, out: back}
}

type pipeEnd struct{ in, out *lane }

func (e *pipeEnd) Read(ctx context.Context, p []byte) (int, error)  { return e.in.read(ctx, p) }
func (e *pipeEnd) Write(ctx context.Context, p []byte) (int, error) { return e.out.write(ctx, p) }

func (e *pipeEnd) Close() error {
	e.in.shut(&e.in.readerGone)
	e.out.shut(&e.out.writerGone)
	return nil
}

// lane is one direction: a bounded queue of bytes.
type lane struct {
	size int

	mu         sync.Mutex
	bytes      []byte
	writerGone bool
	readerGone bool
	changed    chan struct{} // closed and replaced at every change
}

func newLane(size int) *lane {
	return &lane{size: max(size, 1), changed: make(chan struct{})}
}

// wake is called with mu held.
func (l *lane) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lane) shut(side *bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*side = true
	l.wake()
}

func (l *lane) read(ctx context.Context, p []byte) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		l.mu.Lock()
		n, changed, err := copy(p, l.bytes), l.changed, error(nil)
		switch {
		case l.readerGone:
			n, err = 0, ErrClosed
		case n > 0:
			l.bytes = append(l.bytes[:0], l.bytes[n:]...)
			l.wake()
		case l.writerGone:
			err = ErrUnplugged
		}
		l.mu.Unlock()
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (l *lane) write(ctx context.Context, p []byte) (written int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return written, err
		}
		l.mu.Lock()
		changed, err := l.changed, error(nil)
		switch {
		case l.writerGone:
			err = ErrClosed
		case l.readerGone:
			err = ErrUnplugged
		default:
			n := min(len(p)-written, l.size-len(l.bytes))
			if n > 0 {
				l.bytes = append(l.bytes, p[written:written+n]...)
				written += n
				l.wake()
			}
		}
		l.mu.Unlock()
		if err != nil || written == len(p) {
			return written, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
