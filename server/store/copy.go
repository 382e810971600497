package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"till/protocol"
	"till/server"
)

var (
	// ErrInUse: a server is at work on the database.
	ErrInUse = errors.New("a server is using the database")
	// ErrDiffers: what was copied is not what was there.
	ErrDiffers = errors.New("the copy differs from the original")
)

// Copied is what was copied and compared.
type Copied struct {
	Rows    map[string]int64 `json:"rows"`    // by table
	Entries int64            `json:"entries"` // of journals, each with the hash of its content
}

// Copy makes a database at to, of either kind, that holds what the one at from
// does, and compares every row of both. There must be none at to ([ErrNotEmpty]),
// and no server at work on from ([ErrInUse]; of a file that is the caller's to see).
func Copy(ctx context.Context, from, to string) (Copied, error) {
	if isPostgres(from) {
		p := newPeers(from)
		defer p.close()
		claim, err := p.Claim(ctx, server.ClaimWatch)
		if err == nil && claim == nil {
			err = ErrInUse
		}
		if err != nil {
			return Copied{}, fmt.Errorf("copy database: %w", err)
		}
		defer claim.Release()
	}
	schema, err := Schema(ctx, from)
	if err != nil {
		return Copied{}, fmt.Errorf("copy database: %w", err)
	}
	none := func(int) error { return nil }
	if err := Load(ctx, to, schema, false, func(put PutRow) error { return Dump(ctx, from, none, put) }); err != nil {
		return Copied{}, fmt.Errorf("copy database: %w", err)
	}
	var sums [2]checksum
	for i, location := range []string{from, to} {
		sums[i] = checksum{rows: map[string]int64{}, sums: map[string][sha256.Size]byte{}}
		if err := Dump(ctx, location, none, sums[i].add); err != nil {
			return Copied{}, fmt.Errorf("compare the copy: %w", err)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(sums[0].rows)) {
		if sums[0].rows[table] != sums[1].rows[table] || sums[0].sums[table] != sums[1].sums[table] {
			return Copied{}, fmt.Errorf("copy database: %w: table %s", ErrDiffers, table)
		}
	}
	if len(sums[0].rows) != len(sums[1].rows) {
		return Copied{}, fmt.Errorf("copy database: %w: the tables are not the same", ErrDiffers)
	}
	return Copied{sums[0].rows, sums[0].rows["journal"]}, nil
}

// checksum sums up a dump so that the order of its rows does not matter.
type checksum struct {
	rows map[string]int64
	sums map[string][sha256.Size]byte
}

func (c *checksum) add(table string, columns []string, values []any) error {
	order := slices.Clone(columns)
	slices.Sort(order)
	h := sha256.New()
	for _, name := range order {
		v := values[slices.Index(columns, name)]
		if text, is := v.(string); is && table == searchTable && name == "words" {
			words := strings.Fields(text) // each database has its own order
			slices.Sort(words)
			v = strings.Join(words, " ")
		}
		fmt.Fprintf(h, "%s %T %v\x00", name, v, v)
	}
	sum := c.sums[table]
	for i, b := range h.Sum(nil) {
		sum[i] ^= b
	}
	c.sums[table] = sum
	c.rows[table]++
	if table == "journal" {
		return checkRow(columns, values)
	}
	return nil
}

// checkRow verifies that a journal's row has the hash of its content.
func checkRow(columns []string, values []any) error {
	number := func(name string) int64 { n, _ := values[slices.Index(columns, name)].(int64); return n }
	text := func(name string) string { s, _ := values[slices.Index(columns, name)].(string); return s }
	e := protocol.Entry{Seq: number("seq"), At: protocol.Time(number("at")), Kind: protocol.EntryKind(text("kind")),
		Body: []byte(text("body")), Prev: protocol.Hash(text("prev")), Hash: protocol.Hash(text("hash"))}
	if err := e.Check(); err != nil {
		return fmt.Errorf("journal of %s: %w", text("terminal"), err)
	}
	return nil
}
