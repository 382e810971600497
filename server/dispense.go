package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// dispenseContent is what binds the id of a dispense.
type dispenseContent struct {
	Amount   protocol.Sat      `json:"amount_sat"`
	Method   protocol.Method   `json:"method"`
	Address  string            `json:"address"`
	Quote    protocol.QuoteID  `json:"quote"`
	Price    *protocol.Money   `json:"price"`
	RefundOf protocol.RefundID `json:"refund_of"`
}

// Dispense pays out of the merchant's wallet (terminal.md §8). An error means
// that nothing was accepted; whatever was accepted once is told again for the
// same id.
func (s *Server) Dispense(ctx context.Context, id protocol.TerminalID, p protocol.Dispense) (*protocol.DispenseResult, error) {
	digest, err := digestOf(dispenseContent{p.AmountSat, p.Method, p.Address, p.Quote, p.Price, p.RefundOf})
	if err != nil {
		return nil, fmt.Errorf("dispense: %w", err)
	}
	leave, err := s.desk.enter(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	defer leave()
	known, err := s.known(ctx, id, p.ID, protocol.PayoutDispense, digest)
	if err != nil {
		return nil, fmt.Errorf("dispense: %w", err)
	}
	if known != nil {
		return known.dispenseResult(), nil
	}
	script, err := s.checkDispense(p)
	if err != nil {
		return nil, err
	}
	accepted, err := s.payOut(ctx, order{Dispense: p, terminal: id, digest: digest, script: script})
	if err != nil {
		return nil, fmt.Errorf("dispense: %w", err)
	}
	return accepted.dispenseResult(), nil
}

// payOut is the one path by which coins of the wallet leave.
func (s *Server) payOut(ctx context.Context, o order) (*Payout, error) {
	// The chain is asked before the transaction; what it said counts only where
	// all other checks let the payout through.
	o.reserve = &reserve{}
	if s.identity.Hot {
		r, err := s.reserve(ctx)
		if o.silent = err; err == nil {
			o.reserve = r
		}
	}
	var accepted *Payout
	var e *Effect
	var refusal *protocol.Error
	err := s.write(ctx, func(w *work) (err error) {
		if accepted, err = w.boundTo(o.terminal, o.ID, protocol.PayoutDispense, o.digest); err != nil || accepted != nil {
			return err
		}
		o.work = w
		o.payout = &Payout{
			ID: o.ID, Of: protocol.PayoutDispense, Terminal: o.terminal, State: protocol.PayoutSigned, Digest: o.digest, Created: w.now,
			Day: w.now.Time().In(s.rules().Zone).Format("2006-01-02"), Amount: o.AmountSat, Method: o.Method, Address: o.Address,
			Script: o.script, Quote: o.Quote, Price: o.Price, Refund: o.RefundOf,
		}
		if refusal, err = o.judge(); err != nil || refusal != nil {
			return err
		}
		accepted = o.payout
		if err := w.payDebts(accepted, o.debt); err != nil {
			return err
		}
		e, err = w.accept(accepted)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case refusal != nil:
		return nil, refusal
	case e != nil:
		if accepted, err = s.send(ctx, o.ID, e); err != nil {
			return nil, err
		}
		s.noteReserve(ctx, o.reserve.total()-accepted.Amount-accepted.Fee)
	}
	return accepted, nil
}

// known gives the payout that the id is bound to already, nil when it is free.
func (s *Server) known(ctx context.Context, terminal protocol.TerminalID, id protocol.PayoutID, of protocol.PayoutKind, digest protocol.Hash) (known *Payout, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		if err := tx.living(terminal); err != nil {
			return err
		}
		known, err = tx.boundTo(terminal, id, of, digest)
		return err
	})
	return known, err
}

// checkDispense judges the parameters without the database.
func (s *Server) checkDispense(p protocol.Dispense) (Script, error) {
	sold := p.Quote != "" && p.Price != nil && p.RefundOf == ""
	refund := p.Quote == "" && p.Price == nil && p.RefundOf != ""
	switch {
	case !p.ID.Valid():
		return "", &protocol.Error{Code: protocol.CodeInvalidParams, Member: "id", Message: "is malformed"}
	case p.AmountSat <= 0 || !p.AmountSat.Valid():
		return "", &protocol.Error{Code: protocol.CodeInvalidParams, Member: "amount_sat", Message: "must be positive"}
	case !p.Method.Valid():
		return "", &protocol.Error{Code: protocol.CodeInvalidParams, Member: "method", Message: "must be printer, magcard or address"}
	case !sold && !refund:
		return "", &protocol.Error{Code: protocol.CodeInvalidParams, Member: "quote", Message: "either quote and price or refund_of must be given"}
	}
	return s.o.Wallet.Script(p.Address)
}

// order is a dispense on its way through the checks, in their order
// (terminal.md §8): parameters, authcode, limits, reserve, chain.
type order struct {
	*work
	protocol.Dispense
	terminal protocol.TerminalID // "" the owner at the server
	digest   protocol.Hash
	script   Script
	debt     protocol.ID // of what is owed, "" coins sold or a refund
	reserve  *reserve
	silent   error // why the chain could not be asked
	payout   *Payout
	rate     protocol.Rate // for the value in the shop's currency
}

