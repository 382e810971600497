package story

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
)

// play plays stories at the stall; shots go to the directory.
func play(t *testing.T, change func(*Shop), stories ...string) (results []Result, stalls []*stall, shots string, err error) {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, text := range stories {
		file := filepath.Join(dir, string(rune('a'+i))+".story")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	opener, all := open(t, change)
	var out bytes.Buffer
	results, err = Play(context.Background(), Options{Open: opener, Now: time.Now, Out: &out, Shots: dir}, files)
	return results, *all, dir, err
}

// holds plays a story that must hold.
func holds(t *testing.T, text string) (*stall, string) {
	t.Helper()
	results, stalls, shots, err := play(t, nil, text)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Failure != nil {
			var b strings.Builder
			_ = Report(&b, results)
			t.Fatal(b.String())
		}
	}
	return stalls[0], shots
}

// fails plays a story that must not hold.
func fails(t *testing.T, text string) *Failure {
	t.Helper()
	results, _, _, err := play(t, nil, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Failure == nil {
		t.Fatalf("%s: held", text)
	}
	return results[0].Failure
}

func TestASaleIsRungPaidAndSeen(t *testing.T) {
	t.Parallel()
	s, shots := holds(t, `
size 60x30
cannot pay because "nothing"
ring 12.30
see "cart 12.30" in body
can pay
do pay
screen pay
qr /^bitcoin:/i as uri
expect $uri ~ "amount=0.00025"
expect @sale.due_sat == 0.00025btc
not "PAID"
customer pays 50%
see state underpaid
expect @sale.received_sat == 12500
customer pays
see state accepted
see "PAID 12.30" within 2s
see "printer ready" in health
see /pay +\+ line/ in bottom
see "Anna" in title
not "Anna" in body
let who = /stall · (\w+)/
expect $who == "Anna"
expect @wallet.sat >= 25000sat
expect @drawer.cash == 50.00
expect @first_frame_ms > 0
expect @key_frame_p99_ms > 0
expect @key_frame_p99_ms < 5000
journal verify
shot paid.txt
`)
	if want := "12.30+"; strings.Join(s.heard[:6], "") != want {
		t.Errorf("heard %q, want %q first", s.heard, want)
	}
	text, err := os.ReadFile(filepath.Join(shots, "paid.txt"))
	if err != nil || !strings.Contains(string(text), "PAID 12.30") || strings.Contains(string(text), "\x1b") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestKeysArriveThroughTheProgramsDecoder(t *testing.T) {
	t.Parallel()
	keys := "up down left right home end pgup pgdn insert delete f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 tab shift+tab backspace space a é / \" $ ctrl+p alt+x"
	want := strings.Fields(strings.NewReplacer("pgdn", "pgdown").Replace(keys))
	s, _ := holds(t, "press "+keys+"\npress esc a\nsee \"stall\"")
	if want := append(want, "esc", "a"); !reflect.DeepEqual(s.heard, want) {
		t.Errorf("heard %q\nwant  %q", s.heard, want)
	}
	// Bubble Tea takes the console's F1 … F5 for letters; that they left the
	// terminal as on a console shows in what it makes of them.
	s, _ = holds(t, "term linux\npress home f6 f12 f1\nsee \"stall\"")
	if want := []string{"home", "f6", "f12"}; len(s.heard) < 4 || !reflect.DeepEqual(s.heard[:3], want) || s.heard[3] == "f1" {
		t.Errorf("heard %q", s.heard)
	}
}

func TestPasteIsBracketedWhereTheTerminalKnowsIt(t *testing.T) {
	t.Parallel()
	s, _ := holds(t, "see \"stall\"\npaste \"a\\e[201~b\"\nsee \"stall\"")
	if want := []string{"paste ab"}; !reflect.DeepEqual(s.heard, want) {
		t.Errorf("heard %q, want %q", s.heard, want)
	}
	s, _ = holds(t, "term linux\nsee \"stall\"\npaste \"ab\"\nsee \"stall\"")
	if want := []string{"a", "b"}; !reflect.DeepEqual(s.heard, want) {
		t.Errorf("on the console: heard %q, want %q", s.heard, want)
	}
}

func TestDoWaitsForWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	holds(t, "ring 1\ndo pay\nscreen pay\ndo back\nscreen register\ndo help\nscreen help")
}

func TestAnotherUserSignsIn(t *testing.T) {
	t.Parallel()
	s, _ := holds(t, "sign in 1 1111\nscreen register")
	if want := []string{"ctrl+u", "1", "enter", "1", "1", "1", "1", "enter"}; !reflect.DeepEqual(s.heard, want) {
		t.Errorf("heard %q, want %q", s.heard, want)
	}
	if f := fails(t, "patience 100ms\nsign in 1 9999"); !strings.Contains(f.Why, "still at the sign-in") {
		t.Errorf("%v", f)
	}
}

func TestTheDialogIsAPlaceOfItsOwn(t *testing.T) {
	t.Parallel()
	holds(t, "see \"stall\"\nnot \"Sure?\" in dialog\npress ctrl+d\nsee \"Sure?\\ny yes\" in dialog\nnot \"stall\" in dialog\nsize 50x20\nsee \"Sure?\" in dialog")
}

func TestTheProgramIsStoppedKilledAndStartedOnTheSameData(t *testing.T) {
	t.Parallel()
	s, _ := holds(t, `
locale de-AT
colour none
ring 3
stop
term linux
start
see "cart 3"
pull power
plug power
see "cart 3"
do quit
start
stop kill
start
see "cart 3"
`)
	if s.starts != 5 {
		t.Errorf("started %d times", s.starts)
	}
	if want := []string{"TERM=linux", "LANG=de_AT.UTF-8", "NO_COLOR=1"}; !reflect.DeepEqual(s.env, want) {
		t.Errorf("environment %q, want %q", s.env, want)
	}
	if s, _ = holds(t, "ring 3\nterm linux\nsee \"cart 3\""); s.starts != 2 || s.env[0] != "TERM=linux" {
		t.Errorf("started %d times, at last with %q", s.starts, s.env)
	}
}

func TestWhatDoesNotHoldIsToldWithTheScreen(t *testing.T) {
	t.Parallel()
	f := fails(t, "patience 50ms\nring 4 # a comment\nsee \"PAID\" # too early\n")
	if f.Line != 3 || f.Statement != `see "PAID" within 50ms` || f.Why != "not seen" || !strings.Contains(f.Screen, "cart 4") {
		t.Errorf("%+v", f)
	}
	if len(f.Before) != 2 || !strings.HasSuffix(f.Before[1], ":2: ring 4") {
		t.Errorf("before: %q", f.Before)
	}
	var b strings.Builder
	if err := Report(&b, []Result{{File: "x", Failure: f}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasSuffix(lines[0], `a.story:3: see "PAID" within 50ms: not seen`) || lines[1] != strings.Repeat("─", 80) {
		t.Errorf("report\n%s", b.String())
	}
}

func TestWhyAStatementDoesNotHold(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"do pay":                         "pay is not possible now: there is nothing to pay",
		"do refund":                      "refund is not offered on screen register",
		"cannot add":                     "it is possible",
		"can pay":                        "it is not possible: there is nothing to pay",
		"cannot pay because \"closed\"":  `it is not possible because "there is nothing to pay"`,
		"screen pay":                     "the screen is register",
		"not \"stall\"":                  "it is there",
		"never \"stall\" for 2s":         "seen",
		"qr":                             "there is no QR code that a phone could read",
		"let x = /(PAID)/":               "not seen",
		"customer pays":                  "no sale asks for bitcoin",
		"customer replaces":              "the customer has paid nothing yet",
		"expect @wallet.sat > 0":         "@wallet.sat is 0",
		"expect @drawer.cash == -50":     "@drawer.cash is 50.00",
		"expect @sale.state == accepted": "@sale.state is ",
		"expect abc < abd":               "only numbers have an order",
		"expect abc ~ /^b/":              "abc is abc",
		"paper \"x\"":                    "not printed",
		"paper count \"x\" 1":            "printed 0 times",
		"paper cut 1":                    "cut 0 times",
		"drawer opened":                  "the drawer is not opened",
		"do quit\nwait 300ms\npress a":   "the program does not run (the program has ended)",
		"patience 500ms\nring 1\ndo pay\nscreen pay\npatience 60ms\nqr \"lightning\"": `the QR code says ["bitcoin:bcrt1qstall?amount=0.00025"]`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			if f := fails(t, "patience 60ms\n"+text); f.Why != why {
				t.Errorf("%v, want %s", f, why)
			}
		})
	}
}

