package taler

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"time"

	"till/protocol"
)

// Limits of a key list.
const (
	maxSigningKeys = 64
	maxDenoms      = 512
	maxLivePerFace = 2 // keys of one value that can be withdrawn at a time (§6)
)

// A lock ends within a day, and an hour before its coin does (§4).
const (
	longestLock = 24 * time.Hour
	lockMargin  = time.Hour
)

// ErrMintFault is the cause of every answer of a mint that cannot be believed: not
// understood, badly signed, or a refusal without proof. The question stays open;
// somebody has to be told.
var ErrMintFault = errors.New("mint fault")

func fault(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrMintFault, fmt.Errorf(format, args...))
}

// SigningKey is a key with which a mint confirms (1):
// {"stamp_start","stamp_expire","key","master_sig"}.
type SigningKey struct {
	Start, Expire Time
	Key           PublicKey
	MasterSig     Signature
}

func (k *SigningKey) members(m *members) {
	m.need("stamp_start", &k.Start)
	m.need("stamp_expire", &k.Expire)
	m.need("key", &k.Key)
	m.need("master_sig", &k.MasterSig)
}

func (k *SigningKey) block(master PublicKey) Block {
	return newBlock(PurposeSigningKey, 80).key(master).time(k.Start).time(k.Expire).key(k.Key).done()
}

// Sign sets MasterSig.
func (k *SigningKey) Sign(master PrivateKey) { k.MasterSig = master.Sign(k.block(master.Public())) }

// Live reports whether a mint may sign with the key at a moment.
func (k *SigningKey) Live(at Time) bool { return k.Start <= at && at < k.Expire }

// Denomination is a kind of coin (2): {"denom_pub","value","fee_withdraw",
// "fee_deposit","fee_refresh","stamp_start","stamp_expire_withdraw",
// "stamp_expire_deposit","master_sig"}. Fees may be nothing.
type Denomination struct {
	Pub            DenomPub
	Value          Amount // the face value
	FeeWithdraw    Amount
	FeeDeposit     Amount // taken from the merchant's share
	FeeRefresh     Amount
	Start          Time
	ExpireWithdraw Time
	ExpireDeposit  Time
	MasterSig      Signature

	key *DenomKey // set by NewKeys
}

func (d *Denomination) members(m *members) {
	m.need("denom_pub", &d.Pub)
	m.need("value", &d.Value)
	m.need("fee_withdraw", &d.FeeWithdraw)
	m.need("fee_deposit", &d.FeeDeposit)
	m.need("fee_refresh", &d.FeeRefresh)
	m.need("stamp_start", &d.Start)
	m.need("stamp_expire_withdraw", &d.ExpireWithdraw)
	m.need("stamp_expire_deposit", &d.ExpireDeposit)
	m.need("master_sig", &d.MasterSig)
	m.rule("value", !d.Value.IsZero(), "a coin of nothing")
}

func (d *Denomination) block(master PublicKey) Block {
	return newBlock(PurposeDenomination, 168).
		key(master).
		time(d.Start).time(d.ExpireWithdraw).time(d.ExpireDeposit).
		amount(d.Value).amount(d.FeeWithdraw).amount(d.FeeDeposit).amount(d.FeeRefresh).
		hash(d.Pub.Hash()).
		done()
}

// Sign sets MasterSig.
func (d *Denomination) Sign(master PrivateKey) { d.MasterSig = master.Sign(d.block(master.Public())) }

// Cost is what a reserve pays for a coin: value and fee_withdraw.
func (d *Denomination) Cost() (Amount, error) { return d.Value.Add(d.FeeWithdraw) }

// Withdrawable reports whether the mint signs new coins at a moment.
func (d *Denomination) Withdrawable(at Time) bool { return d.Start <= at && at < d.ExpireWithdraw }

// check judges a denomination of a list that master signs.
func (d *Denomination) check(master PublicKey) (err error) {
	if d.key, err = d.Pub.Key(); err != nil {
		return err
	}
	for _, fee := range []Amount{d.FeeWithdraw, d.FeeRefresh} {
		if fee.Currency != d.Value.Currency {
			return fmt.Errorf("a fee of %s on a coin of %s", fee, d.Value)
		}
	}
	if order, err := d.FeeDeposit.Cmp(d.Value); err != nil || order > 0 {
		return fmt.Errorf("a fee of %s on a coin of %s", d.FeeDeposit, d.Value)
	}
	if d.Start >= d.ExpireWithdraw || d.ExpireWithdraw > d.ExpireDeposit {
		return fmt.Errorf("stamps %s, %s, %s", d.Start, d.ExpireWithdraw, d.ExpireDeposit)
	}
	if !master.Verify(d.block(master), d.MasterSig) {
		return errors.New("not signed by the master key")
	}
	return nil
}

