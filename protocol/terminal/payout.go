package terminal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"till/protocol"
)

// Payouts gives what is known of sweeps and dispenses, newest first, those that
// the server told of included.
func (t *Terminal) Payouts(ctx context.Context, most int) ([]protocol.PayoutStatus, error) {
	return t.payouts(ctx, `ORDER BY position DESC LIMIT $1`, most)
}

// InDoubt gives this terminal's payouts without a certain outcome, oldest first.
// Offer no other try before [Terminal.Settle] has made each certain.
func (t *Terminal) InDoubt(ctx context.Context) ([]protocol.PayoutStatus, error) {
	return t.payouts(ctx, `WHERE state = 'unknown' AND own = 1 ORDER BY position`)
}

func (t *Terminal) payouts(ctx context.Context, where string, args ...any) ([]protocol.PayoutStatus, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT body FROM payouts `+where, args...)
	found, err := all(rows, err, scanBody[protocol.PayoutStatus])
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", storage(err))
	}
	return found, nil
}

// putPayout notes where a payout has got; own ones are those of this terminal's
// journal.
func (c *change) putPayout(ctx context.Context, s protocol.PayoutStatus, own bool) error {
	c.recount = true
	c.fact.Payouts = union(c.fact.Payouts, []protocol.PayoutID{s.ID})
	var before string
	err := c.get(ctx, `SELECT body FROM payouts WHERE id = $1`, []any{s.ID}, &before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read payout: %w", err)
	}
	if before != "" && s.TxID == "" {
		var old protocol.PayoutStatus
		if err := protocol.DecodeResult([]byte(before), &old); err != nil {
			return fmt.Errorf("read payout: %w", err)
		}
		s.TxID = old.TxID
	}
	body, err := text(s)
	if err != nil {
		return err
	}
	err = c.exec(ctx, `INSERT INTO payouts (id, state, own, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, own = max(own, excluded.own), body = excluded.body`, s.ID, s.State, own, body)
	if err != nil {
		return fmt.Errorf("store payout: %w", err)
	}
	return nil
}

// Sweep takes what keys hold. Before it is asked for, the server has the whole
// journal and the payout stands in it as unknown. When the error says that the
// outcome is unknown ([protocol.OutcomeUnknown]), so does the journal, and
// [Terminal.Run] asks until it is certain; any other error means that nothing
// was taken.
func (t *Terminal) Sweep(ctx context.Context, p protocol.Sweep) (protocol.SweepResult, error) {
	var result protocol.SweepResult
	err := t.payOut(ctx, protocol.PayoutNoted{ID: p.ID, Of: protocol.PayoutSweep}, func(c *protocol.Client) (s protocol.PayoutStatus, err error) {
		result, err = c.Sweep(ctx, p)
		return protocol.PayoutStatus{State: result.State, TxID: result.TxID}, err
	})
	return result, err
}

// Dispense pays out, as [Terminal.Sweep] takes.
func (t *Terminal) Dispense(ctx context.Context, p protocol.Dispense) (protocol.DispenseResult, error) {
	var result protocol.DispenseResult
	noted := protocol.PayoutNoted{ID: p.ID, Of: protocol.PayoutDispense, AmountSat: p.AmountSat, Price: p.Price, RefundOf: p.RefundOf}
	err := t.payOut(ctx, noted, func(c *protocol.Client) (s protocol.PayoutStatus, err error) {
		result, err = c.Dispense(ctx, p)
		return protocol.PayoutStatus{State: result.State, TxID: result.TxID}, err
	})
	return result, err
}

// payOut does a call that moves money out. A call that repeats an id is judged
// by what the first came to.
func (t *Terminal) payOut(ctx context.Context, noted protocol.PayoutNoted, call func(*protocol.Client) (protocol.PayoutStatus, error)) error {
	id, of := noted.ID, noted.Of
	client, err := t.caller()
	if err != nil {
		return err
	}
	if s := t.Health().Suspended; s != nil {
		return &protocol.Error{Code: protocol.CodeTerminalSuspended, Message: s.Message}
	}
	// The server judges the payout by the journal: its sale, tender or refund.
	if err := t.Flush(ctx); err != nil {
		return err
	}
	if !t.begin(id) {
		return fmt.Errorf("%s %s is under way", of, id)
	}
	defer t.end(id)
	before, err := t.payouts(ctx, `WHERE id = $1`, id)
	if err != nil {
		return err
	}
	repeated := len(before) > 0
	if !repeated {
		if err := t.notePayout(ctx, protocol.PayoutStatus{ID: id, Of: of, State: protocol.PayoutUnknown}, &noted); err != nil {
			return err
		}
	}
	status, err := call(client)
	if err != nil {
		// A repeated id's refusal tells nothing of the first call.
		if protocol.OutcomeUnknown(err) || repeated || errors.Is(err, protocol.CodeIDConflict) {
			t.o.Log.WarnContext(ctx, "payout not certain", "of", of, "payout", id, "error", err)
			return err
		}
		status = protocol.PayoutStatus{State: protocol.PayoutRefused}
	}
	status.ID, status.Of = id, of
	// What is known must be kept even when the caller has gone.
	return errors.Join(err, t.notePayout(context.WithoutCancel(ctx), status, nil))
}

// notePayout journals where a payout has got. what is what its first entry says
// beside the state; later ones repeat it.
func (t *Terminal) notePayout(ctx context.Context, s protocol.PayoutStatus, what *protocol.PayoutNoted) error {
	_, err := t.Commit(ctx, func(ctx context.Context, c *change) error {
		noted := protocol.PayoutNoted{ID: s.ID, Of: s.Of}
		if what != nil {
			noted = *what
		} else if err := c.noted(ctx, &noted); err != nil {
			return err
		}
		noted.State = s.State
		if err := Record(protocol.EntryPayout, noted)(ctx, c); err != nil {
			return err
		}
		if err := c.putPayout(ctx, s, true); err != nil || what == nil {
			return err
		}
		body, err := text(noted)
		if err != nil {
			return err
		}
		return c.must(ctx, `UPDATE payouts SET noted = $1 WHERE id = $2`, body, s.ID)
	})
	return err
}

// noted reads what the payout's first entry said; nothing where it was written
// by an older program.
func (c *change) noted(ctx context.Context, n *protocol.PayoutNoted) error {
	var body sql.NullString
	err := c.get(ctx, `SELECT noted FROM payouts WHERE id = $1`, []any{n.ID}, &body)
	if err == nil && body.Valid {
		err = protocol.DecodeResult([]byte(body.String), n)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read payout %s: %w", n.ID, err)
	}
	return nil
}

func (t *Terminal) begin(id protocol.PayoutID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[id] {
		return false
	}
	t.running[id] = true
	return true
}

// end lets Run look at what came of it.
func (t *Terminal) end(id protocol.PayoutID) {
	t.forget(id)
	t.wakeUp()
}

func (t *Terminal) forget(id protocol.PayoutID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, id)
}

// Settle asks the server for the outcome of a payout in doubt. The id of one
// that the server never saw is void from then on. A payout whose call is under
// way in this process is left alone.
func (t *Terminal) Settle(ctx context.Context, id protocol.PayoutID) (protocol.QueryNonceResult, error) {
	client, err := t.caller()
	if err != nil {
		return protocol.QueryNonceResult{}, err
	}
	known, err := t.payouts(ctx, `WHERE id = $1`, id)
	if err != nil {
		return protocol.QueryNonceResult{}, err
	}
	if len(known) == 0 {
		return protocol.QueryNonceResult{}, fmt.Errorf("payout %s: %w", id, ErrNotFound)
	}
	if !t.begin(id) {
		return protocol.QueryNonceResult{}, fmt.Errorf("settle %s: its call is under way", id)
	}
	defer t.end(id)
	return t.settle(ctx, client, known[0])
}

// settle is [Terminal.Settle] within begin and end.
func (t *Terminal) settle(ctx context.Context, client *protocol.Client, p protocol.PayoutStatus) (protocol.QueryNonceResult, error) {
	result, err := client.QueryNonce(ctx, protocol.QueryNonce{ID: p.ID})
	if err != nil || result.State == protocol.PayoutUnknown {
		return result, err // a server that does not know either tells when it does
	}
	p.State = result.State
	if result.TxID != "" {
		p.TxID = result.TxID
	}
	return result, t.notePayout(context.WithoutCancel(ctx), p, nil)
}

// settleAll makes every payout in doubt certain that is not under way.
func (t *Terminal) settleAll(ctx context.Context, client *protocol.Client) error {
	doubts, err := t.InDoubt(ctx)
	if err != nil {
		return err
	}
	for _, d := range doubts {
		if !t.begin(d.ID) {
			continue
		}
		_, err := t.settle(ctx, client, d)
		t.forget(d.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// QueryAddress asks the server what addresses hold.
func (t *Terminal) QueryAddress(ctx context.Context, addresses ...string) (protocol.QueryAddressResult, error) {
	client, err := t.caller()
	if err != nil {
		return protocol.QueryAddressResult{}, err
	}
	return client.QueryAddress(ctx, protocol.QueryAddress{Addresses: addresses})
}
