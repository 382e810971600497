package register

import (
	"fmt"
	"testing"

	"till/protocol"
)

func eur(minor int64) protocol.Money { return protocol.Money{Currency: "EUR", Minor: minor} }

func ptr[T any](v T) *T { return &v }

// address is of the regression test network.
const address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func shop() Shop {
	return Shop{
		Config: protocol.Config{
			Version: 1, Currency: "EUR", Locale: "en", Network: "regtest", TipsBP: []int64{500, 1000},
			Shop: protocol.Shop{Name: "Café Central", Address: []string{"Herrengasse 14", "1010 Wien"}, TaxNumber: "ATU12345678", ReceiptFooter: "Thank you"},
			Tax:  []protocol.Tax{{Code: "A", RateBP: 2000, Included: true}, {Code: "B", RateBP: 1000, Included: true}, {Code: "X", RateBP: 500}},
		},
		Items: []protocol.Item{
			{SKU: "101", Name: "Espresso", Category: "Coffee", Price: ptr(eur(250)), Tax: "A"},
			{SKU: "102", Name: "Café crème", Category: "Coffee", Price: ptr(eur(380)), Tax: "A", Barcode: "9001234567890"},
			{SKU: "201", Name: "Apple strudel", Category: "Cake", Price: ptr(eur(480)), Tax: "B"},
			{SKU: "301", Name: "Flowers", Category: "Other", Tax: "X"},
		},
		OpenName: "Open item",
	}
}

func quote() *protocol.Quote {
	return &protocol.Quote{ID: "0193b1a0-0000-7000-8000-00000000000a", Currency: "EUR", Buy: 5812000, Sell: 5900000, At: 1, Until: 600_000}
}

// counter is a register with its shop, a cashier and a shift.
func counter(t testing.TB) *till {
	c := &till{t: t, r: New()}
	c.do(shop(), Priced{quote()}, Signed{User: protocol.User{ID: "1", Name: "Anna", Role: protocol.RoleCashier}, Shift: "s"})
	return c
}

// till drives a register and answers its records as a terminal would.
type till struct {
	t       testing.TB
	r       Register
	effects []Effect
	mute    bool // records are left without an answer
	broken  bool // records are refused
	sales   int
	tenders int
}

func (c *till) do(events ...Event) {
	c.t.Helper()
	for _, e := range events {
		var effects []Effect
		c.r, effects = c.r.Handle(e)
		c.effects = append(c.effects, effects...)
		for _, f := range effects {
			if rec, ok := f.(Record); ok && !c.mute {
				c.do(c.answer(rec))
			}
		}
	}
}

func (c *till) answer(rec Record) Event {
	if c.broken {
		return Refused{Ticket: rec.Ticket, Why: WhyDiskFull}
	}
	done := Recorded{Ticket: rec.Ticket, At: 1000}
	if rec.Open != nil {
		c.sales++
		done.Opening = *rec.Open
		done.Opening.Sale = protocol.SaleID(fmt.Sprintf("0193b1a0-0000-7000-8000-0000000%05d", c.sales))
		done.Opening.Number = fmt.Sprintf("%06d", c.sales)
	}
	if rec.Add != nil {
		c.tenders++
		add := *rec.Add
		add.Tender = protocol.TenderID(fmt.Sprintf("0193b1a0-0000-7000-9000-0000000%05d", c.tenders))
		if add.Kind == protocol.TenderBitcoin {
			if err := Charge(&add, *quote()); err != nil {
				c.t.Fatal(err)
			}
			add.Address = address
			done.Quote = quote()
		}
		done.Tender = &add
	}
	return done
}

// status is the server's word on the sale being paid.
func (c *till) status(state protocol.SaleState, v protocol.Verdict, received protocol.Sat, flags ...protocol.Flag) Told {
	c.t.Helper()
	tender, ok := c.r.Bitcoin()
	if !ok {
		c.t.Fatal("no bitcoin tender")
	}
	return Told{protocol.SaleStatus{
		Sale: c.r.Sale.Opening.Sale, State: state, Verdict: v, ReceivedSat: received, DueSat: tender.DueSat, Flags: flags,
		Tenders: []protocol.TenderStatus{{Tender: tender.Tender, DueSat: tender.DueSat, ReceivedSat: received, TxIDs: []string{"ab12"}}},
		Reason:  "test", Message: "as the test says",
	}}
}

// sounds are those that were made, and forgotten.
func (c *till) sounds() []Sound {
	var out []Sound
	for _, f := range c.effects {
		if ring, ok := f.(Ring); ok {
			out = append(out, ring.Sound)
		}
	}
	return out
}

func (c *till) records() []Record {
	var out []Record
	for _, f := range c.effects {
		if rec, ok := f.(Record); ok {
			out = append(out, rec)
		}
	}
	return out
}

func (c *till) phase(want Phase) {
	c.t.Helper()
	if c.r.Phase != want {
		c.t.Fatalf("phase is %d, want %d (%q)", c.r.Phase, want, c.r.Note.Why)
	}
}

func (c *till) total(want int64) {
	c.t.Helper()
	if got := c.r.Total().Minor; got != want {
		c.t.Fatalf("total is %d, want %d", got, want)
	}
}
