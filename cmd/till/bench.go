package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/crowd"
	"till/protocol"
	"till/server"
)

// load is what `till bench` puts on a server.
type load struct {
	terminals  int
	name       string
	last       time.Duration
	ramp       time.Duration
	wait       time.Duration
	sellers    float64
	saleEvery  time.Duration
	coins      float64
	http1      bool
	at         []string
	control    string
	identities string
	realShop   bool
}

// Times of a load.
const (
	settle     = time.Minute // for what is left to send at the end
	enrolTime  = 2 * time.Minute
	enrolAtOne = 16  // more from one address would be refused
	spareFiles = 100 // beside the connections
)

func (p *program) bench() *cobra.Command {
	var l load
	c := &cobra.Command{
		Use: "bench", Short: "Put simulated terminals on a server and measure it", Args: cobra.NoArgs,
		Long: "Pairs simulated terminals with the server of the data directory, lets them check in\n" +
			"and sell, and tells latencies, errors and the server's memory. For practice shops:\n" +
			"the terminals and their sales stay in the server's books.",
		RunE: func(c *cobra.Command, _ []string) error { return p.runBench(c.Context(), l) },
	}
	f := c.Flags()
	f.IntVar(&l.terminals, "terminals", 100, "how many")
	f.StringVar(&l.name, "name", "bench", "what their names begin with")
	f.DurationVar(&l.last, "for", time.Minute, "how long")
	f.DurationVar(&l.ramp, "ramp", 10*time.Second, "in which all begin")
	f.DurationVar(&l.wait, "wait", 25*time.Second, "that check-ins may be held, at most 30s; 0 polls as the server says")
	f.Float64Var(&l.sellers, "sellers", 0.01, "share of terminals that sell")
	f.DurationVar(&l.saleEvery, "sale-every", time.Minute, "mean time between the sales of one")
	f.Float64Var(&l.coins, "bitcoin", 0.5, "share of sales paid in bitcoin; needs --control")
	f.BoolVar(&l.http1, "http1", false, "HTTP/1.1 instead of HTTP/2")
	f.StringSliceVar(&l.at, "at", nil, "HOST:PORT to call in turn (default that of the pairing links)")
	f.StringVar(&l.control, "control", "", "HOST:PORT of the practice control listener, where customers pay")
	f.StringVar(&l.identities, "identities", "", "file to keep the terminals in for another run")
	f.BoolVar(&l.realShop, "real-shop", false, "the server's books are real and that is meant")
	return c
}

// benchReport is what `till bench --json` prints.
type benchReport struct {
	crowd.Report
	Enrolled  int           `json:"enrolled"`
	EnrolSecs float64       `json:"enrol_s"`
	Lost      []string      `json:"lost"`             // journals that differ: must be empty
	Server    *serverMemory `json:"server,omitempty"` // on this machine only
}

// serverMemory is the resident memory of the server's process.
type serverMemory struct {
	PID         int   `json:"pid"`
	Before      int64 `json:"before_kib"`
	Held        int64 `json:"held_kib"`
	PerTerminal int64 `json:"per_terminal_bytes"`
}

func (p *program) runBench(ctx context.Context, l load) error {
	dir, practice := p.serverDir()
	switch {
	case !practice && !l.realShop:
		return &failure{exitRefused, errors.New("bench: this is not a practice shop: its books would be full of simulated sales"), "start till serve --practice with another --data, or say --real-shop"}
	case l.terminals < 1 || l.wait < 0 || l.wait > 30*time.Second || l.sellers < 0 || l.sellers > 1 || l.coins < 0 || l.coins > 1 || l.saleEvery <= 0 || l.last <= 0:
		return usage("till help bench", "bench: a number is out of range")
	}
	if err := enoughFiles(l.terminals); err != nil {
		return err
	}
	report := benchReport{}
	identities, err := p.benchIdentities(ctx, l, &report)
	if err != nil {
		return err
	}
	targets := l.at
	if len(targets) == 0 {
		targets = []string{identities[0].Host}
	}
	o := crowd.Options{
		Identities: identities, Now: time.Now, Random: rand.Reader, Seed: uint64(l.terminals), Dial: crowd.Sources(targets), HTTP1: l.http1,
		Wait: l.wait, Ramp: l.ramp, Sellers: l.sellers, SaleEvery: l.saleEvery, Coins: l.coins,
	}
	if l.control != "" {
		o.Pay = customerAt(l.control)
	}
	many, err := crowd.New(o)
	if err != nil {
		return fail("bench", err)
	}
	memory := serverProcess(dir)
	began := time.Now()
	running, cancel := context.WithTimeout(ctx, l.last)
	defer cancel()
	last, end := context.WithTimeout(context.WithoutCancel(ctx), l.last+settle)
	defer end()
	go p.progress(running, many.Tally(), began)
	go memory.watch(running, l.terminals)
	many.Run(running, last)
	report.Report = many.Tally().Report(time.Since(began))
	report.Server = memory.told()
	report.Lost, err = p.verifyBench(ctx, many)
	if err != nil {
		return err
	}
	if l.identities != "" {
		if err := keepIdentities(l.identities, many); err != nil {
			return fail("bench", err)
		}
	}
	if err := p.print(report, func() { p.sayBench(report) }); err != nil {
		return err
	}
	if len(report.Broken)+len(report.Lost) > 0 {
		return &failure{code: exitNo}
	}
	return nil
}

