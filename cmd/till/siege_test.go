package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"till/cmd/internal/story"
)

// TestNothingLeavesAKiosk besieges a kiosk on a pseudo-terminal with a sale on its
// screen: every byte, every sequence of terminfo, every signal, sizes down to 1×1,
// then thousands of inputs at random. It is still a kiosk, its tty was raw all the
// time, it started no process, and the sale was paid meanwhile and is on paper.
// TERM then ends it in time and gives the tty back.
func TestNothingLeavesAKiosk(t *testing.T) {
	inputs := 10_000
	if testing.Short() {
		inputs = 600
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d inputs", seed, inputs)
	s := besiege(t, rand.New(rand.NewPCG(seed, 1)))

	s.write(t, "1230")
	s.settle()
	s.write(t, "\r")
	s.reach(t, "pay")
	s.write(t, "1")
	sale := s.asked(t)

	for b := range 128 { // each twice, and slowly: faster it were a scan
		for range 2 {
			s.write(t, string([]byte{byte(b)}))
			s.settle()
		}
	}
	for b := range 256 {
		s.write(t, string([]byte{byte(b)}))
	}
	sequences := terminfo(t)
	for _, sequence := range sequences {
		s.write(t, sequence)
	}
	for _, name := range allSignals {
		s.signal(t, name)
	}
	for _, size := range [][2]int{{1, 1}, {2, 1}, {1, 50}, {300, 2}, {39, 19}, {500, 200}, {80, 24}} {
		s.shop.Program.Resize(size[0], size[1])
	}
	s.check(t)
	for n := range inputs {
		if n == inputs/2 {
			if _, err := s.Pay(t.Context(), story.Payment{Address: sale.Address, Amount: sale.Due}); err != nil {
				t.Fatal(err)
			}
		}
		s.anything(t, sequences)
	}
	s.shop.Program.Resize(80, 24)
	s.check(t)
	await(t, "the receipt", func() error {
		if paper := s.printer.Text(); !strings.Contains(paper, "12.30") {
			return fmt.Errorf("the paper says %q", paper)
		}
		return nil
	})
	await(t, "the attract screen", func() error {
		if err := s.Advance(t.Context(), 200*time.Second); err != nil {
			return err
		}
		if at := s.Screen(); at != "attract" && at != "pay" {
			return errors.New("at " + at)
		}
		return nil
	})
	s.relieve(t)
}

// siege is a kiosk on a stage, and a watch over its tty.
type siege struct {
	*stage
	shop   *story.Shop
	random *rand.Rand
	keys   io.Writer
	output tail

	mu       sync.Mutex
	released string // what the watch saw that should not be, "" nothing
	stop     chan struct{}
	watched  chan struct{}
}

// tail keeps the end of what was written and looks for the way out of the other
// screen in all of it.
type tail struct {
	mu   sync.Mutex
	last []byte
	left bool
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = append(w.last, p...)
	w.left = w.left || bytes.Contains(w.last, []byte("\x1b[?1049l"))
	w.last = w.last[max(0, len(w.last)-64):]
	return len(p), nil
}

func (w *tail) leftScreen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}

func besiege(t *testing.T, random *rand.Rand) *siege {
	t.Helper()
	shop, err := openStage(tillProgram(t), staging{command: []string{"kiosk", "--practice"}})
	if err != nil {
		t.Fatal(err)
	}
	in, keys := io.Pipe()
	s := &siege{stage: shop.Program.(*stage), shop: shop, random: random, keys: keys, stop: make(chan struct{}), watched: make(chan struct{})}
	t.Cleanup(func() { _ = errors.Join(keys.Close(), shop.Close()) }) // what is left of the siege
	if err := shop.Program.Start(t.Context(), story.TTY{Input: in, Output: &s.output, Width: 80, Height: 24, Env: []string{"TERM=linux"}}); err != nil {
		t.Fatal(err)
	}
	ended := shop.Program.Ended()
	go func() {
		<-ended
		_ = in.CloseWithError(errors.New("it has ended")) // so that writing fails
	}()
	s.reach(t, "attract")
	go s.watch()
	return s
}

// watch looks all the time whether the tty is raw and the process alone.
func (s *siege) watch() {
	defer close(s.watched)
	for {
		select {
		case <-s.stop:
			return
		case <-time.After(time.Millisecond):
		}
		what := ""
		mode, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
		children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.child.Process.Pid))
		for _, file := range children {
			if text, _ := os.ReadFile(file); len(bytes.TrimSpace(text)) > 0 {
				what = "it has a child process"
			}
		}
		switch {
		case err != nil:
			what = "the tty is gone: " + err.Error()
		case mode.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0:
			what = fmt.Sprintf("the tty is cooked: %x", mode.Lflag)
		case s.output.leftScreen():
			what = "it left its screen"
		}
		if what != "" {
			s.mu.Lock()
			s.released = what
			s.mu.Unlock()
			return
		}
	}
}

