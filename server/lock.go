package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

// askLock names the question about a lock, askUnlock that about letting go.
const (
	askLock   = "lock "
	askUnlock = "unlock "
)

// Offer proposes a tab, or the lock that a lottery needs (§4, §5). Refusals are
// *taler.Error.
func (s *Server) Offer(ctx context.Context, q *taler.OfferRequest) (*taler.Offer, error) {
	switch {
	case s.cash == nil:
		return nil, notOffered("body", "the shop takes no e-cash")
	case q.Service != "":
		return nil, notOffered("service", "no such service")
	}
	refs, _, err := s.cash.mints(ctx)
	if err != nil {
		return nil, errNoMint
	}
	b, _, err := s.saleContract(ctx, protocol.SaleID(q.Sale))
	if err != nil {
		return nil, err
	}
	switch {
	case b.Kind == BillSale:
		return nil, notOffered("sale", "the sale is paid without a lock")
	case b.Kind == BillLottery && b.Contract == "":
		if _, err := s.makeContract(ctx, b.ID); err != nil {
			return nil, err
		}
	case b.Kind == BillTab && b.LockID == "" && b.Ends < s.o.Clock().Add(tabRenew):
		if err := s.renewOffer(ctx, b.ID); err != nil {
			return nil, err
		}
	}
	if b, _, err = s.saleContract(ctx, protocol.SaleID(q.Sale)); err != nil {
		return nil, err
	}
	most, err := taler.FromMoney(b.Most)
	if err != nil {
		return nil, err
	}
	if q.MaxAmount != nil {
		if order, err := q.MaxAmount.Cmp(most); err != nil || order > 0 || b.Kind == BillLottery && order != 0 {
			return nil, &taler.Error{Status: http.StatusBadRequest, Parameter: "max_amount", Reason: "at most " + most.String()}
		}
		most = *q.MaxAmount
	}
	o, err := s.cash.offer(b, most)
	if err != nil {
		return nil, err
	}
	o.Mints = refs
	o.Sign(s.cash.key)
	return o, nil
}

// renewOffer moves the end of a tab that nobody took in time.
func (s *Server) renewOffer(ctx context.Context, id string) error {
	err := s.write(ctx, func(w *work) error {
		b, err := w.Bills.Get(id)
		if err != nil || b.LockID != "" || b.State != BillOpen {
			return err
		}
		b.Ends = wholeSecond(w.now.Add(tabTime))
		return w.Bills.Update(b)
	})
	if err != nil {
		return fmt.Errorf("renew offer: %w", err)
	}
	return nil
}

// lockUntil is how long a bill's coin is held: a lottery's an hour beyond the contract,
// so that the draw can be deposited.
func (b *Bill) lockUntil() protocol.Time {
	if b.Kind == BillLottery {
		return b.Ends.Add(time.Hour)
	}
	return b.Ends
}

// offer is what a lock for a bill has to say, up to an amount.
func (d *cashDesk) offer(b *Bill, most taler.Amount) (*taler.Offer, error) {
	id, err := taler.ParseTransactionID(b.ID)
	if err != nil {
		return nil, err
	}
	return &taler.Offer{TransactionID: id, MaxAmount: most, LockUntil: taler.TimeAt(b.lockUntil().Time()), HWire: d.hwire}, nil
}

// Lock takes a customer's lock for an offer: stored, then confirmed by the mint. The
// first stored lock takes the offer, the identical one gets the identical answer.
// Refusals are *taler.Error; 503: the mint does not answer, the same asks again.
func (s *Server) Lock(ctx context.Context, l *taler.Lock) (*DepositAnswer, error) {
	if s.cash == nil {
		return nil, notOffered("body", "the shop takes no e-cash")
	}
	id := l.Identity().String()
	b, over, err := s.lockBill(ctx, l)
	if err != nil {
		return nil, err
	}
	if b.LockID != id {
		if err := s.checkLock(ctx, l, b, over); err != nil {
			return nil, err
		}
		if err := s.keepLock(ctx, l, b.ID, id); err != nil {
			return nil, err
		}
	} else if b.LockAnswer != nil {
		return &DepositAnswer{http.StatusOK, b.LockAnswer}, nil
	}
	var refused []byte
	done := s.cash.ask(ctx, askLock+b.ID, func(ctx context.Context) { refused = s.tryLock(ctx, l, b.ID, id) })
	timer := time.NewTimer(inlineWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		return nil, errNoMint
	case <-ctx.Done():
		return nil, errNoMint
	}
	if refused != nil {
		return &DepositAnswer{http.StatusForbidden, refused}, nil
	}
	if b, _, err = s.lockBill(ctx, l); err != nil {
		return nil, err
	}
	if b.LockID != id || b.LockAnswer == nil {
		return nil, errNoMint
	}
	return &DepositAnswer{http.StatusOK, b.LockAnswer}, nil
}

func (s *Server) lockBill(ctx context.Context, l *taler.Lock) (b *Bill, over *taler.Error, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		if b, err = tx.Bills.Get(l.TransactionID.String()); err != nil {
			return err
		}
		if b.Kind != BillTab && b.Kind != BillLottery {
			return ErrNotFound
		}
		over, err = tx.billOver(b, s.o.Clock())
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil, notOffered("transaction_id", "no such offer")
	}
	return b, over, err
}

