package store

import (
	"fmt"
	"slices"
	"testing"

	"till/protocol"
	"till/server"
)

func TestSalesAreFoundByWordsAddressesAndTime(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		terminal := addTerminal(t, db, "bar")
		var ids []protocol.SaleID
		write(t, db, func(tx *server.Tx) error {
			ids = nil
			for i, words := range [][]string{{"000001", "1", "espresso"}, {"000002", "2", "tea", "espresso"}, {"000003", "3", "o'hara", "12.30"}} {
				sale := &server.Sale{ID: newID[protocol.SaleID](t), Terminal: terminal.ID, Opened: protocol.Time(10 * (i + 1)), Total: protocol.Money{Currency: "EUR", Minor: 1230},
					State: protocol.SaleOpen, Number: words[0], User: "1", Entry: int64(i + 1), Words: protocol.SearchWords(words...)}
				if err := tx.Sales.Insert(sale); err != nil {
					return err
				}
				ids = append(ids, sale.ID)
			}
			err := tx.Tenders.Insert(&server.Tender{ID: newID[protocol.TenderID](t), Sale: ids[1], Terminal: terminal.ID, Kind: protocol.TenderBitcoin,
				Amount: protocol.Money{Currency: "EUR", Minor: 1}, Address: "bcrt1qju0s0kke77x5q05dahrm899qte6n4efyl7e"})
			if err != nil {
				return err
			}
			return tx.Payments.Put(&server.SeenPayment{Payment: server.Payment{TxID: fmt.Sprintf("%064x", 7)}, Address: "bcrt1qju0s0kke77x5q05dahrm899qte6n4efyl7e"})
		})
		read(t, db, func(tx *server.Tx) error {
			for _, c := range []struct {
				f    server.SaleFilter
				want []int
			}{
				{server.SaleFilter{}, []int{2, 1, 0}},
				{server.SaleFilter{Oldest: true}, []int{0, 1, 2}},
				{server.SaleFilter{Oldest: true, After: server.Mark{At: 10, ID: protocol.ID(ids[0])}}, []int{1, 2}},
				{server.SaleFilter{After: server.Mark{At: 30, ID: protocol.ID(ids[2])}}, []int{1, 0}},
				{server.SaleFilter{Since: 20, Until: 30}, []int{1}},
				{server.SaleFilter{Text: "ESPR"}, []int{1, 0}},
				{server.SaleFilter{Text: "espresso te"}, []int{1}},
				{server.SaleFilter{Text: "12,30"}, []int{2}},
				{server.SaleFilter{Text: "2"}, []int{1}},
				{server.SaleFilter{Text: "o'hara"}, []int{2}},
				{server.SaleFilter{Text: `':* | "tea`}, []int{1}},
				{server.SaleFilter{Text: "tea", Since: 25}, nil},
				{server.SaleFilter{Text: "BCRT1QJU0S0KKE77X5Q05DAHRM899QTE6N4EFYL7E"}, []int{1}},
				{server.SaleFilter{Text: fmt.Sprintf("%064x", 7)}, []int{1}},
				{server.SaleFilter{Text: string(ids[0])}, []int{0}},
				{server.SaleFilter{State: protocol.SaleSeen}, nil},
				{server.SaleFilter{Terminal: terminal.ID, State: protocol.SaleOpen}, []int{2, 1, 0}},
			} {
				c.f.Most = 10
				found, err := tx.Books.Sales(c.f)
				if err != nil {
					return fmt.Errorf("%+v: %w", c.f, err)
				}
				var got []int
				for _, s := range found {
					got = append(got, slices.Index(ids, s.ID))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%+v: %v, want %v", c.f, got, c.want)
				}
			}
			return nil
		})
	})
}
