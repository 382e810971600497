package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"till/protocol"
)

func drawer(reason string) protocol.DrawerOpened { return protocol.DrawerOpened{Reason: reason} }

// copyDatabase is what a backup of the terminal is.
func copyDatabase(t *testing.T, from, to string) {
	t.Helper()
	for _, end := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(from + end)
		if os.IsNotExist(err) {
			_ = os.Remove(to + end)
			continue
		}
		must(t, err)
		must(t, os.WriteFile(to+end, data, 0o600))
	}
}

func reasons(t *testing.T, entries []protocol.Entry) string {
	t.Helper()
	var words []string
	for _, e := range entries {
		var d protocol.DrawerOpened
		must(t, protocol.DecodeResult(e.Body, &d))
		words = append(words, d.Reason)
	}
	return strings.Join(words, " ")
}

func TestATerminalRestoredFromABackupGoesOnAfterWhatTheServerHas(t *testing.T) {
	c := paired(t)
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	c.exchange()
	must(t, c.Terminal.Close())
	copyDatabase(t, c.path, c.path+".backup")
	c.open()
	c.append(protocol.EntryDrawerOpened, drawer("lost1"))
	c.append(protocol.EntryDrawerOpened, drawer("lost2"))
	c.exchange()
	must(t, c.Terminal.Close())
	copyDatabase(t, c.path+".backup", c.path)
	c.open()

	first := c.append(protocol.EntryDrawerOpened, drawer("b"))
	c.exchange() // the fork
	if !c.shop.suspended {
		t.Fatal("the server did not see the fork")
	}
	if h := c.Health(); h.Suspended == nil || h.Unsent != 1 {
		t.Errorf("health %+v", h)
	}
	c.append(protocol.EntryDrawerOpened, drawer("c")) // the shop goes on
	for range 2 {
		c.exchange()
		if got := reasons(t, c.shop.journal); got != "a lost1 lost2" {
			t.Errorf("before the resume the server has %q", got)
		}
		c.restart()
		c.verify()
	}
	if _, ok := c.Quote(c.shop.clock.Now()); ok {
		t.Error("a suspended terminal quotes")
	}
	c.shop.resume()
	c.exchange()
	if got := reasons(t, c.shop.journal); got != "a lost1 lost2 b c" {
		t.Errorf("the server has %q", got)
	}
	var body struct{ Was protocol.Hash }
	must(t, json.Unmarshal(c.shop.journal[3].Body, &body))
	if body.Was != first.Hash || c.shop.journal[3].At != first.At {
		t.Errorf("was %q, want %q", body.Was, first.Hash)
	}
	if h := c.Health(); h.Suspended != nil || h.Unsent != 0 {
		t.Errorf("health %+v", h)
	}
	c.verify()
	c.restart()
	c.append(protocol.EntryDrawerOpened, drawer("d"))
	c.exchange()
	if got := reasons(t, c.shop.journal); got != "a lost1 lost2 b c d" {
		t.Errorf("the server has %q", got)
	}
	c.verify()
}

func TestAnEntryThatTheServerStoredOtherwiseIsAppendedAgain(t *testing.T) {
	c := paired(t)
	for _, r := range []string{"a", "b"} {
		c.append(protocol.EntryDrawerOpened, drawer(r))
	}
	c.exchange()
	foreign, err := protocol.NewEntry(&c.shop.journal[1], c.now(), protocol.EntryDrawerOpened, drawer("thief"))
	must(t, err)
	c.shop.journal = append(c.shop.journal, *foreign)
	c.append(protocol.EntryDrawerOpened, drawer("c"))
	c.exchange()
	c.shop.resume()
	c.exchange()
	if got := reasons(t, c.shop.journal); got != "a b thief c" {
		t.Errorf("the server has %q", got)
	}
	c.verify()
	if v, _ := c.VerifyJournal(context.Background()); v.Joints != 1 {
		t.Errorf("%+v", v)
	}
}

func TestAServerRestoredFromABackupGetsAgainWhatItForgot(t *testing.T) {
	c := paired(t)
	for _, r := range []string{"a", "b", "c"} {
		c.append(protocol.EntryDrawerOpened, drawer(r))
	}
	c.exchange()
	c.shop.journal = c.shop.journal[:1]
	c.append(protocol.EntryDrawerOpened, drawer("d"))
	c.exchange()
	if got := reasons(t, c.shop.journal); got != "a b c d" || c.shop.suspended {
		t.Errorf("the server has %q", got)
	}
	// The same without anything new to send.
	c.shop.journal = c.shop.journal[:2]
	c.exchange()
	if got := reasons(t, c.shop.journal); got != "a b c d" {
		t.Errorf("the server has %q", got)
	}
	c.verify()
}

