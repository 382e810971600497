package store

import (
	"errors"

	"till/server"
)

type figures struct{ rows }

// Sum casts its sums: PostgreSQL's are NUMERIC.
func (r figures) Sum() (*server.Figures, error) {
	f := &server.Figures{}
	var errs [4]error
	f.Sales, errs[0] = all(r.rows, func(row scanner) (s server.SaleSum, err error) {
		return s, row.Scan(&s.State, &s.Currency, &s.Count, &s.Minor)
	}, "SELECT state, currency, COUNT(*), CAST(SUM(total) AS BIGINT) FROM sales GROUP BY state, currency ORDER BY state, currency")
	f.Payouts, errs[1] = all(r.rows, func(row scanner) (s server.PayoutSum, err error) {
		return s, row.Scan(&s.Of, &s.State, &s.Currency, &s.Count, &s.Sat, &s.Minor)
	}, `SELECT kind, state, currency, COUNT(*), CAST(SUM(amount + fee) AS BIGINT), CAST(SUM(value) AS BIGINT)
		FROM payouts WHERE kind <> 'poisoned' GROUP BY kind, state, currency ORDER BY kind, state, currency`)
	f.Ecash, errs[2] = all(r.rows, func(row scanner) (s server.Sum, err error) {
		return s, row.Scan(&s.Currency, &s.Count, &s.Minor)
	}, "SELECT currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM deposits WHERE state = 'paid' GROUP BY currency ORDER BY currency")
	f.Owed, errs[3] = all(r.rows, func(row scanner) (s server.Sum, err error) {
		return s, row.Scan(&s.Currency, &s.Count, &s.Sat, &s.Minor)
	}, `SELECT currency, COUNT(*), CAST(SUM(sat) AS BIGINT), CAST(SUM(amount) AS BIGINT)
		FROM debts WHERE settled = 0 GROUP BY currency ORDER BY currency`)
	const received = `SELECT COUNT(*), CAST(COALESCE(SUM(p.amount), 0) AS BIGINT)
		FROM payments p JOIN addresses a ON a.address = p.address WHERE p.gone = 0 AND a.branch = 0`
	return f, errors.Join(append(errs[:],
		r.one(received, nil, &f.Received.Count, &f.Received.Sat),
		r.one(received+" AND p.height = 0", nil, &f.Mempool.Count, &f.Mempool.Sat),
		r.one("SELECT COUNT(*), COALESCE(MIN(due), 0) FROM outbox", nil, &f.Outbox, &f.Overdue),
		r.one("SELECT COUNT(*) FROM deposits WHERE state = 'waiting'", nil, &f.Deposits))...)
}
