package store

import (
	"encoding/json"

	"till/protocol"
	"till/server"
)

type addresses struct{ rows }

const addressColumns = "address, script, path, branch, idx, terminal, leased, rested, tender, named, seen, paid, watch_until"

func scanAddress(row scanner) (*server.LeasedAddress, error) {
	a := &server.LeasedAddress{}
	var script []byte
	err := row.Scan(&a.Text, &script, &a.Path, &a.Branch, &a.Index, &a.Terminal, &a.Leased, &a.Rested, &a.Tender, &a.Named, &a.Seen, &a.Paid, &a.WatchUntil)
	a.Script = server.Script(script)
	return a, err
}

func (r addresses) Insert(a *server.LeasedAddress) error {
	return r.exec("INSERT INTO addresses ("+addressColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		a.Text, []byte(a.Script), a.Path, a.Branch, a.Index, a.Terminal, a.Leased, a.Rested, a.Tender, bit(a.Named), bit(a.Seen), bit(a.Paid), a.WatchUntil)
}

func (r addresses) Get(address string) (*server.LeasedAddress, error) {
	return first(r.rows, scanAddress, "SELECT "+addressColumns+" FROM addresses WHERE address = $1", address)
}

func (r addresses) Update(a *server.LeasedAddress) error {
	return r.execOne(`UPDATE addresses SET terminal = $1, leased = $2, rested = $3, tender = $4, named = $5, seen = $6, paid = $7, watch_until = $8
		WHERE address = $9`, a.Terminal, a.Leased, a.Rested, a.Tender, bit(a.Named), bit(a.Seen), bit(a.Paid), a.WatchUntil, a.Text)
}

func (r addresses) Leased(id protocol.TerminalID) ([]*server.LeasedAddress, error) {
	return all(r.rows, scanAddress, "SELECT "+addressColumns+" FROM addresses WHERE terminal = $1 AND tender = '' ORDER BY branch, idx", id)
}

func (r addresses) Rested(before protocol.Time, most int) ([]*server.LeasedAddress, error) {
	return all(r.rows, scanAddress, "SELECT "+addressColumns+` FROM addresses
		WHERE terminal = '' AND rested > 0 AND rested <= $1 AND seen = 0 AND tender = '' ORDER BY rested, idx LIMIT $2 + 0`, before, most)
}

func (r addresses) Watched(now protocol.Time) ([]*server.LeasedAddress, error) {
	return all(r.rows, scanAddress, "SELECT "+addressColumns+" FROM addresses WHERE watch_until = 0 OR watch_until >= $1 ORDER BY branch, idx", now)
}

type quotes struct{ rows }

func scanQuote(row scanner) (*protocol.Quote, error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return nil, err
	}
	q := &protocol.Quote{}
	return q, json.Unmarshal([]byte(body), q)
}

func (r quotes) Insert(q *protocol.Quote) error {
	body, err := protocol.Encode(q)
	if err != nil {
		return err
	}
	return r.exec("INSERT INTO quotes (id, currency, at, body) VALUES ($1, $2, $3, $4)", q.ID, q.Currency, q.At, string(body))
}

func (r quotes) Get(id protocol.QuoteID) (*protocol.Quote, error) {
	return first(r.rows, scanQuote, "SELECT body FROM quotes WHERE id = $1", id)
}

func (r quotes) Latest(c protocol.Currency) (*protocol.Quote, error) {
	return first(r.rows, scanQuote, "SELECT body FROM quotes WHERE currency = $1 ORDER BY at DESC, id DESC LIMIT 1", c)
}
