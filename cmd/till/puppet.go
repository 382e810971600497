package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui"
)

// puppet lets the stage of a story look into this process: what screen is shown,
// what an action would do, how far the input has been handled. It is a socket in
// the story's own directory and exists for practice only.
type puppet struct {
	app      *tui.App
	hand     func() time.Duration // the stopwatch of the program's keys
	terminal *terminal.Terminal
	clock    *boot.Clock
	cables   []interface{ Cut(bool) } // to the server
	openCase func() error

	mu     sync.Mutex
	shop   *boot.Server // nil until the server is open
	marks  int
	marked chan struct{} // closed and renewed when marks grows
}

func newPuppet(app *tui.App, hand func() time.Duration, t *terminal.Terminal, clock *boot.Clock, line *boot.Line, cable *boot.Cable) *puppet {
	return &puppet{app: app, hand: hand, terminal: t, clock: clock, cables: []interface{ Cut(bool) }{line, cable}, marked: make(chan struct{})}
}

// cut takes the server away, or gives it back.
func (p *puppet) cut(off bool) (any, error) {
	for _, c := range p.cables {
		c.Cut(off)
	}
	return nil, nil
}

// advance pushes this process's clock forward, by seconds.
func (p *puppet) advance(r *http.Request) (any, error) {
	s, err := strconv.ParseInt(r.FormValue("s"), 10, 64)
	if err != nil {
		return nil, err
	}
	p.clock.Advance(time.Duration(s) * time.Second)
	return nil, nil
}

// drawer is what should lie in the drawer.
func (p *puppet) drawer(ctx context.Context) (protocol.Money, error) {
	r, err := p.terminal.Reading(ctx)
	return r.Drawer.Expected, err
}

// markPrefix begins the terminal versions that a story sends behind its keys.
const markPrefix = "till story "

// line takes the marks out of the lines of a program that is said.
func (p *puppet) line(text string) (tea.Msg, bool) {
	name, mark := strings.CutPrefix(text, "\x1bP>|")
	return tea.TerminalVersionMsg{Name: strings.TrimSuffix(name, "\x1b\\")}, mark
}

// filter takes the marks of a story out of the input.
func (p *puppet) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	version, ok := msg.(tea.TerminalVersionMsg)
	if !ok {
		return msg
	}
	digits, ours := strings.CutPrefix(version.Name, markPrefix)
	n, err := strconv.Atoi(digits)
	if !ours || err != nil {
		return msg
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks = n
	close(p.marked)
	p.marked = make(chan struct{})
	return nil
}

// serve answers on the socket until ctx ends.
func (p *puppet) serve(ctx context.Context, path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("open puppet socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	mux := http.NewServeMux()
	answer := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			result, err := f(r)
			if err != nil {
				w.WriteHeader(http.StatusConflict)
				result = map[string]string{"error": err.Error()}
			}
			_ = json.NewEncoder(w).Encode(result) // the stage may have left
		})
	}
	answer("/ready", func(*http.Request) (any, error) { return p.ready(), nil })
	answer("/screen", func(*http.Request) (any, error) { return p.app.Seen().Screen, nil })
	answer("/spoken", func(*http.Request) (any, error) { return p.app.Seen().Spoken, nil })
	answer("/action", func(r *http.Request) (any, error) { return p.action(r.FormValue("name")), nil })
	answer("/mark", p.mark)
	answer("/sale", func(r *http.Request) (any, error) { return p.sale(r.Context()) })
	answer("/bill", func(r *http.Request) (any, error) { return p.bill(r.Context()) })
	answer("/alerts", func(*http.Request) (any, error) { return p.app.Seen().Alerts, nil })
	answer("/wallet", func(r *http.Request) (any, error) { return p.wallet(r.Context()) })
	answer("/tamper", func(*http.Request) (any, error) { return nil, p.openCase() })
	answer("/drawer", func(r *http.Request) (any, error) { return p.drawer(r.Context()) })
	answer("/advance", p.advance)
	answer("/cut", func(*http.Request) (any, error) { return p.cut(true) })
	answer("/mend", func(*http.Request) (any, error) { return p.cut(false) })
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	go func() { _ = s.Serve(l) }()
	return nil
}

