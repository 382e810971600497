package wallet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/btcsuite/btcwallet/wallet/txauthor"
	"github.com/btcsuite/btcwallet/wallet/txrules"
	"github.com/btcsuite/btcwallet/wallet/txsizes"

	"till/protocol"
	"till/server"
)

const (
	// maxFeeRate bounds a fee rate: 10 000 sat/vB, so that no product overflows.
	maxFeeRate server.FeeRate = 10_000_000
	// incrementalRate is what a replacement pays more than what it replaces, 1
	// sat/vB (BIP125 rule 4).
	incrementalRate server.FeeRate = 1000
	// roundUp is what txauthor is asked for on top of the rate. It rounds the fee
	// down, and a node whose least rate is the one asked for would refuse; 0.01
	// sat/vB is a satoshi for the 100 bytes that every transaction has.
	roundUp server.FeeRate = 10
	// maxRaw is the size of the largest transaction that is relayed.
	maxRaw = 400_000
)

// errSpend: the arguments contradict each other; a fault of the caller, not of
// the person at the terminal.
var errSpend = errors.New("build transaction")

// Spend builds and signs a payment out of s.Coins: no_hot_wallet, below_dust,
// insufficient_reserve, fee_too_high. Confirmed coins go first, large ones before
// small ones; coins that cost more than they bring are left.
func (w *Wallet) Spend(ctx context.Context, s server.Spend) (*server.Signed, error) {
	if w.account == nil {
		return nil, protocol.Errorf(protocol.CodeNoHotWallet, "")
	}
	if err := checkSpend(s); err != nil {
		return nil, err
	}
	var old *replaced
	if s.Replaces != nil {
		var err error
		if old, err = readReplaced(s); err != nil {
			return nil, err
		}
		s.FeeRate = max(s.FeeRate, old.rate())
	}
	must, may := choose(s, old)
	tx, err := author(s, must, may)
	if err != nil {
		return nil, err
	}
	inputs, err := w.ownInputs(s.Coins)
	if err != nil {
		return nil, err
	}
	defer inputs.wipe()
	signed, err := inputs.finish(ctx, tx.Tx, s.Height)
	if err != nil {
		return nil, err
	}
	signed.Received = s.Amount
	if tx.ChangeIndex >= 0 {
		signed.Change = protocol.Sat(tx.TotalInput) - s.Amount - signed.Fee
	}
	return signed, nil
}

func checkSpend(s server.Spend) error {
	switch {
	case !s.Amount.Valid() || s.FeeRate <= 0 || s.FeeRate > maxFeeRate || s.Height < 0 || s.Height >= lockTimeIsTime:
		return fmt.Errorf("%w: amount %d, fee rate %d, height %d", errSpend, s.Amount, s.FeeRate, s.Height)
	case len(s.To) == 0 || len(s.Change) == 0:
		return fmt.Errorf("%w: a script is missing", errSpend)
	case s.Amount < dust(s.To):
		return protocol.Errorf(protocol.CodeBelowDust, "%d sat are too little to send: at least %d", s.Amount, dust(s.To))
	}
	return nil
}

func checkFee(fee, limit protocol.Sat) error {
	if fee > limit {
		return protocol.Errorf(protocol.CodeFeeTooHigh, "the network fee would be %d sat, the ceiling is %d", fee, limit)
	}
	return nil
}

// dust is the least amount that is relayed to a script.
func dust(script server.Script) protocol.Sat {
	return protocol.Sat(mempool.GetDustThreshold(wire.NewTxOut(0, []byte(script))))
}

// feeFor is the fee of vsize virtual bytes, rounded up.
func feeFor(rate server.FeeRate, vsize int64) protocol.Sat {
	return protocol.Sat((int64(rate)*vsize + 999) / 1000)
}

// replaced is an own transaction whose fee is to be raised.
type replaced struct {
	inputs []wire.OutPoint
	fee    protocol.Sat
	vsize  int64
}

// rate is the least rate of a replacement: the old one and the increment. A
// replacement has the inputs and outputs of the old transaction at least, its
// change counted even where it is dropped, so that it also pays for its own relay
// on top of the old fee (BIP125 rules 3 and 4).
func (r *replaced) rate() server.FeeRate {
	old := (int64(r.fee)*1000 + r.vsize - 1) / r.vsize
	return server.FeeRate(old) + incrementalRate
}

// readReplaced checks that the old transaction spends s.Coins and pays what s
// pays.
func readReplaced(s server.Spend) (*replaced, error) {
	amounts := map[wire.OutPoint]protocol.Sat{}
	for _, c := range s.Coins {
		point, err := outPoint(c.TxID, c.Vout)
		if err != nil {
			return nil, err
		}
		amounts[point] = c.Amount
	}
	return readOld(s.Replaces, amounts, func(out *wire.TxOut) bool {
		return string(out.PkScript) == string(s.To) && out.Value == int64(s.Amount)
	})
}

