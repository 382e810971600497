package rpc_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const connections = 16 // each a terminal's own

// BenchmarkCheckIn measures idle check-ins over mutual TLS with kept
// connections, beside a bare net/http handler behind the same TLS that answers
// as many constant bytes. "of_bare" is the share of the bare handler's rate.
func BenchmarkCheckIn(b *testing.B) {
	for _, proto := range []string{"http1", "http2"} {
		b.Run(proto, func(b *testing.B) { benchmarkCheckIn(b, proto == "http1") })
	}
}

func benchmarkCheckIn(b *testing.B, http1 bool) {
	s := newShop(b)
	tills := s.enrollMany(connections)
	for i, c := range tills {
		if http1 {
			tills[i] = c.http1()
		}
	}
	call, err := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": "checkin", "params": tills[0].caughtUp()})
	must(b, err)
	size := 0
	for _, c := range tills {
		c.caughtUp()
		size = len(c.raw(string(call)).want(http.StatusOK).body)
	}
	bare := s.bare(bytes.Repeat([]byte("x"), size))
	for _, c := range tills {
		c.exchange(bare, call, size)
	}

	// By turns, so that whatever else the machine does falls on both.
	var whole, plain time.Duration
	b.SetBytes(int64(len(call) + size))
	b.ResetTimer()
	for done := 0; done < b.N; {
		n := min(400, b.N-done)
		done += n
		whole += run(tills, n, func(c *till) { c.exchange(s.addr, call, size) })
		b.StopTimer()
		plain += run(tills, n, func(c *till) { c.exchange(bare, call, size) })
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)/whole.Seconds(), "checkins/s")
	b.ReportMetric(float64(b.N)/plain.Seconds(), "bare/s")
	b.ReportMetric(plain.Seconds()/whole.Seconds(), "of_bare")
}

// run has all tills do n things together and gives how long that took.
func run(tills []*till, n int, f func(*till)) time.Duration {
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for _, c := range tills {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				f(c)
			}
		})
	}
	all.Wait()
	return time.Since(start)
}

// exchange posts the call and reads an answer of about that many bytes.
func (c *till) exchange(addr string, call []byte, size int) {
	r, err := http.NewRequest(http.MethodPost, "https://"+addr+"/rpc", bytes.NewReader(call))
	must(c.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Date", c.s.clock.now().UTC().Format(http.TimeFormat))
	response, err := c.http.Do(r)
	must(c.t, err)
	n, err := io.Copy(io.Discard, response.Body)
	must(c.t, err)
	must(c.t, response.Body.Close())
	if response.StatusCode != http.StatusOK || n < int64(size)-64 || n > int64(size)+64 {
		c.t.Fatalf("status %d with %d bytes, want about %d", response.StatusCode, n, size)
	}
}

// bare serves constant bytes behind the shop's TLS, and gives its address.
func (s *shop) bare(text []byte) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(s.t, err)
	server := &http.Server{
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, GetCertificate: s.core.GetCertificate,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: s.core.ClientCAs(),
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = w.Write(text)
		}),
	}
	go func() { _ = server.ServeTLS(l, "", "") }()
	s.t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}
