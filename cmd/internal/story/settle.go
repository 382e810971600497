package story

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// Filter sees every message before the program does, as tea.WithFilter wants.
type Filter func(tea.Model, tea.Msg) tea.Msg

// marks tell when the program has handled its input so far. A mark is a
// terminal's answer to a question about its version, numbered, which travels
// behind the keys through the program's own decoder: when it comes out, every
// key before it has been through Update. Nobody else sees it.
type marks struct {
	mu      sync.Mutex
	sent    int
	handled int
	changed chan struct{} // closed and replaced when handled grows
}

const markName = "till story "

func newMarks() *marks { return &marks{changed: make(chan struct{})} }

// next is the input that holds the next mark (XTVERSION, DCS > | text ST).
func (m *marks) next() (number int, input string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	return m.sent, fmt.Sprintf("\x1bP>|%s%d\x1b\\", markName, m.sent)
}

// filter is the [Filter] that takes marks out.
func (m *marks) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	version, ok := msg.(tea.TerminalVersionMsg)
	if !ok {
		return msg
	}
	digits, ours := strings.CutPrefix(version.Name, markName)
	n, err := strconv.Atoi(digits)
	if !ours || err != nil {
		return msg
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > m.handled {
		m.handled = n
		close(m.changed)
		m.changed = make(chan struct{})
	}
	return nil
}

// state tells what was handled, and is told of the next change.
func (m *marks) state() (handled int, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handled, m.changed
}
