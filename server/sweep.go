package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// sweepContent is what binds the id of a sweep, beside the addresses of its keys.
type sweepContent struct {
	Due    *protocol.Sat     `json:"due_sat"`
	Change string            `json:"change"`
	Sale   protocol.SaleID   `json:"sale"`
	Tender protocol.TenderID `json:"tender"`
}

// Sweep takes every confirmed, uncontested output of foreign keys (terminal.md
// §7). The keys are used for signing and not kept; the caller wipes them.
func (s *Server) Sweep(ctx context.Context, id protocol.TerminalID, p protocol.Sweep) (*protocol.SweepResult, error) {
	digest, err := digestOf(sweepContent{p.DueSat, p.Change, p.Sale, p.Tender})
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	leave, err := s.desk.enter(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	defer leave()
	known, err := s.known(ctx, id, p.ID, protocol.PayoutSweep, digest)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if known != nil && len(p.Keys) == 0 {
		return known.sweepResult(), nil
	}
	k, err := s.readSweep(p)
	if err != nil {
		return nil, err
	}
	if known != nil {
		if !slices.Equal(known.From, k.addresses) {
			return nil, &protocol.Error{Code: protocol.CodeIDConflict}
		}
		raised, err := s.raiseSweep(ctx, p, k, known)
		if err != nil { // what was accepted is told again, whatever hinders another fee
			s.o.Log.WarnContext(ctx, "fee of a sweep not raised", "payout", p.ID, "error", err)
			return known.sweepResult(), nil
		}
		return raised.sweepResult(), nil
	}
	if err := s.askKeys(ctx, k); err != nil {
		return nil, err
	}
	var accepted *Payout
	var e *Effect
	err = s.write(ctx, func(w *work) (err error) {
		if accepted, err = w.boundTo(id, p.ID, protocol.PayoutSweep, digest); err != nil || accepted != nil {
			return err
		}
		t, err := w.keyTender(id, p)
		if err != nil {
			return err
		}
		accepted = &Payout{
			ID: p.ID, Of: protocol.PayoutSweep, Terminal: id, State: protocol.PayoutSigned, Digest: digest, Created: w.now,
			Change: p.Change, Sale: p.Sale, Tender: p.Tender, Due: p.DueSat, From: k.addresses,
		}
		if err := w.take(ctx, p, k, t, accepted); err != nil {
			return err
		}
		e, err = w.accept(accepted)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if e != nil {
		if accepted, err = s.send(ctx, p.ID, e); err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
	}
	return accepted.sweepResult(), nil
}

// keyRing is what the keys of a sweep open.
type keyRing struct {
	addresses []string // of every form, sorted, each once
	scripts   []Script
	change    Script
	coins     []KeyCoin
	tip       Tip
	rate      FeeRate
}

// readSweep judges the parameters without the database.
func (s *Server) readSweep(p protocol.Sweep) (*keyRing, error) {
	switch {
	case !p.ID.Valid():
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "id", Message: "is malformed"}
	case len(p.Keys) < 1 || len(p.Keys) > protocol.MaxKeys:
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "keys", Message: "must be 1 to 16"}
	case p.DueSat != nil && !p.DueSat.Valid():
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "due_sat", Message: "is out of range"}
	case (p.Sale == "") != (p.Tender == "") || p.Tender != "" && p.DueSat == nil:
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "tender", Message: "sale, tender and due_sat go together"}
	}
	k := &keyRing{}
	for _, key := range p.Keys {
		forms, err := s.o.Wallet.KeyForms(key)
		if err != nil {
			return nil, err
		}
		for _, f := range forms {
			if !slices.Contains(k.addresses, f.Text) {
				k.addresses = append(k.addresses, f.Text)
				k.scripts = append(k.scripts, f.Script)
			}
		}
	}
	slices.Sort(k.addresses)
	if p.Change == "" {
		return k, nil
	}
	var err error
	k.change, err = s.o.Wallet.Script(p.Change)
	return k, err
}

