package protocol

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// A member that is added to the result and forgotten in its encoder shows here.
func TestACheckInIsWrittenAsAnyOtherValue(t *testing.T) {
	full := CheckInResult{Time: 1_700_000_000_123, Log: "01890a5d-ac96-774b-bcce-b302099a8057", Journal: 9, More: true, Poll: 15,
		Entropy: strings.Repeat("ab", 32), Alerts: List[Alert]{{Seq: 3, At: 5, Kind: AlertQuote, Body: []byte(`{"reason":"x<y"}`)}},
		Quotes:  List[Quote]{{ID: "q", Key: "k1", Currency: "EUR", Buy: 1, Sell: 2, At: 1, Until: 2, Sig: "00"}},
		NoQuote: &NoQuote{Reason: "rate_stale", Message: "no \"source\"", Since: 4}, PayoutLeft: &Money{"EUR", 46000}, Config: &Config{Version: 2, Currency: "EUR"}}
	if v := reflect.ValueOf(full); v.NumField() != 11 {
		t.Errorf("the result has %d members: this test fills 11", v.NumField())
	}
	for name, r := range map[string]CheckInResult{"full": full, "empty": {}, "odd": {Log: "a\"b\u2028ü", Entropy: "\\"}} {
		want, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Encode(nil)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
		quotes, err := Encode(r.Quotes)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Encode(quotes); err != nil || string(got) != string(want) || !json.Valid(got) {
			t.Errorf("%s with its quotes' text: %v %s", name, err, got)
		}
	}
}
