package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
	"till/device"
	"till/device/sim"
	"till/protocol"
)

// stage is a practice shop that a story plays in: the program as a process of
// its own on a pseudo-terminal, which can be killed, and around it, in this
// process, what survives a power cut: the printer with its paper. The process
// is moved and questioned through two listeners of its own (see puppet.go).
type stage struct {
	program string   // the executable
	args    []string // of the command that plays
	env     []string
	dir     string
	printer *sim.Printer
	paper   net.Listener // where the printer answers
	shelf   *shelf       // the other devices; nil without
	listing string       // the file of the addresses listened on
	rpc     string       // where further terminals find the server, "" none may join
	first   *stage       // of a further terminal: the one with the server
	joined  []*stage     // of the first: the further terminals
	lines   bool         // the program is said, not shown: it has pipes

	mu    sync.Mutex
	child *exec.Cmd
	tty   *os.File
	ended chan struct{}
}

// startTime is how long a program may take until it draws.
const startTime = time.Minute

// staging is the shop that a story plays in, as the command line wants it.
type staging struct {
	command []string          // that opens it: practice, or a kiosk's
	devices map[string]string // URLs in place of simulated devices, by name
	listen  listening         // what is asked for
}

// openStage makes a practice shop on fresh data in a temporary directory.
func openStage(program string, o staging) (*story.Shop, error) {
	s, err := newStage(program)
	if err != nil {
		return nil, err
	}
	if s.paper, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(fmt.Errorf("make shop: %w", err), s.close())
	}
	go s.servePrinter()
	if s.shelf, err = openShelf(s.dir); err != nil {
		return nil, errors.Join(fmt.Errorf("make shop: %w", err), s.close())
	}
	simulated := map[string]string{"printer": "tcp://" + s.paper.Addr().String(), "card": s.shelf.url("card"), "scanner": s.shelf.url("scanner"), "display": s.shelf.url("display")}
	s.args = slices.Clone(o.command)
	for _, name := range boot.DeviceNames() {
		s.args = append(s.args, "--"+name, cmp.Or(o.devices[name], simulated[name]))
	}
	s.listing = cmp.Or(o.listen.addressesFile, s.path("addresses.json"))
	o.listen.control, o.listen.addressesFile = cmp.Or(o.listen.control, "127.0.0.1:0"), s.listing
	s.args = append(s.args, o.listen.args()...)
	s.lines = slices.Contains(o.command, "--accessible")
	// A story speaks of frames, not of minutes: blocks come when it mines them.
	s.env = []string{"TILL_PRACTICE_BLOCK_EVERY=0s"}
	taps := newTaps(s)
	shop := &story.Shop{Program: s, Clock: s, World: s, Books: s, Cables: s, Ecash: taps, Case: lid{s},
		Gather: s.gather, Further: s.further,
		Close: func() error { taps.end(); return s.close() }}
	// A device that is not simulated here cannot be looked at.
	if o.devices["printer"] == "" {
		shop.Printer, shop.Drawer = s.printer, s.printer
	}
	if o.devices["display"] == "" {
		shop.Display = s.shelf
	}
	if o.devices["scanner"] == "" {
		shop.Scanner = s.shelf
	}
	if o.devices["card"] == "" {
		shop.Reader = s.shelf
	}
	return shop, nil
}

func newStage(program string) (*stage, error) {
	dir, err := os.MkdirTemp("", "till-story-")
	if err != nil {
		return nil, fmt.Errorf("make shop: %w", err)
	}
	s := &stage{program: program, dir: dir, ended: make(chan struct{})}
	close(s.ended)
	if s.printer, err = sim.NewPrinter("epson-80", nil); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *stage) servePrinter() {
	for {
		conn, err := s.paper.Accept()
		if err != nil {
			return
		}
		link := device.NewLink(conn)
		go func() { _ = errors.Join(s.printer.Serve(context.Background(), link), link.Close()) }()
	}
}

func (s *stage) close() error {
	var further error
	for _, j := range s.joined {
		further = errors.Join(further, j.close())
	}
	return errors.Join(further, s.closeOne())
}

