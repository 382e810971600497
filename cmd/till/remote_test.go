package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
	"till/protocol"
	"till/server"
)

// TestStoriesOfTwoMachines plays testdata/remote: the terminal and its server
// are two processes on two data directories, paired by link, with a cable
// between them that can be cut; `pull server` is a kill -9 of the server.
func TestStoriesOfTwoMachines(t *testing.T) {
	if testing.Short() {
		t.Skip("plays whole shops")
	}
	files, err := filepath.Glob(filepath.Join("testdata", "remote", "*.story"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no stories: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			results, err := story.Play(t.Context(), story.Options{
				Open: func(context.Context) (*story.Shop, error) { return openRemoteStage(t) },
				Now:  time.Now, Out: t.Output(), Shots: t.TempDir(),
			}, []string{file})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Held {
					_ = story.Report(t.Output(), results) // the log of a test takes all
					t.Fatal(r.Failure)
				}
			}
		})
	}
}

// remoteStage is a stage whose server is a process of its own.
type remoteStage struct {
	*stage
	t         *testing.T
	serverDir string
	port      string // where the server listens
	cable     *cable
	serve     *exec.Cmd
	at        boot.Addresses
}

// openRemoteStage pairs a machine, whose environment has env beside the rest, with
// a server.
func openRemoteStage(t *testing.T, env ...string) (*story.Shop, error) {
	s, err := newStage(tillProgram(t))
	if err != nil {
		return nil, err
	}
	if s.paper, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	go s.servePrinter()
	r := &remoteStage{stage: s, t: t, serverDir: t.TempDir(), port: "127.0.0.1:0"}
	if err := r.startServer(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	t.Cleanup(r.kill)
	// Started again it listens where it did.
	r.port = r.at.RPC
	if r.cable, err = newCable(r.port); err != nil {
		return nil, errors.Join(err, s.close())
	}
	t.Cleanup(r.cable.close)
	s.env = append([]string{"TILL_SERVER_URL=https://" + r.cable.address(), "TILL_PRINTER_URL=tcp://" + s.paper.Addr().String(), "TILL_PRINTER_PROFILE=epson-80"}, env...)
	link, err := r.invite()
	if err != nil {
		return nil, err
	}
	if out, err := r.command("enroll", link, "--data", s.dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("enroll: %w: %s", err, out)
	}
	return &story.Shop{Program: s, Clock: r, World: r, Books: r, Printer: s.printer, Drawer: s.printer, Cables: r, Case: lid{s}, Close: s.close}, nil
}

// command is one of the program's, on the terminal's machine.
func (r *remoteStage) command(args ...string) *exec.Cmd {
	c := exec.CommandContext(r.t.Context(), r.program, args...)
	c.Env = append(os.Environ(), r.env...)
	return c
}

// invite asks the server for a pairing link.
func (r *remoteStage) invite(flags ...string) (string, error) {
	args := append([]string{"terminal", "add", "counter", "--host", r.cable.address(), "--data", r.serverDir, "--json"}, flags...)
	out, err := exec.Command(r.program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("invite: %w", err)
	}
	var invitation server.Invitation
	err = json.Unmarshal(out, &invitation)
	return invitation.Link, err
}

func (r *remoteStage) startServer() error {
	at := filepath.Join(r.serverDir, "at.json")
	if err := boot.RemoveAddresses(at); err != nil {
		return err
	}
	r.serve = exec.Command(r.program, "serve", "--practice", "--data", r.serverDir, "--rpc", r.port, "--control", "127.0.0.1:0",
		"--merchant", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--mint", "127.0.0.1:0", "--addresses-file", at)
	if err := r.serve.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(at); err == nil {
			return json.Unmarshal(text, &r.at)
		}
	}
	return errors.New("the server does not come up")
}

func (r *remoteStage) kill() {
	_ = r.serve.Process.Kill()
	_ = r.serve.Wait()
}

// Pull cuts the cable, kills the server, or is the stage's.
func (r *remoteStage) Pull(line string) error {
	switch line {
	case "network":
		r.cable.cut(true)
		return nil
	case "server":
		r.kill()
		return nil
	}
	return r.stage.Pull(line)
}

// Plug mends what Pull broke.
func (r *remoteStage) Plug(line string) error {
	switch line {
	case "network":
		r.cable.cut(false)
		return nil
	case "server":
		return r.startServer()
	}
	return r.stage.Plug(line)
}

func (r *remoteStage) control(ctx context.Context, path string, params, result any) error {
	return call(ctx, "tcp", r.at.Control, "POST", path, params, result)
}

// Advance is refused: the two machines have clocks of their own.
func (r *remoteStage) Advance(context.Context, time.Duration) error { return errors.ErrUnsupported }

// Pay pays in the server's world.
func (r *remoteStage) Pay(ctx context.Context, p story.Payment) (string, error) {
	var paid struct{ TxID string }
	err := r.control(ctx, "/pay", map[string]any{"address": p.Address, "amount_sat": p.Amount, "replaceable": p.Replaceable}, &paid)
	return paid.TxID, err
}

// Replace double-spends in the server's world.
func (r *remoteStage) Replace(ctx context.Context, txid string, _ int64) (string, error) {
	var paid struct{ TxID string }
	return paid.TxID, r.control(ctx, "/replace", map[string]any{"txid": txid}, &paid)
}

// Mine mines there.
func (r *remoteStage) Mine(ctx context.Context, blocks int) error {
	return r.control(ctx, "/mine", map[string]int{"blocks": blocks}, nil)
}

// Reorg, Rate and NodeDown are not part of these stories.
func (r *remoteStage) Reorg(context.Context, int, bool) error { return errors.ErrUnsupported }

// Rate is described at Reorg.
func (r *remoteStage) Rate(context.Context, string, string) error { return errors.ErrUnsupported }

// NodeDown is described at Reorg.
func (r *remoteStage) NodeDown(context.Context, bool) error { return errors.ErrUnsupported }

// Wallet is not asked for in these stories.
func (r *remoteStage) Wallet(context.Context) (protocol.Sat, error) { return 0, errors.ErrUnsupported }

// VerifyJournal asks both machines.
func (r *remoteStage) VerifyJournal(ctx context.Context) error {
	return errors.Join(r.verify(ctx, "--data", r.serverDir), r.verify(ctx, "--data", r.dir, "--terminal"))
}

// cable is a TCP line between two processes that can be cut.
type cable struct {
	l    net.Listener
	to   string
	mu   sync.Mutex
	off  bool
	open map[net.Conn]struct{}
}

func newCable(to string) (*cable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &cable{l: l, to: to, open: map[net.Conn]struct{}{}}
	go c.serve()
	return c, nil
}

func (c *cable) address() string { return c.l.Addr().String() }

func (c *cable) serve() {
	for {
		near, err := c.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil || !c.add(near, far) {
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
			continue
		}
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

func (c *cable) add(ends ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		c.open[end] = struct{}{}
	}
	return !c.off
}

func (c *cable) cut(off bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
	if off {
		for end := range c.open {
			_ = end.Close()
		}
		clear(c.open)
	}
}

func (c *cable) close() {
	_ = c.l.Close()
	c.cut(true)
}
