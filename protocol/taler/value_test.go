package taler

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"till/protocol"
)

func TestTimesHaveOneSpelling(t *testing.T) {
	for _, text := range []string{"/Date(1000)/", "/Date(1421000000000)/", "/Date(9999999999000)/"} {
		if got, err := ParseTime(text); err != nil || got.String() != text {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "/Date(0)/", "/Date(-1000)/", "/Date(+1000)/", "/Date(01000)/", "/Date(1421000000)/ ",
		"/Date(1421000000001)/", "/Date(10000000000000)/", "/Date(1000)", "1000", "/date(1000)/", "/Date(1000)/)/",
	} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	at := time.Date(2015, 1, 11, 18, 13, 20, 999, time.UTC)
	if got := TimeAt(at); got != 1421000000000 || !got.Time().Equal(at.Truncate(time.Second)) {
		t.Errorf("%s is %s", at, got)
	}
}

func FuzzTime(f *testing.F) {
	f.Add("/Date(1421000000000)/")
	f.Add("/Date(01000)/")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := ParseTime(text); err == nil && got.String() != text {
			t.Fatalf("%q is %s", text, got)
		}
	})
}

func TestAmountsAreChecked(t *testing.T) {
	most := Amount{"EUR", math.MaxUint32, 999_999}
	if got := must(Sum(eur(1_500_000), eur(500_000), eur(1))); got != (Amount{"EUR", 2, 1}) {
		t.Errorf("sum %s", got)
	}
	if got := must(eur(2_000_001).Sub(eur(2))); got != eur(1_999_999) {
		t.Errorf("difference %s", got)
	}
	for name, err := range map[string]error{
		"overflow":       second(most.Add(eur(1))),
		"below nothing":  second(eur(1).Sub(eur(2))),
		"two currencies": second(eur(1).Add(Amount{"USD", 1, 0})),
		"comparison":     second(eur(1).Cmp(Amount{"USD", 1, 0})),
		"no currency":    second(NewAmount("eur", 1)),
	} {
		if !errors.Is(err, protocol.ErrAmount) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for a, want := range map[Amount]string{eur(1_500_000): "EUR 1.50", eur(1): "EUR 0.000001", eur(12_340_000): "EUR 12.34", most: "EUR 4294967295.999999"} {
		if a.String() != want {
			t.Errorf("%s instead of %s", a, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestMoneyAndAmountsConvertExactlyOrNot(t *testing.T) {
	for _, c := range []struct {
		money  protocol.Money
		amount Amount
	}{
		{protocol.Money{Currency: "EUR", Minor: 150}, eur(1_500_000)},
		{protocol.Money{Currency: "JPY", Minor: 1200}, Amount{"JPY", 1200, 0}},
		{protocol.Money{Currency: "KWD", Minor: 1001}, Amount{"KWD", 1, 1000}},
		{protocol.Money{Currency: "EUR"}, eur(0)},
	} {
		if got, err := FromMoney(c.money); err != nil || got != c.amount {
			t.Errorf("%s is %s, %v", c.money, got, err)
		}
		if got, err := c.amount.Money(); err != nil || got != c.money {
			t.Errorf("%s is %s, %v", c.amount, got, err)
		}
	}
	for _, m := range []protocol.Money{{Currency: "EUR", Minor: -1}, {Currency: "JPY", Minor: math.MaxUint32 + 1}, {Currency: "KRW", Minor: protocol.MaxMinor}} {
		if got, err := FromMoney(m); err == nil {
			t.Errorf("%s is %s", m, got)
		}
	}
	if got, err := eur(1_000_001).Money(); err == nil {
		t.Errorf("a millionth is %s", got)
	}
}

func TestTransactionsKeepTheTopBitClear(t *testing.T) {
	if _, err := ParseTransactionID("FZZZZZZZZZZZY"); err != nil {
		t.Error(err)
	}
	if got, err := ParseTransactionID("G000000000000"); err == nil {
		t.Errorf("the top bit is read: %d", got)
	}
	if id := must(NewTransactionID(strings.NewReader("\xff\xff\xff\xff\xff\xff\xff\xff"))); id>>63 != 0 {
		t.Errorf("%x", uint64(id))
	}
}

func TestSecretsPrintNothing(t *testing.T) {
	v := loadVectors()
	wire := Wire{Type: SEPA, IBAN: "DE67830654080004822650", Name: "GNUnet e.V."}
	secret := SecretFrom([32]byte{1, 2, 3})
	key := v.private("coin")
	coin := Coin{Key: key}
	leaks := []string{"178 193", "178,193", "b2c165e0", "PB0PBR1E", "DE67", "GNUnet", "1 2 3", "010203", "0x1, 0x2"}
	type nest struct {
		K PrivateKey
		k PrivateKey
		s Secret
		p Planchet
		d *DenomSecret
	}
	for _, x := range []any{key, &key, secret, &secret, coin, wire, &wire, *denomSecret(), nest{key, key, secret, Planchet{key, secret}, denomSecret()}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			text := fmt.Sprintf(verb, x)
			for _, leak := range leaks {
				if strings.Contains(text, leak) {
					t.Errorf("%T prints %s with %s", x, text, verb)
				}
			}
		}
		text, err := json.Marshal(x)
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", x)
		for _, leak := range leaks {
			if err != nil || strings.Contains(string(text), leak) || strings.Contains(log.String(), leak) {
				t.Errorf("%T writes %s, %s, %v", x, text, log.String(), err)
			}
		}
	}
	if got := fmt.Sprintf("%v %x", key, secret); got != "[secret] [secret]" {
		t.Error(got)
	}
}

func TestKeysAreTextInConfigurations(t *testing.T) {
	var c struct{ Master PublicKey }
	want := loadVectors().public("master")
	if err := json.Unmarshal([]byte(`{"Master":"`+want.String()+`"}`), &c); err != nil || c.Master != want {
		t.Errorf("%s, %v", c.Master, err)
	}
	if got, err := json.Marshal(c); err != nil || !strings.Contains(string(got), want.String()) {
		t.Errorf("%s, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"Master":"AB"}`), &c); !errors.Is(err, ErrBase32) {
		t.Error(err)
	}
}

func TestWipedSecretsAreGoneInEveryCopy(t *testing.T) {
	secret := SecretFrom([32]byte{1})
	twin := secret
	if !twin.Equal(SecretFrom([32]byte{1})) || twin.Equal(SecretFrom([32]byte{2})) {
		t.Error("secrets compare wrongly")
	}
	secret.Wipe()
	if twin.Reveal() != (Nonce{}) {
		t.Error("a copy remains")
	}
	key := PrivateKeyFromSeed([32]byte{1})
	key.Wipe()
	if key.Reveal() != [32]byte{} {
		t.Error("the seed remains")
	}
}
