package rates

import (
	"sync"

	"till/protocol"
	"till/server"
)

// Fixed is a [server.Rates] whose price somebody sets: the owner in the
// configuration, or the practice world while it runs. Safe for concurrent use.
type Fixed struct {
	mu    sync.Mutex
	price server.Price
	none  *protocol.NoQuote
	now   func() protocol.Time
}

var _ server.Rates = (*Fixed)(nil)

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
