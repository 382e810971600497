package terminal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite" // registers the driver "sqlite"
)

// migrations are run once each, in order, and never edited after a release.
var migrations = []string{schema1, schemaTabs, schemaSearch, schemaReports, schemaWords}

// Money and moments are integers (minor units, milliseconds since 1970), ids are
// made by us, bodies are the JSON of the wire.
const schema1 = `
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
	seq  INTEGER PRIMARY KEY CHECK (seq > 0),
	at   INTEGER NOT NULL,
	kind TEXT NOT NULL,
	body TEXT NOT NULL,
	prev TEXT NOT NULL,
	hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER journal_is_append_only BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
-- Entries that were appended again after a fork, as they were.
CREATE TABLE forked (
	fork INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
	body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
	PRIMARY KEY (fork, seq)
) STRICT, WITHOUT ROWID;
-- Where the chain goes on from an entry that only the server has.
CREATE TABLE joints (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

CREATE TABLE alerts (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	log          TEXT NOT NULL,
	seq          INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	kind         TEXT NOT NULL,
	body         TEXT NOT NULL,
	urgent       INTEGER NOT NULL CHECK (urgent IN (0, 1)),
	acknowledged INTEGER NOT NULL DEFAULT 0,
	UNIQUE (log, seq)
) STRICT;
CREATE INDEX alerts_waiting ON alerts (id) WHERE urgent = 1 AND acknowledged = 0;

CREATE TABLE addresses (
	address TEXT PRIMARY KEY,
	path    TEXT NOT NULL,
	leased  INTEGER NOT NULL,
	shown   INTEGER NOT NULL DEFAULT 0,
	tender  TEXT,
	gone    TEXT NOT NULL DEFAULT '' CHECK (gone IN ('', 'releasing', 'gone'))
) STRICT;
CREATE INDEX addresses_free ON addresses (leased, path) WHERE shown = 0 AND tender IS NULL AND gone = '';

CREATE TABLE quotes (
	id TEXT PRIMARY KEY, currency TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX quotes_until ON quotes (until);

CREATE TABLE sales (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	opened   INTEGER NOT NULL,
	said     TEXT NOT NULL CHECK (said IN ('open', 'paid', 'cancelled', 'parked')),
	ended    INTEGER NOT NULL DEFAULT 0,
	reason   TEXT NOT NULL DEFAULT '',
	change   TEXT,
	shift    TEXT NOT NULL,
	words    TEXT NOT NULL,
	opening  TEXT NOT NULL,
	status   TEXT,
	copies   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sales_live ON sales (position) WHERE said IN ('open', 'parked');
CREATE INDEX sales_shift ON sales (shift, position);

CREATE TABLE tenders (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	sale     TEXT NOT NULL REFERENCES sales (id),
	added    INTEGER NOT NULL,
	address  TEXT NOT NULL,
	quote    TEXT NOT NULL,
	body     TEXT NOT NULL,
	removed  INTEGER NOT NULL DEFAULT 0,
	contract TEXT,
	invoice  TEXT,
	deposit  TEXT
) STRICT;
CREATE INDEX tenders_sale ON tenders (sale, position);
CREATE INDEX tenders_quote ON tenders (quote);
CREATE INDEX tenders_address ON tenders (address) WHERE address <> '';

CREATE TABLE tabs (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	sale     TEXT NOT NULL REFERENCES sales (id),
	body     TEXT NOT NULL,
	charged  INTEGER NOT NULL DEFAULT 0,
	closed   INTEGER NOT NULL DEFAULT 0,
	status   TEXT
) STRICT;
CREATE INDEX tabs_sale ON tabs (sale, position);

CREATE TABLE refunds (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	sale     TEXT NOT NULL REFERENCES sales (id),
	body     TEXT NOT NULL
) STRICT;
CREATE INDEX refunds_sale ON refunds (sale, position);

CREATE TABLE shifts (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	opened   INTEGER NOT NULL,
	opening  TEXT NOT NULL,
	closed   INTEGER NOT NULL DEFAULT 0,
	closing  TEXT,
	z        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE payouts (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	state    TEXT NOT NULL,
	own      INTEGER NOT NULL CHECK (own IN (0, 1)),
	body     TEXT NOT NULL
) STRICT;
CREATE INDEX payouts_doubt ON payouts (position) WHERE state = 'unknown' AND own = 1;

CREATE TABLE jobs (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	kind   TEXT NOT NULL,
	sale   TEXT NOT NULL,
	copy   INTEGER NOT NULL,
	data   BLOB NOT NULL,
	state  TEXT NOT NULL CHECK (state IN ('pending', 'printing', 'printed', 'dropped')),
	queued INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_waiting ON jobs (id) WHERE state IN ('pending', 'printing');
CREATE INDEX jobs_sale ON jobs (sale) WHERE sale <> '';

CREATE TABLE drafts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
`

