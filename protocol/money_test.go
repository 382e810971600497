package protocol

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestConversionsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	span := func(most int64) int64 { // all magnitudes alike
		return r.Int64N(int64(math.Pow(2, r.Float64()*math.Log2(float64(most)))) + 1)
	}
	refused := 0
	for range 200_000 {
		minor, rate, sat := span(MaxMinor), Rate(span(MaxMinor-1)+1), Sat(span(int64(MaxSat)))
		product := new(big.Int).Mul(big.NewInt(minor), big.NewInt(int64(SatPerBitcoin)))
		down, rest := new(big.Int).QuoRem(product, big.NewInt(int64(rate)), new(big.Int))
		up := new(big.Int).Set(down)
		if rest.Sign() > 0 {
			up.Add(up, big.NewInt(1))
		}
		for _, c := range []struct {
			name string
			f    func(int64) (Sat, error)
			want *big.Int
		}{{"charge", rate.Charge, up}, {"payout", rate.Payout, down}} {
			got, err := c.f(minor)
			fits := c.want.Cmp(big.NewInt(int64(MaxSat))) <= 0
			if fits != (err == nil) || fits && int64(got) != c.want.Int64() {
				t.Fatalf("%s of %d at %d: %d, %v, want %s", c.name, minor, rate, got, err, c.want)
			}
			if !fits {
				refused++
				if !errors.Is(err, ErrAmount) {
					t.Fatalf("%s: %v", c.name, err)
				}
			}
		}
		value := new(big.Int).Mul(big.NewInt(int64(sat)), big.NewInt(int64(rate)))
		value.Quo(value, big.NewInt(int64(SatPerBitcoin)))
		got, err := rate.Value(sat)
		fits := value.Cmp(big.NewInt(MaxMinor)) <= 0
		if fits != (err == nil) || fits && got != value.Int64() {
			t.Fatalf("value of %d at %d: %d, %v, want %s", sat, rate, got, err, value)
		}
		// What is charged is never worth less than the price.
		if due, err := rate.Charge(minor); err == nil {
			if back, err := rate.Value(due); err == nil && back < minor {
				t.Fatalf("%d at %d charges %d, which is worth %d", minor, rate, due, back)
			}
		}
	}
	if refused == 0 {
		t.Error("no amount was too large")
	}
}

func TestConversionsRefuseWhatIsOutOfRange(t *testing.T) {
	for _, test := range []struct {
		rate  Rate
		minor int64
	}{{0, 1}, {-1, 1}, {MaxMinor + 1, 1}, {1, -1}, {1, MaxMinor + 1}, {1, MaxMinor}, {math.MinInt64, math.MaxInt64}, {math.MaxInt64, math.MaxInt64}} {
		if got, err := test.rate.Charge(test.minor); !errors.Is(err, ErrAmount) {
			t.Errorf("%d at %d charges %d, %v", test.minor, test.rate, got, err)
		}
		if got, err := test.rate.Payout(test.minor); !errors.Is(err, ErrAmount) {
			t.Errorf("%d at %d pays %d, %v", test.minor, test.rate, got, err)
		}
	}
	if _, err := Rate(1).Value(-1); err == nil {
		t.Error("a negative amount has a value")
	}
	if got, err := Rate(5_812_345).Charge(0); err != nil || got != 0 {
		t.Errorf("nothing costs %d, %v", got, err)
	}
}

func TestMoneyAddsWithinItsRangeAndCurrency(t *testing.T) {
	m := func(c Currency, v int64) Money { return Money{c, v} }
	if got, err := m("EUR", 5).Add(m("EUR", -7)); err != nil || got != m("EUR", -2) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := m("EUR", 5).Sub(m("EUR", 7)); err != nil || got != m("EUR", -2) {
		t.Errorf("%v, %v", got, err)
	}
	for _, pair := range [][2]Money{
		{m("EUR", 1), m("USD", 1)}, {m("EUR", MaxMinor), m("EUR", 1)}, {m("EUR", -MaxMinor), m("EUR", -1)},
		{m("EUR", math.MaxInt64), m("EUR", 1)}, {m("EUR", 1), m("EUR", math.MinInt64)},
	} {
		if got, err := pair[0].Add(pair[1]); !errors.Is(err, ErrAmount) {
			t.Errorf("%v + %v = %v, %v", pair[0], pair[1], got, err)
		}
		if got, err := pair[0].Sub(pair[1]); pair[1].Minor == math.MinInt64 && !errors.Is(err, ErrAmount) {
			t.Errorf("%v − %v = %v, %v", pair[0], pair[1], got, err)
		}
	}
}

