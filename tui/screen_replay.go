package tui

import (
	"context"
	"fmt"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// replay is a sale's screens, one after another as its journal tells them.
type replay struct {
	moments []register.Moment
	at      int
}

// toReplay reads what happened to the chosen sale.
func (m *model) toReplay() tea.Cmd {
	s, ok := m.sales.chosen()
	if !ok {
		return nil
	}
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		moments, err := readReplay(ctx, m.o.Terminal, s.ID())
		if err != nil {
			return failed{"read sale", err}
		}
		return replayRead{moments}
	})
}

func readReplay(ctx context.Context, t Terminal, id protocol.SaleID) ([]register.Moment, error) {
	happened, err := t.Replay(ctx, id)
	if err != nil {
		return nil, err
	}
	sale, err := t.Sale(ctx, id)
	if err != nil {
		return nil, err
	}
	quotes := map[protocol.QuoteID]*protocol.Quote{}
	for _, d := range sale.Tenders {
		if d.Quote == "" {
			continue
		}
		q, err := t.QuoteOf(ctx, d.Quote)
		if err != nil {
			return nil, fmt.Errorf("read quote: %w", err)
		}
		quotes[d.Quote] = &q
	}
	return momentsOf(happened, quotes), nil
}

func momentsOf(happened []terminal.Happened, quotes map[protocol.QuoteID]*protocol.Quote) []register.Moment {
	var r register.Replay
	for _, h := range happened {
		switch {
		case h.Entry != nil:
			r.Entry(*h.Entry, quotes)
		case h.Alert != nil:
			r.Alert(*h.Alert)
		}
	}
	return r.Moments
}

// replayRead is what was read.
type replayRead struct{ moments []register.Moment }

func (r replayRead) apply(m *model) tea.Cmd {
	if len(r.moments) == 0 {
		m.say(widget.Warn, m.w.NoSales)
		return nil
	}
	m.sales.replay = &replay{moments: r.moments}
	return nil
}

// replaying tells whether a sale's screens are shown again.
func replaying(m *model) bool { return m.sales.replay != nil }

// step goes forward or back; past the end it stays.
func (r *replay) step(by int) { r.at = min(max(r.at+by, 0), len(r.moments)-1) }

// replayView draws the screen of the moment under a line that says which one it is.
func (m *model) replayView(f *widget.Frame, body widget.Area) widget.Block {
	r := m.sales.replay
	now := r.moments[r.at]
	var flags []protocol.Flag
	if s := now.Sale.Status; s != nil {
		flags = s.Flags
	}
	head := widget.Line{
		widget.Strong.Say("  " + strconv.Itoa(r.at+1) + " / " + strconv.Itoa(len(r.moments)) + "  "),
		widget.Quiet.Say(m.w.moment(m.local(now.At)) + "  "), widget.Text.Say(m.w.stateWords(now.Sale.State(), flags)),
	}
	then := *m
	then.reg, then.now = m.reg.Showing(now), now.At.Time()
	then.facts.health.Online, then.facts.health.OfflineSince = true, 0
	area := widget.Area{W: body.W, H: max(0, body.H-1)}
	var screen widget.Block
	switch {
	case now.Phase == register.Settled:
		screen = then.resultView(area)
	case now.Phase == register.Waiting && !m.narrow():
		screen = then.waitingView(area)
	default:
		screen = then.saleDetail(saleThen(now), area)
	}
	return widget.Stacked(widget.Lines(head.Trunc(body.W)), screen)
}

// narrow: codes stand alone there, with no words beside them.
func (m *model) narrow() bool { return m.size.W < 80 || m.size.H < 24 }

// saleThen is the sale as it was known at the moment.
func saleThen(now register.Moment) terminal.Sale {
	s := terminal.Sale{Opening: now.Sale.Opening, Opened: now.At, Said: terminal.SaidOpen, Status: now.Sale.Status}
	for _, t := range now.Sale.Tenders {
		s.Tenders = append(s.Tenders, terminal.Tender{TenderAdded: t.TenderAdded, Added: t.At, Contract: t.Contract, Deposit: t.Deposit})
	}
	return s
}