func TestNeverLooksAtEveryFrame(t *testing.T) {
	t.Parallel()
	holds(t, "never \"PAID\" for 60ms\nring 1\ndo pay\nscreen pay\ncustomer pays 10%\nnever \"PAID\" for 60ms")
}

func TestThePaperIsRead(t *testing.T) {
	t.Parallel()
	results, _, _, err := play(t, func(shop *Shop) {
		printed(t, shop, "\x1b@TOTAL 12.30\n\x1bp\x00\x19\x19\n\x1dV\x00")
	}, "paper \"TOTAL 12.30\"\npaper count /TOTAL/ 1\npaper not \"COPY\"\npaper cut 1\nexpect @paper.lines >= 1\ndrawer opened\nprinter paper out after 3 lines\nprinter cover open\nprinter ok\npatience 50ms\npaper \"COPY\"")
	if err != nil {
		t.Fatal(err)
	}
	f := results[0].Failure
	if f == nil || f.Line != 11 || len(f.Paper) == 0 || f.Paper[0] != "TOTAL 12.30" {
		t.Errorf("%+v", f)
	}
}

func TestTheClockIsMoved(t *testing.T) {
	t.Parallel()
	s, _ := holds(t, "clock +24h\nwait 30ms\nsee \"stall\"")
	if s.ahead != 24*time.Hour {
		t.Errorf("ahead %v", s.ahead)
	}
}

