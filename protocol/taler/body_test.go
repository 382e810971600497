package taler

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRequestsNameTheParameterAtFault(t *testing.T) {
	const amount = `{"currency":"EUR","value":5,"fraction":0}`
	many := make([]string, maxMembers+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	for _, c := range []struct{ name, body, parameter string }{
		{"duplicate", `{"sale":"a","sale":"a"}`, "sale"},
		{"duplicate in disguise", `{"sale":"a","\u0073ale":"a"}`, "sale"},
		{"unknown", `{"sale":"a","tip":1}`, "tip"},
		{"real", `{"max_amount":{"currency":"EUR","value":1.5,"fraction":0}}`, "max_amount"},
		{"exponent", `{"sale":1e3}`, "sale"},
		{"minus nothing", `{"sale":-0}`, "sale"},
		{"leading zero", `{"sale":01}`, "sale"},
		{"beyond 2^53", `{"sale":9007199254740992}`, "sale"},
		{"number for a name", `{"sale":1}`, "sale"},
		{"null", `{"sale":null}`, "sale"},
		{"trailing text", `{"sale":"a"}{}`, "body"},
		{"trailing comma", `{"sale":"a",}`, "body"},
		{"nothing", ``, "body"},
		{"no object", `[]`, "body"},
		{"cut off", `{"sale":"a`, "sale"},
		{"byte order mark", "\ufeff{}", "body"},
		{"invalid UTF-8", "{\"sale\":\"\xff\"}", "body"},
		{"overlong UTF-8", "{\"sale\":\"\xc0\xaf\"}", "body"},
		{"lone surrogate", `{"sale":"\ud800"}`, "sale"},
		{"two high surrogates", `{"sale":"\ud800\ud800"}`, "sale"},
		{"escaped control", `{"sale":"\n"}`, "sale"},
		{"escaped control by number", `{"sale":"\u0007"}`, "sale"},
		{"raw control", "{\"sale\":\"\t\"}", "sale"},
		{"C1 control", "{\"sale\":\"\u009b\"}", "sale"},
		{"name not ASCII", `{"salé":"a"}`, "body"},
		{"too deep", `{"sale":[[[[0]]]]}`, "sale"},
		{"too many members", "{" + strings.Join(many, ",") + "}", "body"},
		{"neither sale nor service", `{}`, "sale"},
		{"both", `{"sale":"a","service":"b"}`, "sale"},
		{"nothing to lock", `{"sale":"a","max_amount":{"currency":"EUR","value":0,"fraction":0}}`, "max_amount"},
		{"amount with a member more", `{"sale":"a","max_amount":{"currency":"EUR","value":1,"fraction":0,"x":0}}`, "max_amount"},
		{"amount with a member less", `{"sale":"a","max_amount":{"currency":"EUR","value":1}}`, "max_amount"},
		{"fraction of a unit", `{"sale":"a","max_amount":{"currency":"EUR","value":1,"fraction":1000000}}`, "max_amount"},
		{"value of 33 bits", `{"sale":"a","max_amount":{"currency":"EUR","value":4294967296,"fraction":0}}`, "max_amount"},
		{"negative value", `{"sale":"a","max_amount":{"currency":"EUR","value":-1,"fraction":0}}`, "max_amount"},
		{"currency in small letters", `{"sale":"a","max_amount":{"currency":"eur","value":1,"fraction":0}}`, "max_amount"},
		{"empty sale", `{"sale":""}`, "sale"},
		{"sale with a space", `{"sale":"a b"}`, "sale"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Decode([]byte(c.body), new(OfferRequest))
			var e *Error
			if !errors.As(err, &e) || e.Status != 400 || e.Parameter != c.parameter {
				t.Errorf("%v instead of 400 %s", err, c.parameter)
			}
		})
	}
	if err := Decode([]byte(`{"sale":"a","max_amount":`+amount+`}`), new(OfferRequest)); err != nil {
		t.Error(err)
	}
}

func TestBodiesAreRefusedByTheirLengthBeforeTheyAreRead(t *testing.T) {
	body := bytes.Repeat([]byte{0xff}, MaxRequest+1)
	if err := Decode(body, new(OfferRequest)); !errors.Is(err, &Error{Status: 413}) {
		t.Error(err)
	}
	if err := Decode(body[:MaxRequest], new(OfferRequest)); !errors.Is(err, &Error{Status: 400}) {
		t.Error(err)
	}
}

func TestDepthOfFourIsRead(t *testing.T) {
	if _, err := Canonical([]byte(`{"a":[{"b":{}}]}`)); err != nil {
		t.Error(err)
	}
	if _, err := Canonical([]byte(`{"a":[{"b":{"c":[]}}]}`)); !errors.Is(err, &Error{Parameter: "a"}) {
		t.Error(err)
	}
}

func TestNumbersBeyondThePrecisionOfOthersAreRefused(t *testing.T) {
	for _, text := range []string{"9007199254740992", "-9007199254740992", "99999999999999999999", "--1", "-", "+1", "1.0", "1e0", "-01"} {
		if got, err := Canonical([]byte(text)); err == nil {
			t.Errorf("%s becomes %s", text, got)
		}
	}
}

func TestDuplicatesAreRefusedWhereUnknownMembersAreNot(t *testing.T) {
	for _, text := range []string{`{"a":1,"a":1}`, `{"b":[{"a":1,"c":2,"\u0061":1}]}`} {
		if got, err := Canonical([]byte(text)); err == nil {
			t.Errorf("%s becomes %s", text, got)
		}
	}
}

func TestCanonicalJSONHasOneSpelling(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{` { "b" : 1 , "a" : [ true , false , null ] } `, `{"a":[true,false,null],"b":1}`},
		{`{"Z":"","a":"","B":"","_":""}`, `{"B":"","Z":"","_":"","a":""}`},
		{`"\/\"\\\u00e9\ud83d\ude00\u0041"`, `"/\"\\é😀A"`},
		{`[-1,0,9007199254740991,-9007199254740991]`, `[-1,0,9007199254740991,-9007199254740991]`},
		{`"<&>\u2028"`, "\"<&>\u2028\""},
	} {
		if got := must(Canonical([]byte(c.in))); string(got) != c.want {
			t.Errorf("%s becomes %s", c.in, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	v := loadVectors()
	f.Add([]byte(v.Wire))
	f.Add([]byte(v.Contract))
	f.Add([]byte(`[{"a":"\u00e9\ud83d\ude00\\\""},-1,true,null]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, err := Canonical(body)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Parameter == "" {
				t.Fatalf("%v names no parameter", err)
			}
			return
		}
		twice, err := Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s becomes %s, %v", once, twice, err)
		}
	})
}
