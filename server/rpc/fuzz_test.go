package rpc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
	"till/server/rpc"
)

// facts is what a terminal's calls can leave behind.
type facts struct {
	journal   int64
	head      protocol.Hash
	addresses int
	state     server.TerminalState
}

func (c *till) facts(t testing.TB) (f facts) {
	t.Helper()
	must(t, c.s.db.Read(context.Background(), func(tx *server.Tx) error {
		t, err := tx.Terminals.Get(c.id)
		if err != nil {
			return err
		}
		leased, err := tx.Addresses.Leased(c.id)
		f = facts{t.JournalSeq, t.JournalHash, len(leased), t.State}
		return err
	}))
	return f
}

// FuzzBody sends bodies of a paired terminal to the handler with a whole server
// behind it. Nothing makes it fail for reasons of its own, every answer is JSON
// within its limit, and what is refused as malformed leaves no fact.
//
// A database makes coverage vary from run to run; fuzz with -fuzzminimizetime 0s,
// or most of the time goes into shrinking what was never special.
func FuzzBody(f *testing.F) {
	s := openShop(f) // not served: nothing runs beside the handler
	s.addr = "till:8443"
	door, err := rpc.New(rpc.Options{Server: s.core, Clock: s.clock.time, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	must(f, err)
	in := &inside{door: door}
	key := newKey(f)
	pairing, err := json.Marshal(object{"code": s.invite("kasse1").Code.Reveal(), "name": "kasse1", "csr": csr(f, key, nil)})
	must(f, err)
	var paired protocol.EnrollResult
	in.post(f.Context(), f, s.with(nil), "/enroll", string(pairing)).want(200).into(&paired)
	c := s.with(keyPair(f, paired.Certificate, key))
	c.id, c.name = paired.ID, "kasse1"

	text, err := os.ReadFile("../../protocol/testdata/terminal.json")
	must(f, err)
	var vectors struct {
		Journal []struct{ Entry json.RawMessage }
	}
	must(f, json.Unmarshal(text, &vectors))
	var entries []string
	for _, v := range vectors.Journal {
		var b bytes.Buffer
		must(f, json.Compact(&b, v.Entry))
		entries = append(entries, b.String())
		f.Add(b.String())
		f.Add(one("checkin", strings.TrimSuffix(idle, "}")+`,"journal":[`+b.String()+`]}`))
	}
	f.Add(one("checkin", strings.TrimSuffix(idle, "}")+`,"journal":[`+strings.Join(entries, ",")+`]}`))
	f.Add(one("checkin", `{"software":"till/1.0.0 linux/arm64","config":7,"alert":1041,"addresses":12,"wait":1,"devices":[{"name":"card","state":"fault","fault":"no_answer"}],"journal":[]}`))
	f.Add(one("getaddress", `{"want":2,"held":["a"],"release":["b"]}`))
	f.Add(one("queryaddress", `{"addresses":["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"]}`))
	f.Add(one("sweep", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","keys":["`+secrets[0]+`"],"due_sat":1000,"change":"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"}`))
	f.Add(one("dispense", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb","amount_sat":1000,"method":"address","address":"x","authcode":"3:000000","refund_of":"01a20e3d-467a-7891-9512-858dd1591afb"}`))
	f.Add(one("querynonce", `{"id":"01a20e3d-467a-7891-9512-858dd1591afb"}`))
	f.Add(one("rpc.discover", `{}`))
	f.Add(`[` + one("checkin", idle) + `,` + one("getaddress", `{"want":1}`) + `,1]`)
	f.Add(`{"jsonrpc":"2.0","method":"getaddress","params":{"want":1}}`)
	f.Add(``)

	f.Fuzz(func(t *testing.T, body string) {
		before := c.facts(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // of a check-in that waits
		defer cancel()
		a := in.post(ctx, t, c, "/rpc", body)
		switch {
		case a.status == 413 && len(body) > protocol.MaxRequest, a.status == 204 && len(a.body) == 0:
		case a.status == 403: // a fork suspended it
			must(t, s.core.Resume(t.Context(), c.name))
		case a.status != 200:
			t.Fatalf("status %d: %s", a.status, a.body)
		case !json.Valid(a.body) || len(a.body) > protocol.MaxResponse:
			t.Fatalf("answer of %d bytes: %.200s", len(a.body), a.body)
		}
		if bytes.Contains(a.body, []byte(`"ref":"`)) {
			t.Fatalf("a fault of the server's own: %s", a.body)
		}
		var r response
		if malformed := json.Unmarshal(a.body, &r) == nil && r.Error != nil && r.Error.Code != -32000; malformed && c.facts(t) != before {
			t.Fatalf("refused with %d, yet %+v became %+v", r.Error.Code, before, c.facts(t))
		}
	})
}

// FuzzPairing sends bodies to what makes certificates: strangers pair, a terminal
// renews. Whatever comes is answered in JSON, makes no fault of the server's own,
// and pairs nobody without the code.
func FuzzPairing(f *testing.F) {
	s := openShop(f)
	s.addr = "till:8443"
	door, err := rpc.New(rpc.Options{Server: s.core, Clock: s.clock.time, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	must(f, err)
	in := &inside{door: door}
	key := newKey(f)
	good := csr(f, key, nil)
	pairing, err := json.Marshal(object{"code": s.invite("kasse1").Code.Reveal(), "name": "kasse1", "csr": good})
	must(f, err)
	var paired protocol.EnrollResult
	in.post(f.Context(), f, s.with(nil), "/enroll", string(pairing)).want(200).into(&paired)
	c := s.with(keyPair(f, paired.Certificate, key))
	s.invite("kasse2")
	stranger := s.with(nil)
	for _, body := range []object{
		{"code": "0000-0000-0000", "name": "kasse2", "csr": good}, {"csr": good}, {"csr": strings.Replace(good, "M", "N", 1)},
		{"code": 1, "name": nil, "csr": []int{}}, {"name": "kasse2"}, {},
	} {
		text, err := json.Marshal(body)
		must(f, err)
		f.Add("/enroll", string(text))
		f.Add("/renew", string(text))
	}
	f.Add("/enroll", "")
	f.Fuzz(func(t *testing.T, path, body string) {
		who := c
		switch path {
		case "/enroll":
			who = stranger
			s.clock.advance(2 * time.Minute) // refusals of before are forgotten
		case "/renew":
		default:
			t.Skip()
		}
		a := in.post(t.Context(), t, who, path, body)
		if a.status >= 500 || a.status == 200 && path == "/enroll" || !json.Valid(a.body) {
			t.Fatalf("%s answered %d: %s", path, a.status, a.body)
		}
	})
}
