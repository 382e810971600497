package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

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

// writeDurably writes a secret file, mode 0600, whole or not at all.
func writeDurably(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
