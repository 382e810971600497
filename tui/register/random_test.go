package register

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"till/protocol"
)

// anything draws an event of every kind.
func anything(r *rand.Rand, c *till) Event {
	kinds := []protocol.TenderKind{"bitcoin", "bitcoin", "cash", "cash", "ecash", "nonsense"}
	events := []Event{
		Digits{[]string{"0", "00", "1", "5", "9", "x"}[r.IntN(6)]}, Digits{"7"}, Digits{"3"}, Point{}, Typed{[]string{"e", "s", "ß", "\x1b", "z"}[r.IntN(5)]},
		Erase{}, Move{r.IntN(5) - 2}, Select{r.IntN(6) - 1}, Pick{[]string{"101", "none"}[r.IntN(2)]}, Add{}, Add{}, Quantity{}, Discount{}, Deduct{}, Reason{r.IntN(3) - 1, "r"}, Price{}, Tip{}, Note{"n"},
		Clear{}, Undo{}, Next{}, Next{}, Next{}, Back{}, Choose{kinds[r.IntN(len(kinds))]}, Cancel{Keep: r.IntN(4) > 0}, Park{},
		Scanned{[]string{"101", "9001234567890", "junk"}[r.IntN(3)]}, shop(), Priced{nil}, Priced{quote()}, Restored{Cart{Note: "x"}},
		Recorded{Ticket: Ticket(r.IntN(20))}, Refused{Ticket: Ticket(r.IntN(20)), Why: WhyDiskFull},
		Signed{User: protocol.User{ID: "1", Role: protocol.RoleManager}, Shift: "s"},
	}
	if tender, ok := c.r.Bitcoin(); ok {
		states := []protocol.SaleState{"open", "seen", "accepted", "confirmed", "expired", "cancelled"}
		verdicts := []protocol.Verdict{"wait", "accept", "refuse"}
		flags := []protocol.Flag{"underpaid", "overpaid", "late", "replaced", "conflict"}
		events = append(events, c.status(states[r.IntN(6)], verdicts[r.IntN(3)], protocol.Sat(r.Int64N(int64(tender.DueSat)*2+1)), flags[r.IntN(5)]))
		events = append(events, Recall{*c.r.Sale})
	}
	return events[r.IntN(len(events))]
}

// TestAnythingInAnyOrder: whatever is pressed and told, nothing panics, the
// totals add up, and lines leave the cart only with a record that says where
// they went, or by a key that can be undone.
func TestAnythingInAnyOrder(t *testing.T) {
	phases := map[Phase]int{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := counter(t)
		for range 300 {
			c.broken, c.mute = r.IntN(10) == 0, r.IntN(15) == 0
			before, done := c.r, len(c.effects)
			e := anything(r, c)
			why := before.WhyNot(e)
			c.do(e)
			phases[c.r.Phase]++
			if c.r.Phase == Asking && !c.mute {
				t.Fatalf("seed %d: %T hangs", seed, e)
			}
			if c.r.Phase == Asking {
				c.do(c.answer(c.r.asked))
			}
			if why != "" && (c.r.Phase != before.Phase || !reflect.DeepEqual(c.r.Cart, before.Cart) || len(c.effects) != done) {
				t.Fatalf("seed %d: %#v was impossible (%s) and did something", seed, e, why)
			}
			adds(t, c.r)
			if len(c.r.Cart.Lines) < len(before.Cart.Lines) && !accounted(c, e, before) {
				t.Fatalf("seed %d: %#v lost the cart in phase %d", seed, e, before.Phase)
			}
		}
	}
	for _, p := range []Phase{Ringing, Choosing, Counting, Waiting, Settled} {
		if phases[p] < 1000 {
			t.Errorf("phase %d was met only %d times", p, phases[p])
		}
	}
}

// adds checks the sums against each other, and as a server does.
func adds(t *testing.T, r Register) {
	t.Helper()
	x, err := r.Cart.Totals("EUR", r.Config.Tax)
	if err != nil {
		t.Fatalf("cart %+v: %v", r.Cart, err)
	}
	lines, taxed := int64(0), x.Tip.Minor
	for _, l := range r.Cart.Lines {
		amount, err := l.Total()
		if err != nil || amount.Minor < 0 {
			t.Fatalf("line %+v: %v, %v", l, amount, err)
		}
		lines += amount.Minor
	}
	for _, s := range x.Tax {
		taxed += s.Net.Minor + s.Tax.Minor
	}
	if lines != x.Lines.Minor || x.Total.Minor != lines+x.Tip.Minor+x.Added.Minor || taxed != x.Total.Minor && len(r.Cart.Lines) > 0 {
		t.Fatalf("sums do not meet: %+v", x)
	}
	if rest := r.Rest().Minor; rest < 0 {
		t.Fatalf("rest is %d", rest)
	}
}

// accounted tells where lines went.
func accounted(c *till, e Event, before Register) bool {
	switch e := e.(type) {
	case Clear, Erase, Undo:
		return c.r.Cleared != nil || len(c.r.Cart.Lines) > 0
	case Cancel:
		return !e.Keep
	case Park:
		return true
	case Next:
		return before.Phase == Settled && before.Sale.Ended == protocol.EntrySalePaid
	case Recall:
		return true
	}
	return before.Sale != nil
}

// TestTaxIsExact compares shares with exact arithmetic.
func TestTaxIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		amount, part := r.Int64N(2_000_000_000_000)-1_000_000_000_000, r.Int64N(10_000)
		whole := part + 10_000
		got := share(amount, part, whole)
		// 2·amount·part = (2·got − 1)·whole … (2·got + 1)·whole, the lower end included
		low, high := (2*got-1)*whole, (2*got+1)*whole
		if v := 2 * amount * part; v < low || v >= high {
			t.Fatalf("share(%d, %d, %d) = %d", amount, part, whole, got)
		}
	}
}
