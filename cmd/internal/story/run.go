package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options say how stories are played.
type Options struct {
	Open  Open
	Now   func() time.Time // the machine's clock, to measure with
	Stdin io.Reader        // the story named "-"
	Out   io.Writer        // what `say` says

	Width, Height int    // of the screen, 80×24 if 0
	Term          string // xterm-256color if ""
	// Speed 0 plays as fast as the program follows, 1 as a person does, 2 twice
	// as fast.
	Speed float64
	// Lines tells that the program is said, not shown: a key is a line of its
	// input, :f3, =12.50 or <CODE, and the screen is one that the shop sets out.
	Lines bool
	// Show gets what the program writes, for a person to watch; nil for nobody.
	Show  io.Writer
	Shots string // directory of the shots, the working directory if ""
}

// speaksOfEcash reports whether a statement needs a mint.
func speaksOfEcash(s Statement) bool {
	switch s.Do.(type) {
	case Taps, Mint:
		return true
	}
	return false
}

// The screen of a program that is said.
const (
	linesWidth  = 200
	linesHeight = 130
)

const (
	maxPlay         = 10 * time.Minute // for all files together
	defaultPatience = 5 * time.Second
)

var errTooLong = fmt.Errorf("the stories take longer than %v", maxPlay)

// Result is how a file ended.
type Result struct {
	File    string        `json:"file"`
	Held    bool          `json:"held"`
	Failure *Failure      `json:"failure,omitempty"`
	Took    time.Duration `json:"took_ns"`
}

// Play plays story files one after another, each on fresh data, and ends with
// the first that does not hold. A [SyntaxError] means that nothing was run
// (exit 2); another error that a shop could not be opened or closed. What did
// not hold is in the last result (exit 1).
func Play(ctx context.Context, o Options, files []string) ([]Result, error) {
	if o.Open == nil || o.Now == nil || o.Out == nil {
		return nil, errors.New("play stories: a shop, a clock and an output are needed")
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 80, 24
	}
	if o.Lines {
		o.Width, o.Height = linesWidth, linesHeight
	}
	if o.Term == "" {
		o.Term = "xterm-256color"
	}
	if !knownTerm(o.Term) {
		return nil, SyntaxError{fmt.Sprintf("--term: it is not known what the keys of %q send", o.Term)}
	}
	stories, err := load(files, o.Stdin)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxPlay, errTooLong)
	defer cancel()
	var results []Result
	for i, file := range files {
		shop, err := o.Open(ctx)
		if err != nil {
			return results, fmt.Errorf("open the shop of %s: %w", file, err)
		}
		if i == 0 {
			if err := refuse(stories, shop); err != nil {
				return nil, errors.Join(err, shop.Close())
			}
		}
		if slices.ContainsFunc(stories[i], speaksOfEcash) {
			shop.Ecash.Offer()
		}
		if slices.ContainsFunc(stories[i], func(s Statement) bool { return s.On != mainSeat }) {
			if err := shop.Gather(); err != nil {
				return results, errors.Join(fmt.Errorf("open the shop of %s: %w", file, err), shop.Close())
			}
		}
		started := o.Now()
		r := newRunner(o, shop)
		result := Result{File: file, Failure: r.play(ctx, stories[i])}
		result.Held, result.Took = result.Failure == nil, o.Now().Sub(started)
		results = append(results, result)
		if err := shop.Close(); err != nil {
			return results, fmt.Errorf("close the shop of %s: %w", file, err)
		}
		if !result.Held {
			break
		}
	}
	return results, nil
}
