package vault

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The GPIO character device, version 2 (linux/gpio.h, since Linux 5.10).
const (
	gpioGetLine   = 0xC250B407 // _IOWR(0xB4, 0x07, struct gpio_v2_line_request)
	gpioGetValues = 0xC010B40E // _IOWR(0xB4, 0x0E, struct gpio_v2_line_values)

	gpioInput       = 1 << 2
	gpioEdgeRising  = 1 << 4
	gpioEdgeFalling = 1 << 5
	gpioPullUp      = 1 << 8
	gpioPullDown    = 1 << 9
	gpioNoBias      = 1 << 10

	gpioDebounce   = 3      // id of the attribute
	gpioDebounceUS = 10_000 // no hand opens and closes a case faster

	gpioEventSize = 48 // struct gpio_v2_line_event: timestamp 8, id 4, …
	gpioRising    = 1  // its id; falling is 2
)

type gpioLineAttribute struct {
	id, _ uint32
	value uint32 // of a union of 8 bytes
	_     uint32
	mask  uint64
}

type gpioLineConfig struct {
	flags uint64
	count uint32
	_     [5]uint32
	list  [10]gpioLineAttribute
}

type gpioLineRequest struct {
	offsets  [64]uint32
	consumer [32]byte
	config   gpioLineConfig
	lines    uint32
	buffer   uint32
	_        [5]uint32
	fd       int32
}

type gpioLineValues struct{ bits, mask uint64 }

// gpioSwitch is a case switch on a GPIO line. Its file gives an event for each
// edge.
type gpioSwitch struct {
	name string
	high bool // when open
	file *os.File
	now  func() (high bool, err error)
}

// Open opens the sensor.
func (u SwitchURL) Open() (Switch, error) {
	if !u.gpio {
		return openModem(u)
	}
	chip, err := unix.Open(u.path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", u.path, err)
	}
	defer unix.Close(chip)
	flags := map[string]uint64{"up": gpioPullUp, "down": gpioPullDown, "none": gpioNoBias}[u.bias]
	request := gpioLineRequest{lines: 1, config: gpioLineConfig{flags: gpioInput | gpioEdgeRising | gpioEdgeFalling | flags, count: 1}}
	request.config.list[0] = gpioLineAttribute{id: gpioDebounce, value: gpioDebounceUS, mask: 1}
	request.offsets[0] = uint32(u.line)
	copy(request.consumer[:len(request.consumer)-1], "till case switch")
	if err := ioctl(chip, gpioGetLine, unsafe.Pointer(&request)); err != nil {
		return nil, fmt.Errorf("take line %d of %s: %w", u.line, u.path, err)
	}
	fd := int(request.fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("take line %d of %s: %w", u.line, u.path, err)
	}
	file := os.NewFile(uintptr(fd), u.path)
	return &gpioSwitch{name: u.Name(), high: u.high, file: file, now: func() (bool, error) { return gpioHigh(file) }}, nil
}

// gpioHigh asks for the line's level.
func gpioHigh(file *os.File) (high bool, err error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return false, err
	}
	values := gpioLineValues{mask: 1}
	if e := conn.Control(func(fd uintptr) { err = ioctl(int(fd), gpioGetValues, unsafe.Pointer(&values)) }); e != nil {
		err = e
	}
	return values.bits&1 == 1, err
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	if errno != 0 {
		return errno
	}
	return nil
}

func (s *gpioSwitch) Name() string { return s.name }

func (s *gpioSwitch) Close() error { return s.file.Close() }

// Wait looks at the level, then at every edge: an opening that was shorter than
// the way here is one.
func (s *gpioSwitch) Wait(ctx context.Context, open bool) error {
	for {
		high, err := s.now()
		if err != nil {
			return fmt.Errorf("ask for the level: %w", err)
		}
		if (high == s.high) == open {
			return nil
		}
		opened, err := s.edges(ctx)
		if err != nil {
			return err
		}
		if open && opened {
			return nil
		}
	}
}

// edges waits for events and tells whether one of them was an opening.
func (s *gpioSwitch) edges(ctx context.Context) (opened bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = s.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var events [16 * gpioEventSize]byte
	n, err := s.file.Read(events[:])
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return false, fmt.Errorf("read edges: %w", err)
	}
	for at := 0; at+gpioEventSize <= n; at += gpioEventSize {
		rising := binary.NativeEndian.Uint32(events[at+8:]) == gpioRising
		opened = opened || rising == s.high
	}
	return opened, nil
}
