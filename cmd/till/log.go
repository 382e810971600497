package main

import (
	"context"
	"io"
	"log/slog"

	"till/cmd/internal/config"
)

var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// logger writes in the configured form.
func logger(c *config.Config, to io.Writer) *slog.Logger {
	return slog.New(logHandler(c, logLevels[c.Log.Level], to))
}

// logger writes for the journal of systemd where that reads standard error.
func (p *program) logger(c *config.Config, level slog.Leveler, to io.Writer) *slog.Logger {
	if p.getenv("JOURNAL_STREAM") != "" && c.Log.Format != "json" {
		return slog.New(newJournal(level, to))
	}
	return slog.New(logHandler(c, level, to))
}

func logHandler(c *config.Config, level slog.Leveler, to io.Writer) slog.Handler {
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.NewJSONHandler(to, o)
	}
	return slog.NewTextHandler(to, o)
}

// journal writes text as systemd's journal takes it: the priority in front of each
// line (sd-daemon(3)), no time, since the journal has its own.
type journal [4]slog.Handler // debug, info, warn, error

func newJournal(level slog.Leveler, to io.Writer) journal {
	var j journal
	for i, priority := range []string{"<7>", "<6>", "<4>", "<3>"} {
		j[i] = slog.NewTextHandler(prefixed{priority, to}, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		}})
	}
	return j
}

// Enabled reports whether the level is logged.
func (j journal) Enabled(ctx context.Context, level slog.Level) bool { return j[0].Enabled(ctx, level) }

// Handle writes a record with the priority of its level.
func (j journal) Handle(ctx context.Context, r slog.Record) error {
	i := min(max((int(r.Level)+4)/4, 0), len(j)-1)
	return j[i].Handle(ctx, r)
}

// WithAttrs adds to every line.
func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	for i, h := range j {
		j[i] = h.WithAttrs(attrs)
	}
	return j
}

// WithGroup puts what is added later in a group.
func (j journal) WithGroup(name string) slog.Handler {
	for i, h := range j {
		j[i] = h.WithGroup(name)
	}
	return j
}

// prefixed puts text in front of each line, in one write.
type prefixed struct {
	text string
	to   io.Writer
}

// Write takes one line.
func (p prefixed) Write(line []byte) (int, error) {
	n, err := p.to.Write(append([]byte(p.text), line...))
	return max(0, n-len(p.text)), err
}
