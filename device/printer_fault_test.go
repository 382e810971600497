package device_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

// faults are everything a hand can do to the simulated printer, with the word
// the driver must find for it.
var faults = []struct {
	word       device.Fault
	make, mend string
}{
	{word: device.PaperEnd, make: "paper out", mend: "paper in"},
	{word: device.CoverOpen, make: "cover open", mend: "cover closed"},
	{word: device.CutterJam, make: "error cutter", mend: "error none"},
	{word: device.Recoverable, make: "error recoverable", mend: "error none"},
	{word: device.Unrecoverable, make: "error fatal", mend: "error none"},
	{word: device.Offline, make: "offline on", mend: "offline off"},
}

func obey(t *testing.T, p *sim.Printer, line string) {
	t.Helper()
	if err := p.Obey(line, nil); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFaultIsNamedAndPasses(t *testing.T) {
	for _, model := range []string{"epson-80", "clone-80", "clone-58"} {
		for _, f := range faults {
			t.Run(model+" "+f.make, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := open(t, model, model)
					defer s.stop()
					s.is(device.Ready, "", 5*time.Second)
					obey(t, s.paper, f.make)
					s.is(device.Faulted, f.word, 10*time.Second)
					if f.word.Sentence() == string(f.word) {
						t.Errorf("%s has no sentence", f.word)
					}
					obey(t, s.paper, f.mend)
					s.is(device.Ready, "", 10*time.Second)
				})
			})
		}
	}
}

func TestReceiptWaitsForAPersonAndIsNotSentAgain(t *testing.T) {
	for _, model := range []string{"epson-80", "clone-80", "clone-58"} {
		for _, f := range faults {
			t.Run(model+" "+f.make, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := open(t, model, model)
					defer s.stop()
					s.is(device.Ready, "", 5*time.Second)
					obey(t, s.paper, f.make)
					if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
						t.Fatal(err)
					}
					if r := s.wants("a", device.JobWaiting, 3*time.Second); r.Fault != f.word || r.Copies != 0 {
						t.Errorf("waits as %+v, want %s and no copy", r, f.word)
					}
					obey(t, s.paper, f.mend)
					if r := s.wants("a", device.JobDone, 5*time.Second); r.Copies != 1 {
						t.Errorf("done as %+v", r)
					}
					wantReceipts(t, s.paper, "Anna", 1)
				})
			})
		}
	}
}

// wantReceipts fails unless the paper's last copy is whole, is headed by its
// number, and no more copies are headed than were begun.
func wantReceipts(t *testing.T, p *sim.Printer, name string, copies int) {
	t.Helper()
	text := p.Text()
	if got := strings.Count(text, "COPY "); got >= copies || copies > 1 && !strings.Contains(text, fmt.Sprintf("COPY %d\n", copies)) {
		t.Errorf("%d headings COPY with %d copies:\n%s", got, copies, text)
	}
	last := text
	if i := strings.LastIndex(text, "COPY "); i >= 0 {
		last = text[i:]
	}
	for _, want := range []string{"Café Central", "2 Espresso", "TOTAL", "Thank you, " + name} {
		if strings.Count(last, want) != 1 {
			t.Errorf("the last copy has %q %d times:\n%s", want, strings.Count(last, want), text)
		}
	}
}

func TestPaperEndInTheMiddleIsResumedWithoutACopy(t *testing.T) {
	for _, model := range []string{"epson-80", "clone-80", "clone-58"} {
		for lines := range 6 {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, model, model)
				defer s.stop()
				s.is(device.Ready, "", 5*time.Second)
				s.paper.SetPaperAfter(sim.PaperOut, lines+1)
				if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
					t.Fatal(err)
				}
				if r := s.wants("a", device.JobWaiting, 5*time.Second); r.Fault != device.PaperEnd || r.Copies != 1 {
					t.Errorf("%s: waits as %+v", model, r)
				}
				time.Sleep(10 * time.Minute) // the owner buys paper
				s.paper.SetPaper(sim.PaperIn)
				if r := s.wants("a", device.JobDone, 5*time.Second); r.Copies != 1 {
					t.Errorf("%s: done as %+v", model, r)
				}
				wantReceipts(t, s.paper, "Anna", 1)
			})
		}
	}
}

func TestPaperNearItsEndIsAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		s.is(device.Ready, "", 5*time.Second)
		s.paper.SetPaper(sim.PaperNear)
		synctest.Wait()
		if status := s.printer.Status(); status.State != device.Ready || status.Warning != device.PaperNearEnd {
			t.Errorf("status %+v", status)
		}
	})
}

func TestARecoverableErrorIsRecoveredByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		s.is(device.Ready, "", 5*time.Second)
		s.paper.SetTrouble(sim.CutterTrouble)
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		s.wants("a", device.JobWaiting, 3*time.Second)
		s.wants("a", device.JobDone, time.Minute)
		wantReceipts(t, s.paper, "Anna", 1)
	})
}

func TestAPrinterThatRestartsPrintsACopy(t *testing.T) {
	for _, model := range []string{"epson-80", "clone-80"} {
		t.Run(model, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, model, model)
				defer s.stop()
				s.is(device.Ready, "", 5*time.Second)
				s.paper.SetPaperAfter(sim.PaperOut, 2)
				if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
					t.Fatal(err)
				}
				s.wants("a", device.JobWaiting, 5*time.Second)
				s.paper.Restart() // a person switches it off and on, and loads paper
				s.paper.SetPaper(sim.PaperIn)
				if r := s.wants("a", device.JobDone, time.Minute); r.Copies != 2 || !r.Confirmed {
					t.Errorf("done as %+v: %s", r, s.story("a"))
				}
				wantReceipts(t, s.paper, "Anna", 2)
			})
		})
	}
}

func TestUnpluggedAndPluggedInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		s.is(device.Ready, "", 5*time.Second)
		s.paper.Unplug()
		s.is(device.Absent, device.Unplugged, 5*time.Second)
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.paper.Replug()
		if r := s.wants("a", device.JobDone, 5*time.Second); r.Copies != 1 {
			t.Errorf("done as %+v", r)
		}
		wantReceipts(t, s.paper, "Anna", 1)
	})
}

func TestNoiseNeverHangsAPrinter(t *testing.T) {
	for _, chance := range []float64{0.001, 0.01, 0.1, 0.5} {
		for seed := range uint64(20) {
			synctest.Test(t, func(t *testing.T) {
				paper, err := sim.NewPrinter("epson-80", rand.New(rand.NewPCG(seed, 0)))
				if err != nil {
					t.Fatal(err)
				}
				language, err := escpos.NewLanguage("epson-80")
				if err != nil {
					t.Fatal(err)
				}
				paper.Garble(chance)
				s := start(t, paper, paper.Dial, language)
				defer s.stop()
				if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Minute)
				paper.Garble(0)
				if err := s.printer.Print(device.Job{ID: "b", Document: receipt("Bela")}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				s.wants("b", device.JobDone, 5*time.Minute)
				if end := s.last("a").State; end != device.JobDone && end != device.JobFailed {
					t.Errorf("%v at chance %v: %s", end, chance, s.story("a"))
				}
			})
		}
	}
}

func TestAPrinterThatNeverComesThroughGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		paper, err := sim.NewPrinter("epson-80", nil)
		if err != nil {
			t.Fatal(err)
		}
		language, err := escpos.NewLanguage("epson-80")
		if err != nil {
			t.Fatal(err)
		}
		left := 200 // without, then with what frees the printer first
		s := start(t, paper, func(ctx context.Context) (device.Link, error) {
			link, err := paper.Dial(ctx)
			defer func() { left = 1400 }()
			return &cut{Link: link, left: left}, err
		}, language)
		defer s.stop()
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		if r := s.wants("a", device.JobFailed, time.Minute); r.Copies != 5 {
			t.Errorf("gave up with %+v", r)
		}
	})
}

