package terminal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"till/protocol"
)

const saleColumns = `position, opened, said, ended, reason, change, opening, status, copies`

// Sales gives sales, newest first. Page on with the last one's Position as Before.
func (t *Terminal) Sales(ctx context.Context, f SaleFilter) ([]Sale, error) {
	where, args := []string{"1"}, []any{}
	and := func(clause string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(clause, len(args)))
	}
	if f.Said != "" {
		and(`said = $%d`, f.Said)
	}
	if f.Shift != "" {
		and(`shift = $%d`, f.Shift)
	}
	if f.Since != 0 {
		and(`opened >= $%d`, f.Since)
	}
	if f.Before != 0 {
		and(`position < $%d`, f.Before)
	}
	if f.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(f.Text)) + "%"
		and(`(words LIKE $%[1]d ESCAPE '\' OR id IN (SELECT sale FROM tenders WHERE address LIKE $%[1]d ESCAPE '\'))`, like)
	}
	most := f.Most
	if most <= 0 {
		most = 50
	}
	return t.sales(ctx, `WHERE `+strings.Join(where, ` AND `)+fmt.Sprintf(` ORDER BY position DESC LIMIT %d`, most), args...)
}

// OpenSales gives the sales that are open or parked, oldest first.
func (t *Terminal) OpenSales(ctx context.Context) ([]Sale, error) {
	return t.sales(ctx, `WHERE said IN ('open', 'parked') ORDER BY position`)
}

// Sale gives one sale, or [ErrNotFound].
func (t *Terminal) Sale(ctx context.Context, id protocol.SaleID) (Sale, error) {
	sales, err := t.sales(ctx, `WHERE id = $1`, id)
	if err != nil {
		return Sale{}, err
	}
	if len(sales) == 0 {
		return Sale{}, fmt.Errorf("sale %s: %w", id, ErrNotFound)
	}
	return sales[0], nil
}

// SaleByAddress gives the sale one of whose tenders uses the address, or [ErrNotFound].
func (t *Terminal) SaleByAddress(ctx context.Context, address string) (Sale, error) {
	sales, err := t.sales(ctx, `WHERE id IN (SELECT sale FROM tenders WHERE address = $1 AND address <> '')`, address)
	if err != nil {
		return Sale{}, err
	}
	if len(sales) == 0 {
		return Sale{}, fmt.Errorf("sale of %s: %w", address, ErrNotFound)
	}
	return sales[0], nil
}

