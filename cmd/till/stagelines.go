package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"till/cmd/internal/story"
	"till/device"
	"till/tui"
)

// A program that is said and not shown plays on pipes: every key is a line of
// its input (see till/tui, accessible.go). For the story's eyes what it has said
// and what still holds is set out on a screen of its own; what holds and was
// never said is not there.

// The screen that is set out: long enough for what is said, wide enough for a
// code.
const (
	saidWidth  = 200
	saidHeight = 130
)

// sayEvery is how often is looked whether something else holds.
const sayEvery = 10 * time.Millisecond

// startLines starts the program on pipes.
func (s *stage) startLines(child *exec.Cmd, tty story.TTY) (<-chan struct{}, error) {
	keys, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	words, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		return nil, err
	}
	go func() {
		_, _ = io.Copy(keys, tty.Input)
		_ = keys.Close()
	}()
	done, t := make(chan struct{}), &transcript{said: map[string]bool{}}
	go func() {
		lines := bufio.NewScanner(words)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			t.note(lines.Text())
		}
		close(done)
	}()
	go s.setOut(t, tty.Output, done)
	return done, nil
}

// transcript is all that was said.
type transcript struct {
	mu   sync.Mutex
	said map[string]bool
}

func (t *transcript) note(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said[line] = true
}

// heard keeps what was said.
func (t *transcript) heard(lines ...string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !t.said[l] })
}

// setOut draws what holds and was said whenever it changes.
func (s *stage) setOut(t *transcript, out io.Writer, done <-chan struct{}) {
	tick := time.NewTicker(sayEvery)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		var now *tui.Spoken
		if err := s.puppet(context.Background(), "/spoken", nil, &now); err != nil || now == nil {
			continue
		}
		if picture := t.picture(*now); picture != last {
			last = picture
			_, _ = io.WriteString(out, picture)
		}
	}
}

// picture is the screen: the title, the body, the dialog in a box, what the code
// says as a code, and at the bottom health and keys.
func (t *transcript) picture(s tui.Spoken) string {
	var b strings.Builder
	b.WriteString("\x1b[m\x1b[2J\x1b[H")
	at := func(row, column int, text string) { fmt.Fprintf(&b, "\x1b[%d;%dH%s", row+1, column+1, text) }
	for range t.heard("== " + s.Title) {
		at(0, 0, s.Title)
	}
	row := 1
	for _, line := range t.heard(s.Body...) {
		if link, ok := strings.CutPrefix(line, "QR: "); ok {
			drawCode(link, at)
		}
		at(row, 0, line)
		row++
	}
	for range t.heard(s.Notice) {
		at(row, 0, s.Notice)
		row++
	}
	if lines := t.heard(s.Dialog...); len(lines) > 0 {
		bar := strings.Repeat("─", 110)
		at(row, 0, "╭"+bar+"╮")
		for _, line := range lines {
			row++
			at(row, 0, "│ "+line)
			at(row, 111, "│")
		}
		at(row+1, 0, "╰"+bar+"╯")
	}
	at(saidHeight-2, 0, strings.Join(s.Health, "   "))
	for range t.heard("> " + s.Keys) {
		at(saidHeight-1, 0, s.Keys)
	}
	return b.String()
}

// drawCode draws a code at the right, a module two cells wide.
func drawCode(link string, at func(row, column int, text string)) {
	code, err := device.EncodeQR(link)
	if err != nil {
		return
	}
	const quiet = 4
	for y := -quiet; y < code.Size()+quiet; y++ {
		var line strings.Builder
		for x := -quiet; x < code.Size()+quiet; x++ {
			if code.Dark(x, y) {
				line.WriteString("\x1b[40m  ")
			} else {
				line.WriteString("\x1b[107m  ")
			}
		}
		at(20+y, saidWidth-2*(code.Size()+2*quiet), line.String()+"\x1b[m")
	}
}
