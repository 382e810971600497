package rpc_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
	"till/server/store"
)

// stored gives the terminal's journal as the database has it.
func (c *till) stored() (all []server.StoredEntry) {
	c.t.Helper()
	must(c.t, c.s.db.Read(c.t.Context(), func(tx *server.Tx) (err error) {
		all, err = tx.Journal.After(c.id, 0, 1000)
		return err
	}))
	return all
}

// sends checks in with entries.
func (c *till) sends(entries ...protocol.Entry) response {
	c.t.Helper()
	return c.call("checkin", plus(greeting(), "journal", entries))
}

// stands wants the answer to say how far the journal is stored, and the database
// to agree.
func (c *till) stands(r response, journal int64) {
	c.t.Helper()
	var result protocol.CheckInResult
	r.into(&result)
	if n := int64(len(c.stored())); result.Journal != journal || n != journal {
		c.t.Fatalf("the answer says %d entries are stored, the database has %d, want %d", result.Journal, n, journal)
	}
}

// opened is the body of a sale of 1.00.
func opened(t testing.TB) object {
	return object{"sale": newID(t), "total": object{"currency": "EUR", "minor": 100}}
}

// sold adds a sale that is paid in cash, of which the server tells.
func (c *till) sold() {
	c.t.Helper()
	sale := opened(c.t)
	c.entry("sale_opened", sale)
	c.entry("tender_added", object{"sale": sale["sale"], "tender": newID(c.t), "kind": "cash", "amount": sale["total"]})
}

// hashed gives the entry its right hash, whatever else it says.
func hashed(t testing.TB, e protocol.Entry) protocol.Entry {
	t.Helper()
	text, err := json.Marshal(object{"seq": e.Seq, "at": e.At, "kind": e.Kind, "body": e.Body, "prev": e.Prev})
	must(t, err)
	canonical, err := protocol.Canonical(text)
	must(t, err)
	e.Hash = protocol.HashOf(canonical)
	return e
}

func TestAReplayedJournalIsSkipped(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	for range 3 {
		c.entry("sale_opened", opened(t))
	}
	c.stands(c.sends(c.journal[:2]...), 2)
	c.stands(c.sends(c.journal[:2]...), 2)
	c.stands(c.sends(c.journal...), 3)
	c.stands(c.sends(c.journal[1:2]...), 3)
	sales, err := s.core.Sales(t.Context(), server.SaleFilter{})
	if must(t, err); len(sales) != 3 {
		t.Errorf("%d sales of 3 entries", len(sales))
	}
	// Another terminal's journal is its own, whatever it says.
	other := s.enroll("kasse2")
	other.stands(other.sends(c.journal...), 3)
}

func TestAForkSuspendsUntilTheTerminalAppendsItsOwnAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	good := c.entry("sale_opened", opened(t))
	c.entry("signed_in", object{"user": "1"})
	c.stands(c.sends(c.journal...), 2)
	head := c.journal[1]

	c.journal = c.journal[:1]
	mine := c.entry("signed_in", object{"user": "2"}) // another second entry
	third := c.entry("drawer_opened", object{"reason": "no sale"})
	for range 2 { // the second time it is suspended already
		r := c.sends(good, mine, third).fails(-32000, "journal_fork")
		if *r.Error.Data.Journal != 2 || *r.Error.Data.Hash != head.Hash {
			t.Errorf("data %+v, want the last good entry", r.Error.Data)
		}
		if n := len(c.stored()); n != 2 {
			t.Fatalf("%d entries stored", n)
		}
	}
	c.post("/rpc", object{"jsonrpc": "2.0", "id": 1, "method": "getaddress", "params": object{"want": 1}}).exactly(403,
		`{"error":"terminal_suspended","reason":"journal_fork","message":"this terminal's journal contradicts what the server stored: it is suspended until the owner resumes it"}`)
	// Not even what would follow is stored before the owner resumes.
	next, err := protocol.NewEntry(&head, s.clock.time(), "signed_in", object{"user": "3"})
	must(t, err)
	c.sends(*next)
	if n := len(c.stored()); n != 2 {
		t.Fatalf("%d entries stored", n)
	}

	must(t, s.core.Resume(t.Context(), "kasse1"))
	r := c.sends(mine).fails(-32000, "journal_fork")
	if *r.Error.Data.Journal != 2 || *r.Error.Data.Hash != head.Hash {
		t.Errorf("data %+v, want the last good entry", r.Error.Data)
	}
	must(t, s.core.Resume(t.Context(), "kasse1"))
	prev, again := head, []protocol.Entry(nil)
	for _, lost := range []protocol.Entry{mine, third} {
		var body object
		must(t, json.Unmarshal(lost.Body, &body))
		e, err := protocol.NewEntry(&prev, s.clock.time(), lost.Kind, plus(body, "was", lost.Hash))
		must(t, err)
		prev, again = *e, append(again, *e)
	}
	c.stands(c.sends(again...), 4)
}

