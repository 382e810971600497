package tui

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// Deadlines of what asks the server about money.
const (
	fundsTime = 20 * time.Second
	moveTime  = 60 * time.Second // a sweep or a dispense, its chain included
)

// Names of what is kept of money under way, so that a restart goes on with it.
const (
	draftSweep  = "sweep"
	draftPayout = "payout"
	draftSent   = "sent" // sweeps whose fee may be raised; no key
)

// redeem hands events to the redemption and does what it asks for.
func (m *model) redeem(events ...register.Event) tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range events {
		before := m.key.flow
		var effects []register.Effect
		m.key.flow, effects = before.Handle(e)
		if _, quiet := e.(register.Offer); m.key.flow.Note.Why != "" && m.screen != onKey && !quiet {
			m.say(widget.Warn, m.keyWhy(m.key.flow.Note))
		}
		for _, f := range effects {
			cmds = append(cmds, m.performKey(f))
		}
		if m.key.flow.Phase != before.Phase {
			cmds = append(cmds, m.keyMoved(before.Phase))
		}
	}
	return tea.Batch(cmds...)
}

// keyWhy says why a redemption does not go on, in the server's words where it
// was the server.
func (m *model) keyWhy(s register.Said) string {
	if s.Why == register.WhyNotAnswered || s.Why == register.WhyNotTaken {
		s.Detail = m.failureWords(m.key.flow.Failure)
	}
	return m.w.why(s)
}

// failureWords say why a call came to nothing.
func (m *model) failureWords(f register.Failure) string {
	switch {
	case f.Code != "":
		return m.w.sentence(string(f.Code), f.Message)
	case f.Why != "":
		return m.w.Why[f.Why]
	}
	return f.Message
}

// performKey makes a command of an effect of the redemption.
func (m *model) performKey(e register.Effect) tea.Cmd {
	t := m.o.Terminal
	switch e := e.(type) {
	case register.Journal:
		return m.journal(e, func(m *model, n register.Noted) tea.Cmd { return m.redeem(n) })
	case register.Ask:
		return m.aside(fundsTime, func(ctx context.Context) tea.Msg { return keyEvent{askFunds(ctx, t, e)} })
	case register.Open:
		return func() tea.Msg { return keyEvent{e.Do()} }
	case register.Claim:
		claim := register.Redeem(e)
		if why := m.reg.WhyNot(claim); why != "" {
			return m.redeem(register.Tendered{Why: why})
		}
		return m.happen(claim)
	case register.Take:
		return m.aside(moveTime, func(ctx context.Context) tea.Msg { return swept{sweep(ctx, t, e.Sweep)} })
	case register.Disclaim:
		return m.disclaim(e.Removed)
	}
	return m.perform(e)
}

// keyEvent is an answer to the redemption.
type keyEvent struct{ event register.Event }

func (k keyEvent) apply(m *model) tea.Cmd { return m.redeem(k.event) }

// journal writes what was handed over, before anything else is done with it.
func (m *model) journal(e register.Journal, answer func(*model, register.Noted) tea.Cmd) tea.Cmd {
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		n := register.Noted{Ticket: e.Ticket}
		if _, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryTokenReceived, e.Token)); err != nil {
			n.Why = whyOf(err)
		}
		return noted{n, answer}
	})
}

type noted struct {
	noted  register.Noted
	answer func(*model, register.Noted) tea.Cmd
}

func (n noted) apply(m *model) tea.Cmd { return n.answer(m, n.noted) }

// askFunds asks what the addresses hold, so many at a time as the protocol takes.
// Fees of several calls add up to a little more than one sweep costs.
func askFunds(ctx context.Context, t Money, e register.Ask) register.Funded {
	out := register.Funded{Ticket: e.Ticket}
	pending := protocol.Sat(0)
	out.Funds.PendingSat = &pending
	for rest := e.Addresses; len(rest) > 0; {
		n := min(len(rest), protocol.MaxQuery)
		r, err := t.QueryAddress(ctx, rest[:n]...)
		if err != nil {
			out.Failure = failureOf(err)
			return out
		}
		rest = rest[n:]
		f := &out.Funds
		f.Funds = append(f.Funds, r.Funds...)
		f.ConfirmedSat += r.ConfirmedSat
		f.ContestedSat += r.ContestedSat
		f.SweepFeeSat += r.SweepFeeSat
		switch {
		case r.PendingSat == nil:
			f.PendingSat = nil
		case f.PendingSat != nil:
			*f.PendingSat += *r.PendingSat
		}
	}
	out.Funds.UsableSat = max(0, out.Funds.ConfirmedSat-out.Funds.SweepFeeSat)
	return out
}

