package vault

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// modemEvery is how often a control line is looked at; no hand opens and closes a
// case faster. (TIOCMIWAIT would sleep instead, but nothing wakes it, and several
// USB adapters lack it.)
const modemEvery = 20 * time.Millisecond

// modemSwitch is a case switch on a control line of a serial port.
type modemSwitch struct {
	name  string
	bit   int
	on    bool // when open
	file  *os.File
	lines func() (int, error)
}

func openModem(u SwitchURL) (Switch, error) {
	fd, err := unix.Open(u.path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", u.path, err)
	}
	file := os.NewFile(uintptr(fd), u.path)
	s := &modemSwitch{name: u.Name(), on: u.high, file: file,
		bit: map[string]int{"dsr": unix.TIOCM_DSR, "cts": unix.TIOCM_CTS, "ri": unix.TIOCM_RI, "dcd": unix.TIOCM_CD}[u.word]}
	conn, err := file.SyscallConn()
	if err == nil {
		s.lines = func() (lines int, err error) {
			if e := conn.Control(func(fd uintptr) { lines, err = unix.IoctlGetInt(int(fd), unix.TIOCMGET) }); e != nil {
				return 0, e
			}
			return lines, err
		}
		_, err = s.lines()
	}
	if err == nil { // the switch is fed from these two
		if e := conn.Control(func(fd uintptr) { err = unix.IoctlSetPointerInt(int(fd), unix.TIOCMBIS, unix.TIOCM_DTR|unix.TIOCM_RTS) }); e != nil {
			err = e
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s has no control lines: %w", u.path, err)
	}
	return s, nil
}

func (s *modemSwitch) Name() string { return s.name }

func (s *modemSwitch) Close() error { return s.file.Close() }

func (s *modemSwitch) Wait(ctx context.Context, open bool) error {
	for {
		lines, err := s.lines()
		if err != nil {
			return fmt.Errorf("read control lines: %w", err)
		}
		if on := lines&s.bit != 0; (on == s.on) == open {
			return nil
		}
		if !pause(ctx, modemEvery) {
			return ctx.Err()
		}
	}
}
