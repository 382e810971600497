package rpc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// params of a check-in with nothing to say, in JSON.
const idle = `{"software":"","config":0,"alert":0,"addresses":0}`

// one is a call with the params, ready to post.
func one(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":%s}`, method, params)
}

func TestWhatIsNotOneStrictJSONValueIsAParseError(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	deep := func(n int) string {
		return one("checkin", strings.Repeat("[", n)+strings.Repeat("]", n))
	}
	for name, body := range map[string]string{
		"nothing":            "",
		"half a value":       `{"jsonrpc":"2.0"`,
		"two values":         one("checkin", idle) + "{}",
		"a comment":          "/**/" + one("checkin", idle),
		"a trailing comma":   `{"jsonrpc":"2.0","id":1,"method":"checkin",}`,
		"NaN":                one("checkin", `{"config":NaN}`),
		"leading zero":       one("checkin", `{"config":01}`),
		"duplicate method":   `{"jsonrpc":"2.0","id":1,"method":"checkin","method":"sweep"}`,
		"duplicate in depth": one("checkin", `{"devices":[{"name":"a","n\u0061me":"b"}]}`),
		"bad UTF-8":          one("checkin", "{\"software\":\"\xff\"}"),
		"overlong UTF-8":     one("checkin", "{\"software\":\"\xc0\xaf\"}"),
		"UTF-8 surrogate":    one("checkin", "{\"software\":\"\xed\xa0\x80\"}"),
		"lone surrogate":     one("checkin", `{"software":"\ud83d"}`),
		"swapped surrogates": one("checkin", `{"software":"\ude00\ud83d"}`),
		"control character":  one("checkin", "{\"software\":\"\x01\"}"),
		"33 levels":          deep(32),
		"BOM":                "\ufeff" + one("checkin", idle),
		"UTF-16":             "\xff\xfe{\x00}\x00",
	} {
		r := c.raw(body).rpc()
		if r.Error == nil || r.Error.Code != -32700 || string(r.ID) != "null" {
			t.Errorf("%s: id %s error %+v, want -32700 with id null", name, r.ID, r.Error)
		}
	}
	// The 32nd level is understood, and then refused for what it is.
	c.raw(deep(31)).rpc().fails(-32602, "")
	c.raw(one("checkin", `{"software":"\ud83d\ude00","config":0,"alert":0,"addresses":0}`)).rpc().into(&struct{}{})
}

