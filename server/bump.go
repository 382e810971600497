package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// ErrNotStuck: the payout does not wait for a block, or cannot be replaced.
var ErrNotStuck = errors.New("this payout's fee cannot be raised")

// ErrKeyNeeded: the fee of a sweep is raised at its terminal, where the key is
// handed over once more ([Server.Sweep]).
var ErrKeyNeeded = errors.New("a sweep's key is not kept: its fee is raised where the key is")

// Bump raises the fee of a dispense that waits for a block (BIP125) to the rate,
// 0 for what the network asks now, and at least to what a replacement must pay; it
// keeps its id, and the earlier transaction may still win. A sweep's key is not kept:
// [ErrKeyNeeded]. Unknown: [ErrNotFound].
func (s *Server) Bump(ctx context.Context, id protocol.PayoutID, rate FeeRate) (*protocol.DispenseResult, error) {
	leave, err := s.desk.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	defer leave()
	if rate > s.rules().FeeCeiling {
		return nil, protocol.Errorf(protocol.CodeFeeTooHigh, "%s is above the shop's ceiling of %s", rate, s.rules().FeeCeiling)
	}
	r, err := s.reserve(ctx)
	if err != nil {
		return nil, fmt.Errorf("raise fee: %w", err)
	}
	if rate > 0 {
		r.rate = max(rate, s.rules().FeeFloor)
	}
	var p *Payout
	var e *Effect
	err = s.write(ctx, func(w *work) (err error) {
		if p, err = w.Payouts.Get(id); err != nil {
			return err
		}
		e, err = w.bump(p, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("raise fee: %w", err)
	}
	if p, err = s.send(ctx, id, e); err != nil {
		return nil, fmt.Errorf("raise fee: %w", err)
	}
	return p.dispenseResult(), nil
}

// PayoutOf finds the payout under way that a transaction belongs to. Unknown:
// [ErrNotFound].
func (s *Server) PayoutOf(ctx context.Context, txid string) (id protocol.PayoutID, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		payouts, err := tx.Payouts.Unsettled()
		for _, p := range payouts {
			if p.TxID == txid || slices.Contains(p.replaces(), txid) {
				id = p.ID
			}
		}
		if err == nil && id == "" {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("find payout of transaction: %w", err)
	}
	return id, nil
}

func (w *work) bump(p *Payout, r *reserve) (*Effect, error) {
	if p.Of == protocol.PayoutSweep {
		return nil, ErrKeyNeeded
	}
	if p.Of != protocol.PayoutDispense || p.State != protocol.PayoutBroadcast && p.State != protocol.PayoutUnknown {
		return nil, fmt.Errorf("%w: it is %s", ErrNotStuck, p.State)
	}
	held, err := w.Payouts.Spent()
	if err != nil {
		return nil, fmt.Errorf("list reserved outputs: %w", err)
	}
	for point, by := range held {
		if point.TxID == p.TxID {
			return nil, fmt.Errorf("%w: payout %s spends its change", ErrNotStuck, by)
		}
	}
	coins := r.without(held).coins
	for _, point := range p.Spends {
		c, err := w.coinAt(point)
		if err != nil {
			return nil, err
		}
		coins = append(coins, *c)
	}
	change, err := w.change()
	if err != nil {
		return nil, err
	}
	signed, err := w.s.o.Wallet.Spend(context.Background(), Spend{
		Coins: coins, To: p.Script, Amount: p.Amount, Change: change.Script, FeeRate: r.rate, FeeLimit: protocol.MaxSat,
		Height: r.tip.Height, Replaces: p.Raw,
	})
	if err != nil {
		return nil, err
	}
	p.Earlier = append(p.Earlier, p.attempt())
	if p.Change = ""; signed.Change > 0 {
		p.Change = change.Text
		if err := w.keepChange(change); err != nil {
			return nil, err
		}
	}
	p.TxID, p.Raw, p.Fee, p.Spends, p.ChangeTo = signed.TxID, signed.Raw, signed.Fee, signed.Spends, signed.Change
	if err := w.move(p, p.State, "", ""); err != nil {
		return nil, err
	}
	return w.intend(effectBroadcast, string(p.ID), w.now.Add(effectDeadline))
}

// coinAt reads an output of the wallet as it was stored.
func (w *work) coinAt(point Outpoint) (*Coin, error) {
	p, err := w.Payments.At(point)
	if err != nil {
		return nil, fmt.Errorf("find input: %w", err)
	}
	a, err := w.Addresses.Get(p.Address)
	if err != nil {
		return nil, fmt.Errorf("find address: %w", err)
	}
	return &Coin{TxID: p.TxID, Vout: p.Vout, Amount: p.Amount, Script: p.Script, Branch: a.Branch, Index: a.Index, Height: p.Height}, nil
}
