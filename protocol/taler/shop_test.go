package taler

import (
	"bytes"
	"crypto/rsa"
	"testing"
	"time"
)

// shop is a merchant, a mint with one denomination of 5 euros, and coins of it.
type shop struct {
	now                       time.Time
	merchant, master, signing PrivateKey
	wire                      Wire
	list                      KeyList
	keys                      *Keys
	denom                     *Denomination
}

func newShop(t testing.TB) *shop {
	t.Helper()
	v := loadVectors()
	s := &shop{
		now:      time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC),
		merchant: v.private("merchant"), master: v.private("master"), signing: v.private("mint"),
		wire: Wire{Type: Test, Bank: "practice", Account: "shop", R: 7, Salt: [16]byte{1}},
	}
	s.list = KeyList{
		Master: s.master.Public(), Issued: s.at(0),
		SigningKeys: []SigningKey{{Start: s.at(-time.Hour), Expire: s.at(time.Hour), Key: s.signing.Public()}},
		Denoms:      []Denomination{s.denomination(denomSecret().Public().Pub())},
	}
	s.list.SigningKeys[0].Sign(s.master)
	s.list.Sign(s.signing)
	s.keys = must(NewKeys(s.list, s.master.Public(), s.now))
	s.denom, _ = s.keys.Denomination(s.list.Denoms[0].Pub)
	return s
}

func (s *shop) at(d time.Duration) Time { return TimeAt(s.now.Add(d)) }

func (s *shop) denomination(pub DenomPub) Denomination {
	d := Denomination{
		Pub: pub, Value: eur(5_000_000), FeeWithdraw: eur(10_000), FeeDeposit: eur(20_000), FeeRefresh: eur(0),
		Start: s.at(-time.Hour), ExpireWithdraw: s.at(24 * time.Hour), ExpireDeposit: s.at(48 * time.Hour),
	}
	d.Sign(s.master)
	return d
}

// otherDenomPub has the modulus of the vectors' key and another exponent.
func otherDenomPub(e int) DenomPub {
	return must(NewDenomKey(&rsa.PublicKey{N: denomSecret().public.n, E: e})).Pub()
}

// coin withdraws the coin with a number, as a wallet does.
func (s *shop) coin(t testing.TB, number byte) *Coin {
	t.Helper()
	planchet := must(NewPlanchet(bytes.NewReader(bytes.Repeat([]byte{number}, 64))))
	reserve := PrivateKeyFromSeed([32]byte{9, number})
	w := must(planchet.Withdrawal(s.denom, reserve))
	if err := w.Verify(s.denom); err != nil {
		t.Fatal(err)
	}
	evSig := must(denomSecret().BlindSign(bytes.NewReader(make([]byte, 32)), w.CoinEv))
	return must(planchet.Coin(s.master.Public(), s.denom, evSig))
}

// terms are those of a direct payment.
func (s *shop) terms(micro uint64) Terms {
	return Terms{
		TransactionID: 77, Expiry: s.at(time.Hour), Amount: eur(micro), Description: "1 × café, \"grand\"",
		HWire: must(s.wire.Hash()), Sale: "019a0000-0000-7000-8000-000000000001",
		Mints: []MintRef{{s.master.Public(), "http://127.0.0.1:8495", s.keys.Hash()}},
	}
}

func (s *shop) contract(t Terms) *Contract { return must(NewContract(t, s.merchant)) }

// lotteryTerms sell 1 euro for one chance in five of a coin of 5; rm is opened later.
func (s *shop) lotteryTerms(rm Secret) Terms {
	t := s.terms(1_000_000)
	t.Lottery = must(NewLottery(rm, t.Amount, eur(5_000_000)))
	return t
}

func (s *shop) pay(c *Coin, contract *Contract, micro uint64) Permission {
	return *must(c.Pay(contract, s.merchant.Public(), eur(micro), Nonce{5}))
}

func (s *shop) offer(micro uint64) *Offer {
	o := &Offer{
		TransactionID: 78, MaxAmount: eur(micro), LockUntil: s.at(time.Hour), HWire: must(s.wire.Hash()),
		Mints: s.terms(1).Mints,
	}
	o.Sign(s.merchant)
	return o
}

func (s *shop) lock(c *Coin, micro uint64) *Lock { return c.Lock(s.offer(micro), s.merchant.Public()) }

// paidElsewhere spends a coin for another transaction.
func (s *shop) paidElsewhere(c *Coin, id TransactionID, micro uint64) Permission {
	t := s.terms(micro)
	t.TransactionID = id
	return s.pay(c, s.contract(t), micro)
}
