package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/protocol"
	"till/protocol/terminal"
	"till/server"
)

// drill is a server process whose machine burns, and its terminals.
type drill struct {
	t       *testing.T
	program string
	port    string
	serve   *exec.Cmd
	tills   []*terminal.Terminal
	ended   sync.WaitGroup
}

// till runs a command to its end and gives what it printed.
func (d *drill) till(args ...string) []byte {
	d.t.Helper()
	c := exec.CommandContext(d.t.Context(), d.program, args...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		d.t.Fatalf("till %v: %v\n%s", args, err, said.String())
	}
	return out
}

func (d *drill) start(dir string) {
	d.t.Helper()
	at := filepath.Join(dir, "at.json")
	d.serve = exec.Command(d.program, "serve", "--practice", "--data", dir, "--rpc", d.port, "--control", "127.0.0.1:0",
		"--merchant", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--mint", "127.0.0.1:0", "--addresses-file", at)
	if err := d.serve.Start(); err != nil {
		d.t.Fatal(err)
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(at); err == nil {
			var addresses boot.Addresses
			if err := json.Unmarshal(text, &addresses); err != nil {
				d.t.Fatal(err)
			}
			d.port = addresses.RPC
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal("the server does not come up")
		}
	}
}

// burn is a kill -9.
func (d *drill) burn() {
	_ = d.serve.Process.Kill()
	_ = d.serve.Wait()
}

// pair opens a terminal in this process that checks in at the server's.
func (d *drill) pair(ctx context.Context, dir, name string) {
	d.t.Helper()
	var invitation server.Invitation
	if err := json.Unmarshal(d.till("terminal", "add", name, "--data", dir, "--json"), &invitation); err != nil {
		d.t.Fatal(err)
	}
	link, err := protocol.ParseLink(invitation.Link)
	if err != nil {
		d.t.Fatal(err)
	}
	p := &program{}
	c, err := p.load(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	t, err := boot.OpenTerminal(ctx, boot.TerminalOptions{Dir: d.t.TempDir(), Config: c, Clock: &boot.Clock{}, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Software: "drill"})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := t.Pair(ctx, link, name); err != nil {
		d.t.Fatal(err)
	}
	d.tills = append(d.tills, t)
	d.ended.Go(func() { _ = t.Run(ctx) }) // it ends with ctx
}

// sell writes sales paid in cash into every terminal's journal.
func (d *drill) sell(ctx context.Context, each int) {
	var all sync.WaitGroup
	for _, t := range d.tills {
		all.Go(func() {
			for range each {
				if err := sellForCash(ctx, t); err != nil {
					d.t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func sellForCash(ctx context.Context, t *terminal.Terminal) error {
	var ids [2]protocol.ID
	for i := range ids {
		var err error
		if ids[i], err = protocol.NewID(time.Now(), rand.Reader); err != nil {
			return err
		}
	}
	sale, tender, amount := protocol.SaleID(ids[0]), protocol.TenderID(ids[1]), protocol.Money{Currency: "EUR", Minor: 250}
	_, err := t.Commit(ctx,
		terminal.Record(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: amount}),
		terminal.Record(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderCash, Amount: amount}),
		terminal.Record(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale}))
	return err
}

// flush waits until the server has stored all journals.
func (d *drill) flush(ctx context.Context) {
	d.t.Helper()
	for _, t := range d.tills {
		if err := t.Flush(ctx); err != nil {
			d.t.Fatal(err)
		}
	}
}

// entries verifies the journals of a server and counts them.
func (d *drill) entries(dir string) (sum int64) {
	d.t.Helper()
	var list []verified
	if err := json.Unmarshal(d.till("journal", "verify", "--data", dir, "--json"), &list); err != nil {
		d.t.Fatal(err)
	}
	for _, v := range list {
		if v.Bad != 0 {
			d.t.Errorf("%s: entry %d: %s", v.Name, v.Bad, v.Why)
		}
		sum += v.Entries
	}
	return sum
}

// TestARestoredServerGoesOnWithItsTerminals takes a backup under load, burns the
// server later, and lets another, made of the backup, take its place: terminals send
// what the backup did not know, and nothing is lost or doubled.
func TestARestoredServerGoesOnWithItsTerminals(t *testing.T) {
	if testing.Short() {
		t.Skip("runs servers")
	}
	d := &drill{t: t, program: tillProgram(t), port: "127.0.0.1:0"}
	first, second, backup := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "till.age")
	passphrase := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start(first)
	defer func() { d.burn() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer d.ended.Wait()
	defer cancel()
	for _, name := range []string{"one", "two", "three"} {
		d.pair(ctx, first, name)
	}
	const before, during, after = 10, 60, 5 // sales of each terminal
	d.sell(ctx, before)
	d.flush(ctx)
	var load sync.WaitGroup
	load.Go(func() { d.sell(ctx, during) })
	d.till("backup", backup, "--data", first, "--passphrase-file", passphrase)
	load.Wait()
	d.sell(ctx, after)
	d.flush(ctx)
	want := d.entries(first)
	books := d.till("sales", "--data", first, "--limit", "10000", "--json")
	d.burn()

	d.till("restore", backup, "--data", second, "--passphrase-file", passphrase)
	had := d.entries(second)
	if least := int64(3 * before * len(d.tills)); had < least || had >= want {
		t.Fatalf("the backup holds %d entries, not %d to %d", had, least, want-1)
	}
	d.start(second)
	d.sell(ctx, 1) // something to send: a gap becomes known
	d.flush(ctx)
	extra := int64(3 * len(d.tills))
	if got := d.entries(second); got != want+extra {
		t.Errorf("the restored server holds %d entries, not %d", got, want+extra)
	}
	var old, now []map[string]any
	for text, into := range map[string]*[]map[string]any{string(books): &old, string(d.till("sales", "--data", second, "--limit", "10000", "--json")): &now} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	have := map[string]string{}
	for _, s := range now {
		have[fmt.Sprint(s["sale"], s["id"])] = fmt.Sprint(s["total"], s["state"])
	}
	for _, s := range old {
		if key, said := fmt.Sprint(s["sale"], s["id"]), fmt.Sprint(s["total"], s["state"]); have[key] != said {
			t.Fatalf("sale %s was %s and is %q", key, said, have[key])
		}
	}
	if len(now) != len(old)+len(d.tills) {
		t.Errorf("%d sales of %d", len(now), len(old)+len(d.tills))
	}
}