// checkLock compares a lock with the offer, and checks the coin.
func (s *Server) checkLock(ctx context.Context, l *taler.Lock, b *Bill, over *taler.Error) error {
	most, err := taler.FromMoney(b.Most)
	if err != nil {
		return err
	}
	charged, err := taler.FromMoney(b.Amount)
	if err != nil {
		return err
	}
	if b.Kind == BillTab {
		// A customer may lock less than was offered, though not less than was charged.
		above, err := l.MaxAmount.Cmp(most)
		below, err2 := l.MaxAmount.Cmp(charged)
		if err == nil && err2 == nil && above < 0 && below >= 0 {
			most = l.MaxAmount
		}
	}
	o, err := s.cash.offer(b, most)
	if err != nil {
		return err
	}
	if err := l.MatchOffer(o, s.cash.pub); err != nil {
		return err
	}
	switch {
	case over != nil:
		return over
	case b.LockID != "":
		return taken("transaction_id", "another coin is locked for it")
	}
	keys, err := s.keysFor(ctx, &l.PublicCoin)
	if err != nil {
		return err
	}
	if err := keys.CheckLock(l, s.cash.maxFee, s.o.Clock().Time()); err != nil {
		return err
	}
	if d, _ := keys.Denomination(l.Denom); b.Kind == BillLottery && d.Value != most {
		return untrue("denom_pub", "a lottery takes a coin of "+most.String())
	}
	return nil
}

func (s *Server) keepLock(ctx context.Context, l *taler.Lock, billID, id string) error {
	text, err := taler.Encode(l)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		b, err := w.Bills.Get(billID)
		if err != nil {
			return fmt.Errorf("find bill: %w", err)
		}
		over, err := w.billOver(b, w.now)
		switch {
		case err != nil || b.LockID == id:
			return err
		case over != nil:
			return over
		case b.LockID != "":
			return taken("transaction_id", "another coin is locked for it")
		}
		b.LockID, b.Lock = id, text
		if b.Kind == BillTab {
			if b.Most, err = l.MaxAmount.Money(); err != nil {
				return untrue("max_amount", "not an amount of whole minor units")
			}
		}
		return w.Bills.Update(b)
	})
}

// tryLock asks the mint to hold the coin. It gives the mint's proof when the coin is
// spent or held elsewhere; the offer is then free again.
func (s *Server) tryLock(ctx context.Context, l *taler.Lock, billID, id string) (refusal []byte) {
	mint, ok := s.cash.mint(l.Mint)
	if !ok {
		return nil
	}
	answer, outcome := mint.Lock(ctx, l)
	var refused *taler.RefusedError
	if outcome != nil && !errors.As(outcome, &refused) {
		s.o.Log.WarnContext(ctx, "lock waits", "transaction_id", billID, "error", outcome)
		return nil
	}
	err := s.write(context.WithoutCancel(ctx), func(w *work) error {
		b, err := w.Bills.Get(billID)
		if err != nil || b.LockID != id || b.LockAnswer != nil {
			return err
		}
		if refused != nil {
			b.LockID, b.Lock = "", nil
			return w.Bills.Update(b)
		}
		if b.LockAnswer, err = taler.Encode(answer); err != nil {
			return err
		}
		b.Release = b.State != BillOpen // it was given up meanwhile
		w.mints = true
		if err := w.Bills.Update(b); err != nil || b.Kind != BillTab || b.Release {
			return err
		}
		return w.tellTab(b, tabLocked)
	})
	switch {
	case err != nil:
		s.o.Log.ErrorContext(ctx, "lock not stored", "transaction_id", billID, "error", err)
		return nil
	case refused != nil:
		return refused.Body
	}
	return nil
}

// letGoWait is how long a customer who keeps the coin of a lot waits for it to be free.
const letGoWait = time.Second

// letGo has the mint let a bill's coin go, if it is to: the customer's wallet takes it
// for free as soon as it reads how the lot fell.
func (s *Server) letGo(ctx context.Context, bill string) {
	var b *Bill
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		b, err = tx.Bills.Get(bill)
		return err
	})
	if err != nil || !b.Release {
		return // the queue finds it
	}
	done := s.cash.ask(ctx, askUnlock+b.ID, func(ctx context.Context) { s.tryUnlock(ctx, b) })
	timer := time.NewTimer(letGoWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// tryUnlock lets a coin go. Past its end there is nothing to let go of.
func (s *Server) tryUnlock(ctx context.Context, b *Bill) {
	l := new(taler.Lock)
	if err := taler.DecodeAnswer(b.Lock, l); err != nil {
		s.o.Log.ErrorContext(ctx, "lock not read", "transaction_id", b.ID, "error", err)
		return
	}
	if mint, ok := s.cash.mint(l.Mint); ok && !l.Lapsed(s.o.Clock().Time()) {
		var refused *taler.Error
		if err := mint.Unlock(ctx, taler.NewUnlock(l, s.cash.key)); err != nil && !errors.As(err, &refused) {
			s.o.Log.WarnContext(ctx, "coin not let go", "transaction_id", b.ID, "error", err)
			return
		}
	}
	err := s.write(context.WithoutCancel(ctx), func(w *work) error {
		now, err := w.Bills.Get(b.ID)
		if err != nil || !now.Release {
			return err
		}
		now.Release = false
		return w.Bills.Update(now)
	})
	if err != nil {
		s.o.Log.ErrorContext(ctx, "release not stored", "transaction_id", b.ID, "error", err)
		return
	}
	s.cash.forget(askUnlock + b.ID)
}
