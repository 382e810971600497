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
	if named := strings.TrimSpace(f.Text); len(named) >= leastName && !strings.ContainsAny(named, " \n") {
		// One word that long may be the beginning of an id or an address.
		found, err := t.filtered(ctx, f, `(id >= $1 AND id < $1 || '~' OR id IN (SELECT sale FROM tenders WHERE address >= $2 AND address < $2 || '~' AND address <> ''))`,
			strings.ToLower(named), addressOf(named))
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	words := protocol.SearchWords(f.Text)
	switch {
	case len(words) > 0:
		query, err := protocol.MatchWords(words, func(prefix string) ([]string, error) { return t.complete(ctx, prefix) })
		if err != nil {
			return nil, err
		}
		return t.filtered(ctx, f, `sale_words MATCH $1`, query)
	case strings.TrimSpace(f.Text) != "":
		return nil, nil // there are only words to look for
	}
	return t.filtered(ctx, f, `1`)
}

// complete gives the words of the dictionary that begin so.
func (t *Terminal) complete(ctx context.Context, prefix string) ([]string, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT word FROM words WHERE word >= $1 AND word < $1 || char(0x10FFFF) LIMIT $2`, prefix, protocol.MaxCompletions)
	words, err := all(rows, err, func(rows *sql.Rows) (word string, err error) { return word, rows.Scan(&word) })
	if err != nil {
		return nil, fmt.Errorf("look up words: %w", storage(err))
	}
	return words, nil
}

// leastName is how much of an id or address is typed before one is looked for.
const leastName = 8

// addressOf writes the beginning of an address as the address is written: those
// of bech32 are in small letters, and a QR code has them in capitals.
func addressOf(text string) string {
	if text == strings.ToUpper(text) {
		return strings.ToLower(text)
	}
	return text
}

// filtered adds the rest of the filter to a first condition.
func (t *Terminal) filtered(ctx context.Context, f SaleFilter, first string, args ...any) ([]Sale, error) {
	from, order := ``, `position`
	if strings.HasPrefix(first, "sale_words") {
		from, order = `JOIN sale_words ON sale_words.rowid = position `, `sale_words.rowid`
	}
	where := []string{first}
	and := func(clause string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(clause, order, len(args)))
	}
	if f.Said != "" {
		and(`said = $%[2]d`, f.Said)
	}
	if f.Shift != "" {
		and(`shift = $%[2]d`, f.Shift)
	}
	// Times of entries do not run back, so that a moment is a position.
	if f.Since != 0 {
		and(`%s >= (SELECT coalesce(min(position), 1 << 62) FROM sales WHERE opened >= $%d)`, f.Since)
	}
	if f.Until != 0 {
		and(`%s < (SELECT coalesce(min(position), 1 << 62) FROM sales WHERE opened >= $%d)`, f.Until)
	}
	if f.Before != 0 {
		and(`%s < $%d`, f.Before)
	}
	most := f.Most
	if most <= 0 {
		most = 50
	}
	return t.sales(ctx, from+`WHERE `+strings.Join(where, ` AND `)+fmt.Sprintf(` ORDER BY %s DESC LIMIT %d`, order, most), args...)
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
	if err := complete(ctx, tx, found); err != nil {
		return nil, fmt.Errorf("read sales: %w", storage(err))
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

// complete adds what belongs to the sales.
func complete(ctx context.Context, q querier, sales []Sale) error {
	if len(sales) == 0 {
		return nil
	}
	ids, at := make([]protocol.SaleID, len(sales)), make(map[protocol.SaleID]*Sale, len(sales))
	for i := range sales {
		ids[i] = sales[i].ID()
		at[ids[i]] = &sales[i]
	}
	list, err := text(ids)
	if err != nil {
		return err
	}
	// The list comes first: its rows are looked up in the index of the other table.
	const of = ` FROM json_each($1) AS list CROSS JOIN %[1]s ON %[1]s.sale = list.value ORDER BY %[1]s.position`
	rows, err := q.QueryContext(ctx, `SELECT added, removed, body, contract, invoice, deposit`+fmt.Sprintf(of, "tenders"), list)
	tenders, err := all(rows, err, scanTender)
	if err != nil {
		return err
	}
	for _, d := range tenders {
		at[d.Sale].Tenders = append(at[d.Sale].Tenders, d)
	}
	rows, err = q.QueryContext(ctx, `SELECT body, opened, charged, lines, closed, status, contract, deposit`+fmt.Sprintf(of, "tabs"), list)
	tabs, err := all(rows, err, scanTab)
	if err != nil {
		return err
	}
	for _, b := range tabs {
		at[b.Sale].Tabs = append(at[b.Sale].Tabs, b)
	}
	rows, err = q.QueryContext(ctx, `SELECT body`+fmt.Sprintf(of, "refunds"), list)
	refunds, err := all(rows, err, scanBody[protocol.Refund])
	if err != nil {
		return err
	}
	for _, r := range refunds {
		at[r.Sale].Refunds = append(at[r.Sale].Refunds, r)
	}
	for i := range sales {
		sales[i].grow()
	}
	return nil
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
