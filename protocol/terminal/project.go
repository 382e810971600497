package terminal

import (
	"context"
	"fmt"
	"strings"

	"till/protocol"
)

// project writes what follows from an entry beside it: the sale, its tenders,
// the shift, the payout. A kind that changes none of them is stored alone.
func (c *change) project(ctx context.Context, e *protocol.Entry) error {
	switch e.Kind {
	case protocol.EntrySaleOpened:
		return project(ctx, e, c.saleOpened)
	case protocol.EntryTenderAdded:
		return project(ctx, e, c.tenderAdded)
	case protocol.EntryTenderRemoved:
		return project(ctx, e, c.tenderRemoved)
	case protocol.EntrySalePaid, protocol.EntrySaleCancelled, protocol.EntrySaleParked:
		return project(ctx, e, c.saleEnded)
	case protocol.EntryTabOpened:
		return project(ctx, e, c.tabOpened)
	case protocol.EntryTabCharged:
		return project(ctx, e, c.tabCharged)
	case protocol.EntryTabClosed:
		return project(ctx, e, c.tabClosed)
	case protocol.EntryRefund:
		return project(ctx, e, c.refunded)
	case protocol.EntryPayout:
		return project(ctx, e, c.payoutNoted)
	case protocol.EntryReceiptPrinted:
		return project(ctx, e, c.receiptPrinted)
	case protocol.EntryAddressShown:
		return project(ctx, e, c.addressShown)
	case protocol.EntryShiftOpened:
		return project(ctx, e, c.shiftOpened)
	case protocol.EntryShiftClosed:
		return project(ctx, e, c.shiftClosed)
	case protocol.EntryTamper:
		return project(ctx, e, c.tampered)
	}
	return nil
}

func project[B any](ctx context.Context, e *protocol.Entry, do func(context.Context, *protocol.Entry, B) error) error {
	var body B
	if err := protocol.Decode(e.Body, &body); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return do(ctx, e, body)
}

func (c *change) touch(id protocol.SaleID) { c.fact.Sales = union(c.fact.Sales, []protocol.SaleID{id}) }

func (c *change) saleOpened(ctx context.Context, e *protocol.Entry, o protocol.SaleOpened) error {
	c.touch(o.Sale)
	words := o.SearchWords()
	if err := c.learn(ctx, words); err != nil {
		return err
	}
	return c.exec(ctx, `INSERT INTO sales (id, opened, said, shift, words, opening) VALUES ($1, $2, 'open', $3, $4, $5)`,
		o.Sale, e.At, o.Shift, strings.Join(words, " "), string(e.Body))
}

// learn adds words to the dictionary.
func (c *change) learn(ctx context.Context, words []string) error {
	list, err := text(protocol.Dictionary(words))
	if err != nil {
		return err
	}
	return c.exec(ctx, `INSERT OR IGNORE INTO words (word) SELECT value FROM json_each($1)`, list)
}

