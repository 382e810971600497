package rpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"crypto/rand"

	"till/protocol"
	"till/server/rpc"
)

// What must be seen nowhere: a key of regtest, one of mainnet, one with a typing
// error, a hex key, an approval.
var secrets = []string{
	"cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA",
	"KwDiBf89QgGbjEhKnhXJuH7LrciVrW3tGZb8KbcHeTHNAHJhFrKo",
	"cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcB",
	"1e99423a4ed27608a15a2616a2b0e9e52ced330ac530edcc32c8ffc6a526aedd",
	"3:91827364",
}

func TestSecretsAreSeenNowhere(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	link := s.invite("kasse2")
	var answers []string
	hear := func(a answer) {
		answers = append(answers, fmt.Sprint(a.status, a.header, string(a.body)))
	}
	for _, secret := range secrets {
		quoted, err := json.Marshal(secret)
		must(t, err)
		escaped := `"\u00` + fmt.Sprintf("%02x", secret[0]) + secret[1:] + `"`
		for _, id := range []string{newID(t), secret} {
			for _, value := range []string{string(quoted), escaped} {
				for _, params := range []string{
					`{"id":%[1]q,"keys":[%[2]s]}`,
					`{"id":%[1]q,"keys":[%[2]s],"due_sat":1000,"change":%[2]s}`,
					`{"id":%[1]q,"keys":%[2]s}`,
					`{"id":%[1]q,"keys":{"a":%[2]s}}`,
					`{"id":%[1]q,"keys":[[%[2]s]]}`,
					`{"id":%[1]q,"keys":[{"wif":%[2]s}]}`,
					`{"id":%[1]q,"keys":[%[2]s,1]}`,
					`{"id":%[1]q,"keys":[%[2]s],"due_sat":%[2]s}`,
					`{"id":%[1]q,"keys":[%[2]s],"sale":%[2]s}`,
					`{"id":%[1]q,"keys":[%[2]s],"smell":%[2]s}`,
					`{"id":%[1]q,"keys":[%[2]s],"keys":[%[2]s]}`,
					`{"id":%[1]q,"keys":[%[2]s`,
					`{"id":%[1]q,"keys":[%[2]s]} %[2]s`,
					`[%[2]s]`,
				} {
					hear(c.raw(one("sweep", fmt.Sprintf(params, id, value))))
				}
				for _, params := range []string{
					`{"id":%[1]q,"amount_sat":1000,"method":"address","address":"x","authcode":%[2]s,"refund_of":%[1]q}`,
					`{"id":%[1]q,"amount_sat":%[2]s,"method":%[2]s,"address":%[2]s,"authcode":%[2]s}`,
					`{"id":%[1]q,"amount_sat":1000,"method":"address","address":%[2]s,"authcode":%[2]s,"price":%[2]s}`,
					`{"id":%[1]q,"amount_sat":1000,"method":"address","address":%[2]s,"authcode":[%[2]s]}`,
					`{"id":%[1]q,"authcode":%[2]s`,
				} {
					hear(c.raw(one("dispense", fmt.Sprintf(params, id, value))))
				}
			}
		}
		hear(c.raw(secret))
		hear(c.raw(`{"jsonrpc":"2.0","method":"sweep","params":{"keys":["` + secret + `"]}}`))
		hear(c.raw(`{"jsonrpc":"2.0","id":{"a":"` + secret + `"},"method":"sweep"}`))
		hear(c.raw(one("querynonce", `{"id":"`+secret+`"}`)))
		hear(c.raw(one("queryaddress", `{"addresses":["`+secret+`"]}`)))
		hear(c.do(http.MethodPost, "/rpc", http.Header{"Content-Type": {secret}}, strings.NewReader(secret)))
		hear(s.with(nil).post("/enroll", object{"code": secret, "name": "kasse2", "csr": secret}))
	}
	hear(s.with(nil).post("/enroll", object{"code": link.Code.Reveal(), "name": "kasse3", "csr": "x"}))
	s.fund(keyAddress)
	a := c.raw(one("sweep", `{"id":"`+newID(t)+`","keys":["`+secrets[0]+`"]}`))
	a.rpc().into(&struct{}{})
	hear(a)
	s.stop()
	s.lookFor(append(secrets, link.Code.Reveal()), answers)
}

// keyAddress is the native address of the first secret on regtest (BIP173's
// example key, the number one).
const keyAddress = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// fund confirms 150000 sat to the address.
func (s *shop) fund(address string) {
	s.t.Helper()
	_, err := s.chain.Pay(s.t.Context(), address, 150000, 5000, true)
	must(s.t, err)
	_, err = s.chain.Mine(s.t.Context(), 1)
	must(s.t, err)
}

func TestASweepGoesOnWhenItsCallerHasLeft(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	s.fund(keyAddress)
	id := newID(t)
	ctx, leave := context.WithCancel(t.Context())
	in := &inside{s.door, leave} // it leaves as soon as the request has come
	in.post(ctx, t, c, "/rpc", one("sweep", `{"id":"`+id+`","keys":["`+secrets[0]+`"]}`))
	var r struct {
		Of, State string
		Inputs    int
	}
	if c.call("querynonce", object{"id": id}).into(&r); r.Of != "sweep" || r.State != "broadcast" || r.Inputs != 1 {
		t.Errorf("got %+v, want the sweep done", r)
	}
}

// lookFor searches answers, log and every file of the stopped shop.
func (s *shop) lookFor(secrets, answers []string) {
	s.t.Helper()
	places := map[string]string{"log": s.log.String()}
	for i, a := range answers {
		places[fmt.Sprint("answer ", i)] = a
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "server.db*"))
	must(s.t, err)
	if len(files) == 0 {
		s.t.Fatal("no database to look into")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(s.t, err)
		places[filepath.Base(file)] = string(text)
	}
	for place, text := range places {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				s.t.Errorf("%s repeats a secret: %.300s", place, text)
			}
		}
	}
}

func TestAPanicIsAnInternalErrorThatTellsNoSecret(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	// The clock is the only thing outside that a door calls while it has a call in hand.
	var next atomic.Pointer[string]
	log := slog.New(slog.NewTextHandler(s.log, nil))
	door, err := rpc.New(rpc.Options{Server: s.core, Random: rand.Reader, Log: log, Clock: func() protocol.Time {
		if secret := next.Swap(nil); secret != nil {
			panic(*secret)
		}
		return s.clock.time()
	}})
	must(t, err)
	s.door = door
	s.serve()
	c := s.enroll("kasse1").http1()
	c.checkIn(greeting())
	secret := secrets[0]
	in := &inside{door, func() { next.Store(&secret) }}
	a := in.post(t.Context(), t, c, "/rpc", one("sweep", `{"id":"`+newID(t)+`","keys":["`+secret+`"]}`))
	r := a.rpc().fails(-32000, "internal")
	if !r.Error.Data.Ref.Valid() || r.Error.Data.Retry != "same_id" || !strings.Contains(s.log.String(), string(r.Error.Data.Ref)) {
		t.Errorf("data %+v, want a reference to the log and that the id asks again; log:\n%s", r.Error.Data, s.log)
	}
	if !strings.Contains(s.log.String(), "panic of type string in till/server/rpc") {
		t.Errorf("the log does not say where it was:\n%s", s.log)
	}
	s.stop()
	s.lookFor(secrets[:1], []string{fmt.Sprint(a.header, string(a.body))})
}
