package server

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"till/protocol"
)

// maxAlertBytes bounds the alerts of one answer, well within what a response
// may be.
const maxAlertBytes = protocol.MaxResponse / 2

// CheckIn exchanges the two logs (terminal.md §4). inBatch: no waiting.
// Errors are *[protocol.Error] (invalid_params, journal_fork, journal_gap) or
// [ErrRevoked]; others are internal.
func (s *Server) CheckIn(ctx context.Context, id protocol.TerminalID, p protocol.CheckIn, inBatch bool) (*protocol.CheckInResult, error) {
	if len(p.Journal) == 0 && p.Wait == 0 {
		if err := s.putOff(); err != nil {
			return nil, err
		}
	}
	seen := presence{Presence: Presence{At: s.o.Clock(), Software: p.Software, Devices: p.Devices, Held: p.Addresses}, config: p.Config, dirty: true}
	if p.Log == s.log {
		seen.ack = p.Alert
	}
	displaced, came := s.lines.enter(id, seen)
	if came {
		s.fellows.enter(id)
	}
	if len(p.Journal) > 0 {
		err := s.storeJournal(ctx, id, p.Journal)
		s.guard.journal(id, seen.At, err)
		if err != nil {
			return nil, err
		}
	}
	wait := time.Duration(p.Wait) * time.Second
	if inBatch || len(p.Journal) > 0 {
		wait = 0
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		bell := s.lines.bell(id)
		result, news, err := s.answer(ctx, id, p)
		if err != nil || news || wait == 0 {
			return result, err
		}
		select {
		case <-bell:
		case <-timer.C:
			wait = 0
		case <-displaced:
			wait = 0
		case <-s.lines.closed:
			wait = 0
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for alerts: %w", ctx.Err())
		}
	}
}

// answer is what a check-in tells at this moment; news: something that a waiting
// one returns for.
func (s *Server) answer(ctx context.Context, id protocol.TerminalID, p protocol.CheckIn) (*protocol.CheckInResult, bool, error) {
	entropy := make([]byte, 32)
	if _, err := io.ReadFull(s.o.Random, entropy); err != nil {
		return nil, false, fmt.Errorf("draw entropy: %w", err)
	}
	r := &protocol.CheckInResult{
		Time: s.o.Clock(), Log: s.log, Alerts: []protocol.Alert{}, Quotes: []protocol.Quote{},
		Poll: s.poll(id), Entropy: hex.EncodeToString(entropy),
	}
	t, err := s.terminalOf(ctx, id)
	if err != nil {
		return nil, false, fmt.Errorf("find terminal: %w", err)
	}
	if t.State == TerminalLiving && s.behind(t, p) {
		err = s.read(ctx, func(tx *Tx) (err error) {
			if t, err = tx.Terminals.Get(id); err == nil && t.State == TerminalLiving {
				r.Alerts, r.More, err = s.alertsFor(tx, t, p)
			}
			return err
		})
		if err != nil {
			return nil, false, fmt.Errorf("read alerts: %w", err)
		}
	}
	r.Journal = t.JournalSeq
	switch t.State {
	case TerminalRevoked:
		return nil, false, ErrRevoked
	case TerminalSuspended:
		notice, err := suspension(t, r.Time)
		if err != nil {
			return nil, false, err
		}
		r.Alerts = []protocol.Alert{notice}
		return r, true, nil
	case TerminalLiving:
	}
	if c := s.configFor(id); c.Version != p.Config {
		r.Config = c
	}
	if err := s.quoteFor(ctx, r); err != nil {
		return nil, false, err
	}
	if r.PayoutLeft, err = s.payoutLeft(ctx, id); err != nil {
		return nil, false, err
	}
	news := len(r.Alerts) > 0 || r.Config != nil || p.Log != "" && p.Log != s.log
	return r, news, nil
}

// behind reports whether there may be alerts that the terminal has not stored.
func (s *Server) behind(t *Terminal, p protocol.CheckIn) bool {
	return p.Alert != t.AlertSeq || p.Log != "" && p.Log != s.log
}

// alertsFor gives the alerts behind the terminal's cursor, from the first kept
// when the cursor belongs to another log or to one that a restore cut short.
func (s *Server) alertsFor(tx *Tx, t *Terminal, p protocol.CheckIn) ([]protocol.Alert, bool, error) {
	after := p.Alert
	if p.Log != "" && p.Log != s.log || after > t.AlertSeq {
		after = 0
	}
	alerts, err := tx.Alerts.After(t.ID, after, protocol.MaxAlerts+1)
	if err != nil {
		return nil, false, err
	}
	size := 0
	for i, a := range alerts {
		if size += len(a.Body); i == protocol.MaxAlerts || i > 0 && size > maxAlertBytes {
			return alerts[:i], true, nil
		}
	}
	if alerts == nil {
		alerts = []protocol.Alert{}
	}
	return alerts, false, nil
}

// suspension is the one alert that a suspended terminal gets, outside the sequence.
func suspension(t *Terminal, now protocol.Time) (protocol.Alert, error) {
	body, err := protocol.Encode(protocol.Notice{Reason: t.Reason, Message: SuspensionMessage(t.Reason), Since: t.Since})
	if err != nil {
		return protocol.Alert{}, err
	}
	return protocol.Alert{At: now, Kind: protocol.AlertSuspended, Body: body}, nil
}

// Words for why a terminal is suspended.
const (
	SuspendedByOwner = "owner"
	SuspendedByFork  = "journal_fork"
)

// SuspensionMessage is the sentence for a word of [Terminal.Reason].
func SuspensionMessage(reason string) string {
	if reason == SuspendedByFork {
		return "this terminal's journal contradicts what the server stored: it is suspended until the owner resumes it"
	}
	return "the owner suspended this terminal"
}
