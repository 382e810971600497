package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"

	"till/cmd/internal/boot"
)

// The benchmarks measure the whole program as a person meets it: a process on a
// pseudo-terminal, on data that exists, its clock beginning before exec. Beside
// it stands a bare Bubble Tea program on the same terminal in the same run.

// bare is the baseline: the least a Bubble Tea program can be at our frame rate.
type bare struct{ keys int }

func (b bare) Init() tea.Cmd { return nil }

func (b bare) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		if key.String() == "ctrl+c" {
			return b, tea.Quit
		}
		b.keys++
	}
	return b, nil
}

func (b bare) View() tea.View { return tea.NewView(fmt.Sprintf("keys %d ? more", b.keys)) }

// runBare is the command `bare` of this test binary.
func runBare() {
	if _, err := tea.NewProgram(bare{}, tea.WithFPS(120)).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a program on a pseudo-terminal whose output can be waited for.
type process struct {
	cmd *exec.Cmd
	tty *os.File

	mu      sync.Mutex
	out     bytes.Buffer
	changed chan struct{}
}

// begin starts a program; what it draws is kept from since on.
func begin(b *testing.B, name string, env []string, args ...string) *process {
	b.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		b.Fatal(err)
	}
	p := &process{cmd: exec.Command(path, args...), changed: make(chan struct{})}
	p.cmd.Env = append([]string{"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=/nonexistent"}, env...)
	if p.tty, err = pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		b.Fatal(err)
	}
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := p.tty.Read(buffer)
			p.mu.Lock()
			p.out.Write(buffer[:n])
			close(p.changed)
			p.changed = make(chan struct{})
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p
}

// forget drops what was drawn so far.
func (p *process) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out.Reset()
}

// await waits until what was drawn since the last forget holds a text; "" is
// anything.
func (p *process) await(b *testing.B, text string) {
	b.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for {
		p.mu.Lock()
		found := p.out.Len() > 0 && bytes.Contains(p.out.Bytes(), []byte(text))
		changed := p.changed
		p.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			b.Fatalf("%q is not drawn", text)
		}
	}
}

func (p *process) press(b *testing.B, keys string) {
	b.Helper()
	if _, err := p.tty.WriteString(keys); err != nil {
		b.Fatal(err)
	}
}

func (p *process) end() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.tty.Close()
}

// drawn stands on every first frame: the last words of the bottom line.
const drawn = "more"

// shopData makes practice data that a second start finds.
func shopData(b *testing.B) (dir string, args []string) {
	b.Helper()
	dir = b.TempDir()
	args = []string{"practice", "--data", dir, "--control", "127.0.0.1:0", "--addresses-file", filepath.Join(dir, "at.json")}
	p := begin(b, "till", nil, args...)
	p.await(b, "20 addresses")
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
	_ = p.tty.Close()
	return dir, args
}

// BenchmarkFirstFrame is the time from exec to the first whole frame, with the
// embedded server, on the second start. It and bare start by turns, so that
// whatever else the machine does falls on both.
func BenchmarkFirstFrame(b *testing.B) {
	_, args := shopData(b)
	first := func(name string, args ...string) time.Duration {
		began := time.Now()
		p := begin(b, name, nil, args...)
		defer p.end()
		p.await(b, drawn)
		return time.Since(began)
	}
	var whole, plain []time.Duration
	for b.Loop() {
		whole = append(whole, first("till", args...))
		plain = append(plain, first("bare"))
	}
	percentiles(b, "till", whole)
	percentiles(b, "bare", plain)
}

// percentiles tells the median and the 99th percentile of what was taken.
func percentiles(b *testing.B, name string, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, name+"-median-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, name+"-p99-ms")
}

// BenchmarkKeyToFrame is the time from a key's byte to its frame, at a person's
// pace, by turns in the program and in bare.
func BenchmarkKeyToFrame(b *testing.B) {
	_, args := shopData(b)
	till, bare := begin(b, "till", nil, args...), begin(b, "bare", nil)
	defer till.end()
	defer bare.end()
	till.await(b, "20 addresses")
	bare.await(b, drawn)
	pace := rand.New(rand.NewPCG(1, 2))
	key := func(p *process, key string) time.Duration {
		time.Sleep(time.Duration(20+pace.IntN(40)) * time.Millisecond) // a person between two keys
		p.forget()
		began := time.Now()
		p.press(b, key)
		p.await(b, "")
		return time.Since(began)
	}
	var whole, plain []time.Duration
	for i := 0; b.Loop(); i++ {
		k := []string{"7", "\x7f"}[i%2]
		whole = append(whole, key(till, k))
		plain = append(plain, key(bare, k))
	}
	percentiles(b, "till", whole)
	percentiles(b, "bare", plain)
}

