package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"till/protocol"
	"till/server"
	"till/server/store"
)

// RestoreOptions say where a backup goes.
type RestoreOptions struct {
	ServerOptions
	Passphrase protocol.Secret
	Force      bool // what is there is moved aside, or dropped in PostgreSQL
}

// ErrInTheWay: there is a server already where one is to be restored.
var ErrInTheWay = errors.New("there is a server already")

// restored are the files a backup may bring; nothing else is written.
var restored = []string{"server.key", "wallet.seed", "wallet.descriptor", "mint.key", "till.toml"}

// aside are the files that belong to the server that is in the way.
var aside = []string{"server.db", "server.db-wal", "server.db-shm", "server.key", "wallet.seed", "wallet.descriptor", "mint.db", "mint.db-wal", "mint.db-shm", "mint.key"}

// InspectBackup reads a whole backup, so that what follows cannot fail on it.
func InspectBackup(path string, passphrase protocol.Secret) (head BackupHead, sums BackupSums, err error) {
	sums, err = eachEntry(path, passphrase, func(name string, text []byte) error {
		switch {
		case name == archiveHead:
			head, err = readHead(text)
			return err
		case strings.HasPrefix(name, archiveServer), strings.HasPrefix(name, archiveMint):
			return readRows(text, func(string, []string, []any) error { return nil })
		case strings.HasPrefix(name, archiveFiles) && slices.Contains(restored, strings.TrimPrefix(name, archiveFiles)), name == archiveSums:
			return nil
		}
		return fmt.Errorf("%w: %q does not belong in it", ErrArchive, name)
	})
	return head, sums, err
}

func readHead(text []byte) (head BackupHead, err error) {
	if err := protocol.DecodeResult(text, &head); err != nil {
		return head, errors.Join(ErrArchive, err)
	}
	if head.Format != archiveFormat {
		return head, fmt.Errorf("the backup has format %d: use the till that made it, %s", head.Format, head.Software)
	}
	return head, nil
}

func eachEntry(path string, passphrase protocol.Secret, f func(name string, text []byte) error) (BackupSums, error) {
	file, err := os.Open(path)
	if err != nil {
		return BackupSums{}, fmt.Errorf("open backup: %w", err)
	}
	sums, err := readArchive(file, passphrase, f)
	if err = errors.Join(err, file.Close()); err != nil {
		return sums, fmt.Errorf("read backup: %w", err)
	}
	return sums, nil
}

// Restore makes a server of a backup: in o.Dir, and in PostgreSQL where that is
// configured and the backup is not of a practice shop. Everything is read before
// anything is written; what was restored is brought to the present schema, given a
// new alert log, and verified before it takes its place. The caller holds the lock
// of o.Dir.
func Restore(ctx context.Context, o RestoreOptions, path string) (*BackupDone, error) {
	head, sums, err := InspectBackup(path, o.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	there := o.inTheWay()
	if len(there) > 0 && !o.Force {
		return nil, fmt.Errorf("restore: %w: %s in %s", ErrInTheWay, strings.Join(there, ", "), o.Dir)
	}
	stage := filepath.Join(o.Dir, "restoring")
	if err := errors.Join(os.RemoveAll(stage), os.MkdirAll(stage, 0o700)); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	done := &BackupDone{Head: head, Rows: sums.Rows}
	if err = o.stage(ctx, path, stage, head); err == nil {
		err = o.verify(ctx, stage, done)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("restore: %w", err), os.RemoveAll(stage))
	}
	if err := errors.Join(o.moveAside(there), o.moveIn(stage)); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return done, nil
}

// inTheWay names the files of a server that is there.
func (o RestoreOptions) inTheWay() (there []string) {
	for _, name := range aside {
		if _, err := os.Stat(filepath.Join(o.Dir, name)); err == nil {
			there = append(there, name)
		}
	}
	return there
}

