package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// eachDatabase runs the same facts on a fresh SQLite file and, where
// TILL_TEST_POSTGRES names a PostgreSQL database that may be emptied, there.
func eachDatabase(t *testing.T, facts func(t *testing.T, db *DB)) {
	t.Run("sqlite", func(t *testing.T) {
		facts(t, open(t, filepath.Join(t.TempDir(), "server?.db")))
	})
	if location := os.Getenv("TILL_TEST_POSTGRES"); location != "" {
		t.Run("postgres", func(t *testing.T) {
			emptied(t, location)
			facts(t, open(t, location))
		})
	}
}

// emptied drops whatever a PostgreSQL database holds.
func emptied(t *testing.T, location string) {
	t.Helper()
	pool, err := sql.Open("pgx", location)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.ExecContext(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	if err := errors.Join(err, pool.Close()); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, location string) *DB {
	t.Helper()
	db, err := Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

var testRandom = rand.New(rand.NewSource(1))

func newID[T ~string](t *testing.T) T {
	t.Helper()
	id, err := protocol.NewID(time.UnixMilli(1_700_000_000_000), testRandom)
	if err != nil {
		t.Fatal(err)
	}
	return T(id)
}

func addTerminal(t *testing.T, db *DB, name string) *server.Terminal {
	t.Helper()
	terminal := &server.Terminal{ID: newID[protocol.TerminalID](t), Name: name, State: server.TerminalLiving,
		JournalHash: protocol.NoHash, Devices: []protocol.DeviceState{{Name: "printer", State: "ready"}}}
	write(t, db, func(tx *server.Tx) error { return tx.Terminals.Insert(terminal) })
	return terminal
}

func write(t *testing.T, db *DB, f func(tx *server.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, db *DB, f func(tx *server.Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		failure := errors.New("no")
		err := db.Write(t.Context(), func(tx *server.Tx) error {
			if err := tx.Settings.Set("a", []byte("1")); err != nil {
				return err
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatalf("got %v", err)
		}
		read(t, db, func(tx *server.Tx) error {
			if _, err := tx.Settings.Get("a"); !errors.Is(err, server.ErrNotFound) {
				t.Errorf("the setting stayed: %v", err)
			}
			return nil
		})
	})
}

// One in three of many concurrent writers fails on purpose; the others' facts
// must all be there and the failed ones' must not, whatever shared a commit.
func TestAFailingWriterTakesNothingFromThoseItSharesACommitWith(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		const writers = 300
		failure := errors.New("no")
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				err := db.Write(t.Context(), func(tx *server.Tx) error {
					if err := tx.Settings.Set(fmt.Sprint("n", i), []byte{byte(i)}); err != nil {
						return err
					}
					if i%3 == 0 {
						return failure
					}
					return nil
				})
				if (i%3 == 0) != errors.Is(err, failure) || (i%3 != 0 && err != nil) {
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		group.Wait()
		read(t, db, func(tx *server.Tx) error {
			for i := range writers {
				_, err := tx.Settings.Get(fmt.Sprint("n", i))
				if (i%3 == 0) != errors.Is(err, server.ErrNotFound) {
					t.Errorf("setting %d: %v", i, err)
				}
			}
			return nil
		})
	})
}

func TestASnapshotDoesNotSeeLaterWritesAndCannotWrite(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		write(t, db, func(tx *server.Tx) error { return tx.Settings.Set("a", []byte("before")) })
		read(t, db, func(tx *server.Tx) error {
			if _, err := tx.Settings.Get("a"); err != nil {
				return err
			}
			write(t, db, func(tx *server.Tx) error { return tx.Settings.Set("a", []byte("after")) })
			if value, err := tx.Settings.Get("a"); err != nil || string(value) != "before" {
				t.Errorf("the snapshot shows %q, %v", value, err)
			}
			return nil
		})
		err := db.Read(t.Context(), func(tx *server.Tx) error { return tx.Settings.Set("a", nil) })
		if err == nil {
			t.Error("a snapshot could write")
		}
	})
}

func TestACallerWhoLeavesSpoilsNoConnection(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		for n := range 1000 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			_ = db.Read(ctx, func(tx *server.Tx) error { // whether it was in time is chance
				_, err := tx.Terminals.List()
				return err
			})
			_ = db.Write(ctx, func(tx *server.Tx) error { return tx.Settings.Set("left", []byte{byte(n)}) })
		}
		for range snapshots {
			read(t, db, func(tx *server.Tx) error { _, err := tx.Terminals.List(); return err })
			write(t, db, func(tx *server.Tx) error { return tx.Settings.Set("stayed", []byte("on")) })
		}
	})
}

