package taler

import (
	"crypto/sha512"
	"fmt"
	"net/http"
)

// Withdrawal asks a mint for a coin out of a reserve (4):
// {"reserve_pub","denom_pub","coin_ev","reserve_sig"}.
type Withdrawal struct {
	Reserve PublicKey
	Denom   DenomPub
	CoinEv  Blob
	Sig     Signature
}

func (w *Withdrawal) members(m *members) {
	m.need("reserve_pub", &w.Reserve)
	m.need("denom_pub", &w.Denom)
	m.need("coin_ev", &w.CoinEv)
	m.need("reserve_sig", &w.Sig)
	m.rule("coin_ev", len(w.CoinEv) == w.Denom.size(), "not as long as the denomination's modulus")
}

func (w *Withdrawal) block(d *Denomination) (Block, error) {
	cost, err := d.Cost()
	if err != nil {
		return Block{}, err
	}
	return newBlock(PurposeWithdraw, 184).
		key(w.Reserve).
		amount(cost).
		amount(d.FeeWithdraw).
		hash(w.Denom.Hash()).
		hash(sha512.Sum512(w.CoinEv)).
		done(), nil
}

// Verify checks the reserve's signature for the denomination that denom_pub names.
// The error is an [*Error] of status 401 (§6).
func (w *Withdrawal) Verify(d *Denomination) error {
	block, err := w.block(d)
	if err != nil || !w.Reserve.Verify(block, w.Sig) {
		return &Error{http.StatusUnauthorized, "reserve_sig", fmt.Sprintf("not the signature of reserve %s", w.Reserve)}
	}
	return nil
}

// WithdrawAnswer is {"ev_sig"}.
type WithdrawAnswer struct{ EvSig Blob }

func (a *WithdrawAnswer) members(m *members) { m.need("ev_sig", &a.EvSig) }

// ReserveStatus is what a mint knows of a reserve: {"balance","history"}.
type ReserveStatus struct {
	Balance Amount // may be nothing
	History []ReserveEvent
}

func (s *ReserveStatus) members(m *members) {
	m.need("balance", &s.Balance)
	needMessages(m, "history", &s.History, 0, maxHistory)
}

// ReserveEvent is a movement of a reserve: {"type":"DEPOSIT" or "WITHDRAW","amount",
// "time"}. A withdrawal's amount includes its fee.
type ReserveEvent struct {
	Withdrawn bool
	Amount    Amount
	Time      Time
}

func (e *ReserveEvent) members(m *members) {
	kind := text("DEPOSIT")
	if e.Withdrawn {
		kind = "WITHDRAW"
	}
	m.need("type", &kind)
	m.rule("type", kind == "DEPOSIT" || kind == "WITHDRAW", "%q is no movement of a reserve", clip(string(kind)))
	if m.reading {
		e.Withdrawn = kind == "WITHDRAW"
	}
	m.need("amount", &e.Amount)
	m.need("time", &e.Time)
}

// Incoming funds a reserve of a practice mint: {"reserve_pub","amount"}.
type Incoming struct {
	Reserve PublicKey
	Amount  Amount
}

func (i *Incoming) members(m *members) {
	m.need("reserve_pub", &i.Reserve)
	m.need("amount", &i.Amount)
	m.rule("amount", !i.Amount.IsZero(), "nothing comes in")
}