// judge completes the payout, or gives a refusal that must be committed with
// what it counted.
func (o *order) judge() (*protocol.Error, error) {
	if err := o.price(); err != nil {
		return nil, err
	}
	t := &Terminal{Name: "the server"}
	if o.terminal != "" {
		var err error
		if t, err = o.Terminals.Get(o.terminal); err != nil {
			return nil, fmt.Errorf("find terminal: %w", err)
		}
	}
	by, refusal, err := o.approve(t, o.Dispense)
	if err != nil || refusal != nil {
		return refusal, err
	}
	o.payout.Approver, o.payout.ByPIN = by.user, by.byPIN
	if err := o.limits(); err != nil {
		return nil, err
	}
	if !o.s.identity.Hot {
		return nil, &protocol.Error{Code: protocol.CodeNoHotWallet}
	}
	if o.silent != nil {
		return nil, o.silent
	}
	if err := o.sign(); err != nil {
		return nil, err
	}
	return nil, o.limits() // again, with the fee
}

// price checks what the amount stands on: a quote that holds now, or a refund
// that the sale's money covers.
func (o *order) price() error {
	switch {
	case o.debt != "":
		return o.owed()
	case o.RefundOf != "":
		return o.refund()
	}
	q, err := o.Quotes.Get(o.Quote)
	switch {
	case errors.Is(err, ErrNotFound):
		return &protocol.Error{Code: protocol.CodeQuoteUnknown}
	case err != nil:
		return fmt.Errorf("find quote: %w", err)
	case !q.Covers(o.now):
		return &protocol.Error{Code: protocol.CodeQuoteExpired}
	case q.Currency != o.Price.Currency:
		return protocol.Errorf(protocol.CodeAmountMismatch, "the price is in %s and the quote in %s", o.Price.Currency, q.Currency)
	}
	amount, err := q.Sell.Payout(o.Price.Minor)
	if err != nil || amount != o.AmountSat {
		return &protocol.Error{Code: protocol.CodeAmountMismatch}
	}
	o.rate = q.Sell
	return nil
}

func (o *order) refund() error {
	r, err := o.Refunds.Get(o.RefundOf)
	if errors.Is(err, ErrNotFound) {
		return &protocol.Error{Code: protocol.CodeRefundUnknown}
	}
	if err != nil {
		return fmt.Errorf("find refund: %w", err)
	}
	if mine, err := o.speaksFor(o.payout.Terminal, r.Terminal); err != nil || !mine {
		return errors.Join(err, &protocol.Error{Code: protocol.CodeRefundUnknown})
	}
	if err := o.covered(r.Sale); err != nil {
		return err
	}
	o.payout.Sale = r.Sale
	return o.value()
}

// value finds the price that the limits count with, which no quote names.
func (o *order) value() error {
	q, err := o.Quotes.Latest(o.s.rules().Currency)
	if errors.Is(err, ErrNotFound) {
		return protocol.Errorf(protocol.CodeLimitExceeded, "no price was ever known: the limits cannot be judged")
	}
	if err != nil {
		return fmt.Errorf("find quote: %w", err)
	}
	o.rate = q.Buy
	return nil
}

// sign chooses coins that no other payout holds and signs.
func (o *order) sign() error {
	held, err := o.Payouts.Spent()
	if err != nil {
		return fmt.Errorf("list reserved outputs: %w", err)
	}
	change, err := o.change()
	if err != nil {
		return err
	}
	free := o.reserve.without(held)
	signed, err := o.s.o.Wallet.Spend(context.Background(), Spend{
		Coins: free.coins, To: o.payout.Script, Amount: o.AmountSat, Change: change.Script,
		FeeRate: free.rate, FeeLimit: protocol.MaxSat, Height: free.tip.Height,
	})
	if err != nil {
		return err
	}
	if signed.Change > 0 {
		o.payout.Change = change.Text
		if err := o.keepChange(change); err != nil {
			return err
		}
	}
	o.payout.TxID, o.payout.Raw, o.payout.Fee, o.payout.Spends = signed.TxID, signed.Raw, signed.Fee, signed.Spends
	o.payout.Received, o.payout.ChangeTo = signed.Received, signed.Change
	return nil
}

// tellReserve tells all terminals once when what is left does not cover the
// largest payout allowed.
func (s *Server) tellReserve(ctx context.Context, left protocol.Sat) {
	need := protocol.Sat(0)
	if l := s.rules().Limits.PerPayoutSat; l != nil {
		need = *l
	} else if q := s.presentQuote(); q != nil && s.rules().Limits.PerPayout != nil {
		if sat, err := q.Sell.Payout(s.rules().Limits.PerPayout.Minor); err == nil {
			need = sat
		}
	}
	s.desk.mu.Lock()
	low := left < need
	news := low && !s.desk.low
	s.desk.low = low
	s.desk.mu.Unlock()
	message := ""
	if low {
		message = fmt.Sprintf("the wallet holds %s, less than the largest payout: fill it up", bitcoin(left))
	}
	s.guard.noteReserve(holdings{true, message})
	if !news {
		return
	}
	err := s.write(context.WithoutCancel(ctx), func(w *work) error {
		return w.alertAll(protocol.AlertReserveLow, protocol.Notice{Reason: "reserve_low", Message: message, Since: w.now})
	})
	if err != nil {
		s.o.Log.ErrorContext(ctx, "low reserve not told", "error", err)
	}
}
