package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"till/server"
)

const (
	snapshots = 4  // reads at once
	attempts  = 50 // of one write that PostgreSQL could not serialise
)

// DB is a [server.Store] on SQLite or PostgreSQL.
type DB struct {
	pools  []*sql.DB
	read   chan *session
	writer *writer // SQLite: the one writer
	write  chan *session
	begin  string
	look   string // begins a snapshot
	peers  *peers // PostgreSQL: the other server processes
	once   sync.Once
	closed chan struct{}
	began  atomic.Pointer[func(int) func()] // see [DB.Observe]
}

// Open opens the database and brings it to the present schema. A location
// starting with postgres:// is PostgreSQL; anything else is the path of a
// SQLite file, made with mode 0600 when there is none.
func Open(ctx context.Context, location string) (*DB, error) {
	open := openSQLite
	if isPostgres(location) {
		open = openPostgres
	}
	db, err := open(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := touch(path); err != nil {
		return nil, err
	}
	dsn := sqliteDSN(path)
	writes, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	reads, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writes.Close())
	}
	db := &DB{closed: make(chan struct{}), pools: []*sql.DB{writes, reads}, begin: "BEGIN IMMEDIATE", look: "BEGIN"}
	w, err := newSession(ctx, writes)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := migrate(ctx, w, db.begin); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if db.read, err = newSessions(ctx, reads); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.writer = newWriter(w)
	go db.writer.run()
	return db, nil
}

// sqliteDSN asks for WAL, so that snapshots do not wait for the writer, and FULL, so
// that a commit is on disk when it returns (in WAL mode NORMAL may lose the last ones).
func sqliteDSN(path string) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
}

func postgresConfig(location string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		return nil, err
	}
	// A scan of a small table would set a serialisable transaction against every
	// writer of the table; through the index it meets those of its rows alone.
	config.RuntimeParams["enable_seqscan"] = "off"
	return config, nil
}

func openPostgres(ctx context.Context, location string) (*DB, error) {
	config, err := postgresConfig(location)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config)
	db := &DB{closed: make(chan struct{}), pools: []*sql.DB{pool}, begin: "BEGIN ISOLATION LEVEL SERIALIZABLE",
		look: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", peers: newPeers(location)}
	if db.write, err = newSessions(ctx, pool); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if db.read, err = newSessions(ctx, pool); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := <-db.write
	defer func() { db.write <- s }()
	if err := migrateAlone(ctx, s, db.begin); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// migrateAlone keeps servers that start together from bringing up the schema at once.
func migrateAlone(ctx context.Context, s *session, begin string) error {
	key := lockOf("migrate")
	if _, err := s.conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		return fmt.Errorf("wait for another server: %w", err)
	}
	err := migrate(ctx, s, begin)
	_, unlock := s.conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key)
	return errors.Join(err, unlock)
}

// Peers implements [server.Store].
func (db *DB) Peers() server.Peers {
	if db.peers == nil {
		return nil
	}
	return db.peers
}

// Read calls f with one consistent snapshot.
func (db *DB) Read(ctx context.Context, f func(tx *server.Tx) error) error {
	s, err := db.take(ctx, db.read)
	if err != nil {
		return err
	}
	defer func() { db.read <- s }()
	return s.transaction(ctx, db.look, func() error { return f(s.tx(ctx)) })
}

// Write calls f in one transaction and returns when it is durable.
func (db *DB) Write(ctx context.Context, f func(tx *server.Tx) error) error {
	if db.writer != nil {
		return db.writer.do(ctx, f)
	}
	s, err := db.take(ctx, db.write)
	if err != nil {
		return err
	}
	defer func() { db.write <- s }()
	defer observed(db.began.Load(), 1)()
	for n := range attempts {
		err = s.transaction(ctx, db.begin, func() error { return f(s.tx(ctx)) })
		if !unserialisable(err, n) {
			return err
		}
		// Whoever stood in the way needs a moment to end.
		select {
		case <-time.After(time.Duration(n) * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
	return err
}

// Observe has began called when a writing transaction begins, with how many writes
// share it, and what that returns when it has ended.
func (db *DB) Observe(began func(writes int) (ended func())) {
	db.began.Store(&began)
	if db.writer != nil {
		db.writer.began.Store(&began)
	}
}

// observed tells an observer of a transaction and gives what to call at its end.
func observed(began *func(int) func(), writes int) func() {
	if began == nil {
		return func() {}
	}
	return (*began)(writes)
}

// Close waits for the transactions under way and releases the database. The
// readers go first: the last connection folds SQLite's log into the file.
func (db *DB) Close() error {
	if db.writer != nil {
		db.writer.close()
	}
	var errs []error
	db.once.Do(func() {
		close(db.closed)
		if db.peers != nil {
			db.peers.close()
		}
	})
	for _, sessions := range []chan *session{db.read, db.write} {
		for range cap(sessions) {
			s := <-sessions
			errs = append(errs, s.close())
			sessions <- s
		}
	}
	if db.writer != nil {
		errs = append(errs, db.writer.s.close())
	}
	for _, pool := range db.pools {
		errs = append(errs, pool.Close())
	}
	return errors.Join(errs...)
}

func (db *DB) take(ctx context.Context, from chan *session) (*session, error) {
	select {
	case <-db.closed:
		return nil, errClosed
	default:
	}
	select {
	case s := <-from:
		if err := s.renew(ctx); err != nil {
			from <- s
			return nil, fmt.Errorf("reach the database: %w", err)
		}
		return s, nil
	case <-db.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the database: %w", ctx.Err())
	}
}

// unserialisable reports whether PostgreSQL asks to try the transaction again
// (SQLSTATE 40001 serialization_failure, 40P01 deadlock_detected). So may
// 23505 unique_violation, where another transaction inserted the same meanwhile
// (section 13.5.1 of its manual): it is tried a few times, since it may be lasting.
func unserialisable(err error, tries int) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505" && tries < 3)
}