func TestAStaleTerminalIsNotWritten(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		terminal := addTerminal(t, db, "counter")
		stale := *terminal
		terminal.Name = "bar"
		write(t, db, func(tx *server.Tx) error { return tx.Terminals.Update(terminal) })
		stale.Name = "hall"
		err := db.Write(t.Context(), func(tx *server.Tx) error { return tx.Terminals.Update(&stale) })
		if !errors.Is(err, server.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
		read(t, db, func(tx *server.Tx) error {
			got, err := tx.Terminals.Named("bar")
			if err != nil || got.Version != 1 || len(got.Devices) != 1 || got.Devices[0].Name != "printer" {
				t.Errorf("got %+v, %v", got, err)
			}
			return nil
		})
	})
}

func TestANameIsFreeAgainWhenItsTerminalIsRevoked(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		terminal := addTerminal(t, db, "counter")
		second := *terminal
		second.ID = newID[protocol.TerminalID](t)
		insert := func(tx *server.Tx) error { return tx.Terminals.Insert(&second) }
		if err := db.Write(t.Context(), insert); err == nil {
			t.Fatal("two living terminals have one name")
		}
		terminal.State = server.TerminalRevoked
		write(t, db, func(tx *server.Tx) error { return tx.Terminals.Update(terminal) })
		write(t, db, insert)
	})
}

func TestAlertsAreNumberedWithoutGaps(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		a, b := addTerminal(t, db, "a"), addTerminal(t, db, "b")
		var group sync.WaitGroup
		const each = 40
		for i := range 2 * each {
			group.Go(func() {
				id := a.ID
				if i%2 == 1 {
					id = b.ID
				}
				err := db.Write(t.Context(), func(tx *server.Tx) error {
					if _, err := tx.Alerts.Append(id, 1, protocol.AlertConfig, []byte(`{"version":1}`)); err != nil {
						return err
					}
					if i%10 == 9 {
						return errors.New("rolled back")
					}
					return nil
				})
				if (err != nil) != (i%10 == 9) {
					t.Errorf("alert %d: %v", i, err)
				}
			})
		}
		group.Wait()
		read(t, db, func(tx *server.Tx) error {
			for id, want := range map[protocol.TerminalID]int{a.ID: each, b.ID: each - 2*each/10} {
				list, err := tx.Alerts.After(id, 0, 1000)
				if err != nil || len(list) != want {
					t.Errorf("%d alerts, want %d, %v", len(list), want, err)
				}
				for i, alert := range list {
					if alert.Seq != int64(i+1) {
						t.Errorf("alert %d has number %d", i, alert.Seq)
					}
				}
			}
			return nil
		})
		write(t, db, func(tx *server.Tx) error { return errors.Join(tx.Alerts.Ack(a.ID, 7), tx.Alerts.Ack(a.ID, 3)) })
		read(t, db, func(tx *server.Tx) error {
			if got, err := tx.Terminals.Get(a.ID); err != nil || got.AlertAck != 7 {
				t.Errorf("acknowledged %d, %v", got.AlertAck, err)
			}
			return nil
		})
	})
}

func TestASaleTellsItsEventsAndRefusesStaleWrites(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		terminal := addTerminal(t, db, "counter")
		sale := &server.Sale{ID: newID[protocol.SaleID](t), Terminal: terminal.ID, Opened: 5, Total: protocol.Money{Currency: "EUR", Minor: 1230}, State: protocol.SaleOpen}
		write(t, db, func(tx *server.Tx) error { return tx.Sales.Insert(sale) })
		stale := *sale
		sale.State, sale.Flags, sale.Status = protocol.SaleSeen, []protocol.Flag{protocol.FlagUnderpaid}, []byte(`{}`)
		write(t, db, func(tx *server.Tx) error { return tx.Sales.Update(sale, 6, "payment") })
		write(t, db, func(tx *server.Tx) error { return tx.Sales.Update(sale, 7, "same") })
		err := db.Write(t.Context(), func(tx *server.Tx) error { return tx.Sales.Update(&stale, 8, "stale") })
		if !errors.Is(err, server.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
		read(t, db, func(tx *server.Tx) error {
			got, err := tx.Sales.Get(sale.ID)
			if err != nil || got.State != protocol.SaleSeen || len(got.Flags) != 1 || got.Total != sale.Total {
				t.Errorf("got %+v, %v", got, err)
			}
			live, err := tx.Sales.Live()
			if err != nil || len(live) != 1 {
				t.Errorf("live %v, %v", live, err)
			}
			list, err := tx.Books.Sales(server.SaleFilter{State: protocol.SaleSeen, Most: 10})
			if err != nil || len(list) != 1 {
				t.Errorf("list %v, %v", list, err)
			}
			return nil
		})
		var events int
		s := <-db.read
		err = s.conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sale_events").Scan(&events)
		db.read <- s
		if err != nil || events != 1 {
			t.Errorf("%d events, %v", events, err)
		}
	})
}

func TestAnInputIsReservedOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		payout := func() *server.Payout {
			return &server.Payout{ID: newID[protocol.PayoutID](t), Of: protocol.PayoutDispense, State: protocol.PayoutReserved,
				Day: "2026-11-22", Amount: 100, Fee: 5, Value: protocol.Money{Currency: "EUR", Minor: 7}, Spends: []server.Outpoint{{TxID: "aa", Vout: 1}}}
		}
		first, second := payout(), payout()
		write(t, db, func(tx *server.Tx) error { return tx.Payouts.Insert(first) })
		insert := func(tx *server.Tx) error { return tx.Payouts.Insert(second) }
		if err := db.Write(t.Context(), insert); err == nil {
			t.Fatal("two payouts spend one output")
		}
		first.State = protocol.PayoutRefused
		write(t, db, func(tx *server.Tx) error { return tx.Payouts.Update(first, 9) })
		write(t, db, insert)
		read(t, db, func(tx *server.Tx) error {
			sums, err := tx.Payouts.Limits().OfShop("2026-11-22")
			if err != nil || sums != (server.PayoutSums{Sat: 105, Minor: 7}) {
				t.Errorf("sums %+v, %v: a refused payout gives its limit back", sums, err)
			}
			got, err := tx.Payouts.Get(second.ID)
			if err != nil || len(got.Spends) != 1 || got.Value != second.Value {
				t.Errorf("got %+v, %v", got, err)
			}
			return nil
		})
	})
}

func TestACodeIsUsedOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *DB) {
		for _, try := range []struct {
			step int64
			good bool
		}{{100, true}, {100, false}, {99, false}, {101, true}} {
			write(t, db, func(tx *server.Tx) error {
				good, err := tx.Approvals.Use("2", try.step)
				if good != try.good {
					t.Errorf("step %d: %v, want %v", try.step, good, try.good)
				}
				return err
			})
		}
	})
}

func TestACommittedWriteIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	db := open(t, path)
	terminal := addTerminal(t, db, "counter")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(*server.Tx) error { return nil }); err == nil {
		t.Error("a closed database takes writes")
	}
	if err := db.Read(t.Context(), func(*server.Tx) error { return nil }); err == nil {
		t.Error("a closed database is read")
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		t.Errorf("%d bytes stand beside the file: a copy of it would lose them", log.Size())
	}
	db = open(t, path)
	read(t, db, func(tx *server.Tx) error {
		_, err := tx.Terminals.Get(terminal.ID)
		return err
	})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: others may read it", info.Mode(), err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	db := open(t, path)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(t.Context(), "INSERT INTO schema_version VALUES (999)"); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "use the newer till") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkWrite measures durable writes of one client and of sixteen, by turns
// with an append of a page and an fsync on the same disk. "of_fsync" is how many
// writes there are to one such fsync: above 1 where writes share a commit.
func BenchmarkWrite(b *testing.B) {
	dir := b.TempDir()
	db, err := Open(context.Background(), filepath.Join(dir, "server.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	bare, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = bare.Close() }()
	page := make([]byte, 4096)
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			var whole, plain time.Duration
			synced := 0
			for done := 0; done < b.N; {
				n := min(64*clients, b.N-done)
				done += n
				var left atomic.Int64
				left.Store(int64(n))
				var all sync.WaitGroup
				start := time.Now()
				for range clients {
					all.Go(func() {
						for n := left.Add(-1); n >= 0; n = left.Add(-1) {
							// What is there already would not be written again.
							value := fmt.Appendf(nil, "%d %d", done, n)
							err := db.Write(context.Background(), func(tx *server.Tx) error { return tx.Settings.Set("a", value) })
							if err != nil {
								b.Error(err)
							}
						}
					})
				}
				all.Wait()
				whole += time.Since(start)
				b.StopTimer()
				start = time.Now()
				for range 16 {
					if _, err := bare.Write(page); err != nil {
						b.Fatal(err)
					}
					if err := bare.Sync(); err != nil {
						b.Fatal(err)
					}
					synced++
				}
				plain += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.N)/whole.Seconds(), "writes/s")
			b.ReportMetric(float64(synced)/plain.Seconds(), "fsyncs/s")
			b.ReportMetric(float64(b.N)/whole.Seconds()*plain.Seconds()/float64(synced), "of_fsync")
		})
	}
}
