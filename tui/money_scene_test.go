package tui

import (
	"till/protocol"
	"till/tui/register"
)

// aKey is of vectors/wif.json: a key of a test network that everybody knows.
const aKey = "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47"

// answered performs nothing, but answers what a flow waits for: that the journal
// holds what was handed over.
func (b *bench) answered(ticket register.Ticket, sell bool) *bench {
	b.t.Helper()
	if sell {
		return b.send(sellEvent{register.Noted{Ticket: ticket}})
	}
	return b.send(keyEvent{register.Noted{Ticket: ticket}})
}

// handed is a key that holds so much, on the key screen.
func (b *bench) handed(sat, pending, contested protocol.Sat) *bench {
	b.send(scannedText(aKey)).answered(1, false)
	fee := protocol.Sat(412)
	if sat == 0 {
		fee = 0
	}
	return b.send(keyEvent{register.Funded{Ticket: 2, Funds: protocol.QueryAddressResult{
		ConfirmedSat: sat, PendingSat: &pending, ContestedSat: contested, SweepFeeSat: fee, UsableSat: sat - fee,
	}}})
}

// priced is 50.00 to be paid out, with the choice of how.
func (b *bench) priced() *bench { return b.press("f4").write("5000").press("enter") }

// ordered is a payout to an address that waits for its approval.
func (b *bench) ordered() *bench {
	return b.priced().send(scannedText(address)).answered(1, true).
		send(sellEvent{register.Keyed{Ticket: 2, ID: "0193b1a0-0000-7000-8000-0000000000aa", Address: address}})
}

// approved is one that waits for y, which counts already.
func (b *bench) approvedOrder() *bench {
	b.ordered().send(sellEvent{register.Approved{Approval: register.Approval{User: shop().Users[1], Code: protocol.NewSecret("2222")}}})
	b.hand += lookFirst
	return b.send(ripe{})
}

// paidOut answers the payout.
func (b *bench) paidOut(state protocol.PayoutState, f *register.Failure) *bench {
	return b.send(sellEvent{register.Paid{ID: "0193b1a0-0000-7000-8000-0000000000aa", Failure: f,
		Result: protocol.DispenseResult{State: state, TxID: aTxid, AmountSat: 84745, FeeSat: 705}}})
}

// refunding is the refund of the first sale of the day.
func (b *bench) refunding() *bench { return b.refundingMore(0) }

// refundingMore is one of which more came than was due.
func (b *bench) refundingMore(more protocol.Sat) *bench {
	status := *past()[0].Status
	status.ReceivedSat += more
	sale := register.Sale{Opening: past()[0].Opening, Ended: protocol.EntrySalePaid, Status: &status,
		Tenders: []register.Tender{{TenderAdded: past()[0].Tenders[0].TenderAdded, Quote: quote()}}}
	refund, why := register.RefundOf(sale, nil)
	return b.send(refundRead{refund, why})
}