// sales reads sales with all that belongs to them, from one moment.
func (t *Terminal) sales(ctx context.Context, where string, args ...any) ([]Sale, error) {
	tx, err := t.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("read sales: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	rows, err := tx.QueryContext(ctx, `SELECT `+saleColumns+` FROM sales `+where, args...)
	found, err := all(rows, err, scanSale)
	if err != nil {
		return nil, fmt.Errorf("read sales: %w", storage(err))
	}
	for i := range found {
		if err := complete(ctx, tx, &found[i]); err != nil {
			return nil, fmt.Errorf("read sale %s: %w", found[i].ID(), storage(err))
		}
	}
	return found, nil
}

func scanSale(rows *sql.Rows) (Sale, error) {
	var s Sale
	var opening string
	var change, status sql.NullString
	err := rows.Scan(&s.Position, &s.Opened, &s.Said, &s.Ended, &s.Reason, &change, &opening, &status, &s.Copies)
	return s, errors.Join(err, protocol.DecodeResult([]byte(opening), &s.Opening), fill(change, &s.Change), fill(status, &s.Status))
}

// complete adds what belongs to a sale.
func complete(ctx context.Context, q querier, s *Sale) error {
	rows, err := q.QueryContext(ctx, `SELECT added, removed, body, contract, invoice, deposit FROM tenders WHERE sale = $1 ORDER BY position`, s.ID())
	if s.Tenders, err = all(rows, err, scanTender); err != nil {
		return err
	}
	rows, err = q.QueryContext(ctx, `SELECT body, opened, charged, lines, closed, status, contract, deposit FROM tabs WHERE sale = $1 ORDER BY position`, s.ID())
	if s.Tabs, err = all(rows, err, scanTab); err != nil {
		return err
	}
	rows, err = q.QueryContext(ctx, `SELECT body FROM refunds WHERE sale = $1 ORDER BY position`, s.ID())
	s.Refunds, err = all(rows, err, scanBody[protocol.Refund])
	s.grow()
	return err
}

func scanTender(rows *sql.Rows) (Tender, error) {
	var d Tender
	var body string
	var contract, invoice, deposit sql.NullString
	err := rows.Scan(&d.Added, &d.Removed, &body, &contract, &invoice, &deposit)
	return d, errors.Join(err, protocol.DecodeResult([]byte(body), &d.TenderAdded),
		fill(contract, &d.Contract), fill(invoice, &d.Invoice), fill(deposit, &d.Deposit))
}

func scanTab(rows *sql.Rows) (Tab, error) {
	var b Tab
	var body, lines string
	var status, contract, deposit sql.NullString
	var charged int64
	err := rows.Scan(&body, &b.Opened, &charged, &lines, &b.Closed, &status, &contract, &deposit)
	err = errors.Join(err, protocol.DecodeResult([]byte(body), &b.TabOpened), protocol.DecodeResult([]byte(lines), &b.Lines),
		fill(status, &b.Status), fill(contract, &b.Contract), fill(deposit, &b.Deposit))
	b.Charged = protocol.Money{Currency: b.MaxAmount.Currency, Minor: charged}
	return b, err
}

func scanBody[T any](rows *sql.Rows) (T, error) {
	var v T
	var body string
	err := rows.Scan(&body)
	return v, errors.Join(err, protocol.DecodeResult([]byte(body), &v))
}

// NextNumber gives the number of the next sale: they count up from 1 for ever.
func (t *Terminal) NextNumber(ctx context.Context) (string, error) {
	var last int64
	err := t.reader.QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM sales`).Scan(&last)
	if err != nil {
		return "", fmt.Errorf("count sales: %w", storage(err))
	}
	return fmt.Sprintf("%06d", last+1), nil
}

const shiftColumns = `SELECT opened, opening, closed, closing FROM shifts `

// Shift gives the open shift, false when there is none.
func (t *Terminal) Shift(ctx context.Context) (Shift, bool, error) {
	found, err := t.shifts(ctx, `WHERE closed = 0 ORDER BY position DESC LIMIT 1`)
	if err != nil || len(found) == 0 {
		return Shift{}, false, err
	}
	return found[0], true, nil
}

// Shifts gives the last shifts, newest first.
func (t *Terminal) Shifts(ctx context.Context, most int) ([]Shift, error) {
	return t.shifts(ctx, `ORDER BY position DESC LIMIT $1`, most)
}

func (t *Terminal) shifts(ctx context.Context, where string, args ...any) ([]Shift, error) {
	rows, err := t.reader.QueryContext(ctx, shiftColumns+where, args...)
	found, err := all(rows, err, func(rows *sql.Rows) (Shift, error) {
		var s Shift
		var opening string
		var closing sql.NullString
		err := rows.Scan(&s.Opened, &opening, &s.Closed, &closing)
		return s, errors.Join(err, protocol.DecodeResult([]byte(opening), &s.Opening), fill(closing, &s.Closing))
	})
	if err != nil {
		return nil, fmt.Errorf("read shifts: %w", storage(err))
	}
	return found, nil
}

// NextZ gives the number of the next Z report: they count up from 1 for ever.
func (t *Terminal) NextZ(ctx context.Context) (int64, error) {
	var last int64
	if err := t.reader.QueryRowContext(ctx, `SELECT coalesce(max(z), 0) FROM shifts`).Scan(&last); err != nil {
		return 0, fmt.Errorf("count Z reports: %w", storage(err))
	}
	return last + 1, nil
}
