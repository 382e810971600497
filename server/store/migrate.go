package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema to the newest version, one transaction a step. What
// only one of the databases can do stands in a file of the same name in its folder.
func migrate(ctx context.Context, s *session, begin string) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	return migrateWith(ctx, s, begin, files)
}

// migrateWith brings the schema to the version that the last of the files makes.
func migrateWith(ctx context.Context, s *session, begin string, files []string) error {
	if _, err := s.conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)"); err != nil {
		return fmt.Errorf("make schema table: %w", err)
	}
	var have int
	if err := s.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > len(files) {
		return fmt.Errorf("the database has schema %d and this program knows %d: use the newer till", have, len(files))
	}
	for i, name := range files[have:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		folder := "sqlite"
		if s.postgres {
			folder = "postgres"
		}
		own, err := migrations.ReadFile(path.Join(path.Dir(name), folder, path.Base(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err = s.transaction(ctx, begin, func() error {
			if _, err := s.conn.ExecContext(ctx, string(text)+"\n"+string(own)); err != nil {
				return err
			}
			_, err := s.conn.ExecContext(ctx, fmt.Sprintf("INSERT INTO schema_version (version) VALUES (%d)", have+i+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate with %s: %w", name, err)
		}
	}
	return nil
}