func TestAGapSaysFromWhereToSend(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	for range 3 {
		c.entry("sale_opened", opened(t))
	}
	for stored := range 2 {
		r := c.sends(c.journal[stored+1:]...).fails(-32000, "journal_gap")
		if *r.Error.Data.Journal != int64(stored) || r.Error.Data.Hash != nil {
			t.Errorf("data %+v, want journal %d", r.Error.Data, stored)
		}
		if n := len(c.stored()); n != stored {
			t.Fatalf("%d entries stored", n)
		}
		c.stands(c.sends(c.journal[:stored+1]...), int64(stored+1)) // it goes on
	}
}

func TestAHashThatIsNotThatOfTheContentStoresNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	good, bad := c.entry("sale_opened", opened(t)), c.entry("signed_in", object{"user": "1"})
	bad.Body = json.RawMessage(`{"user":"3"}`)
	c.sends(good, bad).fails(-32602, "journal[1].hash")
	if n := len(c.stored()); n != 0 {
		t.Fatalf("%d entries stored", n)
	}
	c.stands(c.sends(c.journal...), 2) // not suspended
}

func TestEntriesHaveALimitInSizeAndNumber(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	body := func(n int) json.RawMessage { return json.RawMessage(`{"text":"` + strings.Repeat("x", n) + `"}`) }
	large := hashed(t, protocol.Entry{Seq: 1, At: s.clock.time(), Kind: "note", Prev: protocol.NoHash, Body: body(protocol.MaxEntry)})
	c.sends(large).fails(-32602, "journal[0].body")
	for range 201 {
		c.entry("signed_in", object{"user": "1"})
	}
	c.sends(c.journal...).fails(-32602, "journal")
	if n := len(c.stored()); n != 0 {
		t.Fatalf("%d entries stored", n)
	}
	c.stands(c.sends(c.journal[:200]...), 200)
	last := c.journal[199]
	full := hashed(t, protocol.Entry{Seq: 201, At: s.clock.time(), Kind: "note", Prev: last.Hash, Body: body(protocol.MaxEntry - 400)})
	c.stands(c.sends(full), 201) // an unknown kind is stored too
}

func TestASuspendedTerminalChecksInOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	waits := c.waiting()
	must(t, s.core.Suspend(t.Context(), "kasse1", "owner"))
	const told = `{"error":"terminal_suspended","reason":"owner","message":"the owner suspended this terminal"}`

	suspended := func(r response) {
		t.Helper()
		var result struct {
			Alerts []struct {
				Seq    *int64
				Kind   string
				Reason string
			}
			Quotes []any
		}
		r.into(&result)
		if len(result.Alerts) != 1 || *result.Alerts[0].Seq != 0 || result.Alerts[0].Kind != "suspended" || result.Alerts[0].Reason != "owner" {
			t.Errorf("alerts %+v, want the one that tells of the suspension", result.Alerts)
		}
		if result.Quotes == nil || len(result.Quotes) > 0 {
			t.Errorf("quotes %v, want none", result.Quotes)
		}
	}
	suspended(c.soon(waits).rpc())
	c.entry("sale_opened", opened(t))
	r := c.sends(c.journal...)
	suspended(r)
	c.stands(r, 1)

	for _, c := range []*till{c, c.http1()} {
		c.raw(one("getaddress", `{"want":1}`)).exactly(403, told)
		c.raw(one("nothing", `{}`)).exactly(403, told)
		c.raw(one("rpc.discover", `{}`)).exactly(403, told)
		c.raw(`{"jsonrpc":"2.0","method":"getaddress","params":{"want":1}}`).exactly(403, told)
		c.post("/renew", object{"csr": csr(t, newKey(t), nil)}).exactly(403, told)
		for _, path := range []string{"/openrpc.json", "/catalogue", "/nothing"} {
			c.do(http.MethodGet, path, nil, nil).exactly(403, told)
		}
	}
	// A batch with anything else is refused before its check-in has stored anything.
	c.entry("signed_in", object{"user": "1"})
	both := []any{
		object{"jsonrpc": "2.0", "id": 1, "method": "checkin", "params": plus(greeting(), "journal", c.journal)},
		object{"jsonrpc": "2.0", "id": 2, "method": "getaddress", "params": object{"want": 1}},
	}
	c.post("/rpc", both).exactly(403, told)
	if n := len(c.stored()); n != 1 {
		t.Errorf("%d entries stored", n)
	}
	if n := len(c.leased()); n != 0 {
		t.Errorf("%d addresses leased", n)
	}
	must(t, s.core.Resume(t.Context(), "kasse1"))
	c.post("/rpc", both).want(200)
}

