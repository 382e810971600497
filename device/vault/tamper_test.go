package vault

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lid is a case switch that a test opens and closes.
type lid struct {
	mu      sync.Mutex
	open    bool
	broken  error
	changed chan struct{}
}

func newLid() *lid { return &lid{changed: make(chan struct{})} }

func (l *lid) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lid) Name() string { return "lid" }
func (l *lid) Close() error { return nil }

func (l *lid) Wait(ctx context.Context, open bool) error {
	for {
		l.mu.Lock()
		is, broken, changed := l.open, l.broken, l.changed
		l.mu.Unlock()
		if broken != nil {
			return broken
		}
		if is == open {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *lid) dial() (Switch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return nil, l.broken
	}
	return l, nil
}

// guarded runs a guard over a vault with a key, and counts what it tells.
type guarded struct {
	vault *File
	lid   *lid
	stop  func()

	mu       sync.Mutex
	tampered int
	faults   []error
}

func guard(t *testing.T, v Eraser, file *File, l *lid) *guarded {
	t.Helper()
	g := &guarded{vault: file, lid: l}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Guard(ctx, l.dial, v,
			func(string) { g.mu.Lock(); g.tampered++; g.mu.Unlock() },
			func(err error) { g.mu.Lock(); g.faults = append(g.faults, err); g.mu.Unlock() })
	}()
	g.stop = func() { cancel(); <-done }
	return g
}

// told waits for rest and gives what the guard has told.
func (g *guarded) told() (tampered int, faults []error) {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tampered, g.faults
}

func fileWithKey(t *testing.T) *File {
	t.Helper()
	f := vaultIn(t, t.TempDir(), nil)
	if _, err := f.Generate(); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAnOpenedCaseErasesAtOnceAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := fileWithKey(t), newLid()
		g := guard(t, f, f, l)
		defer g.stop()
		time.Sleep(time.Hour)
		if n, faults := g.told(); n != 0 || len(faults) != 0 {
			t.Errorf("a closed case: %d, %v", n, faults)
		}
		if _, err := f.Signer(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		l.set(func() { l.open = true })
		if n, _ := g.told(); n != 1 || time.Since(began) != 0 {
			t.Errorf("told %d times after %v", n, time.Since(began))
		}
		if _, err := f.Signer(); !errors.Is(err, ErrNoKey) {
			t.Errorf("the key: %v", err)
		}
		if sensor, found, err := Tampered(f.dir); sensor != "lid" || !found || err != nil {
			t.Errorf("tampered: %q, %v, %v", sensor, found, err)
		}
		// Whoever mends the case may pair it while it is open.
		if _, err := f.Generate(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := f.Signer(); err != nil {
			t.Errorf("the new key, the case still open: %v", err)
		}
		l.set(func() { l.open = false })
		g.told()
		l.set(func() { l.open = true })
		if n, _ := g.told(); n != 2 {
			t.Errorf("opened again it is told %d times", n)
		}
		if _, err := f.Signer(); !errors.Is(err, ErrNoKey) {
			t.Errorf("the key after the second opening: %v", err)
		}
	})
}

func TestACaseThatIsOpenAtTheStartErases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := fileWithKey(t), newLid()
		l.open = true
		g := guard(t, f, f, l)
		defer g.stop()
		if n, _ := g.told(); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// stubborn fails to erase a few times.
type stubborn struct {
	Eraser
	fails int
}

var errStubborn = errors.New("disk is away")

func (s *stubborn) Tamper(sensor string) error {
	if s.fails--; s.fails >= 0 {
		return errStubborn
	}
	return s.Eraser.Tamper(sensor)
}

func TestAnEraseThatFailsIsTriedUntilItDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := fileWithKey(t), newLid()
		g := guard(t, &stubborn{f, 3}, f, l)
		defer g.stop()
		l.set(func() { l.open = true })
		if n, faults := g.told(); n != 0 || len(faults) != 1 || !errors.Is(faults[0], errStubborn) {
			t.Errorf("at first: %d, %v", n, faults)
		}
		l.set(func() { l.open = false }) // closing it again saves nothing
		time.Sleep(4 * time.Second)
		if n, faults := g.told(); n != 1 || len(faults) != 3 {
			t.Errorf("in the end: %d, %v", n, faults)
		}
		if _, err := f.Signer(); !errors.Is(err, ErrNoKey) {
			t.Errorf("the key: %v", err)
		}
	})
}

func TestASensorThatFailsErasesNothingAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := fileWithKey(t), newLid()
		g := guard(t, f, f, l)
		defer g.stop()
		gone := errors.New("adapter is gone")
		l.set(func() { l.broken = gone })
		time.Sleep(12 * time.Second)
		n, faults := g.told()
		if n != 0 || len(faults) == 0 || !errors.Is(faults[0], gone) {
			t.Errorf("%d, %v", n, faults)
		}
		if _, err := f.Signer(); err != nil {
			t.Errorf("the key: %v", err)
		}
		l.set(func() { l.broken = nil })
		time.Sleep(6 * time.Second)
		if _, faults := g.told(); faults[len(faults)-1] != nil {
			t.Errorf("it is back: %v", faults)
		}
		l.set(func() { l.open = true })
		if n, _ := g.told(); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestAGuardErasesAKeyInATPM(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil)
	s, err := v.Generate()
	signer := must(t, s, err)
	l := newLid()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		Guard(ctx, l.dial, v, func(sensor string) { told <- sensor }, func(err error) { t.Error(err) })
	}()
	defer func() { cancel(); <-done }()
	verify(t, signer)
	l.set(func() { l.open = true })
	if sensor := <-told; sensor != "lid" {
		t.Errorf("sensor %q", sensor)
	}
	if _, err := signer.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key signs: %v", err)
	}
}

func TestSwitchURLsAreStrict(t *testing.T) {
	for raw, want := range map[string]SwitchURL{
		"gpio:/dev/gpiochip0?line=17":                    {path: "/dev/gpiochip0", gpio: true, line: 17, bias: "up", high: true},
		"gpio:/dev/gpiochip1?line=0&open=low&bias=down":  {path: "/dev/gpiochip1", gpio: true, bias: "down"},
		"gpio:/dev/gpiochip1?line=3&open=high&bias=none": {path: "/dev/gpiochip1", gpio: true, line: 3, bias: "none", high: true},
		"serial:///dev/ttyS0?line=dsr":                   {path: "/dev/ttyS0", bias: "up", word: "dsr"},
		"serial:///dev/ttyS0?line=ri&open=on":            {path: "/dev/ttyS0", bias: "up", word: "ri", high: true},
	} {
		want.raw = raw
		if got, err := ParseSwitch(raw); err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"", "none", "gpio:", "gpio:/dev/gpiochip0", "gpio:/dev/gpiochip0?line=", "gpio:/dev/gpiochip0?line=-1", "gpio:/dev/gpiochip0?line=017",
		"gpio:/dev/gpiochip0?line=1&line=2", "gpio:/dev/gpiochip0?line=1&open=on", "gpio:/dev/gpiochip0?line=1&bias=x", "gpio:gpiochip0?line=1",
		"gpio:/dev/../gpiochip0?line=1", "gpio:/gpiochip0?line=1", "serial:///dev/ttyS0", "serial:///dev/ttyS0?line=dtr", "serial:///dev/ttyS0?line=dsr&bias=up",
		"serial:///dev/ttyS0?line=dsr&open=high", "serial:///dev/ttyS0?line=%zz", "tcp://h:1?line=dsr", "gpio:/dev/" + strings.Repeat("x", 2000),
	} {
		if got, err := ParseSwitch(raw); err == nil {
			t.Errorf("%.60s is taken for %+v", raw, got)
		}
	}
	for raw, want := range map[string]string{"gpio:/dev/gpiochip0?line=17": "gpiochip0-17", "serial:///dev/ttyS0?line=dsr": "ttyS0-dsr"} {
		if u, err := ParseSwitch(raw); err != nil || u.Name() != want {
			t.Errorf("%s is called %q, %v", raw, u.Name(), err)
		}
	}
}

func FuzzParseSwitch(f *testing.F) {
	f.Add("gpio:/dev/gpiochip0?line=17&open=low&bias=none")
	f.Add("serial:///dev/ttyS0?line=dsr&open=on")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := ParseSwitch(raw)
		if err == nil && (!filepath.IsAbs(u.path) || len(u.Name()) > maxSensor || u.gpio == (u.word != "")) {
			t.Errorf("%q is %+v", raw, u)
		}
	})
}
