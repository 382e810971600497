package store

import (
	"errors"
	"slices"

	"till/protocol"
	"till/server"
)

type mintReserves struct{ rows }

func (r mintReserves) Get(reserve string) (*server.MintReserve, error) {
	m := &server.MintReserve{Reserve: reserve}
	return m, r.one("SELECT currency, balance FROM mint_reserves WHERE reserve = $1", []any{reserve}, &m.Currency, &m.Balance)
}

func (r mintReserves) Move(reserve string, c protocol.Currency, e server.MintReserveEvent) error {
	amount := e.Amount
	if e.Taken {
		amount = -amount
	} else if err := r.exec("INSERT INTO mint_reserves (reserve, currency, balance) VALUES ($1, $2, 0) ON CONFLICT (reserve) DO NOTHING", reserve, c); err != nil {
		return err
	}
	err := r.execOne("UPDATE mint_reserves SET balance = balance + $1 WHERE reserve = $2 AND currency = $3", amount, reserve, c)
	if err != nil {
		return err
	}
	return r.exec(`INSERT INTO mint_reserve_events (reserve, seq, taken, amount, at)
		SELECT CAST($1 AS TEXT), COALESCE(MAX(seq), 0) + 1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM mint_reserve_events WHERE reserve = $1`,
		reserve, bit(e.Taken), e.Amount, e.At)
}

func (r mintReserves) Events(reserve string, most int) ([]server.MintReserveEvent, error) {
	scan := func(row scanner) (e server.MintReserveEvent, err error) {
		return e, row.Scan(&e.Taken, &e.Amount, &e.At)
	}
	list, err := all(r.rows, scan, "SELECT taken, amount, at FROM mint_reserve_events WHERE reserve = $1 ORDER BY seq DESC LIMIT $2 + 0", reserve, most)
	slices.Reverse(list)
	return list, err
}

func (r mintReserves) Signed(id string) (evSig []byte, err error) {
	return evSig, r.one("SELECT ev_sig FROM mint_withdrawals WHERE id = $1", []any{id}, &evSig)
}

func (r mintReserves) Sign(id, reserve string, evSig []byte) error {
	return r.exec("INSERT INTO mint_withdrawals (id, reserve, ev_sig) VALUES ($1, $2, $3)", id, reserve, evSig)
}

type mintCoins struct{ rows }

const spendColumns = "coin, merchant, bill, identity, amount, body, answer, at"

func scanSpend(row scanner) (*server.MintClaim, error) {
	c := &server.MintClaim{}
	return c, row.Scan(&c.Coin, &c.Merchant, &c.Bill, &c.Identity, &c.Amount, &c.Body, &c.Answer, &c.At)
}

func (r mintCoins) Spends(of *server.MintClaim, most int) ([]*server.MintClaim, error) {
	return all(r.rows, scanSpend, "SELECT "+spendColumns+` FROM mint_spends WHERE coin = $1
		ORDER BY CASE WHEN merchant = $2 AND bill = $3 THEN 0 ELSE 1 END, amount DESC, merchant, bill LIMIT $4 + 0`,
		of.Coin, of.Merchant, of.Bill, most)
}

func (r mintCoins) Spent(of *server.MintClaim) (own *server.MintClaim, sum int64, err error) {
	own, err = first(r.rows, scanSpend, "SELECT "+spendColumns+" FROM mint_spends WHERE coin = $1 AND merchant = $2 AND bill = $3", of.Coin, of.Merchant, of.Bill)
	if errors.Is(err, server.ErrNotFound) {
		own, err = nil, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return own, sum, r.one("SELECT COALESCE(SUM(amount), 0) FROM mint_spends WHERE coin = $1", []any{of.Coin}, &sum)
}

func (r mintCoins) Spend(c *server.MintClaim) error {
	return r.exec("INSERT INTO mint_spends ("+spendColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		c.Coin, c.Merchant, c.Bill, c.Identity, c.Amount, c.Body, c.Answer, c.At)
}

func (r mintCoins) Locks(coin string) ([]*server.MintClaim, error) {
	scan := func(row scanner) (*server.MintClaim, error) {
		c := &server.MintClaim{Coin: coin}
		return c, row.Scan(&c.Merchant, &c.Bill, &c.Identity, &c.Amount, &c.Until, &c.Body, &c.Answer)
	}
	return all(r.rows, scan, "SELECT merchant, bill, identity, amount, until, body, answer FROM mint_locks WHERE coin = $1 AND ended = 0 ORDER BY until DESC, merchant, bill", coin)
}

func (r mintCoins) PutLock(c *server.MintClaim) error {
	return r.exec(`INSERT INTO mint_locks (coin, merchant, bill, identity, amount, until, body, answer, ended) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)
		ON CONFLICT (coin, merchant, bill) DO UPDATE SET identity = EXCLUDED.identity, amount = EXCLUDED.amount, until = EXCLUDED.until,
		body = EXCLUDED.body, answer = EXCLUDED.answer, ended = 0`,
		c.Coin, c.Merchant, c.Bill, c.Identity, c.Amount, c.Until, c.Body, c.Answer)
}

func (r mintCoins) EndLock(coin, merchant, bill string) error {
	return r.exec("UPDATE mint_locks SET ended = 1 WHERE coin = $1 AND merchant = $2 AND bill = $3", coin, merchant, bill)
}
