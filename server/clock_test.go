package server_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// TestClocksThatJumpKeepTheBooks: a shop whose clock jumps hours ahead and back,
// that restarts, whose payments are reorganised away; what it stores stays sound
// and is what the chain holds. TILL_SEED repeats one.
func TestClocksThatJumpKeepTheBooks(t *testing.T) {
	t.Parallel()
	seed, err := strconv.ParseUint(os.Getenv("TILL_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("TILL_SEED=%d", seed)
	dice := rand.New(rand.NewPCG(seed, 3))
	shop := openShop(t, nil)
	till := shop.pair("main", false)
	shop.mine(3)
	var open []deal
	for range 60 {
		switch dice.IntN(9) {
		case 0, 1, 2:
			till.sync()
			if till.quote != nil {
				if len(till.addresses) < 5 {
					till.lease(20)
				}
				open = append(open, till.sell(100+dice.Int64N(4000)))
			}
		case 3, 4:
			if len(open) > 0 {
				d := open[dice.IntN(len(open))]
				shop.pay(d.address, d.due)
			}
		case 5:
			shop.mine(1 + dice.IntN(3))
		case 6:
			jump := time.Duration(dice.Int64N(int64(9*time.Hour))) - 4*time.Hour
			shop.pass(jump)
		case 7:
			shop.restart()
		case 8:
			if _, err := shop.chain.Reorg(context.Background(), 1+dice.IntN(3), dice.IntN(2) == 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	shop.mine(1)
	settled(t, "the books are what the chain holds", func() bool {
		breaches, err := server.Audit(context.Background(), shop.db, shop.chain, shop.clock())
		if err != nil {
			t.Fatal(err)
		}
		return len(breaches) == 0
	})
	till.sync()
	for _, d := range open {
		if s := till.last(d.sale); s.State == protocol.SaleConfirmed && s.ReceivedSat == 0 {
			t.Errorf("%s is confirmed without money", d.sale)
		}
	}
}
