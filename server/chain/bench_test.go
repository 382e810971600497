package chain

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"till/server"
)

const somewhere = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// BenchmarkPracticeOpen opens a chain of 500 blocks that was closed in order.
// Baseline on two cores with a disk that syncs in 1 ms: 20 ms, most of it
// leveldb making its log durable.
func BenchmarkPracticeOpen(b *testing.B) {
	dir := b.TempDir()
	config := PracticeConfig{Dir: dir, Now: time.Now, Random: rand.Reader}
	open := func() *Practice {
		p, err := OpenPractice(config)
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	p := open()
	if _, err := p.Mine(context.Background(), 500-foundedHeight); err != nil {
		b.Fatal(err)
	}
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p := open()
		b.StopTimer()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkPracticeFound makes a new chain with its 110 blocks. Baseline: 48 ms.
func BenchmarkPracticeFound(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		b.StartTimer()
		p, err := OpenPractice(PracticeConfig{Dir: dir, Now: time.Now, Random: rand.Reader})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkPracticePayToChange is from the customer's tap to the change that the
// server hears, durable. Baseline: 5 ms.
func BenchmarkPracticePayToChange(b *testing.B) {
	p := openPractice(b, b.TempDir())
	script, err := practiceScript(somewhere)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := p.Watch(ctx, []server.Script{server.Script(script)}); err != nil {
		b.Fatal(err)
	}
	heard, done := make(chan server.Change, 1), make(chan error)
	go func() {
		done <- p.Changes(ctx, func(c server.Change) { heard <- c })
	}()
	<-heard
	for b.Loop() {
		if _, err := p.Pay(ctx, somewhere, 10_000, 0, true); err != nil {
			b.Fatal(err)
		}
		<-heard
		if p.ledger.pool.Count() == 100 {
			b.StopTimer()
			if _, err := p.Mine(ctx, 1); err != nil {
				b.Fatal(err)
			}
			<-heard
			b.StartTimer()
		}
	}
	cancel()
	<-done
}

// BenchmarkPracticePayments asks about 100 scripts, half of them paid in a block
// and half in the mempool. Baseline: 3 ms.
func BenchmarkPracticePayments(b *testing.B) {
	p := openPractice(b, b.TempDir())
	ctx := context.Background()
	var scripts []server.Script
	for i := range 100 {
		o, err := newOwner(make([]byte, 32), string(rune('a'+i)))
		if err != nil {
			b.Fatal(err)
		}
		scripts = append(scripts, server.Script(o.script))
		if _, err := p.Pay(ctx, o.address.EncodeAddress(), 10_000, 0, true); err != nil {
			b.Fatal(err)
		}
		if i == 49 {
			if _, err := p.Mine(ctx, 1); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		found, _, err := p.Payments(ctx, scripts)
		if err != nil || len(found) != 100 {
			b.Fatalf("%d payments, %v", len(found), err)
		}
	}
}