// failureOf is an error of a call in the register's terms.
func failureOf(err error) *register.Failure {
	f := &register.Failure{Message: err.Error(), Unknown: protocol.OutcomeUnknown(err) || errors.Is(err, protocol.CodeIDConflict)}
	var e *protocol.Error
	switch {
	case errors.As(err, &e):
		f.Code, f.Message = e.Code, e.Error()
	case errors.Is(err, terminal.ErrDiskFull):
		f.Why = register.WhyDiskFull
	case errors.Is(err, protocol.ErrUnreachable), errors.Is(err, terminal.ErrOffline):
		f.Why = register.WhyNoServer
	}
	return f
}

// sweepDraft is what is kept of a sweep under way; no key.
type sweepDraft struct {
	ID     protocol.PayoutID     `json:"id"`
	Tender *protocol.TenderAdded `json:"tender,omitempty"` // nil: without a sale
}

func (d sweepDraft) step() terminal.Step {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return terminal.SaveDraft(draftSweep, text)
}

// sweep takes what the keys hold and wipes them. One that belongs to a sale has
// its id since its tender is in the journal.
func sweep(ctx context.Context, t Terminal, s protocol.Sweep) register.Swept {
	defer func() {
		for _, k := range s.Keys {
			k.Wipe()
		}
	}()
	if s.ID == "" {
		id, err := t.NewID()
		if err == nil {
			s.ID = protocol.PayoutID(id)
			_, err = t.Commit(ctx, sweepDraft{ID: s.ID}.step())
		}
		if err != nil {
			return register.Swept{ID: s.ID, Failure: &register.Failure{Why: whyOf(err), Message: err.Error()}}
		}
	}
	result, err := t.Sweep(ctx, s)
	if err != nil && result.State == "" {
		return register.Swept{ID: s.ID, Failure: failureOf(err)}
	}
	return register.Swept{ID: s.ID, Result: result}
}

// swept is how far a sweep is.
type swept struct{ event register.Swept }

func (s swept) apply(m *model) tea.Cmd {
	raising := m.key.flow.Raising != nil
	cmd := m.redeem(s.event)
	if m.key.flow.Phase == register.KeyTaking {
		return cmd
	}
	if s.event.Failure == nil {
		cmd = tea.Batch(cmd, m.remember(m.key.flow.Sent))
	}
	if raising {
		return cmd
	}
	return tea.Batch(cmd, m.forget(draftSweep))
}

// remember keeps what a higher fee is asked for with.
func (m *model) remember(sent []register.Sent) tea.Cmd {
	text, err := json.Marshal(sent)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.SaveDraft(draftSent, text))
		return failed{"remember sweep", err}
	})
}

// forget removes what was kept of money under way.
func (m *model) forget(draft string) tea.Cmd {
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.SaveDraft(draft, nil))
		return failed{"forget " + draft, err}
	})
}

// disclaim takes a key's tender out of its sale, which may be parked meanwhile.
func (m *model) disclaim(r protocol.TenderRemoved) tea.Cmd {
	withdraw := register.Withdraw{Tender: r.Tender, Reason: r.Reason}
	if m.reg.Sale != nil && m.reg.Sale.Opening.Sale == r.Sale && m.reg.WhyNot(withdraw) == "" {
		return m.happen(withdraw)
	}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryTenderRemoved, r))
		return failed{"take tender back", err}
	})
}

