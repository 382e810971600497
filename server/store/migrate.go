package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to the newest version, one transaction a step.
func migrate(ctx context.Context, s *session, begin string) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
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
		err = s.transaction(ctx, begin, func() error {
			if _, err := s.conn.ExecContext(ctx, string(text)); err != nil {
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