// moveAside keeps them in a directory of their own.
func (o RestoreOptions) moveAside(there []string) error {
	if len(there) == 0 {
		return nil
	}
	to := filepath.Join(o.Dir, "before-restore-"+o.Clock.Now().Format("20060102T150405.000"))
	if err := os.Mkdir(to, 0o700); err != nil {
		return fmt.Errorf("move the old server aside: %w", err)
	}
	for _, name := range there {
		if err := os.Rename(filepath.Join(o.Dir, name), filepath.Join(to, name)); err != nil {
			return fmt.Errorf("move the old server aside: %w", err)
		}
	}
	return nil
}

// location is where the database is made: beside its place where it is a file.
func (o RestoreOptions) location(stage string) string {
	if at := storeLocation(o.Config, o.Dir, o.Practice); at != filepath.Join(o.Dir, "server.db") {
		return at
	}
	return filepath.Join(stage, "server.db")
}

// stage writes everything that is in the backup.
func (o RestoreOptions) stage(ctx context.Context, path, stage string, head BackupHead) error {
	_, err := eachEntry(path, o.Passphrase, func(name string, text []byte) error {
		if file, is := strings.CutPrefix(name, archiveFiles); is {
			return writeDurably(filepath.Join(stage, file), text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	rows := func(prefix string) store.Rows {
		return func(put store.PutRow) error {
			_, err := eachEntry(path, o.Passphrase, func(name string, text []byte) error {
				if !strings.HasPrefix(name, prefix) {
					return nil
				}
				return readRows(text, put)
			})
			return err
		}
	}
	err = store.Load(ctx, o.location(stage), head.Schema, o.Force, rows(archiveServer))
	if errors.Is(err, store.ErrNotEmpty) {
		err = errors.Join(ErrInTheWay, err)
	}
	if err == nil && head.Mint > 0 {
		err = store.Load(ctx, filepath.Join(stage, "mint.db"), head.Mint, o.Force, rows(archiveMint))
	}
	return err
}

// verify brings the database to the present schema, gives it a new alert log, and
// looks at every journal.
func (o RestoreOptions) verify(ctx context.Context, stage string, done *BackupDone) error {
	db, err := store.Open(ctx, o.location(stage))
	if err != nil {
		return err
	}
	err = server.Restored(ctx, db, o.Clock.Time(), o.Random)
	if err == nil {
		err = server.VerifyJournals(ctx, db, func(r server.JournalReport) {
			done.Entries += r.Entries
			if r.Bad != 0 {
				o.Log.Warn("restored journal is broken", "terminal", r.Name, "entry", r.Bad, "fault", r.Fault)
			}
		})
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if want := done.Rows[archiveServer+"journal"]; done.Entries != want {
		return fmt.Errorf("verify: %d journal entries of %d", done.Entries, want)
	}
	return nil
}

// moveIn puts the staged files in their places; the database is the last, since it
// makes the directory a server's.
func (o RestoreOptions) moveIn(stage string) error {
	places := map[string]string{"server.key": keyPath(o.ServerOptions)}
	for _, name := range append(slices.Clone(restored), "mint.db", "server.db") {
		from, to := filepath.Join(stage, name), places[name]
		if to == "" {
			to = filepath.Join(o.Dir, name)
		}
		text, err := os.Open(from)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && filepath.Dir(to) != o.Dir {
			err = copyDurably(text, to)
		} else if err == nil {
			err = os.Rename(from, to)
		}
		if err = errors.Join(err, text.Close()); err != nil {
			return fmt.Errorf("move %s to its place: %w", name, err)
		}
	}
	return errors.Join(syncDir(o.Dir), os.RemoveAll(stage))
}

// copyDurably takes a file to another directory, never over another content.
func copyDurably(from io.Reader, to string) error {
	text, err := io.ReadAll(io.LimitReader(from, maxWalletFile))
	if err != nil {
		return err
	}
	switch there, err := readFile(to); {
	case err == nil && bytes.Equal(there, text):
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %s", ErrInTheWay, to)
	}
	return writeDurably(to, text)
}
