package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTimeHasOneForm(t *testing.T) {
	for text, want := range map[string]Time{
		"1970-01-01T00:00:00.000Z": 0, "2026-11-22T03:30:00.000Z": 1795318200000, "9999-12-31T23:59:59.999Z": maxTime,
	} {
		got, err := ParseTime(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d %s, %v", text, got, got, err)
		}
	}
	for _, bad := range []string{"", "2026-11-22T03:30:00Z", "2026-11-22T03:30:00.0000Z", "2026-11-22T03:30:00.000+00:00", "2026-11-22t03:30:00.000z", "2026-11-22 03:30:00.000Z",
		"2026-02-29T03:30:00.000Z", "2026-11-22T24:00:00.000Z", "1969-12-31T23:59:59.999Z", "2026-11-22T03:30:60.000Z", "2026-11-22T03:30:00,000Z", "2026-1-22T03:30:00.000Z"} {
		if got, err := ParseTime(bad); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
	for _, bad := range []string{`1795318200000`, `""`, `null`, `"2026-11-22T03:30:00.000Z`} {
		var at Time
		if err := at.UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	if _, err := json.Marshal(Time(-1)); err == nil {
		t.Error("a moment before 1970 was written")
	}
	at := TimeOf(time.Date(2026, 11, 22, 3, 30, 0, 1_999_999, time.FixedZone("", 3600)))
	if at.String() != "2026-11-22T02:30:00.001Z" || at.Add(time.Second).Sub(at) != time.Second || !at.Time().Equal(time.UnixMilli(int64(at))) {
		t.Errorf("%s", at)
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2026-11-22T03:30:00.000Z")
	f.Add("2026-11-22T03:30:00.000+01:00")
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := ParseTime(text); err == nil && (at.String() != text || !at.Valid()) {
			t.Errorf("%q is written %q", text, at)
		}
	})
}

func TestAnIDIsAVersion7UUIDInLowerCase(t *testing.T) {
	id, err := NewID(time.UnixMilli(0x0193c0de0000), bytes.NewReader(bytes.Repeat([]byte{0xff}, 10)))
	if err != nil || id != "0193c0de-0000-7fff-bfff-ffffffffffff" || !id.Valid() {
		t.Errorf("%s, %v", id, err)
	}
	if _, err := NewID(time.Now(), strings.NewReader("short")); err == nil {
		t.Error("an id without chance")
	}
	for _, bad := range []ID{"", id[1:], "0193c0de-0000-4fff-bfff-ffffffffffff", "0193c0de-0000-7fff-cfff-ffffffffffff", "0193C0DE-0000-7fff-bfff-ffffffffffff", "0193c0de_0000-7fff-bfff-ffffffffffff", "0193c0dg-0000-7fff-bfff-ffffffffffff"} {
		if bad.Valid() {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestEveryErrorComesBackAsItLeft(t *testing.T) {
	seven := int64(7)
	for code, row := range codes {
		for _, e := range []*Error{
			{Code: code},
			{Code: code, Message: "in other words", Retry: RetrySameID, Ref: "0193c0de-0000-7000-8000-000000000005", Member: "keys[0]", Time: 5, Journal: &seven, Hash: NoHash},
		} {
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var got Error
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			want := *e
			if want.Message == "" {
				want.Message = row.message
			}
			if row.rpc != applicationError {
				want.Retry = "" // the standard's errors carry none
			} else if want.Retry == "" {
				want.Retry = row.retry
			}
			if got.Journal != nil && want.Journal != nil {
				got.Journal, want.Journal = nil, nil
			}
			if got != want || !errors.Is(&got, code) {
				t.Errorf("%s came back as %+v, want %+v", text, got, want)
			}
		}
		if code.Message() == "" || code.HTTP() < 400 || code.RPC() > applicationError || row.retry == "" {
			t.Errorf("%s: %+v", code, row)
		}
	}
	var got Error
	for text, want := range map[string]Code{
		`{"code":-32603,"message":"m"}`:                                     CodeInternal,
		`{"code":-32000,"message":"m","data":{"reason":"of_next_year"}}`:    CodeInternal,
		`{"code":-32000,"message":"m","data":"text"}`:                       CodeInternal,
		`{"code":-32602,"message":"m","data":{"member":"a","x":{"y":1.5}}}`: CodeInvalidParams,
	} {
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Code != want || got.Message != "m" {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	if _, err := json.Marshal(&Error{Code: "nonsense"}); err == nil {
		t.Error("a code that is not in the table left")
	}
	for e, want := range map[*Error]string{{Code: CodeNoFunds}: "there is nothing to take", {Code: CodeInvalidParams, Member: "a", Message: "b"}: "a: b", Errorf(CodeNoFunds, "no %d", 7): "no 7"} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

func TestStatesMoveAsTheirTablesSay(t *testing.T) {
	golden(t, "sale.mmd", []byte(SaleDiagram()))
	golden(t, "payout.mmd", []byte(PayoutDiagram()))
	for _, test := range []struct {
		from, to SaleState
		want     bool
	}{
		{SaleOpen, SaleSeen, true}, {SaleAccepted, SaleOpen, true}, {SaleExpired, SaleSeen, true}, {SaleCancelled, SaleOpen, false},
		{SaleCancelled, SaleSeen, false}, {SaleConfirmed, SaleCancelled, true}, {SaleOpen, SaleOpen, false}, {"", SaleOpen, false},
	} {
		if test.from.CanBecome(test.to) != test.want {
			t.Errorf("%s to %s: %v", test.from, test.to, !test.want)
		}
	}
	for _, test := range []struct {
		from, to PayoutState
		want     bool
	}{
		{PayoutReserved, PayoutSigned, true}, {PayoutSigned, PayoutUnknown, true}, {PayoutUnknown, PayoutRefused, true}, {PayoutRefused, PayoutSigned, false},
		{PayoutBroadcast, PayoutRefused, false}, {PayoutConfirmed, PayoutRefused, false}, {PayoutNever, PayoutReserved, false},
	} {
		if test.from.CanBecome(test.to) != test.want {
			t.Errorf("%s to %s: %v", test.from, test.to, !test.want)
		}
	}
	order := []SaleState{"", SaleCancelled, SaleExpired, SaleOpen, SaleSeen, SaleAccepted, SaleConfirmed}
	if !slices.IsSortedFunc(order, func(a, b SaleState) int { return a.Rank() - b.Rank() }) {
		t.Error("the ranks are not in order")
	}
}

func TestEveryStepOfATableIsNamedOnceAndReachable(t *testing.T) {
	check(t, saleTable, SaleOpen)
	check(t, payoutTable, PayoutReserved)
}

func check[S ~string](t *testing.T, table table[S], first S) {
	t.Helper()
	reached := map[S]bool{first: true}
	for range table {
		for _, step := range table {
			if reached[step.from] {
				reached[step.to] = true
			}
		}
	}
	seen := map[[2]S]bool{}
	for _, step := range table {
		pair := [2]S{step.from, step.to}
		if seen[pair] || !reached[step.from] || step.why == "" || step.from == step.to {
			t.Errorf("step %v", step)
		}
		seen[pair] = true
	}
}

func TestAcceptanceStepsByAmount(t *testing.T) {
	fifty, thousand := Money{"EUR", 5000}, Money{"EUR", 100_000}
	steps := []Step{{&fifty, 0}, {&thousand, 1}, {nil, 3}}
	for minor, want := range map[int64]int64{1: 0, 5000: 0, 5001: 1, 100_000: 1, 100_001: 3} {
		if got := StepFor(steps, Money{"EUR", minor}); got != want {
			t.Errorf("%d needs %d, want %d", minor, got, want)
		}
	}
	if HighestStep(steps) != 3 || HighestStep(nil) != 1 || HighestStep([]Step{{nil, 0}}) != 1 {
		t.Error("highest step")
	}
	if got := StepFor(steps[:2], Money{"EUR", 999_999}); got != 1 {
		t.Errorf("beyond the last step %d", got)
	}
}

const goodLink = "till://till.example.org:8443/enroll?ca=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855&code=ABCD-EFGH-JKMN"

func TestAPairingLinkIsCanonicalOrRefused(t *testing.T) {
	for _, host := range []string{"till.example.org:8443", "localhost:1", "127.0.0.1:8443", "[::1]:65535", "Till-1:80"} {
		text := strings.Replace(goodLink, "till.example.org:8443", host, 1)
		l, err := ParseLink(text)
		if err != nil || l.URL() != text || l.Host != host || l.Code.Reveal() != "ABCD-EFGH-JKMN" {
			t.Errorf("%s: %+v, %v", text, l, err)
		}
	}
	for what, bad := range map[string][2]string{
		"another scheme": {"till://", "https://"}, "no port": {":8443", ""}, "port 0": {":8443", ":0"}, "a padded port": {":8443", ":08443"}, "port 65536": {":8443", ":65536"},
		"a user": {"till.example", "u@till.example"}, "an address padded": {"till.example.org", "127.0.0.01"}, "bare IPv6": {"till.example.org", "::1"}, "long IPv6": {"till.example.org", "[0:0::1]"},
		"a zone": {"till.example.org", "[fe80::1%eth0]"}, "a space": {"till.example", "till example"}, "two dots": {"till.example", "till..example"}, "a hyphen first": {"till.ex", "-till.ex"},
		"another path": {"/enroll", "/enrol"}, "capital hex": {"e3b0", "E3B0"}, "short hex": {"e3b0", "e3b"}, "members swapped": {"ca=", "code="}, "a small code": {"ABCD", "abcd"},
		"an O": {"ABCD", "ABCO"}, "an I": {"ABCD", "ABCI"}, "no hyphens": {"ABCD-EFGH", "ABCDEFGHI"}, "more": {"JKMN", "JKMN&x=1"}, "a fragment": {"JKMN", "JKMN#"}, "a line end": {"JKMN", "JKMN\n"},
		"no host": {"till.example.org", ""}, "too long": {"till.example.org", strings.Repeat("a.", 300) + "org"},
	} {
		text := strings.Replace(goodLink, bad[0], bad[1], 1)
		if l, err := ParseLink(text); err == nil {
			t.Errorf("%s: %s is taken as %+v", what, text, l)
		} else if strings.Contains(err.Error(), "EFGH") {
			t.Errorf("%s: the error repeats the code: %v", what, err)
		}
	}
	for name, want := range map[string]bool{"bar-1": true, "A.b_c": true, "": false, "bar 1": false, "bär": false, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false} {
		if ValidTerminalName(name) != want {
			t.Errorf("name %q: %v", name, !want)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add(goodLink)
	f.Add("till://[::1]:1/enroll?ca=&code=")
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := ParseLink(text); err == nil && l.URL() != text {
			t.Errorf("%q is written %q", text, l.URL())
		}
	})
}
