package server

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"time"

	"till/protocol"
)

// How often the rate is looked at, and how old a quote may grow before the next.
const (
	rateEvery  = 5 * time.Second
	quoteEvery = time.Minute
)

// quoteDesk holds the quote that is given out now.
type quoteDesk struct {
	mu    sync.Mutex
	quote *protocol.Quote
	rate  protocol.Rate // before spread
	none  string        // the reason terminals were told why there is none, "" there is one
}

// errSpread: the spread leaves no price.
var errSpread = errors.New("the spread leaves no price")

// spread moves a rate by basis points: down for buying, rounded down; up for
// selling, rounded up. Both are in the shop's favour.
func spread(rate protocol.Rate, bp int64, up bool) (protocol.Rate, error) {
	factor := 10000 - bp
	if up {
		factor = 10000 + bp
	}
	if !rate.Valid() || factor <= 0 {
		return 0, errSpread
	}
	hi, lo := bits.Mul64(uint64(rate), uint64(factor))
	if up {
		var carry uint64
		lo, carry = bits.Add64(lo, 9999, 0)
		hi += carry
	}
	if hi >= 10000 {
		return 0, errSpread
	}
	q, _ := bits.Div64(hi, lo, 10000)
	if q > protocol.MaxMinor || !protocol.Rate(q).Valid() {
		return 0, errSpread
	}
	return protocol.Rate(q), nil
}

// quoteFor puts the present quote, or why there is none, into an answer.
func (s *Server) quoteFor(ctx context.Context, r *protocol.CheckInResult) error {
	price, none := s.o.Rates.Current(r.Time)
	if none != nil {
		r.NoQuote = none
		return nil
	}
	s.quoted.mu.Lock()
	defer s.quoted.mu.Unlock()
	q := s.quoted.quote
	if q != nil && !s.fellows.watching.Load() && r.Time.Sub(q.At) >= 2*quoteEvery {
		q = nil // no news of the watcher's
	}
	if q == nil && !s.fellows.watching.Load() {
		var err error
		if q, err = s.latestQuote(ctx, price.Currency, r.Time); err != nil {
			return err
		}
		s.quoted.quote = q
	}
	if q == nil || !q.Covers(r.Time) {
		// The minute's refresh is late (a start, a jump of the clock).
		var err error
		if q, err = s.makeQuote(ctx, price, r.Time); err != nil {
			return err
		}
	}
	r.Quotes = append(r.Quotes, *q)
	return nil
}

// forget has the quote read again: another process made a later one.
func (d *quoteDesk) forget() {
	d.mu.Lock()
	d.quote = nil
	d.mu.Unlock()
}

// latestQuote gives the last one stored when it still holds for long enough to be
// given out, else nil.
func (s *Server) latestQuote(ctx context.Context, c protocol.Currency, now protocol.Time) (q *protocol.Quote, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		q, err = tx.Quotes.Latest(c)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound), err == nil && (q.At > now || now.Sub(q.At) >= 2*quoteEvery || !q.Covers(now)):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read quote: %w", err)
	}
	return q, nil
}

// presentQuote is the quote that is given out now, nil when there is none.
func (s *Server) presentQuote() *protocol.Quote {
	s.quoted.mu.Lock()
	defer s.quoted.mu.Unlock()
	return s.quoted.quote
}

// makeQuote signs and stores a quote; quoted.mu is held.
func (s *Server) makeQuote(ctx context.Context, price Price, now protocol.Time) (*protocol.Quote, error) {
	id, err := protocol.NewID(now.Time(), s.o.Random)
	if err != nil {
		return nil, fmt.Errorf("make quote: %w", err)
	}
	q := &protocol.Quote{
		ID: protocol.QuoteID(id), Key: quoteKeyID, Currency: price.Currency, Sources: price.Sources,
		At: now, Until: now.Add(s.rules().QuoteLifetime),
	}
	if q.Buy, err = spread(price.Rate, s.rules().BuySpreadBP, false); err != nil {
		return nil, fmt.Errorf("make quote: %w", err)
	}
	if q.Sell, err = spread(price.Rate, s.rules().SellSpreadBP, true); err != nil {
		return nil, fmt.Errorf("make quote: %w", err)
	}
	if q.Sources == nil {
		q.Sources = []protocol.Source{}
	}
	if err := q.Sign(s.quoteKey); err != nil {
		return nil, fmt.Errorf("make quote: %w", err)
	}
	if err := s.write(ctx, func(w *work) error {
		w.tells.set(newsQuote)
		return w.Quotes.Insert(q)
	}); err != nil {
		return nil, fmt.Errorf("store quote: %w", err)
	}
	s.quoted.quote, s.quoted.rate = q, price.Rate
	return q, nil
}

// Requote takes the present rate at once instead of at the next look. It does
// nothing where the quote given out is young and the rate the same.
func (s *Server) Requote(ctx context.Context) error {
	s.quoted.mu.Lock()
	defer s.quoted.mu.Unlock()
	now := s.o.Clock()
	price, none := s.o.Rates.Current(now)
	if none != nil {
		s.quoted.quote = nil
		return s.tellQuote(ctx, protocol.AlertRateStale, none.Reason, protocol.Notice{Reason: none.Reason, Message: none.Message, Since: none.Since})
	}
	if q := s.quoted.quote; q == nil || price.Rate != s.quoted.rate || now.Sub(q.At) >= quoteEvery || q.At > now {
		if _, err := s.makeQuote(ctx, price, now); err != nil {
			return err
		}
	}
	return s.tellQuote(ctx, protocol.AlertQuote, "", protocol.Notice{Reason: "quote", Message: "there is a price again", Since: now})
}

// tellQuote tells every terminal when quotes stop or come back; quoted.mu is held.
func (s *Server) tellQuote(ctx context.Context, kind protocol.AlertKind, none string, n protocol.Notice) error {
	if s.quoted.none == none {
		return nil
	}
	ring(s.guard.bell)
	err := s.write(ctx, func(w *work) error { return w.alertAll(kind, n) })
	if err != nil {
		return fmt.Errorf("tell %s: %w", kind, err)
	}
	s.quoted.none = none
	return nil
}

// refreshQuotes gives a new quote each minute and whenever the rate changes.
func (s *Server) refreshQuotes(ctx context.Context) {
	for {
		if err := s.Requote(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "no quote made", "error", err)
		}
		if !s.sleep(ctx, s.o.Clock().Add(rateEvery), nil) {
			return
		}
	}
}
