package mint

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"

	"till/protocol/taler"
	"till/server"
)

// maxEvents is how much of a history an answer holds (taler's limit).
const maxEvents = 512

func unknown(parameter, reason string) *taler.Error {
	return &taler.Error{Status: http.StatusNotFound, Parameter: parameter, Reason: reason}
}

func forbidden(parameter, reason string) *taler.Error {
	return &taler.Error{Status: http.StatusForbidden, Parameter: parameter, Reason: reason}
}

var (
	errNoReserve = unknown("reserve_pub", "no such reserve")
	errBalance   = &taler.Error{Status: http.StatusPaymentRequired, Parameter: "reserve_pub", Reason: "the balance is too small"}
)

// Fund adds money to a reserve, which need not exist.
func (m *Mint) Fund(ctx context.Context, in taler.Incoming) error {
	if in.Amount.Currency != m.o.Currency || in.Amount.IsZero() || !in.Amount.Valid() {
		return &taler.Error{Status: http.StatusBadRequest, Parameter: "amount", Reason: fmt.Sprintf("not an amount of %s", m.o.Currency)}
	}
	err := m.o.Store.Write(ctx, func(tx *server.Tx) error {
		return tx.MintReserves.Move(in.Reserve.String(), m.o.Currency, server.MintReserveEvent{Amount: int64(in.Amount.Micro()), At: m.now()})
	})
	if err != nil {
		return fmt.Errorf("fund reserve: %w", err)
	}
	return nil
}

func (m *Mint) reserve(ctx context.Context, pub taler.PublicKey) (*taler.ReserveStatus, error) {
	status := new(taler.ReserveStatus)
	err := m.o.Store.Read(ctx, func(tx *server.Tx) error {
		r, err := tx.MintReserves.Get(pub.String())
		if err != nil {
			return err
		}
		if status.Balance, err = taler.NewAmount(r.Currency, uint64(r.Balance)); err != nil {
			return err
		}
		events, err := tx.MintReserves.Events(pub.String(), maxEvents)
		if err != nil {
			return err
		}
		status.History = nil
		for _, e := range events {
			amount, err := taler.NewAmount(r.Currency, uint64(e.Amount))
			if err != nil {
				return err
			}
			status.History = append(status.History, taler.ReserveEvent{Withdrawn: e.Taken, Amount: amount, Time: taler.TimeAt(e.At.Time())})
		}
		return nil
	})
	if errors.Is(err, server.ErrNotFound) {
		return nil, errNoReserve
	}
	return status, err
}

// withdraw signs a blinded coin for its cost. The answer to a request is stored:
// whoever lost it asks again.
func (m *Mint) withdraw(ctx context.Context, w *taler.Withdrawal) (*taler.WithdrawAnswer, error) {
	r, err := m.keys(ctx)
	if err != nil {
		return nil, err
	}
	d, ok := r.keys.Denomination(w.Denom)
	if !ok {
		return nil, unknown("denom_pub", "no such denomination")
	}
	if err := w.Verify(d); err != nil {
		return nil, err
	}
	id := withdrawalID(w)
	cost, err := d.Cost()
	if err != nil {
		return nil, err
	}
	// Looked at before the costly signature, and decided after it.
	var evSig []byte
	err = m.o.Store.Read(ctx, func(tx *server.Tx) (err error) {
		if evSig, err = tx.MintReserves.Signed(id); !errors.Is(err, server.ErrNotFound) {
			return err
		}
		return affords(tx, w.Reserve, cost)
	})
	if err != nil || evSig != nil {
		return &taler.WithdrawAnswer{EvSig: evSig}, err
	}
	if !d.Withdrawable(taler.TimeAt(m.o.Clock())) {
		return nil, unknown("denom_pub", "coins of this denomination are not sold any more")
	}
	signed, err := r.denoms[w.Denom].BlindSign(m.o.Random, w.CoinEv)
	if err != nil {
		return nil, forbidden("coin_ev", err.Error())
	}
	err = m.o.Store.Write(ctx, func(tx *server.Tx) (err error) {
		if evSig, err = tx.MintReserves.Signed(id); !errors.Is(err, server.ErrNotFound) {
			return err
		}
		if err := affords(tx, w.Reserve, cost); err != nil {
			return err
		}
		evSig = signed
		move := server.MintReserveEvent{Taken: true, Amount: int64(cost.Micro()), At: m.now()}
		return errors.Join(
			tx.MintReserves.Move(w.Reserve.String(), m.o.Currency, move),
			tx.MintReserves.Sign(id, w.Reserve.String(), signed))
	})
	return &taler.WithdrawAnswer{EvSig: evSig}, err
}

func affords(tx *server.Tx, reserve taler.PublicKey, cost taler.Amount) error {
	have, err := tx.MintReserves.Get(reserve.String())
	switch {
	case errors.Is(err, server.ErrNotFound):
		return errNoReserve
	case err != nil:
		return err
	case have.Balance < int64(cost.Micro()):
		return errBalance
	}
	return nil
}

// withdrawalID names what is signed: a reserve, a denomination, a blinded coin.
func withdrawalID(w *taler.Withdrawal) string {
	h := sha512.New()
	denom := w.Denom.Hash()
	h.Write(w.Reserve[:])
	h.Write(denom[:])
	h.Write(w.CoinEv)
	return taler.EncodeBase32(h.Sum(nil))
}
