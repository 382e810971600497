package device

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

var speeds = map[int]uint32{
	1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800, 9600: unix.B9600,
	19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600, 115200: unix.B115200,
	230400: unix.B230400, 460800: unix.B460800, 921600: unix.B921600,
}

// openSerial opens a terminal device for this process alone, in raw mode.
func openSerial(s Serial) (Link, error) {
	fd, err := unix.Open(s.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("open %s: %w", s.Path, ErrInUse)
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		return nil, fmt.Errorf("open %s: %w: %w", s.Path, os.ErrNotExist, err)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", s.Path, err)
	}
	if err := claim(fd, s); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("open %s: %w", s.Path, err)
	}
	// The descriptor is non-blocking, so the file is watched by the poller and
	// has deadlines on both directions; Close ends reads and writes.
	file := os.NewFile(uintptr(fd), s.Path)
	return &streamLink{stream: file, release: func() { unclaim(file) }}, nil
}

// claim makes the port exclusive and sets its line. flock keeps other tills
// out, even those of root, whom TIOCEXCL lets in.
func claim(fd int, s Serial) error {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return ErrInUse
		}
		return fmt.Errorf("lock: %w", err)
	}
	if err := setLine(fd, s); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fmt.Errorf("make exclusive: %w", err)
	}
	// What the device said before belongs to nobody's question.
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// unclaim gives exclusivity back: a pseudo-terminal keeps it past the close.
func unclaim(file *os.File) {
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	// The control fails only when the device is gone, and its claim with it.
	_ = raw.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) })
}

// setLine is raw mode, 8 data bits, 1 stop bit, modem lines ignored, and the
// lines left as they are on close so that reopening resets no device.
func setLine(fd int, s Serial) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("not a serial port: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | speeds[s.Baud]
	switch s.Parity {
	case OddParity:
		t.Cflag |= unix.PARENB | unix.PARODD
		t.Iflag |= unix.INPCK
	case EvenParity:
		t.Cflag |= unix.PARENB
		t.Iflag |= unix.INPCK
	}
	switch s.Flow {
	case XonXoff:
		t.Iflag |= unix.IXON | unix.IXOFF
	case RTSCTS:
		t.Cflag |= unix.CRTSCTS
	}
	t.Ispeed, t.Ospeed = speeds[s.Baud], speeds[s.Baud]
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("set line: %w", err)
	}
	return nil
}
