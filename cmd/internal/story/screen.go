package story

import (
	"bytes"
	"io"
	"sync"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// keptFrames is how many frames can be looked at after the fact, so that a
// looking statement misses none that came while it looked at another.
const keptFrames = 128

// screen is the terminal the program is shown on: it takes the program's bytes,
// answers its questions as the chosen TERM would, and keeps what was to be seen
// after each frame. Frames are those the program brackets in synchronized
// output (mode 2026), which xterm's relatives know and the console does not;
// outside of it each write is one.
//
// BUGS: `term linux` has an alternate screen and every glyph; the real console
// has neither.
type screen struct {
	linux bool
	now   func() time.Time
	keys  *keyboard // where answers go

	mu       sync.Mutex
	emulator *vt.Emulator
	answered chan struct{} // closed when no answer comes any more
	frames   []*Frame      // the last ones, oldest first
	changed  chan struct{} // closed and replaced at each frame
	pastes   bool          // the program asked for bracketed paste (mode 2004)
	cursor   bool          // the program asked for application cursor keys (mode 1)
	drawing  bool          // within a frame of synchronized output
}

func newScreen(term string, width, height int, keys *keyboard, now func() time.Time) *screen {
	s := &screen{
		linux: isLinux(term), now: now, keys: keys,
		emulator: vt.NewEmulator(width, height), answered: make(chan struct{}), changed: make(chan struct{}),
	}
	s.emulator.SetCallbacks(vt.Callbacks{
		EnableMode:  func(m ansi.Mode) { s.mode(m, true) },
		DisableMode: func(m ansi.Mode) { s.mode(m, false) },
	})
	s.limit()
	if s.linux {
		s.console()
	} else {
		s.synchronizes()
	}
	go func() {
		defer close(s.answered)
		_, _ = io.Copy(keys, s.emulator) // ends when close does
	}()
	s.keep()
	return s
}

// limit keeps from the emulator what it takes at its word. To repeat a character
// more often than there are cells shows nothing more. Margins at the left and
// right (mode 69), which few terminals have, may lie outside its screen.
func (s *screen) limit() {
	s.emulator.RegisterCsiHandler('b', func(params ansi.Params) bool {
		if cells := s.emulator.Width() * s.emulator.Height(); len(params) > 0 && params[0].Param(1) > cells {
			params[0] = ansi.Param(cells)
		}
		return false // the emulator's own handler follows
	})
	s.emulator.RegisterCsiHandler(ansi.Command('?', 0, 'h'), func(params ansi.Params) bool {
		for i, p := range params {
			if p.Param(0) == ansi.ModeLeftRightMargin.Mode() {
				params[i] = 0
			}
		}
		return false
	})
}

// synchronizes answers that mode 2026 is known and reset; the emulator's own
// answer is that it is not.
func (s *screen) synchronizes() {
	s.emulator.RegisterCsiHandler(ansi.Command('?', '$', 'p'), func(params ansi.Params) bool {
		if n, _, _ := params.Param(0, 0); n != ansi.ModeSynchronizedOutput.Mode() {
			return false
		}
		s.keys.put(ansi.ReportMode(ansi.ModeSynchronizedOutput, ansi.ModeReset))
		return true
	})
}

// console answers as the Linux console does: it is a VT102 and knows no
// questions about modes.
func (s *screen) console() {
	s.emulator.RegisterCsiHandler('c', func(ansi.Params) bool {
		s.keys.put("\x1b[?6c")
		return true
	})
	for _, ask := range []int{ansi.Command('?', '$', 'p'), ansi.Command(0, '$', 'p'), ansi.Command('>', 0, 'c')} {
		s.emulator.RegisterCsiHandler(ask, func(ansi.Params) bool { return true })
	}
}

func (s *screen) mode(m ansi.Mode, on bool) {
	switch m {
	case ansi.ModeBracketedPaste:
		s.pastes = on && !s.linux
	case ansi.ModeCursorKeys:
		s.cursor = on
	case ansi.ModeSynchronizedOutput:
		if s.drawing = on && !s.linux; !on {
			s.keep()
		}
	}
}

// Write shows what the program wrote.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.emulator.Write(p)
	if !s.drawing && !bytes.HasSuffix(p, []byte(ansi.ResetModeSynchronizedOutput)) {
		s.keep()
	}
	return n, err
}

// resize changes the size, as a person dragging a window does.
func (s *screen) resize(width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emulator.Resize(width, height)
	s.keep()
}

// keep photographs the screen; called with mu held, or before anybody knows s.
func (s *screen) keep() {
	f := &Frame{At: s.now(), Width: s.emulator.Width(), Height: s.emulator.Height(), linux: s.linux}
	if n := len(s.frames); n > 0 {
		f.Number = s.frames[n-1].Number + 1
	}
	f.cells = make([]uv.Cell, 0, f.Width*f.Height)
	for y := range f.Height {
		for x := range f.Width {
			cell := uv.EmptyCell
			if c := s.emulator.CellAt(x, y); c != nil {
				cell = *c
			}
			f.cells = append(f.cells, cell)
		}
	}
	s.frames = append(s.frames, f)
	if len(s.frames) > keptFrames {
		s.frames = append(s.frames[:0], s.frames[len(s.frames)-keptFrames:]...)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// frame is what is shown now.
func (s *screen) frame() *Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frames[len(s.frames)-1]
}

// after gives the frames that came behind the numbered one, and is told of the
// next.
func (s *screen) after(number int) ([]*Frame, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.frames[len(s.frames)-1].Number - number
	fresh = min(max(fresh, 0), len(s.frames))
	return append([]*Frame(nil), s.frames[len(s.frames)-fresh:]...), s.changed
}

// modes tells how keys are to be sent.
func (s *screen) modes() (pastes, cursor bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pastes, s.cursor
}

// close ends the answers; frames stay.
func (s *screen) close() {
	if pipe, ok := s.emulator.InputPipe().(io.Closer); ok {
		_ = pipe.Close() // a pipe's end closes without an error
	}
	<-s.answered
}