// ready reports whether it draws and the shop is open: what came with an earlier
// start is enough, at the first one the goods and a price are waited for too.
func (p *puppet) ready() bool {
	config, configured := p.terminal.Config()
	goods := p.terminal.Catalogue().Version == config.CatalogueVersion
	h := p.terminal.Health()
	priced := h.QuoteAt != 0 || h.NoQuote != nil
	return p.app.Seen().Screen != "" && configured && goods && h.Addresses > 0 && priced
}

// mark waits until the input has been handled beyond the mark `after`, at most
// some seconds, and tells how far.
func (p *puppet) mark(r *http.Request) (any, error) {
	after, err := strconv.Atoi(r.FormValue("after"))
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(10 * time.Second)
	defer patience.Stop()
	for {
		p.mu.Lock()
		marks, marked := p.marks, p.marked
		p.mu.Unlock()
		if marks > after {
			return marks, nil
		}
		select {
		case <-marked:
		case <-patience.C:
			return marks, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func (p *puppet) action(name string) story.Action {
	seen := p.app.Seen()
	o, offered := seen.Offer(tui.Action(name))
	switch {
	case !offered:
		return story.Action{}
	case o.Why == "" && seen.Still > p.hand():
		return story.Action{Key: o.Key, Why: "the dialog waits until the hand is still"}
	}
	return story.Action{Key: o.Key, Enabled: o.Why == "", Why: o.Why}
}

// sale is the sale on the screen, else the last one.
func (p *puppet) sale(ctx context.Context) (story.Sale, error) {
	var known terminal.Sale
	now := p.app.Seen()
	if now.Sale == nil && now.Screen == "pay" {
		return story.Sale{}, nil // it is being written
	}
	if seen := now.Sale; seen != nil {
		var err error
		if known, err = p.terminal.Sale(ctx, protocol.SaleID(seen.ID)); err != nil {
			return story.Sale{}, err
		}
	} else {
		last, err := p.terminal.Sales(ctx, terminal.SaleFilter{Most: 1})
		if err != nil || len(last) == 0 {
			return story.Sale{}, err
		}
		known = last[0]
	}
	return p.told(ctx, known)
}

func (p *puppet) told(ctx context.Context, known terminal.Sale) (story.Sale, error) {
	sale := story.Sale{State: protocol.SaleOpen, Currency: known.Opening.Total.Currency}
	if s := known.Status; s != nil {
		sale.State, sale.Flags, sale.Due, sale.Received = s.State, s.Flags, s.DueSat, s.ReceivedSat
		if n := len(s.TxIDs); n > 0 {
			sale.TxID = s.TxIDs[n-1]
		}
	}
	for _, t := range known.Tenders {
		if t.Kind != protocol.TenderBitcoin || t.Removed {
			continue
		}
		sale.Address = t.Address
		told := known.Status != nil && slices.ContainsFunc(known.Status.Tenders, func(of protocol.TenderStatus) bool { return of.Tender == t.Tender })
		if !told { // the server's last word is from before it
			sale.Due += t.DueSat
		}
		q, err := p.terminal.QuoteOf(ctx, t.Quote)
		if err != nil {
			return story.Sale{}, err
		}
		sale.Rate = q.Buy
	}
	return sale, nil
}

// bill is the e-cash bill on the screen, nil where there is none yet.
func (p *puppet) bill(ctx context.Context) (*bill, error) {
	seen := p.app.Seen().Sale
	if seen == nil {
		return nil, nil
	}
	known, err := p.terminal.Sale(ctx, protocol.SaleID(seen.ID))
	if err != nil {
		return nil, err
	}
	for _, t := range known.Tabs {
		if t.Contract != nil {
			return &bill{t.Contract.URL, t.MaxAmount}, nil
		}
	}
	for _, t := range known.Tenders {
		if !t.Removed && t.Contract != nil {
			return &bill{t.Contract.URL, t.Amount}, nil
		}
	}
	return nil, nil
}

func (p *puppet) open(s *boot.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shop = s
}

func (p *puppet) wallet(ctx context.Context) (protocol.Sat, error) {
	p.mu.Lock()
	shop := p.shop
	p.mu.Unlock()
	if shop == nil {
		return 0, fmt.Errorf("the server is not open yet")
	}
	return shop.Balance(ctx)
}
