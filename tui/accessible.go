package tui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/tui/widget"
)

// The whole product as plain lines, for screen readers and scripts: what is on a
// screen is said in words, what a person does is a line. Nothing moves a cursor
// and nothing has a colour. It is the same program: the same model, key table
// and effects; only what draws and what reads keys are others.

// maxLine is the longest line that is read, in bytes; a scan fits.
const maxLine = 8192

// aloudSize is the screen that is drawn and then said: wide enough for sentences
// to stay whole and high enough for all of a list. Nothing shows it.
var aloudSize = widget.Area{W: 400, H: 120}

// aloud is what the model keeps when it is said, not shown.
type aloud struct {
	waiting []string // lines that wait for their turn
	over    bool     // no more will come
	left    bool     // the user has quit
	repeat  bool     // the description is to be said again
	last    spoken
	under   int             // effects that are under way
	since   time.Duration   // by the hand's clock: when the next line began to wait
	health  map[string]bool // faults of the health line that were said
	out     chan<- []string
	echo    func(bool) // whether the terminal shows what is typed; nil it is none
	hidden  bool
}

// spokenModel is the model as it is said: after each message, what is new.
type spokenModel struct{ *model }

func (r spokenModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := r.model.Update(msg)
	r.tell() // before a line answers to it
	next := r.nextLine()
	r.tell()
	return r, tea.Batch(cmd, next)
}

func (r spokenModel) View() tea.View { return tea.NewView("") }

// RunAloud runs the program on plain lines until its user quits, the input ends
// or ctx ends. Everything that was asked for is written before it returns. Echo,
// if it is not nil, is told when what is typed is to stay hidden.
func (a *App) RunAloud(ctx context.Context, c Console, echo func(bool)) error {
	theme, err := widget.NewTheme("none", widget.Terminal{Aloud: true})
	if err != nil {
		return fmt.Errorf("start the terminal program: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := a.o
	o.Silent, o.Mouse = true, false // the words come at once; a bell would ring into a file
	m := newModel(ctx, o, theme, &a.seen)
	m.term = widget.Terminal{Aloud: true}
	out := make(chan []string, 64)
	m.aloud = &aloud{out: out, echo: echo, health: map[string]bool{}}
	if err := m.load(ctx); err != nil {
		return fmt.Errorf("start the terminal program: %w", err)
	}
	m.chosen.Theme = "none"
	if c.Filter == nil {
		c.Filter = func(_ tea.Model, msg tea.Msg) tea.Msg { return msg }
	}
	p := tea.NewProgram(spokenModel{m}, tea.WithFilter(c.Filter), tea.WithContext(ctx), tea.WithInput(nil), tea.WithOutput(io.Discard),
		tea.WithoutRenderer(), tea.WithWindowSize(aloudSize.W, aloudSize.H), tea.WithoutSignalHandler())
	said := make(chan error, 1)
	go func() { said <- sayAll(c.Out, out, cancel) }()
	go listenToLines(ctx, c, p.Send)
	_, err = p.Run()
	m.lane.finish(2 * time.Second)
	close(out)
	if e := <-said; e != nil {
		return fmt.Errorf("say: %w", e)
	}
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// sayAll writes what is to be said; where nobody listens any more the program ends.
func sayAll(w io.Writer, lines <-chan []string, stop func()) (err error) {
	for batch := range lines {
		if err != nil {
			continue
		}
		if _, err = io.WriteString(w, strings.Join(batch, "\n")+"\n"); err != nil {
			stop()
		}
	}
	return err
}

// listenToLines hands every line to the program. It ends with the input or, when
// the program has ended, with the next line.
func listenToLines(ctx context.Context, c Console, send func(tea.Msg)) {
	lines := bufio.NewScanner(c.In)
	lines.Buffer(make([]byte, 0, 1024), maxLine)
	for lines.Scan() {
		if ctx.Err() != nil {
			return
		}
		line := strings.TrimRight(lines.Text(), "\r")
		if c.Mark != nil {
			if msg, ok := c.Mark(line); ok {
				send(msg)
				continue
			}
		}
		send(lineTyped(line))
	}
	send(linesOver{})
}

// lineTyped is a line of the input; it waits until what came before is done.
type lineTyped string

func (l lineTyped) apply(m *model) tea.Cmd {
	m.inputs++
	if len(m.aloud.waiting) == 0 {
		m.aloud.since = m.o.Hand()
	}
	m.aloud.waiting = append(m.aloud.waiting, string(l))
	return nil
}

// linesOver tells that the input has ended: the program does too.
type linesOver struct{}

func (linesOver) apply(m *model) tea.Cmd {
	m.aloud.over = true
	return nil
}

// counted counts an effect until what came of it is there: the next line waits
// for it.
func (m *model) counted(effect tea.Cmd) tea.Cmd {
	if m.aloud == nil {
		return effect
	}
	m.aloud.under++
	return func() tea.Msg { return performed{effect()} }
}

// performed is what came of an effect.
type performed struct{ msg tea.Msg }

func (p performed) apply(m *model) tea.Cmd {
	m.aloud.under--
	if msg, ok := p.msg.(ours); ok {
		return msg.apply(m)
	}
	return nil
}

// lineRetry looks whether a line can be taken now.
type lineRetry struct{}

func (lineRetry) apply(*model) tea.Cmd { return nil }
