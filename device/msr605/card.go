package msr605

import (
	"context"
	"errors"

	"till/device"
)

// Lamp is what the reader's lamps show. While it waits for a card the reader
// lights its own.
type Lamp byte

// The lamps, as the commands that light them.
const (
	LampsOff Lamp = 0x81 + iota
	AllLamps
	Green
	Yellow
	Red
)

// Light lights a lamp.
func (r *Reader) Light(ctx context.Context, l Lamp) error {
	return r.do(ctx, "light lamp", func(ctx context.Context, s *session) error {
		return s.send(ctx, escape, byte(l))
	})
}

// Read waits for a swipe and reads the text of each track. An empty card is
// CardEmpty; one without a single readable track CardUnreadable.
func (r *Reader) Read(ctx context.Context) (device.Stripe, error) {
	return r.read(ctx, false, parseISO)
}

// ReadRaw waits for a swipe and reads the bits of each track, the first in bit 7
// of the first byte.
func (r *Reader) ReadRaw(ctx context.Context) (device.Stripe, error) {
	return r.read(ctx, true, parseRaw)
}

func (r *Reader) read(ctx context.Context, raw bool, parse func([]byte) (device.Stripe, byte, error)) (stripe device.Stripe, err error) {
	err = r.do(ctx, "read card", func(ctx context.Context, s *session) error {
		if err := s.prepare(ctx, raw); err != nil {
			return err
		}
		command := byte('r')
		if raw {
			command = 'm'
		}
		if err := s.send(ctx, escape, command); err != nil {
			return err
		}
		var status byte
		err := s.swipe(ctx, func(p []byte) (err error) {
			stripe.Wipe()
			stripe, status, err = parse(p)
			return err
		})
		if err == nil {
			err = verdictOfRead(stripe, status)
		}
		return s.show(ctx, err)
	})
	if err != nil {
		stripe.Wipe()
		return device.Stripe{}, err
	}
	return stripe, nil
}

// verdictOfRead judges by what was read: readers give an empty track as good or
// as an error, and one bad track as an error of all.
func verdictOfRead(s device.Stripe, status byte) error {
	if status != statusGood && status != statusError {
		return verdict(status, device.CardUnreadable)
	}
	fault := device.CardEmpty
	for _, t := range s {
		switch t.Kind() {
		case device.TextTrack, device.RawTrack:
			return nil
		case device.BadTrack:
			fault = device.CardUnreadable
		}
	}
	return &device.CardError{Fault: fault}
}

// verdict turns a status byte into its word; failed is what an error stands for.
func verdict(status byte, failed device.Fault) error {
	switch status {
	case statusGood:
		return nil
	case statusError, statusRefused:
		return &device.CardError{Fault: failed}
	case statusBadSwipe:
		return &device.CardError{Fault: device.BadSwipe}
	case statusFormat, statusUnknown:
		return &device.CardError{Fault: device.CardRefused}
	}
	return errGarbled
}

// Write waits for a swipe and writes all three tracks.
func (r *Reader) Write(ctx context.Context, stripe device.Stripe, c device.Coercivity) error {
	raw := false
	for _, t := range stripe {
		raw = raw || t.Kind() == device.RawTrack
	}
	command, build := byte('w'), isoBlock
	if raw {
		command, build = 'n', rawBlock
	}
	block, err := build(stripe)
	if err != nil {
		return err
	}
	defer clear(block)
	return r.do(ctx, "write card", func(ctx context.Context, s *session) error {
		if err := s.prepareToWrite(ctx, raw, c); err != nil {
			return err
		}
		if err := s.send(ctx, escape, command); err != nil {
			return err
		}
		return s.write(ctx, block)
	})
}

// Erase waits for a swipe and erases tracks.
func (r *Reader) Erase(ctx context.Context, tracks device.Tracks, c device.Coercivity) error {
	if tracks == 0 || tracks > device.AllTracks {
		return device.ErrTrack
	}
	return r.do(ctx, "erase card", func(ctx context.Context, s *session) error {
		if err := s.prepareToWrite(ctx, s.raw, c); err != nil {
			return err
		}
		if err := s.send(ctx, escape, 'c'); err != nil {
			return err
		}
		return s.write(ctx, []byte{byte(tracks)})
	})
}

// write sends the rest of a command that needs a swipe, and judges its answer.
func (s *session) write(ctx context.Context, rest []byte) error {
	if err := s.send(ctx, rest...); err != nil {
		return err
	}
	var status byte
	err := s.swipe(ctx, func(p []byte) (err error) {
		status, err = parseStatus(p)
		return err
	})
	if err == nil {
		err = verdict(status, device.CardNotWritten)
	}
	return s.show(ctx, err)
}

// TestSensor waits for a card to pass the sensor.
func (r *Reader) TestSensor(ctx context.Context) error {
	return r.do(ctx, "test card sensor", func(ctx context.Context, s *session) error {
		if err := s.send(ctx, escape, 0x86); err != nil {
			return err
		}
		var status byte
		if err := s.swipe(ctx, func(p []byte) (err error) {
			status, err = parseStatus(p)
			return err
		}); err != nil {
			return err
		}
		return verdict(status, device.CardUnreadable)
	})
}

// TestMemory lets the reader test its memory; it needs no card.
func (r *Reader) TestMemory(ctx context.Context) error {
	return r.do(ctx, "test card reader memory", func(ctx context.Context, s *session) error {
		status, err := s.command(ctx, answerWait, escape, 0x87)
		if err != nil {
			return err
		}
		return verdict(status, device.Unrecoverable)
	})
}

// Coercivity is what the reader would write with now.
func (r *Reader) Coercivity(ctx context.Context) (c device.Coercivity, err error) {
	err = r.do(ctx, "ask for coercivity", func(ctx context.Context, s *session) error {
		answer, err := s.command(ctx, answerWait, escape, 'd')
		if err != nil {
			return err
		}
		switch answer {
		case 'H', 'h':
			c = device.HiCo
		case 'L', 'l':
			c = device.LoCo
		default:
			return errGarbled
		}
		return nil
	})
	return c, err
}

// prepare sets the bits per character.
func (s *session) prepare(ctx context.Context, raw bool) error {
	if s.raw == raw {
		return nil
	}
	return s.setRaw(ctx, raw)
}

// prepareToWrite sets the coercivity as well.
func (s *session) prepareToWrite(ctx context.Context, raw bool, c device.Coercivity) error {
	command := byte('x')
	if c == device.LoCo {
		command = 'y'
	}
	status, err := s.command(ctx, answerWait, escape, command)
	if err == nil {
		err = verdict(status, device.CardRefused)
	}
	if err != nil {
		return err
	}
	return s.prepare(ctx, raw)
}

// swipe collects an answer that needs one.
func (s *session) swipe(ctx context.Context, parse func([]byte) error) error {
	heard := false
	err := s.collect(ctx, swipeWait, func(p []byte) error {
		heard = true
		return parse(p)
	})
	if errors.Is(err, errSilent) && !heard {
		return &device.CardError{Fault: device.NoSwipe}
	}
	return err
}

// show lights green for good and red for a fault of the card, and hands on the
// error. What the reader did is done: a link that breaks here is found at the
// next question.
func (s *session) show(ctx context.Context, err error) error {
	var fault *device.CardError
	lamp := Green
	switch {
	case errors.As(err, &fault) && fault.Fault != device.NoSwipe:
		lamp = Red
	case err != nil:
		return err
	}
	if s.send(ctx, escape, byte(LampsOff)) == nil {
		_ = s.send(ctx, escape, byte(lamp))
	}
	return err
}