// KeyList is the answer of /keys as it stands on the wire (12).
type KeyList struct {
	Master      PublicKey // master_pub
	Issued      Time      // list_issue_date
	SigningKeys []SigningKey
	Denoms      []Denomination
	Sig         Signature
	Pub         PublicKey // the signing key of Sig
}

func (l *KeyList) members(m *members) {
	m.need("master_pub", &l.Master)
	m.need("list_issue_date", &l.Issued)
	needMessages(m, "signkeys", &l.SigningKeys, 1, maxSigningKeys)
	needMessages(m, "denoms", &l.Denoms, 0, maxDenoms)
	m.need("sig", &l.Sig)
	m.need("pub", &l.Pub)
}

// hash is SHA-512 of all denom_pub bytes in the list's order.
func (l *KeyList) hash() Hash {
	h := sha512.New()
	for i := range l.Denoms {
		h.Write(l.Denoms[i].Pub.Bytes())
	}
	return Hash(h.Sum(nil))
}

func (l *KeyList) block() Block {
	return newBlock(PurposeKeyList, 72).time(l.Issued).hash(l.hash()).done()
}

// Sign sets Sig and Pub.
func (l *KeyList) Sign(signing PrivateKey) {
	l.Pub = signing.Public()
	l.Sig = signing.Sign(l.block())
}

// Keys is a key list that was checked against a pinned master key. It does not
// change and may be shared.
type Keys struct {
	list    KeyList
	hash    Hash
	denoms  map[DenomPub]*Denomination
	signing map[PublicKey]*SigningKey
}

// ParseKeys reads and checks the answer of /keys as [NewKeys] does. The error wraps
// [ErrMintFault].
func ParseKeys(body []byte, master PublicKey, now time.Time) (*Keys, error) {
	var list KeyList
	if err := DecodeAnswer(body, &list); err != nil {
		return nil, fault("keys: %w", err)
	}
	return NewKeys(list, master, now)
}

// NewKeys checks every signature and stamp of a list. The error wraps
// [ErrMintFault].
func NewKeys(list KeyList, master PublicKey, now time.Time) (*Keys, error) {
	k := &Keys{
		list:    list,
		hash:    list.hash(),
		denoms:  make(map[DenomPub]*Denomination, len(list.Denoms)),
		signing: make(map[PublicKey]*SigningKey, len(list.SigningKeys)),
	}
	k.list.SigningKeys = append([]SigningKey(nil), list.SigningKeys...)
	k.list.Denoms = append([]Denomination(nil), list.Denoms...)
	if list.Master != master {
		return nil, fault("keys: master key %s instead of %s", list.Master, master)
	}
	if err := k.index(); err != nil {
		return nil, fault("keys: %w", err)
	}
	issuer, ok := k.signing[list.Pub]
	if !ok || !issuer.Live(list.Issued) || !list.Pub.Verify(list.block(), list.Sig) {
		return nil, fault("keys: the list is not signed by a live key")
	}
	for _, at := range []Time{list.Issued, TimeAt(now)} {
		if err := k.checkCrowd(at); err != nil {
			return nil, fault("keys: %w", err)
		}
	}
	return k, nil
}

// index checks each key by itself and refuses one that stands twice.
func (k *Keys) index() error {
	master := k.list.Master
	for i := range k.list.SigningKeys {
		s := &k.list.SigningKeys[i]
		if k.signing[s.Key] != nil || s.Start >= s.Expire || !master.Verify(s.block(master), s.MasterSig) {
			return fmt.Errorf("signing key %s stands twice, never lives, or is not signed by the master key", s.Key)
		}
		k.signing[s.Key] = s
	}
	for i := range k.list.Denoms {
		d := &k.list.Denoms[i]
		if k.denoms[d.Pub] != nil {
			return fmt.Errorf("denomination %d stands twice", i)
		}
		if err := d.check(master); err != nil {
			return fmt.Errorf("denomination %d: %w", i, err)
		}
		k.denoms[d.Pub] = d
	}
	return nil
}

// checkCrowd refuses more keys for one value than a mint needs: with many it could
// mark its customers.
func (k *Keys) checkCrowd(at Time) error {
	live := make(map[Amount]int)
	for i := range k.list.Denoms {
		if d := &k.list.Denoms[i]; d.Withdrawable(at) {
			if live[d.Value]++; live[d.Value] > maxLivePerFace {
				return fmt.Errorf("more than %d live keys for %s", maxLivePerFace, d.Value)
			}
		}
	}
	return nil
}

// Hash is what contracts name the list by: SHA-512 of all denom_pub bytes in order.
func (k *Keys) Hash() Hash { return k.hash }

