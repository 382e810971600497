package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Supervisor is the service manager that started this process, told of its state
// as sd_notify(3) says. Where there is none it does nothing.
type Supervisor struct {
	socket   string        // "" none; @ in front: an abstract name
	watchdog time.Duration // within which it wants a sign of life, 0 never
}

// NewSupervisor reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
func NewSupervisor(getenv func(string) string, pid int) *Supervisor {
	s := &Supervisor{socket: getenv("NOTIFY_SOCKET")}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if whose := getenv("WATCHDOG_PID"); err == nil && usec > 0 && (whose == "" || whose == strconv.Itoa(pid)) {
		s.watchdog = time.Duration(usec) * time.Microsecond
	}
	return s
}

// Ready tells that the program does its work.
func (s *Supervisor) Ready(status string) error { return s.tell("READY=1\nSTATUS=" + status) }

// Stopping tells that it ends.
func (s *Supervisor) Stopping() error { return s.tell("STOPPING=1") }

// Reloading tells that the configuration is read again, until Ready.
func (s *Supervisor) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("read monotonic clock: %w", err)
	}
	return s.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000))
}

// tell sends one datagram.
func (s *Supervisor) tell(state string) error {
	if s.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	_, err = conn.Write([]byte(state))
	if err = errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}

// Watch gives a sign of life twice in the time the watchdog allows, each only
// after alive said so within it, until ctx ends. A program that no longer answers
// is silent and gets restarted.
func (s *Supervisor) Watch(ctx context.Context, alive func(context.Context) error, log *slog.Logger) {
	if s.socket == "" || s.watchdog == 0 {
		return
	}
	tick := time.NewTicker(s.watchdog / 2)
	defer tick.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, s.watchdog/4)
		err := alive(try)
		cancel()
		if err == nil {
			err = s.tell("WATCHDOG=1")
		}
		if err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "no sign of life", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Names of sockets that a service manager may hand over.
const (
	socketRPC      = "rpc"
	socketMerchant = "merchant"
	socketMetrics  = "metrics"
)

// firstInherited is where inherited sockets begin (SD_LISTEN_FDS_START).
const firstInherited = 3

// Inherited gives the listeners that a service manager opened for this process, by
// name (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES; nil without.
func Inherited(getenv func(string) string, pid int) (map[string]net.Listener, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	if err != nil || n < 1 || n != len(names) {
		return nil, fmt.Errorf("take over sockets: LISTEN_FDS is %q with the names %q", getenv("LISTEN_FDS"), getenv("LISTEN_FDNAMES"))
	}
	known := map[string]bool{socketRPC: true, socketMerchant: true, socketMetrics: true}
	for _, name := range names {
		if !known[name] {
			return nil, fmt.Errorf("take over sockets: no place for %q: FileDescriptorName is rpc, merchant or metrics, each once", name)
		}
		known[name] = false
	}
	listeners := map[string]net.Listener{}
	for i, name := range names {
		file := os.NewFile(uintptr(firstInherited+i), name)
		l, err := net.FileListener(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("take over socket %s: %w", name, err)
		}
		listeners[name] = l
	}
	return listeners, nil
}
