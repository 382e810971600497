package terminal

import (
	"context"
	"fmt"
	"time"

	"till/protocol"
)

// keepQuotes is how long a price that no tender uses is kept after its end.
const keepQuotes = 24 * time.Hour

// Quote gives the newest price in the shop's currency that holds now, signed by
// the server; false when there is none, and Health tells why.
func (t *Terminal) Quote(now time.Time) (protocol.Quote, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.config == nil || t.health.NoQuote != nil || t.health.Suspended != nil {
		return protocol.Quote{}, false
	}
	q, held := t.quotes[t.config.Currency]
	return q, held && q.Covers(protocol.TimeOf(now))
}

// QuoteOf gives a price that was held once, such as a tender's, or [ErrNotFound].
func (t *Terminal) QuoteOf(ctx context.Context, id protocol.QuoteID) (protocol.Quote, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT body FROM quotes WHERE id = $1`, id)
	found, err := all(rows, err, scanBody[protocol.Quote])
	if err != nil {
		return protocol.Quote{}, fmt.Errorf("read quote: %w", storage(err))
	}
	if len(found) == 0 {
		return protocol.Quote{}, fmt.Errorf("quote %s: %w", id, ErrNotFound)
	}
	return found[0], nil
}

// quoteKeys are those of the configuration, or of the pairing before the first.
func (t *Terminal) quoteKeys() []protocol.QuoteKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.config != nil && len(t.config.QuoteKeys) > 0 {
		return t.config.QuoteKeys
	}
	return t.identity.QuoteKeys
}

// loadQuotes holds the newest price of each currency again after a start.
func (t *Terminal) loadQuotes(ctx context.Context) error {
	rows, err := t.writer.QueryContext(ctx, `SELECT body FROM quotes WHERE until >= $1 ORDER BY at`, t.now())
	found, err := all(rows, err, scanBody[protocol.Quote])
	if err != nil {
		return fmt.Errorf("read quotes: %w", err)
	}
	for _, q := range found {
		if q.Verify(t.quoteKeys()) == nil {
			t.hold(q)
		}
	}
	return nil
}

// hold keeps a verified price in memory if it is the newest of its currency.
func (t *Terminal) hold(q protocol.Quote) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, held := t.quotes[q.Currency]; held && old.At >= q.At {
		return
	}
	t.quotes[q.Currency] = q
	if t.config == nil || q.Currency == t.config.Currency {
		t.health.QuoteAt, t.health.QuoteUntil = q.At, q.Until
	}
}

func (c *change) storeQuotes(ctx context.Context, quotes []protocol.Quote) error {
	for _, q := range quotes {
		body, err := text(q)
		if err != nil {
			return err
		}
		err = c.exec(ctx, `INSERT INTO quotes (id, currency, at, until, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
			q.ID, q.Currency, q.At, q.Until, body)
		if err != nil {
			return fmt.Errorf("store quote: %w", err)
		}
	}
	err := c.exec(ctx, `DELETE FROM quotes WHERE until < $1 AND NOT EXISTS (SELECT 1 FROM tenders WHERE tenders.quote = quotes.id)`, c.now.Add(-keepQuotes))
	if err != nil {
		return fmt.Errorf("drop old quotes: %w", err)
	}
	return nil
}

// verified sorts out the quotes whose signature is not the shop's.
func (t *Terminal) verified(ctx context.Context, quotes []protocol.Quote, keys []protocol.QuoteKey) []protocol.Quote {
	var good []protocol.Quote
	for _, q := range quotes {
		if err := q.Verify(keys); err != nil {
			t.o.Log.WarnContext(ctx, "quote refused", "quote", q.ID, "error", err)
			continue
		}
		good = append(good, q)
	}
	return good
}
