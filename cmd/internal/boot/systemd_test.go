package boot

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// manager is the socket of a service manager.
func manager(t *testing.T) (*net.UnixConn, func(string) string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "till") // a socket's path may have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "7"}
	return l, func(name string) string { return env[name] }
}

func hear(t *testing.T, l *net.UnixConn) string {
	t.Helper()
	text := make([]byte, 4096)
	if err := l.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := l.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:n])
}

func TestTheServiceManagerIsToldEachState(t *testing.T) {
	l, getenv := manager(t)
	s := NewSupervisor(getenv, 7)
	for _, c := range []struct {
		tell func() error
		want string
	}{
		{func() error { return s.Ready("here") }, "READY=1\nSTATUS=here"},
		{s.Reloading, "RELOADING=1\nMONOTONIC_USEC="},
		{s.Stopping, "STOPPING=1"},
	} {
		if err := c.tell(); err != nil {
			t.Fatal(err)
		}
		if got := hear(t, l); !strings.HasPrefix(got, c.want) {
			t.Errorf("told %q, not %q", got, c.want)
		}
	}
	if err := NewSupervisor(func(string) string { return "" }, 7).Ready("nobody hears"); err != nil {
		t.Errorf("without a manager: %v", err)
	}
}

func TestASignOfLifeComesOnlyFromWhatAnswers(t *testing.T) {
	l, getenv := manager(t)
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		NewSupervisor(getenv, 7).Watch(ctx, func(context.Context) error {
			asked++
			if asked < 3 {
				return errors.New("stuck")
			}
			return nil
		}, slog.New(slog.DiscardHandler))
	}()
	if got := hear(t, l); got != "WATCHDOG=1" {
		t.Errorf("told %q", got)
	}
	cancel()
	<-ended
	if asked < 3 {
		t.Errorf("a sign of life after %d questions", asked)
	}
	// Another process's watchdog is not ours.
	NewSupervisor(getenv, 8).Watch(t.Context(), func(context.Context) error { t.Error("asked"); return nil }, nil)
}

func TestSocketsAreTakenOverByName(t *testing.T) {
	env := map[string]string{"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "rpc"}
	getenv := func(name string) string { return env[name] }
	if l, err := Inherited(getenv, 8); l != nil || err != nil {
		t.Errorf("another process's sockets: %v %v", l, err)
	}
	for _, names := range []string{"rpc", "rpc:control", "rpc:rpc"} {
		env["LISTEN_FDNAMES"], env["LISTEN_FDS"] = names, strconv.Itoa(strings.Count(names, ":")+1)
		if names == "rpc" {
			env["LISTEN_FDS"] = "0"
		}
		if _, err := Inherited(getenv, 7); err == nil {
			t.Errorf("%s %s: taken over", env["LISTEN_FDS"], names)
		}
	}
}
