package store

import (
	"bytes"
	"errors"
	"testing"

	"till/protocol"
	"till/server"
)

func TestBillsAndDepositsAreKeptAsTheyWere(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		eur := func(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }
		b := &server.Bill{
			ID: "0000000000008", Kind: server.BillTab, State: server.BillOpen, Sale: newID[protocol.SaleID](t), Tender: newID[protocol.TenderID](t),
			Terminal: newID[protocol.TerminalID](t), Amount: eur(480), Most: eur(3000), Ends: 1000, Description: "1 × Melange", Secret: []byte{1, 2},
		}
		write(t, db, func(tx *server.Tx) error { return tx.Bills.Insert(b) })
		stale := *b
		b.Contract, b.LockID, b.Lock, b.LockAnswer, b.Signed, b.Closed = "H", "L", []byte("l"), []byte("a"), 480, true
		write(t, db, func(tx *server.Tx) error { return tx.Bills.Update(b) })
		if err := db.Write(t.Context(), func(tx *server.Tx) error { return tx.Bills.Update(&stale) }); !errors.Is(err, server.ErrChanged) {
			t.Errorf("a stale bill: %v", err)
		}
		d := &server.Deposit{ID: "I", Bill: b.ID, Contract: "H", State: server.DepositWaiting, Body: []byte("{}"), Amount: eur(480), At: 5, Until: 9}
		write(t, db, func(tx *server.Tx) error {
			c := &server.StoredContract{Hash: "H", Bill: b.ID, Text: []byte("text")}
			return errors.Join(tx.Contracts.Put(c), tx.Contracts.Put(&server.StoredContract{Hash: "H", Bill: b.ID, Text: []byte("other")}), tx.Deposits.Insert(d))
		})
		read(t, db, func(tx *server.Tx) error {
			got, err := tx.Bills.OfTender(b.Tender)
			if err != nil || got.Version != 1 || got.Most != b.Most || !got.Closed || got.Signed != 480 || !bytes.Equal(got.Secret, b.Secret) || !bytes.Equal(got.Lock, b.Lock) {
				t.Errorf("%+v, %v", got, err)
			}
			c, err := tx.Contracts.Get("H")
			if err != nil || string(c.Text) != "text" || c.Bill != b.ID {
				t.Errorf("%+v, %v", c, err)
			}
			todo, err := tx.Bills.Todo(0)
			if err != nil || len(todo) != 1 {
				t.Errorf("todo %v, %v", todo, err)
			}
			waiting, err := tx.Deposits.Waiting()
			if err != nil || len(waiting) != 1 || waiting[0].Amount != d.Amount || waiting[0].Answer != nil {
				t.Errorf("waiting %v, %v", waiting, err)
			}
			return nil
		})
		d.State, d.Status, d.Answer = server.DepositPaid, 200, []byte("paid")
		b.State, b.Release = server.BillPaid, true
		write(t, db, func(tx *server.Tx) error { return errors.Join(tx.Deposits.Update(d), tx.Bills.Update(b)) })
		read(t, db, func(tx *server.Tx) error {
			list, err := tx.Deposits.OfBill(b.ID)
			if err != nil || len(list) != 1 || list[0].Status != 200 || string(list[0].Answer) != "paid" {
				t.Errorf("%+v, %v", list, err)
			}
			waiting, err := tx.Deposits.Waiting()
			if err != nil || len(waiting) != 0 {
				t.Errorf("waiting %v, %v", waiting, err)
			}
			if todo, err := tx.Bills.Todo(0); err != nil || len(todo) != 1 || !todo[0].Release {
				t.Errorf("a coin to be let go: %v, %v", todo, err)
			}
			return nil
		})
		debt := &server.Debt{ID: newID[protocol.ID](t), Reason: "cancelled", Amount: eur(480), Bill: b.ID, Since: 3}
		write(t, db, func(tx *server.Tx) error { return tx.Debts.Put(debt) })
		read(t, db, func(tx *server.Tx) error {
			open, err := tx.Debts.Open()
			if err != nil || len(open) != 1 || open[0].Amount != debt.Amount || open[0].Bill != b.ID {
				t.Errorf("%+v, %v", open, err)
			}
			return nil
		})
	})
}

func TestAMintsBooksAddUp(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		move := func(taken bool, amount int64) error {
			return db.Write(t.Context(), func(tx *server.Tx) error {
				return tx.MintReserves.Move("R", "EUR", server.MintReserveEvent{Taken: taken, Amount: amount, At: protocol.Time(amount)})
			})
		}
		if err := move(true, 1); !errors.Is(err, server.ErrChanged) {
			t.Errorf("out of no reserve: %v", err)
		}
		for _, m := range []struct {
			taken  bool
			amount int64
			good   bool
		}{{false, 10, true}, {true, 7, true}, {true, 4, false}, {true, 3, true}} {
			if err := move(m.taken, m.amount); (err == nil) != m.good {
				t.Errorf("%+v: %v", m, err)
			}
		}
		write(t, db, func(tx *server.Tx) error { return tx.MintReserves.Sign("W", "R", []byte{7}) })
		claim := func(merchant string, amount int64) *server.MintClaim {
			return &server.MintClaim{Coin: "C", Merchant: merchant, Bill: "B", Identity: "I" + merchant, Amount: amount, Until: 9, Body: []byte("b"), Answer: []byte("a")}
		}
		write(t, db, func(tx *server.Tx) error {
			return errors.Join(tx.MintCoins.Spend(claim("M", 2)), tx.MintCoins.Spend(claim("N", 5)), tx.MintCoins.PutLock(claim("L", 4)))
		})
		if err := db.Write(t.Context(), func(tx *server.Tx) error { return tx.MintCoins.Spend(claim("M", 1)) }); err == nil {
			t.Error("two deposits for one coin, merchant and transaction")
		}
		read(t, db, func(tx *server.Tx) error {
			r, err := tx.MintReserves.Get("R")
			events, err2 := tx.MintReserves.Events("R", 2)
			if err := errors.Join(err, err2); err != nil || r.Balance != 0 || len(events) != 2 || events[0].Amount != 7 || events[1].Amount != 3 {
				t.Errorf("%+v %+v, %v", r, events, err)
			}
			if sig, err := tx.MintReserves.Signed("W"); err != nil || !bytes.Equal(sig, []byte{7}) {
				t.Errorf("%v, %v", sig, err)
			}
			own, sum, err := tx.MintCoins.Spent(claim("M", 0))
			if err != nil || sum != 7 || own == nil || own.Amount != 2 {
				t.Errorf("%+v %d, %v", own, sum, err)
			}
			if own, _, err := tx.MintCoins.Spent(claim("X", 0)); err != nil || own != nil {
				t.Errorf("%+v, %v", own, err)
			}
			list, err := tx.MintCoins.Spends(claim("M", 0), 1)
			if err != nil || len(list) != 1 || list[0].Merchant != "M" {
				t.Errorf("%+v, %v", list, err)
			}
			locks, err := tx.MintCoins.Locks("C")
			if err != nil || len(locks) != 1 || locks[0].Until != 9 {
				t.Errorf("%+v, %v", locks, err)
			}
			return nil
		})
		write(t, db, func(tx *server.Tx) error { return tx.MintCoins.EndLock("C", "L", "B") })
		read(t, db, func(tx *server.Tx) error {
			locks, err := tx.MintCoins.Locks("C")
			if err != nil || len(locks) != 0 {
				t.Errorf("%+v, %v", locks, err)
			}
			return nil
		})
	})
}
