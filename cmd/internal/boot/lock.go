package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock holds a data directory for one process.
type Lock struct{ file *os.File }

// HeldError tells which process holds the data directory.
type HeldError struct {
	Dir string
	PID int // 0 when it cannot be told
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another till holds %s", e.Dir)
	}
	return fmt.Sprintf("another till (process %d) holds %s", e.PID, e.Dir)
}

// TakeLock makes the directory if need be and locks it, with flock(2): the lock
// ends with the process, however it ends. A directory that is held gives a
// *[HeldError].
func TakeLock(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "till.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		held := error(&HeldError{dir, holder(f)})
		if !errors.Is(err, unix.EWOULDBLOCK) {
			held = fmt.Errorf("lock data directory: %w", err)
		}
		return nil, errors.Join(held, f.Close())
	}
	if err := errors.Join(f.Truncate(0), write(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("write lock: %w", err), f.Close())
	}
	return &Lock{f}, nil
}

// Release lets the directory go.
func (l *Lock) Release() error { return l.file.Close() }

func write(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func holder(f *os.File) int {
	text := make([]byte, 20)
	n, err := f.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}
