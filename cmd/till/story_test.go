package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"till/cmd/internal/story"
)

// TestStories plays testdata/stories, each in a practice shop of its own whose
// program is a process on a real pseudo-terminal.
func TestStories(t *testing.T) { playAll(t, "stories", "practice") }

// TestKioskStories plays testdata/kiosk, each at a kiosk of its own.
func TestKioskStories(t *testing.T) { playAll(t, "kiosk", "kiosk", "--practice") }

// TestAccessibleStories plays the same stories with a program that is said in
// plain lines and moved by lines, on pipes.
func TestAccessibleStories(t *testing.T) { playAll(t, "stories", "practice", "--accessible") }

// shownOnly are stories about what only a screen has: its size.
var shownOnly = []string{"small"}

// playAll plays the stories of a directory of testdata with a command.
func playAll(t *testing.T, dir string, command ...string) {
	if testing.Short() {
		t.Skip("plays whole shops")
	}
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.story"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no stories: %v", err)
	}
	program := tillProgram(t)
	aloud := slices.Contains(command, "--accessible")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".story")
		t.Run(name, func(t *testing.T) {
			if aloud && slices.Contains(shownOnly, name) {
				t.Skip("it is about the size of the screen")
			}
			t.Parallel()
			results, err := story.Play(t.Context(), story.Options{
				Open: func(context.Context) (*story.Shop, error) { return openStage(program, staging{command: command}) },
				Now:  time.Now, Out: t.Output(), Shots: t.TempDir(), Lines: aloud,
			}, []string{file})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Held {
					_ = story.Report(t.Output(), results) // the log of a test takes all
					t.Fatal(r.Failure)
				}
			}
		})
	}
}

func TestAStoryUsesThePrinterItIsGiven(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole shop")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	printed := make(chan []byte, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(conn) // until the shop closes
		printed <- text
	}()
	t.Cleanup(func() { _ = l.Close() })
	program := tillProgram(t)
	play := func(text string) ([]story.Result, error) {
		file := filepath.Join(t.TempDir(), "given.story")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		shop := staging{command: []string{"practice"}, devices: map[string]string{"printer": "tcp://" + l.Addr().String()}}
		return story.Play(t.Context(), story.Options{
			Open: func(context.Context) (*story.Shop, error) { return openStage(program, shop) }, Now: time.Now, Out: t.Output(),
		}, []string{file})
	}
	results, err := play("ring 12.30\ndo pay\ndo tender.bitcoin\ncustomer pays\nsee \"PAID\"\ndo acknowledge\ndo devices\nsee \"never answers\" within 20s\n")
	if err != nil || !results[0].Held {
		t.Fatalf("%v, %+v", err, results)
	}
	if text := <-printed; !bytes.Contains(text, []byte("12.30")) {
		t.Errorf("the printer got %d bytes without the sum", len(text))
	}
	var wrong story.SyntaxError
	if _, err := play("paper \"12.30\"\n"); !errors.As(err, &wrong) {
		t.Errorf("paper that cannot be seen is looked at: %v", err)
	}
}
