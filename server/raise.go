package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"till/protocol"
)

// ErrFeeEnough: the fee rate does not pay for a replacement (BIP125 rule 4).
var ErrFeeEnough = errors.New("the fee is as high as the network asks")

// replaces gives the ids of a payout's other transactions, nil when it has one only.
func (p *Payout) replaces() (txids []string) {
	for _, a := range p.Earlier {
		txids = append(txids, a.TxID)
	}
	return txids
}

// attempt is the payout's present transaction.
func (p *Payout) attempt() Attempt {
	return Attempt{
		TxID: p.TxID, Raw: p.Raw, Amount: p.Amount, Fee: p.Fee, Received: p.Received, ChangeTo: p.ChangeTo, Owed: p.Owed,
		Change: p.Change, Spends: p.Spends,
	}
}

func (p *Payout) become(a Attempt) {
	p.TxID, p.Raw, p.Amount, p.Fee, p.Received, p.ChangeTo, p.Owed = a.TxID, a.Raw, a.Amount, a.Fee, a.Received, a.ChangeTo, a.Owed
	p.Change, p.Spends = a.Change, a.Spends
}

// earlierWon makes the transaction that was mined the payout's present one. What
// only the other spends is free again.
func (w *work) earlierWon(p *Payout, txid string) error {
	i := slices.IndexFunc(p.Earlier, func(a Attempt) bool { return a.TxID == txid })
	if i < 0 {
		return fmt.Errorf("payout %s has no transaction %s", p.ID, txid)
	}
	held, err := w.Payouts.Spent()
	if err != nil {
		return fmt.Errorf("list reserved outputs: %w", err)
	}
	won := p.Earlier[i]
	p.Earlier = append(slices.Delete(p.Earlier, i, i+1), p.attempt())
	p.become(won)
	p.Spends = slices.DeleteFunc(slices.Clone(p.Spends), func(o Outpoint) bool {
		by, taken := held[o]
		return taken && by != p.ID
	})
	if p.Of != protocol.PayoutSweep {
		return nil
	}
	return w.oweSweep(p)
}

// raiseSweep puts a sweep with the fee that the network asks now in the place of
// one that waits for a block (BIP125): its keys are at hand again. Where nothing is
// to be gained, or the shop would get less than is due, all stays as it is.
func (s *Server) raiseSweep(ctx context.Context, p protocol.Sweep, k *keyRing, known *Payout) (*Payout, error) {
	if known.State != protocol.PayoutBroadcast && known.State != protocol.PayoutUnknown || known.Depth > 0 {
		return known, nil
	}
	if err := s.askTaken(ctx, k, known); err != nil {
		return nil, err
	}
	if len(k.coins) != len(known.Spends) {
		return known, nil // mined meanwhile, or spent by somebody else
	}
	signed, err := s.o.Wallet.Take(ctx, Take{
		Keys: p.Keys, Coins: k.coins, Merchant: known.Script, Due: p.DueSat, Change: k.change,
		FeeRate: k.rate, FeeLimit: protocol.MaxSat, Height: k.tip.Height, Replaces: known.Raw,
	})
	switch {
	case errors.Is(err, ErrFeeEnough), errors.Is(err, protocol.CodeBelowDust):
		return known, nil
	case err != nil:
		return nil, err
	case p.DueSat != nil && signed.Received < min(known.Received, *p.DueSat):
		return known, nil
	}
	var now *Payout
	var e *Effect
	err = s.write(ctx, func(w *work) (err error) {
		if now, err = w.Payouts.Get(p.ID); err != nil || now.Version != known.Version {
			return err
		}
		e, err = w.raise(now, p, signed)
		return err
	})
	if err != nil || e == nil {
		return now, err
	}
	return s.send(ctx, p.ID, e)
}

