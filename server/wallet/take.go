package wallet

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// maxTakeSize is the virtual size that a sweep may have: that of the largest
// standard transaction, less room for its outputs.
const maxTakeSize = maxRaw/blockchain.WitnessScaleFactor - 200

// Take builds and signs a sweep: key_invalid, wrong_network, no_funds, below_dust,
// fee_too_high. Of the total less the fee, Due goes to Merchant and the rest to
// Change. Everything goes to Merchant when Due or Change is missing, when the
// total does not cover Due, and when the rest is dust. A Due below the dust limit
// is raised to it, and the difference is owed like any other.
//
// With Replaces it is an earlier sweep of the same coins whose fee is raised, or
// [server.ErrFeeEnough].
//
// It takes all of t.Coins. Of more than one standard transaction can carry (some
// 680 to 1700), it takes the largest; another sweep takes the rest.
func (w *Wallet) Take(ctx context.Context, t server.Take) (*server.Signed, error) {
	if t.FeeRate <= 0 || t.FeeRate > maxFeeRate || t.Height < 0 || t.Height >= lockTimeIsTime || len(t.Merchant) == 0 {
		return nil, fmt.Errorf("%w: fee rate %d, height %d, %d bytes of script", errSpend, t.FeeRate, t.Height, len(t.Merchant))
	}
	ring, err := w.readKeys(t.Keys)
	if err != nil {
		return nil, err
	}
	defer ring.wipe()
	if len(t.Coins) == 0 {
		return nil, protocol.Errorf(protocol.CodeNoFunds, "")
	}
	in, count, err := ring.inputs(t.Coins)
	if err != nil {
		return nil, err
	}
	tx, change, err := split(t, in, count)
	if err != nil {
		return nil, err
	}
	signed, err := in.finish(ctx, tx, t.Height)
	if err != nil {
		return nil, err
	}
	if t.Replaces != nil {
		if err := worth(t, in, tx, signed.Fee); err != nil {
			return nil, err
		}
	}
	signed.Change = change
	signed.Received = -change
	for _, out := range tx.TxOut {
		signed.Received += protocol.Sat(out.Value)
	}
	return signed, nil
}

// worth tells whether a transaction takes the place of an earlier one of the same
// coins by the rules: a higher rate, and a fee that pays for its own relay on top
// of the old (BIP125 rules 3 and 4, with the change dropped or not).
func worth(t server.Take, in *inputs, tx *wire.MsgTx, fee protocol.Sat) error {
	amounts := map[wire.OutPoint]protocol.Sat{}
	for point, out := range in.outputs {
		amounts[point] = protocol.Sat(out.Value)
	}
	old, err := readOld(t.Replaces, amounts, func(out *wire.TxOut) bool { return string(out.PkScript) == string(t.Merchant) })
	switch {
	case err != nil:
		return err
	case len(old.inputs) != len(in.outputs):
		return fmt.Errorf("%w: the transaction to replace spends %d coins of %d", errSpend, len(old.inputs), len(in.outputs))
	case t.FeeRate < old.rate(), fee < old.fee+feeFor(incrementalRate, mempool.GetTxVirtualSize(btcutil.NewTx(tx))):
		return server.ErrFeeEnough
	}
	return nil
}

// split makes the outputs: one to the merchant, or two.
func split(t server.Take, in *inputs, count inputCount) (tx *wire.MsgTx, change protocol.Sat, err error) {
	tx = wire.NewMsgTx(txVersion)
	var total protocol.Sat
	for point, out := range in.outputs {
		tx.AddTxIn(wire.NewTxIn(&point, nil, nil))
		total += protocol.Sat(out.Value)
	}
	if !total.Valid() {
		return nil, 0, fmt.Errorf("%w: the coins are worth %d", errSpend, total)
	}
	merchant := wire.NewTxOut(0, []byte(t.Merchant))
	if t.Due != nil && len(t.Change) > 0 {
		rest := wire.NewTxOut(0, []byte(t.Change))
		both := []*wire.TxOut{merchant, rest}
		fee := feeFor(t.FeeRate, count.vsize(both))
		share := max(*t.Due, dust(t.Merchant))
		if change = total - fee - share; change >= dust(t.Change) {
			merchant.Value, rest.Value = int64(share), int64(change)
			tx.TxOut = both
			return tx, change, checkFee(fee, t.FeeLimit)
		}
	}
	tx.TxOut = []*wire.TxOut{merchant}
	fee := feeFor(t.FeeRate, count.vsize(tx.TxOut))
	merchant.Value = int64(total - fee)
	if total-fee < dust(t.Merchant) {
		return nil, 0, protocol.Errorf(protocol.CodeBelowDust, "")
	}
	return tx, 0, checkFee(fee, t.FeeLimit)
}

// ring holds foreign keys by the scripts they can sign for.
type ring struct {
	keys    []bitcoin.Key
	privs   []*btcec.PrivateKey
	signers map[server.Script]signer
}

// readKeys reads 1 to 16 WIF; the same key twice counts once.
func (w *Wallet) readKeys(wifs []protocol.Secret) (*ring, error) {
	if len(wifs) == 0 || len(wifs) > protocol.MaxKeys {
		return nil, protocol.Errorf(protocol.CodeKeyInvalid, "a sweep takes 1 to %d keys", protocol.MaxKeys)
	}
	r := &ring{signers: map[server.Script]signer{}}
	for _, wif := range wifs {
		key, err := bitcoin.ParseWIF(wif.Reveal(), w.net)
		if err != nil {
			r.wipe()
			return nil, coded(err, protocol.CodeKeyInvalid)
		}
		r.keys = append(r.keys, key)
		priv := key.Private()
		r.privs = append(r.privs, priv)
		for _, a := range key.Addresses(w.net) {
			r.signers[server.Script(a.Script())] = signer{priv, key.Forms() == bitcoin.Compressed}
		}
	}
	return r, nil
}

func (r *ring) wipe() {
	for _, k := range r.keys {
		k.Wipe()
	}
	for _, p := range r.privs {
		p.Zero()
	}
}

// inputs takes the coins that fit into one transaction, largest first.
func (r *ring) inputs(coins []server.KeyCoin) (*inputs, inputCount, error) {
	coins = slices.Clone(coins)
	slices.SortFunc(coins, func(a, b server.KeyCoin) int {
		return cmp.Or(-cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.TxID, b.TxID), cmp.Compare(a.Vout, b.Vout))
	})
	in := &inputs{outputs: map[wire.OutPoint]*wire.TxOut{}}
	in.signer = func(point wire.OutPoint) (signer, error) {
		return r.signers[server.Script(in.outputs[point].PkScript)], nil
	}
	var count inputCount
	for _, c := range coins {
		point, err := outPoint(c.TxID, c.Vout)
		if err != nil {
			return nil, count, err
		}
		s, known := r.signers[c.Script]
		if _, twice := in.outputs[point]; !known || twice || c.Amount <= 0 || !c.Amount.Valid() {
			return nil, count, fmt.Errorf("%w: coin %s belongs to none of the keys, stands twice or is worth nothing", errSpend, point)
		}
		next := count
		next.add([]byte(c.Script), s.compressed)
		if next.vsize(nil) > maxTakeSize {
			break
		}
		count = next
		in.outputs[point] = wire.NewTxOut(int64(c.Amount), []byte(c.Script))
	}
	return in, count, nil
}
