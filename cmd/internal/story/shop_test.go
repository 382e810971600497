package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"till/device/sim"
	"till/protocol"
)

// stall is a market stall: the least shop that has a register, a QR code, a
// dialog and a customer. Its screen is a real Bubble Tea program.
type stall struct {
	mu      sync.Mutex
	name    string // of the screen
	cart    string
	typed   string
	heard   []string // every message of a person, as text
	asks    bool     // the dialog is open
	sale    Sale
	user    string
	quiet   bool
	program *tea.Program
	ended   chan struct{}
	printer *sim.Printer
	ahead   time.Duration
	txs     int
	starts  int
	env     []string
}

type tick struct{}

// scene is the stall's screen.
type scene struct {
	*stall
	width, height int
}

func (s scene) Init() tea.Cmd { return nil }

func (s scene) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tea.PasteMsg:
		s.heard = append(s.heard, "paste "+msg.Content)
	case tick:
	case tea.KeyPressMsg:
		s.heard = append(s.heard, msg.String())
		return s, s.key(msg)
	}
	return s, nil
}

func (s scene) key(msg tea.KeyPressMsg) tea.Cmd {
	if s.name == "sign-in" {
		switch key := msg.String(); {
		case key == "enter" && strings.HasSuffix(s.typed, "1111"):
			s.name, s.user, s.typed = "register", "Anna", ""
		case key == "enter":
		default:
			s.typed += msg.Text
		}
		return nil
	}
	switch msg.String() {
	case "ctrl+q":
		return tea.Quit
	case "ctrl+u":
		s.name, s.typed = "sign-in", ""
	case "f1":
		s.name = "help"
	case "esc":
		s.asks, s.name = false, "register"
	case "+":
		s.cart, s.typed = s.typed, ""
	case "ctrl+d":
		s.asks = true
	case "enter":
		if s.cart != "" {
			// The price comes a moment later, as from a server.
			stall := s.stall
			return tea.Tick(50*time.Millisecond, func(time.Time) tea.Msg {
				stall.mu.Lock()
				defer stall.mu.Unlock()
				stall.name = "pay"
				stall.sale = Sale{State: protocol.SaleOpen, Due: 25000, Address: "bcrt1qstall", Rate: 5_000_000, Currency: "EUR"}
				return tick{}
			})
		}
	default:
		s.typed += msg.Text
	}
	return nil
}

func (s scene) View() tea.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := []string{"cart " + s.cart, "typed " + s.typed, ""}
	switch {
	case s.name == "pay" && s.sale.State == protocol.SaleAccepted:
		body = append(body, "\x1b[1;32mPAID\x1b[m 12.30")
	case s.name == "pay":
		body = append(halves("bitcoin:"+s.sale.Address+"?amount=0.00025", 4), "", "scan to pay")
	}
	if s.asks {
		body = append(body, "  ╭───────────╮", "  │  Sure?    │", "  │  y yes    │", "  ╰───────────╯")
	}
	for len(body) < s.height-3 {
		body = append(body, "")
	}
	if len(body) > max(s.height-3, 0) {
		body = body[:max(s.height-3, 0)]
	}
	lines := append([]string{"The stall · " + s.user}, body...)
	lines = append(lines, "● printer ready", "\x1b[36menter\x1b[m pay  \x1b[36m+\x1b[m line")
	view := tea.NewView(strings.Join(lines, "\n"))
	view.AltScreen = !s.quiet
	return view
}

// matrix is a QR code with its quiet zone, true where it is dark.
func matrix(text string, margin int) [][]bool {
	code, err := encoder.Encoder_encodeWithoutHint(text, decoder.ErrorCorrectionLevel_L)
	if err != nil {
		panic(err)
	}
	m := code.GetMatrix()
	rows := make([][]bool, m.GetHeight()+2*margin)
	for y := range rows {
		rows[y] = make([]bool, len(rows))
		for x := range rows {
			if mx, my := x-margin, y-margin; mx >= 0 && my >= 0 && mx < m.GetWidth() && my < m.GetHeight() {
				rows[y][x] = m.Get(mx, my) == 1
			}
		}
	}
	return rows
}

// halves draws a code in half blocks, light on dark.
func halves(text string, margin int) []string {
	m := matrix(text, margin)
	var lines []string
	for y := 0; y < len(m); y += 2 {
		var b strings.Builder
		for x := range m {
			up, down := !m[y][x], y+1 < len(m) && !m[y+1][x]
			b.WriteString(map[[2]bool]string{{true, true}: "█", {true, false}: "▀", {false, true}: "▄", {}: " "}[[2]bool{up, down}])
		}
		lines = append(lines, b.String())
	}
	return lines
}

