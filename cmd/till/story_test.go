package main

import (
	"context"
	"path/filepath"
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
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			t.Parallel()
			results, err := story.Play(t.Context(), story.Options{
				Open: func(context.Context) (*story.Shop, error) { return openStage(program, command...) },
				Now:  time.Now, Out: t.Output(), Shots: t.TempDir(),
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
