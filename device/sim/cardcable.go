package sim

import (
	"context"
	"fmt"
	"sync"

	"till/device"
)

// damaged is a byte after the cable has had its way with it.
func (r *CardReader) damaged(b byte) byte {
	if r.garble > 0 && r.random.Float64() < r.garble {
		b ^= 1 << r.random.IntN(8)
	}
	return b
}

// say queues bytes for the host.
func (r *CardReader) say(data ...byte) {
	if r.link == nil {
		return
	}
	for _, b := range data {
		r.out = append(r.out, r.damaged(b))
	}
}

// Dial plugs into the reader in memory: what "sim:" stands for. A link that is
// dialled while another is open takes its place.
func (r *CardReader) Dial(ctx context.Context) (device.Link, error) {
	here, there := device.NewPipe(256)
	if err := r.attach(here); err != nil {
		return nil, err
	}
	r.talking.Go(func() { r.talk(context.WithoutCancel(ctx), here) })
	return there, nil
}

// Serve plugs a link into the reader until it ends or the context does.
func (r *CardReader) Serve(ctx context.Context, link device.Link) error {
	if err := r.attach(link); err != nil {
		return err
	}
	r.talk(ctx, link)
	return ctx.Err()
}

// Close takes the reader away and ends its goroutines.
func (r *CardReader) Close() {
	r.Unplug()
	r.talking.Wait()
}

func (r *CardReader) attach(link device.Link) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unplugged {
		return fmt.Errorf("open sim: %w", device.ErrUnplugged)
	}
	if r.link != nil {
		_ = r.link.Close()
	}
	r.link, r.out = link, nil
	r.wake()
	return nil
}

// Unplug cuts the cable, through which the reader also has its power.
func (r *CardReader) Unplug() { r.change(r.cut) }

// cut is called with mu held.
func (r *CardReader) cut() {
	r.unplugged = true
	if r.link != nil {
		_ = r.link.Close()
		r.link = nil
	}
	r.powerOn()
}

// Replug lets the reader be dialled again.
func (r *CardReader) Replug() { r.change(func() { r.unplugged = false }) }

// plugged waits until the cable is plugged in.
func (r *CardReader) plugged(ctx context.Context) error {
	for {
		r.mu.Lock()
		out, changed := r.unplugged, r.changed
		r.mu.Unlock()
		if !out {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// talk carries bytes between the reader and the link until the link ends.
func (r *CardReader) talk(ctx context.Context, link device.Link) {
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() {
		defer cancel()
		r.hear(ctx, link)
	})
	both.Go(func() {
		defer cancel()
		r.tell(ctx, link)
	})
	both.Wait()
	r.change(func() {
		_ = link.Close()
		if r.link == link {
			r.link, r.out = nil, nil
		}
	})
}

// until waits, and returns with mu held when ready says so; false without it
// when the context ended or the link is not the reader's any more.
func (r *CardReader) until(ctx context.Context, link device.Link, ready func() bool) bool {
	for {
		r.mu.Lock()
		if r.link != link {
			r.mu.Unlock()
			return false
		}
		if ready() {
			return true
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// room is how many of n bytes may pass now.
func (r *CardReader) room(n int) int {
	if r.after > 0 {
		return min(n, r.after)
	}
	return n
}

// passed counts bytes that went either way.
func (r *CardReader) passed(n int) {
	if r.after > 0 {
		if r.after -= n; r.after <= 0 {
			r.after = 0
			r.then()
		}
	}
}

func (r *CardReader) hear(ctx context.Context, link device.Link) {
	data := make([]byte, 256)
	awake := func() bool { return !r.stalled }
	for r.until(ctx, link, awake) {
		room := r.room(len(data))
		r.mu.Unlock()
		n, err := link.Read(ctx, data[:room])
		if err != nil || !r.until(ctx, link, awake) {
			return
		}
		r.receive(data[:n])
		r.passed(n)
		r.wake()
		r.mu.Unlock()
	}
}

func (r *CardReader) tell(ctx context.Context, link device.Link) {
	for r.until(ctx, link, func() bool { return !r.stalled && len(r.out) > 0 }) {
		n := r.room(len(r.out))
		out := r.out[:n]
		r.out = r.out[n:]
		r.mu.Unlock()
		if _, err := link.Write(ctx, out); err != nil {
			return
		}
		r.change(func() { r.passed(n) })
	}
}
