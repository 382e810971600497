package boot

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"till/protocol"
	"till/server"
)

// healthTime is how long the parts of a server have to answer.
const healthTime = 5 * time.Second

// metricsHandler serves /healthz (the process answers), /readyz (a line for each
// part; 503 when one fails that a sale needs) and /metrics. They tell sums and
// names of terminals, nothing of a customer and no secret.
func (s *Server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		parts := s.readiness(r.Context())
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if !ready(parts) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintln(w, "not ready")
		} else {
			_, _ = fmt.Fprintln(w, "ready")
		}
		for _, p := range parts {
			_, _ = fmt.Fprintf(w, "%s: %s\n", p.name, p)
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, s.metrics(r.Context())) // the caller may have left
	})
	return mux
}

// part is one thing a server stands on.
type part struct {
	name   string
	needed bool // without it nothing can be sold for bitcoin
	err    error
}

func (p part) String() string {
	if p.err == nil {
		return "ok"
	}
	return strings.ReplaceAll(p.err.Error(), "\n", "; ")
}

func ready(parts []part) bool {
	for _, p := range parts {
		if p.needed && p.err != nil {
			return false
		}
	}
	return true
}

// readiness looks at each part once.
func (s *Server) readiness(ctx context.Context) []part {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	_, chain := s.shop.chain.Tip(ctx)
	c := s.core.Condition()
	if chain == nil && c.Behind {
		chain = fmt.Errorf("behind: its best block %d is of %s", c.Tip.Height, c.Tip.Time)
	}
	parts := []part{{"database", true, s.core.Alive(ctx)}, {"disk", true, room(s.o.Dir)}, {"chain", true, chain}, {"rates", false, nil}}
	if c.NoQuote != nil {
		parts[3].err = fmt.Errorf("%s: %s, since %s", c.NoQuote.Reason, c.NoQuote.Message, c.NoQuote.Since)
	}
	for url, err := range s.core.Mints(ctx) {
		parts = append(parts, part{"mint " + url, false, err})
	}
	return parts
}

// room fails when the disk is full.
func room(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < leastRoom {
		return fmt.Errorf("only %d MB are free", free>>20)
	}
	return nil
}

// leastRoom is the free space without which the next commits may fail.
const leastRoom = 20 << 20

