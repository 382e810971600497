package widget

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != string(want) {
		t.Errorf("%s differs; look at it and run with -update\n%s", path, got)
	}
}

func mustTheme(t testing.TB, name string, term Terminal) *Theme {
	t.Helper()
	th, err := NewTheme(name, term)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// text is the block as a screen reader would have it, without attributes.
func text(b Block) string {
	s := ""
	for i, l := range b.Lines {
		if i > 0 {
			s += "\n"
		}
		s += l.String()
	}
	return s
}

var sizes = []Area{{40, 20}, {80, 24}, {100, 30}, {200, 60}}

func TestScreensAtEachSize(t *testing.T) {
	th := mustTheme(t, "dark", Terminal{Blocks: true})
	for _, s := range scenes() {
		for _, a := range sizes {
			name := fmt.Sprintf("%s-%dx%d", s.name, a.W, a.H)
			t.Run(name, func(t *testing.T) {
				golden(t, name, text(s.draw(t, th, a)))
			})
		}
	}
}

// terminals are the kinds of place a frame is shown.
var terminals = map[string]Terminal{
	"true":    {Profile: TrueColor, Blocks: true},
	"256":     {Profile: Color256, Blocks: true},
	"16":      {Profile: Color16, Blocks: true},
	"linux":   {Profile: Color16, Glyphs: Console},
	"shipped": {Profile: Color16, Glyphs: Console, Blocks: true},
	"nocolor": {Profile: NoColor, Blocks: true},
	"ascii":   {Profile: NoColor, Glyphs: ASCII},
}

func TestScreensInEachTheme(t *testing.T) {
	for _, theme := range ThemeNames() {
		for kind, term := range terminals {
			if (term.Profile != TrueColor && theme != "dark") || (kind == "true" && theme == "none") {
				continue
			}
			th := mustTheme(t, theme, term)
			for _, s := range scenes() {
				if s.name != "register" && s.name != "confirm" && s.name != "paid" && s.name != "pay" {
					continue
				}
				name := s.name + "-" + theme + "-" + kind
				t.Run(name, func(t *testing.T) {
					golden(t, name, th.String(s.draw(t, th, Area{80, 24})))
				})
			}
		}
	}
}
