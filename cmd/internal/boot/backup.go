package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"till/protocol"
	"till/server/store"
)

// BackupOptions say what is backed up.
type BackupOptions struct {
	ServerOptions
	Software   string
	Passphrase protocol.Secret // empty: not encrypted
}

// ErrNoServer: there is nothing to back up.
var ErrNoServer = errors.New("there is no server")

// BackupDone tells what a backup or a restored server holds.
type BackupDone struct {
	Head    BackupHead       `json:"backup"`
	Rows    map[string]int64 `json:"rows"`
	Entries int64            `json:"journal_entries"`
	Bytes   int64            `json:"bytes,omitempty"`
}

// WriteBackup backs a server up to a new file at path, which replaces another once
// it is whole and durable. The server may run: the database is read at one moment.
// A terminal's own half is not in it: its key never leaves the machine.
func WriteBackup(ctx context.Context, o BackupOptions, path string) (*BackupDone, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make backup: %w", err)
	}
	done, err := writeBackup(ctx, o, f)
	if err == nil {
		done.Bytes, err = f.Seek(0, io.SeekCurrent)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = errors.Join(os.Rename(f.Name(), path), syncDir(filepath.Dir(path)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make backup: %w", err), removed(f.Name()))
	}
	return done, nil
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func writeBackup(ctx context.Context, o BackupOptions, w io.Writer) (*BackupDone, error) {
	now := o.Clock.Now()
	a, err := newArchiver(w, o.Passphrase, now)
	if err != nil {
		return nil, err
	}
	done := &BackupDone{Head: BackupHead{Format: archiveFormat, Software: o.Software, Created: protocol.TimeOf(now), Practice: o.Practice}}
	mint := filepath.Join(o.Dir, "mint.db")
	if _, err := os.Stat(mint); o.Practice && err == nil {
		if done.Head.Mint, err = store.Schema(ctx, mint); err != nil {
			return nil, err
		}
	}
	begin := func(schema int) error {
		done.Head.Schema = schema
		if err := a.json(archiveHead, done.Head); err != nil {
			return err
		}
		return a.files(o.ServerOptions)
	}
	a.rows(archiveServer)
	err = store.Dump(ctx, storeLocation(o.Config, o.Dir, o.Practice), begin, a.row)
	if errors.Is(err, store.ErrNoDatabase) {
		err = errors.Join(ErrNoServer, err)
	}
	if err == nil {
		err = a.flush()
	}
	if err == nil && done.Head.Mint > 0 {
		a.rows(archiveMint)
		err = errors.Join(store.Dump(ctx, mint, func(int) error { return nil }, a.row), a.flush())
	}
	if err = errors.Join(err, a.close()); err != nil {
		return nil, err
	}
	done.Rows, done.Entries = a.sums.Rows, a.sums.Rows[archiveServer+"journal"]
	return done, nil
}

// keyPath is where the key lies that seals the database's secrets.
func keyPath(o ServerOptions) string {
	if o.Config.Store.KeyFile != "" && !o.Practice {
		return o.Config.Store.KeyFile
	}
	return filepath.Join(o.Dir, "server.key")
}

// files writes what stands beside the database; only the key must be there.
func (a *archiver) files(o ServerOptions) error {
	c := o.Config
	if o.Practice {
		c = practiceConfig(*c)
	}
	for _, f := range []struct{ name, path string }{
		{"server.key", keyPath(o)}, {"wallet.seed", SeedPath(c, o.Dir)}, {"wallet.descriptor", DescriptorPath(o.Dir)},
		{"mint.key", filepath.Join(o.Dir, "mint.key")},
	} {
		text, err := readFile(f.path)
		if errors.Is(err, os.ErrNotExist) && f.name != "server.key" {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", f.name, err)
		}
		if err := a.entry(archiveFiles+f.name, text); err != nil {
			return err
		}
	}
	if len(o.Sources.Text) > 0 {
		return a.entry(archiveFiles+"till.toml", o.Sources.Text)
	}
	return nil
}
