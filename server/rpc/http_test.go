package rpc_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"till/protocol"
)

// http1 is the same terminal on HTTP/1.1.
func (c *till) http1() *till {
	config := c.s.config(c.certificate)
	config.NextProtos = []string{"http/1.1"}
	transport := &http.Transport{TLSClientConfig: config}
	c.t.Cleanup(transport.CloseIdleConnections)
	other := *c
	other.http = &http.Client{Transport: transport}
	return &other
}

func TestBothVersionsOfHTTPAreSpoken(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	for proto, c := range map[string]*till{"HTTP/2.0": c, "HTTP/1.1": c.http1()} {
		a := c.raw(`{"jsonrpc":"2.0","id":1,"method":"checkin","params":{"software":"","config":0,"alert":0,"addresses":0}}`)
		if a.want(200).proto != proto {
			t.Errorf("spoke %s, want %s", a.proto, proto)
		}
		if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("head %v", a.header)
		}
	}
}

func TestWhatIsNotAPostOfJSONToAKnownPathIsRefusedBeforeJSONRPC(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	const call = `{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`
	for _, c := range []*till{c, c.http1()} {
		c.do(http.MethodGet, "/", nil, nil).exactly(404, `{"error":"there is nothing here"}`)
		c.do(http.MethodPost, "/rpc/", asJSON, strings.NewReader(call)).exactly(404, `{"error":"there is nothing here"}`)
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions, "SWEEP"} {
			a := c.do(method, "/rpc", asJSON, strings.NewReader(call))
			a.exactly(405, `{"error":"use POST"}`)
			if a.header.Get("Allow") != "POST" {
				t.Errorf("Allow %q", a.header.Get("Allow"))
			}
		}
		for _, path := range []string{"/openrpc.json", "/catalogue?version=1"} {
			a := c.do(http.MethodPost, path, asJSON, strings.NewReader(call))
			a.exactly(405, `{"error":"use GET"}`)
			if a.header.Get("Allow") != "GET" {
				t.Errorf("Allow %q", a.header.Get("Allow"))
			}
		}
		for _, kind := range [][]string{nil, {"text/plain"}, {"application/json-rpc"}, {"application/json; charset=latin1"}, {"application/json", "application/json"}, {";"}} {
			c.do(http.MethodPost, "/rpc", http.Header{"Content-Type": kind}, strings.NewReader(call)).exactly(415, `{"error":"send application/json"}`)
		}
		coded := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
		c.do(http.MethodPost, "/rpc", coded, strings.NewReader(call)).want(415)
		for _, kind := range []string{"application/json;charset=utf-8", "application/json; charset=UTF-8", "APPLICATION/JSON"} {
			c.do(http.MethodPost, "/rpc", http.Header{"Content-Type": {kind}}, strings.NewReader(call)).want(200)
		}
	}
}

func TestABodyEndsAt256KiBAnnouncedOrNot(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	call := `{"jsonrpc":"2.0","id":1,"method":"nothing"}`
	full := call + strings.Repeat(" ", protocol.MaxRequest-len(call))
	for _, c := range []*till{c, c.http1()} {
		for _, wrap := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r },                      // Content-Length
			func(r io.Reader) io.Reader { return struct{ io.Reader }{r} }, // none: chunks, or frames
		} {
			c.do(http.MethodPost, "/rpc", asJSON, wrap(strings.NewReader(full))).rpc().fails(-32601, "")
			// A server that closes may cut the answer off behind a client that still sends.
			if a, err := c.send(http.MethodPost, "/rpc", asJSON, wrap(strings.NewReader(full+" "))); err == nil {
				a.exactly(413, `{"error":"the request is too large"}`)
			}
		}
	}
	conn := c.dial()
	_, err := fmt.Fprintf(conn, "POST /rpc HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", protocol.MaxRequest+1)
	must(t, err)
	conn.exactly(413, `{"error":"the request is too large"}`)
}

func TestWhatIsNoHTTPIsRefusedInJSONToo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	for sent, want := range map[string]string{
		"nonsense\r\n\r\n":                         `{"error":"400 Bad Request"}`,
		"GET / HTTP/1.1\r\n\r\n":                   `{"error":"400 Bad Request: missing required Host header"}`,
		"GET / HTTP/1.1\r\nHost: a\r\nb\r\n\r\n":   `{"error":"400 Bad Request"}`,
		"GET / HTTP/1.1\r\nHost: \"'>\r\n\r\n":     `{"error":"400 Bad Request: malformed Host header"}`,
		"GET /\x00 HTTP/1.1\r\nHost: till\r\n\r\n": `{"error":"400 Bad Request"}`,
	} {
		conn := c.dial()
		_, err := io.WriteString(conn, sent)
		must(t, err)
		conn.exactly(400, want)
	}
	conn := c.dial()
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: till\r\nSmell: "+strings.Repeat("x", 24<<10)+"\r\n\r\n")
	must(t, err)
	conn.exactly(431, `{"error":"431 Request Header Fields Too Large"}`)

	plain, err := net.Dial("tcp", s.addr)
	must(t, err)
	defer func() { _ = plain.Close() }()
	must(t, plain.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = io.WriteString(plain, "GET / HTTP/1.1\r\nHost: till\r\n\r\n")
	must(t, err)
	(&line{t: t, from: bufio.NewReader(plain)}).exactly(400, `{"error":"speak HTTPS here"}`)
}

