package terminal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// envelope is room in a request for what is not the journal.
const envelope = 16 << 10

// checkIn does one exchange of the two logs. Nothing that it changes is lost when
// the answer is: the same is said again. asked is whether the server was asked to
// hold the answer.
func (t *Terminal) checkIn(ctx context.Context, client *protocol.Client, wait int64) (result protocol.CheckInResult, asked bool, err error) {
	params, sent, err := t.prepare(ctx, wait)
	if err != nil {
		return result, false, err
	}
	asked = params.Wait > 0
	result, err = client.CheckIn(ctx, params)
	if err != nil {
		return result, asked, t.refused(ctx, err)
	}
	arrived := t.now()
	// What was answered is kept even when the loop is being ended.
	if err := t.accept(context.WithoutCancel(ctx), sent, result); err != nil {
		return result, asked, fmt.Errorf("keep what the check-in brought: %w", err)
	}
	t.updateHealth(func(h *Health) {
		h.Skew = result.Time.Sub(arrived)
		h.NoQuote, h.PayoutLeft = result.NoQuote, result.PayoutLeft
		h.Suspended = suspension(result.Alerts)
	})
	return result, asked, nil
}

// prepare writes the params and remembers what they say of the cursor.
func (t *Terminal) prepare(ctx context.Context, wait int64) (protocol.CheckIn, cursor, error) {
	t.mu.Lock()
	at, health, devices := t.cursor, t.health, slices.Clone(t.devices)
	t.mu.Unlock()
	p := protocol.CheckIn{
		Software: t.o.Software, Log: at.Log, Config: health.Config, Alert: at.Alert, Addresses: health.Addresses, Devices: devices,
	}
	// After a fork the server stores nothing before somebody resumes us.
	if health.Suspended == nil || health.Suspended.Reason != string(protocol.CodeJournalFork) {
		entries, err := t.unsent(ctx, at.Journal)
		if err != nil {
			return p, at, err
		}
		p.Journal = entries
	}
	if len(p.Journal) == 0 {
		p.Wait = wait
	}
	return p, at, nil
}

// unsent gives as many entries after seq as one check-in carries.
func (t *Terminal) unsent(ctx context.Context, seq int64) ([]protocol.Entry, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, protocol.MaxEntries)
	entries, err := all(rows, err, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", storage(err))
	}
	room := protocol.MaxRequest - envelope
	for i, e := range entries {
		encoded, err := protocol.Encode(e)
		if err != nil {
			return nil, fmt.Errorf("read journal entry %d: %w", e.Seq, err)
		}
		if room -= len(encoded) + 1; room < 0 {
			return entries[:i], nil
		}
	}
	return entries, nil
}