func TestAJobHandedInAfterARestartOfTheTillIsACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna"), Copies: 1}); err != nil {
			t.Fatal(err)
		}
		if r := s.wants("a", device.JobDone, 5*time.Second); r.Copies != 2 {
			t.Errorf("done as %+v", r)
		}
		wantReceipts(t, s.paper, "Anna", 2)
	})
}

func TestReceiptsComeInOrderAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		s.paper.SetPaper(sim.PaperOut)
		for _, id := range []string{"a", "b", "b", "c"} {
			if err := s.printer.Print(device.Job{ID: id, Document: device.Document{device.Line{Text: "receipt " + id}}}); err != nil {
				t.Fatal(err)
			}
		}
		s.wants("a", device.JobWaiting, 5*time.Second)
		if !s.printer.Cancel("b") || s.printer.Cancel("b") {
			t.Error("a waiting receipt is cancelled once")
		}
		s.paper.SetPaper(sim.PaperIn)
		s.wants("c", device.JobDone, 5*time.Second)
		if got, want := strings.Fields(s.paper.Text()), strings.Fields("receipt a receipt c"); !slices.Equal(got, want) {
			t.Errorf("paper %q", got)
		}
		if s.printer.Waiting() != 0 {
			t.Errorf("%d wait", s.printer.Waiting())
		}
	})
}

func TestTheDrawerOpensWhilePaperIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		drawer := device.NewDrawer(s.printer, 2, 50*time.Millisecond, 500*time.Millisecond)
		s.is(device.Ready, "", 5*time.Second)
		if err := drawer.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.is(device.Ready, "", 0)
		if got := s.printer.Status().Drawer; got != device.DrawerOpen || s.paper.Pulses() != 1 {
			t.Errorf("drawer %v after %d pulses", got, s.paper.Pulses())
		}
		s.paper.SetDrawer(false)
		s.paper.SetPaperAfter(sim.PaperOut, 2)
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		s.wants("a", device.JobWaiting, 5*time.Second)
		if err := drawer.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s.paper.Pulses() != 2 {
			t.Errorf("%d pulses while paper is out", s.paper.Pulses())
		}
		s.paper.SetPaper(sim.PaperIn)
		s.wants("a", device.JobDone, 5*time.Second)
		wantReceipts(t, s.paper, "Anna", 1)
	})
}

func TestTheFirstByteLeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		s.is(device.Ready, "", 5*time.Second)
		time.Sleep(10 * time.Second)
		before := time.Now()
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s.paper.Lines() == 0 || time.Since(before) > 0 {
			t.Errorf("%d lines after %v: %s", s.paper.Lines(), time.Since(before), s.story("a"))
		}
	})
}

func TestStatusIsToldOnlyWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "epson-80", "epson-80")
		defer s.stop()
		s.is(device.Ready, "", 5*time.Second)
		time.Sleep(time.Minute)
		obey(t, s.paper, "cover open")
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.statuses) != 2 {
			t.Errorf("told %+v", s.statuses)
		}
	})
}

func TestAPrinterSwitchedOnLaterIsNoLongerUnconfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		paper, err := sim.NewPrinter("epson-80", nil)
		if err != nil {
			t.Fatal(err)
		}
		language, err := escpos.NewLanguage("auto")
		if err != nil {
			t.Fatal(err)
		}
		paper.Stall(true)
		s := start(t, paper, paper.Dial, language)
		defer s.stop()
		if status := s.is(device.Ready, "", 5*time.Second); !status.Unconfirmed {
			t.Errorf("a silent printer is %+v", status)
		}
		paper.Stall(false)
		time.Sleep(5 * time.Second)
		if status := s.is(device.Ready, "", 0); status.Unconfirmed || status.Model != "EPSON TM-T88V" {
			t.Errorf("a printer that answers is %+v", status)
		}
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		if r := s.wants("a", device.JobDone, 2*time.Second); !r.Confirmed {
			t.Errorf("done as %+v", r)
		}
		wantReceipts(t, paper, "Anna", 1)
	})
}
