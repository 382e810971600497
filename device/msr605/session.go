package msr605

import (
	"context"
	"errors"
	"time"

	"till/device"
)

// The patience with a reader.
const (
	answerWait = time.Second            // for an answer that needs no swipe
	byteWait   = time.Second            // between two bytes of an answer
	namesWait  = 300 * time.Millisecond // for a model or version it may not know
	quiet      = 50 * time.Millisecond  // after this, no more comes
	resetPause = 100 * time.Millisecond
	swipeWait  = 30 * time.Second
	noiseWaits = 40 // silences awaited after a reset before it is called noise
)

// errSilent: no byte came in time.
var errSilent = errors.New("no answer")

// filler ends whatever raw block a broken link has left the reader in: the
// longest length byte, and two that cannot be in their place.
var filler = make([]byte, 257)

// session is one open link to a reader. One goroutine listens; all else is done
// by the goroutine that serves it.
type session struct {
	link device.Link
	in   chan []byte
	end  error // why in was closed
	raw  bool  // the last bits per character that were set
}

// listen hands on what the link says until it ends.
func (s *session) listen(ctx context.Context) {
	defer close(s.in)
	for {
		p := make([]byte, 256)
		n, err := s.link.Read(ctx, p)
		if err != nil {
			s.end = err
			return
		}
		select {
		case s.in <- p[:n]:
		case <-ctx.Done():
			s.end = ctx.Err()
			return
		}
	}
}

// receive waits for bytes; errSilent when none come in time.
func (s *session) receive(ctx context.Context, wait time.Duration) ([]byte, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case p, ok := <-s.in:
		if !ok {
			return nil, s.end
		}
		return p, nil
	case <-timer.C:
		return nil, errSilent
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// send writes all of p; a reader that does not take it in a second is mute.
func (s *session) send(ctx context.Context, p ...byte) error {
	writing, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	_, err := s.link.Write(writing, p)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return errSilent
	}
	return err
}

// collect gathers an answer until parse has no more to ask for. first is how
// long its first byte may take.
func (s *session) collect(ctx context.Context, first time.Duration, parse func([]byte) error) error {
	answer := make([]byte, 0, 1024)
	defer func() { clear(answer[:cap(answer)]) }()
	wait := first
	for {
		p, err := s.receive(ctx, wait)
		if err != nil {
			return err
		}
		if len(answer)+len(p) > cap(answer) { // no answer is as long
			return errGarbled
		}
		answer = append(answer, p...)
		clear(p)
		if err := parse(answer); !errors.Is(err, errMore) {
			return err
		}
		wait = byteWait
	}
}

// command sends one and wants its status byte.
func (s *session) command(ctx context.Context, wait time.Duration, p ...byte) (status byte, err error) {
	if err := s.send(ctx, p...); err != nil {
		return 0, err
	}
	err = s.collect(ctx, wait, func(p []byte) (err error) {
		status, err = parseStatus(p)
		return err
	})
	return status, err
}

// set sends a setting. A reader that refuses it, as some do with what they
// cannot change, keeps the standard's value.
func (s *session) set(ctx context.Context, p ...byte) error {
	status, err := s.command(ctx, answerWait, p...)
	if err == nil && status != statusGood && status != statusRefused && status != statusUnknown {
		return errGarbled
	}
	return err
}

// reset ends whatever the reader is waiting for and drops what it still says.
func (s *session) reset(ctx context.Context) error {
	if err := s.send(ctx, escape, 'a'); err != nil {
		return err
	}
	pause := time.NewTimer(resetPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.hush(ctx)
}

// hush drops what comes until there is silence.
func (s *session) hush(ctx context.Context) error {
	for range noiseWaits {
		if _, err := s.receive(ctx, quiet); errors.Is(err, errSilent) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return errGarbled
}

// alive is the communication test: 1B 65, answered by 1B 'y'.
func (s *session) alive(ctx context.Context) error {
	answer, err := s.command(ctx, answerWait, escape, 'e')
	if err == nil && answer != 'y' {
		return errGarbled
	}
	return err
}

// revive resets the reader and asks whether it lives.
func (s *session) revive(ctx context.Context) error {
	if err := s.reset(ctx); err != nil {
		return err
	}
	return s.alive(ctx)
}

// introduce brings the reader into a known state and asks for its names.
func (s *session) introduce(ctx context.Context) (name string, err error) {
	err = s.revive(ctx)
	if errors.Is(err, errSilent) || errors.Is(err, errGarbled) {
		if err = s.send(ctx, filler...); err == nil {
			err = s.revive(ctx)
		}
	}
	if err != nil {
		return "", err
	}
	if name, err = s.names(ctx); err != nil {
		return "", err
	}
	for _, density := range []byte{0xA1, 0x4B, 0xC1} { // 210, 75 and 210 bpi
		if err := s.set(ctx, escape, 'b', density); err != nil {
			return "", err
		}
	}
	if err := s.set(ctx, escape, 'z', 61, 22); err != nil { // leading zeros
		return "", err
	}
	return name, s.setRaw(ctx, false)
}

// names asks for model and firmware; a reader may know neither.
func (s *session) names(ctx context.Context) (string, error) {
	if err := s.send(ctx, escape, 't'); err != nil {
		return "", err
	}
	var model byte
	err := s.collect(ctx, namesWait, func(p []byte) (err error) {
		model, err = parseModel(p)
		return err
	})
	name := "MSR"
	switch {
	case err == nil:
		name += "-" + string(rune(model))
	case !errors.Is(err, errSilent) && !errors.Is(err, errGarbled):
		return "", err
	}
	if err := s.hush(ctx); err != nil {
		return "", err
	}
	if err := s.send(ctx, escape, 'v'); err != nil {
		return "", err
	}
	var answer []byte
	for wait := namesWait; len(answer) <= longestFirmware; wait = 2 * quiet {
		p, err := s.receive(ctx, wait)
		if errors.Is(err, errSilent) {
			break
		}
		if err != nil {
			return "", err
		}
		answer = append(answer, p...)
	}
	if version, err := parseFirmware(answer); err == nil && version != "" {
		name += " " + version
	}
	return name, s.hush(ctx)
}

// setRaw sets the bits per character: 8 for raw bits, 7 5 5 for text. The
// answer repeats them.
func (s *session) setRaw(ctx context.Context, raw bool) error {
	want := []byte{7, 5, 5}
	if raw {
		want = []byte{8, 8, 8}
	}
	if err := s.send(ctx, append([]byte{escape, 'o'}, want...)...); err != nil {
		return err
	}
	err := s.collect(ctx, answerWait, func(p []byte) error {
		c := cursor{p: p}
		c.expect(escape)
		if status := c.next(); c.err == nil && status != statusGood {
			return &device.CardError{Fault: device.CardRefused}
		}
		c.expect(want...)
		if c.err == nil && len(c.p) > 0 {
			return errGarbled
		}
		return c.err
	})
	if err == nil {
		s.raw = raw
	}
	return err
}
