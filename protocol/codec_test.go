package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeNamesThePathOfWhatItRefuses(t *testing.T) {
	const id = `"0193c0de-0000-7000-8000-000000000005"`
	for _, test := range []struct {
		into         any
		text, member string
	}{
		{new(CheckIn), `{"devices":[{"name":"p","state":"ready","smell":1}]}`, "devices[0].smell"},
		{new(CheckIn), `{"Software":"x"}`, "Software"},
		{new(CheckIn), `{"devices":[{"name":"p"}]}`, "devices[0].state"},
		{new(CheckIn), `{"wait":31}`, "wait"},
		{new(CheckIn), `{"wait":-1}`, "wait"},
		{new(CheckIn), `{"wait":1.0}`, "wait"},
		{new(CheckIn), `{"wait":1e1}`, "wait"},
		{new(CheckIn), `{"wait":"1"}`, "wait"},
		{new(CheckIn), `{"wait":null}`, "wait"},
		{new(CheckIn), `{"alert":99999999999999999999}`, "alert"},
		{new(CheckIn), `{"alert":9007199254740992}`, "alert"},
		{new(CheckIn), `{"devices":null}`, "devices"},
		{new(CheckIn), `{"devices":{}}`, "devices"},
		{new(CheckIn), `{"devices":[null]}`, "devices[0]"},
		{new(CheckIn), `{"log":"0193C0DE-0000-7000-8000-000000000005"}`, "log"},
		{new(CheckIn), `{"log":"0193c0de-0000-4000-8000-000000000005"}`, "log"},
		{new(CheckIn), `{"journal":[{"seq":1,"at":"2026-11-22T08:00:00.000Z","kind":"x","body":{},"prev":"00"}]}`, "journal[0].prev"},
		{new(CheckIn), `{"journal":[{"seq":1,"at":"2026-11-22T08:00:00Z"}]}`, "journal[0].at"},
		{new(CheckIn), `{"journal":[{"seq":1}]}`, "journal[0].at"},
		{new(CheckIn), `{"software":"` + strings.Repeat("é", 129) + `"}`, "software"},
		{new(CheckIn), `[]`, ""},
		{new(CheckIn), `null`, ""},
		{new(GetAddress), `{}`, "want"},
		{new(GetAddress), `{"want":101}`, "want"},
		{new(GetAddress), `{"want":1,"held":[1]}`, "held[0]"},
		{new(QueryAddress), `{"addresses":[]}`, "addresses"},
		{new(Sweep), `{"id":` + id + `,"keys":[7]}`, "keys[0]"},
		{new(Sweep), `{"id":` + id + `,"keys":["L1key",["L2key"]]}`, "keys[1]"},
		{new(Sweep), `{"id":` + id + `,"due_sat":-1}`, "due_sat"},
		{new(Sweep), `{"id":` + id + `,"due_sat":2100000000000001}`, "due_sat"},
		{new(Dispense), `{"id":` + id + `,"amount_sat":1,"method":"post","address":"a","authcode":"c"}`, "method"},
		{new(Dispense), `{"id":` + id + `,"amount_sat":1,"method":"address","address":"a","authcode":"c","price":{"currency":"eur","minor":1}}`, "price.currency"},
		{new(Dispense), `{"id":` + id + `,"amount_sat":1,"method":"address","address":"a","authcode":"c","price":{"currency":"EUR"}}`, "price.minor"},
		{new(Dispense), `{"id":` + id + `,"amount_sat":1,"method":"address","address":"a","authcode":"c","price":{"currency":"EUR","minor":1000000000000001}}`, "price.minor"},
		{new(TenderAdded), `{"sale":` + id + `,"tender":` + id + `,"kind":"gold","amount":{"currency":"EUR","minor":1}}`, "kind"},
	} {
		err := Decode([]byte(test.text), test.into)
		var e *DecodeError
		if !errors.As(err, &e) || e.Syntax || e.Member != test.member {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if strings.Contains(e.Error(), "key\"") || strings.Contains(e.Error(), "L2key") {
			t.Errorf("the message repeats a value: %v", e)
		}
	}
}

func TestDecodeTakesWhatThePageShows(t *testing.T) {
	for text, into := range map[string]any{
		`{"software":"till/1.0.0 linux/arm64","config":7,"alert":1041,"addresses":12,"wait":20,"devices":[{"name":"printer","state":"ready"},{"name":"card","state":"fault","fault":"no_answer"}],"journal":[]}`: new(CheckIn),
		`{"want":20,"held":["a"],"release":["b"]}`: new(GetAddress),
		`{"addresses":["1"]}`:                      new(QueryAddress),
		`{"id":"0193c0de-0000-7000-8000-000000000005","keys":["L1"],"due_sat":100000,"change":"bc1"}`: new(Sweep),
		`{"id":"0193c0de-0000-7000-8000-000000000005"}`:                                               new(QueryNonce),
	} {
		if err := Decode([]byte(text), into); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestResultsMayHoldMoreThanIsKnown(t *testing.T) {
	var r CheckInResult
	text := `{"time":"2026-11-22T03:30:00.000Z","log":"0193c0de-0000-7000-8000-000000000005","journal":881,"alerts":[{"seq":1,"at":"2026-11-22T03:30:00.000Z","kind":"sale","sale":"x","new":[1.5]}],
		"more":false,"quotes":null,"poll":15,"entropy":"00","weather":{"a":1.5}}`
	if err := DecodeResult([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if r.Journal != 881 || len(r.Alerts) != 1 || string(r.Alerts[0].Body) != `{"sale":"x","new":[1.5]}` {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{`{"time":7}`, `{"journal":1.5}`, `{"journal":1,"journal":2}`, `{"alerts":[{"seq":1}]}`} {
		if err := DecodeResult([]byte(bad), &r); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestListsAreNeverNullOnTheWire(t *testing.T) {
	for _, v := range []any{CheckInResult{Log: "l"}, GetAddressResult{}, QueryAddressResult{}, SaleStatus{}, Incoming{}, Config{}, Catalogue{}, Quote{}, Item{}} {
		text, err := Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatal(err)
		}
		for i := range reflect.TypeOf(v).NumField() {
			f := reflect.TypeOf(v).Field(i)
			if f.Type.Kind() == reflect.Slice && string(object[f.Tag.Get("json")]) != "[]" {
				t.Errorf("%T.%s is %s", v, f.Name, object[f.Tag.Get("json")])
			}
		}
	}
	if text, _ := Encode(List[string]{"<é>"}); string(text) != `["<é>"]` {
		t.Errorf("%s", text)
	}
}

func TestAnAlertIsOneObjectOnTheWire(t *testing.T) {
	in := `{"seq":1042,"at":"2026-11-22T03:30:00.000Z","kind":"payout","id":"p","of":"sweep","state":"unknown"}`
	var a Alert
	if err := DecodeResult([]byte(in), &a); err != nil {
		t.Fatal(err)
	}
	for range 2 { // written and read again it is the same
		text, err := Encode(a)
		if err != nil || string(text) != in {
			t.Fatalf("%s, %v", text, err)
		}
		if err := DecodeResult(text, &a); err != nil {
			t.Fatal(err)
		}
	}
	var p PayoutStatus
	if err := a.Decode(&p); err == nil || !strings.Contains(err.Error(), "id") {
		t.Errorf("an id of no shape: %v", err)
	}
	if text, err := Encode(Alert{Kind: AlertQuote, Body: json.RawMessage(`{}`)}); err != nil || string(text) != `{"seq":0,"at":"1970-01-01T00:00:00.000Z","kind":"quote"}` {
		t.Errorf("without members: %s, %v", text, err)
	}
	if _, err := Encode(Alert{Body: json.RawMessage(`["no"]`)}); err == nil {
		t.Error("a list became an alert's members")
	}
}

func TestASecretComesBackWholeAndCanBeWiped(t *testing.T) {
	var s struct {
		K Secret `json:"k"`
	}
	body := []byte(`{"k":"L\u00e91\n"}`)
	if err := Decode(body, &s); err != nil || s.K.Reveal() != "Lé1\n" || s.K.Empty() {
		t.Errorf("%v", err)
	}
	if err := Decode([]byte(`{"k":"plain"}`), &s); err != nil || s.K.Reveal() != "plain" {
		t.Errorf("%v", err)
	}
	s.K.Wipe()
	if strings.Contains(s.K.Reveal(), "plain") {
		t.Error("not wiped")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"software":"x","journal":[{"seq":1,"at":"2026-11-22T08:00:00.000Z","kind":"x","body":{},"prev":"00","hash":"00"}]}`))
	f.Add([]byte(`{"id":"0193c0de-0000-7000-8000-000000000005","keys":["L1"],"due_sat":1}`))
	for _, v := range vectors(f).Journal {
		f.Add([]byte(v.Entry))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, fresh := range []func() any{
			func() any { return new(CheckIn) }, func() any { return new(Sweep) }, func() any { return new(Dispense) }, func() any { return new(Entry) },
			func() any { return new(SaleOpened) }, func() any { return new(TenderAdded) },
		} {
			v := fresh()
			if Decode(data, v) != nil {
				continue
			}
			// What was taken is written so that it is taken again and is the same.
			text, err := Encode(reflect.ValueOf(v).Elem().Interface())
			if err != nil {
				t.Fatalf("%T %q: %v", v, data, err)
			}
			again := fresh()
			if err := Decode(text, again); err != nil {
				t.Fatalf("%T %q became %q: %v", v, data, text, err)
			}
			twice, _ := Encode(reflect.ValueOf(again).Elem().Interface())
			if string(text) != string(twice) {
				t.Errorf("%T: %s, then %s", v, text, twice)
			}
		}
		var r CheckInResult
		_ = DecodeResult(data, &r)
	})
}
