package taler

import (
	"net/http"
	"time"
)

// LockGrace is how long a mint honours a lock past its end (§4).
const LockGrace = 2 * time.Minute

// Hold is what a coin signs to be locked: the fields of block 203, and csig.
type Hold struct {
	TransactionID TransactionID
	MaxAmount     Amount
	LockUntil     Time
	Merchant      PublicKey // merchant_pub
	CSig          Signature
}

func (h *Hold) members(m *members) {
	m.need("transaction_id", &h.TransactionID)
	m.need("max_amount", &h.MaxAmount)
	m.need("lock_until", &h.LockUntil)
	m.need("merchant_pub", &h.Merchant)
	m.need("csig", &h.CSig)
	m.rule("max_amount", !h.MaxAmount.IsZero(), "nothing to lock")
}

func (h *Hold) block() Block {
	return newBlock(PurposeLock, 60).
		time(h.LockUntil).
		id(h.TransactionID).
		amount(h.MaxAmount).
		key(h.Merchant).
		done()
}

func (h *Hold) verify(coin PublicKey) error {
	if !coin.Verify(h.block(), h.CSig) {
		return refused("csig", "not the signature of coin %s", coin)
	}
	return nil
}

// lapsed reports whether the mint honours the lock no longer.
func (h *Hold) lapsed(now time.Time) bool {
	return !now.Before(h.LockUntil.Time().Add(LockGrace))
}

// Lock is a lock permission (§4): until LockUntil the coin pays this merchant alone,
// up to MaxAmount.
type Lock struct {
	PublicCoin
	Hold
}

func (l *Lock) members(m *members) {
	l.PublicCoin.members(m)
	l.Hold.members(m)
}

// Verify checks csig. The error is an [*Error] of status 403.
func (l *Lock) Verify() error { return l.verify(l.Coin) }

// Lapsed reports whether the mint honours the lock no longer: [LockGrace] past its
// end.
func (l *Lock) Lapsed(now time.Time) bool { return l.lapsed(now) }

// Identity tells whether a lock came before: SHA-512 over all its bytes, whatever the
// spelling.
func (l *Lock) Identity() Hash {
	return l.PublicCoin.identity(l.CSig, l.block())
}

// MatchOffer checks a lock against the offer it takes, in the order transaction_id
// (404), merchant_pub, max_amount, lock_until (403).
func (l *Lock) MatchOffer(o *Offer, merchant PublicKey) error {
	switch {
	case l.TransactionID != o.TransactionID:
		return &Error{http.StatusNotFound, "transaction_id", "another offer's"}
	case l.Merchant != merchant:
		return refused("merchant_pub", "another merchant's")
	case l.MaxAmount != o.MaxAmount:
		return refused("max_amount", "%s instead of %s", l.MaxAmount, o.MaxAmount)
	case l.LockUntil != o.LockUntil:
		return refused("lock_until", "%s instead of %s", l.LockUntil, o.LockUntil)
	}
	return nil
}

// Unlock is the merchant's release of a coin (106):
// {"merchant_pub","transaction_id","coin_pub","sig"}.
type Unlock struct {
	Merchant      PublicKey
	TransactionID TransactionID
	Coin          PublicKey
	Sig           Signature
}

func (u *Unlock) members(m *members) {
	m.need("merchant_pub", &u.Merchant)
	m.need("transaction_id", &u.TransactionID)
	m.need("coin_pub", &u.Coin)
	m.need("sig", &u.Sig)
}

func (u *Unlock) block() Block {
	return newBlock(PurposeUnlock, 40).id(u.TransactionID).key(u.Coin).done()
}

// NewUnlock signs the release of a lock's coin.
func NewUnlock(l *Lock, merchant PrivateKey) *Unlock {
	u := &Unlock{merchant.Public(), l.TransactionID, l.Coin, Signature{}}
	u.Sig = merchant.Sign(u.block())
	return u
}

// Verify checks the merchant's signature. The error is an [*Error] of status 403.
func (u *Unlock) Verify() error {
	if !u.Merchant.Verify(u.block(), u.Sig) {
		return refused("sig", "not the signature of merchant %s", u.Merchant)
	}
	return nil
}