func (s *stage) closeOne() error {
	err := s.Signal(context.Background(), "KILL")
	<-s.Ended()
	s.printer.Close()
	if s.shelf != nil {
		err = errors.Join(err, s.shelf.close())
	}
	if s.paper != nil {
		err = errors.Join(err, s.paper.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// Start runs the program on the terminal and waits for its first frame.
func (s *stage) Start(ctx context.Context, t story.TTY) error {
	for _, left := range []string{s.path("puppet.sock"), s.listing} {
		if err := os.Remove(left); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("start: %w", err)
		}
	}
	child := exec.Command(s.program, append([]string{"--data", s.dir, "--puppet", s.path("puppet.sock")}, s.args...)...)
	child.Env = slices.Concat([]string{"HOME=" + s.dir}, s.env, t.Env)
	if t.Locale != "" {
		child.Env = append(child.Env, "TILL_SHOP_LOCALE="+t.Locale)
	}
	begin := s.startShown
	if s.lines {
		begin = s.startLines
	}
	drawn, err := begin(child, t)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	ended := make(chan struct{})
	s.mu.Lock()
	s.child, s.ended = child, ended
	s.mu.Unlock()
	go s.followMarks(t.Filter, ended)
	go func() {
		<-drawn // a pipe that is read must not be waited for first
		_ = child.Wait()
		close(ended)
	}()
	return s.awaitFrame(ctx, ended)
}

// startShown starts the program on a pseudo-terminal. The channel is closed when
// all that it draws has been read.
func (s *stage) startShown(child *exec.Cmd, t story.TTY) (<-chan struct{}, error) {
	tty, err := pty.StartWithSize(child, &pty.Winsize{Rows: uint16(t.Height), Cols: uint16(t.Width)})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.tty = tty
	s.mu.Unlock()
	go func() { _, _ = io.Copy(tty, t.Input) }()
	drawn := make(chan struct{})
	go func() {
		_, _ = io.Copy(t.Output, tty)
		_ = tty.Close()
		close(drawn)
	}()
	return drawn, nil
}

// followMarks tells the story's filter which of its marks the program has come
// to, as if the program ran in this process.
func (s *stage) followMarks(filter story.Filter, ended <-chan struct{}) {
	if filter == nil {
		return
	}
	for seen := 0; !isClosed(ended); {
		var n int
		err := s.puppet(context.Background(), "/mark", url.Values{"after": {strconv.Itoa(seen)}}, &n)
		if err != nil { // not listening yet, or no more
			time.Sleep(2 * time.Millisecond)
			continue
		}
		for ; seen < n; seen++ {
			filter(nil, tea.TerminalVersionMsg{Name: markPrefix + strconv.Itoa(seen+1)})
		}
	}
}

func (s *stage) awaitFrame(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return errors.New("start: the program ended before it drew")
		case <-ctx.Done():
			return fmt.Errorf("start: %w", ctx.Err())
		case <-tick.C:
			var ready bool
			if err := s.puppet(ctx, "/ready", nil, &ready); err == nil && ready {
				return nil
			}
		}
	}
}

// signals are those a story may send.
var signals = map[string]unix.Signal{
	"TERM": unix.SIGTERM, "KILL": unix.SIGKILL, "INT": unix.SIGINT, "QUIT": unix.SIGQUIT, "HUP": unix.SIGHUP, "TSTP": unix.SIGTSTP,
	"CONT": unix.SIGCONT, "USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2, "PIPE": unix.SIGPIPE, "ALRM": unix.SIGALRM, "TTIN": unix.SIGTTIN, "TTOU": unix.SIGTTOU,
	"WINCH": unix.SIGWINCH,
}

// Signal sends the signal; a program that has ended gets none.
func (s *stage) Signal(_ context.Context, name string) error {
	signal, known := signals[strings.TrimPrefix(name, "SIG")]
	if !known {
		return fmt.Errorf("there is no signal %s", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil || isClosed(s.ended) {
		return nil
	}
	if err := s.child.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Ended is closed when the present run is over.
func (s *stage) Ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Resize changes the terminal's size; the kernel tells the program.
func (s *stage) Resize(width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tty != nil {
		_ = pty.Setsize(s.tty, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)})
	}
}

// Screen asks the program what it shows.
func (s *stage) Screen() string {
	var name string
	_ = s.puppet(context.Background(), "/screen", nil, &name) // an ended program shows nothing
	return name
}

// Action asks the program what it would do.
func (s *stage) Action(name string) story.Action {
	var a story.Action
	_ = s.puppet(context.Background(), "/action", url.Values{"name": {name}}, &a)
	return a
}

// puppet asks the program through its socket.
func (s *stage) puppet(ctx context.Context, path string, query url.Values, result any) error {
	return call(ctx, "unix", s.path("puppet.sock"), http.MethodGet, path+"?"+query.Encode(), nil, result)
}

// control moves the practice world. After a start the program draws before its
// server is open: the world waits for it.
func (s *stage) control(ctx context.Context, path string, params, result any) error {
	at, err := s.addresses(ctx)
	if err != nil {
		return err
	}
	return call(ctx, "tcp", at.Control, http.MethodPost, path, params, result)
}

func (s *stage) addresses(ctx context.Context) (at boot.Addresses, err error) {
	if s.first != nil {
		return s.first.addresses(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		text, err := os.ReadFile(s.listing)
		if err == nil {
			return at, json.Unmarshal(text, &at)
		}
		select {
		case <-s.Ended():
			return at, errors.New("the practice world is not running")
		case <-ctx.Done():
			return at, errors.New("the practice world does not open")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// call sends JSON over HTTP and reads JSON.
func call(ctx context.Context, network, address, method, path string, params, result any) error {
	body, err := protocol.Encode(params)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}}
	request, err := http.NewRequestWithContext(ctx, method, "http://till"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		var refused struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(text, &refused) != nil || refused.Error == "" {
			refused.Error = response.Status
		}
		return errors.New(refused.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(text, result)
}