// schemaTabs keeps what is told of a tab and what was rung up on it.
const schemaTabs = `
ALTER TABLE tabs ADD COLUMN opened INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tabs ADD COLUMN lines TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tabs ADD COLUMN contract TEXT;
ALTER TABLE tabs ADD COLUMN deposit TEXT;
`

// schemaSearch lets sales be found among years of them: by the beginnings of
// words, by day, and by what was said of them. sale_words holds positions alone.
const schemaSearch = `
CREATE VIRTUAL TABLE sale_words USING fts5 (
	words, content='', columnsize=0, detail=none, tokenize="unicode61 remove_diacritics 2 tokenchars '.'"
);
CREATE TRIGGER sale_words_follow AFTER INSERT ON sales
BEGIN INSERT INTO sale_words (rowid, words) VALUES (new.position, new.words); END;
CREATE TRIGGER sale_words_change AFTER UPDATE OF words ON sales
BEGIN
	INSERT INTO sale_words (sale_words, rowid, words) VALUES ('delete', old.position, old.words);
	INSERT INTO sale_words (rowid, words) VALUES (new.position, new.words);
END;
INSERT INTO sale_words (rowid, words) SELECT position, words FROM sales;
CREATE INDEX sales_opened ON sales (opened);
CREATE INDEX sales_said ON sales (said, position);
`

// schemaReports finds the shifts among any number of entries, and keeps what the
// first entry of a payout said of its price.
const schemaReports = `
CREATE INDEX journal_closings ON journal (seq) WHERE kind = 'shift_closed';
ALTER TABLE payouts ADD COLUMN noted TEXT;
`

// schemaWords is the dictionary of the words that sales are found by.
const schemaWords = `CREATE TABLE words (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`

// dsn names the database file with how its connections behave: a commit is on
// the disk when it returns (WAL with synchronous FULL), and a writer waits for
// another process, such as a backup, rather than fail.
func dsn(path string, more string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	return (&url.URL{Scheme: "file", Path: whole}).String() +
		"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)" + more, nil
}

// openWriter opens the one writing connection and brings the schema up to date.
func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	// SQLite would make the file readable for everybody.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open terminal database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open terminal database: %w", err)
	}
	name, err := dsn(path, "&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open terminal database: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open terminal database: %w", storage(err))
	}
	return db, nil
}

// openReader opens connections that cannot write.
func openReader(path string) (*sql.DB, error) {
	name, err := dsn(path, "&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open terminal database: %w", err)
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("it was written by a newer till (schema %d, this one knows %d)", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, migrations[version]+fmt.Sprintf("PRAGMA user_version = %d;", version+1))
		if err != nil {
			return errors.Join(fmt.Errorf("schema %d: %w", version+1, err), tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("schema %d: %w", version+1, err)
		}
	}
	return nil
}

// SQLite's result codes that mean there is no room (sqlite.org/rescode.html).
const (
	sqliteFull       = 13
	sqliteIOWrite    = 10 | 3<<8
	sqliteIOShmSize  = 10 | 19<<8
	sqliteCorrupt    = 11
	sqliteNotADB     = 26
	sqlitePrimaryBit = 0xff
)

// storage names what a database error means for the shop.
func storage(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code&sqlitePrimaryBit == sqliteFull, code == sqliteIOWrite, code == sqliteIOShmSize:
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case code&sqlitePrimaryBit == sqliteCorrupt, code&sqlitePrimaryBit == sqliteNotADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// SetAside renames the database of a pairing, terminal.db to terminal-ID.db, so
// that a new pairing begins with empty logs while the old journal is kept. It
// gives the new path. The database must not be open.
func SetAside(ctx context.Context, path string) (string, error) {
	db, err := openWriter(ctx, path)
	if err != nil {
		return "", err
	}
	who, paired, err := loadIdentity(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return "", fmt.Errorf("set terminal database aside: %w", storage(err))
	}
	if !paired {
		return "", fmt.Errorf("set terminal database aside: %w", ErrNotPaired)
	}
	aside := filepath.Join(filepath.Dir(path), "terminal-"+string(who.ID)+".db")
	if _, err := os.Lstat(aside); err == nil {
		return "", fmt.Errorf("set terminal database aside: %s is there already", aside)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("set terminal database aside: %w", err)
	}
	return aside, nil
}