func TestEachFileHasFreshDataAndTheFirstThatFailsIsTheLast(t *testing.T) {
	t.Parallel()
	results, stalls, _, err := play(t, nil, "ring 5\nsee \"cart 5\"", "patience 40ms\nnot \"cart 5\"\nsee \"cart 5\"", "see \"stall\"")
	if err != nil || len(results) != 2 || len(stalls) != 2 || !results[0].Held || results[1].Held || results[1].Failure.Line != 3 {
		t.Errorf("%v, %d stalls, %+v", err, len(stalls), results)
	}
}

func TestNothingRunsOfStoriesWithAWrongStatement(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"see \"x\"\ndance":             "b.story:2: there is no statement \"dance\"",
		"see $x":                       "b.story:1: nothing has set $x",
		"press ctrl+1":                 "b.story:1: press: ctrl+1 sends nothing on a terminal",
		"term vt52":                    "b.story:1: term: it is not known what the keys of \"vt52\" send",
		"shot ../x.png":                "b.story:1: shot: \"../x.png\" leaves the directory of the shots",
		"expect @weather == 1":         "b.story:1: expect: there is no value @weather",
		"customer taps":                "b.story:1: statement customer taps cannot be carried out in this shop",
		"on bar: see \"x\"":            "b.story:1: statement on bar: cannot be carried out in this shop",
		"reader swipe":                 "b.story:1: statement reader cannot be carried out in this shop",
		"mint down":                    "b.story:1: statement mint cannot be carried out in this shop",
		"pull network":                 "b.story:1: statement pull network cannot be carried out in this shop",
		"display 1 \"x\"":              "b.story:1: statement display cannot be carried out in this shop",
		"scan \"x\"":                   "b.story:1: statement scan by serial cannot be carried out in this shop",
		"include no.story":             "b.story:1: include: open",
		"include b.story":              "b.story:1: include: more than 16 files deep",
		"include a.story\nsee $nobody": "b.story:2: nothing has set $nobody",
	} {
		results, stalls, _, err := play(t, nil, "see \"stall\"", text)
		var wrong SyntaxError
		if !errors.As(err, &wrong) || results != nil {
			t.Errorf("%s: %v %+v", text, err, results)
			continue
		}
		if len(wrong) != 1 || !strings.Contains(wrong[0], want) {
			t.Errorf("%s: %q, want %s", text, wrong, want)
		}
		for _, s := range stalls {
			if s.starts != 0 {
				t.Errorf("%s: the program was started", text)
			}
		}
	}
}

func TestAStoryIncludesAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.story": "include sub/ring.story\nexpect $sum == 7\n", "sub/ring.story": "ring 7\nlet sum = /cart (\\d+)/\n"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	opener, _ := open(t, nil)
	results, err := Play(context.Background(), Options{Open: opener, Now: time.Now, Out: new(bytes.Buffer)}, []string{filepath.Join(dir, "main.story")})
	if err != nil || len(results) != 1 || !results[0].Held {
		t.Errorf("%v %+v", err, results)
	}
}

