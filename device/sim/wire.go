package sim

import (
	"context"
	"fmt"
	"sync"

	"till/device"
)

// wire is the cable of a simulator that only listens, or only speaks.
type wire struct {
	talking sync.WaitGroup

	mu        sync.Mutex
	link      device.Link
	unplugged chan struct{} // closed when it is plugged in again; else nil
	stalled   chan struct{} // closed when a stall ends; else nil
}

// dial makes a link in memory and hands what comes over it to receive.
func (w *wire) dial(receive func([]byte)) (device.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unplugged != nil {
		return nil, fmt.Errorf("open sim: %w", device.ErrUnplugged)
	}
	here, there := device.NewPipe(256)
	w.take(here)
	w.talking.Go(func() { _ = w.hear(context.Background(), here, receive) })
	return there, nil
}

// listen hands what the link says to receive until the link or context ends.
func (w *wire) listen(ctx context.Context, link device.Link, receive func([]byte)) error {
	w.mu.Lock()
	if w.unplugged != nil {
		w.mu.Unlock()
		_ = link.Close()
		return fmt.Errorf("open sim: %w", device.ErrUnplugged)
	}
	w.take(link)
	w.mu.Unlock()
	return w.hear(ctx, link, receive)
}

// hear reads a link that has been taken, until it or the context ends.
func (w *wire) hear(ctx context.Context, link device.Link, receive func([]byte)) error {
	defer link.Close()
	data := make([]byte, 256)
	for {
		if err := w.wait(ctx); err != nil {
			return err
		}
		n, err := link.Read(ctx, data)
		if err != nil {
			return ctx.Err()
		}
		receive(data[:n])
	}
}

// take makes a link the present one; called with mu held.
func (w *wire) take(link device.Link) {
	if w.link != nil && w.link != link {
		_ = w.link.Close()
	}
	w.link = link
}

// wait waits for the end of a stall.
func (w *wire) wait(ctx context.Context) error {
	w.mu.Lock()
	stalled := w.stalled
	w.mu.Unlock()
	return closed(ctx, stalled)
}

// plugged waits until the cable is plugged in.
func (w *wire) plugged(ctx context.Context) error {
	w.mu.Lock()
	unplugged := w.unplugged
	w.mu.Unlock()
	return closed(ctx, unplugged)
}

// closed waits for a channel to be closed; nil is one already.
func closed(ctx context.Context, c <-chan struct{}) error {
	if c == nil {
		return nil
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write says something to whoever is at the other end.
func (w *wire) write(ctx context.Context, data []byte) error {
	if err := w.wait(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	link := w.link
	w.mu.Unlock()
	if link == nil {
		return device.ErrUnplugged
	}
	_, err := link.Write(ctx, data)
	return err
}

func (w *wire) stall(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case on && w.stalled == nil:
		w.stalled = make(chan struct{})
	case !on && w.stalled != nil:
		close(w.stalled)
		w.stalled = nil
	}
}

func (w *wire) unplug() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unplugged == nil {
		w.unplugged = make(chan struct{})
	}
	if w.link != nil {
		_ = w.link.Close()
		w.link = nil
	}
}

func (w *wire) replug() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unplugged != nil {
		close(w.unplugged)
		w.unplugged = nil
	}
}

func (w *wire) close() {
	w.unplug()
	w.stall(false)
	w.talking.Wait()
}