// resumeMoney goes on with a sweep or a payout that was under way when the
// program stopped.
func (m *model) resumeMoney() tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		var r moneyUnderWay
		for name, into := range map[string]any{draftSweep: &r.sweep, draftSent: &r.sent, draftPayout: &r.payout} {
			text, err := m.o.Terminal.Draft(ctx, name)
			if err == nil && text != nil {
				err = json.Unmarshal(text, into)
			}
			if err != nil {
				return failed{"read money under way", err}
			}
		}
		return r
	})
}

type moneyUnderWay struct {
	sweep  sweepDraft
	sent   []register.Sent
	payout payoutDraft
}

func (r moneyUnderWay) apply(m *model) tea.Cmd {
	var cmds []tea.Cmd
	if r.sweep.ID != "" {
		var tender protocol.TenderAdded
		if r.sweep.Tender != nil {
			tender = *r.sweep.Tender
		}
		m.key.flow = m.reg.Resumed(r.sweep.ID, tender)
		cmds = append(cmds, m.readPayout(r.sweep.ID))
	}
	m.key.flow.Sent = r.sent
	if r.payout.Order.ID != "" {
		m.sell.flow = m.reg.Continued(r.payout.Order)
		cmds = append(cmds, m.readPayout(r.payout.Order.ID))
	}
	return tea.Batch(cmds...)
}

// readPayout reads what is known of a payout whose outcome was in doubt. One
// that the journal does not hold was never asked for.
func (m *model) readPayout(id protocol.PayoutID) tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		const most = 200 // it is among the newest
		all, err := m.o.Terminal.Payouts(ctx, most)
		if err != nil {
			return failed{"read payout", err}
		}
		for _, p := range all {
			if p.ID == id {
				return payoutRead{p}
			}
		}
		return payoutRead{protocol.PayoutStatus{ID: id, State: protocol.PayoutNever}}
	})
}

// payoutRead is what is known of a payout.
type payoutRead struct{ status protocol.PayoutStatus }

func (r payoutRead) apply(m *model) tea.Cmd {
	p := r.status
	if p.State == protocol.PayoutUnknown {
		return nil
	}
	var failure *register.Failure
	if p.State == protocol.PayoutNever || p.State == protocol.PayoutRefused {
		failure = &register.Failure{Why: register.WhyNotTaken, Message: m.w.sentence(p.Reason, p.Message)}
	}
	switch {
	case p.ID == m.key.flow.ID && m.key.flow.State == protocol.PayoutUnknown:
		return swept{register.Swept{ID: p.ID, Result: protocol.SweepResult{ID: p.ID, State: p.State, TxID: p.TxID}, Failure: failure}}.apply(m)
	case p.ID == m.sell.flow.Order.ID && m.sell.flow.State != protocol.PayoutRefused && m.sell.flow.State != "":
		return paid{register.Paid{ID: p.ID, Result: protocol.DispenseResult{ID: p.ID, State: p.State, TxID: p.TxID}, Failure: failure}}.apply(m)
	}
	return nil
}

// settlePayout asks the server for the outcome of a payout in doubt, at once.
func (m *model) settlePayout(id protocol.PayoutID) tea.Cmd {
	m.say(widget.Text, m.w.Rechecking)
	return m.aside(flushTime, func(ctx context.Context) tea.Msg {
		if _, err := m.o.Terminal.Settle(ctx, id); err != nil {
			m.o.Log.Warn("settle payout", "payout", id, "error", err)
			return rechecked{err}
		}
		return settled(id)
	})
}

// settled tells that the server has said what became of a payout.
type settled protocol.PayoutID

func (s settled) apply(m *model) tea.Cmd { return m.readPayout(protocol.PayoutID(s)) }

// refresh brings what keys and payouts stand on up to date: the sale, the price,
// what the counter can do.
func (m *model) refresh() tea.Cmd {
	rest, _ := m.reg.Claimable()
	cmd := m.redeem(register.Offer{Rest: rest, Quote: m.reg.Quote})
	return tea.Batch(cmd, m.payOut(register.Terms{Quote: m.reg.Quote, Limits: m.reg.Config.Limits, Left: m.facts.health.PayoutLeft, Paper: m.whyNoPaper() == "", Cards: m.o.Card != nil}))
}
