package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Failure is a statement that did not hold, with what a person needs to see why.
type Failure struct {
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Statement string   `json:"statement"`
	Why       string   `json:"why"`
	Width     int      `json:"width"`
	Screen    string   `json:"screen"`
	Before    []string `json:"before"` // the last statements before it, FILE:LINE: each
	Paper     []string `json:"paper"`  // the paper's last lines
}

// How much a report tells of what came before.
const (
	reportedStatements = 8
	reportedPaper      = 12
)

func (r *runner) failure(ctx context.Context, s Statement, err error) *Failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	f := r.screen.frame()
	report := &Failure{
		File: s.File, Line: s.Line, Statement: r.timed(s), Why: err.Error(),
		Width: f.Width, Screen: f.Text(""), Before: []string{}, Paper: []string{},
	}
	if r.running && r.ended() {
		report.Why += " (the program has ended)"
	}
	for _, before := range r.played[max(0, len(r.played)-1-reportedStatements) : len(r.played)-1] {
		report.Before = append(report.Before, fmt.Sprintf("%s:%d: %s", before.File, before.Line, before.Text))
	}
	if r.shop.Printer != nil {
		if text := strings.TrimRight(r.shop.Printer.Text(), "\n"); text != "" {
			lines := strings.Split(text, "\n")
			report.Paper = lines[max(0, len(lines)-reportedPaper):]
		}
	}
	return report
}

// timed is a statement with the time it was given.
func (r *runner) timed(s Statement) string {
	var within *time.Duration
	switch do := s.Do.(type) {
	case See:
		within = &do.Within
	case SeeState:
		within = &do.Within
	case ReadQR:
		within = &do.Within
	case Paper:
		within = &do.Within
	}
	if within == nil || *within != 0 {
		return s.Text
	}
	return fmt.Sprintf("%s within %v", s.Text, r.patience)
}

// Error is the line that names the statement.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Statement, f.Why)
}

// Report writes results for a person: a line for each file that held, and all
// about one that did not.
func Report(w io.Writer, results []Result) error {
	var b strings.Builder
	for _, result := range results {
		f := result.Failure
		if f == nil {
			fmt.Fprintf(&b, "%s: held (%v)\n", result.File, result.Took.Round(time.Millisecond))
			continue
		}
		rule := strings.Repeat("─", f.Width)
		fmt.Fprintf(&b, "%v\n%s\n%s\n%s\n", f, rule, f.Screen, rule)
		section(&b, "the last statements:", f.Before)
		section(&b, "the paper's last lines:", f.Paper)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func section(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", title)
	for _, line := range lines {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// ReportJSON writes one object a file.
func ReportJSON(w io.Writer, results []Result) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	var all error
	for _, result := range results {
		all = errors.Join(all, out.Encode(result))
	}
	return all
}
