package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"till/protocol"
	"till/server"
)

// dumped is every row of a database as text, sorted.
func dumped(t *testing.T, location string) (schema int, all []string, rows []func(PutRow) error) {
	t.Helper()
	err := Dump(t.Context(), location, func(s int) error { schema = s; return nil }, func(table string, columns []string, values []any) error {
		columns, values = slices.Clone(columns), slices.Clone(values)
		for i, v := range values {
			if b, is := v.([]byte); is {
				values[i] = slices.Clone(b)
			}
		}
		rows = append(rows, func(put PutRow) error { return put(table, columns, values) })
		order := slices.Clone(columns)
		slices.Sort(order)
		line := table
		for _, name := range order {
			line += fmt.Sprintf(" %s=%T:%v", name, values[slices.Index(columns, name)], values[slices.Index(columns, name)])
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return schema, all, rows
}

func TestADumpOfEitherDatabaseLoadsIntoEither(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		terminal := &server.Terminal{ID: "01900000-0000-7000-8000-000000000001", Name: "main", State: server.TerminalLiving, JournalHash: protocol.NoHash}
		sale := &server.Sale{ID: "01900000-0000-7000-8000-000000000002", Terminal: terminal.ID, Opened: 5, State: protocol.SaleOpen,
			Total: protocol.Money{Currency: "EUR", Minor: 1230}, Words: []string{"größe", "kaffee"}}
		err := db.Write(t.Context(), func(tx *server.Tx) error {
			return errors.Join(tx.Settings.Set("bytes", []byte{0, 255, '"'}), tx.Terminals.Insert(terminal), tx.Sales.Insert(sale),
				tx.Shop.PutUser(&server.StaffUser{User: protocol.User{ID: "1", Name: "Ana\u2028", Role: protocol.RoleCashier}}),
				tx.Pushes.Insert(&server.Push{Text: "x", State: server.PushHolds}))
		})
		if err != nil {
			t.Fatal(err)
		}
		from := os.Getenv("TILL_TEST_POSTGRES")
		if db.writer != nil {
			from = filepath.Join(t.TempDir(), "from.db")
			if _, err := db.writer.s.conn.ExecContext(t.Context(), "VACUUM INTO $1", from); err != nil {
				t.Fatal(err)
			}
		}
		schema, want, rows := dumped(t, from)
		if len(want) < 6 {
			t.Fatalf("%d rows", len(want))
		}
		feed := func(put PutRow) error {
			for _, row := range rows {
				if err := row(put); err != nil {
					return err
				}
			}
			return nil
		}
		targets := []string{filepath.Join(t.TempDir(), "to.db")}
		if db.writer != nil && os.Getenv("TILL_TEST_POSTGRES") != "" {
			targets = append(targets, os.Getenv("TILL_TEST_POSTGRES"))
		}
		for _, to := range targets {
			if err := Load(t.Context(), to, schema, true, feed); err != nil {
				t.Fatalf("%s: %v", to, err)
			}
			if _, got, _ := dumped(t, to); !slices.Equal(got, want) {
				t.Errorf("into %s:\n%q\nnot\n%q", to, got, want)
			}
			if err := Load(t.Context(), to, schema, false, feed); !errors.Is(err, ErrNotEmpty) {
				t.Errorf("over another: %v", err)
			}
			again, err := Open(t.Context(), to)
			if err != nil {
				t.Fatal(err)
			}
			err = again.Read(t.Context(), func(tx *server.Tx) error {
				found, err := tx.Books.Sales(server.SaleFilter{Text: "kaff", Most: 5})
				if err == nil && len(found) != 1 {
					err = fmt.Errorf("the words find %d sales", len(found))
				}
				return err
			})
			if err := errors.Join(err, again.Close()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestADumpThatIsNotUnderstoodLeavesNothing(t *testing.T) {
	to := filepath.Join(t.TempDir(), "to.db")
	for name, row := range map[string]func(PutRow) error{
		"table": func(put PutRow) error { return put("nothing", []string{"a"}, []any{"b"}) },
		"column": func(put PutRow) error {
			return put("settings", []string{"name, value) VALUES ('x', 'y'); --"}, []any{"b"})
		},
		"value": func(put PutRow) error { return put("settings", []string{"name", "value"}, []any{"only", nil}) },
	} {
		path := to + name
		if err := Load(t.Context(), path, 1, false, func(put PutRow) error {
			return errors.Join(put("settings", []string{"name", "value"}, []any{"kept", []byte("x")}), row(put))
		}); err == nil {
			t.Errorf("%s: loaded", name)
		}
		if _, all, _ := dumped(t, path); len(all) != 0 {
			t.Errorf("%s: %q stays", name, all)
		}
	}
	if err := Load(t.Context(), to, 1000, false, nil); !errors.Is(err, ErrNewer) {
		t.Errorf("of a later schema: %v", err)
	}
}