// readOld reads an own transaction with one or two outputs, one of which pays. The
// amounts of its inputs are given.
func readOld(raw []byte, amounts map[wire.OutPoint]protocol.Sat, pays func(*wire.TxOut) bool) (*replaced, error) {
	if len(raw) > maxRaw {
		return nil, fmt.Errorf("%w: the transaction to replace has %d bytes", errSpend, len(raw))
	}
	var tx wire.MsgTx
	rest := bytes.NewReader(raw)
	if err := tx.Deserialize(rest); err != nil {
		return nil, fmt.Errorf("read transaction to replace: %w", err)
	}
	if rest.Len() > 0 {
		return nil, fmt.Errorf("%w: bytes after the transaction to replace", errSpend)
	}
	r := &replaced{vsize: mempool.GetTxVirtualSize(btcutil.NewTx(&tx))}
	for _, in := range tx.TxIn {
		amount, known := amounts[in.PreviousOutPoint]
		if !known {
			return nil, fmt.Errorf("%w: the coin %s of the transaction to replace is missing", errSpend, in.PreviousOutPoint)
		}
		r.inputs = append(r.inputs, in.PreviousOutPoint)
		r.fee += amount
	}
	for _, out := range tx.TxOut {
		r.fee -= protocol.Sat(out.Value)
	}
	if !slices.ContainsFunc(tx.TxOut, pays) || r.fee < 0 || len(tx.TxOut) > 2 {
		return nil, fmt.Errorf("%w: the transaction to replace pays something else", errSpend)
	}
	return r, nil
}

// choose sorts the coins: those that must be spent, and those that may be, best
// first. A replacement adds no unconfirmed coins (BIP125 rule 2).
func choose(s server.Spend, old *replaced) (must, may []server.Coin) {
	for _, c := range s.Coins {
		point, err := outPoint(c.TxID, c.Vout)
		switch {
		case old != nil && err == nil && slices.Contains(old.inputs, point):
			must = append(must, c)
		case old != nil && c.Height == 0:
		case c.Amount > feeFor(s.FeeRate, int64(txsizes.GetMinInputVirtualSize([]byte(c.Script)))):
			may = append(may, c)
		}
	}
	slices.SortFunc(may, func(a, b server.Coin) int {
		return cmp.Or(
			-cmp.Compare(min(a.Height, 1), min(b.Height, 1)),
			-cmp.Compare(a.Amount, b.Amount),
			cmp.Compare(a.TxID, b.TxID), cmp.Compare(a.Vout, b.Vout),
		)
	})
	return must, may
}

// author selects coins until the amount and the fee are covered.
func author(s server.Spend, must, may []server.Coin) (*txauthor.AuthoredTx, error) {
	outputs := []*wire.TxOut{wire.NewTxOut(int64(s.Amount), []byte(s.To))}
	change := &txauthor.ChangeSource{
		NewScript:  func() ([]byte, error) { return []byte(s.Change), nil },
		ScriptSize: len(s.Change),
	}
	// The rate per 1000 bytes in satoshi is that per byte in thousandths.
	tx, err := txauthor.NewUnsignedTransaction(outputs, btcutil.Amount(s.FeeRate+roundUp), source(must, may), change)
	var short txauthor.InputSourceError
	if errors.As(err, &short) {
		return nil, protocol.Errorf(protocol.CodeInsufficientReserve, "")
	}
	if err != nil {
		return nil, fmt.Errorf("select coins: %w", err)
	}
	fee := protocol.Sat(tx.TotalInput - txauthor.SumOutputValues(tx.Tx.TxOut))
	return tx, checkFee(fee, s.FeeLimit)
}

// source gives all coins of must and as many of may as the target needs.
func source(must, may []server.Coin) txauthor.InputSource {
	return func(target btcutil.Amount) (btcutil.Amount, []*wire.TxIn, []btcutil.Amount, [][]byte, error) {
		var total btcutil.Amount
		var inputs []*wire.TxIn
		var amounts []btcutil.Amount
		var scripts [][]byte
		for i, c := range slices.Concat(must, may) {
			if i >= len(must) && total >= target {
				break
			}
			point, err := outPoint(c.TxID, c.Vout)
			if err != nil {
				return 0, nil, nil, nil, err
			}
			total += btcutil.Amount(c.Amount)
			inputs = append(inputs, wire.NewTxIn(&point, nil, nil))
			amounts = append(amounts, btcutil.Amount(c.Amount))
			scripts = append(scripts, []byte(c.Script))
		}
		return total, inputs, amounts, scripts, nil
	}
}

// outPoint reads the name of an output.
func outPoint(txid string, vout uint32) (wire.OutPoint, error) {
	hash, err := chainhash.NewHashFromStr(txid)
	if err != nil || len(txid) != 64 {
		return wire.OutPoint{}, fmt.Errorf("%w: %q is no transaction id", errSpend, txid)
	}
	return wire.OutPoint{Hash: *hash, Index: vout}, nil
}

// isDust reports whether an output is too small to be relayed.
func isDust(out *wire.TxOut) bool {
	return txrules.IsDustOutput(out, txrules.DefaultRelayFeePerKb)
}
