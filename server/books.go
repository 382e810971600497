package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// BookRows reads what the records are made of, in order and in pages.
type BookRows interface {
	Sales(f SaleFilter) ([]*Sale, error)
	Refunds(p Page) ([]*Refund, error) // oldest first
	Payouts(p Page) ([]*Payout, error) // oldest first
	Steps(sale protocol.SaleID) ([]SaleStep, error)
	// Openings gives the entries that opened the sales; where none is known there
	// is none.
	Openings(sales []*Sale) (map[protocol.SaleID]*StoredEntry, error)
	// Parts gives the tenders and refunds of the sales, in order.
	Parts(sales []*Sale) (tenders []*Tender, refunds []*Refund, err error)
}

// Mark is how far a reading has come: the moment and id of the last row. An id
// of "" is the beginning.
type Mark struct {
	At protocol.Time `json:"at"`
	ID protocol.ID   `json:"id"`
}

// SaleFilter selects sales, newest first unless Oldest.
type SaleFilter struct {
	Terminal protocol.TerminalID // "" all
	State    protocol.SaleState  // "" all
	Since    protocol.Time       // opened at or after
	Until    protocol.Time       // opened before, 0 no bound
	Text     string              // beginnings of words of number, user, total, note, lines; or a whole id, address or txid
	Oldest   bool                // first
	After    Mark                // beyond this sale in the order; not together with words
	Most     int
}

// Page selects rows of a time, oldest first.
type Page struct {
	Since, Until protocol.Time // Until 0: no bound
	After        Mark
	Most         int
}

// SaleStep is one change of a sale's state.
type SaleStep struct {
	At       protocol.Time `json:"at"`
	From, To protocol.SaleState
	Flags    []protocol.Flag
	Cause    string
}

// SaleRecord is a sale with all that belongs to it.
type SaleRecord struct {
	*Sale
	Opening protocol.SaleOpened // as the terminal wrote it; its Sale is "" where the entry is not known
	Tenders []*Tender
	Rates   map[protocol.QuoteID]protocol.Rate // what a bitcoin counted
	Refunds []*Refund
}

// Sales lists sales; a filter without a bound gives 100.
func (s *Server) Sales(ctx context.Context, filter SaleFilter) (sales []*Sale, err error) {
	if filter.Most <= 0 {
		filter.Most = 100
	}
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		sales, err = tx.Books.Sales(filter)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sales: %w", err)
	}
	return sales, nil
}

// SaleRecords lists sales with all that belongs to them, from one moment.
func (s *Server) SaleRecords(ctx context.Context, filter SaleFilter) (records []SaleRecord, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		sales, err := tx.Books.Sales(filter)
		if err == nil {
			records, err = tx.records(sales)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sales: %w", err)
	}
	return records, nil
}

// records adds what belongs to sales.
func (tx *Tx) records(sales []*Sale) ([]SaleRecord, error) {
	records, at := make([]SaleRecord, len(sales)), make(map[protocol.SaleID]*SaleRecord, len(sales))
	openings, err := tx.Books.Openings(sales)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	for i, sale := range sales {
		r := &records[i]
		*r = SaleRecord{Sale: sale, Rates: map[protocol.QuoteID]protocol.Rate{}}
		at[sale.ID] = r
		if e := openings[sale.ID]; e != nil {
			if err := protocol.DecodeResult(e.Body, &r.Opening); err != nil {
				return nil, fmt.Errorf("read entry that opened sale %s: %w", sale.ID, err)
			}
		}
	}
	tenders, refunds, err := tx.Books.Parts(sales)
	if err != nil {
		return nil, fmt.Errorf("list tenders and refunds: %w", err)
	}
	for _, t := range tenders {
		r := at[t.Sale]
		r.Tenders = append(r.Tenders, t)
		if t.Quote == "" {
			continue
		}
		q, err := tx.Quotes.Get(t.Quote)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("find quote: %w", err)
		}
		if err == nil {
			r.Rates[t.Quote] = q.Buy
		}
	}
	for _, f := range refunds {
		at[f.Sale].Refunds = append(at[f.Sale].Refunds, f)
	}
	return records, nil
}

func (tx *Tx) record(sale *Sale) (SaleRecord, error) {
	records, err := tx.records([]*Sale{sale})
	if err != nil {
		return SaleRecord{}, err
	}
	return records[0], nil
}

// RefundRecord is a refund with the sale it is of and the payout that carries it.
type RefundRecord struct {
	*Refund
	Number string        // of the sale
	Rate   protocol.Rate // of the sale, 0 where none was paid in bitcoin
	Payout *Payout       // nil: other money, or not accepted yet
}

// RefundRecords lists refunds, oldest first.
func (s *Server) RefundRecords(ctx context.Context, p Page) (records []RefundRecord, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		records = nil
		refunds, err := tx.Books.Refunds(p)
		if err != nil {
			return err
		}
		for _, f := range refunds {
			r, err := tx.refundRecord(f)
			if err != nil {
				return fmt.Errorf("refund %s: %w", f.Refund.Refund, err)
			}
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list refunds: %w", err)
	}
	return records, nil
}

func (tx *Tx) refundRecord(f *Refund) (r RefundRecord, err error) {
	r.Refund = f
	sale, err := tx.Sales.Get(f.Sale)
	if err != nil {
		return r, err
	}
	record, err := tx.record(sale)
	if err != nil {
		return r, err
	}
	r.Number = sale.Number
	for _, rate := range record.Rates {
		r.Rate = rate
	}
	if f.Dispense != "" {
		if r.Payout, err = tx.Payouts.Get(f.Dispense); errors.Is(err, ErrNotFound) {
			r.Payout, err = nil, nil
		}
	}
	return r, err
}

// Payouts lists payouts, oldest first.
func (s *Server) Payouts(ctx context.Context, p Page) (list []*Payout, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		list, err = tx.Books.Payouts(p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list payouts: %w", err)
	}
	return list, nil
}
