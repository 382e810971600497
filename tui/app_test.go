package tui

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"till/protocol"
	"till/protocol/terminal"
)

// screen is what a program writes; each writing is told.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// running is an App with its keyboard and its screen in memory.
type running struct {
	*App
	keys  io.WriteCloser
	out   *screen
	ended chan error
	stop  context.CancelFunc
}

func run(t *testing.T, o Options, c Console) *running {
	t.Helper()
	app, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	in, keys := io.Pipe()
	r := &running{App: app, keys: keys, out: &screen{wrote: make(chan struct{}, 1)}, ended: make(chan error, 1)}
	c.In, c.Out, c.Width, c.Height = in, r.out, 80, 24
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() { r.ended <- app.Run(ctx, c) }()
	t.Cleanup(func() { stop(); _ = keys.Close() })
	return r
}

// await waits for a condition, looking after everything that is written.
func (r *running) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for !ok() {
		select {
		case <-r.out.wrote:
		case <-limit.C:
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func TestTheProgramRunsInMemory(t *testing.T) {
	term := openTerminal(t, filepath.Join(t.TempDir(), "terminal.db"))
	r := run(t, Options{Terminal: term, Clock: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test", Stretch: argon2.IDKey, Zone: time.UTC},
		Console{Env: []string{"TERM=xterm-256color"}, Colours: "none"})
	r.await(t, "the first frame", func() bool { return r.out.has("TOTAL") })
	keys := func(text string) {
		before := r.Seen().Inputs
		if _, err := io.WriteString(r.keys, text); err != nil {
			t.Fatal(err)
		}
		r.await(t, "the key", func() bool { return r.Seen().Inputs > before })
	}
	if o, ok := r.Seen().Offer(ActPay); !ok || o.Key != "enter" || o.Why == "" {
		t.Errorf("pay is %+v", o)
	}
	keys("\x1b[18~") // F7
	r.await(t, "the devices", func() bool { return r.out.has("not configured") })
	keys("\x1b[21~") // F10
	r.await(t, "the question", func() bool { return r.Seen().Dialog == "quit" })
	keys("y")
	select {
	case err := <-r.ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}

func TestTheConsoleIsTold(t *testing.T) {
	r := run(t, Options{Terminal: openTerminal(t, filepath.Join(t.TempDir(), "terminal.db")), Clock: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test", Stretch: argon2.IDKey},
		Console{Env: []string{"TERM=linux", "LANG=C.UTF-8"}})
	r.await(t, "the first frame", func() bool { return r.out.has("TOTAL") })
	if _, err := io.WriteString(r.keys, "\x1b[[A"); err != nil {
		t.Fatal(err)
	}
	r.await(t, "help by F1 of the console", func() bool { return r.out.has("search the catalogue") })
	r.stop()
	if err := <-r.ended; err != nil {
		t.Fatalf("an end from outside is an error: %v", err)
	}
}

// TestWhatWasAskedForIsWrittenBeforeTheEnd: the sale that is open when the
// program is left is parked on the disk.
func TestWhatWasAskedForIsWrittenBeforeTheEnd(t *testing.T) {
	term := openTerminal(t, filepath.Join(t.TempDir(), "terminal.db"))
	opened := protocol.SaleOpened{Sale: aSale, Number: "000001", Total: eur(500)}
	part := protocol.TenderAdded{Sale: aSale, Tender: aTender, Kind: protocol.TenderCash, Amount: eur(100)}
	_, err := term.Commit(t.Context(), terminal.Record(protocol.EntrySaleOpened, opened), terminal.Record(protocol.EntryTenderAdded, part))
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Terminal: term, Clock: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test", Stretch: argon2.IDKey}, Console{Env: []string{"TERM=xterm"}})
	r.await(t, "the open sale", func() bool { return r.out.has("4.00") })
	if _, err := io.WriteString(r.keys, "\x03\x03"); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	sales, err := term.OpenSales(t.Context())
	if err != nil || !slices.ContainsFunc(sales, func(s terminal.Sale) bool { return s.ID() == aSale && s.Said == terminal.SaidParked }) {
		t.Fatalf("sales are %+v, %v", sales, err)
	}
}

func TestOptionsThatAreMissing(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("a program of nothing was made")
	}
}
