package server

import (
	"testing"

	"till/protocol"
)

func TestAddressLeasedWhileTheOthersAreReadStaysWatched(t *testing.T) {
	t.Parallel()
	w := newWatch()
	w.add([]Address{{Text: "old", Script: "old"}})
	w.reload()
	w.add([]Address{{Text: "new", Script: "new"}}) // its row is not among what was read
	w.load([]*LeasedAddress{{Address: Address{Text: "old", Script: "old"}}}, 1)
	w.take(1)
	w.changed(Change{Scripts: []Script{"new", "old", "foreign"}})
	if got := w.take(1); len(got.addresses) != 2 {
		t.Fatalf("compared %v", got.addresses)
	}
	w.reload()
	w.load(nil, 2) // nothing is watched any more
	w.changed(Change{Scripts: []Script{"new", "old"}})
	if got := w.take(2); len(got.addresses) != 0 {
		t.Fatalf("compared %v", got.addresses)
	}
}

func TestClockAndBlocksBringWhatTheyMayChange(t *testing.T) {
	t.Parallel()
	w := newWatch()
	w.load([]*LeasedAddress{{Address: Address{Text: "a", Script: "a"}}, {Address: Address{Text: "b", Script: "b"}}}, noon)
	w.take(noon)
	w.remind(map[protocol.SaleID]protocol.Time{"soon": noon + 5, "later": noon + 9})
	if got := w.take(noon + 4); len(got.sales) != 0 || got.next != noon+5 {
		t.Fatalf("%+v", got)
	}
	if got := w.take(noon + 5); len(got.sales) != 1 || got.sales[0] != "soon" || got.next != noon+9 {
		t.Fatalf("%+v", got)
	}
	p := &part{address: &LeasedAddress{Address: Address{Script: "a"}}, payments: []*SeenPayment{{Payment: Payment{Height: 10}}}}
	w.settled(&account{parts: []*part{p}}, Tip{Height: 10})
	w.changed(Change{TipMoved: true})
	if got := w.take(noon + 5); len(got.addresses) != 1 || got.addresses[0] != "a" {
		t.Fatalf("a block brings %+v", got)
	}
	w.settled(&account{parts: []*part{p}}, Tip{Height: 10 + shallowDepth})
	w.changed(Change{TipMoved: true})
	if got := w.take(noon + 5); len(got.addresses) != 0 {
		t.Fatalf("a block brings what is deep: %+v", got)
	}
	if got := w.take(noon.Add(reloadEvery)); !got.everything {
		t.Fatal("a day later nothing is read again")
	}
}