func init() {
	scenes = append(scenes, []struct {
		name string
		play func(*bench)
	}{
		{"key-empty", func(b *bench) { b.press("f5") }},
		{"key-all", func(b *bench) { b.press("f5").handed(150_000, 0, 0) }},
		{"key-part", func(b *bench) { b.rung().press("enter", "4").handed(10_412, 0, 0) }},
		{"key-change", func(b *bench) {
			b.rung().press("enter", "4").handed(150_000, 0, 0).send(scannedText(address)).answered(3, false)
		}},
		{"key-contested", func(b *bench) { b.rung().press("enter", "4").handed(0, 21_164, 150_000).press("enter") }},
		{"key-typo", func(b *bench) {
			b.press("f5").send(scannedText("S6c56bnXQiBjk9mqSYE7ykVQ7NzrRz")).answered(1, false)
		}},
		{"key-hex", func(b *bench) {
			b.press("f5").send(scannedText("18a86e5a6c6977ddba0daca7fba5190f67ba56ccdc1b3f31308972236c2e4776")).answered(1, false)
		}},
		{"key-passphrase", func(b *bench) {
			b.press("f5").send(scannedText("6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg")).answered(1, false).write("secret")
		}},
		{"key-confirm", func(b *bench) {
			b.rung().press("enter", "4").handed(150_000, 0, 0).send(scannedText(address)).answered(3, false).press("enter")
		}},
		{"key-unknown", func(b *bench) {
			b.press("f5").handed(150_000, 0, 0).press("enter")
			b.hand += lookFirst
			b.press("y").send(swept{register.Swept{ID: "p", Failure: &register.Failure{Unknown: true, Message: "the server does not answer"}}})
		}},
		{"key-taken", func(b *bench) {
			b.press("f5").handed(150_000, 0, 0).press("enter")
			b.hand += lookFirst
			b.press("y").send(swept{register.Swept{ID: "p", Result: protocol.SweepResult{State: protocol.PayoutBroadcast, TxID: aTxid, ReceivedSat: 149_588, FeeSat: 412}}})
		}},
		{"key-raise", func(b *bench) { b.takenBefore() }},
		{"key-raise-confirm", func(b *bench) { b.takenBefore().press("enter") }},
		{"key-sale", func(b *bench) { b.claimed() }},
		{"sell", func(b *bench) { b.press("f4").write("5000") }},
		{"sell-bitcoin", func(b *bench) { b.press("f4", "tab").write("100000") }},
		{"sell-how", func(b *bench) { b.priced() }},
		{"sell-address", func(b *bench) { b.priced().press("3").write("bcrt1q") }},
		{"sell-review", func(b *bench) { b.ordered() }},
		{"sell-approver", func(b *bench) { b.ordered().press("enter").write("2") }},
		{"sell-code", func(b *bench) { b.ordered().press("enter").write("2").press("enter").write("2222") }},
		{"sell-confirm", func(b *bench) { b.approvedOrder() }},
		{"sell-wrong", func(b *bench) {
			b.approvedOrder().press("y").send(sellEvent{register.Paid{ID: "0193b1a0-0000-7000-8000-0000000000aa", Failure: &register.Failure{Code: protocol.CodeAuthcodeWrong, Message: "the approval is wrong"}}}).
				send(sellEvent{register.Keyed{Ticket: 3, ID: "0193b1a0-0000-7000-8000-0000000000ab", Address: address}})
		}},
		{"sell-unknown", func(b *bench) {
			b.approvedOrder().press("y").paidOut("", &register.Failure{Unknown: true, Message: "the server does not answer"})
		}},
		{"sell-paid", func(b *bench) { b.approvedOrder().press("y").paidOut(protocol.PayoutBroadcast, nil) }},
		{"sell-refused", func(b *bench) {
			b.approvedOrder().press("y").paidOut("", &register.Failure{Code: protocol.CodeInsufficientReserve, Message: "the wallet does not hold enough"})
		}},
		{"refund", func(b *bench) { b.refunding().write("500") }},
		{"refund-owed", func(b *bench) { b.refundingMore(5000) }},
		{"refund-how", func(b *bench) { b.refunding().press("enter") }},
	}...)
}

// takenBefore is a key whose coins were taken and wait for a block.
func (b *bench) takenBefore() *bench {
	b.press("f5").handed(150_000, 0, 0).press("enter")
	b.hand += lookFirst
	return b.press("y").send(swept{register.Swept{ID: "p", Result: protocol.SweepResult{State: protocol.PayoutBroadcast, TxID: aTxid, ReceivedSat: 149_588, FeeSat: 412}}}).
		press("enter").handed(0, 0, 150_000)
}

// claimed is a sale whose key is being taken.
func (b *bench) claimed() *bench {
	b.rung().press("enter", "4").handed(150_000, 0, 0).press("enter")
	b.hand += lookFirst
	b.press("y")
	t := b.reg.Totals()
	tender := protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderKey, Amount: t.Total}
	if err := register.Charge(&tender, *quote()); err != nil {
		b.t.Fatal(err)
	}
	for ticket := register.Ticket(1); ticket < 100 && b.reg.Phase == register.Asking; ticket++ {
		b.send(recorded{answer: register.Recorded{Ticket: ticket, At: protocol.TimeOf(noon), Payout: "p", Tender: &tender, Quote: quote(),
			Opening: protocol.SaleOpened{Sale: aSale, Number: "000118", Total: t.Total, Lines: b.reg.Cart.Lines, Tax: t.Tax}}})
	}
	return b.send(swept{register.Swept{ID: "p", Result: protocol.SweepResult{State: protocol.PayoutBroadcast, TxID: aTxid, ReceivedSat: 21_164}}})
}
