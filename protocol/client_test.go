package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var testNow = time.Date(2026, 11, 22, 3, 30, 0, 0, time.UTC)

// serveTest starts a server whose /rpc answers through Serve.
func serveTest(t *testing.T, handle func(context.Context, Call) (any, error)) *Client {
	t.Helper()
	return clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if answer := Serve(r.Context(), body, handle); answer != nil {
			_, _ = w.Write(answer)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
}

func clientOf(t *testing.T, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := NewClient(server.URL, server.Client(), func() time.Time { return testNow })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACallCarriesDateTypeAndParamsAndBringsTheResult(t *testing.T) {
	c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.Header.Get("Date"), "Sun, 22 Nov 2026 03:30:00 GMT"; got != want {
			t.Errorf("Date %q, want %q", got, want)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/rpc" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
		}
		body, _ := io.ReadAll(r.Body)
		want := `{"jsonrpc":"2.0","id":1,"method":"getaddress","params":{"want":20}}`
		if string(body) != want {
			t.Errorf("body %s, want %s", body, want)
		}
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"addresses":[{"address":"bc1q","path":"84'/0'/0'/0/57","leased":"2026-11-22T03:30:00.000Z","smell":1}],"short":true,"new":null}}`)
	}))
	r, err := c.GetAddress(context.Background(), GetAddress{Want: 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Addresses) != 1 || r.Addresses[0].Address != "bc1q" || r.Addresses[0].Leased != TimeOf(testNow) || !r.Short {
		t.Errorf("result %+v", r)
	}
}

func TestSecretsReachTheWireAndNothingElse(t *testing.T) {
	sweep := Sweep{ID: "0193c0de-0000-7000-8000-000000000005", Keys: []Secret{NewSecret("L1key"), NewSecret("L2key")}, Change: "bc1c"}
	var got Sweep
	c := serveTest(t, func(_ context.Context, call Call) (any, error) {
		if err := Decode(call.Params, &got); err != nil {
			return nil, err
		}
		return SweepResult{ID: got.ID, State: PayoutBroadcast}, nil
	})
	if _, err := c.Sweep(context.Background(), sweep); err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 2 || got.Keys[1].Reveal() != "L2key" || got.Change != "bc1c" {
		t.Errorf("server got %d keys, change %q", len(got.Keys), got.Change)
	}
	hidden, err := json.Marshal(struct{ S Sweep }{sweep})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(hidden), fmt.Sprintf("%v %+v %#v %s", sweep, sweep, sweep, sweep.Keys)} {
		if strings.Contains(text, "L1key") {
			t.Errorf("a key shows in %s", text)
		}
	}
	dispense, err := Encode(Dispense{Authcode: NewSecret("2:123456")})
	if err != nil || !strings.Contains(string(dispense), `"authcode":"2:123456"`) {
		t.Errorf("dispense on the wire: %s, %v", dispense, err)
	}
}

func TestAnswersBelowJSONRPCAreTypedErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  int
		body    string
		is      error
		unknown bool
	}{
		{"no certificate", 401, `{"error":"no certificate"}`, ErrNoCertificate, false},
		{"revoked", 403, `{"error":"terminal_revoked"}`, ErrRevoked, false},
		{"suspended", 403, `{"error":"terminal_suspended","reason":"journal_fork","message":"ask the owner"}`, CodeTerminalSuspended, false},
		{"too many", 429, `{"error":"slow down"}`, CodeTooManyRequests, false},
		{"a proxy's page", 502, `<html>`, ErrUnreachable, true},
		{"overloaded", 503, `{"error":"busy"}`, ErrUnreachable, true},
		{"cut short", 200, `{"jsonrpc":"2.0",`, ErrUnreachable, true},
		{"another's id", 200, `{"jsonrpc":"2.0","id":77,"result":{}}`, ErrUnreachable, true},
		{"wrong result", 200, `{"jsonrpc":"2.0","id":1,"result":{"state":7}}`, ErrUnreachable, true},
		{"too long", 200, `"` + strings.Repeat("a", MaxResponse) + `"`, ErrUnreachable, true},
		{"error object", 200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m","data":{"reason":"no_funds","message":"m","retry":"later"}}}`, CodeNoFunds, false},
		{"error without id", 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}`, CodeParse, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			_, err := c.Sweep(context.Background(), Sweep{})
			if !errors.Is(err, test.is) || OutcomeUnknown(err) != test.unknown {
				t.Errorf("error %v (unknown %v), want %v (%v)", err, OutcomeUnknown(err), test.is, test.unknown)
			}
		})
	}
	for status, want := range map[int]string{400: "400 Bad Request: x", 404: "404", 405: "405", 413: "413", 415: "415"} {
		c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":"x"}`)
		}))
		_, err := c.CheckIn(context.Background(), CheckIn{})
		var plain *HTTPError
		if !errors.As(err, &plain) || plain.Status != status || !strings.Contains(err.Error(), want) || OutcomeUnknown(err) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestACutCableAndAnEndedContextLeaveTheOutcomeUnknown(t *testing.T) {
	c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cut") == "" {
			panic(http.ErrAbortHandler)
		}
	}))
	_, err := c.Dispense(context.Background(), Dispense{})
	if !errors.Is(err, ErrUnreachable) || !OutcomeUnknown(err) {
		t.Errorf("cut: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.Dispense(ctx, Dispense{})
	if !errors.Is(err, context.Canceled) || !OutcomeUnknown(err) {
		t.Errorf("cancelled: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	gone, err := NewClient("http://"+address, http.DefaultClient, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.QueryNonce(context.Background(), QueryNonce{}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestABatchHandsEachAnswerToItsCall(t *testing.T) {
	c := serveTest(t, func(_ context.Context, call Call) (any, error) {
		if !call.Batch {
			t.Error("a call of a batch is not marked")
		}
		if call.Method == CallQueryAddress {
			return nil, CodeChainUnavailable
		}
		return GetAddressResult{Addresses: []Lease{{Address: "a"}}}, nil
	})
	var held GetAddressResult
	calls := []*BatchCall{
		{Method: CallQueryAddress, Params: QueryAddress{Addresses: []string{"x"}}, Result: &QueryAddressResult{}},
		{Method: CallGetAddress, Params: GetAddress{Want: 1}, Result: &held},
	}
	if err := c.Batch(context.Background(), calls); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(calls[0].Err, CodeChainUnavailable) || calls[1].Err != nil || len(held.Addresses) != 1 {
		t.Errorf("%v, %v, %+v", calls[0].Err, calls[1].Err, held)
	}
	if err := c.Batch(context.Background(), make([]*BatchCall, MaxBatch+1)); err == nil {
		t.Error("17 calls went out")
	}
	short := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"jsonrpc":"2.0","id":1,"result":{}}]`)
	}))
	calls = []*BatchCall{{Method: CallGetAddress, Result: &held}, {Method: CallGetAddress, Result: &held}}
	if err := short.Batch(context.Background(), calls); err != nil {
		t.Fatal(err)
	}
	if calls[0].Err != nil || !errors.Is(calls[1].Err, ErrUnreachable) {
		t.Errorf("left out: %v, %v", calls[0].Err, calls[1].Err)
	}
}

func TestEnrollRenewAndCatalogue(t *testing.T) {
	c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.String() {
		case "/enroll":
			var p Enroll
			body, _ := io.ReadAll(r.Body)
			if err := Decode(body, &p); err != nil || p.Code != "0000-0000-0001" {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, `{"error":"pairing refused"}`)
				return
			}
			_, _ = io.WriteString(w, `{"id":"0193c0de-0000-7000-8000-000000000006","certificate":"C","ca":"A","quote_keys":[{"id":"k1","ed25519":"00"}]}`)
		case "/renew":
			_, _ = io.WriteString(w, `{"certificate":"D"}`)
		case "/catalogue?version=3":
			_, _ = io.WriteString(w, `{"version":3,"items":[{"sku":"1","name":"n","price":null,"stock":null}]}`)
		default:
			t.Errorf("unexpected %s", r.URL)
		}
	}))
	ctx := context.Background()
	if r, err := c.Enroll(ctx, Enroll{Code: "0000-0000-0001", Name: "n", CSR: "x"}); err != nil || r.ID != "0193c0de-0000-7000-8000-000000000006" || len(r.QuoteKeys) != 1 {
		t.Errorf("enroll: %+v, %v", r, err)
	}
	if _, err := c.Enroll(ctx, Enroll{Code: "1", Name: "n", CSR: "x"}); !errors.Is(err, ErrPairingRefused) {
		t.Errorf("wrong code: %v", err)
	}
	if r, err := c.Renew(ctx, Renew{CSR: "x"}); err != nil || r.Certificate != "D" {
		t.Errorf("renew: %+v, %v", r, err)
	}
	if r, err := c.Catalogue(ctx, 3); err != nil || len(r.Items) != 1 || r.Items[0].Price != nil {
		t.Errorf("catalogue: %+v, %v", r, err)
	}
}

func TestAServerAddressIsCanonicalOrRefused(t *testing.T) {
	for _, bad := range []string{"", "host:1", "ftp://host", "https://", "https://u@host", "https://host/x", "https://host?q", "https://host#f"} {
		if _, err := NewClient(bad, http.DefaultClient, time.Now); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
