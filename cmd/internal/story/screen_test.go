package story

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"till/device"
)

// shown is the frame after an output on a terminal.
func shown(term string, width, height int, output string) *Frame {
	s := newScreen(term, width, height, newKeyboard(), time.Now)
	defer s.close()
	_, _ = s.Write(bytes.ReplaceAll([]byte(output), []byte("\n"), []byte("\r\n"))) // memory does not fail
	return s.frame()
}

func TestLookingIgnoresColourAndTrailingBlanks(t *testing.T) {
	f := shown("xterm", 20, 5, "\x1b[1;31mtop\x1b[m  \x1b[44m  \x1b[m\na日本b\n\x1b[5Ckeys\nhealth\nbottom")
	if got, want := f.Text(""), "top\na日本b\n     keys\nhealth\nbottom"; got != want {
		t.Errorf("screen %q, want %q", got, want)
	}
	for place, want := range map[string]string{"title": "top", "body": "a日本b\n     keys", "health": "health", "bottom": "bottom", "dialog": ""} {
		if got := f.Text(place); got != want {
			t.Errorf("%s %q, want %q", place, got, want)
		}
	}
}

func TestATerminalAnswersAsItsKindDoes(t *testing.T) {
	for term, want := range map[string]string{
		"xterm": "\x1b[?2026;2$y\x1b[?7;1$y\x1b[?62;1;6;22c\x1b[1;1R",
		"linux": "\x1b[?6c\x1b[1;1R",
	} {
		keys := newKeyboard()
		s := newScreen(term, 10, 2, keys, time.Now)
		_, _ = s.Write([]byte("\x1b[?2026$p\x1b[?7$p\x1b[c\x1b[6n"))
		s.close() // all answers are in
		keys.close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(keys); err != nil || b.String() != want {
			t.Errorf("%s answered %q, %v, want %q", term, b.String(), err, want)
		}
	}
}

func TestNoFrameIsMissed(t *testing.T) {
	s := newScreen("xterm", 10, 2, newKeyboard(), time.Now)
	defer s.close()
	seen := s.frame().Number
	for _, text := range []string{"a", "b", "c"} {
		_, _ = s.Write([]byte("\r" + text))
	}
	fresh, changed := s.after(seen)
	if len(fresh) != 3 || fresh[0].Text("") != "a\n" || fresh[2].Text("") != "c\n" {
		t.Errorf("%d frames", len(fresh))
	}
	select {
	case <-changed:
		t.Error("told of a change that is not there")
	default:
	}
	s.resize(5, 2)
	<-changed
}

func TestAFrameIsWhatTheProgramBrackets(t *testing.T) {
	s := newScreen("xterm", 10, 2, newKeyboard(), time.Now)
	defer s.close()
	seen := s.frame().Number
	for _, text := range []string{"\x1b[?2026ha", "b", "c\x1b[?2026l\x1b[?2026h\rx", "y\x1b[?2026l", "\rz"} {
		_, _ = s.Write([]byte(text))
	}
	fresh, _ := s.after(seen)
	var got []string
	for _, f := range fresh {
		got = append(got, f.Text("title"))
	}
	if want := []string{"abc", "xyc", "zyc"}; !slices.Equal(got, want) {
		t.Errorf("frames %q, want %q", got, want)
	}
}

// blanks draws a code in coloured blanks, two a module.
func blanks(text string, margin int) string {
	var b strings.Builder
	for _, row := range matrix(text, margin) {
		for _, dark := range row {
			b.WriteString(map[bool]string{true: "\x1b[40m", false: "\x1b[107m"}[dark] + "  ")
		}
		b.WriteString("\x1b[m\n")
	}
	return b.String()
}

// scaled draws a code with n columns and n half rows a module.
func scaled(text string, margin, n int) string {
	var b strings.Builder
	m := matrix(text, margin)
	at := func(x, y int) string {
		if y/n < len(m) && m[y/n][x/n] {
			return "0"
		}
		return "15"
	}
	for y := 0; y < len(m)*n; y += 2 {
		for x := range len(m) * n {
			b.WriteString("\x1b[38;5;" + at(x, y) + ";48;5;" + at(x, y+1) + "m▀")
		}
		b.WriteString("\x1b[m\n")
	}
	return b.String()
}

