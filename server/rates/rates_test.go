package rates

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"till/protocol"
)

const start = protocol.Time(1_900_000_000_000)

// teller is an exchange on a real TLS server: what it says is set by the test.
type teller struct {
	*httptest.Server
	says   atomic.Value // string
	status atomic.Int64
}

func newTeller(t *testing.T, says string) *teller {
	t.Helper()
	x := &teller{}
	x.says.Store(says)
	x.status.Store(200)
	x.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(int(x.status.Load()))
		_, _ = io.WriteString(w, x.says.Load().(string))
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *teller) source(t *testing.T, name string) Web {
	t.Helper()
	w, err := NewWeb(name, x.URL, "price", "EUR", x.Client())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (x *teller) price(text string) { x.says.Store(`{"price":"` + text + `"}`) }

// shop is a board with tellers and a clock of its own.
type shop struct {
	*Board
	now     protocol.Time
	tellers []*teller
}

func newShop(t *testing.T, minSources int, prices ...string) *shop {
	t.Helper()
	s := &shop{now: start}
	var sources []Source
	for i, price := range prices {
		x := newTeller(t, "")
		x.price(price)
		s.tellers = append(s.tellers, x)
		sources = append(sources, x.source(t, fmt.Sprint("source", i)))
	}
	var err error
	s.Board, err = NewBoard(BoardConfig{
		Currency: "EUR", Sources: sources, MaxAge: 5 * time.Minute, MinSources: minSources, MaxJumpBP: 1000,
		Now: func() protocol.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) pass(d time.Duration) { s.now = s.now.Add(d) }

func (s *shop) ask() { s.Ask(context.Background()) }

func (s *shop) gives(t *testing.T, want protocol.Rate, sources int) {
	t.Helper()
	price, none := s.Current(s.now)
	if none != nil {
		t.Fatalf("at %s no price: %+v", s.now, none)
	}
	if price.Rate != want || price.Currency != "EUR" || len(price.Sources) != sources {
		t.Fatalf("at %s %+v, want %d of %d", s.now, price, want, sources)
	}
}

func (s *shop) refuses(t *testing.T, reason string, since protocol.Time) {
	t.Helper()
	price, none := s.Current(s.now)
	if none == nil {
		t.Fatalf("at %s %+v, want %s", s.now, price, reason)
	}
	if none.Reason != reason || none.Since != since || none.Message == "" || price.Rate != 0 {
		t.Fatalf("at %s %+v since %s, want %s since %s", s.now, none, none.Since, reason, since)
	}
}

func TestMedianOfYoungSources(t *testing.T) {
	s := newShop(t, 2, "50000.00", "50100.00", "59999.99")
	s.refuses(t, "rate_missing", start)
	s.ask()
	s.gives(t, 5_010_000, 3)
	s.tellers[2].status.Store(503)
	s.pass(5 * time.Minute)
	s.ask()
	s.gives(t, 5_010_000, 3) // five minutes old still counts
	s.pass(time.Millisecond)
	s.gives(t, 5_005_000, 2)
	s.tellers[1].status.Store(503)
	s.pass(5*time.Minute - time.Millisecond)
	s.ask()
	s.gives(t, 5_005_000, 2)
	stale := s.now
	s.pass(time.Second)
	s.refuses(t, "rate_stale", stale)
	s.tellers[1].status.Store(200)
	s.ask()
	s.gives(t, 5_005_000, 2)
}

func TestTooFewAnswersIsMissing(t *testing.T) {
	s := newShop(t, 2, "50000", "nonsense")
	s.ask()
	s.refuses(t, "rate_missing", start)
	health := s.Health()
	if len(health) != 2 || health[0].Err != nil || health[0].Last == nil || health[1].Err == nil || health[1].Last != nil {
		t.Fatalf("%+v", health)
	}
}

func TestJumpIsHeldBackUntilItSettles(t *testing.T) {
	s := newShop(t, 1, "50000")
	s.ask()
	s.gives(t, 5_000_000, 1)
	s.pass(time.Minute)
	s.tellers[0].price("55000") // 10 % exactly
	s.ask()
	s.gives(t, 5_500_000, 1)
	s.pass(time.Minute)
	jump := s.now
	s.tellers[0].price("55000.01") // near the last, beyond the limit of the first
	s.ask()
	s.refuses(t, "rate_jump", jump)
	for range 9 {
		s.pass(time.Minute)
		s.ask()
		s.refuses(t, "rate_jump", jump)
	}
	s.pass(time.Minute)
	s.ask()
	s.gives(t, 5_500_001, 1)
}

func TestJumpThatReturnsIsForgotten(t *testing.T) {
	s := newShop(t, 1, "50000")
	s.ask()
	s.pass(time.Minute)
	s.tellers[0].price("500000") // a slip of a digit
	s.ask()
	s.refuses(t, "rate_jump", s.now)
	s.pass(9 * time.Minute)
	s.ask()
	s.refuses(t, "rate_jump", start.Add(time.Minute))
	s.pass(30 * time.Second)
	s.tellers[0].price("50100")
	s.ask()
	s.gives(t, 5_010_000, 1)
}

func TestPriceThatKeepsJumpingStaysHeldBack(t *testing.T) {
	s := newShop(t, 1, "50000")
	s.ask()
	s.pass(time.Minute)
	jump := s.now
	for i := range 30 {
		s.tellers[0].price([]string{"60000", "70000"}[i/5%2])
		s.ask()
		s.refuses(t, "rate_jump", jump)
		s.pass(time.Minute)
	}
}

func TestMoveDuringAnOutageIsNoJump(t *testing.T) {
	s := newShop(t, 1, "50000")
	s.ask()
	s.pass(10*time.Minute + time.Millisecond)
	s.tellers[0].price("60000")
	s.ask()
	s.gives(t, 6_000_000, 1)
}

func TestSourceThatFallsSilentIsNoWayAroundTheGuard(t *testing.T) {
	s := newShop(t, 1, "50000", "50000", "90000")
	s.ask()
	s.gives(t, 5_000_000, 3)
	s.tellers[0].status.Store(500)
	s.tellers[1].status.Store(500)
	for range 5 {
		s.pass(time.Minute)
		s.ask()
	}
	s.pass(time.Millisecond)
	s.refuses(t, "rate_jump", s.now)
}

func TestSourceWhoseClockRunsAheadIsNotYoungForLonger(t *testing.T) {
	s := newShop(t, 1, "50000")
	s.take("source0", Reading{5_000_000, s.now.Add(time.Hour)}, nil)
	price, none := s.Current(s.now)
	if none != nil || price.Sources[0].At != s.now {
		t.Fatalf("%+v, %+v", price, none)
	}
}

func TestBoardConfigIsChecked(t *testing.T) {
	fixed := NewFixed("EUR", 1, func() protocol.Time { return start })
	good := BoardConfig{
		Currency: "EUR", Sources: []Source{fixed}, MaxAge: 1, MinSources: 1, MaxJumpBP: 1,
		Now: func() protocol.Time { return start }, Log: slog.New(slog.DiscardHandler),
	}
	if _, err := NewBoard(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*BoardConfig){
		"no currency":      func(c *BoardConfig) { c.Currency = "" },
		"no source":        func(c *BoardConfig) { c.Sources = nil },
		"too few sources":  func(c *BoardConfig) { c.MinSources = 2 },
		"none required":    func(c *BoardConfig) { c.MinSources = 0 },
		"one source twice": func(c *BoardConfig) { c.Sources = []Source{fixed, fixed} },
		"no age":           func(c *BoardConfig) { c.MaxAge = 0 },
		"no limit":         func(c *BoardConfig) { c.MaxJumpBP = 0 },
		"no clock":         func(c *BoardConfig) { c.Now = nil },
		"no log":           func(c *BoardConfig) { c.Log = nil },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := NewBoard(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRunAsksAtOnceAndEndsWithItsContext(t *testing.T) {
	s := newShop(t, 1, "50000")
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan struct{})
	s.config.Sources = append(s.config.Sources, signal(asked))
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	<-asked
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// signal is a source that tells when it is asked.
type signal chan struct{}

func (s signal) Name() string { return "signal" }
func (s signal) Ask(context.Context) (Reading, error) {
	close(s)
	return Reading{}, errors.New("nothing")
}

func TestFixedIsSetAndRemoved(t *testing.T) {
	f := NewFixed("EUR", 5_000_000, func() protocol.Time { return start })
	price, none := f.Current(start)
	if none != nil || price.Rate != 5_000_000 || price.Sources[0] != (protocol.Source{Name: "fixed", Rate: 5_000_000, At: start}) {
		t.Fatalf("%+v, %+v", price, none)
	}
	if f.Set("USD", 1) == nil || f.Set("EUR", 0) == nil {
		t.Fatal("a foreign currency or no price was taken")
	}
	f.Remove()
	if _, none := f.Current(start); none == nil || none.Reason != "rate_missing" || none.Since != start {
		t.Fatalf("removed: %+v", none)
	}
	if _, err := f.Ask(context.Background()); err == nil {
		t.Fatal("removed and still asked")
	}
	if err := f.Set("EUR", 6_000_000); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Ask(context.Background()); err != nil || r.Rate != 6_000_000 {
		t.Fatal(r, err)
	}
}

func TestFileIsAsOldAsItsLastChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rate")
	f, err := NewFile(path, "EUR")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := f.Ask(ctx); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	for text, want := range map[string]protocol.Rate{"58123.45\n": 5_812_345, " 58123 ": 5_812_300, "": 0, "58123.45 EUR": 0, strings.Repeat("1", 500): 0} {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
		r, err := f.Ask(ctx)
		if want == 0 && err == nil || want > 0 && (err != nil || r != Reading{want, protocol.TimeOf(at)}) {
			t.Errorf("%.20q: %+v, %v", text, r, err)
		}
	}
	if f, err = NewFile(t.TempDir(), "EUR"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Ask(ctx); err == nil {
		t.Error("a directory gave a price")
	}
}
