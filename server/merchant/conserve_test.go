package merchant_test

import (
	"context"
	"net/http"
	"testing"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// TestMoneyIsConserved pays some hundred sales whole, in parts, with several coins
// and with spent ones, and compares what the shop was paid, what the mint took, and
// what the customers had.
func TestMoneyIsConserved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.purse(1000_00)
	const rounds = 40
	paid, refused := int64(0), 0
	for range rounds {
		whole, ten, one := p.coin(500), p.coin(1000), p.coin(100)
		for _, step := range []struct {
			price int64
			parts []int64
			coins []*taler.Coin
			good  bool
		}{
			{500, []int64{500}, []*taler.Coin{whole}, true},
			{300, []int64{300}, []*taler.Coin{ten}, true},
			{500, []int64{500}, []*taler.Coin{whole}, false},
			{750, []int64{700, 50}, []*taler.Coin{ten, one}, true},
			{51, []int64{51}, []*taler.Coin{one}, false},
			{50, []int64{50}, []*taler.Coin{one}, true},
		} {
			s := w.sell(step.price)
			c := w.contract(s)
			var ps taler.Permissions
			for i, coin := range step.coins {
				ps = append(ps, w.sign(c, step.parts[i], coin)...)
			}
			status, body := w.deposit(ps)
			switch {
			case step.good:
				w.paid(c, ps, status, body)
				paid += step.price
			case status != http.StatusForbidden:
				t.Fatalf("a spent coin pays: %d %s", status, body)
			default:
				refused++
			}
		}
	}
	status := must(p.client.Reserve(t.Context(), p.reserve.Public()))(t)
	withdrawn := int64(rounds * 1600)
	if got := must(status.Balance.Money())(t).Minor; got != 1000_00-withdrawn {
		t.Errorf("the reserve has %d, not %d", got, 1000_00-withdrawn)
	}
	booked, owed := int64(0), must(w.server.Debts(context.Background()))(t)
	sales := must(w.server.Sales(t.Context(), server.SaleFilter{Most: 1000}))(t)
	for _, s := range sales {
		if s.State == protocol.SaleConfirmed {
			booked += s.Total.Minor
		}
	}
	if booked != paid || paid != withdrawn || len(owed) != 0 || refused != 2*rounds {
		t.Errorf("booked %d, paid %d, withdrawn %d, owed %v, refused %d", booked, paid, withdrawn, owed, refused)
	}
}