// BenchmarkSale measures the two moments that a queue feels: from choosing
// bitcoin to its QR, and from a payment in the mempool to the screen.
func BenchmarkSale(b *testing.B) {
	dir, args := shopData(b)
	p := begin(b, "till", nil, args...)
	defer p.end()
	p.await(b, "20 addresses")
	at := whereabouts(b, filepath.Join(dir, "at.json"))
	var qr, seen []time.Duration
	for b.Loop() {
		p.press(b, "1230\r")
		p.await(b, "How does the customer pay?")
		p.forget()
		began := time.Now()
		p.press(b, "1")
		p.await(b, "price holds")
		qr = append(qr, time.Since(began))
		p.forget()
		began = time.Now()
		p.press(b, "\x1b[20~") // F9: the customer pays
		p.await(b, "seen")
		seen = append(seen, time.Since(began))
		p.await(b, "PAID")
		p.press(b, "\r")
		p.await(b, "subtotal")
		p.forget()
		if err := call(context.Background(), "tcp", at.Control, "POST", "/mine", map[string]int{"blocks": 3}, nil); err != nil {
			b.Fatal(err)
		}
	}
	percentiles(b, "qr", qr)
	percentiles(b, "seen", seen)
}

// whereabouts waits until a server has opened and told where it listens.
func whereabouts(b *testing.B, path string) (at boot.Addresses) {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &at) == nil && at.Control != "" {
			return at
		}
	}
	b.Fatalf("%s is not written", path)
	return at
}

// BenchmarkIdle tells the memory of the program and what it costs to do nothing,
// over ten seconds after it has come to rest. Most of it is the renderer's clock
// of 120 frames a second, which bare has, too.
func BenchmarkIdle(b *testing.B) {
	dir, args := shopData(b)
	b.Run("bare", func(b *testing.B) { idle(b, begin(b, "bare", nil), drawn) })
	b.Run("with-server", func(b *testing.B) { idle(b, begin(b, "till", nil, args...), "20 addresses") })
	b.Run("terminal", func(b *testing.B) {
		path, err := exec.LookPath("till")
		if err != nil {
			b.Fatal(err)
		}
		at := filepath.Join(dir, "serve.json")
		serve := exec.Command(path, "serve", "--practice", "--data", dir, "--rpc", "127.0.0.1:0", "--control", "127.0.0.1:0",
			"--merchant", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--mint", "127.0.0.1:0", "--addresses-file", at)
		if err := serve.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = serve.Process.Kill(); _ = serve.Wait() }()
		where := whereabouts(b, at)
		out, err := exec.Command(path, "terminal", "add", "bench", "--replace", "--data", dir, "--json").Output()
		if err != nil {
			b.Fatal(err)
		}
		var link struct{ Link string }
		if err := json.Unmarshal(out, &link); err != nil {
			b.Fatal(err)
		}
		own := b.TempDir()
		if out, err := exec.Command(path, "enroll", link.Link, "--name", "bench", "--data", own).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		idle(b, begin(b, "till", []string{"TILL_SERVER_URL=https://" + where.RPC}, "--data", own), "20 addresses")
	})
}

func idle(b *testing.B, p *process, ready string) {
	defer p.end()
	p.await(b, ready)
	for b.Loop() {
		time.Sleep(5 * time.Second)
		before := cpu(b, p.cmd.Process.Pid)
		time.Sleep(10 * time.Second)
		spent := cpu(b, p.cmd.Process.Pid) - before
		b.ReportMetric(spent.Seconds()/10*100, "%cpu")
		b.ReportMetric(float64(resident(b, p.cmd.Process.Pid))/1000, "MB")
	}
}

// cpu gives the time that a process's threads have run. Linux counts it in
// nanoseconds (Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat);
// the ticks of /proc/PID/stat are too coarse for an idle program.
func cpu(b *testing.B, pid int) (spent time.Duration) {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatalf("threads of %d: %v", pid, err)
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		spent += time.Duration(ns)
	}
	return spent
}

// resident gives the kilobytes a process holds in memory.
func resident(b *testing.B, pid int) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return kb
}
