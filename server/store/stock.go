package store

import (
	"till/protocol"
	"till/server"
)

type stock struct{ rows }

func (r stock) Hold(h server.Hold) error {
	return r.exec(`INSERT INTO stock_held (sale, sku, quantity, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (sale, sku) DO UPDATE SET quantity = stock_held.quantity + EXCLUDED.quantity, until = EXCLUDED.until`, h.Sale, h.SKU, h.Quantity, h.Until)
}

func (r stock) Of(sale protocol.SaleID) ([]server.Hold, error) {
	scan := func(row scanner) (h server.Hold, err error) {
		return h, row.Scan(&h.Sale, &h.SKU, &h.Quantity, &h.Until)
	}
	return all(r.rows, scan, "SELECT sale, sku, quantity, until FROM stock_held WHERE sale = $1 ORDER BY sku", sale)
}

func (r stock) Release(sale protocol.SaleID) error {
	return r.exec("DELETE FROM stock_held WHERE sale = $1", sale)
}

func (r stock) Sell(sku string, quantity int64) error {
	return r.exec(`INSERT INTO stock_sold (sku, sold) VALUES ($1, $2)
		ON CONFLICT (sku) DO UPDATE SET sold = stock_sold.sold + EXCLUDED.sold`, sku, quantity)
}

func (r stock) Recount() error { return r.exec("DELETE FROM stock_sold") }

func (r stock) Gone(now protocol.Time) (map[string]int64, error) {
	type sum struct {
		sku  string
		gone int64
	}
	scan := func(row scanner) (s sum, err error) { return s, row.Scan(&s.sku, &s.gone) }
	sums, err := all(r.rows, scan, `SELECT sku, sold FROM stock_sold UNION ALL
		SELECT sku, CAST(SUM(quantity) AS BIGINT) FROM stock_held WHERE until > $1 GROUP BY sku`, now)
	gone := make(map[string]int64, len(sums))
	for _, s := range sums {
		gone[s.sku] += s.gone
	}
	return gone, err
}
