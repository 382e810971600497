package rates

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"till/protocol"
)

// Source is one place that knows the price.
type Source interface {
	// Name stands on quotes: "kraken".
	Name() string
	// Ask gives the price now; it keeps to ctx's deadline.
	Ask(ctx context.Context) (Reading, error)
}

// Reading is what a source says.
type Reading struct {
	Rate protocol.Rate
	At   protocol.Time // when the source says it was so; 0: now
}

// File is a source that reads a price somebody else writes: one decimal number
// of whole units of the currency, "58123.45", blanks around it ignored. It is as
// old as the file's last change.
type File struct {
	path     string
	currency protocol.Currency
}

var _ Source = File{}

// NewFile makes the source; the file need not exist yet.
func NewFile(path string, currency protocol.Currency) (File, error) {
	if path == "" || !currency.Valid() {
		return File{}, fmt.Errorf("rate file: path and currency are needed")
	}
	return File{path, currency}, nil
}

// Name implements [Source].
func (f File) Name() string { return "file" }

// Ask implements [Source].
func (f File) Ask(ctx context.Context) (Reading, error) {
	if err := ctx.Err(); err != nil {
		return Reading{}, err
	}
	file, err := os.Open(f.path)
	if err != nil {
		return Reading{}, fmt.Errorf("read rate file: %w", err)
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return Reading{}, fmt.Errorf("read rate file: %w", err)
	}
	if !about.Mode().IsRegular() {
		return Reading{}, fmt.Errorf("read rate file: %s is not a file", f.path)
	}
	text, err := io.ReadAll(io.LimitReader(file, 4*maxPrice))
	if err != nil {
		return Reading{}, fmt.Errorf("read rate file: %w", err)
	}
	rate, err := parseRate(strings.TrimSpace(string(text)), f.currency)
	if err != nil {
		return Reading{}, fmt.Errorf("read rate file: %w", err)
	}
	return Reading{rate, protocol.TimeOf(about.ModTime())}, nil
}
