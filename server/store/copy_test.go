package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"till/protocol"
	"till/server"
)

// aShop fills a database with a journal and what hangs on it.
func aShop(t *testing.T, db *DB) {
	t.Helper()
	terminal := addTerminal(t, db, "main")
	first, err := protocol.NewEntry(nil, 5, protocol.EntrySettings, protocol.PersonDid{User: "1"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := protocol.NewEntry(first, 6, protocol.EntrySettings, protocol.PersonDid{User: "2"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, db, func(tx *server.Tx) error {
		return errors.Join(tx.Settings.Set("bytes", []byte{0, 255, '"'}),
			tx.Journal.Append([]server.StoredEntry{{Entry: *first, Terminal: terminal.ID}, {Entry: *second, Terminal: terminal.ID}}))
	})
}

func TestACopyHoldsWhatTheOriginalDoes(t *testing.T) {
	postgres := os.Getenv("TILL_TEST_POSTGRES")
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.db"), filepath.Join(dir, "to.db")
	db := open(t, from)
	aShop(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	places := []string{from, to}
	if postgres != "" {
		emptied(t, postgres)
		places = []string{from, postgres, to}
	}
	for i := range len(places) - 1 {
		copied, err := Copy(t.Context(), places[i], places[i+1])
		if err != nil || copied.Entries != 2 || copied.Rows["terminals"] != 1 {
			t.Fatalf("copied %+v: %v", copied, err)
		}
	}
	if _, err := Copy(t.Context(), from, to); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("over a database: %v", err)
	}
	if _, err := Copy(t.Context(), filepath.Join(dir, "none.db"), filepath.Join(dir, "new.db")); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("of nothing: %v", err)
	}
	db = open(t, to)
	breaches, err := db.Audit(t.Context())
	if err != nil || len(breaches) != 1 { // this journal's head was never moved
		t.Errorf("the copy: %v %v", breaches, err)
	}
}

func TestACopyOfAForgedJournalIsNotMade(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from.db")
	db := open(t, from)
	aShop(t, db)
	if _, err := db.writer.s.conn.ExecContext(t.Context(), `UPDATE journal SET body = '{"user":"3"}' WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Copy(t.Context(), from, filepath.Join(dir, "to.db")); !errors.Is(err, protocol.ErrEntryHash) {
		t.Errorf("got %v", err)
	}
}

func TestADatabaseInUseIsNotCopied(t *testing.T) {
	postgres := os.Getenv("TILL_TEST_POSTGRES")
	if postgres == "" {
		t.Skip("TILL_TEST_POSTGRES names no PostgreSQL")
	}
	emptied(t, postgres)
	db := open(t, postgres)
	claim, err := db.Peers().Claim(t.Context(), server.ClaimWatch)
	if err != nil || claim == nil {
		t.Fatalf("claimed %v: %v", claim, err)
	}
	to := filepath.Join(t.TempDir(), "to.db")
	if _, err := Copy(t.Context(), postgres, to); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
	claim.Release()
	if _, err := Copy(t.Context(), postgres, to); err != nil {
		t.Errorf("after it ended: %v", err)
	}
}
