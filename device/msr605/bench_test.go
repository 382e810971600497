package msr605_test

import (
	"context"
	"testing"

	"till/device"
	"till/device/sim"
)

// BenchmarkCard makes a card, written and read back, on a simulator in memory;
// at 9600 baud its bytes alone take a quarter of a second.
func BenchmarkCard(b *testing.B) {
	bench := start(b, "msr605")
	defer bench.stop()
	bench.ready()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if bench.sim.AwaitWaiting(ctx) {
				bench.sim.Swipe(sim.GoodSwipe)
			}
		}
	}()
	for b.Loop() {
		if err := device.MakeCard(ctx, bench.reader, stripe, device.HiCo, func(device.CardStep) {}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPipe is its baseline: as many bytes through the same pipe.
func BenchmarkPipe(b *testing.B) {
	here, there := device.NewPipe(256)
	defer here.Close()
	defer there.Close()
	p := make([]byte, 256)
	for b.Loop() {
		if _, err := here.Write(b.Context(), p); err != nil {
			b.Fatal(err)
		}
		if _, err := there.Read(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
