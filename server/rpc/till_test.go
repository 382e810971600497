package rpc_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"till/protocol"
)

// till is a paired terminal, or a stranger, that speaks HTTP with the shop.
type till struct {
	s           *shop
	t           testing.TB
	id          protocol.TerminalID
	name        string
	certificate *tls.Certificate
	http        *http.Client
	journal     []protocol.Entry
}

// with makes a client that shows the certificate.
func (s *shop) with(certificate *tls.Certificate) *till {
	transport := &http.Transport{TLSClientConfig: s.config(certificate), ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &till{s: s, t: s.t, certificate: certificate, http: &http.Client{Transport: transport}}
}

// enroll pairs a terminal over the wire.
func (s *shop) enroll(name string) *till {
	s.t.Helper()
	key := newKey(s.t)
	answer := s.with(nil).post("/enroll", object{"code": s.invite(name).Code.Reveal(), "name": name, "csr": csr(s.t, key, nil)})
	answer.want(http.StatusOK)
	var result protocol.EnrollResult
	must(s.t, json.Unmarshal(answer.body, &result))
	c := s.with(keyPair(s.t, result.Certificate, key))
	c.id, c.name = result.ID, name
	return c
}

func keyPair(t testing.TB, certificate string, key *ecdsa.PrivateKey) *tls.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		t.Fatalf("not a certificate: %q", certificate)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	return &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key, Leaf: leaf}
}

type object = map[string]any

// answer is an HTTP answer with its body read.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	proto  string
	body   []byte

	resumed bool // the TLS session
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d instead of %d: %s", a.status, status, a.body)
	}
	return a
}

// exactly wants the status and the body to the byte.
func (a answer) exactly(status int, body string) {
	a.t.Helper()
	if a.status != status || string(a.body) != body {
		a.t.Fatalf("got %d %s\nwant %d %s", a.status, a.body, status, body)
	}
	if kind := a.header.Get("Content-Type"); body != "" && kind != "application/json" {
		a.t.Fatalf("content type %q", kind)
	}
}

// send sends a request as it stands; the Date header is the shop's time unless
// it is given.
func (c *till) send(method, path string, header http.Header, body io.Reader) (answer, error) {
	r, err := http.NewRequestWithContext(c.t.Context(), method, "https://"+c.s.addr+path, body)
	must(c.t, err)
	r.Header.Set("Date", c.s.clock.now().UTC().Format(http.TimeFormat))
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{c.t, response.StatusCode, response.Header, response.Proto, text, response.TLS.DidResume}, err
}

func (c *till) do(method, path string, header http.Header, body io.Reader) answer {
	c.t.Helper()
	a, err := c.send(method, path, header, body)
	must(c.t, err)
	return a
}

func (a answer) into(result any) {
	a.t.Helper()
	must(a.t, json.Unmarshal(a.body, result))
}

var asJSON = http.Header{"Content-Type": {"application/json"}}

func (c *till) post(path string, body any) answer {
	c.t.Helper()
	text, err := json.Marshal(body)
	must(c.t, err)
	return c.do(http.MethodPost, path, asJSON, bytes.NewReader(text))
}

// raw posts a text to /rpc.
func (c *till) raw(text string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, "/rpc", asJSON, strings.NewReader(text))
}

// response is a JSON-RPC answer.
type response struct {
	t      testing.TB
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    struct {
			Reason  string         `json:"reason"`
			Message string         `json:"message"`
			Retry   string         `json:"retry"`
			Ref     protocol.ID    `json:"ref"`
			Member  string         `json:"member"`
			Time    string         `json:"time"`
			Journal *int64         `json:"journal"`
			Hash    *protocol.Hash `json:"hash"`
		} `json:"data"`
	} `json:"error"`
}

func (a answer) rpc() response {
	a.t.Helper()
	a.want(http.StatusOK)
	r := response{t: a.t}
	must(a.t, json.Unmarshal(a.body, &r))
	return r
}

// fails wants an error of the number whose reason or member is word.
func (r response) fails(code int, word string) response {
	r.t.Helper()
	if r.Error == nil || r.Error.Code != code || r.Error.Data.Reason != word && r.Error.Data.Member != word {
		r.t.Fatalf("got result %s error %+v, want error %d about %q", r.Result, r.Error, code, word)
	}
	return r
}

func (r response) into(result any) {
	r.t.Helper()
	if r.Error != nil {
		r.t.Fatalf("call failed: %+v", r.Error)
	}
	must(r.t, json.Unmarshal(r.Result, result))
}

func (c *till) call(method string, params any) response {
	c.t.Helper()
	return c.post("/rpc", object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).rpc()
}

// greeting is the params of a check-in that has nothing to say.
func greeting() object {
	return object{"software": "till/test", "config": 0, "alert": 0, "addresses": 0}
}

func plus(o object, name string, value any) object { o[name] = value; return o }

func (c *till) checkIn(params object) protocol.CheckInResult {
	c.t.Helper()
	var r protocol.CheckInResult
	c.call("checkin", params).into(&r)
	return r
}

// entry makes the next entry of the till's journal and keeps it.
func (c *till) entry(kind protocol.EntryKind, body any) protocol.Entry {
	c.t.Helper()
	var prev *protocol.Entry
	if n := len(c.journal); n > 0 {
		prev = &c.journal[n-1]
	}
	e, err := protocol.NewEntry(prev, c.s.clock.time(), kind, body)
	must(c.t, err)
	c.journal = append(c.journal, *e)
	return *e
}

// caughtUp checks in until the server has nothing to tell, and gives the params
// of the check-in that would wait.
func (c *till) caughtUp() object {
	c.t.Helper()
	params := greeting()
	for {
		r := c.checkIn(params)
		params["log"] = r.Log
		if r.Config == nil && len(r.Alerts) == 0 {
			return params
		}
		if r.Config != nil {
			params["config"] = r.Config.Version
		}
		for _, a := range r.Alerts {
			params["alert"] = a.Seq
		}
	}
}

// waiting starts a check-in that waits for up to 30 s and returns when the
// server has it.
func (c *till) waiting() <-chan answer {
	c.t.Helper()
	params := plus(c.caughtUp(), "wait", 30)
	// The server notes when it saw a terminal before the terminal waits.
	c.s.clock.advance(time.Second)
	before := c.s.clock.time()
	got := make(chan answer, 1)
	go func() {
		text, err := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": "checkin", "params": params})
		if err == nil {
			var a answer
			if a, err = c.send(http.MethodPost, "/rpc", asJSON, bytes.NewReader(text)); err == nil {
				got <- a
				return
			}
		}
		c.t.Errorf("waiting check-in: %v", err)
		close(got)
	}()
	c.s.until("the check-in waits", func() bool {
		all, err := c.s.core.Terminals(c.t.Context())
		must(c.t, err)
		for _, status := range all {
			if status.ID == c.id {
				return status.LastSeen >= before
			}
		}
		return false
	})
	return got
}

// soon takes what comes within 5 s.
func (c *till) soon(from <-chan answer) answer {
	c.t.Helper()
	select {
	case a := <-from:
		return a
	case <-time.After(5 * time.Second):
		c.t.Fatal("the waiting check-in did not return")
		return answer{}
	}
}
