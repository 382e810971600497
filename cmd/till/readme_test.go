package main

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"till/cmd/internal/story"
	"till/tui"
)

var update = flag.Bool("update", false, "write what is generated anew")

// TestStoriesKnowEveryAction keeps the language of stories that of the key table.
func TestStoriesKnowEveryAction(t *testing.T) {
	for _, r := range tui.KeyTable("en") {
		if !slices.Contains(story.Actions, string(r.Action)) {
			t.Errorf("stories do not know the action %q", r.Action)
		}
	}
}

// TestGeneratedPartsOfTheREADME keeps the README's key table that of the program.
func TestGeneratedPartsOfTheREADME(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- keys -->\n", "<!-- /keys -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("the README has no %q", begin)
	}
	table := tui.KeyMarkdown("en")
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != table {
		t.Error("the README's key table is stale: make golden")
	}
}
