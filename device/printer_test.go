package device_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

// shop is a printer driver on a simulated printer, in a bubble of false time.
type shop struct {
	t       *testing.T
	paper   *sim.Printer
	printer *device.Printer
	stop    context.CancelFunc

	mu       sync.Mutex
	reports  []device.JobReport
	statuses []device.Status
}

// open starts a driver with the profile on a simulator of the model.
func open(t *testing.T, profile, model string) *shop {
	t.Helper()
	paper, err := sim.NewPrinter(model, nil)
	if err != nil {
		t.Fatal(err)
	}
	language, err := escpos.NewLanguage(profile)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, paper, paper.Dial, language)
}

func start(t *testing.T, paper *sim.Printer, dial device.Dialer, language device.Language) *shop {
	t.Helper()
	s := &shop{t: t, paper: paper}
	printer, err := device.NewPrinter(device.PrinterConfig{
		Open: dial, Language: language, Polarity: device.OpenHigh,
		Report: func(status device.Status) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.statuses = append(s.statuses, status)
		},
		Progress: func(r device.JobReport) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reports = append(s.reports, r)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.printer = printer
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { printer.Run(ctx) })
	s.stop = func() {
		cancel()
		running.Wait()
		paper.Close()
	}
	return s
}

// last is the latest report of a job.
func (s *shop) last(id string) device.JobReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.reports) - 1; i >= 0; i-- {
		if s.reports[i].ID == id {
			return s.reports[i]
		}
	}
	return device.JobReport{}
}

// story is a job's reports as words.
func (s *shop) story(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var words []string
	for _, r := range s.reports {
		if r.ID == id {
			word := fmt.Sprintf("%s%d", r.State, r.Copies)
			if r.Fault != "" {
				word += ":" + string(r.Fault)
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// wants fails unless the job comes to a state within false time.
func (s *shop) wants(id string, state device.JobState, within time.Duration) device.JobReport {
	s.t.Helper()
	for waited := time.Duration(0); ; waited += 50 * time.Millisecond {
		synctest.Wait()
		if r := s.last(id); r.State == state && r.ID == id {
			return r
		}
		if waited > within {
			s.t.Fatalf("%s is not %v within %v: %s\nstatus %+v\npaper:\n%s", id, state, within, s.story(id), s.printer.Status(), s.paper.Text())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// is fails unless the printer comes to a state within false time.
func (s *shop) is(state device.State, fault device.Fault, within time.Duration) device.Status {
	s.t.Helper()
	for waited := time.Duration(0); ; waited += 50 * time.Millisecond {
		synctest.Wait()
		if status := s.printer.Status(); status.State == state && status.Fault == fault {
			return status
		}
		if waited > within {
			s.t.Fatalf("printer is not %v %q within %v: %+v", state, fault, within, s.printer.Status())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func receipt(name string) device.Document {
	return device.Document{
		device.Line{Text: "Café Central", Align: device.Center, Style: device.Style{Bold: true, Double: true}},
		device.Line{Text: name},
		device.Columns{Left: "2 Espresso", Right: "5,00 €"},
		device.Columns{Left: "TOTAL", Right: "12,30 €", Style: device.Style{Bold: true}},
		device.Rule{},
		device.QR{Content: "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=0.00021163"},
		device.Line{Text: "Thank you, " + name},
		device.Cut{},
	}
}

func TestReceiptIsDoneWhenThePrinterSaysSo(t *testing.T) {
	for _, model := range escpos.Profiles() {
		t.Run(model, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, model, model)
				defer s.stop()
				s.is(device.Ready, "", 5*time.Second)
				if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
					t.Fatal(err)
				}
				r := s.wants("a", device.JobDone, 3*time.Second)
				if r.Copies != 1 || r.Confirmed != (model != "generic") {
					t.Errorf("report %+v", r)
				}
				text := s.paper.Text()
				for _, want := range []string{"Café Central", "5,00 €", "Thank you, Anna"} {
					if strings.Count(text, want) != 1 {
						t.Errorf("paper has %q %d times:\n%s", want, strings.Count(text, want), text)
					}
				}
				if c := s.paper.Complaints(); len(c) > 0 {
					t.Errorf("complaints: %q", c)
				}
			})
		})
	}
}
