package device

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// maxConversation is the longest conversation that is played, in bytes of text.
const maxConversation = 4 << 20

// Turn is what one side said in a conversation, until the other spoke.
type Turn struct {
	Device bool // said by the device
	Bytes  []byte
}

// Record writes all that passes over a link to w, as lines of hexadecimal that
// Play and ParseConversation read: "> 1b 40" to the device, "< 16" from it. What
// w fails to take is lost; the link is not disturbed.
func Record(link Link, w io.Writer) Link { return &recorder{link: link, w: w} }

// recorder writes down what was asked before what was answered: an answer that
// is read before its question's write has returned waits for it.
type recorder struct {
	link Link

	mu      sync.Mutex
	w       io.Writer
	writing bool
	early   []byte
}

func (r *recorder) Read(ctx context.Context, p []byte) (int, error) {
	n, err := r.link.Read(ctx, p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writing {
		r.early = append(r.early, p[:n]...)
	} else {
		r.note('<', p[:n])
	}
	return n, err
}

func (r *recorder) Write(ctx context.Context, p []byte) (int, error) {
	r.mu.Lock()
	r.writing = true
	r.mu.Unlock()
	n, err := r.link.Write(ctx, p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note('>', p[:n])
	r.note('<', r.early)
	r.writing, r.early = false, nil
	return n, err
}

func (r *recorder) Close() error { return r.link.Close() }

// note is called with mu held.
func (r *recorder) note(side byte, p []byte) {
	const perLine = 32
	for len(p) > 0 {
		n := min(len(p), perLine)
		fmt.Fprintf(r.w, "%c % x\n", side, p[:n])
		p = p[n:]
	}
}

// ParseConversation reads what Record wrote. Empty lines and lines that begin
// with # are for people. Lines of the same side are one turn.
func ParseConversation(r io.Reader) ([]Turn, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConversation+1))
	if err != nil {
		return nil, fmt.Errorf("read conversation: %w", err)
	}
	if len(text) > maxConversation {
		return nil, fmt.Errorf("read conversation: longer than %d bytes", maxConversation)
	}
	var turns []Turn
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		data, err := hex.DecodeString(strings.ReplaceAll(line[1:], " ", ""))
		if err != nil || line[0] != '<' && line[0] != '>' || len(data) == 0 {
			return nil, fmt.Errorf("read conversation: line %d is not bytes of one side", number)
		}
		device := line[0] == '<'
		if n := len(turns); n > 0 && turns[n-1].Device == device {
			turns[n-1].Bytes = append(turns[n-1].Bytes, data...)
		} else {
			turns = append(turns, Turn{Device: device, Bytes: data})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read conversation: %w", err)
	}
	return turns, nil
}

// ErrDeviates says that a program did not say what it had said when the
// conversation was recorded.
var ErrDeviates = errors.New("deviates from the recorded conversation")

// Play is the device of a recorded conversation: it answers as it did, after
// the same bytes, and fails a write that differs. At the end of the conversation
// it is unplugged.
func Play(turns []Turn) Link {
	return &player{turns: turns, changed: make(chan struct{})}
}

type player struct {
	mu      sync.Mutex
	turns   []Turn
	at      int // bytes of the first turn that have passed
	said    int // bytes of all turns that have passed
	closed  bool
	changed chan struct{}
}

// turn is the first turn that has bytes left; ok is false at the end.
func (p *player) turn() (Turn, bool) {
	for len(p.turns) > 0 && p.at == len(p.turns[0].Bytes) {
		p.turns, p.at = p.turns[1:], 0
	}
	if len(p.turns) == 0 {
		return Turn{}, false
	}
	return p.turns[0], true
}

func (p *player) pass(n int) {
	p.at += n
	p.said += n
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *player) Read(ctx context.Context, b []byte) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		p.mu.Lock()
		turn, more := p.turn()
		changed, n, err := p.changed, 0, error(nil)
		switch {
		case p.closed:
			err = ErrClosed
		case !more:
			err = ErrUnplugged
		case turn.Device:
			n = copy(b, turn.Bytes[p.at:])
			p.pass(n)
		}
		p.mu.Unlock()
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (p *player) Write(ctx context.Context, b []byte) (written int, err error) {
	for written < len(b) {
		if err := ctx.Err(); err != nil {
			return written, err
		}
		p.mu.Lock()
		turn, more := p.turn()
		changed, n := p.changed, 0
		switch {
		case p.closed:
			err = ErrClosed
		case !more:
			err = ErrUnplugged
		case !turn.Device:
			expected := turn.Bytes[p.at:]
			n = min(len(expected), len(b)-written)
			if got := b[written : written+n]; !bytes.Equal(got, expected[:n]) {
				err = fmt.Errorf("%w after %d bytes: % x, recorded % x", ErrDeviates, p.said, got, expected[:n])
				n = 0
				break
			}
			p.pass(n)
		}
		p.mu.Unlock()
		written += n
		if err != nil {
			return written, err
		}
		if n == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
	return written, nil
}

func (p *player) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.pass(0)
	return nil
}
