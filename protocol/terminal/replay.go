package terminal

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"

	"till/protocol"
)

// Happened is one thing that befell a sale: an entry of the journal, or an
// alert of the server about it.
type Happened struct {
	At    protocol.Time
	Entry *protocol.Entry
	Alert *protocol.Alert
}

// replayMost bounds how many entries behind a sale's opening are looked through.
const (
	replayMost = 20_000
	replayRead = 500
)

// Replay tells what happened to a sale in the order it happened: the entries
// about it, and those of the server's alerts that are still kept.
func (t *Terminal) Replay(ctx context.Context, id protocol.SaleID) ([]Happened, error) {
	sale, err := t.Sale(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("replay sale: %w", err)
	}
	happened, err := t.entriesOf(ctx, sale)
	if err != nil {
		return nil, fmt.Errorf("replay sale: %w", err)
	}
	alerts, err := t.alerts(ctx, `WHERE kind IN ('sale', 'deposit', 'contract') AND at >= $1 AND instr(body, $2) > 0 ORDER BY id`, sale.Opened-60_000, id)
	if err != nil {
		return nil, fmt.Errorf("replay sale: %w", err)
	}
	for _, a := range alerts {
		happened = append(happened, Happened{At: max(a.At, sale.Opened), Alert: &a.Alert})
	}
	// The clocks of both may differ a little: what each says keeps its own order.
	slices.SortStableFunc(happened, func(a, b Happened) int { return int(a.At - b.At) })
	return happened, nil
}

// entriesOf finds the entry that opened the sale by halving, for the times of a
// journal do not run back, and reads on from there.
func (t *Terminal) entriesOf(ctx context.Context, sale Sale) (about []Happened, err error) {
	var last int64
	if err := t.reader.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM journal`).Scan(&last); err != nil {
		return nil, storage(err)
	}
	var fault error
	first := sort.Search(int(last), func(i int) bool {
		var at protocol.Time
		// After a fork some numbers are missing: the next one there counts.
		fault = firstOf(fault, t.reader.QueryRowContext(ctx, `SELECT at FROM journal WHERE seq >= $1 ORDER BY seq LIMIT 1`, i+1).Scan(&at))
		return fault != nil || at >= sale.Opened
	})
	if fault != nil {
		return nil, storage(fault)
	}
	for after := int64(first); after < int64(first)+replayMost; {
		rows, err := t.reader.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2`, after, replayRead)
		read, err := all(rows, err, scanEntry)
		if err != nil {
			return nil, storage(err)
		}
		for _, e := range read {
			if bytes.Contains(e.Body, []byte(sale.ID())) {
				about = append(about, Happened{At: e.At, Entry: &e})
			}
		}
		if len(read) < replayRead {
			break
		}
		after = read[len(read)-1].Seq
	}
	return about, nil
}

// firstOf is the error that came first.
func firstOf(before, now error) error {
	if before != nil {
		return before
	}
	return now
}
