package taler

import (
	"errors"
	"fmt"
	"time"
)

// maxHistory bounds the entries of a history that is read.
const maxHistory = 512

// Melt is what a coin signs to be exchanged for new ones (205):
// {"type":"MELT","session_hash","amount","fee_refresh","csig"}. Amount includes the
// fee. This version melts nothing; in a proof a melt counts as spending.
type Melt struct {
	Session Hash
	Amount  Amount
	Fee     Amount
	CSig    Signature
}

const typeMelt = "MELT"

func (x *Melt) members(m *members) {
	m.need("type", word(typeMelt))
	m.need("session_hash", &x.Session)
	m.need("amount", &x.Amount)
	m.need("fee_refresh", &x.Fee)
	m.need("csig", &x.CSig)
	m.rule("amount", !x.Amount.IsZero(), "nothing is melted")
}

// block has the layout of the mint of 2015, RefreshMeltCoinAffirmation.
func (x *Melt) block(coin PublicKey) Block {
	return newBlock(PurposeMelt, 120).hash(x.Session).amount(x.Amount).amount(x.Fee).key(coin).done()
}

// Entry is one thing a coin signed, exactly one of the three. On the wire it is the
// fields of its block and csig, with coin_pub; permissions and melts tell themselves
// by "type", a lock has none.
type Entry struct {
	Spend *Spend
	Hold  *Hold
	Melt  *Melt

	coin *PublicKey // coin_pub, which may be missing
}

// SpendEntry is the entry of a deposit. A lottery's permission must have its draw.
func SpendEntry(p *Permission) Entry { return Entry{Spend: &p.Spend, coin: &p.Coin} }

// LockEntry is the entry of a lock.
func LockEntry(l *Lock) Entry { return Entry{Hold: &l.Hold, coin: &l.Coin} }

func (e *Entry) members(m *members) {
	mayScalar(m, "coin_pub", &e.coin)
	if m.reading {
		kind, typed := m.find("type")
		switch {
		case !typed:
			e.Hold = new(Hold)
		case kind.text == typeMelt:
			e.Melt = new(Melt)
		default:
			e.Spend = new(Spend)
		}
	}
	switch {
	case e.Spend != nil:
		e.Spend.members(m)
	case e.Hold != nil:
		e.Hold.members(m)
	case e.Melt != nil:
		e.Melt.members(m)
	default:
		m.rule("type", false, "an entry of nothing")
	}
}

// verify checks the entry's csig, and gives its amount.
func (e *Entry) verify(coin PublicKey) (Amount, error) {
	if e.coin != nil && *e.coin != coin {
		return Amount{}, fmt.Errorf("coin %s instead of %s", *e.coin, coin)
	}
	switch {
	case e.Spend != nil:
		return e.Spend.Amount, e.Spend.verifyDrawn(coin)
	case e.Hold != nil:
		return e.Hold.MaxAmount, e.Hold.verify(coin)
	case !coin.Verify(e.Melt.block(coin), e.Melt.CSig):
		return Amount{}, fmt.Errorf("the melt is not signed by coin %s", coin)
	}
	return e.Melt.Amount, nil
}

// Proof is a mint's 403: {"status":"DEPOSITED" or "LOCKED","coin_pub"?,"history"}.
// What it claims counts only when [Proof.VerifyDeposit] or [Proof.VerifyLock] says so.
type Proof struct {
	Status  string
	Coin    *PublicKey // which coin of several; optional
	History []Entry
}

func (p *Proof) members(m *members) {
	m.need("status", (*text)(&p.Status))
	m.rule("status", p.Status == StatusDeposited || p.Status == StatusLocked, "%q is no refusal", clip(p.Status))
	mayScalar(m, "coin_pub", &p.Coin)
	needMessages(m, "history", &p.History, 0, maxHistory)
}

// pair names what a coin signed towards a merchant: a mint takes one deposit of each.
type pair struct {
	merchant PublicKey
	id       TransactionID
}

