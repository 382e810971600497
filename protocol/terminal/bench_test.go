package terminal

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"till/protocol"
)

func benchOptions(b *testing.B) Options {
	return Options{
		Path: filepath.Join(b.TempDir(), "terminal.db"), Clock: time.Now, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Software: "till/bench", Vault: &keyVault{},
	}
}

// BenchmarkOpen is a start with a year of sales behind; the bound is 15 ms.
func BenchmarkOpen(b *testing.B) {
	ctx := context.Background()
	o := benchOptions(b)
	t, err := Open(ctx, o)
	if err != nil {
		b.Fatal(err)
	}
	for range 100 {
		steps := make([]Step, 200)
		for i := range steps {
			id, _ := t.NewID()
			steps[i] = Record(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: protocol.SaleID(id), Total: eur(1)})
		}
		if _, err := t.Commit(ctx, steps...); err != nil {
			b.Fatal(err)
		}
	}
	if err := t.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		t, err := Open(ctx, o)
		if err != nil {
			b.Fatal(err)
		}
		if err := t.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit is one step of a sale, on the disk when it returns.
func BenchmarkCommit(b *testing.B) {
	t, err := Open(context.Background(), benchOptions(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = t.Close() }()
	for b.Loop() {
		if _, err := t.Append(context.Background(), protocol.EntryDrawerOpened, drawer("a")); err != nil {
			b.Fatal(err)
		}
	}
}
