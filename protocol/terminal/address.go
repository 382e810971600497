package terminal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// free selects unused addresses; the oldest goes first.
const free = `shown = 0 AND tender IS NULL AND gone = ''`

// TakeAddress gives a bitcoin tender the next unused address, which it sets in
// tender, and journals the tender. [ErrNoAddress] when there is none.
func TakeAddress(tender *protocol.TenderAdded) Step {
	return func(ctx context.Context, c *change) error {
		lease, err := c.nextAddress(ctx)
		if err != nil {
			return err
		}
		tender.Address = lease.Address
		return Record(protocol.EntryTenderAdded, *tender)(ctx, c)
	}
}

// AddBitcoinTender journals a bitcoin tender with the next unused address and
// gives it back complete. Quote and DueSat are the caller's.
func (t *Terminal) AddBitcoinTender(ctx context.Context, tender protocol.TenderAdded) (protocol.TenderAdded, error) {
	_, err := t.Commit(ctx, TakeAddress(&tender))
	return tender, err
}

// FreshAddress gives an address to show or print without a sale, and journals
// that. It is never given again. It needs no network. [ErrNoAddress] when none is
// left.
func (t *Terminal) FreshAddress(ctx context.Context) (protocol.Lease, error) {
	var lease protocol.Lease
	_, err := t.Commit(ctx, func(ctx context.Context, c *change) (err error) {
		if lease, err = c.nextAddress(ctx); err != nil {
			return err
		}
		return Record(protocol.EntryAddressShown, protocol.AddressShown{Address: lease.Address})(ctx, c)
	})
	return lease, err
}

func (c *change) nextAddress(ctx context.Context) (protocol.Lease, error) {
	var l protocol.Lease
	err := c.get(ctx, `SELECT address, path, leased FROM addresses WHERE `+free+` ORDER BY leased, path LIMIT 1`, nil,
		&l.Address, &l.Path, &l.Leased)
	if errors.Is(err, sql.ErrNoRows) {
		return l, ErrNoAddress
	}
	if err != nil {
		return l, fmt.Errorf("take address: %w", err)
	}
	return l, nil
}

// Release gives addresses back that were never shown or printed; the server is
// told when it next answers. Others are silently kept.
func (t *Terminal) Release(ctx context.Context, addresses ...string) error {
	_, err := t.write(ctx, func(ctx context.Context, c *change) error {
		c.recount = true
		for _, a := range addresses {
			if err := c.exec(ctx, `UPDATE addresses SET gone = 'releasing' WHERE address = $1 AND `+free, a); err != nil {
				return fmt.Errorf("release address: %w", err)
			}
		}
		return nil
	})
	if err == nil {
		t.wakeUp()
	}
	return err
}

// refillWhenLow asks for addresses when few are left, and gives back what was
// released. It waits until the server has the whole journal: what an entry names
// is not taken back.
func (t *Terminal) refillWhenLow(ctx context.Context, client *protocol.Client) error {
	release, err := t.addresses(ctx, `gone = 'releasing'`)
	if err != nil {
		return err
	}
	health := t.Health()
	if health.Unsent > 0 || health.Addresses > protocol.LowLeases && len(release) == 0 {
		return nil
	}
	shown, err := t.refill(ctx, client, protocol.KeepLeases, release)
	if err != nil || shown == 0 || t.Health().Addresses > protocol.LowLeases {
		return err
	}
	// This server counts what was shown without a sale among the unused.
	_, err = t.refill(ctx, client, min(protocol.KeepLeases+shown, protocol.MaxWant), nil)
	return err
}

// refill asks once. It gives the number of addresses that were shown without a
// sale, 0 when asking for more is of no use.
func (t *Terminal) refill(ctx context.Context, client *protocol.Client, want int64, release []string) (int64, error) {
	unused, err := t.addresses(ctx, free)
	if err != nil {
		return 0, err
	}
	shown, err := t.addresses(ctx, `shown > 0 AND tender IS NULL AND gone = ''`)
	if err != nil {
		return 0, err
	}
	held := slices.Concat(unused, shown)
	result, err := client.GetAddress(ctx, protocol.GetAddress{Want: want, Held: held, Release: release})
	if err != nil {
		return 0, err
	}
	_, err = t.write(ctx, func(ctx context.Context, c *change) error {
		return c.putLeases(ctx, result, slices.Concat(held, release))
	})
	if err != nil {
		return 0, err
	}
	if result.Short {
		t.o.Log.WarnContext(ctx, "addresses are short", "gap_limit_reached", true)
		return 0, nil
	}
	return int64(len(shown)), nil
}

// putLeases keeps what the server lists. What we asked about and it does not
// list is leased to us no more and must not be shown.
func (c *change) putLeases(ctx context.Context, result protocol.GetAddressResult, asked []string) error {
	c.recount = true
	listed := make(map[string]bool, len(result.Addresses))
	for _, l := range result.Addresses {
		listed[l.Address] = true
		err := c.exec(ctx, `INSERT INTO addresses (address, path, leased) VALUES ($1, $2, $3)
			ON CONFLICT (address) DO UPDATE SET gone = ''`, l.Address, l.Path, l.Leased)
		if err != nil {
			return fmt.Errorf("store address: %w", err)
		}
	}
	for _, address := range asked {
		if listed[address] {
			continue
		}
		if err := c.exec(ctx, `UPDATE addresses SET gone = 'gone' WHERE address = $1 AND tender IS NULL`, address); err != nil {
			return fmt.Errorf("give up address: %w", err)
		}
	}
	return nil
}

// OwnAddress reports whether the address was ever leased to this terminal.
func (t *Terminal) OwnAddress(ctx context.Context, address string) (bool, error) {
	var n int64
	err := t.reader.QueryRowContext(ctx, `SELECT count(*) FROM addresses WHERE address = $1`, address).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up address: %w", storage(err))
	}
	return n > 0, nil
}

func (t *Terminal) addresses(ctx context.Context, where string) ([]string, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT address FROM addresses WHERE `+where+` ORDER BY leased, path LIMIT 1000`)
	found, err := all(rows, err, func(rows *sql.Rows) (a string, err error) { return a, rows.Scan(&a) })
	if err != nil {
		return nil, fmt.Errorf("read addresses: %w", storage(err))
	}
	return found, nil
}
