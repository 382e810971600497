package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"till/protocol"
)

// claimPayout and an id is what the process claims that works on a payout.
const claimPayout = "payout "

// Bounds of payouts in flight.
const (
	nonceWait     = 10 * time.Second // querynonce waits for one still running
	broadcastWait = 10 * time.Second
	poisonedMost  = 100 // a day and terminal
)

// payoutPoisoned is the kind of a row that only makes an id void.
const payoutPoisoned protocol.PayoutKind = "poisoned"

// desk knows which payouts are being worked on in this process, so that calls
// with the same id follow one another.
type desk struct {
	fellows *fellows
	mu      sync.Mutex
	running map[protocol.PayoutID]chan struct{}
	low     bool // terminals were told that the reserve is low
}

func newDesk(f *fellows) desk {
	return desk{fellows: f, running: map[protocol.PayoutID]chan struct{}{}}
}

// enter waits until no other call works on the id, here or in another process,
// and keeps others off until leave.
func (d *desk) enter(ctx context.Context, id protocol.PayoutID) (leave func(), err error) {
	here, err := d.enterHere(ctx, id)
	if err != nil {
		return nil, err
	}
	everywhere, err := d.fellows.claim(ctx, claimPayout+string(id))
	if err != nil {
		here()
		return nil, fmt.Errorf("wait for a payout under way: %w", err)
	}
	return func() { everywhere(); here() }, nil
}

func (d *desk) enterHere(ctx context.Context, id protocol.PayoutID) (leave func(), err error) {
	for {
		d.mu.Lock()
		other := d.running[id]
		if other == nil {
			mine := make(chan struct{})
			d.running[id] = mine
			d.mu.Unlock()
			return func() {
				d.mu.Lock()
				delete(d.running, id)
				d.mu.Unlock()
				close(mine)
			}, nil
		}
		d.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for a payout under way: %w", ctx.Err())
		}
	}
}

// wait returns when no call works on the id any more, or after the time.
func (d *desk) wait(ctx context.Context, id protocol.PayoutID, most time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	leave, err := d.enter(limited, id)
	if err == nil {
		leave()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("wait for a payout under way: %w", ctx.Err())
	}
	return nil
}

// payoutOf finds the payout of an id that the terminal may speak of; nil when the
// id is free. Void ids are id_poisoned, those of others id_conflict.
func (tx *Tx) payoutOf(terminal protocol.TerminalID, id protocol.PayoutID) (*Payout, error) {
	p, err := tx.Payouts.Get(id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find payout: %w", err)
	}
	mine, err := tx.speaksFor(terminal, p.Terminal)
	switch {
	case err != nil:
		return nil, err
	case !mine:
		return nil, &protocol.Error{Code: protocol.CodeIDConflict}
	}
	return p, nil
}

// boundTo finds the payout that an id was bound to by an accepted call of the
// same kind and content; nil when the id is free.
func (tx *Tx) boundTo(terminal protocol.TerminalID, id protocol.PayoutID, of protocol.PayoutKind, digest protocol.Hash) (*Payout, error) {
	p, err := tx.payoutOf(terminal, id)
	switch {
	case err != nil || p == nil:
		return nil, err
	case p.State == protocol.PayoutNever:
		return nil, &protocol.Error{Code: protocol.CodeIDPoisoned}
	case p.Of != of || p.Digest != digest:
		return nil, &protocol.Error{Code: protocol.CodeIDConflict}
	}
	return p, nil
}

// digestOf is what binds an id: the hash of the call's lasting content.
func digestOf(content any) (protocol.Hash, error) {
	text, err := protocol.Encode(content)
	if err != nil {
		return "", err
	}
	return protocol.HashOf(text), nil
}

// QueryNonce tells what became of a sweep or dispense (terminal.md §9): a
// *[protocol.SweepResult], a *[protocol.DispenseResult] or a [NeverUsed], which
// makes the id void for ever.
func (s *Server) QueryNonce(ctx context.Context, id protocol.TerminalID, p protocol.QueryNonce) (any, error) {
	if err := s.desk.wait(ctx, p.ID, nonceWait); err != nil {
		return nil, err
	}
	var found *Payout
	err := s.write(ctx, func(w *work) (err error) {
		if err := w.living(id); err != nil {
			return err
		}
		if found, err = w.payoutOf(id, p.ID); err != nil || found != nil {
			return err
		}
		found = &Payout{ID: p.ID, Of: payoutPoisoned, Terminal: id, State: protocol.PayoutNever, Digest: protocol.NoHash, Created: w.now}
		n, err := w.Payouts.Limits().Poisoned(id, w.now.Add(-24*time.Hour))
		if err != nil {
			return fmt.Errorf("count void ids: %w", err)
		}
		if n >= poisonedMost {
			return protocol.Errorf(protocol.CodeTooManyRequests, "this terminal asked about %d unknown payouts within a day", n)
		}
		return w.Payouts.Insert(found)
	})
	if err != nil {
		return nil, fmt.Errorf("ask about payout: %w", err)
	}
	switch found.Of {
	case protocol.PayoutSweep:
		r := found.sweepResult()
		r.Of = found.Of
		return r, nil
	case protocol.PayoutDispense:
		r := found.dispenseResult()
		r.Of = found.Of
		return r, nil
	}
	return NeverUsed{ID: found.ID, State: found.State}, nil
}

