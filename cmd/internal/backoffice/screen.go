package backoffice

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Page is one thing to look at.
type Page struct {
	Name string
	Text func(ctx context.Context) (string, error)
}

const (
	readEvery = 5 * time.Second  // pages are read anew
	readTime  = 10 * time.Second // that reading one may take
)

// text is what a page said.
type text struct {
	page  int
	lines []string
	err   error
}

type again struct{ page, turn int }

// screen is the back office of one visitor.
type screen struct {
	ctx    context.Context
	title  string
	clock  func() time.Time
	pages  []Page
	page   int
	turn   int // counts choices, so that an old timer reads nothing
	top    int // first line shown
	lines  []string
	err    error
	read   time.Time // when lines were read, zero not yet
	width  int
	height int
}

func (s *screen) Init() tea.Cmd { return s.look() }

// look reads the present page.
func (s *screen) look() tea.Cmd {
	page, number := s.pages[s.page], s.page
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(s.ctx, readTime)
		defer cancel()
		said, err := page.Text(ctx)
		return text{number, clean(said), err}
	}
}

// clean splits into lines without anything that moves the cursor.
func clean(said string) []string {
	said = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, ansi.Strip(said))
	return strings.Split(strings.TrimRight(said, "\n"), "\n")
}

func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case text:
		if msg.page != s.page {
			return s, nil
		}
		s.lines, s.err, s.read = msg.lines, msg.err, s.clock()
		s.scroll(0)
		turn := s.turn
		return s, tea.Tick(readEvery, func(time.Time) tea.Msg { return again{s.page, turn} })
	case again:
		if msg.page == s.page && msg.turn == s.turn {
			return s, s.look()
		}
	case tea.KeyPressMsg:
		return s, s.press(msg.String())
	}
	return s, nil
}

func (s *screen) press(key string) tea.Cmd {
	switch key {
	case "q", "esc", "ctrl+c", "ctrl+d":
		return tea.Quit
	case "tab", "right":
		return s.choose((s.page + 1) % len(s.pages))
	case "shift+tab", "left":
		return s.choose((s.page + len(s.pages) - 1) % len(s.pages))
	case "r":
		return s.choose(s.page)
	case "up", "k":
		s.scroll(-1)
	case "down", "j":
		s.scroll(1)
	case "pgup":
		s.scroll(-s.rows())
	case "pgdown", "space":
		s.scroll(s.rows())
	case "home":
		s.scroll(-len(s.lines))
	case "end":
		s.scroll(len(s.lines))
	}
	if len(key) == 1 && key[0] >= '1' && int(key[0]-'1') < len(s.pages) {
		return s.choose(int(key[0] - '1'))
	}
	return nil
}

func (s *screen) choose(page int) tea.Cmd {
	if page != s.page {
		s.page, s.top, s.lines, s.err, s.read = page, 0, nil, nil, time.Time{}
	}
	s.turn++
	return s.look()
}

// rows is how many lines of a page are shown.
func (s *screen) rows() int { return max(1, s.height-4) }

func (s *screen) scroll(by int) { s.top = max(0, min(s.top+by, len(s.lines)-s.rows())) }

var (
	chosen = lipgloss.NewStyle().Reverse(true)
	bold   = lipgloss.NewStyle().Bold(true)
)

func (s *screen) View() tea.View {
	view := tea.NewView(s.content())
	view.AltScreen, view.WindowTitle = true, s.title
	return view
}

func (s *screen) content() string {
	if s.width < 20 || s.height < 6 {
		return "too small"
	}
	tabs := make([]string, len(s.pages))
	for i, p := range s.pages {
		tabs[i] = fmt.Sprintf(" %d %s ", i+1, p.Name)
		if i == s.page {
			tabs[i] = chosen.Render(tabs[i])
		}
	}
	lines := []string{s.cut(bold.Render(s.title) + "  " + strings.Join(tabs, "")), strings.Repeat("─", s.width)}
	shown := s.lines[min(s.top, len(s.lines)):]
	switch {
	case s.err != nil:
		shown = []string{"This cannot be read now: " + strings.ReplaceAll(s.err.Error(), "\n", " "), "It is tried again by itself."}
	case s.read.IsZero():
		shown = []string{"…"}
	}
	for i := range s.rows() {
		line := ""
		if i < len(shown) {
			line = s.cut(shown[i])
		}
		lines = append(lines, line)
	}
	state := ""
	if !s.read.IsZero() {
		state = "read " + s.read.Local().Format("15:04:05")
	}
	if more := len(s.lines) - s.top - s.rows(); more > 0 && s.err == nil {
		state += fmt.Sprintf("  %d more", more)
	}
	return strings.Join(append(lines, strings.Repeat("─", s.width), s.cut("1–"+fmt.Sprint(len(s.pages))+" page  ↑↓ scroll  r again  q leave   "+state)), "\n")
}

func (s *screen) cut(line string) string { return ansi.Truncate(line, s.width, "…") }