// accept keeps what a check-in brought, in one transaction.
func (t *Terminal) accept(ctx context.Context, sent cursor, result protocol.CheckInResult) error {
	keys := t.quoteKeys()
	if result.Config != nil {
		keys = result.Config.QuoteKeys
	}
	quotes := t.verified(ctx, result.Quotes, keys)
	var moved cursor
	config := result.Config
	c, err := t.write(ctx, func(ctx context.Context, c *change) error {
		var err error
		if moved, err = c.moveCursor(ctx, t.warn(ctx), sent, result); err != nil {
			return err
		}
		if config != nil {
			value, err := text(config)
			if err != nil {
				return err
			}
			if err := c.set(ctx, "config", value); err != nil {
				return err
			}
		}
		return c.storeQuotes(ctx, quotes)
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	if config != nil {
		t.config, t.health.Config = config, config.Version
	}
	t.mu.Unlock()
	for _, q := range quotes {
		t.hold(q)
	}
	t.setCursor(moved, c.head)
	if entropy, err := hex.DecodeString(result.Entropy); err == nil && len(entropy) > 0 {
		t.random.mix(entropy)
	}
	t.facts.tell(Fact{Config: config != nil, Quote: len(quotes) > 0})
	return nil
}

// warn logs what the exchange met that should not be.
func (t *Terminal) warn(ctx context.Context) func(string, ...any) {
	return func(message string, args ...any) { t.o.Log.WarnContext(ctx, message, args...) }
}

// moveCursor stores the alerts and how far both logs have got. What an answer
// says is judged by what was sent: an alert at or below the cursor we named, or
// another log, means that the server begins anew.
func (c *change) moveCursor(ctx context.Context, log func(string, ...any), sent cursor, result protocol.CheckInResult) (cursor, error) {
	at := sent
	if result.Log != at.Log {
		log("the server's alert log is a new one", "before", at.Log, "now", result.Log)
		at.Log, at.Alert = result.Log, 0
	}
	for _, a := range result.Alerts {
		if a.Seq == 0 {
			continue // outside the sequence: suspended
		}
		if a.Seq != at.Alert+1 {
			log("the server's alerts go on elsewhere", "after", at.Alert, "with", a.Seq)
		}
		if err := c.storeAlert(ctx, at.Log, a); err != nil {
			return at, err
		}
		at.Alert = a.Seq
	}
	// A server that holds more than we ever wrote knows a later copy of us; the
	// next entry will show it as a fork.
	var last int64
	if c.head != nil {
		last = c.head.Seq
	}
	if at.Journal = min(result.Journal, last); result.Journal > last {
		log("the server holds journal entries that this terminal does not", "server", result.Journal, "here", last)
	}
	if at == sent {
		return at, nil
	}
	value, err := text(at)
	if err != nil {
		return at, err
	}
	return at, c.set(ctx, "cursor", value)
}

// setCursor makes a stored cursor the present one.
func (t *Terminal) setCursor(at cursor, head *protocol.Entry) {
	t.mu.Lock()
	moved := at != t.cursor
	t.cursor = at
	if moved {
		close(t.cursorMove)
		t.cursorMove = make(chan struct{})
	}
	t.mu.Unlock()
	if head != nil {
		t.updateHealth(func(h *Health) { h.Unsent = max(0, head.Seq-at.Journal) })
	}
}

// suspension finds the alert outside the sequence.
func suspension(alerts []protocol.Alert) *protocol.Notice {
	for _, a := range alerts {
		if a.Seq == 0 && a.Kind == protocol.AlertSuspended {
			notice := protocol.Notice{Since: a.At}
			if err := a.Decode(&notice); err != nil {
				return &protocol.Notice{Since: a.At, Message: protocol.CodeTerminalSuspended.Message()}
			}
			return &notice
		}
	}
	return nil
}

// What a check-in can end in that was acted on: the next one goes on from there.
var (
	errRewound = errors.New("the server has forgotten journal entries; they are sent again")
	errGrafted = errors.New("the journal was continued after the server's last good entry")
)

// refused acts on an error that a check-in ended in.
func (t *Terminal) refused(ctx context.Context, err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) || e.Journal == nil {
		return err
	}
	// What was learnt is kept even when the loop is being ended.
	ctx = context.WithoutCancel(ctx)
	switch e.Code {
	case protocol.CodeJournalGap:
		if gap := t.goBack(ctx, *e.Journal); gap != nil {
			return errors.Join(err, gap)
		}
		return errRewound
	case protocol.CodeJournalFork:
		t.updateHealth(func(h *Health) {
			h.Suspended = &protocol.Notice{Reason: string(protocol.CodeJournalFork), Message: e.Error(), Since: t.now()}
		})
		if graft := t.graft(ctx, *e.Journal, e.Hash); graft != nil {
			return errors.Join(err, graft)
		}
		return errGrafted
	}
	return err
}

// Flush returns when the server has stored the journal as it is now. It needs
// [Terminal.Run]; when the server does not answer in time it fails with
// [ErrOffline].
func (t *Terminal) Flush(ctx context.Context) error {
	t.writing.Lock()
	head := t.head
	t.writing.Unlock()
	if head == nil {
		return nil
	}
	t.wakeUp()
	for {
		t.mu.Lock()
		stored, move := t.cursor.Journal >= head.Seq, t.cursorMove
		t.mu.Unlock()
		if stored {
			return nil
		}
		select {
		case <-move:
		case <-ctx.Done():
			return fmt.Errorf("send journal: %w", ErrOffline)
		}
	}
}
