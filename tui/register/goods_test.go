package register

import (
	"testing"

	"till/protocol"
)

// withGoods is a counter whose espresso has kinds and is counted.
func withGoods(t *testing.T) *till {
	c := counter(t)
	s := shop()
	s.Items[0].Options = []string{"small", "large"}
	s.Items[0].Stock = ptr(int64(2))
	c.do(s)
	return c
}

func TestAnItemWithOptionsAsksWhichOne(t *testing.T) {
	c := withGoods(t)
	c.do(Typed{"espr"}, Next{})
	if len(c.r.Cart.Lines) != 0 || len(c.r.Found) != 2 || c.r.Found[1].Option != "large" {
		t.Fatalf("not asked: %+v, cart %+v", c.r.Found, c.r.Cart.Lines)
	}
	c.do(Move{1}, Next{})
	if l := c.r.Cart.Lines; len(l) != 1 || l[0].Name != "Espresso, large" || l[0].SKU != "101" || c.r.Text != "" {
		t.Errorf("cart %+v", l)
	}
	c.do(Scanned{"101"}, Select{0})
	if l := c.r.Cart.Lines; len(l) != 2 || l[1].Name != "Espresso, small" {
		t.Errorf("scanned: cart %+v", l)
	}
	c.do(Scanned{"101"}, Back{})
	if l := c.r.Cart.Lines; len(l) != 2 || c.r.Text != "" {
		t.Errorf("given up: cart %+v", l)
	}
}

func TestStockThatRunsOutIsToldAndNotRefused(t *testing.T) {
	c := withGoods(t)
	for range 2 {
		c.do(Scanned{"101"}, Next{})
	}
	if c.r.Note.Why != "" {
		t.Fatalf("told too early: %v", c.r.Note)
	}
	if left, counted := c.r.Left(c.r.Items[0]); left != 0 || !counted {
		t.Errorf("%d left", left)
	}
	c.do(Scanned{"101"}, Next{})
	if c.r.Note.Why != WhyNoStock || c.r.Cart.Lines[0].Quantity != 3000 {
		t.Errorf("%v, cart %+v", c.r.Note, c.r.Cart.Lines)
	}
	if _, counted := c.r.Left(c.r.Items[1]); counted {
		t.Error("what is not counted is counted")
	}
}

func TestDiscountsAreInPercentOrInAmountWithAReason(t *testing.T) {
	c := counter(t)
	c.do(Scanned{"201"}, Digits{"10"}, Discount{})
	if d := c.r.Cart.Lines[0].Discount; d == nil || *d != eur(48) || c.r.Discounted != 0 {
		t.Fatalf("10 percent: %v", c.r.Cart.Lines[0])
	}
	c.do(Digits{"100"}, Deduct{})
	if d := c.r.Cart.Lines[0].Discount; d == nil || *d != eur(100) {
		t.Fatalf("1.00 off: %v", c.r.Cart.Lines[0])
	}
	c.do(Reason{0, " broken\n"})
	if l := c.r.Cart.Lines[0]; l.Reason != "broken" || c.r.Total() != eur(380) {
		t.Errorf("%+v of %v", l, c.r.Total())
	}
	c.do(Digits{"481"}, Deduct{})
	if l := c.r.Cart.Lines[0]; c.r.Note.Why != WhyTooManyOff || *l.Discount != eur(100) || l.Reason != "broken" {
		t.Errorf("more than all off: %v, %+v", c.r.Note, l)
	}
	c.do(Back{}, Next{}, Choose{protocol.TenderBitcoin})
	if l := c.r.Sale.Opening.Lines[0]; l.Reason != "broken" || c.r.Sale.Opening.Total != eur(380) {
		t.Errorf("journaled as %+v", l)
	}
}

func TestADiscountOfNothingIsNone(t *testing.T) {
	c := counter(t)
	c.do(Scanned{"201"}, Digits{"10"}, Discount{}, Point{}, Digits{"0"}, Discount{})
	if l := c.r.Cart.Lines[0]; l.Discount != nil || c.r.Discounted != -1 {
		t.Errorf("%+v", l)
	}
}