// line is a connection on which a test writes what it likes.
type line struct {
	t testing.TB
	*tls.Conn
	from *bufio.Reader
}

func (c *till) dial() *line {
	c.t.Helper()
	config := c.s.config(c.certificate)
	config.NextProtos = []string{"http/1.1"}
	conn, err := tls.Dial("tcp", c.s.addr, config)
	must(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	must(c.t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return &line{c.t, conn, bufio.NewReader(conn)}
}

// exactly wants the next answer on the line.
func (l *line) exactly(status int, body string) {
	l.t.Helper()
	response, err := http.ReadResponse(l.from, nil)
	must(l.t, err)
	text, err := io.ReadAll(response.Body)
	must(l.t, err)
	answer{l.t, response.StatusCode, response.Header, response.Proto, text, false}.exactly(status, body)
}

func TestABodyThatDoesNotComeEndsTheRequest(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.door.SetBodyTime(50 * time.Millisecond)
	s.serve()
	c := s.enroll("kasse1")
	conn := c.dial()
	_, err := io.WriteString(conn, "POST /rpc HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	must(t, err)
	conn.exactly(400, `{"error":"the body could not be read"}`)
	if _, err := conn.from.ReadByte(); err != io.EOF {
		t.Errorf("the connection lives on: %v", err)
	}

	slow, feed := io.Pipe()
	go func() { _, _ = feed.Write([]byte("{")) }()
	if a, err := c.send(http.MethodPost, "/rpc", asJSON, slow); err == nil {
		a.exactly(400, `{"error":"the body could not be read"}`)
	}
}

func TestACheckInWaitsLongerThanABodyMayTake(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.door.SetBodyTime(100 * time.Millisecond)
	s.serve()
	c := s.enroll("kasse1")
	for _, c := range []*till{c, c.http1()} {
		params := plus(c.caughtUp(), "wait", 1)
		if r := c.checkIn(params); len(r.Alerts) != 0 {
			t.Errorf("got %+v", r)
		}
	}
}

func TestAHeadAbove16KiBIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	big := http.Header{"Content-Type": {"application/json"}, "Smell": {strings.Repeat("x", 24<<10)}}
	if a, err := c.http1().send(http.MethodPost, "/rpc", big, strings.NewReader("{}")); err == nil && a.status != 431 {
		t.Errorf("status %d", a.status)
	}
	if a, err := c.send(http.MethodPost, "/rpc", big, strings.NewReader("{}")); err == nil && a.status != 431 {
		t.Errorf("HTTP/2: status %d", a.status)
	}
	c.checkIn(greeting())
}

func TestTheServiceDescribesItself(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	text := c.do(http.MethodGet, "/openrpc.json", nil, nil).want(200).body
	var document struct {
		OpenRPC string
		Methods []struct{ Name string }
	}
	must(t, json.Unmarshal(text, &document))
	if !strings.HasPrefix(document.OpenRPC, "1.3") || len(document.Methods) != 7 {
		t.Errorf("OpenRPC %s with %d methods", document.OpenRPC, len(document.Methods))
	}
	if found := c.call("rpc.discover", object{}); !bytes.Equal(found.Result, text) {
		t.Error("rpc.discover and /openrpc.json differ")
	}
	c.call("rpc.discover", object{"smell": 1}).fails(-32602, "smell")
}

func TestTheCatalogueComesPackedOrPlain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	item := protocol.Item{SKU: "tea", Name: "Tea", Category: "hot", Tax: "A", Options: []string{}}
	must(t, s.core.ImportCatalogue(t.Context(), []protocol.Item{item}))
	version := c.checkIn(greeting()).Config.CatalogueVersion
	path := fmt.Sprintf("/catalogue?version=%d", version)
	want := fmt.Sprintf(`{"version":%d,"items":[{"sku":"tea","name":"Tea","category":"hot","price":null,"tax":"A","stock":null,"options":[]}]}`, version)

	packed := c.do(http.MethodGet, path, http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}}, nil).want(200)
	if packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("head %v", packed.header)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed.body))
	must(t, err)
	text, err := io.ReadAll(z)
	must(t, err)
	if string(text) != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	for _, accept := range []string{"identity", "gzip;q=0", "br"} {
		c.do(http.MethodGet, path, http.Header{"Accept-Encoding": {accept}}, nil).exactly(200, want)
	}
	c.do(http.MethodGet, "/catalogue?version=new", nil, nil).exactly(400, `{"error":"version must be a number"}`)
}
