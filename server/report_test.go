package server_test

import (
	"context"
	"testing"
	"time"

	"till/protocol"
)

// shift opens a shift, sells for cash and closes it with a Z number.
func (t *till) shift(total int64, z int64) {
	id := protocol.ShiftID(newID(t.t))
	t.write(protocol.EntryShiftOpened, protocol.ShiftOpened{Shift: id, User: "2", Float: eur(1000)})
	t.cash(total)
	t.write(protocol.EntryShiftClosed, protocol.ShiftClosed{Shift: id, User: "2", Counted: eur(1000 + total), Expected: eur(1000 + total), Variance: eur(0), ZNumber: z})
}

func (t *till) cash(total int64) {
	sale := t.open(total)
	t.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(newID(t.t)), Kind: protocol.TenderCash, Amount: eur(total)})
	t.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
}

func TestReportsOfSeveralTerminalsAddUp(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	bar, door := s.pair("bar", false), s.pair("door", false)
	yesterday := s.clock()
	bar.shift(500, 1)
	s.pass(24 * time.Hour)
	today := s.clock()
	bar.shift(700, 2)
	door.shift(900, 1)
	bar.cash(50)
	ctx := context.Background()

	z, err := s.Server.ZReports(ctx, today, s.clock()+1)
	if err != nil || len(z.Reports) != 2 || z.Total.Sales != (protocol.Sum{Count: 2, Amount: eur(1600)}) || z.Total.Drawer.Counted.Minor != 3600 {
		t.Errorf("today's Z reports are %+v (%v)", z, err)
	}
	if z.Reports[0].Terminal != "bar" || z.Reports[0].ZNumber != 2 || z.Reports[0].Sales.Amount != eur(700) || z.Reports[1].ZNumber != 1 {
		t.Errorf("today's Z reports are %+v", z.Reports)
	}
	if all, err := s.Server.ZReports(ctx, 0, s.clock()+1); err != nil || len(all.Reports) != 3 || all.Total.Sales.Amount != eur(2100) {
		t.Errorf("all Z reports are %+v (%v)", all, err)
	}
	x, err := s.Server.Readings(ctx)
	if err != nil || len(x.Reports) != 1 || x.Total.Sales.Amount != eur(50) || x.Reports[0].Terminal != "bar" {
		t.Errorf("the readings are %+v (%v)", x, err)
	}
	day, err := s.Server.DayReports(ctx, yesterday, today)
	if err != nil || day.Total.Sales.Amount != eur(500) {
		t.Errorf("yesterday is %+v (%v)", day, err)
	}
	if day, err = s.Server.DayReports(ctx, today, s.clock()+1); err != nil || day.Total.Sales.Amount != eur(1650) {
		t.Errorf("today is %+v (%v)", day, err)
	}
}

// TestAGapInTheZReportsIsFlagged, also within one batch of entries.
func TestAGapInTheZReportsIsFlagged(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	till := s.pair("main", false)
	var batch []protocol.Entry
	for _, z := range []int64{1, 2, 4, 5} {
		e := till.entry(s.clock(), protocol.EntryShiftClosed, protocol.ShiftClosed{
			Shift: protocol.ShiftID(newID(t)), Counted: eur(0), Expected: eur(0), Variance: eur(0), ZNumber: z})
		batch, till.entries = append(batch, e), append(till.entries, e)
	}
	if _, err := till.checkIn(protocol.CheckIn{Journal: batch}); err != nil {
		t.Fatal(err)
	}
	till.write(protocol.EntryShiftClosed, protocol.ShiftClosed{Shift: protocol.ShiftID(newID(t)), Counted: eur(0), Expected: eur(0), Variance: eur(0), ZNumber: 5})
	flags := till.flags()
	if len(flags) != 2 || flags[3] != "z_number" || flags[5] != "z_number" {
		t.Errorf("flagged are %v", flags)
	}
}