// claim is the permission or lock that a mint refused.
type claim struct {
	coin   PublicKey
	amount Amount
	pair   pair
	spend  *Spend // one of the two
	hold   *Hold
}

// VerifyDeposit judges the refusal of a permission by §7. Face is the value of the
// coin's denomination. Nil means that the refusal is right; otherwise the error
// wraps [ErrMintFault].
func (p *Proof) VerifyDeposit(refused *Permission, face Amount, now time.Time) error {
	return p.verify(claim{
		coin: refused.Coin, amount: refused.Amount, spend: &refused.Spend,
		pair: pair{refused.Merchant, refused.TransactionID},
	}, face, now)
}

// VerifyLock judges the refusal of a lock as [Proof.VerifyDeposit] does. Another live
// lock proves it too, whatever the amounts: a coin has one at most (§6).
func (p *Proof) VerifyLock(refused *Lock, face Amount, now time.Time) error {
	return p.verify(claim{
		coin: refused.Coin, amount: refused.MaxAmount, hold: &refused.Hold,
		pair: pair{refused.Merchant, refused.TransactionID},
	}, face, now)
}

func (p *Proof) verify(c claim, face Amount, now time.Time) error {
	if p.Coin != nil && *p.Coin != c.coin {
		return fault("a proof about coin %s instead of %s", *p.Coin, c.coin)
	}
	t := tally{claim: c, spends: map[pair]Amount{}, holds: map[pair]Amount{}, melts: map[Hash]Amount{}}
	for i := range p.History {
		if err := t.add(&p.History[i], face, now); err != nil {
			return fault("history entry %d: %w", i, err)
		}
	}
	if !t.proven(face) {
		return fault("the history of coin %s proves nothing", c.coin)
	}
	return nil
}

// tally is a history sorted by what counts.
type tally struct {
	claim  claim
	spends map[pair]Amount
	holds  map[pair]Amount
	melts  map[Hash]Amount
}

var errTwice = errors.New("stands twice for one merchant and transaction")

// add verifies an entry and files it, unless §7 leaves it out: the refused thing
// itself, a lapsed lock, and the lock that the refused deposit would consume.
func (t *tally) add(e *Entry, face Amount, now time.Time) error {
	amount, err := e.verify(t.claim.coin)
	if err != nil {
		return err
	}
	if amount.Currency != face.Currency {
		return fmt.Errorf("%s on a coin of %s", amount, face)
	}
	c := &t.claim
	switch {
	case e.Spend != nil:
		if c.spend != nil && e.Spend.same(c.spend) {
			return nil
		}
		return file(t.spends, pair{e.Spend.Merchant, e.Spend.TransactionID}, amount)
	case e.Hold != nil:
		at := pair{e.Hold.Merchant, e.Hold.TransactionID}
		if e.Hold.lapsed(now) || at == c.pair && (c.spend != nil || e.Hold.CSig == c.hold.CSig) {
			return nil
		}
		return file(t.holds, at, amount)
	}
	return file(t.melts, e.Melt.Session, amount)
}

func file[K comparable](counted map[K]Amount, key K, amount Amount) error {
	if _, twice := counted[key]; twice {
		return errTwice
	}
	counted[key] = amount
	return nil
}

// proven reports whether what was filed makes the refusal right. The sums are of at
// most maxHistory+1 amounts below 2^53 each and fit 64 bits.
func (t *tally) proven(face Amount) bool {
	for at := range t.spends {
		delete(t.holds, at) // a deposit counts instead of the lock it consumed
	}
	if _, another := t.spends[t.claim.pair]; another {
		return true
	}
	if t.claim.hold != nil && len(t.holds) > 0 {
		return true
	}
	sum := t.claim.amount.Micro()
	for _, amount := range t.spends {
		sum += amount.Micro()
	}
	for _, amount := range t.holds {
		sum += amount.Micro()
	}
	for _, amount := range t.melts {
		sum += amount.Micro()
	}
	return sum > face.Micro()
}
