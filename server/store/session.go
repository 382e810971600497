package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/stdlib"

	"till/server"
)

// session is one connection with its prepared statements. It is used by one
// goroutine at a time.
type session struct {
	pool     *sql.DB
	conn     *sql.Conn
	ready    map[string]*sql.Stmt
	postgres bool
	lost     bool // the connection cannot be trusted to be outside a transaction
}

func newSession(ctx context.Context, pool *sql.DB) (*session, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	_, postgres := pool.Driver().(*stdlib.Driver)
	return &session{pool: pool, conn: conn, ready: map[string]*sql.Stmt{}, postgres: postgres}, nil
}

// renew takes another connection in place of a lost one: PostgreSQL's is closed
// by its driver when a context ends in the middle of a statement.
func (s *session) renew(ctx context.Context) error {
	if !s.lost {
		return nil
	}
	_ = s.close()
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		return err
	}
	s.conn, s.lost = conn, false
	return nil
}

func newSessions(ctx context.Context, pool *sql.DB) (chan *session, error) {
	sessions := make(chan *session, snapshots)
	for range snapshots {
		s, err := newSession(ctx, pool)
		if err != nil {
			return nil, err
		}
		sessions <- s
	}
	return sessions, nil
}

// close gives the connection up; closing it again does nothing. What a lost one
// says to it is of no use.
func (s *session) close() error {
	var errs []error
	for _, stmt := range s.ready {
		errs = append(errs, stmt.Close())
	}
	clear(s.ready)
	if err := s.conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		errs = append(errs, err)
	}
	if s.lost {
		return nil
	}
	return errors.Join(errs...)
}

// transaction runs f between begin and commit, or rolls back. A context that
// ends while the database begins would leave it unknown whether it began, so
// beginning is not interrupted.
func (s *session) transaction(ctx context.Context, begin string, f func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for the database: %w", err)
	}
	if _, err := s.exec(context.WithoutCancel(ctx), begin); err != nil {
		s.lost = true
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := f(); err != nil {
		return errors.Join(err, s.rollback())
	}
	if _, err := s.exec(ctx, "COMMIT"); err != nil {
		return errors.Join(fmt.Errorf("commit transaction: %w", err), s.rollback())
	}
	return nil
}

// rollback ends a transaction whose context may be over.
func (s *session) rollback() error {
	if _, err := s.exec(context.Background(), "ROLLBACK"); err != nil {
		s.lost = true
		return fmt.Errorf("roll back transaction: %w", err)
	}
	return nil
}

func (s *session) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.ready[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare statement: %w", err)
	}
	s.ready[query] = stmt
	return stmt, nil
}

func (s *session) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// tx gives the nouns of the transaction under way.
func (s *session) tx(ctx context.Context) *server.Tx {
	r := rows{ctx, s}
	return &server.Tx{
		Settings: settings{r}, Terminals: terminals{r}, Keys: keys{r}, Pairings: pairings{r},
		Journal: journal{r}, Alerts: alerts{r}, Addresses: addresses{r}, Quotes: quotes{r},
		Sales: sales{r}, Tenders: tenders{r}, Payments: payments{r}, Debts: debts{r}, Refunds: refunds{r},
		Payouts: payouts{r}, Approvals: approvals{r}, Outbox: outbox{r}, Shop: shop{r}, Pushes: pushes{r}, Figures: figures{r},
		Bills: bills{r}, Contracts: contracts{r}, Deposits: deposits{r}, Alarms: alarms{r}, Letters: letters{r}, News: news{r}, Books: books{r}, Stock: stock{r},
		MintReserves: mintReserves{r}, MintCoins: mintCoins{r},
	}
}

// rows is what each noun stands on.
type rows struct {
	ctx context.Context // of the transaction: rows live no longer than it
	s   *session
}

// exec runs a statement that must succeed whatever it finds.
func (r rows) exec(query string, args ...any) error {
	_, err := r.s.exec(r.ctx, query, args...)
	return err
}

// execOne runs a statement that must change exactly one row; ErrChanged otherwise.
func (r rows) execOne(query string, args ...any) error {
	result, err := r.s.exec(r.ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(server.ErrChanged, err)
	}
	return nil
}

// one reads the first row; ErrNotFound when there is none.
func (r rows) one(query string, args []any, into ...any) error {
	stmt, err := r.s.statement(r.ctx, query)
	if err != nil {
		return err
	}
	err = stmt.QueryRowContext(r.ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return server.ErrNotFound
	}
	return err
}

// scanner is a row of either kind.
type scanner interface{ Scan(into ...any) error }

// all reads every row with scan.
func all[T any](r rows, scan func(scanner) (T, error), query string, args ...any) (list []T, err error) {
	stmt, err := r.s.statement(r.ctx, query)
	if err != nil {
		return nil, err
	}
	found, err := stmt.QueryContext(r.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		item, err := scan(found)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, found.Err()
}

// first reads the first row with scan; ErrNotFound when there is none.
func first[T any](r rows, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	stmt, err := r.s.statement(r.ctx, query)
	if err != nil {
		var none T
		return none, err
	}
	item, err := scan(stmt.QueryRowContext(r.ctx, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return item, server.ErrNotFound
	}
	return item, err
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// touch makes the file with a mode that keeps others out; SQLite gives its
// companions the same.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
