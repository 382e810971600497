package story

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"till/protocol"
)

// worldStep carries out what moves the world around the shop.
func (r *runner) worldStep(ctx context.Context, step Step) error {
	switch do := step.(type) {
	case Pays:
		return r.pay(ctx, do)
	case Replaces:
		if r.lastPaid == "" {
			return errors.New("the customer has paid nothing yet")
		}
		rate, err := feeRate(do.Fee)
		if err != nil {
			return err
		}
		txid, err := r.shop.World.Replace(ctx, r.lastPaid, rate)
		if err == nil {
			r.lastPaid = txid
		}
		return err
	case WalksAway:
		r.lastPaid = ""
		return nil
	case Mine:
		return r.shop.World.Mine(ctx, do.Blocks)
	case Reorg:
		return r.shop.World.Reorg(ctx, do.Depth, do.Drop)
	case Rate:
		if do.Down {
			return r.shop.World.Rate(ctx, do.Name, "down")
		}
		return r.shop.World.Rate(ctx, do.Name, do.Value)
	case Taps:
		if err := r.settle(ctx); err != nil {
			return err
		}
		return r.shop.Ecash.Tap(ctx)
	case Mint:
		return r.shop.Ecash.Mint(ctx, do.State == "down", do.Delay)
	case Node:
		return r.shop.World.NodeDown(ctx, !do.Up)
	case PrinterIs:
		return r.printer(do)
	case Reader:
		return r.reader(ctx, do)
	case Tamper:
		if err := r.settle(ctx); err != nil { // what it opens would swallow the last key
			return err
		}
		return r.shop.Case.Open(ctx)
	case Advance:
		if err := r.settle(ctx); err != nil {
			return err
		}
		return r.shop.Clock.Advance(ctx, do.Time)
	case Wait:
		return r.wait(ctx, do)
	case Signal:
		if err := r.settle(ctx); err != nil {
			return err
		}
		return r.program.Signal(ctx, strings.TrimPrefix(do.Name, "SIG"))
	case Shot:
		if err := r.settle(ctx); err != nil {
			return err
		}
		return r.screen.frame().shoot(r.Shots, do.File)
	case Verify:
		return r.shop.Books.VerifyJournal(ctx)
	}
	return fmt.Errorf("%T is not carried out", step)
}

// wait lets time pass on the practice clock.
func (r *runner) wait(ctx context.Context, do Wait) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	over := errors.New("the time is over")
	if err := r.until(ctx, do.Time, func(*Frame) error { return over }); !errors.Is(err, over) {
		return err
	}
	return nil
}

// pay pays what is due now, an amount, or a part of what is due in all.
func (r *runner) pay(ctx context.Context, do Pays) error {
	rate, err := feeRate(do.Fee)
	if err != nil {
		return err
	}
	// The sale may still be on its way to the books.
	var sale Sale
	if err := r.settle(ctx); err != nil {
		return err
	}
	err = r.until(ctx, r.patience, func(*Frame) error {
		if sale, err = r.shop.Books.Sale(ctx); err != nil {
			return err
		}
		return not(sale.Address != "", errors.New("no sale asks for bitcoin"))
	})
	if err != nil {
		return err
	}
	amount, err := sale.part(do)
	if err != nil {
		return err
	}
	txid, err := r.shop.World.Pay(ctx, Payment{Address: sale.Address, Amount: amount, FeeRate: rate, Replaceable: do.Replaceable})
	if err == nil {
		r.lastPaid = txid
	}
	return err
}

// part is what a customer pays of a sale.
func (s Sale) part(do Pays) (protocol.Sat, error) {
	switch {
	case do.Percent > 0:
		part := new(big.Int).Mul(big.NewInt(int64(s.Due)), big.NewInt(int64(do.Percent)))
		part.Add(part, big.NewInt(99)).Quo(part, big.NewInt(100))
		if sat := protocol.Sat(part.Int64()); part.IsInt64() && sat.Valid() {
			return sat, nil
		}
		return 0, fmt.Errorf("%d %% of %v is more than there is", do.Percent, s.Due)
	case do.Amount != nil && do.Amount.Sat != nil:
		return *do.Amount.Sat, nil
	case do.Amount != nil:
		money, err := protocol.ParseMoney(s.Currency, do.Amount.Decimal)
		if err != nil {
			return 0, err
		}
		return s.Rate.Charge(money.Minor)
	case s.Due <= s.Received:
		return 0, errors.New("nothing is due")
	}
	return s.Due - s.Received, nil
}

// feeRate reads sat/vB, "" as 0, in milli-sat.
func feeRate(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > 3 {
		return 0, fmt.Errorf("fee %s: at most three decimals", text)
	}
	rate, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("fee %s: %w", text, errors.Unwrap(err))
	}
	return rate, nil
}

// printer does to the printer what a hand, or bad luck, does.
func (r *runner) printer(do PrinterIs) error {
	var lines []string
	switch do.What {
	case "paper":
		line := "paper " + do.Arg
		if do.After > 0 {
			line += fmt.Sprintf(" after %d lines", do.After)
		}
		lines = []string{line}
	case "cover":
		lines = []string{"cover " + do.Arg}
	case "stall":
		lines = []string{"stall on"}
	case "garble":
		lines = []string{"garble " + do.Arg}
	case "ok":
		lines = []string{"paper in", "cover closed", "stall off", "garble 0", "error none", "offline off"}
	}
	for _, line := range lines {
		if err := r.shop.Printer.Obey(line, nil); err != nil {
			return err
		}
	}
	return nil
}

// reader does what the person before the card reader does. A swipe waits until
// the reader does.
func (r *runner) reader(ctx context.Context, do Reader) error {
	switch do.What {
	case "takes":
		tracks := make([]string, len(do.Tracks))
		for i, t := range do.Tracks {
			tracks[i] = r.string(t)
		}
		return r.shop.Reader.Obey("card "+do.Arg+" "+strings.Join(tracks, "|"), nil)
	case "swipe":
		if err := r.settle(ctx); err != nil {
			return err
		}
		err := r.until(ctx, r.patience, func(*Frame) error {
			return not(r.shop.Reader.Waiting(), errors.New("the reader waits for no card"))
		})
		if err != nil {
			return err
		}
		return r.shop.Reader.Obey(strings.TrimSpace("swipe "+do.Arg), nil)
	case "stall":
		return r.shop.Reader.Obey("stall on", nil)
	}
	return errors.Join(r.shop.Reader.Obey("stall off", nil), r.shop.Reader.Obey("garble 0", nil))
}