func TestAServerThatForgotEntriesWeNeverHadIsMetByAFork(t *testing.T) {
	c := paired(t)
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	c.exchange()
	foreign := c.shop.journal
	for _, r := range []string{"x", "y", "z"} {
		e, err := protocol.NewEntry(&foreign[len(foreign)-1], c.now(), protocol.EntryDrawerOpened, drawer(r))
		must(t, err)
		foreign = append(foreign, *e)
	}
	c.shop.journal = foreign
	c.append(protocol.EntryDrawerOpened, drawer("b"))
	c.exchange()
	c.shop.resume()
	c.exchange()
	c.shop.journal = c.shop.journal[:3] // restored: neither z nor b
	c.append(protocol.EntryDrawerOpened, drawer("c"))
	c.exchange()
	c.shop.resume()
	c.exchange()
	if got := reasons(t, c.shop.journal); got != "a x y b c" {
		t.Errorf("the server has %q", got)
	}
	c.verify()
}

func TestVerifyNamesTheFirstBadEntry(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name, sql string
		bad       int64
		why       string
	}{
		{"nothing wrong", `SELECT 1`, 0, ""},
		{"a body changed", `DROP TRIGGER journal_is_append_only; UPDATE journal SET body = '{"reason":"x"}' WHERE seq = 2`, 2, "hash"},
		{"an entry removed", `DELETE FROM journal WHERE seq = 2`, 3, "entry 2 is missing"},
		{"the first removed", `DELETE FROM journal WHERE seq = 1`, 2, "entry 1 is missing"},
		{"a link changed", `DROP TRIGGER journal_is_append_only; UPDATE journal SET prev = hash WHERE seq = 3`, 3, "follow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCounter(t, newShop(t))
			for _, r := range []string{"a", "b", "c"} {
				c.append(protocol.EntryDrawerOpened, drawer(r))
			}
			_, err := c.writer.ExecContext(ctx, test.sql)
			must(t, err)
			v, err := VerifyFile(ctx, c.path)
			if err != nil || v.Bad != test.bad || !strings.Contains(v.Why, test.why) {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
	t.Run("a sale that does not add up", func(t *testing.T) {
		c := newCounter(t, newShop(t))
		c.append(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: protocol.SaleID(c.id()), Total: eur(5), Lines: []protocol.Line{{Name: "x", Quantity: 1000, Price: eur(4)}}})
		if v, err := c.VerifyJournal(ctx); err != nil || v.Bad != 1 || !strings.Contains(v.Why, "add up") {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestTheJournalRefusesToBeRewritten(t *testing.T) {
	c := newCounter(t, newShop(t))
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	if _, err := c.writer.ExecContext(context.Background(), `UPDATE journal SET kind = 'x'`); err == nil {
		t.Error("an entry was rewritten")
	}
}

func TestADamagedEndIsNotBuiltUpon(t *testing.T) {
	c := newCounter(t, newShop(t))
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	_, err := c.writer.ExecContext(context.Background(), `DROP TRIGGER journal_is_append_only; UPDATE journal SET body = '{}'`)
	must(t, err)
	_, err = Open(context.Background(), c.o)
	if err == nil || !strings.Contains(err.Error(), "journal verify") {
		t.Errorf("opened: %v", err)
	}
}

func TestAFullDiskIsSaidAndLosesNothing(t *testing.T) {
	c := newCounter(t, newShop(t))
	ctx := context.Background()
	c.append(protocol.EntryDrawerOpened, drawer("a"))
	_, err := c.writer.ExecContext(ctx, `PRAGMA max_page_count = 1`) // SQLite keeps the pages there are
	must(t, err)
	note := strings.Repeat("x", 60_000)
	_, err = c.Append(ctx, protocol.EntrySettings, protocol.PersonDid{User: "1", What: note})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte(ErrDiskFull.Error())) {
		t.Fatalf("append: %v", err)
	}
	_, err = c.writer.ExecContext(ctx, `PRAGMA max_page_count = 1000000`)
	must(t, err)
	c.append(protocol.EntryDrawerOpened, drawer("b"))
	if v, err := c.VerifyJournal(ctx); err != nil || v.Bad != 0 || v.Entries != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}