// askTaken asks the chain for the outputs that a sweep spends and nobody else does.
func (s *Server) askTaken(ctx context.Context, k *keyRing, known *Payout) error {
	ctx, cancel := context.WithTimeout(ctx, chainDeadline)
	defer cancel()
	payments, tip, err := s.o.Chain.Payments(ctx, k.scripts)
	if err != nil {
		return chainRefusal(ctx, "ask for the keys' money", err)
	}
	k.tip = tip
	ours := append(known.replaces(), known.TxID, "")
	for _, p := range payments {
		if slices.Contains(known.Spends, Outpoint{p.TxID, p.Vout}) && p.Confirmations(tip) > 0 && p.SpentHeight == 0 && slices.Contains(ours, p.Spent) {
			k.coins = append(k.coins, KeyCoin{TxID: p.TxID, Vout: p.Vout, Amount: p.Amount, Script: p.Script})
		}
	}
	k.rate, err = s.payoutRate(ctx)
	return err
}

func (w *work) raise(p *Payout, call protocol.Sweep, signed *Signed) (*Effect, error) {
	p.Earlier = append(p.Earlier, p.attempt())
	p.TxID, p.Raw, p.Fee, p.Spends = signed.TxID, signed.Raw, signed.Fee, signed.Spends
	p.Amount, p.Received, p.ChangeTo = signed.Received, signed.Received, signed.Change
	if call.DueSat != nil {
		p.Owed = max(0, signed.Received-*call.DueSat)
	}
	if p.Tender == "" {
		if err := w.oweSweep(p); err != nil {
			return nil, err
		}
	} else {
		t, err := w.Tenders.Get(p.Tender)
		if err != nil {
			return nil, fmt.Errorf("find tender: %w", err)
		}
		t.Raised = strings.Join(append(p.replaces(), p.TxID), " ")
		if err := w.Tenders.Update(t); err != nil {
			return nil, fmt.Errorf("note raised fee: %w", err)
		}
		w.sales[t.Sale] = struct{}{}
	}
	if err := w.move(p, p.State, "", ""); err != nil {
		return nil, err
	}
	return w.intend(effectBroadcast, string(p.ID), w.now.Add(effectDeadline))
}

// oweSweep notes what a sweep outside a sale took beyond its due. A debt that was
// settled, or paid in part, is not taken back.
func (w *work) oweSweep(p *Payout) error {
	if p.Tender != "" {
		return nil // its sale's account tells
	}
	debts, err := w.Debts.OfAddress(p.Address)
	if err != nil {
		return fmt.Errorf("list debts: %w", err)
	}
	d := &Debt{Address: p.Address, Reason: debtOverpaid, Since: w.now}
	if len(debts) > 0 {
		d = debts[0]
	}
	switch {
	case d.ID == "" && p.Owed == 0, d.Settled != 0 && d.Sat != 0:
		return nil
	}
	d.Sat, d.Settled = max(p.Owed, d.Paid), 0
	if d.Sat == d.Paid {
		d.Settled = w.now
	}
	return w.putDebt(d)
}

// raised reports whether a payment is of a sweep whose fee was raised: one of its
// transactions takes the place of another, and that is no replacement.
func (t *Tender) raised(txid string) bool {
	return t.Raised != "" && slices.Contains(strings.Fields(t.Raised), txid)
}

// stands reports whether a payment is there, or another of the same sweep.
func (p *part) stands(s *SeenPayment) bool {
	if !s.Gone {
		return true
	}
	return p.tender.raised(s.TxID) && slices.ContainsFunc(p.payments, func(o *SeenPayment) bool {
		return !o.Gone && p.tender.raised(o.TxID)
	})
}

// firstSeen is when the money of a payment came that is seen now: that of a
// raised sweep with its first transaction.
func (p *part) firstSeen(txid string, now protocol.Time) protocol.Time {
	if p.tender == nil || !p.tender.raised(txid) {
		return now
	}
	for _, s := range p.payments {
		if p.tender.raised(s.TxID) {
			now = min(now, s.FirstSeen)
		}
	}
	return now
}