// check fails unless it is still a kiosk.
func (s *siege) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	released := s.released
	s.mu.Unlock()
	if released != "" {
		t.Fatal(released)
	}
	if isClosed(s.Ended()) {
		t.Fatalf("it ended: %v", s.child.ProcessState)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.child.Process.Pid))
	if state := string(stat[bytes.LastIndexByte(stat, ')')+2:][:1]); err != nil || state == "T" || state == "Z" {
		t.Fatalf("it is stopped: %s, %v", stat, err)
	}
	await(t, "its screen", func() error {
		if at := s.Screen(); !slices.Contains([]string{"attract", "register", "pay", "help", "key", "out-of-service", "too-small"}, at) {
			return fmt.Errorf("the screen is %q", at)
		}
		return nil
	})
}

func (s *siege) write(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.keys, text); err != nil {
		t.Fatalf("write to the tty: %v", err)
	}
}

// settle waits longer than a scanner ever pauses: what was written were keys.
func (s *siege) settle() { time.Sleep(35 * time.Millisecond) }

func (s *siege) reach(t *testing.T, screen string) {
	t.Helper()
	await(t, screen, func() error {
		if at := s.Screen(); at != screen {
			return errors.New("at " + at)
		}
		return nil
	})
}

// asked waits for the code on the screen.
func (s *siege) asked(t *testing.T) (sale story.Sale) {
	t.Helper()
	await(t, "the code", func() error {
		var err error
		if sale, err = s.Sale(t.Context()); err == nil && sale.Address == "" {
			err = errors.New("no address yet")
		}
		return err
	})
	return sale
}

// allSignals are all but those that nobody survives, and TERM.
var allSignals = []string{"INT", "QUIT", "HUP", "TSTP", "CONT", "USR1", "USR2", "PIPE", "ALRM", "TTIN", "TTOU", "WINCH"}

func (s *siege) signal(t *testing.T, name string) {
	t.Helper()
	if err := s.Signal(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// anything does one thing at random.
func (s *siege) anything(t *testing.T, sequences []string) {
	r := s.random
	switch n := r.IntN(100); {
	case n < 40:
		s.write(t, string([]byte{byte(r.IntN(256))}))
	case n < 60:
		s.write(t, sequences[r.IntN(len(sequences))])
	case n < 70: // a touch
		s.write(t, fmt.Sprintf("\x1b[<%d;%d;%dM", r.IntN(4), r.IntN(90), r.IntN(30)))
	case n < 76: // a scan, or keys faster than a hand
		text := make([]byte, 1+r.IntN(40))
		for i := range text {
			text[i] = byte(32 + r.IntN(95))
		}
		s.write(t, string(text)+"\r")
	case n < 80:
		s.write(t, "\x1b[200~\x1b[21~9y\r\n\x03"+strconv.Itoa(r.Int())+"\x1b[201~")
	case n < 86:
		s.write(t, string(rune(r.IntN(0x11000))))
	case n < 92:
		s.signal(t, allSignals[r.IntN(len(allSignals))])
	case n < 97:
		s.shop.Program.Resize(1+r.IntN(120), 1+r.IntN(40))
	default:
		time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond) // a hand pauses
	}
}

// relieve ends it as systemd does.
func (s *siege) relieve(t *testing.T) {
	t.Helper()
	close(s.stop)
	<-s.watched
	s.check(t)
	s.signal(t, "TERM")
	select {
	case <-s.Ended():
	case <-time.After(5 * time.Second):
		t.Fatal("TERM did not end it within 5 s")
	}
	if code := s.child.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if !s.output.leftScreen() {
		t.Error("it did not give the screen back")
	}
}

// terminfo are the strings of all descriptions of terminals that the machine has:
// what keys send and what programs write (term(5), the legacy and the 32-bit
// format).
func terminfo(t *testing.T) []string {
	t.Helper()
	seen := map[string]bool{}
	for _, root := range []string{"/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo"} {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { // a root that is not there has none
			if err == nil && d.Type().IsRegular() {
				if file, err := os.ReadFile(path); err == nil {
					for _, text := range stringsOf(file) {
						seen[text] = true
					}
				}
			}
			return nil
		})
	}
	var all []string
	for text := range seen {
		all = append(all, text)
	}
	slices.Sort(all)
	if len(all) < 50 {
		t.Logf("only %d sequences: the machine describes few terminals", len(all))
		all = append(all, "\x1bOP", "\x1b[[A", "\x1b[15~", "\x1b[c", "\x1b]0;x\a", "\x1bc", "\x1b[?1049l")
	}
	return all
}

// stringsOf is the string table of a compiled description.
func stringsOf(file []byte) []string {
	word := func(i int) int { return int(binary.LittleEndian.Uint16(file[2*i:])) }
	if len(file) < 12 || word(0) != 0o432 && word(0) != 0o1036 {
		return nil
	}
	number := 2
	if word(0) == 0o1036 {
		number = 4
	}
	at := 12 + word(1) + word(2)
	at += at % 2
	at += word(3)*number + 2*word(4)
	if at+word(5) > len(file) {
		return nil
	}
	var out []string
	for _, text := range bytes.Split(file[at:at+word(5)], []byte{0}) {
		if len(text) > 0 {
			out = append(out, string(text))
		}
	}
	return out
}
