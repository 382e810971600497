package tui

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
)

func TestConsoleFunctionKeys(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[[A": "\x1b[11~", "\x1b[[E": "\x1b[15~", "a\x1b[[Bb": "a\x1b[12~b", "\x1b[[C\x1b[[D": "\x1b[13~\x1b[14~",
		"\x1b": "\x1b", "\x1b[": "\x1b[", "\x1b[A": "\x1b[A", "\x1b[[F": "\x1b[[F", "\x1b[17~": "\x1b[17~", "[[A": "[[A",
		"\x1b\x1b[[A": "\x1b\x1b[11~", "\x1b[[[A": "\x1b[[[A", "é€": "é€",
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in))} {
			got, err := io.ReadAll(&consoleReader{Reader: r})
			if err != nil || string(got) != want {
				t.Errorf("%q %s became %q, %v; want %q", in, name, got, err, want)
			}
		}
	}
}

// TestBubbleTeaStillMistakesThem: the reason for the translation. When this
// fails the translation can go.
func TestBubbleTeaStillMistakesThem(t *testing.T) {
	if got := keysOn(t, func(r io.Reader) io.Reader { return r }, "\x1b[[Aq"); !strings.Contains(got, "A") {
		t.Errorf("F1 of the console became %q: Bubble Tea knows it now", got)
	}
}

// TestConsoleKeysOnAPty: F1 to F5 as the console sends them reach the program as
// themselves, through a real tty in raw mode.
func TestConsoleKeysOnAPty(t *testing.T) {
	if got := keysOn(t, translated, "\x1b[[A\x1b[[B\x1b[[C\x1b[[D\x1b[[E\x1b[17~q"); got != "f1 f2 f3 f4 f5 f6 q" {
		t.Errorf("got %q", got)
	}
}

// recorder notes keys until q.
type recorder struct{ keys []string }

func (r *recorder) Init() tea.Cmd  { return nil }
func (r *recorder) View() tea.View { return tea.NewView("ready") }
func (r *recorder) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		r.keys = append(r.keys, k.String())
		if k.String() == "q" {
			return r, tea.Quit
		}
	}
	return r, nil
}

func keysOn(t *testing.T, wrap func(io.Reader) io.Reader, keys string) string {
	t.Helper()
	host, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pty:", err)
	}
	defer func() { _ = host.Close(); _ = tty.Close() }()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		var seen bytes.Buffer
		buffer := make([]byte, 4096)
		told := false
		for {
			n, err := host.Read(buffer)
			if err != nil {
				return
			}
			seen.Write(buffer[:n])
			if !told && strings.Contains(seen.String(), "ready") {
				close(ready)
				told = true
			}
		}
	}()
	r := &recorder{}
	p := tea.NewProgram(r, tea.WithInput(wrap(tty)), tea.WithOutput(tty), tea.WithEnvironment([]string{"TERM=linux"}), tea.WithoutSignalHandler())
	go func() {
		<-ready
		_, _ = io.WriteString(host, keys)
	}()
	stop := time.AfterFunc(10*time.Second, p.Kill)
	defer stop.Stop()
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(r.keys, " ")
}
