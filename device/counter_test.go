package device_test

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

// These are the ways a printer really hangs on a till. Times are real, so the
// tests wait for reports, never for a while.

// hung starts a driver on a URL and gives back what it reports.
func hung(t *testing.T, url string) (*device.Printer, <-chan device.JobReport, <-chan device.Status) {
	t.Helper()
	address, err := device.ParseURL(url, 38400)
	if err != nil {
		t.Fatal(err)
	}
	language, err := escpos.NewLanguage("auto")
	if err != nil {
		t.Fatal(err)
	}
	reports, statuses := make(chan device.JobReport, 100), make(chan device.Status, 100)
	p, err := device.NewPrinter(device.PrinterConfig{
		Open: address.Dialer(nil), Language: language,
		Report:   func(s device.Status) { statuses <- s },
		Progress: func(r device.JobReport) { reports <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return p, reports, statuses
}

// until takes values until one is wanted.
func until[T any](t *testing.T, values <-chan T, wanted func(T) bool) T {
	t.Helper()
	late := time.After(20 * time.Second)
	var last T
	for {
		select {
		case last = <-values:
			if wanted(last) {
				return last
			}
		case <-late:
			t.Fatalf("not seen in 20 s; last %+v", last)
		}
	}
}

func is(state device.JobState) func(device.JobReport) bool {
	return func(r device.JobReport) bool { return r.State == state }
}

func ready(s device.Status) bool { return s.State == device.Ready }

// shift is a day at the counter: paper runs out, the plug is pulled.
func shift(t *testing.T, paper *sim.Printer, url string) {
	p, reports, statuses := hung(t, url)
	if s := until(t, statuses, ready); s.Model != "EPSON TM-T88V" {
		t.Errorf("model %q", s.Model)
	}
	if err := p.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
		t.Fatal(err)
	}
	until(t, reports, is(device.JobDone))
	paper.SetPaperAfter(sim.PaperOut, 3)
	if err := p.Print(device.Job{ID: "b", Document: receipt("Bela")}); err != nil {
		t.Fatal(err)
	}
	if r := until(t, reports, is(device.JobWaiting)); r.Fault != device.PaperEnd {
		t.Errorf("waits as %+v", r)
	}
	paper.SetPaper(sim.PaperIn)
	if r := until(t, reports, is(device.JobDone)); r.Copies != 1 {
		t.Errorf("done as %+v", r)
	}
	paper.SetPaperAfter(sim.PaperOut, 3)
	if err := p.Print(device.Job{ID: "c", Document: receipt("Cleo")}); err != nil {
		t.Fatal(err)
	}
	until(t, reports, is(device.JobWaiting))
	paper.Unplug()
	until(t, statuses, func(s device.Status) bool { return s.State == device.Absent })
	paper.SetPaper(sim.PaperIn)
	paper.Replug()
	if r := until(t, reports, is(device.JobDone)); r.Copies != 2 {
		t.Errorf("done as %+v", r)
	}
	wantReceipts(t, paper, "Cleo", 2)
	if c := paper.Complaints(); len(c) > 0 {
		t.Errorf("complaints: %q", c)
	}
}

func TestAPrinterOnTheNetwork(t *testing.T) {
	t.Parallel()
	paper, err := sim.NewPrinter("epson-80", nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	serving.Go(func() {
		if err := sim.ServeTCP(ctx, listener, paper); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	defer serving.Wait()
	defer cancel()
	shift(t, paper, "tcp://"+listener.Addr().String())
}

func TestAPrinterOnASerialPort(t *testing.T) {
	t.Parallel()
	paper, err := sim.NewPrinter("epson-80", nil)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "printer")
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	named := make(chan string, 1)
	serving.Go(func() {
		if err := sim.ServePTY(ctx, name, paper, func(n string) { named <- n }); err != nil {
			t.Errorf("serve: %v", err)
			close(named)
		}
	})
	defer serving.Wait()
	defer cancel()
	if <-named != name {
		t.Fatal("the port has another name")
	}
	shift(t, paper, "serial://"+name+"?baud=115200&flow=rtscts")
}
