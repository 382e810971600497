package terminal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"till/protocol"
)

// Step is one change to what the terminal keeps. The steps given to one
// [Terminal.Commit] are one transaction.
type Step func(ctx context.Context, c *change) error

// change is one transaction.
type change struct {
	tx      *sql.Tx
	now     protocol.Time
	head    *protocol.Entry // the journal's last, nil when empty
	entries []protocol.Entry
	fact    Fact
	recount bool // the addresses left or the payouts in doubt may be others
}

// Commit does all steps or none and returns when they are on the disk, with the
// journal entries they made. The error wraps [ErrDiskFull] when there is no
// room, [ErrNoAddress] and [ErrNotFound] as the steps say.
func (t *Terminal) Commit(ctx context.Context, steps ...Step) ([]protocol.Entry, error) {
	c, err := t.write(ctx, func(ctx context.Context, c *change) error {
		for _, step := range steps {
			if err := step(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.entries, nil
}

// Append journals one entry with what follows from it.
func (t *Terminal) Append(ctx context.Context, kind protocol.EntryKind, body any) (protocol.Entry, error) {
	entries, err := t.Commit(ctx, Record(kind, body))
	if err != nil {
		return protocol.Entry{}, err
	}
	return entries[0], nil
}

// Record journals one entry. body is one of protocol's bodies, or for a kind the
// server does not know anything that encodes to JSON.
func Record(kind protocol.EntryKind, body any) Step {
	return func(ctx context.Context, c *change) error {
		entry, err := protocol.NewEntry(c.head, c.now, kind, body)
		if err != nil {
			return err
		}
		if err := c.insert(ctx, entry); err != nil {
			return err
		}
		if err := c.project(ctx, entry); err != nil {
			return fmt.Errorf("record %s: %w", kind, err)
		}
		return nil
	}
}

// insert adds an entry at the journal's end.
func (c *change) insert(ctx context.Context, e *protocol.Entry) error {
	err := c.exec(ctx, `INSERT INTO journal (seq, at, kind, body, prev, hash) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.Seq, e.At, e.Kind, string(e.Body), e.Prev, e.Hash)
	if err != nil {
		return fmt.Errorf("append journal entry %d: %w", e.Seq, err)
	}
	c.head = e
	c.entries = append(c.entries, *e)
	return nil
}

// SaveDraft keeps a value of the caller's own under a name, such as the cart
// being rung up or who is signed in; nil removes it. It is no place for secrets.
func SaveDraft(name string, value []byte) Step {
	return func(ctx context.Context, c *change) error {
		if value == nil {
			return c.exec(ctx, `DELETE FROM drafts WHERE name = $1`, name)
		}
		return c.exec(ctx, `INSERT INTO drafts (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	}
}

// Draft gives a value kept with [SaveDraft], nil when there is none.
func (t *Terminal) Draft(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := t.reader.QueryRowContext(ctx, `SELECT value FROM drafts WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read draft %s: %w", name, err)
	}
	return value, nil
}

// write runs f in the one writing transaction.
func (t *Terminal) write(ctx context.Context, f func(context.Context, *change) error) (*change, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	if t.headGone {
		head, err := loadHead(ctx, t.writer)
		if err != nil {
			return nil, storage(err)
		}
		t.head, t.headGone = head, false
	}
	c := &change{now: t.now(), head: t.head}
	if err := t.transact(ctx, c, f); err != nil {
		return nil, storage(err)
	}
	t.head = c.head
	if c.recount {
		t.recount(ctx)
	}
	if len(c.entries) > 0 {
		t.updateHealth(func(h *Health) { h.Unsent = max(0, c.head.Seq-t.cursor.Journal) })
		t.wakeUp()
	}
	t.facts.tell(c.fact)
	return c, nil
}

func (t *Terminal) transact(ctx context.Context, c *change, f func(context.Context, *change) error) (err error) {
	c.tx, err = t.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := f(ctx, c); err != nil {
		// A transaction that the context has ended is rolled back already.
		if back := c.tx.Rollback(); back != nil && !errors.Is(back, sql.ErrTxDone) {
			err = errors.Join(err, back)
		}
		return err
	}
	if err := c.tx.Commit(); err != nil {
		t.headGone = true
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// recount brings the counts of the health line up to date.
func (t *Terminal) recount(ctx context.Context) {
	addresses, doubts, err := count(context.WithoutCancel(ctx), t.writer)
	if err != nil {
		t.o.Log.ErrorContext(ctx, "recount", "error", err)
		return
	}
	t.updateHealth(func(h *Health) { h.Addresses, h.InDoubt = addresses, doubts })
}

// count gives the unused addresses and this terminal's payouts in doubt.
func count(ctx context.Context, q querier) (addresses, doubts int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM addresses WHERE `+free+`),
		(SELECT count(*) FROM payouts WHERE state = 'unknown' AND own = 1)`).Scan(&addresses, &doubts)
	return addresses, doubts, err
}

func (c *change) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.tx.ExecContext(ctx, query, args...)
	return err
}

// must is exec for a change of a row that has to be there.
func (c *change) must(ctx context.Context, query string, args ...any) error {
	result, err := c.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return ErrNotFound
	}
	return nil
}

func (c *change) get(ctx context.Context, query string, args []any, into ...any) error {
	return c.tx.QueryRowContext(ctx, query, args...).Scan(into...)
}

// set writes one of the single values.
func (c *change) set(ctx context.Context, name, value string) error {
	return c.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readSetting(ctx context.Context, q querier, name string) (string, error) {
	var value string
	err := q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read setting %s: %w", name, err)
	}
	return value, nil
}

// text is a value's JSON for a column.
func text(v any) (string, error) {
	encoded, err := protocol.Encode(v)
	return string(encoded), err
}

// fill decodes a column that may be NULL into a new value, nil for NULL.
func fill[T any](column sql.NullString, into **T) error {
	if !column.Valid {
		return nil
	}
	*into = new(T)
	return protocol.DecodeResult([]byte(column.String), *into)
}

// all collects the rows of a query.
func all[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

const entryColumns = `seq, at, kind, body, prev, hash`

func scanEntry(rows *sql.Rows) (protocol.Entry, error) {
	var e protocol.Entry
	var body string
	err := rows.Scan(&e.Seq, &e.At, &e.Kind, &body, &e.Prev, &e.Hash)
	e.Body = json.RawMessage(body)
	return e, err
}

// missing turns the absence of a row into [ErrNotFound].
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
