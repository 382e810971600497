package rpc_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestATerminalThatAsksForTooMuchAtOnceIsTheOnlyOneToWait(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	greedy, modest := s.enroll("greedy"), s.enroll("modest")
	config := s.config(greedy.certificate)
	config.ServerName = "127.0.0.1"
	var begun []net.Conn
	for range 16 {
		conn, err := tls.Dial("tcp", s.addr, config)
		must(t, err)
		defer func() { _ = conn.Close() }()
		_, err = conn.Write([]byte("POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"))
		must(t, err)
		begun = append(begun, conn)
	}
	const ask = `{"jsonrpc":"2.0","id":1,"method":"querynonce","params":{"id":"01890a5d-ac96-774b-bcce-b302099a8057"}}`
	until := func(status int) {
		t.Helper()
		last := 0
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			if last = greedy.raw(ask).status; last == status {
				return
			}
		}
		t.Fatalf("answered %d, want %d", last, status)
	}
	until(http.StatusTooManyRequests)
	modest.caughtUp()
	for _, conn := range begun {
		must(t, conn.Close())
	}
	until(http.StatusOK)
}
