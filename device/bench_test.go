package device_test

import (
	"bytes"
	"context"
	"testing"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

// first tells when a receipt's first byte leaves.
type first struct {
	device.Link
	left chan struct{}
}

func (f first) Write(ctx context.Context, p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte{0x1B, '@'}) {
		f.left <- struct{}{}
	}
	return f.Link.Write(ctx, p)
}

// BenchmarkFirstByte is from Print to the first byte of the receipt on the
// link, the question for status included. product.md section 4 allows 100 ms,
// of which a printer's own answer takes some 5 to 20. Baseline: 0.4 ms (2 cores
// of a busy amd64 machine).
func BenchmarkFirstByte(b *testing.B) {
	paper, err := sim.NewPrinter("epson-80", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer paper.Close()
	language, err := escpos.NewLanguage("epson-80")
	if err != nil {
		b.Fatal(err)
	}
	left := make(chan struct{}, 1)
	done := make(chan struct{}, 1)
	p, err := device.NewPrinter(device.PrinterConfig{
		Open: func(ctx context.Context) (device.Link, error) {
			link, err := paper.Dial(ctx)
			return first{link, left}, err
		},
		Language: language,
		Report:   func(device.Status) {},
		Progress: func(r device.JobReport) {
			if r.State == device.JobDone {
				done <- struct{}{}
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	document := receipt("Anna")
	print := func() {
		if err := p.Print(device.Job{ID: "a", Document: document}); err != nil {
			b.Fatal(err)
		}
		<-left
	}
	print() // until the printer is open
	<-done
	for b.Loop() {
		print()
		b.StopTimer()
		<-done
		b.StartTimer()
	}
}
