package server

import (
	"context"
	"fmt"
	"time"

	"till/protocol"
)

// Goods with a stock are counted: an open sale holds its pieces for as long as
// its price holds, a parked one for half a day; then they are there again. What
// is paid is sold, whether it was still held or not. Terminals hear of it with
// the catalogue.

// Hold is what a sale keeps of one item, in thousandths of a piece. One whose
// moment is over is kept until the sale is, but no longer counts.
type Hold struct {
	Sale     protocol.SaleID
	SKU      string
	Quantity int64
	Until    protocol.Time
}

// StockRows keeps what was sold of counted goods and what is held.
type StockRows interface {
	Hold(h Hold) error // more of the same adds up; the later end counts
	Of(sale protocol.SaleID) ([]Hold, error)
	Release(sale protocol.SaleID) error
	Sell(sku string, quantity int64) error
	Recount() error // nothing is sold since now
	// Gone sums what is sold and what is held at the moment, by sku.
	Gone(now protocol.Time) (map[string]int64, error)
}

// parkedHold is how long a parked sale holds its goods.
const parkedHold = 12 * time.Hour

// recountEvery bounds how often terminals get another catalogue for its stock.
const recountEvery = 10 * time.Second

// count takes the pieces off the stock of items.
func count(tx *Tx, items []protocol.Item, now protocol.Time) error {
	gone, err := tx.Stock.Gone(now)
	if err != nil {
		return fmt.Errorf("count stock: %w", err)
	}
	for i := range items {
		if items[i].Stock != nil {
			left := max(0, *items[i].Stock-(gone[items[i].SKU]+999)/1000)
			items[i].Stock = &left
		}
	}
	return nil
}

// counted notes which goods are counted.
func (s *Server) counted(items []protocol.Item) {
	skus := map[string]struct{}{}
	for _, item := range items {
		if item.Stock != nil {
			skus[item.SKU] = struct{}{}
		}
	}
	s.stock.Store(&skus)
}

// countedLines sums the lines of counted goods, by sku.
func (w *work) countedLines(lines []protocol.Line) map[string]int64 {
	skus := w.s.stock.Load()
	if skus == nil || len(*skus) == 0 {
		return nil
	}
	pieces := map[string]int64{}
	for _, l := range lines {
		if _, counted := (*skus)[l.SKU]; counted && l.Quantity <= protocol.MaxQuantity && l.Quantity >= -protocol.MaxQuantity {
			pieces[l.SKU] += l.Quantity
		}
	}
	return pieces
}

// hold keeps the pieces of a sale that was opened.
func (w *work) hold(sale protocol.SaleID, lines []protocol.Line, until protocol.Time) error {
	for sku, n := range w.countedLines(lines) {
		if err := w.Stock.Hold(Hold{sale, sku, n, until}); err != nil {
			return fmt.Errorf("hold stock: %w", err)
		}
		w.stock = true
	}
	return nil
}

// unhold ends the holds of a sale: its pieces are sold, there again, or held for
// longer where it is parked.
func (w *work) unhold(sale protocol.SaleID, said string) error {
	holds, err := w.Stock.Of(sale)
	if err != nil || len(holds) == 0 {
		return err
	}
	w.stock = true
	for _, h := range holds {
		switch said {
		case saidPaid:
			err = w.Stock.Sell(h.SKU, h.Quantity)
		case saidParked:
			h.Quantity, h.Until = 0, w.now.Add(parkedHold)
			err = w.Stock.Hold(h)
		}
		if err != nil {
			return fmt.Errorf("count stock: %w", err)
		}
	}
	if said == saidParked {
		return nil
	}
	return w.Stock.Release(sale)
}

// sold takes off at once what a tab's round brought.
func (w *work) sold(lines []protocol.Line) error {
	for sku, n := range w.countedLines(lines) {
		if err := w.Stock.Sell(sku, n); err != nil {
			return fmt.Errorf("count stock: %w", err)
		}
		w.stock = true
	}
	return nil
}

// keepStock gives terminals another catalogue when pieces went or came back,
// until ctx ends.
func (s *Server) keepStock(ctx context.Context) {
	for s.sleep(ctx, 0, s.recount) {
		if skus := s.stock.Load(); skus == nil || len(*skus) == 0 {
			continue
		}
		if err := s.Reload(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "stock not told", "error", err)
		}
		if !s.sleep(ctx, s.o.Clock().Add(recountEvery), nil) {
			return
		}
	}
}
