package store

import (
	"maps"
	"testing"

	"till/protocol"
	"till/server"
)

func TestWhatIsSoldAndHeldIsGone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		sale, other := newID[protocol.SaleID](t), newID[protocol.SaleID](t)
		write(t, db, func(tx *server.Tx) error {
			for _, h := range []server.Hold{{Sale: sale, SKU: "a", Quantity: 1000, Until: 10}, {Sale: sale, SKU: "a", Quantity: 500, Until: 20}, {Sale: other, SKU: "a", Quantity: 2000, Until: 30}, {Sale: other, SKU: "b", Quantity: 1000, Until: 30}} {
				if err := tx.Stock.Hold(h); err != nil {
					return err
				}
			}
			for range 2 {
				if err := tx.Stock.Sell("b", 4000); err != nil {
					return err
				}
			}
			return nil
		})
		gone := func(now protocol.Time, want map[string]int64) {
			t.Helper()
			read(t, db, func(tx *server.Tx) error {
				got, err := tx.Stock.Gone(now)
				if !maps.Equal(got, want) {
					t.Errorf("at %d: %v, want %v", now, got, want)
				}
				return err
			})
		}
		gone(15, map[string]int64{"a": 3500, "b": 9000})
		gone(25, map[string]int64{"a": 2000, "b": 9000})
		write(t, db, func(tx *server.Tx) error { return tx.Stock.Release(other) })
		gone(15, map[string]int64{"a": 1500, "b": 8000})
		write(t, db, func(tx *server.Tx) error { return tx.Stock.Recount() })
		gone(25, map[string]int64{})
	})
}
