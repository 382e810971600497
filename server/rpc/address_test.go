package rpc_test

import (
	"slices"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// lease asks for addresses and gives their texts in order.
func (c *till) lease(want int, held, release []string) []string {
	c.t.Helper()
	params := object{"want": want}
	if held != nil {
		params["held"] = held
	}
	if release != nil {
		params["release"] = release
	}
	var r protocol.GetAddressResult
	c.call("getaddress", params).into(&r)
	var texts []string
	for _, a := range r.Addresses {
		if a.Path == "" || a.Leased == 0 {
			c.t.Errorf("lease %+v lacks path or time", a)
		}
		texts = append(texts, a.Address)
	}
	return texts
}

func TestGetAddressIsRepeatableAndListsWhatIsNotHeldFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c, other := s.enroll("kasse1"), s.enroll("kasse2")
	first := c.lease(5, nil, nil)
	if len(first) != 5 {
		t.Fatalf("%d addresses", len(first))
	}
	for range 2 {
		if again := c.lease(5, first, nil); !slices.Equal(again, first) {
			t.Errorf("got %v, want the same %v", again, first)
		}
	}
	if some := c.lease(5, first[:3], nil); !slices.Equal(some, slices.Concat(first[3:], first[:3])) {
		t.Errorf("got %v, want %v first", some, first[3:])
	}
	if more := c.lease(7, first, nil); len(more) != 7 || slices.Contains(first, more[0]) || slices.Contains(first, more[1]) {
		t.Errorf("got %v, want two new ones first", more)
	}
	if less := c.lease(0, nil, nil); len(less) != 7 {
		t.Errorf("got %d addresses, want all 7 whatever is wanted", len(less))
	}
	for _, a := range other.lease(5, first, nil) {
		if slices.Contains(first, a) {
			t.Errorf("%s is leased to two terminals", a)
		}
	}
}

func TestAReleasedAddressRestsADayAndIsThenAnyones(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c, other := s.enroll("kasse1"), s.enroll("kasse2")
	had := c.lease(2, nil, nil)
	if left := c.lease(0, nil, had[:1]); !slices.Equal(left, had[1:]) {
		t.Fatalf("left %v, want %v", left, had[1:])
	}
	for _, c := range []*till{c, other} {
		if slices.Contains(c.lease(3, nil, nil), had[0]) {
			t.Fatal("it was leased again at once")
		}
	}
	s.clock.advance(24*time.Hour + time.Minute)
	if again := other.lease(4, nil, nil); !slices.Contains(again, had[0]) {
		t.Errorf("got %v, want the rested %s before a new one", again, had[0])
	}
}

func TestOnlyTheCallersUnseenAddressesAreReleased(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c, thief := s.enroll("kasse1"), s.enroll("kasse2")
	had := c.lease(3, nil, nil)
	named, paid, unseen := had[0], had[1], had[2]
	c.entry("token_received", object{"token": "x", "kind": "printed", "note": "shown as " + named})
	c.stands(c.sends(c.journal...), 1)
	if _, err := s.chain.Pay(t.Context(), paid, 1000, 5000, true); err != nil {
		t.Fatal(err)
	}
	s.until("the payment is seen", func() bool {
		return slices.ContainsFunc(c.leased(), func(a *server.LeasedAddress) bool { return a.Text == paid && a.Seen })
	})
	thief.lease(0, nil, had)
	if left := c.lease(0, nil, nil); len(left) != 3 {
		t.Fatalf("another terminal gave back what was not its own: left %v", left)
	}
	left := c.lease(0, nil, slices.Concat(had, []string{"", "bc1nonsense"}))
	if slices.Contains(left, unseen) || !slices.Contains(left, named) || !slices.Contains(left, paid) {
		t.Errorf("left %v; want %s named and %s paid kept, %s given back", left, named, paid, unseen)
	}
}

func TestTheGapLimitMakesALeaseShort(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(o *server.Settings) { o.GapLimit = 5 })
	c, other := s.enroll("kasse1"), s.enroll("kasse2")
	var r protocol.GetAddressResult
	c.call("getaddress", object{"want": 4}).into(&r)
	if len(r.Addresses) != 4 || r.Short {
		t.Fatalf("got %d, short %v", len(r.Addresses), r.Short)
	}
	other.call("getaddress", object{"want": 4}).into(&r)
	if len(r.Addresses) != 1 || !r.Short {
		t.Fatalf("got %d, short %v; want the one that is left", len(r.Addresses), r.Short)
	}
}

func TestQueryAddressTellsWhatIsConfirmedAndWhatIsPending(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	const address = keyAddress
	ask := func() (r protocol.QueryAddressResult) {
		t.Helper()
		c.call("queryaddress", object{"addresses": []string{address}}).into(&r)
		return r
	}
	if r := ask(); r.ConfirmedSat != 0 || r.UsableSat != 0 || len(r.Funds) != 1 || r.Funds[0].Address != address {
		t.Errorf("an unused address: %+v", r)
	}
	if _, err := s.chain.Pay(t.Context(), address, 150000, 5000, true); err != nil {
		t.Fatal(err)
	}
	if r := ask(); r.ConfirmedSat != 0 || *r.PendingSat != 150000 {
		t.Errorf("in the mempool: %+v", r)
	}
	if _, err := s.chain.Mine(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if r := ask(); r.ConfirmedSat != 150000 || *r.PendingSat != 0 || r.SweepFeeSat <= 0 || r.UsableSat != r.ConfirmedSat-r.SweepFeeSat || r.Funds[0].Outputs != 1 {
		t.Errorf("in a block: %+v", r)
	}
}

func TestQueryAddressTakesAddressesOfThisNetworkOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	for address, word := range map[string]string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4":   "wrong_network",
		"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa":           "wrong_network",
		"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081": "address_invalid",
		"nonsense": "address_invalid",
		"":         "address_invalid",
	} {
		c.call("queryaddress", object{"addresses": []string{address}}).fails(-32000, word)
	}
	s.chain.NodeDown(true)
	c.call("queryaddress", object{"addresses": []string{"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"}}).fails(-32000, "chain_unavailable")
}
