package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"

	"till/protocol"
)

// Rows of a dump: the values are nil, int64, string or []byte, those of one table
// follow one another, and a table stands behind those it refers to.
type (
	// PutRow takes one row.
	PutRow func(table string, columns []string, values []any) error
	// Rows calls put for every row.
	Rows func(put PutRow) error
)

var (
	// ErrNotEmpty: the database that a dump is to be loaded into is in use.
	ErrNotEmpty = errors.New("there is a database already")
	// ErrNoDatabase: there is nothing to dump.
	ErrNoDatabase = errors.New("there is no database")
	// ErrNewer: the dump is of a later version of the program.
	ErrNewer = errors.New("it was made by a newer till: use that")
)

// Searching is by an index that each database has in its own form; in a dump it is
// a table of the words of each sale, in the order of opening.
const searchTable = "sale_words"

var searchColumns = []string{"sale", "words"}

// raw is a connection without the nouns.
type raw struct {
	*session
	pool  *sql.DB
	begin string
}

func (r *raw) close() error { return errors.Join(r.session.close(), r.pool.Close()) }

func isPostgres(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// openRaw opens the database as it is, for reading one snapshot where look.
func openRaw(ctx context.Context, location string, look bool) (r *raw, err error) {
	r = &raw{}
	if isPostgres(location) {
		config, err := postgresConfig(location)
		if err != nil {
			return nil, err
		}
		r.pool, r.begin = stdlib.OpenDB(*config), "BEGIN ISOLATION LEVEL SERIALIZABLE"
		if look {
			r.begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
		}
	} else {
		dsn := sqliteDSN(location)
		if r.begin = "BEGIN IMMEDIATE"; look {
			if _, err := os.Stat(location); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNoDatabase, err)
			}
			dsn, r.begin = dsn+"&_pragma=query_only(1)", "BEGIN"
		} else if err := touch(location); err != nil {
			return nil, err
		}
		if r.pool, err = sql.Open("sqlite", dsn); err != nil {
			return nil, err
		}
	}
	if r.session, err = newSession(ctx, r.pool); err != nil {
		return nil, errors.Join(err, r.pool.Close())
	}
	r.postgres = isPostgres(location)
	return r, nil
}