// tenderAdded also takes a parked sale up again: somebody is paying it.
func (c *change) tenderAdded(ctx context.Context, e *protocol.Entry, a protocol.TenderAdded) error {
	c.touch(a.Sale)
	if err := c.exec(ctx, `UPDATE sales SET said = 'open', ended = 0, reason = '' WHERE id = $1 AND said = 'parked'`, a.Sale); err != nil {
		return err
	}
	if a.Address != "" {
		c.recount = true
		if err := c.exec(ctx, `UPDATE addresses SET tender = $1, shown = max(shown, $2) WHERE address = $3`, a.Tender, max(e.At, 1), a.Address); err != nil {
			return err
		}
	}
	return c.exec(ctx, `INSERT INTO tenders (id, sale, added, address, quote, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.Tender, a.Sale, e.At, a.Address, a.Quote, string(e.Body))
}

func (c *change) tenderRemoved(ctx context.Context, _ *protocol.Entry, r protocol.TenderRemoved) error {
	c.touch(r.Sale)
	return c.must(ctx, `UPDATE tenders SET removed = 1 WHERE id = $1 AND sale = $2`, r.Tender, r.Sale)
}

var saidBy = map[protocol.EntryKind]Said{
	protocol.EntrySalePaid:      SaidPaid,
	protocol.EntrySaleCancelled: SaidCancelled,
	protocol.EntrySaleParked:    SaidParked,
}

func (c *change) saleEnded(ctx context.Context, e *protocol.Entry, s protocol.SaleEnded) error {
	c.touch(s.Sale)
	var change any
	if s.Change != nil {
		encoded, err := text(s.Change)
		if err != nil {
			return err
		}
		change = encoded
	}
	return c.must(ctx, `UPDATE sales SET said = $1, ended = $2, reason = $3, change = $4 WHERE id = $5`,
		saidBy[e.Kind], e.At, s.Reason, change, s.Sale)
}

func (c *change) tabOpened(ctx context.Context, e *protocol.Entry, o protocol.TabOpened) error {
	c.touch(o.Sale)
	return c.exec(ctx, `INSERT INTO tabs (id, sale, body, opened) VALUES ($1, $2, $3, $4)`, o.Tender, o.Sale, string(e.Body), e.At)
}

// tabCharged adds the round's lines to those before; the sale is found by them.
func (c *change) tabCharged(ctx context.Context, _ *protocol.Entry, r protocol.TabCharged) error {
	c.touch(r.Sale)
	var before string
	if err := c.get(ctx, `SELECT lines FROM tabs WHERE id = $1 AND sale = $2`, []any{r.Tender, r.Sale}, &before); err != nil {
		return missing(err)
	}
	var lines []protocol.Line
	if err := protocol.DecodeResult([]byte(before), &lines); err != nil {
		return err
	}
	after, err := text(append(lines, r.Lines...))
	if err != nil {
		return err
	}
	if err := c.must(ctx, `UPDATE tabs SET charged = $1, lines = $2 WHERE id = $3 AND sale = $4`, r.Amount.Minor, after, r.Tender, r.Sale); err != nil {
		return err
	}
	names := make([]string, 0, 2*len(r.Lines))
	for _, line := range r.Lines {
		names = append(names, line.Name, line.SKU)
	}
	words := protocol.SearchWords(names...)
	if err := c.learn(ctx, words); err != nil {
		return err
	}
	return c.exec(ctx, `UPDATE sales SET words = words || ' ' || $1 WHERE id = $2`, strings.Join(words, " "), r.Sale)
}

func (c *change) tabClosed(ctx context.Context, _ *protocol.Entry, r protocol.TabClosed) error {
	c.touch(r.Sale)
	return c.must(ctx, `UPDATE tabs SET closed = 1 WHERE id = $1 AND sale = $2`, r.Tender, r.Sale)
}

func (c *change) refunded(ctx context.Context, e *protocol.Entry, r protocol.Refund) error {
	c.touch(r.Sale)
	return c.exec(ctx, `INSERT INTO refunds (id, sale, body) VALUES ($1, $2, $3)`, r.Refund, r.Sale, string(e.Body))
}

func (c *change) payoutNoted(ctx context.Context, _ *protocol.Entry, n protocol.PayoutNoted) error {
	return c.putPayout(ctx, protocol.PayoutStatus{ID: n.ID, Of: n.Of, State: n.State}, true)
}

// receiptPrinted ignores sales that this database does not hold.
func (c *change) receiptPrinted(ctx context.Context, _ *protocol.Entry, p protocol.ReceiptPrinted) error {
	c.touch(p.Sale)
	return c.exec(ctx, `UPDATE sales SET copies = max(copies, $1) WHERE id = $2`, p.Copy, p.Sale)
}

func (c *change) addressShown(ctx context.Context, e *protocol.Entry, s protocol.AddressShown) error {
	c.recount = true
	return c.exec(ctx, `UPDATE addresses SET shown = max(shown, $1) WHERE address = $2`, max(e.At, 1), s.Address)
}

func (c *change) shiftOpened(ctx context.Context, e *protocol.Entry, o protocol.ShiftOpened) error {
	return c.exec(ctx, `INSERT INTO shifts (id, opened, opening) VALUES ($1, $2, $3)`, o.Shift, e.At, string(e.Body))
}

func (c *change) shiftClosed(ctx context.Context, e *protocol.Entry, s protocol.ShiftClosed) error {
	return c.must(ctx, `UPDATE shifts SET closed = $1, closing = $2, z = $3 WHERE id = $4`, e.At, string(e.Body), s.ZNumber, s.Shift)
}
