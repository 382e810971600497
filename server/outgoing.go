package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// lostDepth is how deep a competitor must be for a payout to be certainly lost.
const lostDepth = 6

// payoutRecheck is how soon payouts in doubt are looked at again when nothing stirs.
const payoutRecheck = 30_000

// outgoingMoney is a payout with what the chain is asked about it.
type outgoingMoney struct {
	payout *Payout
	inputs []Script
}

// roundPayouts compares the payouts that are not settled with the chain.
func (s *Server) roundPayouts(ctx context.Context) error {
	var all []outgoingMoney
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		payouts, err := tx.Payouts.Unsettled()
		if err != nil {
			return fmt.Errorf("list payouts: %w", err)
		}
		all = nil
		for _, p := range payouts {
			m := outgoingMoney{payout: p}
			if err := s.findInputs(tx, &m); err != nil {
				return err
			}
			all = append(all, m)
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	var scripts []Script
	for _, m := range all {
		scripts = append(append(scripts, m.payout.Script), m.inputs...)
	}
	slices.Sort(scripts)
	scripts = slices.Compact(scripts)
	s.watch.payoutScripts(scripts)
	ctx, cancel := context.WithTimeout(ctx, chainDeadline)
	defer cancel()
	payments, tip, err := s.paymentsOf(ctx, scripts)
	if err != nil {
		return chainError(ctx, "ask about payouts", err)
	}
	var errs []error
	for _, m := range all {
		errs = append(errs, s.comparePayout(ctx, m, payments, tip))
	}
	return errors.Join(errs...)
}

// findInputs gives the scripts of a payout's inputs: the keys' forms of a sweep,
// the wallet's own of a dispense.
func (s *Server) findInputs(tx *Tx, m *outgoingMoney) error {
	if m.payout.Of == protocol.PayoutSweep {
		// Which form held which output is not kept: all forms are asked about.
		for _, address := range m.payout.From {
			script, err := s.o.Wallet.Script(address)
			if err != nil {
				return fmt.Errorf("read address of a swept key: %w", err)
			}
			m.inputs = append(m.inputs, script)
		}
		return nil
	}
	for _, point := range m.payout.Spends {
		p, err := tx.Payments.At(point)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("find input: %w", err)
		}
		m.inputs = append(m.inputs, p.Script)
	}
	return nil
}

// sighting is what the chain tells of a payout.
type sighting struct {
	txid  string // which of its transactions is there, "" none
	depth int64  // its confirmations, 0 in the mempool
	lost  bool   // an input was spent by another, deep enough
}

// sight reads a payout's fate from the payments to its destination and inputs.
func sight(p *Payout, payments []Payment, tip Tip) (s sighting) {
	ours := append(p.replaces(), p.TxID)
	for _, pay := range payments {
		if pay.Script == p.Script && slices.Contains(ours, pay.TxID) {
			if depth := pay.Confirmations(tip); s.txid == "" || depth > s.depth {
				s.txid, s.depth = pay.TxID, depth
			}
		}
		if slices.Contains(p.Spends, Outpoint{pay.TxID, pay.Vout}) && pay.Spent != "" && !slices.Contains(ours, pay.Spent) &&
			pay.SpentHeight > 0 && tip.Height-pay.SpentHeight+1 >= lostDepth {
			s.lost = true
		}
	}
	return s
}

// next gives the state that a sighting makes of a payout's.
func (s sighting) next(state protocol.PayoutState) protocol.PayoutState {
	switch {
	case s.depth > 0 && state != protocol.PayoutSigned:
		return protocol.PayoutConfirmed
	case s.txid != "":
		return protocol.PayoutBroadcast
	case state == protocol.PayoutConfirmed:
		return protocol.PayoutBroadcast // its block was reorganised away
	case state == protocol.PayoutBroadcast:
		return protocol.PayoutUnknown
	case state == protocol.PayoutUnknown && s.lost:
		return protocol.PayoutRefused
	}
	return state
}

// comparePayout stores what the chain tells of one payout.
func (s *Server) comparePayout(ctx context.Context, m outgoingMoney, payments []Payment, tip Tip) error {
	seen := sight(m.payout, payments, tip)
	if !seen.news(m.payout) {
		return nil
	}
	err := s.write(ctx, func(w *work) error {
		if err := w.inTerm(); err != nil {
			return err
		}
		p, err := w.Payouts.Get(m.payout.ID)
		if err != nil {
			return err
		}
		if p.Version != m.payout.Version {
			// It moved after the chain was asked: what was told may be of before.
			s.watch.follow()
			return nil
		}
		// A state may lead to the next at once: confirmed, broadcast, unknown.
		for range 3 {
			if !seen.news(p) {
				return nil
			}
			if err := w.notePayout(p, seen); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("compare payout %s: %w", m.payout.ID, err)
	}
	return nil
}

// news reports whether a sighting changes what is stored.
func (s sighting) news(p *Payout) bool {
	return s.next(p.State) != p.State || s.won(p) || s.noted() != p.Depth
}

// won reports whether an earlier transaction of a raised fee was mined after all.
// In the mempool it may only be there because the new one is not sent yet.
func (s sighting) won(p *Payout) bool { return s.depth > 0 && s.txid != p.TxID }

// noted is the depth that is stored: each up to six, then when it is settled.
func (s sighting) noted() int64 {
	if s.depth > incomingDepth && s.depth < SettledDepth {
		return incomingDepth
	}
	return min(s.depth, SettledDepth)
}

func (w *work) notePayout(p *Payout, seen sighting) error {
	if seen.won(p) {
		if err := w.earlierWon(p, seen.txid); err != nil {
			return err
		}
	}
	told := min(p.Depth, incomingDepth) != min(seen.depth, incomingDepth)
	p.Depth = seen.noted()
	switch next := seen.next(p.State); {
	case next == protocol.PayoutRefused:
		return w.refusePayout(p, payoutLost, "another transaction took the coins: nothing was paid out")
	case next == protocol.PayoutUnknown && p.State != next:
		if _, err := w.intend(effectBroadcast, string(p.ID), w.now); err != nil {
			return err
		}
		return w.move(p, next, payoutGone, "the transaction left the mempool: it is sent again")
	case next != p.State || told:
		return w.move(p, next, "", "")
	}
	if err := w.Payouts.Update(p, w.now); err != nil {
		return fmt.Errorf("store payout: %w", err)
	}
	return nil
}
