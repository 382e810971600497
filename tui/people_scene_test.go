package tui

import (
	"time"

	"till/protocol"
)

// reading is a shift with something of everything in it.
func reading() protocol.Report {
	return protocol.Report{
		Shift: "0193b1a0-0000-7000-8000-00000000000b", Opened: protocol.TimeOf(noon.Add(-6 * time.Hour)), OpenedBy: "2", FirstSeq: 881, LastSeq: 2107, Currency: "EUR",
		FirstSale: "000090", LastSale: "000118", Opens: 29, Cancels: 1,
		Sales: protocol.Sum{Count: 27, Amount: eur(41230)}, Revenue: protocol.Sum{Count: 27, Amount: eur(39980)},
		Tips: protocol.Sum{Count: 9, Amount: eur(1250)}, Discounts: protocol.Sum{Count: 2, Amount: eur(300)},
		Tenders: []protocol.TenderSum{
			{Kind: protocol.TenderBitcoin, Count: 11, Amount: eur(18400), Sat: 316_591}, {Kind: protocol.TenderEcash, Count: 3, Amount: eur(960)},
			{Kind: protocol.TenderCash, Count: 9, Amount: eur(14870)}, {Kind: protocol.TenderCard, Count: 5, Amount: eur(7000)},
		},
		Tax:       []protocol.TaxShare{{Code: "A", RateBP: 2000, Net: eur(20000), Tax: eur(4000)}, {Code: "B", RateBP: 1000, Net: eur(14527), Tax: eur(1453)}},
		Refunds:   []protocol.TenderSum{{Kind: protocol.TenderCash, Count: 1, Amount: eur(480)}},
		Coins:     protocol.TenderSum{Count: 1, Amount: eur(5000), Sat: 84_745},
		Drawer:    protocol.Drawer{Float: eur(15000), Sales: eur(14870), Coins: eur(5000), Refunds: eur(480), Dropped: eur(10000), Expected: eur(24390), PaidIn: eur(0), Openings: 1},
		Overrides: 1,
	}
}

// closed is the same shift with its Z report.
func closedShift() protocol.Report {
	r := reading()
	r.Closed, r.ClosedBy, r.ZNumber = protocol.TimeOf(noon), "2", 12
	r.Drawer.Counted, r.Drawer.Variance, r.Drawer.Reason = ptr(eur(24290)), ptr(eur(-100)), "a coin too many given back"
	return r
}

func init() {
	scenes = append(scenes, []struct {
		name string
		play func(*bench)
	}{
		{"sign-in", func(b *bench) { b.press("f12") }},
		{"sign-in-pin", func(b *bench) {
			b.facts.health.Skew = 26 * time.Minute
			b.press("f12").write("Marek").press("enter").write("2222")
		}},
		{"sign-in-locked", func(b *bench) {
			b.people.tries["2"] = tries{Wrong: 5, Free: protocol.TimeOf(noon.Add(15 * time.Minute))}
			b.press("f12").write("2").press("enter")
		}},
		{"shift", func(b *bench) {
			b.facts.health.Unsent = 3
			b.press("f6")
		}},
		{"shift-none", func(b *bench) { b.send(shifted{}).press("f6") }},
		{"shift-override", func(b *bench) { b.press("f6", "z").write("Marek") }},
		{"shift-float", func(b *bench) {
			b.send(shifted{}, signedIn{manager()}).press("f6", "enter").write("15000")
		}},
		{"shift-no-sale", func(b *bench) { b.press("f6", "n").write("change for the bus") }},
		{"shift-count", func(b *bench) { b.send(signedIn{manager()}).press("f6", "z").write("24290") }},
		{"shift-close", func(b *bench) {
			b.send(signedIn{manager()}).press("f6").send(compared{reading(), eur(24290)}).write("a coin too many given back")
		}},
		{"shift-x", func(b *bench) { b.send(signedIn{manager()}).press("f6").send(reportRead{reading()}) }},
		{"shift-z", func(b *bench) {
			b.send(signedIn{manager()}).press("f6").send(reportRead{closedShift()}).press("end")
		}},
		{"card", func(b *bench) { b.rung().press("enter", "5").write("500") }},
		{"cash-quick", func(b *bench) { b.rung().press("enter", "3", "down", "down") }},
	}...)
}

func manager() protocol.User {
	return protocol.User{ID: "2", Name: "Marek", Role: protocol.RoleManager}
}