// askKeys asks the chain what the keys hold and what taking it costs.
func (s *Server) askKeys(ctx context.Context, k *keyRing) error {
	ctx, cancel := context.WithTimeout(ctx, chainDeadline)
	defer cancel()
	payments, tip, err := s.o.Chain.Payments(ctx, k.scripts)
	if err != nil {
		return chainRefusal(ctx, "ask for the keys' money", err)
	}
	k.tip = tip
	for _, p := range payments {
		if p.Confirmations(tip) > 0 && p.Spent == "" {
			k.coins = append(k.coins, KeyCoin{TxID: p.TxID, Vout: p.Vout, Amount: p.Amount, Script: p.Script})
		}
	}
	if len(k.coins) == 0 {
		return &protocol.Error{Code: protocol.CodeNoFunds}
	}
	k.rate, err = s.payoutRate(ctx)
	return err
}

// keyTender finds the tender that a sweep pays; nil when it pays none.
func (w *work) keyTender(id protocol.TerminalID, p protocol.Sweep) (*Tender, error) {
	if p.Tender == "" {
		return nil, nil
	}
	t, err := w.Tenders.Get(p.Tender)
	if errors.Is(err, ErrNotFound) || err == nil && t.Sale != p.Sale {
		return nil, protocol.Errorf(protocol.CodeAmountMismatch, "the server does not know this payment of the sale yet")
	}
	if err != nil {
		return nil, fmt.Errorf("find tender: %w", err)
	}
	sale, err := w.Sales.Get(p.Sale)
	if err != nil {
		return nil, fmt.Errorf("find sale: %w", err)
	}
	mine, err := w.speaksFor(id, sale.Terminal)
	switch {
	case err != nil:
		return nil, err
	case !mine || t.Kind != protocol.TenderKey || t.Removed || t.Refused != "" || t.Address != "" || sale.Said == saidCancelled:
		return nil, protocol.Errorf(protocol.CodeAmountMismatch, "the sale does not wait for a key here")
	case t.DueSat != *p.DueSat:
		return nil, &protocol.Error{Code: protocol.CodeAmountMismatch}
	}
	return t, nil
}

// take signs the sweep to a fresh address of the merchant, which becomes that of
// the tender.
func (w *work) take(ctx context.Context, p protocol.Sweep, k *keyRing, t *Tender, out *Payout) error {
	held, err := w.Payouts.Spent()
	if err != nil {
		return fmt.Errorf("list reserved outputs: %w", err)
	}
	coins := slices.DeleteFunc(slices.Clone(k.coins), func(c KeyCoin) bool {
		_, taken := held[Outpoint{c.TxID, c.Vout}]
		return taken
	})
	merchant, err := w.next()
	if err != nil {
		return err
	}
	signed, err := w.s.o.Wallet.Take(ctx, Take{
		Keys: p.Keys, Coins: coins, Merchant: merchant.Script, Due: p.DueSat, Change: k.change,
		FeeRate: k.rate, FeeLimit: protocol.MaxSat, Height: k.tip.Height,
	})
	if err != nil {
		return err
	}
	out.TxID, out.Raw, out.Fee, out.Spends = signed.TxID, signed.Raw, signed.Fee, signed.Spends
	out.Amount, out.Received, out.ChangeTo = signed.Received, signed.Received, signed.Change
	out.Address, out.Script = merchant.Text, merchant.Script
	if p.DueSat != nil {
		out.Owed = max(0, signed.Received-*p.DueSat)
	}
	if t == nil {
		return errors.Join(w.keep(merchant), w.oweSweep(out))
	}
	merchant.Tender, merchant.Named, merchant.WatchUntil = t.ID, true, max(t.Ends, w.now).Add(watchFor)
	t.Address, t.Script = merchant.Text, merchant.Script
	w.sales[t.Sale] = struct{}{}
	if err := errors.Join(w.keep(merchant), w.Tenders.Update(t)); err != nil {
		return fmt.Errorf("pay tender with key: %w", err)
	}
	return nil
}
