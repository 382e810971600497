package protocol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// echo answers the ways a handler can; it counts its runs.
type echo struct{ ran []string }

func (e *echo) handle(_ context.Context, c Call) (any, error) {
	e.ran = append(e.ran, c.Method)
	switch c.Method {
	case CallCheckIn:
		var p CheckIn
		if err := Decode(c.Params, &p); err != nil {
			return nil, err
		}
		return map[string]bool{"batch": c.Batch}, nil
	case CallGetAddress:
		return nil, CodeTooManyRequests
	case CallQueryAddress:
		return nil, fmt.Errorf("look: %w", Errorf(CodeAddressInvalid, "no such address"))
	case CallSweep:
		return nil, errors.New("secret cause L1key")
	case "big":
		return strings.Repeat("x", MaxResponse), nil
	case "half":
		return strings.Repeat("x", MaxResponse/2), nil
	case CallDispense:
		return "paid", nil
	}
	return nil, CodeNoMethod
}

func TestServeAnswersAsTheStandardAndThePageSay(t *testing.T) {
	const (
		invalid  = `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":`
		tooLarge = `"error":{"code":-32000,"message":"the answer is larger than an answer may be; ask for less at once","data":{"reason":"internal","message":"the answer is larger than an answer may be; ask for less at once","retry":"same_id"}}`
	)
	for _, test := range []struct{ name, body, want, ran string }{
		{"a call", `{"jsonrpc":"2.0","id":1,"method":"checkin"}`, `{"jsonrpc":"2.0","id":1,"result":{"batch":false}}`, "checkin"},
		{"id of text", ` {"jsonrpc":"2.0","id":"é","method":"checkin","params":{}} `, `{"jsonrpc":"2.0","id":"é","result":{"batch":false}}`, "checkin"},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"checkin","params":{}}`, `{"jsonrpc":"2.0","id":null,"result":{"batch":false}}`, "checkin"},
		{"not JSON", `{"jsonrpc":"2.0",`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"a member name is expected at byte 17"}}`, ""},
		{"nothing", ``, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"a value is expected at byte 0"}}`, ""},
		{"member twice", `{"jsonrpc":"2.0","id":1,"id":1,"method":"checkin"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"a member stands twice at byte 28"}}`, ""},
		{"not an object", `7`, invalid + `"a request must be an object, not a number"}}`, ""},
		{"no version", `{"id":1,"method":"checkin"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"jsonrpc must be \"2.0\""}}`, ""},
		{"id of another type", `{"jsonrpc":"2.0","id":[1],"method":"checkin"}`, invalid + `"id must be a string, a number or null"}}`, ""},
		{"method of another type", `{"jsonrpc":"2.0","method":1,"params":"bar"}`, invalid + `"params must be an object, not a string"}}`, ""},
		{"foreign member", `{"jsonrpc":"2.0","id":4,"method":"checkin","auth":"x"}`, `{"jsonrpc":"2.0","id":4,"error":{"code":-32600,"message":"a request has the members jsonrpc, id, method and params only"}}`, ""},
		{"no such method", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"there is no such method"}}`, "nope"},
		{"wrong params", `{"jsonrpc":"2.0","id":1,"method":"checkin","params":{"devices":[{"name":"p","state":"ready","smell":1}]}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"is not a member known here","data":{"member":"devices[0].smell"}}}`, "checkin"},
		{"params in a list", `{"jsonrpc":"2.0","id":1,"method":"checkin","params":[1]}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"must be an object, not an array"}}`, "checkin"},
		{"a code", `{"jsonrpc":"2.0","id":1,"method":"getaddress"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"too many requests; wait a little","data":{"reason":"too_many_requests","message":"too many requests; wait a little","retry":"later"}}}`, "getaddress"},
		{"an error with its own words", `{"jsonrpc":"2.0","id":1,"method":"queryaddress"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no such address","data":{"reason":"address_invalid","message":"no such address","retry":"never"}}}`, "queryaddress"},
		{"a cause stays inside", `{"jsonrpc":"2.0","id":1,"method":"sweep"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"the server could not do this","data":{"reason":"internal","message":"the server could not do this","retry":"later"}}}`, "sweep"},
		{"a notification", `{"jsonrpc":"2.0","method":"checkin","params":{}}`, ``, "checkin"},
		{"a wrong notification", `{"jsonrpc":"2.0","method":"checkin","params":{"x":1}}`, ``, "checkin"},
		{"sweep unasked", `{"jsonrpc":"2.0","method":"sweep","params":{"keys":["L1key"]}}`, invalid + `"sweep needs an id: its answer must be read"}}`, ""},
		{"dispense unasked", `{"jsonrpc":"2.0","method":"dispense"}`, invalid + `"dispense needs an id: its answer must be read"}}`, ""},
		{"querynonce unasked", `[{"jsonrpc":"2.0","method":"querynonce"}]`, `[` + invalid + `"querynonce needs an id: its answer must be read"}}]`, ""},
		{"a batch in order", `[{"jsonrpc":"2.0","id":2,"method":"checkin"},{"jsonrpc":"2.0","method":"nope"},3,{"jsonrpc":"2.0","id":1,"method":"dispense"}]`,
			`[{"jsonrpc":"2.0","id":2,"result":{"batch":true}},` + invalid + `"a request must be an object, not a number"}},{"jsonrpc":"2.0","id":1,"result":"paid"}]`, "checkin nope dispense"},
		{"a batch of notifications", `[{"jsonrpc":"2.0","method":"checkin"}]`, ``, "checkin"},
		{"an empty batch", `[]`, invalid + `"a batch has 1 to 16 calls"}}`, ""},
		{"a long batch", `[` + strings.Repeat(`1,`, 16) + `1]`, invalid + `"a batch has 1 to 16 calls"}}`, ""},
		{"an answer too large", `{"jsonrpc":"2.0","id":1,"method":"big"}`, `{"jsonrpc":"2.0","id":1,` + tooLarge + `}`, "big"},
		{"answers too large together keep the payout's", `[{"jsonrpc":"2.0","id":1,"method":"big"},{"jsonrpc":"2.0","id":2,"method":"dispense"}]`,
			`[{"jsonrpc":"2.0","id":1,` + tooLarge + `},{"jsonrpc":"2.0","id":2,"result":"paid"}]`, "big dispense"},
		{"a request too large", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", MaxRequest) + `"}`, invalid + `"the request is above 262144 bytes"}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var e echo
			got := string(Serve(context.Background(), []byte(test.body), e.handle))
			if got != test.want {
				t.Errorf("answer\n%.300s\nwant\n%.300s", got, test.want)
			}
			if ran := strings.Join(e.ran, " "); ran != test.ran {
				t.Errorf("ran %q, want %q", ran, test.ran)
			}
			if strings.Contains(got, "L1key") {
				t.Error("the answer repeats a secret")
			}
		})
	}
}

func TestOfTwoHalvesOnlyOneGivesWay(t *testing.T) {
	var e echo
	got := Serve(context.Background(), []byte(`[{"jsonrpc":"2.0","id":1,"method":"half"},{"jsonrpc":"2.0","id":2,"method":"half"}]`), e.handle)
	if len(got) > MaxResponse || len(got) < MaxResponse/2 || strings.Count(string(got), "same_id") != 1 {
		t.Errorf("%d bytes, %d replaced", len(got), strings.Count(string(got), "same_id"))
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"checkin","params":{}}`))
	f.Add([]byte(`[{"jsonrpc":"2.0","method":"sweep"},{"jsonrpc":"2.0","id":"a","method":"dispense","params":[]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var e echo
		answer := Serve(context.Background(), body, e.handle)
		if answer != nil && Check(answer) != nil {
			t.Errorf("answer is not JSON: %q", answer)
		}
	})
}
