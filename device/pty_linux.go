package device

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OpenPTY makes a pseudo-terminal in raw mode. The link is its master side; the
// path is a serial port for anybody else. Closing the link unplugs that port.
func OpenPTY() (Link, string, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open pseudo-terminal: %w", err)
	}
	path, slave, err := openSlave(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, "", fmt.Errorf("open pseudo-terminal: %w", err)
	}
	// The master reads EIO while nobody has the slave open; one descriptor held
	// here makes the port wait for its next user as a real one does.
	release := func() { _ = unix.Close(slave) }
	return &streamLink{stream: os.NewFile(uintptr(fd), path), release: release}, path, nil
}

func openSlave(master int) (path string, slave int, err error) {
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return "", 0, fmt.Errorf("unlock: %w", err)
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return "", 0, fmt.Errorf("number: %w", err)
	}
	path = fmt.Sprintf("/dev/pts/%d", n)
	slave, err = unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", 0, fmt.Errorf("open %s: %w", path, err)
	}
	if err := setLine(slave, Serial{Baud: 38400}); err != nil {
		_ = unix.Close(slave)
		return "", 0, err
	}
	return path, slave, nil
}