// NeverUsed answers querynonce for an id that is void from now on.
type NeverUsed struct {
	ID    protocol.PayoutID    `json:"id"`
	State protocol.PayoutState `json:"state"`
}

func (p *Payout) sweepResult() *protocol.SweepResult {
	return &protocol.SweepResult{
		ID: p.ID, State: p.State, TxID: p.TxID, Address: p.Address, ReceivedSat: p.Received, ChangeSat: p.ChangeTo,
		FeeSat: p.Fee, RefundOwedSat: p.Owed, Inputs: int64(len(p.Spends)), Replaces: p.replaces(),
	}
}

func (p *Payout) dispenseResult() *protocol.DispenseResult {
	return &protocol.DispenseResult{ID: p.ID, State: p.State, TxID: p.TxID, AmountSat: p.Amount, FeeSat: p.Fee, Replaces: p.replaces()}
}

// status is the payout as an alert tells it.
func (p *Payout) status() protocol.PayoutStatus {
	return protocol.PayoutStatus{ID: p.ID, Of: p.Of, State: p.State, TxID: p.TxID, Confirmations: p.Depth, Reason: p.Reason, Message: p.Message}
}

// move changes the state as the table allows, stores it and tells the terminal.
func (w *work) move(p *Payout, to protocol.PayoutState, reason, message string) error {
	if p.State != to {
		if !p.State.CanBecome(to) {
			return fmt.Errorf("payout %s cannot go from %s to %s", p.ID, p.State, to)
		}
		p.State, p.Reason, p.Message = to, reason, message
	}
	w.payouts = true
	if err := w.Payouts.Update(p, w.now); err != nil {
		return fmt.Errorf("store payout: %w", err)
	}
	return w.alert(p.Terminal, protocol.AlertPayout, p.status())
}

// Effects and words of payouts.
const (
	effectBroadcast  = "broadcast"
	payoutRejected   = "rejected"
	payoutUnanswered = "unanswered"
	payoutGone       = "gone"
	payoutLost       = "lost"
)

// accept stores a signed payout with the intent to broadcast it.
func (w *work) accept(p *Payout) (*Effect, error) {
	w.payouts = true
	if err := w.Payouts.Insert(p); err != nil {
		return nil, fmt.Errorf("store payout: %w", err)
	}
	// The caller tries at once; the outbox takes over where it cannot.
	return w.intend(effectBroadcast, string(p.ID), w.now.Add(effectDeadline))
}

// send performs the broadcast of an accepted payout at once and gives what came
// of it. A caller who leaves does not stop it.
func (s *Server) send(ctx context.Context, id protocol.PayoutID, e *Effect) (*Payout, error) {
	ctx = context.WithoutCancel(ctx)
	if err := s.perform(ctx, e); err != nil {
		return nil, err
	}
	s.watch.follow()
	var p *Payout
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		p, err = tx.Payouts.Get(id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read payout: %w", err)
	}
	return p, nil
}

// broadcast hands a payout's transaction to the chain: the effect of that name.
func (s *Server) broadcast(ctx context.Context, ref string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, broadcastWait)
	defer cancel()
	var p *Payout
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		p, err = tx.Payouts.Get(protocol.PayoutID(ref))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read payout: %w", err)
	}
	if p.State == protocol.PayoutRefused || p.State == protocol.PayoutConfirmed {
		return true, nil
	}
	outcome := s.o.Chain.Broadcast(ctx, p.Raw)
	done := outcome == nil
	err = s.write(context.WithoutCancel(ctx), func(w *work) error {
		p, err := w.Payouts.Get(protocol.PayoutID(ref))
		if err != nil {
			return fmt.Errorf("find payout: %w", err)
		}
		switch {
		case outcome == nil && (p.State == protocol.PayoutSigned || p.State == protocol.PayoutUnknown):
			return w.move(p, protocol.PayoutBroadcast, "", "")
		case p.State != protocol.PayoutSigned:
			return nil // a later look at the chain decides
		case errors.Is(outcome, ErrRejected):
			done = true
			return w.refusePayout(p, payoutRejected, "the Bitcoin node refuses the transaction: nothing was paid out")
		}
		return w.move(p, protocol.PayoutUnknown, payoutUnanswered, "the Bitcoin node did not answer: it is asked again")
	})
	if err != nil {
		return false, err
	}
	return done, outcome
}

// refusePayout ends a payout that is certainly never mined: its limit and its
// inputs are free again, and a tender that it was to pay waits for another key.
func (w *work) refusePayout(p *Payout, reason, message string) error {
	w.alarm("payout", "", "payout %s: %s", p.ID, message)
	if err := w.reopenDebts(p); err != nil {
		return err
	}
	if p.Of == protocol.PayoutSweep && p.Owed > 0 { // nothing came: nothing is owed
		p.Owed = 0
		if err := w.oweSweep(p); err != nil {
			return err
		}
	}
	if p.Tender != "" {
		t, err := w.Tenders.Get(p.Tender)
		if err != nil {
			return fmt.Errorf("find tender: %w", err)
		}
		t.Address, t.Script = "", ""
		if err := w.Tenders.Update(t); err != nil {
			return fmt.Errorf("free tender: %w", err)
		}
		w.sales[t.Sale] = struct{}{}
	}
	return w.move(p, protocol.PayoutRefused, reason, message)
}