func TestAPersonsPaceShowsWhatIsPlayed(t *testing.T) {
	t.Parallel()
	opener, _ := open(t, nil)
	var show bytes.Buffer
	results, err := Play(context.Background(), Options{
		Open: opener, Now: time.Now, Out: new(bytes.Buffer), Speed: 50, Show: &show, Stdin: strings.NewReader("say \"hello\\e\"\nring 2\nsee \"cart 2\""),
	}, []string{"-"})
	if err != nil || len(results) != 1 || !results[0].Held {
		t.Fatalf("%v %+v", err, results)
	}
	if !strings.Contains(show.String(), "\x1b]2;hello\a") || !strings.Contains(show.String(), "The stall") {
		t.Errorf("shown %q", show.String())
	}
}

func TestAScannerThatIsAKeyboardTypesAmongKeys(t *testing.T) {
	t.Parallel()
	s, _ := holds(t, "type \"12\\n\"\nscan \"4006381333931\" by keyboard\nhold x 3\nsee \"stall\"")
	if want := "1 2 enter 4 0 0 6 3 8 1 3 3 3 9 3 1 enter x x x"; strings.Join(s.heard, " ") != want {
		t.Errorf("heard %q, want %q", s.heard, want)
	}
}

func TestAProgramWithoutMarksIsGivenAMoment(t *testing.T) {
	t.Parallel()
	results, _, _, err := play(t, func(shop *Shop) { shop.Program = deaf{shop.Program} }, "ring 8\nsee \"cart 8\"\nnot \"typed 8\"")
	if err != nil || !results[0].Held {
		t.Errorf("%v %+v", err, results[0].Failure)
	}
}

// deaf is a program that does not ask its filter.
type deaf struct{ Program }

func (d deaf) Start(ctx context.Context, tty TTY) error {
	tty.Filter = func(_ tea.Model, msg tea.Msg) tea.Msg { return msg }
	return d.Program.Start(ctx, tty)
}

func TestAStoryThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	opener, _ := open(t, nil)
	shop, err := opener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errTooLong)
	defer cancel()
	story, err := Parse("long.story", "see \"stall\"\nwait 1h")
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(Options{Now: time.Now, Width: 80, Height: 24, Term: "xterm"}, shop)
	if f := r.play(ctx, story); f == nil || f.Line != 2 || f.Why != errTooLong.Error() {
		t.Errorf("%+v", f)
	}
	if err := shop.Close(); err != nil {
		t.Error(err)
	}
}

func TestAValueComparesAsANumberWhereItIsOne(t *testing.T) {
	for _, c := range []struct {
		left, op, right string
		pattern, want   bool
	}{
		{"25000", "==", "0.00025btc", false, true}, {"12.50", "==", "12.5", false, true}, {"9", "<", "10", false, true}, {"-5", "<", "1sat", false, true},
		{"a", "==", "a", false, true}, {"a", "!=", "b", false, true}, {"10", ">=", "10", false, true}, {"10", ">", "10", false, false},
		{"10", "<=", "9.999", false, false}, {"abc", "~", "b", false, true}, {"abc", "~", "^b", true, false}, {"abc", "~", "^a", true, true},
	} {
		if got, err := compare(c.left, c.op, c.right, c.pattern); err != nil || got != c.want {
			t.Errorf("%s %s %s: %v, %v", c.left, c.op, c.right, got, err)
		}
	}
}

func TestACustomerPaysAPart(t *testing.T) {
	sale := Sale{Due: 25000, Received: 1000, Rate: 5_000_000, Currency: "EUR"} // 50 000.00 a bitcoin
	sat := protocol.Sat(7)
	for _, c := range []struct {
		pays Pays
		want protocol.Sat
	}{
		{Pays{}, 24000}, {Pays{Percent: 50}, 12500}, {Pays{Percent: 1000}, 250000}, {Pays{Amount: &Amount{Sat: &sat}}, 7}, {Pays{Amount: &Amount{Decimal: "5.00"}}, 10000},
	} {
		if got, err := sale.part(c.pays); err != nil || got != c.want {
			t.Errorf("%+v: %v, %v, want %v", c.pays, got, err, c.want)
		}
	}
	sale.Received = 25000
	if _, err := sale.part(Pays{}); err == nil {
		t.Error("nothing is due, and it is paid")
	}
}
