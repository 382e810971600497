package taler

import "net/http"

// Status words of answers.
const (
	StatusDepositOK     = "DEPOSIT_OK"
	StatusDepositQueued = "DEPOSIT_QUEUED"
	StatusLotteryLost   = "LOTTERY_LOST"
	StatusLockOK        = "LOCK_OK"
	StatusUnlockOK      = "UNLOCK_OK"
	StatusDeposited     = "DEPOSITED"
	StatusLocked        = "LOCKED"
)

// Confirmation is a mint's signature that a deposit stands (10):
// {"coin_pub","sig","pub"}.
type Confirmation struct {
	Coin PublicKey
	Sig  Signature
	Pub  PublicKey // the mint's signing key
}

func (c *Confirmation) members(m *members) {
	m.need("coin_pub", &c.Coin)
	m.need("sig", &c.Sig)
	m.need("pub", &c.Pub)
}

func depositBlock(p *Permission) Block {
	return newBlock(PurposeDepositConfirmation, 212).
		hash(p.HA).
		hash(p.HWire).
		id(p.TransactionID).
		amount(p.Amount).
		key(p.Coin).
		key(p.Merchant).
		done()
}

// ConfirmDeposit signs that a permission was deposited.
func ConfirmDeposit(p *Permission, signing PrivateKey) Confirmation {
	return Confirmation{p.Coin, signing.Sign(depositBlock(p)), signing.Public()}
}

// DepositAnswer is a mint's 200 to /deposit:
// {"status":"DEPOSIT_OK","confirmations":[…]}, one for each permission.
type DepositAnswer struct{ Confirmations []Confirmation }

func (a *DepositAnswer) members(m *members) {
	m.need("status", word(StatusDepositOK))
	needMessages(m, "confirmations", &a.Confirmations, 1, maxPermissions)
}

// find gives the coin's confirmation.
func (a *DepositAnswer) find(coin PublicKey) (*Confirmation, bool) {
	for i := range a.Confirmations {
		if a.Confirmations[i].Coin == coin {
			return &a.Confirmations[i], true
		}
	}
	return nil, false
}

// LockAnswer is a mint's 200 to /lock (11): {"status":"LOCK_OK","sig","pub"}. A
// merchant hands it on to the customer.
type LockAnswer struct {
	Sig Signature
	Pub PublicKey
}

func (a *LockAnswer) members(m *members) {
	m.need("status", word(StatusLockOK))
	m.need("sig", &a.Sig)
	m.need("pub", &a.Pub)
}

func lockBlock(l *Lock) Block {
	return newBlock(PurposeLockConfirmation, 92).
		time(l.LockUntil).
		id(l.TransactionID).
		amount(l.MaxAmount).
		key(l.Merchant).
		key(l.Coin).
		done()
}

// ConfirmLock signs that a coin is locked.
func ConfirmLock(l *Lock, signing PrivateKey) *LockAnswer {
	return &LockAnswer{signing.Sign(lockBlock(l)), signing.Public()}
}

// UnlockAnswer is a mint's 200 to /unlock: {"status":"UNLOCK_OK"}.
type UnlockAnswer struct{}

func (*UnlockAnswer) members(m *members) { m.need("status", word(StatusUnlockOK)) }

// VerifyDeposit checks that there is a confirmation for each permission and that it
// verifies with a signing key of the list. The key's end is not held against it: a
// mint repeats the confirmation of an old deposit as it was. The error wraps
// [ErrMintFault].
func (k *Keys) VerifyDeposit(a *DepositAnswer, ps Permissions) error {
	if len(a.Confirmations) != len(ps) {
		return fault("%d confirmations for %d permissions", len(a.Confirmations), len(ps))
	}
	for i := range ps {
		c, ok := a.find(ps[i].Coin)
		if !ok {
			return fault("no confirmation for coin %s", ps[i].Coin)
		}
		if k.signing[c.Pub] == nil || !c.Pub.Verify(depositBlock(&ps[i]), c.Sig) {
			return fault("the confirmation for coin %s does not verify", ps[i].Coin)
		}
	}
	return nil
}

// VerifyLock checks a lock's confirmation as [Keys.VerifyDeposit] does.
func (k *Keys) VerifyLock(a *LockAnswer, l *Lock) error {
	if k.signing[a.Pub] == nil || !a.Pub.Verify(lockBlock(l), a.Sig) {
		return fault("the confirmation for the lock of coin %s does not verify", l.Coin)
	}
	return nil
}

// DepositRequest is what a merchant sends to a mint:
// {"permissions":[…],"wire":{…}}. A lottery's permission has its draw.
type DepositRequest struct {
	Permissions Permissions
	Wire        Wire
}

func (r *DepositRequest) members(m *members) {
	r.Permissions.member(m, "permissions")
	m.needMessage("wire", &r.Wire)
}

// Check compares H_wire of each permission with the hash of the account (403), and
// wants a draw with each lottery (400). The mint does this first.
func (r *DepositRequest) Check() error {
	hash, err := r.Wire.Hash()
	if err != nil {
		return err
	}
	for i := range r.Permissions {
		p := &r.Permissions[i]
		if p.Type == Probabilistic && p.Draw == nil {
			return malformed("r_m", "missing")
		}
		if p.HWire != hash {
			return &Error{http.StatusForbidden, "H_wire", "not the hash of the account"}
		}
	}
	return nil
}
