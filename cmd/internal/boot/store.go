package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"till/cmd/internal/config"
	"till/server"
	"till/server/store"
)

// storeLocation is where a server keeps its data: the configured PostgreSQL, or
// a file in the data directory.
func storeLocation(c *config.Config, dir string, practice bool) string {
	if c.Store.URL == "" || practice {
		return filepath.Join(dir, "server.db")
	}
	return c.Store.URL
}

// openStore opens the database and the key that seals its secrets.
func openStore(ctx context.Context, o ServerOptions) (db *store.DB, key []byte, err error) {
	if db, err = store.Open(ctx, storeLocation(o.Config, o.Dir, o.Practice)); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if key, err = storeKey(ctx, db, o); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, key, nil
}

// storeKey reads the sealing key, which all servers on one database hold. Only the
// first of them makes it.
func storeKey(ctx context.Context, db server.Store, o ServerOptions) ([]byte, error) {
	path := keyPath(o)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		used, err := server.Used(ctx, db)
		if err != nil {
			return nil, err
		}
		if used {
			return nil, fmt.Errorf("the database is sealed with a key that is not in %s: copy server.key from the data directory of the server that made it, or from its backup, or name it in store.key_file", path)
		}
	}
	return sealKey(path, o.Random)
}

// sealKey reads the 32 bytes that seal the server's secrets in its database, or
// makes them at the first start. Losing the file means pairing every terminal
// anew; a backup of the database without it gives a thief nothing.
func sealKey(path string, random io.Reader) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) != 32 {
		return nil, fmt.Errorf("read %s: it must have 32 bytes; restore it from the backup", filepath.Base(path))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key = make([]byte, 32)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("make seal key: %w", err)
	}
	if err := writeDurably(path, key); err != nil {
		return nil, fmt.Errorf("write seal key: %w", err)
	}
	return key, nil
}
