package main

import (
	"bufio"
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/protocol"
	"till/server"
)

func (p *program) export() *cobra.Command {
	var format, since, until, file string
	c := &cobra.Command{Use: "export", Short: "The books of a time as CSV, JSON or OFX", Args: cobra.NoArgs,
		Long: `The books of a time: every sale, each means of paying, change, refunds and
payouts, with what bitcoin counted at the sale and when it left.

csv   one row for each of them, RFC 4180; kinds are sale, tender, change, refund,
      sell and sweep. The totals of paid sales are the amounts of tender and change.
json  {"shop","currency","since","until","sales":[…],"refunds":[…],"payouts":[…]}
ofx   OFX 2.2 for bookkeeping programs: one statement for each means of paying`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			var asked boot.PageAsked
			if asked.Since, err = p.moment(since); err != nil {
				return err
			}
			if asked.Until, err = p.moment(until); err != nil {
				return err
			}
			if p.json && !c.Flags().Changed("format") {
				format = "json"
			}
			return p.exportBooks(c.Context(), format, file, asked)
		}}
	c.Flags().StringVar(&format, "format", "csv", "csv, json or ofx")
	c.Flags().StringVar(&since, "since", "", "a day, 2026-11-22, or a moment, 2026-11-22T15:04")
	c.Flags().StringVar(&until, "until", "", "the first not in it (default now)")
	c.Flags().StringVar(&file, "out", "-", "file to write, - for standard output")
	return c
}

// bookWriter takes the books in their order.
type bookWriter interface {
	begin(b boot.Books, p boot.PageAsked)
	sale(s boot.SaleLine)
	refund(r boot.RefundLine)
	payout(o boot.PayoutLine)
	end() error // of all that was written
}

func (p *program) exportBooks(ctx context.Context, format, file string, asked boot.PageAsked) (err error) {
	to := p.out
	formats := map[string]func(*bufio.Writer) bookWriter{"csv": newCSVBook, "json": newJSONBook, "ofx": newOFXBook}
	make, known := formats[format]
	if !known {
		return usage("--format csv, json or ofx", "there is no format %q", format)
	}
	if file != "-" {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return usageOf(fail("export", err))
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		to = f
	}
	buffer := bufio.NewWriterSize(to, 64<<10)
	if err := p.writeBooks(ctx, make(buffer), asked); err != nil {
		return fail("export", err)
	}
	return fail("export", buffer.Flush())
}

// exportPage is how many rows are asked for at once.
const exportPage = 10_000

func (p *program) writeBooks(ctx context.Context, w bookWriter, asked boot.PageAsked) error {
	var books boot.Books
	if err := p.ask(ctx, "books.begin", struct{}{}, &books); err != nil {
		return err
	}
	if asked.Until == 0 || asked.Until > books.Now {
		asked.Until = books.Now
	}
	w.begin(books, asked)
	asked.Most = exportPage
	err := eachPage(func(after server.Mark) ([]boot.SaleLine, error) {
		var page []boot.SaleLine
		err := p.ask(ctx, "sale.list", boot.SalesAsked{Since: asked.Since, Until: asked.Until, Oldest: true, After: after, Most: asked.Most}, &page)
		return page, err
	}, func(s boot.SaleLine) server.Mark {
		w.sale(s)
		return server.Mark{At: s.Opened, ID: protocol.ID(s.Sale)}
	})
	if err != nil {
		return err
	}
	err = eachPage(func(after server.Mark) (page []boot.RefundLine, err error) {
		asked.After = after
		err = p.ask(ctx, "refund.list", asked, &page)
		return page, err
	}, func(r boot.RefundLine) server.Mark {
		w.refund(r)
		return server.Mark{At: r.At, ID: protocol.ID(r.Refund)}
	})
	if err != nil {
		return err
	}
	err = eachPage(func(after server.Mark) (page []boot.PayoutLine, err error) {
		asked.After = after
		err = p.ask(ctx, "payout.list", asked, &page)
		return page, err
	}, func(o boot.PayoutLine) server.Mark {
		w.payout(o)
		return server.Mark{At: o.At, ID: protocol.ID(o.ID)}
	})
	if err != nil {
		return err
	}
	return w.end()
}

// eachPage reads page after page until one is not full.
func eachPage[T any](read func(after server.Mark) ([]T, error), take func(T) server.Mark) error {
	for after := (server.Mark{}); ; {
		page, err := read(after)
		if err != nil {
			return err
		}
		for _, row := range page {
			after = take(row)
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

// tendered gives what of a paid sale counts, and the change that was given: a
// sale's total is the sum of the tenders less the change.
func tendered(s boot.SaleLine) (counts []boot.TenderLine, change change) {
	if s.Said != "paid" {
		return nil, change
	}
	sum := int64(0)
	for _, t := range s.Tenders {
		if t.Removed || t.Refused != "" {
			continue
		}
		counts = append(counts, t)
		sum += t.Amount.Minor
		if t.Kind == protocol.TenderCash {
			change.at = t.At
		}
	}
	if change.at != 0 {
		change.minor = max(0, sum-s.Total.Minor)
	}
	return counts, change
}

// change is cash that was given back, and when.
type change struct {
	at    protocol.Time
	minor int64
}

// gone reports whether a payout certainly never left.
func gone(state protocol.PayoutState) bool {
	return state == protocol.PayoutRefused || state == protocol.PayoutNever
}