// Master is the mint's master key, its mint_pub.
func (k *Keys) Master() PublicKey { return k.list.Master }

// Issued is the list's date.
func (k *Keys) Issued() Time { return k.list.Issued }

// Denominations gives a copy of all denominations in the list's order.
func (k *Keys) Denominations() []Denomination { return append([]Denomination(nil), k.list.Denoms...) }

// Denomination finds a denomination. When it is unknown the mint may have a newer
// list.
func (k *Keys) Denomination(pub DenomPub) (*Denomination, bool) {
	d, ok := k.denoms[pub]
	return d, ok
}

// Encode gives the list as canonical JSON.
func (k *Keys) Encode() ([]byte, error) { return Encode(&k.list) }

// CheckDenom checks what a coin may pay, in the order of §3: mint_pub and denom_pub
// known, amount not above the face value, denomination live and no dearer than
// maxFee (with no currency: no limit). The error is an [*Error] of status 403.
func (k *Keys) CheckDenom(c *PublicCoin, amount, maxFee Amount, now time.Time) (*Denomination, error) {
	if c.Mint != k.list.Master {
		return nil, refused("mint_pub", "not this mint's")
	}
	d, ok := k.denoms[c.Denom]
	if !ok {
		return nil, refused("denom_pub", "not in the mint's keys")
	}
	if order, err := amount.Cmp(d.Value); err != nil || order > 0 {
		return nil, refused("amount", "%s from a coin of %s", amount, d.Value)
	}
	if at := TimeAt(now); at < d.Start || at >= d.ExpireDeposit {
		return nil, refused("denom_pub", "good from %s to %s", d.Start, d.ExpireDeposit)
	}
	if order, err := d.FeeDeposit.Cmp(maxFee); maxFee != (Amount{}) && (err != nil || order > 0) {
		return nil, refused("denom_pub", "a fee of %s is above %s", d.FeeDeposit, maxFee)
	}
	return d, nil
}

// CheckUBSig checks that the denomination signed the coin. The error is an [*Error]
// of status 403.
func (d *Denomination) CheckUBSig(c *PublicCoin) error {
	if !d.key.Verify(c.Coin, c.UBSig) {
		return refused("ubsig", "not the denomination's signature of coin %s", c.Coin)
	}
	return nil
}

// CheckPermissions checks all coins of a payment as a merchant does, each stage for
// every coin before the next: [Keys.CheckDenom], csig, ubsig.
func (k *Keys) CheckPermissions(ps Permissions, t *Terms, maxFee Amount, now time.Time) error {
	denoms := make([]*Denomination, len(ps))
	for i := range ps {
		var err error
		if denoms[i], err = k.CheckDenom(&ps[i].PublicCoin, ps[i].Amount, maxFee, now); err != nil {
			return err
		}
	}
	for i := range ps {
		if err := ps[i].VerifyFor(t); err != nil {
			return err
		}
	}
	for i := range ps {
		if err := denoms[i].CheckUBSig(&ps[i].PublicCoin); err != nil {
			return err
		}
	}
	return nil
}

// CheckLock checks a lock as wallet, merchant and mint do: [Keys.CheckDenom],
// lock_until ahead by at most 24 hours and an hour before the coin's end, csig, ubsig.
func (k *Keys) CheckLock(l *Lock, maxFee Amount, now time.Time) error {
	d, err := k.CheckDenom(&l.PublicCoin, l.MaxAmount, maxFee, now)
	if err != nil {
		var e *Error
		if errors.As(err, &e) && e.Parameter == "amount" {
			e.Parameter = "max_amount"
		}
		return err
	}
	if until := l.LockUntil.Time(); !until.After(now) || until.After(now.Add(longestLock)) {
		return refused("lock_until", "not within %s", longestLock)
	}
	if l.LockUntil.Time().Add(lockMargin).After(d.ExpireDeposit.Time()) {
		return refused("lock_until", "less than %s before the coin's end %s", lockMargin, d.ExpireDeposit)
	}
	if err := l.Verify(); err != nil {
		return err
	}
	return d.CheckUBSig(&l.PublicCoin)
}

// SmallestAtLeast gives the smallest value of at least least among the coins that
// can be withdrawn at a moment: what a lottery asks for.
func (k *Keys) SmallestAtLeast(least protocol.Money, at Time) (Amount, bool) {
	floor, err := FromMoney(least)
	var best Amount
	for i := range k.list.Denoms {
		d := &k.list.Denoms[i]
		above, err2 := d.Value.Cmp(floor)
		if err != nil || err2 != nil || above < 0 || !d.Withdrawable(at) {
			continue
		}
		if best.IsZero() || d.Value.Micro() < best.Micro() {
			best = d.Value
		}
	}
	return best, !best.IsZero()
}