func TestMoneyIsWrittenInItsUnit(t *testing.T) {
	for _, test := range []struct {
		money Money
		want  string
	}{
		{Money{"EUR", 1250}, "EUR 12.50"}, {Money{"EUR", 5}, "EUR 0.05"}, {Money{"EUR", -5}, "EUR -0.05"}, {Money{"EUR", 0}, "EUR 0.00"},
		{Money{"JPY", 1200}, "JPY 1200"}, {Money{"JPY", -1}, "JPY -1"}, {Money{"KWD", 1234}, "KWD 1.234"}, {Money{"EUR", math.MinInt64}, "EUR -92233720368547758.08"},
	} {
		if got := test.money.String(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
	for sat, want := range map[Sat]string{21163: "0.00021163", 0: "0.00000000", MaxSat: "21000000.00000000", -1: "-0.00000001", math.MinInt64: "-92233720368.54775808"} {
		if got := sat.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for text, want := range map[string]Sat{"0.00021163": 21163, "1": SatPerBitcoin, "21000000": MaxSat, "0": 0, "007.5": 750_000_000} {
		if got, err := ParseBitcoin(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", ".5", "1.", "-1", "+1", "1e3", "1,5", " 1", "0.000000001", "21000000.00000001", "99999999999999999999", "１"} {
		if got, err := ParseBitcoin(bad); !errors.Is(err, ErrAmount) {
			t.Errorf("%q: %d, %v", bad, got, err)
		}
	}
	if _, err := ParseMoney("JPY", "1.5"); !errors.Is(err, ErrAmount) {
		t.Errorf("half a yen: %v", err)
	}
	for currency, want := range map[Currency]bool{"EUR": true, "eur": false, "EU": false, "EURO": false, "E1R": false, "": false} {
		if currency.Valid() != want {
			t.Errorf("currency %q: %v", currency, !want)
		}
	}
}

func TestALineIsRoundedHalfUp(t *testing.T) {
	for _, test := range []struct{ quantity, price, discount, want int64 }{
		{1500, 820, 0, 1230}, {1000, 1, 0, 1}, {500, 1, 0, 1}, {499, 1, 0, 0}, {1500, 1, 0, 2}, {333, 100, 0, 33}, {1000, 820, 20, 800},
		{-1000, 100, 0, -100}, {-500, 1, 0, 0}, {-501, 1, 0, -1}, {-1500, 1, 0, -1},
	} {
		line := Line{Name: "x", Quantity: test.quantity, Price: Money{"EUR", test.price}}
		if test.discount != 0 {
			line.Discount = &Money{"EUR", test.discount}
		}
		if got, err := line.Total(); err != nil || got.Minor != test.want {
			t.Errorf("%+v: %v, %v", test, got, err)
		}
	}
	for _, bad := range []Line{
		{Quantity: MaxQuantity + 1, Price: Money{"EUR", 1}}, {Quantity: 1, Price: Money{"EUR", MaxLinePrice + 1}},
		{Quantity: MaxQuantity, Price: Money{"EUR", MaxLinePrice}}, {Quantity: 1, Price: Money{"", 1}},
	} {
		if got, err := bad.Total(); !errors.Is(err, ErrAmount) {
			t.Errorf("%+v: %v, %v", bad, got, err)
		}
	}
}

func TestTheSumsOfASaleAreChecked(t *testing.T) {
	eur := func(v int64) Money { return Money{"EUR", v} }
	tip := eur(50)
	lines := []Line{{Name: "a", Quantity: 1000, Price: eur(100)}, {Name: "b", Quantity: 2000, Price: eur(200)}}
	for _, test := range []struct {
		name string
		sale SaleOpened
		want error
	}{
		{"as it says", SaleOpened{Total: eur(77)}, nil},
		{"lines", SaleOpened{Total: eur(500), Lines: lines}, nil},
		{"lines and tip", SaleOpened{Total: eur(550), Lines: lines, Tip: &tip}, nil},
		{"tax beside the prices", SaleOpened{Total: eur(600), Lines: lines, Tax: []TaxShare{{Tax: eur(30)}, {Tax: eur(100)}}}, nil},
		{"a cent too much", SaleOpened{Total: eur(501), Lines: lines}, ErrSums},
		{"the tip left out", SaleOpened{Total: eur(500), Lines: lines, Tip: &tip}, ErrSums},
		{"another currency", SaleOpened{Total: Money{"USD", 500}, Lines: lines}, ErrAmount},
		{"a line out of range", SaleOpened{Total: eur(1), Lines: []Line{{Quantity: MaxQuantity + 1, Price: eur(1)}}}, ErrAmount},
	} {
		if err := test.sale.CheckSums(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"12.50", "0", "12,50", "-1", "999999999999999", ".5", "1e9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range []Currency{"EUR", "JPY", "KWD"} {
			m, err := ParseMoney(c, text)
			if err != nil {
				continue
			}
			again, err := ParseMoney(c, m.Decimal())
			if err != nil || again != m || !m.Valid() || m.Minor < 0 {
				t.Errorf("%q is %v, again %v, %v", text, m, again, err)
			}
		}
		if s, err := ParseBitcoin(text); err == nil {
			if again, err := ParseBitcoin(s.String()); err != nil || again != s {
				t.Errorf("%q is %d, again %d, %v", text, s, again, err)
			}
		}
	})
}