// Alive fails unless the server really answers: its database, and its listener for
// terminals over TLS.
func (s *Server) Alive(ctx context.Context) error {
	if err := s.core.Alive(ctx); err != nil {
		return err
	}
	if s.at.RPC == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(s.at.RPC)
	if err != nil {
		return fmt.Errorf("call the own listener: %w", err)
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		RootCAs: s.core.ClientCAs(), MinVersion: tls.VersionTLS13, ServerName: "localhost", Time: s.o.Clock.Now,
	}}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(s.at.RPC)
		if err != nil || net.ParseIP(host).IsUnspecified() {
			host = "localhost"
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://localhost:"+port+"/openrpc.json", nil)
	if err != nil {
		return fmt.Errorf("call the own listener: %w", err)
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("call the own listener: %w", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized { // without a certificate
		return fmt.Errorf("call the own listener: status %d", answer.StatusCode)
	}
	return nil
}

// metrics writes all figures; what cannot be told is left out, and till_ready 0.
func (s *Server) metrics(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	e := &exposition{}
	parts := s.readiness(ctx)
	e.one("ready", "Whether bitcoin can be sold for.", oneIf(ready(parts)))
	e.family("part_ok", "gauge", "Whether each part the server stands on answers.")
	for _, p := range parts {
		name, mint, _ := strings.Cut(p.name, " ")
		e.add("part_ok", oneIf(p.err == nil), "part", name, "mint", mint)
	}
	s.chainFigures(e)
	errs := errors.Join(s.moneyFigures(ctx, e), s.terminalFigures(ctx, e))
	e.family("request_seconds", "histogram", "Time calls of terminals took; checkin_waiting holds its answer on purpose.")
	for _, m := range methods {
		e.histogram("request_seconds", s.pace.of(m), "method", m)
	}
	e.family("store_commit_seconds", "histogram", "Time writing transactions took.")
	e.histogram("store_commit_seconds", &s.pace.commits)
	e.family("store_writes_total", "counter", "Writes that the commits held.")
	e.add("store_writes_total", s.pace.writes.Load())
	if errs != nil {
		s.o.Log.WarnContext(ctx, "some figures are not known", "error", errs)
	}
	return e.b.String()
}

func (s *Server) chainFigures(e *exposition) {
	c := s.core.Condition()
	e.one("chain_height", "Height of the best block.", c.Tip.Height)
	e.one("chain_tip_age_seconds", "Age of the best block.", int64(s.o.Clock.Time().Sub(c.Tip.Time)/time.Second))
	e.one("chain_behind", "Whether the best block is too old for sales without confirmations.", oneIf(c.Behind))
	e.one("chain_silent", "Whether the chain does not answer.", oneIf(c.Silent))
	e.one("watched_addresses", "Addresses followed on the chain.", int64(c.Watched))
	e.one("quote_available", "Whether a price can be given.", oneIf(c.NoQuote == nil))
}

func (s *Server) moneyFigures(ctx context.Context, e *exposition) error {
	f, err := s.core.Figures(ctx)
	if err != nil {
		return err
	}
	e.family("sales", "gauge", "Sales by state.")
	for _, sum := range f.Sales {
		e.add("sales", sum.Count, "state", string(sum.State), "currency", string(sum.Currency))
	}
	e.family("sales_minor", "gauge", "What the sales asked for, in minor units.")
	for _, sum := range f.Sales {
		e.add("sales_minor", sum.Minor, "state", string(sum.State), "currency", string(sum.Currency))
	}
	e.one("received_sat", "Received at the wallet's addresses, unconfirmed included.", int64(f.Received.Sat))
	e.one("received_payments", "Payments received at the wallet's addresses.", f.Received.Count)
	e.one("mempool_sat", "Of what was received, not in a block yet.", int64(f.Mempool.Sat))
	e.one("mempool_payments", "Payments received that are not in a block yet.", f.Mempool.Count)
	e.family("ecash_received_minor", "gauge", "E-cash that mints accepted, in minor units.")
	for _, sum := range f.Ecash {
		e.add("ecash_received_minor", sum.Minor, "currency", string(sum.Currency))
	}
	payouts := func(name, help string, value func(server.PayoutSum) int64) {
		e.family(name, "gauge", help)
		for _, sum := range f.Payouts {
			e.add(name, value(sum), "of", string(sum.Of), "state", string(sum.State), "currency", string(sum.Currency))
		}
	}
	payouts("payouts", "Payouts and sweeps by state.", func(p server.PayoutSum) int64 { return p.Count })
	payouts("payouts_sat", "Their amounts with fees.", func(p server.PayoutSum) int64 { return int64(p.Sat) })
	payouts("payouts_minor", "Their value in minor units.", func(p server.PayoutSum) int64 { return p.Minor })
	e.family("owed", "gauge", "Open debts to customers.")
	e.family("owed_amount", "gauge", "What is owed, in satoshi or minor units.")
	for _, sum := range f.Owed {
		unit, amount := string(sum.Currency), sum.Minor
		if unit == "" {
			unit, amount = "sat", int64(sum.Sat)
		}
		e.add("owed", sum.Count, "unit", unit)
		e.add("owed_amount", amount, "unit", unit)
	}
	e.one("outbox_effects", "Effects waiting to be done.", f.Outbox)
	overdue := int64(0)
	if f.Overdue != 0 {
		overdue = max(0, int64(s.o.Clock.Time().Sub(f.Overdue)/time.Second))
	}
	e.one("outbox_overdue_seconds", "How long the oldest effect is due.", overdue)
	e.one("deposits_waiting", "E-cash that mints have not answered for.", f.Deposits)
	return nil
}

// knownDevices bounds the label: terminals name their devices themselves.
var knownDevices = map[string]bool{"printer": true, "card": true, "scanner": true, "display": true, "drawer": true, "case": true}

func (s *Server) terminalFigures(ctx context.Context, e *exposition) error {
	all, err := s.core.Terminals(ctx)
	if err != nil {
		return err
	}
	now, states := s.o.Clock.Time(), map[server.TerminalState]int64{}
	var present []server.TerminalStatus
	for _, t := range all {
		states[t.State]++
		if t.State != server.TerminalRevoked {
			present = append(present, t)
		}
	}
	e.family("terminals", "gauge", "Terminals by state.")
	for _, state := range []server.TerminalState{server.TerminalLiving, server.TerminalSuspended, server.TerminalRevoked} {
		e.add("terminals", states[state], "state", string(state))
	}
	each := func(name, help string, value func(server.TerminalStatus) (int64, bool)) {
		e.family(name, "gauge", help)
		for _, t := range present {
			if v, known := value(t); known {
				e.add(name, v, "terminal", t.Name)
			}
		}
	}
	each("terminal_overdue", "Whether a terminal was to check in and did not.", func(t server.TerminalStatus) (int64, bool) { return oneIf(t.Overdue), true })
	each("terminal_last_checkin_seconds", "Time since a terminal's last check-in.", func(t server.TerminalStatus) (int64, bool) {
		return int64(now.Sub(t.LastSeen) / time.Second), t.LastSeen != 0
	})
	each("terminal_clock_drift_seconds", "A terminal's clock less the server's.", func(t server.TerminalStatus) (int64, bool) {
		if t.Drift == nil {
			return 0, false
		}
		return int64(t.Drift.Round(time.Second) / time.Second), true
	})
	each("terminal_journal_entries", "Journal entries stored of a terminal.", func(t server.TerminalStatus) (int64, bool) { return t.JournalSeq, true })
	each("terminal_alerts_waiting", "Alerts a terminal has not stored.", func(t server.TerminalStatus) (int64, bool) { return t.AlertSeq - t.AlertAck, true })
	each("terminal_addresses_left", "Unused addresses a terminal has left.", func(t server.TerminalStatus) (int64, bool) { return t.Held, t.LastSeen != 0 })
	each("terminal_certificate_left_seconds", "Time until a terminal's certificate ends.", func(t server.TerminalStatus) (int64, bool) {
		return int64(t.CertificateUntil.Sub(now) / time.Second), t.CertificateUntil != protocol.Time(0)
	})
	e.family("terminal_device_ready", "gauge", "Whether a device that a terminal has is ready.")
	for _, t := range present {
		told := map[string]bool{} // a terminal may name one twice
		for _, d := range t.Devices {
			if knownDevices[d.Name] && !told[d.Name] && d.State != "absent" {
				told[d.Name] = true
				e.add("terminal_device_ready", oneIf(d.State == "ready"), "terminal", t.Name, "device", d.Name)
			}
		}
	}
	return nil
}