// enoughFiles tells when the process may not open a connection for each.
func enoughFiles(terminals int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil
	}
	if uint64(terminals+spareFiles) > limit.Max {
		return &failure{exitRefused, fmt.Errorf("bench: this process may open %d files, too few for %d terminals", limit.Max, terminals),
			"raise the limit (ulimit -Hn), or run several with different --name"}
	}
	return nil
}

// benchIdentities reads the terminals of an earlier run and pairs those that lack.
func (p *program) benchIdentities(ctx context.Context, l load, report *benchReport) ([]crowd.Identity, error) {
	var all []crowd.Identity
	if l.identities != "" {
		text, err := os.ReadFile(l.identities)
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fail("read terminals of an earlier run", err)
		}
	}
	if len(all) >= l.terminals {
		return all[:l.terminals], nil
	}
	// Who was paired and is not known any more keeps its name.
	began, run := time.Now(), time.Now().UTC().Format("0102150405")
	have := len(all)
	all = append(all, make([]crowd.Identity, l.terminals-have)...)
	errs := make(chan error, enrolAtOne)
	next := make(chan int)
	var pairing sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range enrolAtOne {
		pairing.Go(func() {
			for i := range next {
				who, err := p.pairSimulated(ctx, fmt.Sprintf("%s-%s-%d", l.name, run, i), l.at)
				if err != nil {
					errs <- err
					cancel()
					return
				}
				all[i] = *who
			}
		})
	}
feed:
	for i := have; i < l.terminals; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	pairing.Wait()
	select {
	case err := <-errs:
		return nil, fail("pair simulated terminals", err)
	default:
	}
	report.Enrolled, report.EnrolSecs = l.terminals-have, time.Since(began).Seconds()
	return all, ctx.Err()
}

func (p *program) pairSimulated(ctx context.Context, name string, at []string) (*crowd.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, enrolTime)
	defer cancel()
	var invitation server.Invitation
	if err := p.ask(ctx, "terminal.add", boot.Named{Name: name}, &invitation); err != nil {
		return nil, err
	}
	link, err := protocol.ParseLink(invitation.Link)
	if err != nil {
		return nil, err
	}
	if len(at) == 0 {
		at = []string{link.Host}
	}
	return crowd.Enrol(ctx, link, name, crowd.Sources(at), time.Now)
}

// customerAt pays through the practice control listener.
func customerAt(address string) func(context.Context, string, protocol.Sat) error {
	client := &http.Client{Timeout: 30 * time.Second}
	return func(ctx context.Context, to string, amount protocol.Sat) error {
		body, err := json.Marshal(map[string]any{"address": to, "amount_sat": amount})
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/pay", bytes.NewReader(body))
		if err != nil {
			return err
		}
		answer, err := client.Do(r)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		if err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("pay: %s %s %w", answer.Status, text, err)
		}
		return nil
	}
}

