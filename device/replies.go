package device

import (
	"context"
	"errors"
	"strings"
	"time"
)

// poll asks how the printer is. Automatic status spares it the details as long
// as all is well, unless they are asked for.
func (c *conversation) poll(ctx context.Context, details bool) error {
	questions, _ := c.language.Questions()
	if c.mute {
		if details && len(questions) > 0 {
			return c.wake(ctx, questions[0])
		}
		return nil
	}
	for i, q := range questions {
		if i > 0 && !details && c.automated && c.now&blocking == 0 {
			return nil
		}
		if err := c.ask(ctx, q); err != nil {
			return err
		}
		if c.silent > 0 {
			break
		}
	}
	if c.silent >= silentWaits {
		return ErrMute
	}
	return nil
}

// wake asks a printer that has never answered: it may have been off.
func (c *conversation) wake(ctx context.Context, q Question) error {
	err := c.ask(ctx, q)
	c.silent = 0
	if err != nil || c.mute || c.now&blocking != 0 {
		return err
	}
	return c.introduce(ctx)
}

// ask asks one question and waits for its answer, and for what was sent before
// it to pass over the wire. An answer that comes later is dropped: it must not
// be taken for that of the next question.
func (c *conversation) ask(ctx context.Context, q Question) error {
	wait := answerWait
	if c.silent == 0 {
		wait += time.Duration(c.unanswered) * byteWait
	} else if err := c.pump(ctx, answerWait/4, func() bool { return false }); err != nil {
		return err
	}
	if err := c.drain(); err != nil {
		return err
	}
	c.asked = &q // before the answer can come, which may be at once
	if err := c.write(ctx, q.Ask); err != nil {
		return err
	}
	enough := func() bool {
		// No receipt waits for a printer that may never answer.
		_, waiting := c.printer.next()
		return c.asked == nil || c.mute && waiting
	}
	if err := c.pump(ctx, wait, enough); err != nil {
		return err
	}
	if c.asked != nil {
		c.asked = nil
		c.silent++
	}
	return nil
}

// pump takes replies until enough holds or the time is over. Between them it
// lets small things pass to the printer.
func (c *conversation) pump(ctx context.Context, wait time.Duration, enough func() bool) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		err := c.drain()
		if enough() {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case r := <-c.replies:
			c.take(r)
		case c.failed = <-c.broken:
		case a := <-c.printer.asides:
			if err := c.pass(ctx, a); err != nil {
				return err
			}
		case <-c.printer.arrived:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain takes the replies that have come, and tells the reader's last word.
func (c *conversation) drain() error {
	for {
		select {
		case r := <-c.replies:
			c.take(r)
			continue
		default:
		}
		select {
		case c.failed = <-c.broken:
		default:
			return c.failed
		}
	}
}

// take believes one reply. Bytes nobody asked for are dropped.
func (c *conversation) take(r Reply) {
	if !c.answered {
		c.answered, c.mute, c.introduced = true, false, false
		c.printer.hasAnswered()
	}
	c.silent, c.unanswered = 0, 0
	switch r.Kind {
	case RealTimeReply:
		if c.asked == nil {
			return
		}
		about, set := c.asked.Judge(r.Byte)
		c.now = c.now&^about | set
		c.asked = nil
	case AutomaticReply:
		c.now = c.now&^r.About | r.Set
		c.automatic, c.automated = r.Set, true
	case JobReply:
		c.awaited = false
	case NameReply:
		if len(c.names) < 2 {
			c.names = append(c.names, r.Text)
		}
	}
	c.tell()
}

// tell reports the printer's status.
func (c *conversation) tell() {
	if !c.greeted {
		return
	}
	s := Status{State: Ready, Fault: c.now.Fault(), Model: strings.Join(c.names, " "), Unconfirmed: c.mute}
	if s.Fault != NoFault {
		s.State = Faulted
	}
	if c.now&IsPaperNearEnd != 0 {
		s.Warning = PaperNearEnd
	}
	if c.answered && c.printer.polarity != NoSense {
		s.Drawer = DrawerClosed
		if (c.now&IsDrawerPinHigh != 0) == (c.printer.polarity == OpenHigh) {
			s.Drawer = DrawerOpen
		}
	}
	c.report(s)
}

// pass writes what was sent past the queue.
func (c *conversation) pass(ctx context.Context, a aside) error {
	chunks, _, err := c.language.Job(a.document)
	if err != nil {
		a.sent <- err
		return nil
	}
	for _, chunk := range chunks {
		if err := c.write(ctx, chunk); err != nil {
			a.sent <- err
			return err
		}
	}
	a.sent <- nil
	return nil
}

// write writes all of p. A printer that holds the line because it needs a
// person may hold it as long as it likes; any other for five seconds.
func (c *conversation) write(ctx context.Context, p []byte) error {
	for stuck := 0; len(p) > 0; {
		slice, cancel := context.WithTimeout(ctx, writeSlice)
		n, err := c.link.Write(slice, p)
		cancel()
		p = p[n:]
		c.unanswered += n
		if broken := c.drain(); broken != nil {
			return broken
		}
		switch {
		case err == nil || n > 0 && errors.Is(err, context.DeadlineExceeded):
			stuck = 0
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, context.DeadlineExceeded):
			return err
		case c.now&blocking != 0:
			stuck = 0
		default:
			if stuck++; stuck >= stuckSlices {
				return ErrMute
			}
		}
	}
	return nil
}
