package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"till/cmd/internal/backoffice"
	"till/cmd/internal/boot"
	"till/cmd/internal/config"
)

// office is the owner's back office over SSH.
type office struct {
	l net.Listener
	o backoffice.Options
}

// openOffice binds it; nil where no address is given. Its pages are what commands
// print, of this server.
func (p *program) openOffice(s *boot.Server, c *config.Config, dir, address string, log *slog.Logger) (*office, error) {
	if address == "" {
		return nil, nil
	}
	keys := c.SSH.KeysFile
	if keys == "" {
		keys = filepath.Join(dir, "authorized_keys")
	}
	if err := backoffice.CheckKeys(keys); err != nil {
		return nil, usage("put the owner's public key into that file, a line each: ssh-keygen -t ed25519 makes one", "open back office: %w", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fail("open back office", err)
	}
	page := func(name string, print func(p *program, ctx context.Context) error) backoffice.Page {
		return backoffice.Page{Name: name, Text: func(ctx context.Context) (string, error) {
			var out bytes.Buffer
			printing := &program{stdio: stdio{in: bytes.NewReader(nil), out: &out, err: &out}, env: p.env, server: s}
			err := print(printing, ctx)
			return out.String(), err
		}}
	}
	return &office{l, backoffice.Options{
		Title: fmt.Sprintf("%s · till", s.Shop()), HostKey: filepath.Join(dir, "ssh_host_ed25519_key"), Keys: keys, Clock: time.Now, Log: log,
		Pages: []backoffice.Page{
			page("terminals", func(p *program, ctx context.Context) error { return p.listTerminals(ctx) }),
			page("sales", func(p *program, ctx context.Context) error { return p.listSales(ctx, boot.SalesAsked{Most: 200}) }),
			page("alerts", func(p *program, ctx context.Context) error { return p.listAlerts(ctx, boot.AlertsAsked{Most: 200}) }),
			page("reports", func(p *program, ctx context.Context) error { return p.printReports(ctx, boot.ReportOrder{}) }),
		},
	}}, nil
}

func (o *office) at() string { return o.l.Addr().String() }

// serve lets visitors in until ctx ends.
func (o *office) serve(ctx context.Context) {
	if err := backoffice.Serve(ctx, o.l, o.o); err != nil {
		o.o.Log.ErrorContext(ctx, "back office closed", "error", err)
	}
}
