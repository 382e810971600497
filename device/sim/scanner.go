package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"till/device"
)

// scanWait is the longest a scan may take to be taken off the line.
const scanWait = 5 * time.Second

// Scanner is a barcode scanner on a serial line: it sends the codes that are
// held before it, and answers the trigger commands of Honeywell's and of GM65
// modules.
type Scanner struct {
	suffix string
	wire   wire

	mu    sync.Mutex
	heard []byte
	next  string // shown at the next trigger
	fired int
}

// NewScanner is a scanner that ends codes with suffix, which may be empty.
func NewScanner(suffix string) *Scanner { return &Scanner{suffix: suffix} }

// Dial plugs into the scanner in memory.
func (s *Scanner) Dial(context.Context) (device.Link, error) {
	return s.wire.dial(func(data []byte) { s.receive(context.Background(), data) })
}

// Serve plugs a link into the scanner until it ends or the context does.
func (s *Scanner) Serve(ctx context.Context, link device.Link) error {
	return s.wire.listen(ctx, link, func(data []byte) { s.receive(ctx, data) })
}

func (s *Scanner) plugged(ctx context.Context) error { return s.wire.plugged(ctx) }

// Close takes the scanner away and ends its goroutines.
func (s *Scanner) Close() { s.wire.close() }

// Scan holds a code before the scanner and pulls its trigger.
func (s *Scanner) Scan(ctx context.Context, text string) error {
	return s.wire.write(ctx, []byte(text+s.suffix))
}

// Place holds a code before the scanner for the next trigger command.
func (s *Scanner) Place(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = text
}

// Fired counts the trigger commands.
func (s *Scanner) Fired() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fired
}

// Obey does what a line of `till devices sim scanner` says: scan TEXT, unplug,
// replug, stall on|off, show, dump. TEXT may hold \r, \n, \t and \xHH.
func (s *Scanner) Obey(line string, out io.Writer) error {
	w, err := words(line)
	if err != nil || len(w) == 0 {
		return err
	}
	if out == nil {
		out = io.Discard
	}
	if w[0] == "scan" && len(w) > 1 {
		text, err := unescape(strings.TrimSpace(strings.TrimPrefix(strings.TrimLeft(line, " \t"), "scan")))
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), scanWait)
		defer cancel()
		return s.Scan(ctx, text)
	}
	switch strings.Join(w, " ") {
	case "unplug":
		s.wire.unplug()
	case "replug":
		s.wire.replug()
	case "stall on":
		s.wire.stall(true)
	case "stall off":
		s.wire.stall(false)
	case "show":
		_, err = fmt.Fprintf(out, "triggered %d times\n", s.Fired())
	case "dump":
		s.mu.Lock()
		defer s.mu.Unlock()
		_, err = fmt.Fprintf(out, "% x\n", s.heard)
	default:
		return fmt.Errorf("%q: %w", line, errWords)
	}
	return err
}

// The trigger commands, and what a GM65 answers before it scans.
var (
	honeywellTrigger = []byte{0x16, 0x54, 0x0D}
	gm65Trigger      = []byte{0x7E, 0x00, 0x08, 0x01, 0x00, 0x02, 0x01, 0xAB, 0xCD}
	gm65Answer       = []byte{0x02, 0x00, 0x00, 0x01, 0x00, 0x33, 0x31}
)

// receive looks for a trigger at the end of what was heard.
func (s *Scanner) receive(ctx context.Context, data []byte) {
	for _, b := range data {
		s.mu.Lock()
		if s.heard = append(s.heard, b); len(s.heard) > 64 {
			s.heard = s.heard[len(s.heard)-32:]
		}
		var answer []byte
		fired := false
		switch {
		case bytes.HasSuffix(s.heard, honeywellTrigger):
			fired = true
		case bytes.HasSuffix(s.heard, gm65Trigger):
			fired, answer = true, append(answer, gm65Answer...)
		}
		if fired {
			s.fired++
			s.heard = nil
			if s.next != "" {
				answer = append(append(answer, s.next...), s.suffix...)
				s.next = ""
			}
		}
		s.mu.Unlock()
		if len(answer) > 0 {
			_ = s.wire.write(ctx, answer) // a link that has ended hears nothing
		}
	}
}

// unescape reads \r, \n, \t, \\ and \xHH.
func unescape(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return "", fmt.Errorf("backslash at the end")
		}
		switch text[i] {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '\\':
			b.WriteByte('\\')
		case 'x':
			var c byte
			if i+2 >= len(text) {
				return "", fmt.Errorf("\\x without two digits")
			}
			if _, err := fmt.Sscanf(text[i+1:i+3], "%02x", &c); err != nil {
				return "", fmt.Errorf("\\x%s: %w", text[i+1:i+3], err)
			}
			b.WriteByte(c)
			i += 2
		default:
			return "", fmt.Errorf("\\%c is unknown", text[i])
		}
	}
	return b.String(), nil
}
