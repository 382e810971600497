package rates

import (
	"context"
	"errors"
	"sync"

	"till/protocol"
	"till/server"
)

// Fixed is a price that somebody sets: the owner in the configuration, as one
// [Source] of a [Board], or the practice world while it runs, as [server.Rates] by
// itself, without a jump guard. Safe for concurrent use.
type Fixed struct {
	mu    sync.Mutex
	price server.Price
	none  *protocol.NoQuote
	now   func() protocol.Time
}

var (
	_ server.Rates = (*Fixed)(nil)
	_ Source       = (*Fixed)(nil)
)

// NewFixed makes a source with a price.
func NewFixed(currency protocol.Currency, rate protocol.Rate, now func() protocol.Time) *Fixed {
	return &Fixed{price: server.Price{Currency: currency, Rate: rate}, now: now}
}

// Set changes the price; a foreign currency or an unusable rate is invalid_params.
func (f *Fixed) Set(currency protocol.Currency, rate protocol.Rate) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if currency != f.price.Currency {
		return protocol.Errorf(protocol.CodeInvalidParams, "the shop's currency is %s", f.price.Currency)
	}
	if !rate.Valid() {
		return protocol.Errorf(protocol.CodeInvalidParams, "the rate must be positive")
	}
	f.price.Rate, f.none = rate, nil
	return nil
}

// Remove takes the price away until it is set again.
func (f *Fixed) Remove() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.none == nil {
		f.none = &protocol.NoQuote{Reason: "rate_missing", Message: "no source gives the price of a bitcoin", Since: f.now()}
	}
}

// Current gives the price as it stands.
func (f *Fixed) Current(now protocol.Time) (server.Price, *protocol.NoQuote) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.none != nil {
		none := *f.none
		return server.Price{}, &none
	}
	p := f.price
	p.Sources = []protocol.Source{{Name: "fixed", Rate: p.Rate, At: now}}
	return p, nil
}

// Name implements [Source].
func (f *Fixed) Name() string { return "fixed" }

// Ask implements [Source].
func (f *Fixed) Ask(ctx context.Context) (Reading, error) {
	price, none := f.Current(f.now())
	if none != nil {
		return Reading{}, errors.New("ask fixed: " + none.Message)
	}
	return Reading{Rate: price.Rate}, ctx.Err()
}
