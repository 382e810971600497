package terminal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"till/protocol"
)

// ErrMoved: money moved between the report that a person saw and the closing that
// they agreed to. Show a new one.
var ErrMoved = errors.New("money has moved meanwhile")

// Reading is the X report: everything since the last Z report.
func (t *Terminal) Reading(ctx context.Context) (protocol.Report, error) {
	from, err := lastClosing(ctx, t.reader, 0)
	if err != nil {
		return protocol.Report{}, err
	}
	return t.report(ctx, t.reader, from, 0)
}

// ZReport is the report of the closed shift with that number, or [ErrNotFound].
func (t *Terminal) ZReport(ctx context.Context, number int64) (protocol.Report, error) {
	var z int64
	err := t.reader.QueryRowContext(ctx, `SELECT seq FROM journal WHERE kind = 'shift_closed' AND json_extract(body, '$.z_number') = $1
		ORDER BY seq DESC LIMIT 1`, number).Scan(&z)
	if err != nil {
		return protocol.Report{}, fmt.Errorf("find Z report %d: %w", number, storage(missing(err)))
	}
	from, err := lastClosing(ctx, t.reader, z)
	if err != nil {
		return protocol.Report{}, err
	}
	return t.report(ctx, t.reader, from, z)
}

// CloseShift closes the open shift with what was counted and gives the closing its
// number. It fails with [ErrMoved] when closing.Expected is not what should lie
// in the drawer now, with [ErrNotFound] when no shift is open.
func (t *Terminal) CloseShift(closing *protocol.ShiftClosed) Step {
	return func(ctx context.Context, c *change) error {
		from, err := lastClosing(ctx, c.tx, 0)
		if err != nil {
			return err
		}
		now, err := t.report(ctx, c.tx, from, 0)
		if err != nil {
			return err
		}
		if now.Drawer.Expected.Minor != closing.Expected.Minor {
			return fmt.Errorf("close shift: %w", ErrMoved)
		}
		if closing.Variance, err = closing.Counted.Sub(closing.Expected); err != nil {
			return fmt.Errorf("close shift: %w", err)
		}
		if err := c.get(ctx, `SELECT 1 + coalesce(max(z), 0) FROM shifts`, nil, &closing.ZNumber); err != nil {
			return fmt.Errorf("number Z report: %w", err)
		}
		return Record(protocol.EntryShiftClosed, *closing)(ctx, c)
	}
}

// lastClosing is the seq of the last shift_closed before a seq, 0 being the
// journal's end; 0 there is none.
func lastClosing(ctx context.Context, q querier, before int64) (seq int64, err error) {
	query, args := closingBefore(before)
	err = q.QueryRowContext(ctx, query, args...).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find last Z report: %w", storage(err))
	}
	return seq, nil
}

func closingBefore(before int64) (query string, args []any) {
	query = `SELECT seq FROM journal INDEXED BY journal_closings WHERE kind = 'shift_closed'`
	if before != 0 {
		query, args = query+` AND seq < $1`, []any{before}
	}
	return query + ` ORDER BY seq DESC LIMIT 1`, args
}

// report adds up the entries behind from up to and with upTo, 0 being the end.
func (t *Terminal) report(ctx context.Context, q querier, from, upTo int64) (protocol.Report, error) {
	if upTo == 0 {
		if err := q.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM journal`).Scan(&upTo); err != nil {
			return protocol.Report{}, fmt.Errorf("read journal: %w", storage(err))
		}
	}
	config, _ := t.Config()
	return protocol.ReportOf(func(after, upTo int64) ([]protocol.Entry, error) {
		rows, err := q.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal WHERE seq > $1 AND seq <= $2 ORDER BY seq`, after, upTo)
		entries, err := all(rows, err, scanEntry)
		return entries, storage(err)
	}, config.Currency, from, upTo)
}
