package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"till/cmd/internal/story"
	"till/protocol"
	"till/server"
)

// gather lets further terminals join from the next start on: the server listens
// where it will listen after every other start too.
func (s *stage) gather() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a port: %w", err)
	}
	s.rpc = l.Addr().String()
	s.args = append(s.args, "--rpc", s.rpc)
	return l.Close()
}

// further pairs another terminal with the server of the first: a process of its
// own with devices of its own.
func (s *stage) further(ctx context.Context, name string) (*story.Shop, error) {
	if s.rpc == "" {
		return nil, errors.New("the server listens for no further terminal")
	}
	if _, err := s.addresses(ctx); err != nil {
		return nil, err
	}
	j, err := newStage(s.program)
	if err != nil {
		return nil, err
	}
	j.first, s.joined = s, append(s.joined, j)
	if j.paper, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("make terminal: %w", err)
	}
	go j.servePrinter()
	if j.shelf, err = openShelf(j.dir); err != nil {
		return nil, fmt.Errorf("make terminal: %w", err)
	}
	j.args = []string{"practice", "--join", "--printer", "tcp://" + j.paper.Addr().String(), "--card", j.shelf.url("card"),
		"--scanner", j.shelf.url("scanner"), "--display", j.shelf.url("display")}
	if j.lines = s.lines; j.lines {
		j.args = append(j.args, "--accessible")
	}
	j.env, j.listing = s.env, j.path("addresses.json")
	if err := j.pair(ctx, name); err != nil {
		return nil, err
	}
	return &story.Shop{Program: j, Clock: s, World: s, Books: j, Cables: j, Printer: j.printer, Drawer: j.printer,
		Display: j.shelf, Scanner: j.shelf, Reader: j.shelf, Case: lid{j}, Ecash: newTaps(j), Close: func() error { return nil }}, nil
}

// pair makes a pairing link on the server and enrols with it.
func (j *stage) pair(ctx context.Context, name string) error {
	var invitation server.Invitation
	out, err := j.till(ctx, "terminal", "add", name, "--host", j.first.rpc, "--data", j.first.dir, "--json")
	if err == nil {
		err = json.Unmarshal(out, &invitation)
	}
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	dir := filepath.Join(j.dir, "practice")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	_, err = j.till(ctx, "enroll", invitation.Link, "--name", name, "--data", dir)
	return err
}

// till runs another command of the program.
func (j *stage) till(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, j.program, args...)
	c.Env = append([]string{"HOME=" + j.dir}, j.env...)
	out, err := c.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = fmt.Errorf("%w: %s", err, ended.Stderr)
	}
	return out, err
}

// Wallet is what the shop's wallet holds, which the first terminal's process has.
func (s *stage) Wallet(ctx context.Context) (sat protocol.Sat, err error) {
	if s.first != nil {
		return s.first.Wallet(ctx)
	}
	return sat, s.puppet(ctx, "/wallet", nil, &sat)
}