// cooked returns the carriage at a line feed, as Bubble Tea expects where its
// input is no file.
type cooked struct{ io.Writer }

func (c cooked) Write(p []byte) (int, error) {
	_, err := c.Writer.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")))
	return len(p), err
}

// Program.

func (s *stall) Start(_ context.Context, tty TTY) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts++
	s.env = tty.Env
	s.ended = make(chan struct{})
	s.name, s.user, s.typed = "register", "Anna", ""
	program := tea.NewProgram(scene{stall: s}, tea.WithInput(tty.Input), tea.WithOutput(cooked{tty.Output}), tea.WithWindowSize(tty.Width, tty.Height),
		tea.WithEnvironment(tty.Env), tea.WithColorProfile(colorprofile.ANSI256), tea.WithFilter(tty.Filter), tea.WithoutSignalHandler())
	s.program = program
	ended := s.ended
	go func() {
		defer close(ended)
		_, _ = program.Run() // killed or quit: both are the story's doing
	}()
	return nil
}

func (s *stall) Signal(_ context.Context, name string) error {
	switch name {
	case "TERM":
		s.program.Quit()
	case "KILL":
		s.program.Kill()
	default:
		return fmt.Errorf("no signal %s", name)
	}
	return nil
}

func (s *stall) Ended() <-chan struct{} { s.mu.Lock(); defer s.mu.Unlock(); return s.ended }
func (s *stall) Resize(width, height int) {
	s.program.Send(tea.WindowSizeMsg{Width: width, Height: height})
}
func (s *stall) Screen() string { s.mu.Lock(); defer s.mu.Unlock(); return s.name }

func (s *stall) Action(name string) Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := map[string]string{"add": "+", "pay": "enter", "help": "f1", "back": "esc", "quit": "ctrl+q", "user": "ctrl+u", "confirm": "ctrl+d"}[name]
	a := Action{Key: key, Enabled: key != ""}
	if name == "pay" && s.cart == "" {
		a.Enabled, a.Why = false, "there is nothing to pay"
	}
	return a
}

// World and Books: the customer's coin reaches the stall at once.

func (s *stall) Pay(_ context.Context, p Payment) (string, error) {
	s.mu.Lock()
	if p.Address != s.sale.Address {
		s.mu.Unlock()
		return "", errors.New("no such address")
	}
	s.txs++
	s.sale.TxID = fmt.Sprintf("%064x", s.txs)
	s.sale.Received += p.Amount
	s.sale.State, s.sale.Flags = protocol.SaleAccepted, nil
	if s.sale.Received < s.sale.Due {
		s.sale.State, s.sale.Flags = protocol.SaleSeen, []protocol.Flag{protocol.FlagUnderpaid}
	}
	s.mu.Unlock()
	s.program.Send(tick{})
	return s.sale.TxID, nil
}

func (s *stall) Replace(context.Context, string, int64) (string, error) {
	return "", errors.New("too late")
}
func (s *stall) Mine(context.Context, int) error            { return nil }
func (s *stall) Reorg(context.Context, int, bool) error     { return nil }
func (s *stall) Rate(context.Context, string, string) error { return nil }
func (s *stall) NodeDown(context.Context, bool) error       { return nil }

func (s *stall) Sale(context.Context) (Sale, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sale, nil
}
func (s *stall) Wallet(context.Context) (protocol.Sat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sale.Received, nil
}
func (s *stall) DrawerCash(context.Context) (protocol.Money, error) {
	return protocol.Money{Minor: 5000, Currency: "EUR"}, nil
}
func (s *stall) Alerts(context.Context) (int, error) { return 0, nil }
func (s *stall) VerifyJournal(context.Context) error { return nil }
func (s *stall) Advance(_ context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
	return nil
}

// open opens the stall for Play; each opening is a fresh one.
func open(t *testing.T, change func(*Shop)) (Open, *[]*stall) {
	var all []*stall
	return func(context.Context) (*Shop, error) {
		printer, err := sim.NewPrinter("epson-80", nil)
		if err != nil {
			return nil, err
		}
		s := &stall{printer: printer}
		all = append(all, s)
		shop := &Shop{Program: s, Clock: s, World: s, Books: s, Printer: printer, Drawer: printer, Close: func() error { printer.Close(); return nil }}
		if change != nil {
			change(shop)
		}
		return shop, nil
	}, &all
}
