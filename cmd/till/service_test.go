package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"till/cmd/internal/boot"
)

// managed is a server under a service manager: the test.
type managed struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	file   string // its configuration
	notify *net.UnixConn
	at     boot.Addresses
	log    lockedBuffer
}

// lockedBuffer is written by a process and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startManaged(t *testing.T) *managed {
	t.Helper()
	short, err := os.MkdirTemp("", "till") // a socket's path may have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	m := &managed{t: t, dir: t.TempDir(), file: filepath.Join(short, "till.toml")}
	m.configure("[shop]\nname = \"First\"\n")
	socket := filepath.Join(short, "notify")
	if m.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.notify.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	addresses := filepath.Join(m.dir, "at.json")
	m.cmd = exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, tillProgram(t), "serve", "--practice", "--data", m.dir, "--config", m.file,
		"--control", "127.0.0.1:0", "--merchant", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--mint", "127.0.0.1:0", "--addresses-file", addresses)
	m.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "LISTEN_FDS=1", "LISTEN_FDNAMES=rpc", "WATCHDOG_USEC=2000000", "JOURNAL_STREAM=8:1")
	m.cmd.ExtraFiles, m.cmd.Stderr = []*os.File{file}, &m.log
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.cmd.Process.Kill(); _, _ = m.cmd.Process.Wait() })
	_ = file.Close()
	m.told("READY=1")
	text, err := os.ReadFile(addresses)
	if err != nil {
		t.Fatalf("ready without addresses: %v", err)
	}
	if err := json.Unmarshal(text, &m.at); err != nil || m.at.RPC != l.Addr().String() {
		t.Fatalf("%v: it serves terminals on %s, not on the socket %s", err, m.at.RPC, l.Addr())
	}
	_ = l.Close()
	return m
}

func (m *managed) configure(text string) {
	if err := os.WriteFile(m.file, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// told waits for a state.
func (m *managed) told(state string) {
	m.t.Helper()
	text := make([]byte, 4096)
	for {
		if err := m.notify.SetReadDeadline(time.Now().Add(startTime)); err != nil {
			m.t.Fatal(err)
		}
		n, err := m.notify.Read(text)
		if err != nil {
			m.t.Fatalf("not told %s: %v\n%s", state, err, m.log.String())
		}
		if strings.HasPrefix(string(text[:n]), state) {
			return
		}
	}
}

func (m *managed) get(path string) string {
	m.t.Helper()
	answer, err := http.Get("http://" + m.at.Metrics + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(body)
}

func (m *managed) signal(s syscall.Signal) {
	m.t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.t.Fatal(err)
	}
}

// logs waits for a line, which takes its way through a pipe.
func (m *managed) logs(text string) {
	m.t.Helper()
	for deadline := time.Now().Add(startTime); !strings.Contains(m.log.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Errorf("no %q in\n%s", text, m.log.String())
			return
		}
	}
}

// TestServeUnderAServiceManager starts the program as systemd does: with its
// socket, a notification socket and a watchdog.
func TestServeUnderAServiceManager(t *testing.T) {
	m := startManaged(t)
	m.told("WATCHDOG=1")
	if body := m.get("/readyz"); !strings.HasPrefix(body, "ready\n") {
		t.Errorf("readyz: %s", body)
	}
	for _, want := range []string{"till_ready 1\n", "till_store_commit_seconds_count ", `till_request_seconds_bucket{method="checkin",le="+Inf"} 0`} {
		if body := m.get("/metrics"); !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	for _, c := range []struct{ text, log string }{
		{"[shop]\nname = \"Second\"\n[chain]\nfee_fallback = 7\n", `<4>msg="some keys hold from the next start on" keys=[chain.fee_fallback]`},
		{"[shop]\nname = 3\n", `<3>msg="configuration not reloaded: nothing was changed"`},
		{"[shop]\nname = \"Third\"\n[limits]\nshop_day = \"3\"\n", `<6>msg="configuration reloaded" changed="[shop.name limits.shop_day]"`},
	} {
		m.configure(c.text)
		m.signal(syscall.SIGHUP)
		m.told("RELOADING=1\nMONOTONIC_USEC=")
		m.told("READY=1")
		m.logs(c.log)
	}
	m.signal(syscall.SIGTERM)
	m.told("STOPPING=1")
	if err := m.cmd.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, m.log.String())
	}
}
