package taler

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTheLotIsFair: over many draws the shop gets its price, whether the two sides
// draw anew each time or one of them, or both in turn, always says the same.
func TestTheLotIsFair(t *testing.T) {
	const draws = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	random := func() (n Nonce) {
		for i := range n {
			n[i] = byte(r.Uint32())
		}
		return n
	}
	fixed := random()
	for name, nonces := range map[string]func() (rm, rc Nonce){
		"both random":           func() (Nonce, Nonce) { return random(), random() },
		"a customer of a habit": func() (Nonce, Nonce) { return random(), fixed },
		"a shop of a habit":     func() (Nonce, Nonce) { return fixed, random() },
	} {
		for _, cents := range []uint64{1, 2, 4} {
			const coin = 5
			odds := must(OddsOf(eur(cents*10_000), eur(coin*10_000)))
			won := 0
			for range draws {
				rm, rc := nonces()
				if (Draw{rm, odds}).Won(rc) {
					won++
				}
			}
			p := float64(cents) / coin
			if off := math.Abs(float64(won) - draws*p); off > 5*math.Sqrt(draws*p*(1-p)) {
				t.Errorf("%s: %d of %d draws won for a price of %d %%", name, won, draws, int(100*p))
			}
		}
	}
}
