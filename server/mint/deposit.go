package mint

import (
	"context"
	"fmt"

	"till/protocol/taler"
	"till/server"
)

// proofError is a no with the history that proves it.
type proofError struct{ proof taler.Proof }

func (e *proofError) Error() string { return "the coin is " + e.proof.Status }

// maxHistory is how many entries a proof holds (taler's limit), less some for locks.
const maxHistory = 500

// deposit takes coins back, all or none.
func (m *Mint) deposit(ctx context.Context, q *taler.DepositRequest) (*taler.DepositAnswer, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	r, err := m.keys(ctx)
	if err != nil {
		return nil, err
	}
	claims := make([]*server.MintClaim, len(q.Permissions))
	faces := make([]int64, len(q.Permissions))
	for i := range q.Permissions {
		if claims[i], faces[i], err = m.claim(r, &q.Permissions[i]); err != nil {
			return nil, err
		}
	}
	answer := &taler.DepositAnswer{Confirmations: make([]taler.Confirmation, len(claims))}
	err = m.o.Store.Write(ctx, func(tx *server.Tx) error {
		for i, c := range claims {
			text, err := m.spend(tx, c, faces[i])
			if err != nil {
				return err
			}
			if err := taler.DecodeAnswer(text, &answer.Confirmations[i]); err != nil {
				return fmt.Errorf("read confirmation: %w", err)
			}
		}
		return nil
	})
	return answer, err
}

// claim checks a permission by itself, and confirms it in case it is taken.
func (m *Mint) claim(r *ring, p *taler.Permission) (*server.MintClaim, int64, error) {
	d, err := r.keys.CheckDenom(&p.PublicCoin, p.Amount, taler.Amount{}, m.o.Clock())
	if err != nil {
		if _, known := r.keys.Denomination(p.Denom); !known {
			err = unknown("denom_pub", "no such denomination")
		}
		return nil, 0, err
	}
	if err := p.VerifyAtMint(); err != nil {
		return nil, 0, err
	}
	if err := d.CheckUBSig(&p.PublicCoin); err != nil {
		return nil, 0, err
	}
	confirmation := taler.ConfirmDeposit(p, r.signing)
	c := &server.MintClaim{
		Coin: p.Coin.String(), Merchant: p.Merchant.String(), Bill: p.TransactionID.String(),
		Identity: p.Identity().String(), Amount: int64(p.Amount.Micro()), At: m.now(),
	}
	if c.Body, err = taler.Encode(p); err != nil {
		return nil, 0, err
	}
	c.Answer, err = taler.Encode(&confirmation)
	return c, int64(d.Value.Micro()), err
}

// spend books a deposit, or gives the confirmation of the identical one. A deposit
// under a lock consumes it.
func (m *Mint) spend(tx *server.Tx, c *server.MintClaim, face int64) ([]byte, error) {
	h, err := m.history(tx, c)
	if err != nil {
		return nil, err
	}
	switch {
	case h.own == nil:
	case h.own.Identity == c.Identity:
		return h.own.Answer, nil
	default:
		return nil, h.refusal(tx, taler.StatusDeposited, c)
	}
	sum := h.spent
	for _, l := range h.locks {
		if !same(l, c) {
			sum += l.Amount
		}
	}
	if sum+c.Amount > face {
		status := taler.StatusDeposited
		if h.spent+c.Amount <= face {
			status = taler.StatusLocked
		}
		return nil, h.refusal(tx, status, c)
	}
	if err := tx.MintCoins.EndLock(c.Coin, c.Merchant, c.Bill); err != nil {
		return nil, err
	}
	return c.Answer, tx.MintCoins.Spend(c)
}

// same reports whether two claims are for one merchant and transaction.
func same(a, b *server.MintClaim) bool { return a.Merchant == b.Merchant && a.Bill == b.Bill }

// history is what a coin was used for, lapsed locks left out.
type history struct {
	own   *server.MintClaim // the deposit for the claim's own transaction, nil none
	spent int64
	locks []*server.MintClaim
}

func (m *Mint) history(tx *server.Tx, c *server.MintClaim) (h history, err error) {
	if h.own, h.spent, err = tx.MintCoins.Spent(c); err != nil {
		return h, fmt.Errorf("sum deposits: %w", err)
	}
	locks, err := tx.MintCoins.Locks(c.Coin)
	if err != nil {
		return h, fmt.Errorf("list locks: %w", err)
	}
	for _, l := range locks {
		if m.now() < l.Until.Add(taler.LockGrace) {
			h.locks = append(h.locks, l)
		}
	}
	return h, nil
}

// refusal proves that a claim cannot be met. A proof that cannot be written down is
// the mint's own fault, not the coin's.
func (h history) refusal(tx *server.Tx, status string, c *server.MintClaim) error {
	spends, err := tx.MintCoins.Spends(c, maxHistory)
	if err != nil {
		return fmt.Errorf("list deposits: %w", err)
	}
	coin, err := taler.ParsePublicKey(c.Coin)
	if err != nil {
		return fmt.Errorf("prove a refusal: %w", err)
	}
	e := &proofError{taler.Proof{Status: status, Coin: &coin}}
	for _, s := range spends {
		p := new(taler.Permission)
		if err := taler.DecodeAnswer(s.Body, p); err != nil {
			return fmt.Errorf("read deposit: %w", err)
		}
		e.proof.History = append(e.proof.History, taler.SpendEntry(p))
	}
	for _, held := range h.locks {
		l := new(taler.Lock)
		if err := taler.DecodeAnswer(held.Body, l); err != nil {
			return fmt.Errorf("read lock: %w", err)
		}
		e.proof.History = append(e.proof.History, taler.LockEntry(l))
	}
	return e
}