// verifyBench compares what each terminal wrote with what the server has.
func (p *program) verifyBench(ctx context.Context, many *crowd.Crowd) ([]string, error) {
	var lines []boot.TerminalLine
	if err := p.ask(ctx, "terminal.list", struct{}{}, &lines); err != nil {
		return nil, fail("bench: list terminals", err)
	}
	has := map[protocol.TerminalID]int64{}
	for _, line := range lines {
		has[line.ID] = line.Journal
	}
	lost := []string{}
	for _, t := range many.Terminals() {
		who, sent := t.Identity()
		if sent && has[who.ID] != who.Head.Seq || has[who.ID] > who.Head.Seq {
			lost = append(lost, fmt.Sprintf("%s wrote %d entries and the server has %d", who.Name, who.Head.Seq, has[who.ID]))
		}
	}
	return lost, nil
}

func keepIdentities(path string, many *crowd.Crowd) error {
	var all []crowd.Identity
	for _, t := range many.Terminals() {
		if who, sent := t.Identity(); sent {
			all = append(all, who)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// progress says now and then how it goes, unless JSON is asked for.
func (p *program) progress(ctx context.Context, tally *crowd.Tally, began time.Time) {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for !p.json {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r := tally.Report(time.Since(began))
			p.say("%4.0f s  %d check-ins  %d sales  %d cut off  %d against the protocol\n", r.Seconds, r.CheckIns, r.Sales, r.Offline, len(r.Broken))
		}
	}
}

func (p *program) sayBench(r benchReport) {
	p.say("%d terminals for %.0f s: %d check-ins, %.0f a second; %d sales, %d of them in bitcoin\n", r.Terminals, r.Seconds, r.CheckIns, r.PerSecond, r.Sales, r.Coins)
	if r.Enrolled > 0 {
		p.say("%d paired in %.0f s\n", r.Enrolled, r.EnrolSecs)
	}
	p.say("%-28s %10s %9s %9s %9s %9s %9s\n", "milliseconds", "count", "p50", "p90", "p99", "p99.9", "max")
	for _, line := range []struct {
		what string
		s    crowd.Summary
	}{{"check-in", r.CheckIn}, {"held check-in, beyond it", r.Held}, {"check-in with entries", r.Stored}, {"address", r.Address}, {"paid to told", r.Paid}} {
		p.say("%-28s %10d %9.1f %9.1f %9.1f %9.1f %9.1f\n", line.what, line.s.Count, line.s.P50, line.s.P90, line.s.P99, line.s.P999, line.s.Max)
	}
	if m := r.Server; m != nil {
		p.say("server %d: %d KiB before, %d KiB with all there: %d bytes a terminal\n", m.PID, m.Before, m.Held, m.PerTerminal)
	}
	for _, word := range slices.Sorted(maps.Keys(r.Healed)) {
		p.say("healed by a retry: %s %d\n", word, r.Healed[word])
	}
	for _, o := range r.Outages {
		p.say("cut off: the first was back after %.1f s, all %.1f s later\n", o.FirstBack, o.AllBack)
	}
	for _, text := range append(r.Broken, r.Lost...) {
		p.say("WRONG: %s\n", text)
	}
}

// memoryWatch reads the resident memory of a process of this machine.
type memoryWatch struct {
	mu   sync.Mutex
	seen *serverMemory // nil: not to be found
}

func serverProcess(dir string) *memoryWatch {
	text, err := os.ReadFile(filepath.Join(dir, "till.lock"))
	m := &serverMemory{}
	if err == nil {
		_, err = fmt.Sscan(string(text), &m.PID)
	}
	if m.Before = rssOf(m.PID); err != nil || m.Before == 0 {
		return &memoryWatch{}
	}
	return &memoryWatch{seen: m}
}

// watch keeps the most there was until ctx ends.
func (w *memoryWatch) watch(ctx context.Context, terminals int) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for w.seen != nil {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := rssOf(w.seen.PID)
			w.mu.Lock()
			w.seen.Held = max(w.seen.Held, now)
			w.seen.PerTerminal = (w.seen.Held - w.seen.Before) << 10 / int64(terminals)
			w.mu.Unlock()
		}
	}
}

func (w *memoryWatch) told() *serverMemory {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		return nil
	}
	m := *w.seen
	return &m
}

// rssOf gives VmRSS of proc(5) in KiB, 0 where it cannot be told.
func rssOf(pid int) (kib int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			_, _ = fmt.Sscan(rest, &kib)
		}
	}
	return kib
}
