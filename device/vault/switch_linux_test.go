package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"till/device"
)

// TestTheLayoutIsTheKernels: sizes, offsets and request numbers as a C compiler
// gives them for linux/gpio.h, on 32 and 64 bits alike.
func TestTheLayoutIsTheKernels(t *testing.T) {
	var r gpioLineRequest
	for name, c := range map[string][2]uintptr{
		"struct gpio_v2_line_request":          {unsafe.Sizeof(r), 592},
		"struct gpio_v2_line_config":           {unsafe.Sizeof(r.config), 272},
		"struct gpio_v2_line_config_attribute": {unsafe.Sizeof(r.config.list[0]), 24},
		"struct gpio_v2_line_values":           {unsafe.Sizeof(gpioLineValues{}), 16},
		"gpio_v2_line_request.consumer":        {unsafe.Offsetof(r.consumer), 256},
		"gpio_v2_line_request.config":          {unsafe.Offsetof(r.config), 288},
		"gpio_v2_line_request.num_lines":       {unsafe.Offsetof(r.lines), 560},
		"gpio_v2_line_request.fd":              {unsafe.Offsetof(r.fd), 588},
		"gpio_v2_line_config.attrs":            {unsafe.Offsetof(r.config.list), 32},
		"gpio_v2_line_config_attribute.mask":   {unsafe.Offsetof(r.config.list[0].mask), 16},
		"gpio_v2_line_attribute.debounce":      {unsafe.Offsetof(r.config.list[0].value), 8},
		"GPIO_V2_GET_LINE_IOCTL":               {gpioGetLine, iowr(7, unsafe.Sizeof(r))},
		"GPIO_V2_LINE_GET_VALUES_IOCTL":        {gpioGetValues, iowr(0x0E, unsafe.Sizeof(gpioLineValues{}))},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %#x, want %#x", name, c[0], c[1])
		}
	}
}

// iowr is the kernel's _IOWR for GPIO.
func iowr(number, size uintptr) uintptr { return 3<<30 | size<<16 | 0xB4<<8 | number }

// event is one edge as the kernel writes it.
func event(rising bool) []byte {
	p := make([]byte, gpioEventSize)
	id := uint32(2)
	if rising {
		id = 1
	}
	binary.NativeEndian.PutUint64(p, 12345)
	binary.NativeEndian.PutUint32(p[8:], id)
	return p
}

// TestAnEdgeShorterThanALookIsAnOpening has the kernel's events come through a
// pipe; the level is closed at every look.
func TestAnEdgeShorterThanALookIsAnOpening(t *testing.T) {
	for _, openHigh := range []bool{true, false} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := &gpioSwitch{name: "pipe", high: openHigh, file: r, now: func() (bool, error) { return !openHigh, nil }}
		if err := s.Wait(t.Context(), false); err != nil {
			t.Errorf("it is closed: %v", err)
		}
		if _, err := w.Write(event(!openHigh)); err != nil {
			t.Fatal(err)
		}
		if opened, err := s.edges(t.Context()); opened || err != nil {
			t.Errorf("a closing is taken for an opening: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = w.Write(append(event(openHigh), event(!openHigh)...))
		}()
		if err := s.Wait(ctx, true); err != nil {
			t.Errorf("a short opening: %v", err)
		}
		cancel()
		if err := s.Wait(ctx, true); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if err := errors.Join(w.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestAGPIOLineThatGoesAwayIsAFault(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &gpioSwitch{name: "pipe", high: true, file: r, now: func() (bool, error) { return false, nil }}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context(), true); err == nil {
		t.Error("an end of file is an opening")
	}
	_ = s.Close()
	s.now = func() (bool, error) { return gpioHigh(r) }
	if err := s.Wait(t.Context(), true); err == nil {
		t.Error("a closed line has a level")
	}
}

func TestAControlLineIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines atomic.Int64
		lines.Store(unix.TIOCM_DSR | unix.TIOCM_CTS)
		s := &modemSwitch{name: "ttyS0-dsr", bit: unix.TIOCM_DSR, lines: func() (int, error) { return int(lines.Load()), nil }}
		began := time.Now()
		go func() {
			time.Sleep(time.Hour)
			lines.Store(unix.TIOCM_DSR | unix.TIOCM_RI) // other lines
			time.Sleep(time.Hour)
			lines.Store(unix.TIOCM_CTS | unix.TIOCM_RI)
		}()
		if err := s.Wait(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if late := time.Since(began) - 2*time.Hour; late < 0 || late > modemEvery {
			t.Errorf("seen %v late", late)
		}
		s.lines = func() (int, error) { return 0, unix.EIO }
		if got := s.Wait(t.Context(), false); !errors.Is(got, unix.EIO) {
			t.Errorf("a port that is gone: %v", got)
		}
	})
}

func TestWhatHasNoSuchLineIsRefused(t *testing.T) {
	link, pty, err := device.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer link.Close()
	for _, raw := range []string{
		"serial://" + pty + "?line=dsr", // a pseudo-terminal has none
		"serial:///dev/nothing?line=dsr",
		"gpio:" + pty + "?line=1",
		"gpio:/dev/nothing?line=1",
	} {
		u, err := ParseSwitch(raw)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := u.Open(); err == nil {
			t.Errorf("%s opens", raw)
			_ = s.Close()
		}
	}
}

// TestAGPIOLineOfTheKernel runs where the kernel has gpio-sim, for root: it makes
// a chip, and pulls its line.
func TestAGPIOLineOfTheKernel(t *testing.T) {
	const config = "/sys/kernel/config/gpio-sim"
	if _, err := os.Stat(config); err != nil {
		t.Skip("this kernel has no gpio-sim")
	}
	chip := filepath.Join(config, "till-"+strconv.Itoa(os.Getpid()))
	bank := filepath.Join(chip, "bank0")
	for _, dir := range []string{chip, bank} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Skipf("gpio-sim cannot be used: %v", err)
		}
		defer os.Remove(dir)
	}
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	put(filepath.Join(bank, "num_lines"), "8")
	put(filepath.Join(chip, "live"), "1")
	defer put(filepath.Join(chip, "live"), "0")
	name := get(filepath.Join(bank, "chip_name"))
	pull := filepath.Join("/sys/devices/platform", get(filepath.Join(chip, "dev_name")), name, "sim_gpio3/pull")
	put(pull, "pull-down")
	u, err := ParseSwitch("gpio:/dev/" + name + "?line=3&bias=none")
	if err != nil {
		t.Fatal(err)
	}
	s, err := u.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Wait(ctx, false); err != nil {
		t.Fatalf("closed: %v", err)
	}
	opened := make(chan error, 1)
	go func() { opened <- s.Wait(ctx, true) }()
	put(pull, "pull-up")
	if err := <-opened; err != nil {
		t.Errorf("opened: %v", err)
	}
}
