package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// maxScan is the longest scan, in bytes (devices.md section 6).
const maxScan = 4096

// scanSilence ends a scan of a module that sends no suffix.
const scanSilence = 50 * time.Millisecond

// Suffix is how a scanner ends a code.
type Suffix string

// The suffixes of scanner.suffix in the configuration. Any takes CR, LF or
// silence; NoSuffix silence only, so that a code may contain line ends.
const (
	AnySuffix Suffix = "any"
	CRSuffix  Suffix = "cr"
	LFSuffix  Suffix = "lf"
	NoSuffix  Suffix = "none"
)

// ParseSuffix reads the configuration's word.
func ParseSuffix(word string) (Suffix, error) {
	switch s := Suffix(word); s {
	case AnySuffix, CRSuffix, LFSuffix, NoSuffix:
		return s, nil
	}
	return "", fmt.Errorf("scanner suffix %q: must be any, cr, lf or none", word)
}

// ends tells whether a byte ends a code.
func (s Suffix) ends(b byte) bool {
	switch s {
	case CRSuffix:
		return b == '\r'
	case LFSuffix:
		return b == '\n'
	case NoSuffix:
		return false
	}
	return b == '\r' || b == '\n'
}

// ErrScan says that what came was no scan: too long, empty, or with controls. A
// scan is data for the open field and never a key, so controls are refused
// rather than passed on: attackers put commands into codes.
var ErrScan = errors.New("scan refused")

// CheckScan is the text of a scan without its one line end, or ErrScan.
func CheckScan(scan []byte) (string, error) {
	if len(scan) > maxScan {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrScan, maxScan)
	}
	scan = bytes.TrimSuffix(scan, []byte("\n"))
	scan = bytes.TrimSuffix(scan, []byte("\r"))
	if len(scan) == 0 {
		return "", fmt.Errorf("%w: empty", ErrScan)
	}
	if !utf8.Valid(scan) {
		return "", fmt.Errorf("%w: not UTF-8", ErrScan)
	}
	for _, r := range string(scan) {
		if r < 0x20 || r >= 0x7F && r < 0xA0 {
			return "", fmt.Errorf("%w: control character %U", ErrScan, r)
		}
	}
	return string(scan), nil
}

// Splitter cuts a scanner's bytes into scans. What is longer than a scan is
// dropped up to the next end.
type Splitter struct {
	suffix   Suffix
	trigger  Trigger
	pending  []byte
	overlong bool
}

// NewSplitter cuts at a suffix; the trigger's own answers are taken out.
func NewSplitter(suffix Suffix, trigger Trigger) *Splitter {
	return &Splitter{suffix: suffix, trigger: trigger}
}

// Feed takes bytes and gives back the scans they complete.
func (s *Splitter) Feed(p []byte) [][]byte {
	var scans [][]byte
	for _, b := range p {
		if s.suffix.ends(b) {
			scans = s.end(scans)
			continue
		}
		if len(s.pending) >= maxScan {
			s.overlong = true
			continue
		}
		s.pending = append(s.pending, b)
		if ack := s.trigger.answer(); len(ack) > 0 && bytes.Equal(s.pending, ack) {
			s.pending = nil
		}
	}
	return scans
}

// Pending tells whether silence would complete a scan.
func (s *Splitter) Pending() bool { return len(s.pending) > 0 }

// Silence gives back what was pending when nothing more comes.
func (s *Splitter) Silence() [][]byte { return s.end(nil) }

func (s *Splitter) end(scans [][]byte) [][]byte {
	scan, overlong := s.pending, s.overlong
	s.pending, s.overlong = nil, false
	switch {
	case overlong:
		return append(scans, append(scan, 0)) // over the limit: refused by CheckScan
	case len(scan) == 0: // the second half of CR LF
		return scans
	}
	return append(scans, scan)
}

// Trigger starts a scan by command.
type Trigger string