func TestACodeIsReadFromItsCells(t *testing.T) {
	const uri = "BITCOIN:BCRT1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQDKU3YN?amount=0.00025"
	inverse := "\x1b[7m" + strings.Join(halves(uri, 2), "\x1b[m\n\x1b[7m") + "\x1b[m\n"
	for name, output := range map[string]string{
		"half blocks":                 strings.Join(halves(uri, 4), "\n"),
		"half blocks, 2 quiet":        strings.Join(halves(uri, 2), "\n"),
		"half blocks in the middle":   "\x1b[5;9H" + strings.Join(halves(uri, 4), "\n\x1b[8C") + "\n words ▀▄█",
		"inverse":                     inverse,
		"coloured blanks":             blanks(uri, 2),
		"three columns a module":      scaled(uri, 2, 3),
		"two columns a module, black": scaled(uri, 4, 2),
	} {
		for _, term := range []string{"xterm-256color", "linux"} {
			if got := shown(term, 200, 80, output).dots().codes(); len(got) != 1 || got[0] != uri {
				t.Errorf("%s on %s: %q", name, term, got)
			}
		}
	}
}

func TestACodeThatNoPhoneReadsIsNotRead(t *testing.T) {
	good := strings.Join(halves("bitcoin:x", 4), "\n")
	for name, output := range map[string]string{
		"no quiet zone":           strings.Join(halves("bitcoin:x", 1), "\n"),
		"no contrast":             "\x1b[32m" + good,
		"dark on dark":            "\x1b[34m" + good,
		"a word over it":          good + "\x1b[8;8Hword",
		"in letters":              strings.NewReplacer("█", "#").Replace(good),
		"cut at the screen's end": strings.Join(strings.Split(good, "\n")[:12], "\n"),
	} {
		if got := shown("xterm", 100, 40, output).dots().codes(); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestACodeIsReadFromAPicture(t *testing.T) {
	f := shown("xterm", 60, 30, strings.Join(halves("bitcoin:x", 4), "\n"))
	if got := dotsOf(f.image()).codes(); len(got) != 1 || got[0] != "bitcoin:x" {
		t.Errorf("%q", got)
	}
}

func TestShotsComeInThreeForms(t *testing.T) {
	const uri = "bitcoin:bcrt1qqqq?amount=0.00025"
	f := shown("xterm", 80, 24, "\x1b[1;31mPAID\x1b[m ✓ ₿ é 日\n"+strings.Join(halves(uri, 4), "\n"))
	dir := t.TempDir()
	for _, name := range []string{"a.txt", "sub/a.ans", "a.png"} {
		if err := f.shoot(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.shoot(dir, "../a.txt"); err == nil {
		t.Error("a shot left its directory")
	}
	coloured, err := os.ReadFile(filepath.Join(dir, "sub/a.ans"))
	if err != nil {
		t.Fatal(err)
	}
	again := shown("xterm", 80, 24, string(bytes.TrimSuffix(coloured, []byte("\n"))))
	for i := range f.cells {
		if a, b := f.cells[i], again.cells[i]; !a.Equal(&b) {
			t.Fatalf("cell %d: %+v is shown again as %+v", i, a, b)
		}
	}
	picture, err := os.Open(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	img, err := png.Decode(picture)
	if err != nil || img.Bounds() != image.Rect(0, 0, 640, 384) {
		t.Fatalf("%v %v", err, img.Bounds())
	}
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed")
	}
	out, err := exec.Command(zbar, "-q", "--raw", picture.Name()).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != uri {
		t.Errorf("zbarimg reads %q, %v", got, err)
	}
}

func TestKeysAreWhatTheTerminalSends(t *testing.T) {
	for _, c := range []struct {
		term, key, want string
		application     bool
	}{
		{"linux", "f1", "\x1b[[A", false}, {"linux", "f5", "\x1b[[E", false}, {"linux", "f6", "\x1b[17~", false}, {"linux", "home", "\x1b[1~", false},
		{"linux", "shift+tab", "\x1b\t", false}, {"xterm", "shift+tab", "\x1b[Z", true}, {"xterm-256color", "f1", "\x1bOP", false},
		{"xterm", "f5", "\x1b[15~", false}, {"xterm", "up", "\x1b[A", false}, {"xterm", "up", "\x1bOA", true}, {"xterm", "home", "\x1b[H", false},
		{"xterm", "home", "\x1bOH", true}, {"xterm", "pgup", "\x1b[5~", true}, {"tmux-256color", "home", "\x1b[1~", false}, {"xterm", "backspace", "\x7f", false},
		{"xterm", "enter", "\r", false}, {"xterm", "space", " ", false}, {"xterm", "é", "é", false}, {"xterm", "ctrl+a", "\x01", false},
		{"xterm", "ctrl+U", "\x15", false}, {"xterm", "ctrl+_", "\x1f", false}, {"xterm", "ctrl+?", "\x7f", false}, {"xterm", "ctrl+@", "\x00", false},
		{"xterm", "alt+x", "\x1bx", false}, {"xterm", "ctrl+é", "", false}, {"xterm", "f13", "", false},
	} {
		got, err := keyBytes(c.term, c.key, c.application)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %s: %q, %v, want %q", c.term, c.key, got, err, c.want)
		}
	}
	for _, key := range namedKeys {
		for _, term := range []string{"xterm", "linux", "screen"} {
			if got, err := keyBytes(term, key, false); err != nil || got == "" {
				t.Errorf("%s %s: %v", term, key, err)
			}
		}
	}
}

// printed sends bytes to the shop's simulated printer over its cable.
func printed(t *testing.T, shop *Shop, bytes string) {
	t.Helper()
	printer := shop.Printer.(interface {
		Dial(context.Context) (device.Link, error)
	})
	link, err := printer.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := link.Write(t.Context(), []byte(bytes)); err != nil {
		t.Fatal(err)
	}
}

func FuzzScreen(f *testing.F) {
	f.Add("xterm", 8, 4, []byte("\x1b[2J\x1b[5;5Hhello\x1b[31;1mx\x1b[?1049h\x1b[3b\x1b[10L\x1b[5r\x1b[2;4r╭─╮│││╰─╯"))
	f.Add("linux", 8, 4, []byte("\x1b[?69h\x1b[2;3s\x1b[99@\x1b[4P\x1bM\x1bD\x1b#8 日本 x\x1b[1000000000b\x1b[c\x1b[6n"))
	f.Add("xterm", 8, 4, []byte("\x1b00\x1b[?69h\x1b[2;7s0000000000000000\x1b[100b"))
	f.Add("xterm", 30, 16, []byte(strings.Join(halves("x", 2), "\n")))
	f.Fuzz(func(t *testing.T, term string, width, height int, output []byte) {
		if width < 1 || height < 1 || width > 60 || height > 40 || len(output) > 4096 {
			return
		}
		s := newScreen(term, width, height, newKeyboard(), time.Now)
		defer s.close()
		_, _ = s.Write(output)
		s.resize(height, width)
		_, _ = s.Write(output)
		frame := s.frame()
		for _, place := range append(places, "") {
			if text := frame.Text(place); strings.Count(text, "\n") >= max(frame.Height, 1)*max(frame.Height, 1) {
				t.Errorf("%s has %q", place, text)
			}
		}
		frame.dots().codes()
		frame.image()
		_ = frame.ansi()
	})
}

func FuzzCodes(f *testing.F) {
	m := matrix("bitcoin:x", 2)
	var seed []byte
	for _, row := range m {
		for _, dark := range row {
			seed = append(seed, map[bool]byte{true: 1, false: 2}[dark])
		}
	}
	f.Add(len(m), seed)
	f.Fuzz(func(t *testing.T, width int, shades []byte) {
		if width < 1 || width > 100 || len(shades) > 10_000 {
			return
		}
		d := &dots{width: width, height: len(shades) / width}
		for _, s := range shades[:d.width*d.height] {
			d.shades = append(d.shades, shade(s%3))
		}
		for _, text := range d.codes() {
			if d.width < minModules || d.height < minModules {
				t.Errorf("%q in %dx%d dots", text, d.width, d.height)
			}
		}
	})
}

func BenchmarkCodes(b *testing.B) {
	f := shown("xterm", 80, 24, strings.Join(halves("BITCOIN:BCRT1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQDKU3YN", 4), "\n"))
	for b.Loop() {
		if codes := f.dots().codes(); len(codes) != 1 {
			b.Fatalf("%q", codes)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	s := newScreen("xterm", 80, 24, newKeyboard(), time.Now)
	defer s.close()
	line := []byte("\x1b[H\x1b[2J" + strings.Repeat("\x1b[31mword \x1b[m", 16))
	for b.Loop() {
		_, _ = s.Write(line)
		_ = s.frame().Text("")
	}
}
