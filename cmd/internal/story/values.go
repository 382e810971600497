package story

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// values are the names behind @ that expect knows.
var values = map[string]bool{
	"sale.due_sat": true, "sale.received_sat": true, "sale.state": true, "sale.txid": true,
	"wallet.sat": true, "drawer.cash": true, "paper.lines": true, "alerts": true,
	"first_frame_ms": true, "key_frame_p99_ms": true,
}

// isBooked tells whether an operand of expect is looked up in the books.
func isBooked(operand string) bool {
	name, found := strings.CutPrefix(operand, "@")
	return found && (strings.HasPrefix(name, "sale.") || name == "wallet.sat" || name == "drawer.cash" || name == "alerts")
}

// value is what an operand of expect stands for.
func (r *runner) value(ctx context.Context, operand string) (string, error) {
	switch operand[0] {
	case '$':
		return r.vars[operand[1:]], nil
	case '"', '/':
		return operand[1:], nil
	case '@':
	default:
		return operand, nil
	}
	switch name := operand[1:]; name {
	case "paper.lines":
		return strconv.Itoa(r.shop.Printer.Lines()), nil
	case "first_frame_ms":
		return milliseconds(r.hand.firstFrame), nil
	case "key_frame_p99_ms":
		return milliseconds(r.hand.quantile99()), nil
	case "wallet.sat":
		sat, err := r.shop.Books.Wallet(ctx)
		return strconv.FormatInt(int64(sat), 10), err
	case "drawer.cash":
		money, err := r.shop.Books.DrawerCash(ctx)
		return money.Decimal(), err
	case "alerts":
		n, err := r.shop.Books.Alerts(ctx)
		return strconv.Itoa(n), err
	default:
		sale, err := r.shop.Books.Sale(ctx)
		return map[string]string{
			"sale.due_sat":      strconv.FormatInt(int64(sale.Due), 10),
			"sale.received_sat": strconv.FormatInt(int64(sale.Received), 10),
			"sale.state":        string(sale.State),
			"sale.txid":         sale.TxID,
		}[name], err
	}
}

// milliseconds writes a time with three decimals.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%d.%03d", d/time.Millisecond, d%time.Millisecond/time.Microsecond)
}

func (r *runner) expect(ctx context.Context, do Expect) error {
	left, err := r.value(ctx, do.Left)
	if err != nil {
		return err
	}
	right, err := r.value(ctx, do.Right)
	if err != nil {
		return err
	}
	holds, err := compare(left, do.Op, right, do.Right[0] == '/')
	if err == nil && !holds {
		err = fmt.Errorf("%s is %s", do.Left, left)
		if strings.ContainsAny(do.Right[:1], "@$") {
			err = fmt.Errorf("%s is %s, %s is %s", do.Left, left, do.Right, right)
		}
	}
	return err
}

// compare compares as numbers where both are, else as text, which has no order.
func compare(left, op, right string, pattern bool) (bool, error) {
	if op == "~" {
		if !pattern {
			return strings.Contains(left, right), nil
		}
		re, err := regexp.Compile(right)
		return err == nil && re.MatchString(left), err
	}
	order := 0
	l, isLeft := number(left)
	r, isRight := number(right)
	switch {
	case isLeft && isRight:
		order = l.Cmp(r)
	case op == "==" || op == "!=":
		order = strings.Compare(left, right)
	default:
		return false, errors.New("only numbers have an order")
	}
	switch op {
	case "==":
		return order == 0, nil
	case "!=":
		return order != 0, nil
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

// number reads a decimal exactly, also as an amount with its unit.
func number(text string) (*big.Rat, bool) {
	scale := int64(1)
	if digits, found := strings.CutPrefix(text, "-"); found {
		text, scale = digits, -1
	}
	for unit, sats := range map[string]int64{"sat": 1, "btc": 100_000_000} {
		if digits, found := strings.CutSuffix(text, unit); found {
			text, scale = digits, scale*sats
		}
	}
	if !isDecimal(text) {
		return nil, false
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, false
	}
	return n.Mul(n, new(big.Rat).SetInt64(scale)), true
}
