package rates

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"till/protocol"
	"till/server"
)

const (
	askEvery    = time.Minute
	askDeadline = 3 * time.Second
)

// BoardConfig says whom to ask and what to believe.
type BoardConfig struct {
	Currency   protocol.Currency
	Sources    []Source // names must differ
	MaxAge     time.Duration
	MinSources int
	MaxJumpBP  int64 // hundredths of a percent
	Now        func() protocol.Time
	Log        *slog.Logger
}

// Board is the [server.Rates] of a shop with real prices. Safe for concurrent
// use.
type Board struct {
	config BoardConfig
	start  protocol.Time

	mu     sync.Mutex
	latest map[string]protocol.Source // by name: the youngest answer of each
	failed map[string]error           // by name: why the last question had none
	guard  guard
}

var _ server.Rates = (*Board)(nil)

// NewBoard checks the configuration; nobody is asked before [Board.Run].
func NewBoard(cfg BoardConfig) (*Board, error) {
	names := map[string]bool{}
	for _, s := range cfg.Sources {
		if names[s.Name()] {
			return nil, fmt.Errorf("rates: source %s is listed twice", s.Name())
		}
		names[s.Name()] = true
	}
	switch {
	case !cfg.Currency.Valid() || cfg.Now == nil || cfg.Log == nil:
		return nil, errors.New("rates: currency, clock and log are needed")
	case cfg.MinSources < 1 || cfg.MinSources > len(cfg.Sources):
		return nil, fmt.Errorf("rates: %d sources are required and %d are listed", cfg.MinSources, len(cfg.Sources))
	case cfg.MaxAge <= 0 || cfg.MaxJumpBP <= 0:
		return nil, errors.New("rates: age and jump must be above 0")
	}
	return &Board{
		config: cfg, start: cfg.Now(), guard: guard{limit: cfg.MaxJumpBP},
		latest: map[string]protocol.Source{}, failed: map[string]error{},
	}, nil
}

// Run asks all sources now and then each minute until ctx ends; it returns ctx's
// error.
func (b *Board) Run(ctx context.Context) error {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		b.Ask(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Ask asks all sources once, at the same time, and waits at most 3 s.
func (b *Board) Ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askDeadline)
	defer cancel()
	var wg sync.WaitGroup
	for _, source := range b.config.Sources {
		wg.Go(func() {
			reading, err := source.Ask(ctx)
			if err == nil && !reading.Rate.Valid() {
				err = fmt.Errorf("ask %s: %w: %d", source.Name(), errPrice, reading.Rate)
			}
			b.take(source.Name(), reading, err)
		})
	}
	wg.Wait()
	b.Current(b.config.Now()) // shows the guard each minute's price, asked for or not
}

func (b *Board) take(name string, r Reading, err error) {
	now := b.config.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[name] = err
	if err != nil {
		b.config.Log.Warn("rate source failed", "source", name, "error", err)
		return
	}
	at := min(cmp.Or(r.At, now), now) // a source's clock may run ahead
	if at >= b.latest[name].At {
		b.latest[name] = protocol.Source{Name: name, Rate: r.Rate, At: at}
	}
}

// Current implements [server.Rates].
func (b *Board) Current(now protocol.Time) (server.Price, *protocol.NoQuote) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := make([]protocol.Source, 0, len(b.latest))
	for _, s := range b.latest {
		known = append(known, s)
	}
	slices.SortFunc(known, func(x, y protocol.Source) int {
		return cmp.Or(cmp.Compare(y.At, x.At), cmp.Compare(x.Name, y.Name)) // youngest first
	})
	if len(known) < b.config.MinSources {
		return none("rate_missing", b.start, "too few sources give the price of a bitcoin (%d of %d); check the connection to the internet", len(known), b.config.MinSources)
	}
	if end := known[b.config.MinSources-1].At.Add(b.config.MaxAge); now > end {
		return none("rate_stale", end, "the price of a bitcoin is older than %s; wait until its sources answer again", b.config.MaxAge)
	}
	usable := slices.DeleteFunc(known, func(s protocol.Source) bool { return now > s.At.Add(b.config.MaxAge) })
	rate := median(usable)
	if since, ok := b.guard.admit(now, rate); !ok {
		return none("rate_jump", since, "the price of a bitcoin jumped by more than %d.%02d %%; quotes return when it has settled for ten minutes", b.config.MaxJumpBP/100, b.config.MaxJumpBP%100)
	}
	slices.SortFunc(usable, func(x, y protocol.Source) int { return cmp.Compare(x.Name, y.Name) })
	return server.Price{Currency: b.config.Currency, Rate: rate, Sources: usable}, nil
}

func none(reason string, since protocol.Time, format string, args ...any) (server.Price, *protocol.NoQuote) {
	return server.Price{}, &protocol.NoQuote{Reason: reason, Message: fmt.Sprintf(format, args...), Since: since}
}

// median of at least one source; of an even number the mean of the middle two,
// rounded down.
func median(sources []protocol.Source) protocol.Rate {
	rates := make([]protocol.Rate, 0, len(sources))
	for _, s := range sources {
		rates = append(rates, s.Rate)
	}
	slices.Sort(rates)
	low, high := rates[(len(rates)-1)/2], rates[len(rates)/2]
	return low + (high-low)/2
}

// Health is how a source stands, for the doctor.
type Health struct {
	Name string
	Last *protocol.Source // nil before the first answer
	Err  error            // of the last question
}

// Health tells of every source in the order of the configuration.
func (b *Board) Health() []Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Health, 0, len(b.config.Sources))
	for _, s := range b.config.Sources {
		h := Health{Name: s.Name(), Err: b.failed[s.Name()]}
		if last, ok := b.latest[s.Name()]; ok {
			h.Last = &last
		}
		all = append(all, h)
	}
	return all
}