// The triggers of scanner.trigger in the configuration.
const (
	NoTrigger Trigger = ""
	Honeywell Trigger = "honeywell"
	GM65      Trigger = "gm65"
)

// ParseTrigger reads the configuration's word; empty is none.
func ParseTrigger(word string) (Trigger, error) {
	switch t := Trigger(word); t {
	case NoTrigger, Honeywell, GM65:
		return t, nil
	}
	return "", fmt.Errorf("scanner trigger %q: must be honeywell or gm65", word)
}

// command is what starts a scan (Honeywell: SYN T CR; GM65: write 1 to register
// 0002, with the checksum that is not checked).
func (t Trigger) command() []byte {
	switch t {
	case Honeywell:
		return []byte{0x16, 0x54, 0x0D}
	case GM65:
		return []byte{0x7E, 0x00, 0x08, 0x01, 0x00, 0x02, 0x01, 0xAB, 0xCD}
	}
	return nil
}

// answer is what the module says to that before it scans.
func (t Trigger) answer() []byte {
	if t == GM65 {
		return []byte{0x02, 0x00, 0x00, 0x01, 0x00, 0x33, 0x31}
	}
	return nil
}

// Scanner is a barcode scanner on a serial line.
type Scanner struct {
	supervisor *Supervisor
	suffix     Suffix
	trigger    Trigger
	scanned    func(string, error)
	triggers   chan chan error
}

// NewScanner takes how to open the scanner, how it ends codes, how it is
// triggered, who hears each scan (its text, or ErrScan), and who hears its
// status. Both are called by one goroutine and must return soon.
func NewScanner(open Dialer, suffix Suffix, trigger Trigger, scanned func(string, error), report func(Status)) *Scanner {
	s := &Scanner{suffix: suffix, trigger: trigger, scanned: scanned, triggers: make(chan chan error)}
	s.supervisor = NewSupervisor(open, s.serve, report)
	return s
}

// Run works until the context ends.
func (s *Scanner) Run(ctx context.Context) { s.supervisor.Run(ctx) }

// Status is the scanner's status now.
func (s *Scanner) Status() Status { return s.supervisor.Status() }

// Reopen closes and opens the device at once.
func (s *Scanner) Reopen() { s.supervisor.Reopen() }

// Trigger starts a scan, as the scanner's button does.
func (s *Scanner) Trigger(ctx context.Context) error {
	if s.trigger == NoTrigger {
		return errors.New("trigger scanner: no trigger is configured")
	}
	done := make(chan error, 1)
	select {
	case s.triggers <- done:
		return <-done
	case <-ctx.Done():
		return fmt.Errorf("trigger scanner: %w", ctx.Err())
	}
}

// serve reads scans. A scanner says nothing of itself: open is ready.
func (s *Scanner) serve(ctx context.Context, link Link, report func(Status)) error {
	report(Status{State: Ready})
	writing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.fire(writing, link)
	}()
	defer func() { stop(); <-done }()
	splitter := NewSplitter(s.suffix, s.trigger)
	buffer := make([]byte, 512)
	for {
		reading, cancel := ctx, context.CancelFunc(func() {})
		if splitter.Pending() {
			reading, cancel = context.WithTimeout(ctx, scanSilence)
		}
		n, err := link.Read(reading, buffer)
		cancel()
		s.hand(splitter.Feed(buffer[:n]))
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			s.hand(splitter.Silence())
		default:
			return err
		}
	}
}

func (s *Scanner) hand(scans [][]byte) {
	for _, scan := range scans {
		s.scanned(CheckScan(scan))
	}
}

// fire writes triggers.
func (s *Scanner) fire(ctx context.Context, link Link) {
	for {
		select {
		case done := <-s.triggers:
			writing, cancel := context.WithTimeout(ctx, answerWait)
			_, err := link.Write(writing, s.trigger.command())
			cancel()
			done <- err
		case <-ctx.Done():
			return
		}
	}
}
