package server_test

import (
	"testing"
	"time"

	"till/protocol"
)

// counting is a shop with ten counted cakes and coffee that nobody counts.
func counting(t *testing.T) *till {
	t.Helper()
	s := openShop(t, nil)
	s.start()
	till := s.pair("bar", false)
	ten, price := int64(10), eur(480)
	err := s.ImportCatalogue(t.Context(), []protocol.Item{{SKU: "cake", Name: "Cake", Price: &price, Stock: &ten}, {SKU: "coffee", Name: "Coffee", Price: &price}})
	if err != nil {
		t.Fatal(err)
	}
	return till
}

// ring opens a sale of cakes and coffee.
func (t *till) ring(cakes int64) protocol.SaleID {
	t.t.Helper()
	sale := protocol.SaleID(newID(t.t))
	t.write(protocol.EntrySaleOpened, protocol.SaleOpened{Sale: sale, Total: eur((cakes + 1) * 480), Lines: []protocol.Line{
		{SKU: "cake", Name: "Cake", Quantity: cakes * 1000, Price: eur(480)}, {SKU: "coffee", Name: "Coffee", Quantity: 1000, Price: eur(480)}}})
	return sale
}

// left is the stock of cakes as terminals are told.
func (t *till) left() int64 {
	t.t.Helper()
	goods, err := t.Catalogue(t.t.Context())
	if err != nil || goods.Items[0].Stock == nil || goods.Items[1].Stock != nil {
		t.t.Fatalf("%v, %+v", err, goods)
	}
	return *goods.Items[0].Stock
}

func (t *till) wantLeft(when string, want int64) {
	t.t.Helper()
	if left := t.left(); left != want {
		t.t.Errorf("%s: %d left, want %d", when, left, want)
	}
}

func TestStockIsHeldSoldAndGivenBack(t *testing.T) {
	t.Parallel()
	till := counting(t)
	paid, cancelled, forgotten := till.ring(3), till.ring(2), till.ring(1)
	till.wantLeft("three sales are open", 4)
	till.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: cancelled})
	till.wantLeft("one is cancelled", 6)
	till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: paid, Tender: protocol.TenderID(newID(t)), Kind: protocol.TenderCash, Amount: eur(4 * 480)})
	till.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: paid})
	till.wantLeft("one is paid", 6)
	till.pass(16 * time.Minute)
	till.wantLeft("the price of the third has lapsed", 7)
	till.write(protocol.EntrySaleParked, protocol.SaleEnded{Sale: forgotten})
	till.wantLeft("it is parked", 6)
	till.pass(13 * time.Hour)
	till.wantLeft("and forgotten", 7)
	till.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: forgotten})
	till.wantLeft("and paid after all", 6)
	till.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: paid})
	till.wantLeft("paid twice", 6)
}

func TestTerminalsHearOfStockThatWent(t *testing.T) {
	t.Parallel()
	till := counting(t)
	before := till.Config().CatalogueVersion
	till.ring(3)
	settled(t, "the catalogue has another version", func() bool { till.pass(time.Second); return till.Config().CatalogueVersion > before })
	again := till.Config().CatalogueVersion
	till.pass(time.Minute)
	settled(t, "the hold's end is told", func() bool { till.pass(time.Minute); return till.Config().CatalogueVersion > again })
	till.wantLeft("given back", 10)
}

func TestACountThatIsImportedBeginsAnew(t *testing.T) {
	t.Parallel()
	till := counting(t)
	sale := till.ring(3)
	till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: protocol.TenderID(newID(t)), Kind: protocol.TenderCash, Amount: eur(4 * 480)})
	till.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: sale})
	till.ring(1)
	five, price := int64(5), eur(480)
	if err := till.ImportCatalogue(t.Context(), []protocol.Item{{SKU: "cake", Name: "Cake", Price: &price, Stock: &five}, {SKU: "coffee", Name: "Coffee", Price: &price}}); err != nil {
		t.Fatal(err)
	}
	till.wantLeft("five are counted, one of them is held", 4)
}
