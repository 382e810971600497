package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/server"
)

// Replace lets the customer spend the coins of an unconfirmed payment again,
// back into the purse or, with an address, paying the same amount there. A rate
// of 0 is twice what the payment and its descendants pay.
//
// A payment that signals replacement is gone from the mempool when Replace
// returns. One that does not stays, because the mempool refuses the newcomer;
// the newcomer is then a known rival ([server.Payment.Conflict]), and [Practice.Mine]
// mines the one of the two with the higher fee rate.
func (p *Practice) Replace(ctx context.Context, txid, address string, rate server.FeeRate) (string, error) {
	id, err := chainhash.NewHashFromStr(txid)
	if err != nil || len(txid) != 64 {
		return "", fmt.Errorf("%w: a txid has 64 hex digits", ErrArgument)
	}
	if rate < 0 || rate > maxFeeRate {
		return "", fmt.Errorf("%w: fee rate out of range", ErrArgument)
	}
	var script []byte
	if address != "" {
		if script, err = practiceScript(address); err != nil {
			return "", err
		}
	}
	if err := p.world(ctx); err != nil {
		return "", err
	}
	defer p.mu.Unlock()
	old, height, err := p.lookup(*id)
	if err != nil {
		return "", err
	}
	if height > 0 {
		return "", fmt.Errorf("%w: the payment is in block %d", ErrRefused, height)
	}
	d, err := p.doubleSpend(old, script, rate)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	msg, err := p.build(d)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	tx := btcutil.NewTx(msg)
	if err := p.take(tx); isConflict(err) {
		if err := p.addRival(tx); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return tx.Hash().String(), p.commit(false)
}

// isConflict reports whether the mempool refused a transaction because one that
// does not signal replacement spends the same output. Its inputs must be known.
func isConflict(err error) bool {
	var rule mempool.TxRuleError
	return err != nil && errors.As(ruleCause(err), &rule) && rule.RejectCode == wire.RejectDuplicate
}

// doubleSpend drafts the spend of old's coins. It replaces old and all that
// descends from it.
func (p *Practice) doubleSpend(old *btcutil.Tx, script []byte, rate server.FeeRate) (draft, error) {
	d := draft{sequence: mempool.MaxRBFSequence, confirmed: true, rate: rate}
	for _, in := range old.MsgTx().TxIn {
		out := p.output(in.PreviousOutPoint)
		if out == nil {
			continue
		}
		if o, ok := p.purse.ownerOf(out.PkScript); ok {
			d.coins = append(d.coins, purseCoin{in.PreviousOutPoint, out.Value, o})
		}
	}
	if len(d.coins) == 0 {
		return d, errors.New("the customer did not pay this")
	}
	if script != nil {
		var paid int64
		for _, out := range old.MsgTx().TxOut {
			if _, own := p.purse.ownerOf(out.PkScript); !own {
				paid += out.Value
			}
		}
		d.outs = []*wire.TxOut{wire.NewTxOut(paid, script)}
	}
	if rate > 0 {
		return d, nil
	}
	for _, tx := range p.rivalled(d.coins) {
		fee, err := p.fee(tx)
		if err != nil {
			return d, err
		}
		d.replaced += int64(fee)
		d.rate = max(d.rate, 2*rateOf(fee, mempool.GetTxVirtualSize(tx))+1)
	}
	return d, nil
}

// rivalled lists what competes with a spend of the coins, descendants included.
func (p *Practice) rivalled(coins []purseCoin) []*btcutil.Tx {
	probe := wire.NewMsgTx(2)
	for _, c := range coins {
		probe.AddTxIn(wire.NewTxIn(&c.point, nil, nil))
	}
	return p.competitors(btcutil.NewTx(probe))
}

// fee is what a transaction leaves to the miner.
func (p *Practice) fee(tx *btcutil.Tx) (protocol.Sat, error) {
	var fee int64
	for _, in := range tx.MsgTx().TxIn {
		out := p.output(in.PreviousOutPoint)
		if out == nil {
			return 0, fmt.Errorf("%w: %s", ErrNotFound, in.PreviousOutPoint.Hash)
		}
		fee += out.Value
	}
	for _, out := range tx.MsgTx().TxOut {
		fee -= out.Value
	}
	return protocol.Sat(fee), nil
}

// addRival keeps a competitor that the mempool refused; of too many the oldest go.
func (p *Practice) addRival(tx *btcutil.Tx) error {
	raw, err := rawTx(tx)
	if err != nil {
		return err
	}
	for len(p.rivals) >= maxRivals {
		p.forgetRival(p.rivals[0].Hash())
	}
	p.rivals = append(p.rivals, tx)
	p.journal.add(recordRival, raw)
	for _, other := range p.competitors(tx) {
		p.touch(other)
	}
	p.touch(tx)
	return nil
}

func (p *Practice) forgetRival(id *chainhash.Hash) {
	before := len(p.rivals)
	p.rivals = slices.DeleteFunc(p.rivals, func(tx *btcutil.Tx) bool { return *tx.Hash() == *id })
	if len(p.rivals) < before {
		p.journal.add(recordForget, id[:])
	}
}

// preferRivals puts each rival that pays better than all it competes with into
// the mempool, in their place. A rival that turns out not to be valid any more
// leaves things as they were.
func (p *Practice) preferRivals() {
	for _, rival := range slices.Clone(p.rivals) {
		losers := p.competitors(rival)
		if len(losers) == 0 || !p.paysMore(rival, losers) {
			continue
		}
		for _, tx := range losers {
			p.touch(tx)
		}
		for _, tx := range losers {
			p.ledger.pool.RemoveTransaction(tx, true)
		}
		if err := p.ledger.accept(rival); err != nil {
			for _, tx := range losers {
				p.ledger.readmit(tx)
			}
			continue
		}
		p.touch(rival)
		p.forgetRival(rival.Hash())
	}
}

func (p *Practice) paysMore(rival *btcutil.Tx, losers []*btcutil.Tx) bool {
	rate := func(tx *btcutil.Tx) server.FeeRate {
		fee, err := p.fee(tx)
		if err != nil {
			return 0
		}
		return rateOf(fee, mempool.GetTxVirtualSize(tx))
	}
	return !slices.ContainsFunc(losers, func(tx *btcutil.Tx) bool { return rate(tx) >= rate(rival) })
}
