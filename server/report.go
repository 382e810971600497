package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"till/protocol"
)

// Reports are those of the terminals, and what they come to together.
type Reports struct {
	Reports []protocol.Report `json:"reports"`
	Total   protocol.Report   `json:"total"`
}

// Readings gives the X report of every terminal that has taken anything since its
// last Z report, from what it has sent.
func (s *Server) Readings(ctx context.Context) (Reports, error) {
	return s.reports(ctx, func(b books) error {
		last, err := b.closings(0, 1)
		if err != nil {
			return err
		}
		return b.add(seqOf(last), b.terminal.JournalSeq)
	})
}

// DayReports gives the reading of every terminal for the entries from since to
// before until, whatever shift they belong to.
func (s *Server) DayReports(ctx context.Context, since, until protocol.Time) (Reports, error) {
	return s.reports(ctx, func(b books) error {
		after, err := b.before(since)
		if err != nil {
			return err
		}
		upTo, err := b.before(until)
		if err != nil {
			return err
		}
		return b.add(after, upTo)
	})
}

// ZReports gives the Z reports that were closed from since to before until.
func (s *Server) ZReports(ctx context.Context, since, until protocol.Time) (Reports, error) {
	return s.reports(ctx, func(b books) error {
		var closed []StoredEntry // newest first, with one more before them
		for below := int64(0); ; below = closed[len(closed)-1].Seq {
			more, err := b.closings(below, perRead)
			if err != nil {
				return err
			}
			closed = append(closed, more...)
			if len(more) < perRead || more[len(more)-1].At < since {
				break
			}
		}
		for i := len(closed) - 1; i >= 0; i-- {
			if z := closed[i]; z.At >= since && z.At < until {
				if err := b.add(seqOf(closed[i+1:]), z.Seq); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Day gives the bounds of a day of the shop, 2006-01-02, "" being today. Not such a
// date: [ErrDate].
func (s *Server) Day(date string) (name string, since, until protocol.Time, err error) {
	zone := s.rules().Zone
	day := s.o.Clock().Time().In(zone)
	day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
	if date != "" {
		if day, err = time.ParseInLocation(time.DateOnly, date, zone); err != nil {
			return "", 0, 0, fmt.Errorf("%w: %q", ErrDate, date)
		}
	}
	return day.Format(time.DateOnly), protocol.TimeOf(day), protocol.TimeOf(day.AddDate(0, 0, 1)), nil
}

// ErrDate: a day is written as 2026-11-24.
var ErrDate = errors.New("a date such as 2026-11-24 is needed")

// Zone is the shop's time zone.
func (s *Server) Zone() *time.Location { return s.rules().Zone }

// seqOf is that of the first entry, 0 without one.
func seqOf(entries []StoredEntry) int64 {
	if len(entries) == 0 {
		return 0
	}
	return entries[0].Seq
}

// reports reads one terminal after another by name, from one moment.
func (s *Server) reports(ctx context.Context, of func(books) error) (Reports, error) {
	out := Reports{Reports: []protocol.Report{}}
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		out.Reports = out.Reports[:0]
		all, err := tx.Terminals.List()
		if err != nil {
			return fmt.Errorf("list terminals: %w", err)
		}
		slices.SortStableFunc(all, func(a, b *Terminal) int { return strings.Compare(a.Name, b.Name) })
		for _, t := range all {
			if err := of(books{tx, t, s.rules().Currency, &out}); err != nil {
				return fmt.Errorf("report of %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return Reports{}, err
	}
	if out.Total, err = protocol.ReportOf(nil, s.rules().Currency, 0, 0); err != nil {
		return Reports{}, err
	}
	for _, r := range out.Reports {
		if err := out.Total.Add(r); err != nil {
			return Reports{}, err
		}
	}
	return out, nil
}

// books is the journal of one terminal.
type books struct {
	tx       *Tx
	terminal *Terminal
	currency protocol.Currency
	out      *Reports
}

func (b books) closings(below int64, most int) ([]StoredEntry, error) {
	found, err := b.tx.Journal.Closings(b.terminal.ID, below, most)
	if err != nil {
		return nil, fmt.Errorf("read Z reports: %w", err)
	}
	return found, nil
}

// add adds the report of the entries behind after up to upTo, if there are any.
func (b books) add(after, upTo int64) error {
	if after >= upTo {
		return nil
	}
	r, err := protocol.ReportOf(b.read, b.currency, after, upTo)
	if err != nil {
		return err
	}
	r.Terminal = b.terminal.Name
	b.out.Reports = append(b.out.Reports, r)
	return nil
}

func (b books) read(after, upTo int64) ([]protocol.Entry, error) {
	var out []protocol.Entry
	for after < upTo {
		chunk, err := b.tx.Journal.After(b.terminal.ID, after, int(min(perRead, upTo-after)))
		if err != nil {
			return nil, err
		}
		if len(chunk) == 0 {
			return nil, fmt.Errorf("entry %d: %w", after+1, ErrNotFound)
		}
		for _, e := range chunk {
			out = append(out, e.Entry)
		}
		after = chunk[len(chunk)-1].Seq
	}
	return out, nil
}

// before is the last entry before a moment, found by halving: the times of a
// journal do not run back, but for those that are flagged.
func (b books) before(at protocol.Time) (int64, error) {
	var fault error
	n := sort.Search(int(b.terminal.JournalSeq), func(i int) bool {
		if fault != nil {
			return true
		}
		e, err := b.tx.Journal.Get(b.terminal.ID, int64(i)+1)
		if err != nil {
			fault = fmt.Errorf("read entry %d: %w", i+1, err)
			return true
		}
		return e.At >= at
	})
	return int64(n), fault
}