// Dump reads a whole database of either kind, which may be in use, at one moment;
// begin hears its schema's version first.
func Dump(ctx context.Context, location string, begin func(schema int) error, put PutRow) (err error) {
	r, err := openRaw(ctx, location, true)
	if err != nil {
		return fmt.Errorf("dump database: %w", err)
	}
	defer func() { err = errors.Join(err, r.close()) }()
	err = r.transaction(ctx, r.begin, func() error {
		var schema int
		if err := r.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&schema); err != nil {
			return fmt.Errorf("%w: %w", ErrNoDatabase, err)
		}
		tables, _, err := schemaOf(schema)
		if err != nil {
			return err
		}
		if err := begin(schema); err != nil {
			return err
		}
		for _, table := range tables {
			if err := r.dumpTable(ctx, table, put); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("dump database: %w", err)
	}
	return nil
}

func (r *raw) dumpTable(ctx context.Context, table string, put PutRow) error {
	query := "SELECT * FROM " + table
	if table == searchTable {
		query = "SELECT sale, words FROM sale_words ORDER BY rowid"
		if r.postgres {
			query = "SELECT id, array_to_string(tsvector_to_array(words), ' ') FROM sales WHERE words IS NOT NULL ORDER BY opened, id"
		}
	}
	rows, err := r.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if table == searchTable {
		columns = searchColumns
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	index := -1 // of the search index, in a form of PostgreSQL's own
	if r.postgres && table == "sales" {
		index = slices.Index(columns, "words")
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		c, v := columns, values
		if index >= 0 {
			c, v = slices.Delete(slices.Clone(c), index, index+1), slices.Delete(slices.Clone(v), index, index+1)
		}
		if err := put(table, c, v); err != nil {
			return err
		}
	}
	return rows.Err()
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// schemaOf gives the tables of a schema in the order of their making, so that each
// stands behind those it refers to, with the files that make it.
func schemaOf(version int) (tables, files []string, err error) {
	if files, err = fs.Glob(migrations, "migrations/*.sql"); err != nil {
		return nil, nil, err
	}
	if version > len(files) {
		return nil, nil, ErrNewer
	}
	files = files[:version]
	for _, name := range files {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		for _, found := range createTable.FindAllSubmatch(text, -1) {
			tables = append(tables, string(found[1]))
		}
		own, err := migrations.ReadFile(strings.Replace(name, "migrations/", "migrations/sqlite/", 1))
		if err == nil && strings.Contains(string(own), "TABLE "+searchTable) {
			tables = append(tables, searchTable)
		}
	}
	return tables, files, nil
}

// Load makes a database of the schema's version and fills it, all or nothing. A
// database that is there is [ErrNotEmpty], or, where replace, dropped (PostgreSQL;
// of a file that is the caller's to move).
func Load(ctx context.Context, location string, schema int, replace bool, rows Rows) (err error) {
	tables, files, err := schemaOf(schema)
	if err != nil {
		return fmt.Errorf("load database: %w", err)
	}
	r, err := openRaw(ctx, location, false)
	if err != nil {
		return fmt.Errorf("load database: %w", err)
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.clear(ctx, replace); err != nil {
		return fmt.Errorf("load database: %w", err)
	}
	if err := migrateWith(ctx, r.session, r.begin, files); err != nil {
		return fmt.Errorf("load database: %w", err)
	}
	err = r.transaction(ctx, r.begin, func() error {
		return rows(func(table string, columns []string, values []any) error {
			if !slices.Contains(tables, table) {
				return fmt.Errorf("there is no table %q", table)
			}
			return r.insert(ctx, table, columns, values)
		})
	})
	if err != nil {
		return fmt.Errorf("load database: %w", err)
	}
	return nil
}

var columnName = regexp.MustCompile(`^[a-z_]{1,63}$`)

func (r *raw) insert(ctx context.Context, table string, columns []string, values []any) error {
	if len(columns) != len(values) || slices.ContainsFunc(columns, func(c string) bool { return !columnName.MatchString(c) }) {
		return fmt.Errorf("table %s: the columns are not understood", table)
	}
	query := ""
	switch {
	case table == searchTable && !slices.Equal(columns, searchColumns):
		return fmt.Errorf("table %s: the columns are not understood", table)
	case table == searchTable && r.postgres:
		query = "UPDATE sales SET words = array_to_tsvector(string_to_array(CAST($2 AS TEXT), ' ')) WHERE id = $1"
	default:
		places := make([]string, len(columns))
		for i := range places {
			places[i] = fmt.Sprintf("$%d", i+1)
		}
		query = "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
	}
	if _, err := r.exec(ctx, query, values...); err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	if words, is := values[len(values)-1].(string); is && table == searchTable && !r.postgres {
		return r.addWords(ctx, strings.Fields(words))
	}
	return nil
}

// addWords puts the words of a sale into SQLite's dictionary.
func (s *session) addWords(ctx context.Context, words []string) error {
	for _, word := range protocol.Dictionary(words) {
		if _, err := s.exec(ctx, "INSERT OR IGNORE INTO words (word) VALUES ($1)", word); err != nil {
			return fmt.Errorf("table words: %w", err)
		}
	}
	return nil
}

// clear fails where there is a database, or drops its tables.
func (r *raw) clear(ctx context.Context, replace bool) error {
	var version int
	if err := r.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&version); err != nil {
		return nil // it has no schema
	}
	if !replace || !r.postgres {
		return ErrNotEmpty
	}
	tables, _, err := schemaOf(version)
	if err != nil {
		return err
	}
	return r.transaction(ctx, r.begin, func() error {
		for _, table := range slices.Backward(append([]string{"schema_version"}, tables...)) {
			if _, err := r.conn.ExecContext(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
				return fmt.Errorf("drop %s: %w", table, err)
			}
		}
		return nil
	})
}

// Schema reads the version of a database's schema.
func Schema(ctx context.Context, location string) (version int, err error) {
	r, err := openRaw(ctx, location, true)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	err = r.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&version)
	if err = errors.Join(err, r.close()); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}
