package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/story"
)

// scripted says how stories are played.
type scripted struct {
	size, term, shots string
	speed             float64
}

func (s *scripted) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.size, "size", "80x24", "with --script: the screen's size")
	c.Flags().StringVar(&s.term, "term", "xterm-256color", "with --script: TERM")
	c.Flags().StringVar(&s.shots, "shots", "", "with --script: directory for the pictures of `shot`")
	c.Flags().Float64Var(&s.speed, "speed", 0, "with --script: 1 plays like a person and shows it on this terminal")
}

// playStories plays the files, each on a fresh practice shop whose program is a
// process of its own.
func (p *program) playStories(ctx context.Context, files []string, s scripted, shop staging) error {
	program, err := os.Executable()
	if err != nil {
		return fail("play stories", err)
	}
	if p.accessible {
		shop.command = append(slices.Clone(shop.command), "--accessible")
	}
	o := story.Options{
		Lines: p.accessible,
		Open:  func(context.Context) (*story.Shop, error) { return openStage(program, shop) },
		Now:   time.Now,
		Stdin: p.in, Out: p.out, Term: s.term, Speed: s.speed, Shots: s.shots,
	}
	if _, err := fmt.Sscanf(s.size, "%dx%d", &o.Width, &o.Height); err != nil {
		return usage("--size 80x24", "play stories: %q is not a size", s.size)
	}
	if s.speed > 0 && isTerminal(p.out) {
		o.Show = p.out
	}
	results, err := story.Play(ctx, o, files)
	var wrong story.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return &failure{exitUsage, wrong, "the language is in the README under Stories"}
	case err != nil:
		return fail("play stories", err)
	}
	tell := story.Report
	if p.json {
		tell = story.ReportJSON
	}
	if err := tell(p.out, results); err != nil {
		return fail("play stories", err)
	}
	for _, r := range results {
		if !r.Held {
			return &failure{code: exitNo}
		}
	}
	return nil
}
