package boot

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"till/server/store"
)

// CopyStore copies a server's database to another place, each the path of a file
// or postgres://…. The data directories of files are held meanwhile: no till may
// be at work on them.
func CopyStore(ctx context.Context, from, to string) (copied store.Copied, err error) {
	held := map[string]bool{}
	for _, location := range []string{from, to} {
		if strings.Contains(location, "://") {
			continue
		}
		dir, err := filepath.Abs(filepath.Dir(location))
		if err != nil {
			return copied, err
		}
		if held[dir] {
			continue
		}
		held[dir] = true
		lock, err := TakeLock(dir)
		if err != nil {
			return copied, err
		}
		defer func() { _ = lock.Release() }()
	}
	copied, err = store.Copy(ctx, from, to)
	switch {
	case errors.Is(err, store.ErrNotEmpty), errors.Is(err, store.ErrInUse), errors.Is(err, store.ErrNoDatabase):
		err = errors.Join(ErrRefused, err)
	}
	return copied, err
}