func TestAnEnvelopeThatIsNotJSONRPCIsAnInvalidRequest(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	for _, tt := range []struct{ body, id string }{
		{`1`, `null`},
		{`"checkin"`, `null`},
		{`{}`, `null`},
		{`[]`, `null`},
		{`{"jsonrpc":"1.0","id":7,"method":"checkin"}`, `7`},
		{`{"id":7,"method":"checkin"}`, `7`},
		{`{"jsonrpc":"2.0","id":7}`, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":1}`, `7`},
		{`{"jsonrpc":"2.0","id":{},"method":"checkin"}`, `null`},
		{`{"jsonrpc":"2.0","id":"a","method":"checkin","params":1}`, `"a"`},
		{`{"jsonrpc":"2.0","id":7,"method":"checkin","smell":1}`, `7`},
		{`[` + strings.TrimSuffix(strings.Repeat(one("checkin", idle)+",", 17), ",") + `]`, `null`},
	} {
		r := c.raw(tt.body).rpc()
		if r.Error == nil || r.Error.Code != -32600 || string(r.ID) != tt.id {
			t.Errorf("%.60s: id %s error %+v, want -32600 with id %s", tt.body, r.ID, r.Error, tt.id)
		}
	}
	for _, method := range []string{"nothing", "CheckIn", "rpc.other", "checkin "} {
		c.raw(one(method, `{}`)).rpc().fails(-32601, "")
	}
	c.raw(`{"jsonrpc":"2.0","id":null,"method":"checkin","params":` + idle + `}`).rpc().into(&struct{}{})
}

func TestWrongParamsNameTheirMember(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	with := func(member string) string {
		return strings.TrimSuffix(idle, "}") + "," + member + "}"
	}
	for _, tt := range []struct{ method, params, member string }{
		{"checkin", with(`"smell":1`), "smell"},
		{"checkin", with(`"devices":[{"name":"printer","state":"ready","smell":1}]`), "devices[0].smell"},
		{"checkin", with(`"devices":[{"name":"printer","state":"ready"},{"name":"card","state":1}]`), "devices[1].state"},
		{"checkin", with(`"devices":[{"name":"printer"}]`), "devices[0].state"},
		{"checkin", with(`"devices":{}`), "devices"},
		{"checkin", with(`"wait":31`), "wait"},
		{"checkin", with(`"wait":-1`), "wait"},
		{"checkin", with(`"wait":1.5`), "wait"},
		{"checkin", with(`"wait":1e1`), "wait"},
		{"checkin", with(`"wait":"1"`), "wait"},
		{"checkin", with(`"log":"x"`), "log"},
		{"checkin", with(`"Wait":1`), "Wait"},
		{"checkin", with(`"journal":[{"seq":1.5}]`), "journal[0].seq"},
		{"checkin", with(`"journal":[{"seq":1,"at":"yesterday"}]`), "journal[0].at"},
		{"checkin", with(`"journal":[` + strings.TrimSuffix(strings.Repeat(`{"seq":1,"at":"2026-11-22T03:30:00.000Z","kind":"x","body":{},"prev":"`+string(protocol.NoHash)+`","hash":"`+string(protocol.NoHash)+`"},`, 201), ",") + `]`), "journal"},
		{"checkin", `{"software":null,"config":0,"alert":0,"addresses":0}`, "software"},
		{"checkin", `{"software":"","config":9007199254740992,"alert":0,"addresses":0}`, "config"},
		{"checkin", `{"software":"","config":99999999999999999999,"alert":0,"addresses":0}`, "config"},
		{"checkin", `{"software":"","config":0,"alert":-1,"addresses":0}`, "alert"},
		{"checkin", `[]`, ""},
		{"getaddress", `{}`, "want"},
		{"getaddress", `{"want":101}`, "want"},
		{"getaddress", `{"want":1,"held":[1]}`, "held[0]"},
		{"queryaddress", `{"addresses":[]}`, "addresses"},
		{"queryaddress", `{"addresses":` + list("a", 17) + `}`, "addresses"},
		{"querynonce", `{"id":"01A20E3D-467A-7891-9512-858DD1591AFB"}`, "id"},
		{"querynonce", `{"id":"01a20e3d-467a-4891-9512-858dd1591afb"}`, "id"},
		{"sweep", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","keys":[],"due_sat":-1}`, "due_sat"},
		{"sweep", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","keys":[],"due_sat":2100000000000001}`, "due_sat"},
		{"sweep", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","keys":` + list("K", 17) + `}`, "keys"},
		{"dispense", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","amount_sat":1.0}`, "amount_sat"},
		{"dispense", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","amount_sat":1,"method":"cash"}`, "method"},
	} {
		r := c.raw(one(tt.method, tt.params)).rpc()
		if r.Error == nil || r.Error.Code != -32602 || r.Error.Data.Member != tt.member {
			t.Errorf("%s %.80s: %+v, want -32602 about %q", tt.method, tt.params, r.Error, tt.member)
		}
	}
}

func list(item string, n int) string {
	text, _ := json.Marshal(strings.Split(strings.TrimSuffix(strings.Repeat(item+" ", n), " "), " "))
	return string(text)
}

func TestABatchRunsInOrderAndAnswersOnlyWhatAsks(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	parts := []string{
		`{"jsonrpc":"2.0","id":"a","method":"getaddress","params":{"want":1}}`,
		`{"jsonrpc":"2.0","method":"getaddress","params":{"want":3}}`,
		`{"jsonrpc":"2.0","method":"nothing"}`,
		`{"jsonrpc":"2.0","id":2,"method":"getaddress","params":{"want":2}}`,
		`{"jsonrpc":"2.0","method":"sweep","params":{"id":"01a20e3d-467a-7891-9512-858dd1591afb","keys":[]}}`,
		`1`,
	}
	var answers []response
	c.raw("[" + strings.Join(parts, ",") + "]").want(200).into(&answers)
	if len(answers) != 4 {
		t.Fatalf("%d answers, want 4", len(answers))
	}
	for i, want := range []int{1, 3} {
		var r protocol.GetAddressResult
		answers[i].t = t
		if answers[i].into(&r); len(r.Addresses) != want || string(answers[i].ID) != []string{`"a"`, `2`}[i] {
			t.Errorf("answer %d to %s has %d addresses, want %d", i, answers[i].ID, len(r.Addresses), want)
		}
	}
	for _, r := range answers[2:] {
		if r.Error == nil || r.Error.Code != -32600 || string(r.ID) != "null" {
			t.Errorf("got %s %+v, want -32600 with id null", r.ID, r.Error)
		}
	}
	full := "[" + strings.TrimSuffix(strings.Repeat(one("checkin", idle)+",", 16), ",") + "]"
	if c.raw(full).want(200).into(&answers); len(answers) != 16 {
		t.Errorf("%d answers to 16 calls", len(answers))
	}
	if c.raw("[" + one("checkin", idle) + "]").want(200).into(&answers); len(answers) != 1 {
		t.Errorf("%d answers to a batch of one", len(answers))
	}
}

func TestNotificationsGetNoAnswer(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	const quiet = `{"jsonrpc":"2.0","method":"getaddress","params":{"want":2}}`
	for _, body := range []string{quiet, "[" + quiet + "," + quiet + "]", `{"jsonrpc":"2.0","method":"nothing"}`, `{"jsonrpc":"2.0","method":"getaddress","params":{"want":-1}}`} {
		c.raw(body).exactly(204, "")
	}
	if n := len(c.leased()); n != 2 {
		t.Errorf("the notification leased %d addresses, want 2", n)
	}
}

// leased gives the terminal's addresses as the database has them.
func (c *till) leased() (all []*server.LeasedAddress) {
	c.t.Helper()
	must(c.t, c.s.db.Read(c.t.Context(), func(tx *server.Tx) (err error) {
		all, err = tx.Addresses.Leased(c.id)
		return err
	}))
	return all
}

func TestWhatMovesMoneyNeedsAnID(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	id := newID(t)
	for method, params := range map[string]object{
		"sweep":      {"id": id, "keys": []string{}},
		"dispense":   {"id": id, "amount_sat": 1, "method": "address", "address": "x", "authcode": "x"},
		"querynonce": {"id": id},
	} {
		r := c.post("/rpc", object{"jsonrpc": "2.0", "method": method, "params": params}).rpc()
		if r.Error == nil || r.Error.Code != -32600 || string(r.ID) != "null" {
			t.Errorf("%s: id %s error %+v, want -32600 with id null", method, r.ID, r.Error)
		}
	}
	must(t, s.db.Read(t.Context(), func(tx *server.Tx) error {
		if _, err := tx.Payouts.Get(protocol.PayoutID(id)); err == nil {
			t.Error("the id was used")
		}
		return nil
	}))
}

func TestACheckInInABatchDoesNotWait(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	params := plus(c.caughtUp(), "wait", 30)
	call := object{"jsonrpc": "2.0", "id": 1, "method": "checkin", "params": params}
	got := make(chan answer, 1)
	go func() { got <- c.post("/rpc", []any{call, call}) }()
	c.soon(got).want(200)
}

func TestMoneyMovesOnlyWithAFreshDate(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	at := func(d time.Duration) string { return s.clock.now().Add(d).UTC().Format(http.TimeFormat) }
	stale := map[string][]string{
		"absent":           nil,
		"empty":            {""},
		"unreadable":       {"yesterday"},
		"RFC 850":          {s.clock.now().UTC().Format(time.RFC850)},
		"asctime":          {s.clock.now().UTC().Format(time.ANSIC)},
		"another zone":     {s.clock.now().Format(time.RFC1123Z)},
		"four minutes ago": {at(-4 * time.Minute)},
		"ahead":            {at(4 * time.Minute)},
		"twice":            {at(0), at(0)},
	}
	for _, method := range []string{"sweep", "dispense"} {
		for name, dates := range stale {
			// Before the parameters are looked at: these are wrong too.
			r := c.do(http.MethodPost, "/rpc", dated(dates), strings.NewReader(one(method, `{"smell":1}`))).rpc().fails(-32000, "stale_request")
			told, err := protocol.ParseTime(r.Error.Data.Time)
			if err != nil || s.clock.time().Sub(told) > time.Minute {
				t.Errorf("%s %s: server's time %q", method, name, r.Error.Data.Time)
			}
		}
		for _, d := range []time.Duration{-2 * time.Minute, 0, 2 * time.Minute} {
			c.do(http.MethodPost, "/rpc", dated([]string{at(d)}), strings.NewReader(one(method, `{"smell":1}`))).rpc().fails(-32602, "smell")
		}
	}
	// The others do not ask for it.
	c.do(http.MethodPost, "/rpc", dated(nil), strings.NewReader(one("checkin", idle))).rpc().into(&struct{}{})
}

func dated(dates []string) http.Header {
	return http.Header{"Content-Type": {"application/json"}, "Date": dates}
}
