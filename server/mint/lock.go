package mint

import (
	"context"
	"fmt"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// lock holds a coin for one merchant and transaction.
func (m *Mint) lock(ctx context.Context, l *taler.Lock) (*taler.LockAnswer, error) {
	r, err := m.keys(ctx)
	if err != nil {
		return nil, err
	}
	if _, known := r.keys.Denomination(l.Denom); !known {
		return nil, unknown("denom_pub", "no such denomination")
	}
	c := &server.MintClaim{
		Coin: l.Coin.String(), Merchant: l.Merchant.String(), Bill: l.TransactionID.String(),
		Identity: l.Identity().String(), Amount: int64(l.MaxAmount.Micro()), Until: protocol.TimeOf(l.LockUntil.Time()),
	}
	if c.Body, err = taler.Encode(l); err != nil {
		return nil, err
	}
	// An answer that was given is given again, also when the lock's end has come.
	var stored []byte
	err = m.o.Store.Read(ctx, func(tx *server.Tx) error {
		locks, err := tx.MintCoins.Locks(c.Coin)
		for _, held := range locks {
			if held.Identity == c.Identity {
				stored = held.Answer
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find lock: %w", err)
	}
	if stored == nil {
		if err := r.keys.CheckLock(l, taler.Amount{}, m.o.Clock()); err != nil {
			return nil, err
		}
		if c.Answer, err = taler.Encode(taler.ConfirmLock(l, r.signing)); err != nil {
			return nil, err
		}
		d, _ := r.keys.Denomination(l.Denom)
		err = m.o.Store.Write(ctx, func(tx *server.Tx) (err error) {
			stored, err = m.hold(tx, c, int64(d.Value.Micro()))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	answer := new(taler.LockAnswer)
	if err := taler.DecodeAnswer(stored, answer); err != nil {
		return nil, fmt.Errorf("read lock confirmation: %w", err)
	}
	return answer, nil
}

// hold books a lock unless the coin is spent or held elsewhere: one live lock a coin.
func (m *Mint) hold(tx *server.Tx, c *server.MintClaim, face int64) ([]byte, error) {
	h, err := m.history(tx, c)
	if err != nil {
		return nil, err
	}
	if len(h.locks) > 0 {
		if held := h.locks[0]; held.Identity == c.Identity {
			return held.Answer, nil
		}
		return nil, h.refusal(tx, taler.StatusLocked, c)
	}
	if h.own != nil || h.spent+c.Amount > face {
		return nil, h.refusal(tx, taler.StatusDeposited, c)
	}
	return c.Answer, tx.MintCoins.PutLock(c)
}

// unlock lets a coin go; nothing held is as good as let go.
func (m *Mint) unlock(ctx context.Context, u *taler.Unlock) error {
	if err := u.Verify(); err != nil {
		return err
	}
	return m.o.Store.Write(ctx, func(tx *server.Tx) error {
		h, err := m.history(tx, &server.MintClaim{Coin: u.Coin.String()})
		if err != nil {
			return err
		}
		for _, held := range h.locks {
			if held.Merchant != u.Merchant.String() {
				return forbidden("coin_pub", "another merchant holds it")
			}
			if held.Bill != u.TransactionID.String() {
				continue // held for another transaction of the same merchant, which goes on
			}
			if err := tx.MintCoins.EndLock(held.Coin, held.Merchant, held.Bill); err != nil {
				return fmt.Errorf("end lock: %w", err)
			}
		}
		return nil
	})
}