func TestARestoredServerHasAnotherLogAndAsksForTheJournalAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	c.sold()
	c.stands(c.sends(c.journal...), 2)
	backup := filepath.Join(t.TempDir(), "backup.db")
	s.stop()
	copyDatabase(t, filepath.Join(s.dir, "server.db"), backup)

	s.open()
	s.serve()
	c.http.CloseIdleConnections()
	c.sold()
	c.stands(c.sends(c.journal...), 4)
	before := c.caughtUp()
	s.stop()

	copyDatabase(t, backup, filepath.Join(s.dir, "server.db"))
	db, err := store.Open(t.Context(), filepath.Join(s.dir, "server.db"))
	must(t, err)
	must(t, server.Restored(t.Context(), db, s.clock.time(), rand.Reader))
	must(t, db.Close())
	s.open()
	s.serve()
	c.http.CloseIdleConnections()
	after := c.checkIn(before)
	if after.Log == before["log"] || after.Journal != 2 {
		t.Errorf("log %s after %s, journal %d; want another log and 2", after.Log, before["log"], after.Journal)
	}
	for i, a := range after.Alerts {
		if a.Seq != int64(i+1) {
			t.Errorf("alert %d has number %d: want them from the first", i, a.Seq)
		}
	}
	if len(after.Alerts) == 0 {
		t.Error("no alert came again")
	}
	r := c.sends(c.journal[3:]...).fails(-32000, "journal_gap")
	if *r.Error.Data.Journal != 2 {
		t.Errorf("journal %d", *r.Error.Data.Journal)
	}
	c.stands(c.sends(c.journal[2:]...), 4)
}

func TestACursorAboveTheServersStartsFromTheFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	c.sold()
	c.stands(c.sends(c.journal...), 2)
	first := c.checkIn(greeting())
	if len(first.Alerts) == 0 {
		t.Fatal("no alert")
	}
	again := c.checkIn(plus(plus(greeting(), "log", first.Log), "alert", 1000))
	if len(again.Alerts) == 0 || again.Alerts[0].Seq != 1 {
		t.Errorf("alerts %+v, want them from the first", again.Alerts)
	}
}

func TestALaterCheckInEndsTheFirstAndNewsEndsAWait(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	first := c.waiting()
	second := c.waiting()
	c.soon(first).rpc().into(&struct{}{})
	must(t, s.core.ImportCatalogue(t.Context(), []protocol.Item{{SKU: "tea", Name: "Tea", Tax: "A"}}))
	var news protocol.CheckInResult
	c.soon(second).rpc().into(&news)
	if len(news.Alerts) == 0 && news.Config == nil {
		t.Errorf("a wait ended with nothing to tell: %+v", news)
	}
}

func TestWhoLeavesAWaitLeavesNoFaultInTheLog(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1").http1()
	call, err := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": "checkin", "params": plus(c.caughtUp(), "wait", 30)})
	must(t, err)
	conn := c.dial()
	s.clock.advance(time.Second)
	before := s.clock.time()
	_, err = conn.Write([]byte("POST /rpc HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(call)) + "\r\n\r\n" + string(call)))
	must(t, err)
	s.until("the check-in waits", func() bool {
		all, err := s.core.Terminals(t.Context())
		must(t, err)
		return all[0].LastSeen >= before
	})
	must(t, conn.Close())
	s.stop() // after which every request has ended
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("log:\n%s", s.log)
	}
}
