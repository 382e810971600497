package main

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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

// TestTestsThatTheREADMENamesAreThere keeps the threat model from promising a test
// that went away.
func TestTestsThatTheREADMENamesAreThere(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, found := range regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllSubmatch(text, -1) {
		named[string(found[1])] = true
	}
	if len(named) < 10 {
		t.Errorf("the README names %d tests", len(named))
	}
	written := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	err = filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range written.FindAllSubmatch(source, -1) {
			delete(named, string(found[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range named {
		t.Errorf("the README names %s, which is not there", name)
	}
}
