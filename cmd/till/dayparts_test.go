package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"till/cmd/internal/purse"
)

// part is one process of the day, started again on the same data when it is killed.
type part struct {
	d    *day
	name string
	at   string // file that tells that it serves, "" none
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	gone chan struct{}
}

func (d *day) part(name, at string, args ...string) *part {
	p := &part{d: d, name: name, at: at, args: args}
	p.start()
	d.parts = append(d.parts, p)
	d.Cleanup(p.stop)
	return p
}

// start begins the process and waits until it serves.
func (p *part) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at != "" {
		if err := os.Remove(p.at); err != nil && !errors.Is(err, os.ErrNotExist) {
			p.d.Fatal(err)
		}
	}
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Dir = p.d.dir
	log, err := os.OpenFile(filepath.Join(p.d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.d.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd.Stderr = log
	in, err := p.cmd.StdinPipe()
	if err != nil {
		p.d.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.d.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.d.Fatal(err)
	}
	p.in, p.out, p.gone = in, bufio.NewReaderSize(out, 1<<20), make(chan struct{})
	for range 1200 {
		if p.at == "" {
			return
		}
		if _, err := os.Stat(p.at); err == nil {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	text, _ := os.ReadFile(filepath.Join(p.d.dir, "log"))
	p.d.Errorf("%s does not serve:\n%s", p.name, text)
}

// said is the first line it prints.
func (p *part) said(t *testing.T) []byte {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return line
}

// restart kills the process, as a power cut would, and starts it again.
func (p *part) restart() {
	p.stop()
	p.start()
}

func (p *part) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gone:
		return
	default:
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	close(p.gone)
}

// ask writes a line and reads the answer; false: the process was killed meanwhile.
func (p *part) ask(ctx context.Context, question any, answer any) bool {
	p.mu.Lock()
	in, out, gone := p.in, p.out, p.gone
	p.mu.Unlock()
	text, err := json.Marshal(question)
	if err != nil {
		p.d.Fatal(err)
	}
	if _, err := in.Write(append(text, '\n')); err != nil {
		select { // it is about to start again
		case <-gone:
		case <-ctx.Done():
		}
		time.Sleep(20 * time.Millisecond)
		return false
	}
	line, err := out.ReadBytes('\n')
	if err != nil {
		time.Sleep(20 * time.Millisecond)
		return false
	}
	return json.Unmarshal(line, answer) == nil
}

// perPurse is how many bills a purse pays before the next begins: the file is written
// whole at every step.
const perPurse = 40

// answered is a payment that the wallet calls paid.
type answered struct{ link, purse, state string }

// feed gives a wallet bill after bill; one that was cut off is given again, to the same
// purse.
func (d *day) feed(ctx context.Context, w *part) {
	for n := 0; ; n++ {
		var j job
		select {
		case j = <-d.jobs:
		case <-ctx.Done():
			return
		}
		j.Purse = filepath.Join(d.dir, "purse-"+w.name[len("wallet "):]+"-"+strconv.Itoa(n/perPurse)+".json")
		if _, tab := purse.TabOf(j.Link); tab {
			go d.pay(ctx, w, j)
			continue
		}
		d.pay(ctx, w, j)
	}
}

func (d *day) pay(ctx context.Context, w *part, j job) {
	for ctx.Err() == nil {
		var a struct{ Link, State string }
		if _, tab := purse.TabOf(j.Link); tab {
			// A tab is a customer who stays: a purse and a process of its own.
			a.Link, a.State = j.Link, d.stay(ctx, j)
		} else if !w.ask(ctx, j, &a) {
			continue
		}
		if a.Link != j.Link {
			d.Errorf("%s answers %q for %q", w.name, a.Link, j.Link)
		}
		d.mu.Lock()
		d.paid = append(d.paid, answered{j.Link, j.Purse, a.State})
		d.mu.Unlock()
		return
	}
}

// stay signs the rounds of a tab until it is closed.
func (d *day) stay(ctx context.Context, j job) string {
	t := newTapper(filepath.Join(d.dir, "tab"), time.Now, http.DefaultTransport)
	if err := t.tab(ctx, "http://"+d.at.mint, j.Link, j.Most); err != nil && ctx.Err() == nil {
		d.Errorf("tab %s: %v", j.Link, err)
		return "failed"
	}
	return "tab"
}

// runWallet is the command `wallet MINT` of this test binary: customers who pay what
// they read, one after another, and say how it went. An answer is given only when
// there is nothing left to wait for.
func runWallet() int {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return 0
		}
		var j job
		if err := json.Unmarshal(bytes.TrimSpace(line), &j); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		t := newTapper(j.Purse, time.Now, http.DefaultTransport)
		state := "paid"
		for {
			err := t.tap(context.Background(), os.Args[1], j.Link, j.Most)
			if err == nil {
				break
			}
			if errors.Is(err, purse.ErrRefused) {
				fmt.Fprintln(os.Stderr, "wallet:", err)
				state = "refused"
				break
			}
			if !errors.Is(err, purse.ErrUnreachable) && !errors.Is(err, purse.ErrTooLittle) {
				fmt.Fprintln(os.Stderr, "wallet:", err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		text, err := json.Marshal(struct{ Link, State string }{j.Link, state})
		if err != nil {
			return 1
		}
		if _, err := os.Stdout.Write(append(text, '\n')); err != nil {
			return 0
		}
	}
}
