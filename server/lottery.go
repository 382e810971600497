package server

import (
	"errors"
	"fmt"
	"net/http"

	"till/protocol"
	"till/protocol/taler"
)

// isLottery reports whether an amount is too small for a coin of its own (§5).
func (d *cashDesk) isLottery(amount protocol.Money) bool {
	below := d.o.LotteryBelow
	return below != nil && below.Currency == amount.Currency && amount.Minor < below.Minor
}

// sealDraw draws r_m and keeps it sealed in the bill.
func (s *Server) sealDraw(b *Bill) error {
	rm, err := taler.NewSecret(s.o.Random)
	if err != nil {
		return err
	}
	defer rm.Wipe()
	bytes := rm.Reveal()
	b.Secret, err = s.seal.close("lottery "+b.ID, bytes[:])
	return err
}

func (s *Server) openDraw(b *Bill) (taler.Secret, error) {
	bytes, err := s.seal.open("lottery "+b.ID, b.Secret)
	if err != nil || len(bytes) != 32 {
		return taler.Secret{}, fmt.Errorf("open draw: %w", err)
	}
	defer clear(bytes)
	return taler.SecretFrom([32]byte(bytes)), nil
}

// play sets the value of the coin that a lottery asks for, and gives its odds.
func (s *Server) play(b *Bill, keys []*taler.Keys) (*taler.Lottery, error) {
	for _, k := range keys {
		value, ok := k.SmallestAtLeast(*s.cash.o.LotteryBelow, taler.TimeAt(s.o.Clock().Time()))
		if !ok {
			continue
		}
		rm, err := s.openDraw(b)
		if err != nil {
			return nil, err
		}
		defer rm.Wipe()
		price, err := taler.FromMoney(b.Amount)
		if err != nil {
			return nil, err
		}
		if b.Most, err = value.Money(); err != nil {
			return nil, err
		}
		return taler.NewLottery(rm, price, value)
	}
	return nil, errors.New("no mint has a coin for a lottery")
}

// drawOf opens the draw of a lottery's contract.
func (s *Server) drawOf(b *Bill, t *taler.Terms) (*taler.Draw, error) {
	rm, err := s.openDraw(b)
	if err != nil {
		return nil, err
	}
	defer rm.Wipe()
	return &taler.Draw{RM: rm.Reveal(), Odds: t.Lottery.Odds}, nil
}

// checkHeld compares a permission with the lock that its bill needs.
func (b *Bill) checkHeld(p *taler.Permission, now protocol.Time) error {
	if b.LockAnswer == nil {
		return notOffered("transaction_id", "no coin is locked for it")
	}
	l := new(taler.Lock)
	if err := taler.DecodeAnswer(b.Lock, l); err != nil {
		return fmt.Errorf("read lock: %w", err)
	}
	switch {
	case p.Mint != l.Mint:
		return untrue("mint_pub", "not the mint of the locked coin")
	case p.Denom != l.Denom:
		return untrue("denom_pub", "not the denomination of the locked coin")
	case p.Coin != l.Coin:
		return untrue("coin_pub", "not the locked coin")
	case now >= protocol.TimeOf(l.LockUntil.Time()):
		return untrue("coin_pub", "the lock has lapsed")
	}
	return nil
}

// draw decides a lottery as its permission is stored. Won, the coin goes to the mint;
// lost, the sale is paid and the coin is let go.
func (c closing) draw(p *taler.Permission, t *taler.Terms) error {
	draw, err := c.s.drawOf(c.bill, t)
	if err != nil || draw.Won(p.RC) {
		return err
	}
	c.deposit.State, c.deposit.Status = DepositPaid, http.StatusOK
	if c.deposit.Answer, err = c.receipt(); err != nil {
		return err
	}
	c.bill.State, c.bill.Release = BillPaid, true
	return c.accept(lotteryLost, "paid by lot: the draw left the customer the coin, the shop gets nothing this time")
}
