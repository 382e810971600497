package server_test

import (
	"context"
	"fmt"
	"testing"

	"till/protocol"
)

// BenchmarkPaymentReachesWaitingCheckIn times a payment from the moment the
// mempool has it until the check-in that waits for it is answered: the chain's
// change, the evaluation, one durable transaction, the answer.
func BenchmarkPaymentReachesWaitingCheckIn(b *testing.B) {
	till := openShop(b, nil).pair("main", false)
	b.StopTimer()
	for range b.N {
		if len(till.addresses) == 0 {
			till.lease(20)
		}
		d := till.sell(500)
		till.sync()
		answer := till.waiting()
		b.StartTimer()
		till.pay(d.address, d.due)
		<-answer
		b.StopTimer()
		till.untilState(d.sale, protocol.SaleAccepted)
		till.mine(1)
	}
}

// BenchmarkPracticePayment is the part of the above that the practice customer
// takes.
func BenchmarkPracticePayment(b *testing.B) {
	till := openShop(b, nil).pair("main", false)
	for range b.N {
		till.pay(till.addresses[0], 1000)
		b.StopTimer()
		till.mine(1)
		b.StartTimer()
	}
}

// BenchmarkIdleCheckIn is a check-in with nothing to tell.
func BenchmarkIdleCheckIn(b *testing.B) {
	till := openShop(b, nil).pair("main", false)
	for b.Loop() {
		till.sync()
	}
}

// BenchmarkJournal stores batches of entries, by their size.
func BenchmarkJournal(b *testing.B) {
	for _, size := range []int{1, 200} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			till := openShop(b, nil).pair("main", false)
			for b.Loop() {
				b.StopTimer()
				batch := make([]protocol.Entry, size)
				for i := range batch {
					batch[i] = till.entry(till.clock(), protocol.EntryDrawerOpened, protocol.DrawerOpened{Reason: "no sale"})
					till.entries = append(till.entries, batch[i])
				}
				b.StartTimer()
				if _, err := till.CheckIn(context.Background(), till.id, protocol.CheckIn{Log: till.log, Config: till.config.Version, Journal: batch}, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSweep takes one key with so many outputs, from the call until the node
// has the transaction and the books say so.
func BenchmarkSweep(b *testing.B) {
	for _, outputs := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(outputs), func(b *testing.B) {
			till := openShop(b, nil).pair("main", false)
			for b.Loop() {
				b.StopTimer()
				p := protocol.Sweep{ID: protocol.PayoutID(newID(b)), Keys: keys(newWIF(b))}
				address := till.forms(p.Keys[0].Reveal())[2]
				for i := range outputs {
					till.pay(address, 10_000)
					if i%20 == 19 {
						till.mine(1)
					}
				}
				till.mine(1)
				b.StartTimer()
				if r, err := till.sweep(p); err != nil || r.State != protocol.PayoutBroadcast || r.Inputs != int64(outputs) {
					b.Fatalf("%+v, %v", r, err)
				}
			}
		})
	}
}
