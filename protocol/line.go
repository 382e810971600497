package protocol

import (
	"errors"
	"fmt"
)

// Total is what the line costs: Price × Quantity / 1000 rounded half up, less
// the discount. It fails with [ErrAmount] out of range.
func (l Line) Total() (Money, error) {
	if l.Quantity < -MaxQuantity || l.Quantity > MaxQuantity || !l.Price.Valid() || l.Price.Minor > MaxLinePrice || l.Price.Minor < -MaxLinePrice {
		return Money{}, fmt.Errorf("%w: line %q is out of range", ErrAmount, clip(l.Name))
	}
	product := l.Price.Minor * l.Quantity
	rounded := (product + 500) / 1000
	if product+500 < 0 && (product+500)%1000 != 0 {
		rounded--
	}
	total := Money{l.Price.Currency, rounded}
	if l.Discount != nil {
		return total.Sub(*l.Discount)
	}
	if !total.Valid() {
		return Money{}, fmt.Errorf("%w: line %q is out of range", ErrAmount, clip(l.Name))
	}
	return total, nil
}

// Bounds of a line: a million pieces in thousandths, and a price such that their
// product stays in 64 bits.
const (
	MaxQuantity  = 1_000_000_000
	MaxLinePrice = 9_000_000_000
)

// ErrSums: the lines, tip and taxes of a sale are not its total.
var ErrSums = errors.New("the sums of the sale do not add up")

// CheckSums verifies that lines and tip add up to the total, with the tax of
// those rates that prices do not contain. A sale without lines is as it says.
// It fails with [ErrSums], or [ErrAmount] where a line is out of range.
func (o SaleOpened) CheckSums() error {
	if len(o.Lines) == 0 {
		return nil
	}
	sum := Money{Currency: o.Total.Currency}
	var err error
	for _, line := range o.Lines {
		total, err := line.Total()
		if err != nil {
			return err
		}
		if sum, err = sum.Add(total); err != nil {
			return err
		}
	}
	if o.Tip != nil {
		if sum, err = sum.Add(*o.Tip); err != nil {
			return err
		}
	}
	if !reaches(o.Total.Minor-sum.Minor, o.Tax) {
		return fmt.Errorf("%w: lines and tip are %s, the total is %s", ErrSums, sum, o.Total)
	}
	return nil
}

// reaches reports whether the difference is the sum of some of the taxes: which
// rates prices contain stands in the configuration, not in the sale. A shop has
// a handful of rates.
func reaches(difference int64, taxes []TaxShare) bool {
	const most = 12
	if difference == 0 {
		return true
	}
	if len(taxes) == 0 || len(taxes) > most {
		return false
	}
	return reaches(difference, taxes[1:]) || reaches(difference-taxes[0].Tax.Minor, taxes[1:])
}
