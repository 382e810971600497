package taler

import (
	"errors"
	"io"
)

// Planchet is a coin before its mint signed it. It must be kept before the request
// to the mint leaves: whoever loses it has paid for nothing.
type Planchet struct {
	Key      PrivateKey
	Blinding Secret
}

// NewPlanchet draws a coin's key and its blinding from random.
func NewPlanchet(random io.Reader) (Planchet, error) {
	key, err := NewPrivateKey(random)
	if err != nil {
		return Planchet{}, err
	}
	blinding, err := NewSecret(random)
	return Planchet{key, blinding}, err
}

// Withdrawal gives the request to the mint, signed by the reserve: the same one for
// the same planchet, so it can be repeated. The denomination comes from [Keys].
func (p Planchet) Withdrawal(d *Denomination, reserve PrivateKey) (*Withdrawal, error) {
	coinEv, err := d.key.Blind(p.Key.Public(), p.Blinding)
	if err != nil {
		return nil, err
	}
	w := &Withdrawal{Reserve: reserve.Public(), Denom: d.Pub, CoinEv: coinEv}
	block, err := w.block(d)
	if err != nil {
		return nil, err
	}
	w.Sig = reserve.Sign(block)
	return w, nil
}

// Coin takes the mint's answer and gives the coin. It fails when the mint signed
// something else: a mint fault, to be asked again.
func (p Planchet) Coin(mint PublicKey, d *Denomination, evSig Blob) (*Coin, error) {
	sig, err := d.key.Unblind(p.Key.Public(), p.Blinding, evSig)
	if err != nil {
		return nil, err
	}
	return &Coin{p.Key, PublicCoin{p.Key.Public(), mint, d.Pub, sig}}, nil
}

// Coin is a coin that can be spent.
type Coin struct {
	Key    PrivateKey
	Public PublicCoin
}

// Pay signs a permission for a contract whose signatures the caller has verified: of
// an amount up to the coin's, for a lottery with the customer's own r_c. It signs
// the type that the contract asks for and no other (§4).
func (c *Coin) Pay(contract *Contract, merchant PublicKey, amount Amount, rc Nonce) (*Permission, error) {
	t := &contract.terms
	if amount.IsZero() || !amount.Valid() {
		return nil, errors.New("sign a permission for nothing")
	}
	p := &Permission{c.Public, Spend{
		Type: t.Type(), TransactionID: t.TransactionID, Amount: amount,
		Merchant: merchant, HA: contract.hash, HWire: t.HWire,
	}}
	commitment := Commitment{}
	if t.Lottery != nil {
		commitment, p.RC = t.Lottery.Commitment, rc
	}
	p.CSig = c.Key.Sign(p.block(commitment))
	return p, nil
}

// Lock signs a lock for an offer whose signature the caller has verified.
func (c *Coin) Lock(o *Offer, merchant PublicKey) *Lock {
	l := &Lock{c.Public, Hold{
		TransactionID: o.TransactionID, MaxAmount: o.MaxAmount,
		LockUntil: o.LockUntil, Merchant: merchant,
	}}
	l.CSig = c.Key.Sign(l.block())
	return l
}
