package sim

import (
	"context"
	"fmt"
	"sync"

	"till/device"
)

// cable is the link a printer is on, and what it has to say there.
type cable struct {
	link      device.Link
	unplugged bool
	out       []byte
}

// say queues bytes for the cable; nobody at the other end, nobody hears.
func (p *Printer) say(data ...byte) {
	if p.cable.link == nil || len(p.cable.out) > bufferSize {
		return
	}
	for _, b := range data {
		if p.garble > 0 && p.random.Float64() < p.garble {
			b ^= 1 << p.random.IntN(8)
		}
		p.cable.out = append(p.cable.out, b)
	}
}

// Dial plugs into the printer in memory: what "sim:" stands for. A link that is
// dialled while another is open takes its place.
func (p *Printer) Dial(ctx context.Context) (device.Link, error) {
	here, there := device.NewPipe(256)
	if err := p.attach(here); err != nil {
		return nil, err
	}
	p.talking.Go(func() { p.talk(context.WithoutCancel(ctx), here) })
	return there, nil
}

// Close takes the printer away and ends its goroutines.
func (p *Printer) Close() {
	p.Unplug()
	p.talking.Wait()
}

// Serve plugs a link into the printer until it ends or the context does.
func (p *Printer) Serve(ctx context.Context, link device.Link) error {
	if err := p.attach(link); err != nil {
		return err
	}
	p.talk(ctx, link)
	return ctx.Err()
}

func (p *Printer) attach(link device.Link) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cable.unplugged {
		return fmt.Errorf("open sim: %w", device.ErrUnplugged)
	}
	if p.cable.link != nil {
		_ = p.cable.link.Close()
	}
	p.cable.link, p.cable.out = link, nil
	p.wake()
	return nil
}

// Unplug cuts the cable. The printer keeps what it received and prints it.
func (p *Printer) Unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cable.unplugged = true
	p.drop(p.cable.link)
}

// Replug lets the printer be dialled again.
func (p *Printer) Replug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cable.unplugged = false
	p.wake()
}

// plugged waits until the cable is plugged in.
func (p *Printer) plugged(ctx context.Context) error {
	for {
		p.mu.Lock()
		out, changed := p.cable.unplugged, p.changed
		p.mu.Unlock()
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

// drop closes a link; called with mu held.
func (p *Printer) drop(link device.Link) {
	if link == nil {
		return
	}
	_ = link.Close()
	if p.cable.link == link {
		p.cable.link, p.cable.out = nil, nil
	}
	p.wake()
}

// talk carries bytes between the printer and the link until the link ends.
func (p *Printer) talk(ctx context.Context, link device.Link) {
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() {
		defer cancel()
		p.hear(ctx, link)
	})
	both.Go(func() {
		defer cancel()
		p.tell(ctx, link)
	})
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(link)
}

// until waits, and returns with mu held when ready says so; false without it
// when the context ended or the link is not the printer's any more.
func (p *Printer) until(ctx context.Context, link device.Link, ready func() bool) bool {
	for {
		p.mu.Lock()
		if p.cable.link != link {
			p.mu.Unlock()
			return false
		}
		if ready() {
			return true
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// hear receives as long as there is room in the buffer; then the sender waits.
func (p *Printer) hear(ctx context.Context, link device.Link) {
	data := make([]byte, 512)
	listening := func() bool { return !p.stalled && len(p.buffer) < bufferSize }
	for p.until(ctx, link, listening) {
		room := min(bufferSize-len(p.buffer), len(data))
		if p.stallAfter > 0 {
			room = min(room, p.stallAfter)
		}
		p.mu.Unlock()
		n, err := link.Read(ctx, data[:room])
		if err != nil {
			return
		}
		if !p.until(ctx, link, func() bool { return !p.stalled }) {
			return
		}
		p.receive(data[:n])
		p.mu.Unlock()
	}
}

func (p *Printer) tell(ctx context.Context, link device.Link) {
	for p.until(ctx, link, func() bool { return !p.stalled && len(p.cable.out) > 0 }) {
		out := p.cable.out
		p.cable.out = nil
		p.mu.Unlock()
		if _, err := link.Write(ctx, out); err != nil {
			return
		}
	}
}
