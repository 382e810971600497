package terminal

import (
	"context"
	"errors"
	"strings"
	"testing"

	"till/protocol"
)

// soldForCash is a sale paid in cash.
func (c *counter) soldForCash(minor int64) {
	c.t.Helper()
	sale := c.sale(minor)
	c.append(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(c.id()), Kind: protocol.TenderCash, Amount: eur(minor)})
	c.append(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
}

func TestAShiftIsClosedOnWhatWasSeenAndItsNumbersHaveNoGap(t *testing.T) {
	c := paired(t)
	ctx := context.Background()
	for z := int64(1); z <= 3; z++ {
		shift := protocol.ShiftID(c.id())
		c.append(protocol.EntryShiftOpened, protocol.ShiftOpened{Shift: shift, User: "2", Float: eur(1000 * z)})
		c.soldForCash(250)
		seen, err := c.Reading(ctx)
		must(t, err)
		if seen.Drawer.Expected != eur(1000*z+250) || seen.Sales.Count != 1 || seen.Shift != shift || seen.ZNumber != 0 {
			t.Fatalf("the reading is %+v", seen)
		}
		closing := protocol.ShiftClosed{Shift: shift, User: "2", Counted: eur(1000 * z), Expected: seen.Drawer.Expected, Reason: "a theft"}
		c.soldForCash(100) // meanwhile
		if _, err := c.Commit(ctx, c.CloseShift(&closing)); !errors.Is(err, ErrMoved) {
			t.Fatalf("money moved and the shift was closed: %v", err)
		}
		closing.Expected.Minor += 100
		_, err = c.Commit(ctx, c.CloseShift(&closing))
		must(t, err)
		report, err := c.ZReport(ctx, z)
		must(t, err)
		if closing.ZNumber != z || report.ZNumber != z || report.Sales.Count != 2 || *report.Drawer.Variance != eur(-350) || report.Drawer.Reason != "a theft" {
			t.Errorf("Z report %d is %+v", z, report)
		}
		if after, err := c.Reading(ctx); err != nil || after.Sales.Count != 0 || after.FirstSeq != report.LastSeq+1 {
			t.Errorf("after the Z report %+v is read (%v)", after, err)
		}
	}
	closing := protocol.ShiftClosed{Shift: protocol.ShiftID(c.id()), Counted: eur(0), Expected: eur(0)}
	if _, err := c.Commit(ctx, c.CloseShift(&closing)); !errors.Is(err, ErrNotFound) {
		t.Errorf("a shift that nobody opened was closed: %v", err)
	}
	if _, err := c.ZReport(ctx, 4); !errors.Is(err, ErrNotFound) {
		t.Errorf("there is a Z report 4: %v", err)
	}
}

// TestTheLastClosingIsFoundByItsIndex: otherwise every reading of a counter that
// never closes a shift would search its whole history.
func TestTheLastClosingIsFoundByItsIndex(t *testing.T) {
	c := paired(t)
	for _, before := range []int64{0, 7} {
		query, args := closingBefore(before)
		var id, parent, unused int64
		var plan string
		must(t, c.reader.QueryRowContext(context.Background(), `EXPLAIN QUERY PLAN `+query, args...).Scan(&id, &parent, &unused, &plan))
		if !strings.Contains(plan, "journal_closings") {
			t.Errorf("the plan is %s", plan)
		}
	}
}
