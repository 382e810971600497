package merchant_test

import (
	"crypto/rand"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// BenchmarkDeposit pays products over HTTP, merchant and mint each durable, beside the
// bare cost of the operations on keys that it cannot do without.
func BenchmarkDeposit(b *testing.B) {
	w := newWorld(b, nil)
	w.unlimited()
	price := eur(5)
	items := []protocol.Item{}
	for i := range 16 {
		items = append(items, protocol.Item{SKU: string(rune('a' + i)), Name: "Gum", Price: &price})
	}
	if err := w.server.ImportCatalogue(b.Context(), items); err != nil {
		b.Fatal(err)
	}
	p := w.purse(100_000_00)
	merchantKey, c, coin := benchContract(b, w, p)
	b.Run("end to end", func(b *testing.B) {
		bodies := make([][]byte, b.N)
		for i := range bodies {
			if i%20 == 0 { // a coin of 1.00 pays twenty bills
				coin = p.coin(100)
			}
			bodies[i] = must(w.sign(w.bill(b, items, i), 5, coin).Encode())(b)
		}
		var next atomic.Int64
		b.ResetTimer()
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= b.N {
						return
					}
					if status, text, _ := call(b, http.MethodPost, w.door.URL+"/deposit", bodies[i]); status != http.StatusOK {
						b.Errorf("%d %s", status, text)
						return
					}
				}
			})
		}
		group.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deposits/s")
	})
	b.Run("seven bare operations", func(b *testing.B) {
		// csig and ubsig at the merchant, both again at the mint, the mint's
		// confirmation, its verification, and the receipt.
		signing := must(taler.NewPrivateKey(rand.Reader))(b)
		ps := taler.Permissions{*must(coin.Pay(c, merchantKey.Public(), cents(b, 5), taler.Nonce{}))(b)}
		terms := c.Terms()
		d, _ := p.keys.Denomination(coin.Public.Denom)
		for b.Loop() {
			for range 2 {
				if ps[0].VerifyFor(&terms) != nil || d.CheckUBSig(&coin.Public) != nil {
					b.Fatal("a signature does not verify")
				}
			}
			_ = taler.ConfirmDeposit(&ps[0], signing)
			if ps[0].VerifyFor(&terms) != nil { // as dear as verifying the confirmation
				b.Fatal("a signature does not verify")
			}
			_ = taler.NewReceipt(c, ps, terms.Expiry, merchantKey)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deposits/s")
	})
}

func benchContract(b *testing.B, w *world, p *purse) (taler.PrivateKey, *taler.Contract, *taler.Coin) {
	key := must(taler.NewPrivateKey(rand.Reader))(b)
	account := taler.Wire{Type: taler.Test, Bank: "practice", Account: "shop"}
	hash := must(account.Hash())(b)
	c := must(taler.NewContract(taler.Terms{
		TransactionID: 7, Expiry: taler.TimeAt(w.clock().Add(1e9)), Amount: cents(b, 5), Description: "1 × Gum", HWire: hash,
		Mints: []taler.MintRef{{Master: w.mint.Master(), URL: w.mintHTTP.URL, Keys: p.keys.Hash()}},
	}, key))(b)
	return key, c, p.coin(5000)
}

// bill opens a sale with a bill of its own, past the terminal, and gives its contract.
func (w *world) bill(b *testing.B, items []protocol.Item, i int) *taler.Contract {
	b.Helper()
	id := newID[protocol.TenderID](b)
	sale := newID[protocol.SaleID](b)
	transaction := must(taler.NewTransactionID(rand.Reader))(b)
	bill := &server.Bill{ID: transaction.String(), Kind: server.BillSale, State: server.BillOpen, Sale: sale, Tender: id, Terminal: w.terminal,
		Amount: eur(5), Most: eur(0), Ends: protocol.Time(w.now.Load() + 600_000), Description: items[i%len(items)].Name}
	err := w.db.Write(b.Context(), func(tx *server.Tx) error {
		if err := tx.Sales.Insert(&server.Sale{ID: sale, Terminal: w.terminal, Total: eur(5), State: protocol.SaleOpen}); err != nil {
			return err
		}
		if err := tx.Tenders.Insert(&server.Tender{ID: id, Sale: sale, Terminal: w.terminal, Kind: protocol.TenderEcash, Amount: eur(5), Ends: bill.Ends}); err != nil {
			return err
		}
		return tx.Bills.Insert(bill)
	})
	if err != nil {
		b.Fatal(err)
	}
	text, err := w.server.Contract(b.Context(), &taler.ContractRequest{Sale: string(sale)})
	if err != nil {
		b.Fatal(err)
	}
	return must(taler.ParseContract(text))(b)
}

// BenchmarkContract asks for contracts of products over HTTP, beside signing alone.
func BenchmarkContract(b *testing.B) {
	w := newWorld(b, nil)
	w.unlimited()
	price := eur(480)
	if err := w.server.ImportCatalogue(b.Context(), []protocol.Item{{SKU: "melange", Name: "Melange", Price: &price}}); err != nil {
		b.Fatal(err)
	}
	b.Run("over HTTP", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if status, text, _ := call(b, http.MethodGet, w.door.URL+"/contract?product=melange", nil); status != http.StatusOK {
					b.Errorf("%d %s", status, text)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "contracts/s")
	})
	b.Run("bare signing", func(b *testing.B) {
		key, c, _ := benchContract(b, w, w.purse(100_00))
		terms := c.Terms()
		for b.Loop() {
			must(taler.NewContract(terms, key))(b)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "contracts/s")
	})
}
