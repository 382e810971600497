package chain

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/server"
)

// enter locks for a call of the shop's server; with a nil error the caller
// unlocks.
func (p *Practice) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	if p.down || p.closed {
		p.mu.Unlock()
		return server.ErrChainUnavailable
	}
	return nil
}

// Tip implements [server.Chain].
func (p *Practice) Tip(ctx context.Context) (server.Tip, error) {
	if err := p.enter(ctx); err != nil {
		return server.Tip{}, err
	}
	defer p.mu.Unlock()
	return p.tip()
}

func (p *Practice) tip() (server.Tip, error) {
	best := p.ledger.chain.BestSnapshot()
	header, err := p.ledger.tipHeader()
	if err != nil {
		return server.Tip{}, err
	}
	return server.Tip{Height: int64(best.Height), Hash: best.Hash.String(), Time: protocol.TimeOf(header.Timestamp)}, nil
}

// Watch implements [server.Chain]: changes are told for watched scripts only,
// payments are answered for all.
func (p *Practice) Watch(ctx context.Context, scripts []server.Script) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.mu.Unlock()
	for _, s := range scripts {
		p.watched[s] = true
	}
	return nil
}

// Payments implements [server.Chain] for every script.
func (p *Practice) Payments(ctx context.Context, scripts []server.Script) ([]server.Payment, server.Tip, error) {
	if err := p.enter(ctx); err != nil {
		return nil, server.Tip{}, err
	}
	defer p.mu.Unlock()
	tip, err := p.tip()
	if err != nil {
		return nil, server.Tip{}, err
	}
	asked := map[server.Script]bool{}
	var found []server.Payment
	for _, s := range scripts {
		if asked[s] {
			continue
		}
		asked[s] = true
		if err := p.index.outputs([]byte(s), false, func(out indexed) bool {
			found = append(found, p.confirmedPayment(s, out))
			return true
		}); err != nil {
			return nil, server.Tip{}, fmt.Errorf("find payments: %w", err)
		}
	}
	found = append(found, p.pendingPayments(asked)...)
	sortPayments(found)
	return found, tip, nil
}

// sortPayments brings confirmed ones first, in the order of the chain.
func sortPayments(all []server.Payment) {
	slices.SortFunc(all, func(a, b server.Payment) int {
		if (a.Height == 0) != (b.Height == 0) {
			return cmp.Compare(b.Height, a.Height)
		}
		return cmp.Or(cmp.Compare(a.Height, b.Height), cmp.Compare(a.TxID, b.TxID), cmp.Compare(a.Vout, b.Vout))
	})
}

func (p *Practice) confirmedPayment(s server.Script, out indexed) server.Payment {
	pay := server.Payment{
		Script: s, TxID: out.point.Hash.String(), Vout: out.point.Index,
		Amount: protocol.Sat(out.amount), Height: int64(out.height),
	}
	if out.spentHeight > 0 {
		pay.Spent, pay.SpentHeight = out.spender.String(), int64(out.spentHeight)
	} else if tx := p.ledger.pool.CheckSpend(out.point); tx != nil {
		pay.Spent = tx.Hash().String()
	}
	return pay
}

func (p *Practice) pendingPayments(asked map[server.Script]bool) []server.Payment {
	descs := p.ledger.pool.TxDescs()
	graph := p.ancestry(descs)
	var found []server.Payment
	for _, desc := range descs {
		for vout, out := range desc.Tx.MsgTx().TxOut {
			s := server.Script(out.PkScript)
			if !asked[s] {
				continue
			}
			pay := server.Payment{Script: s, TxID: desc.Tx.Hash().String(), Vout: uint32(vout), Amount: protocol.Sat(out.Value)}
			pay.FeeRate, pay.Conflict = graph.worst(*desc.Tx.Hash())
			if tx := p.ledger.pool.CheckSpend(wire.OutPoint{Hash: *desc.Tx.Hash(), Index: uint32(vout)}); tx != nil {
				pay.Spent = tx.Hash().String()
			}
			found = append(found, pay)
		}
	}
	return found
}

func (p *Practice) ancestry(descs []*mempool.TxDesc) ancestry {
	contested := map[chainhash.Hash]bool{}
	for _, rival := range p.rivals {
		for _, tx := range p.competitors(rival) {
			contested[*tx.Hash()] = true
		}
	}
	graph := ancestry{}
	for _, desc := range descs {
		u := unconfirmed{
			rate:      rateOf(protocol.Sat(desc.Fee), mempool.GetTxVirtualSize(desc.Tx)),
			contested: contested[*desc.Tx.Hash()],
		}
		for _, in := range desc.Tx.MsgTx().TxIn {
			u.parents = append(u.parents, in.PreviousOutPoint.Hash)
		}
		graph[*desc.Tx.Hash()] = u
	}
	return graph
}

// Broadcast implements [server.Chain].
func (p *Practice) Broadcast(ctx context.Context, raw []byte) error {
	tx, err := parseTx(raw)
	if err != nil {
		return err
	}
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.mu.Unlock()
	if height, err := p.index.height(*tx.Hash()); err != nil || height > 0 {
		return err
	}
	if p.ledger.pool.IsTransactionInPool(tx.Hash()) {
		return nil
	}
	if err := p.take(tx); err != nil {
		return p.rejection(tx, err)
	}
	return p.commit(false)
}

// parseTx reads exactly one transaction.
func parseTx(raw []byte) (*btcutil.Tx, error) {
	if len(raw) > blockchain.MaxBlockBaseSize {
		return nil, fmt.Errorf("%w: larger than a block", server.ErrRejected)
	}
	r := bytes.NewReader(raw)
	tx, err := btcutil.NewTxFromReader(r)
	if err != nil || r.Len() > 0 {
		return nil, fmt.Errorf("%w: the bytes are not a transaction", server.ErrRejected)
	}
	return tx, nil
}

// rejection tells a certain no from one that may change: an output that a mempool
// transaction spends, or one that nobody has seen yet, says nothing about
// tomorrow.
func (p *Practice) rejection(tx *btcutil.Tx, err error) error {
	var rule mempool.TxRuleError
	if !errors.As(ruleCause(err), &rule) || rule.RejectCode != wire.RejectDuplicate || p.lostInput(tx) {
		return fmt.Errorf("%w: %w", server.ErrRejected, err)
	}
	return fmt.Errorf("broadcast transaction: %w", err)
}

// ruleCause opens btcd's rule errors, which do not unwrap.
func ruleCause(err error) error {
	var rule mempool.RuleError
	if errors.As(err, &rule) {
		return rule.Err
	}
	return err
}

// lostInput reports whether the chain itself spent an input of tx.
func (p *Practice) lostInput(tx *btcutil.Tx) bool {
	for _, in := range tx.MsgTx().TxIn {
		height, err := p.index.height(in.PreviousOutPoint.Hash)
		if err != nil || height == 0 {
			continue
		}
		if entry, err := p.ledger.chain.FetchUtxoEntry(in.PreviousOutPoint); err == nil && (entry == nil || entry.IsSpent()) {
			return true
		}
	}
	return false
}

// FeeRate implements [server.Chain]: the configured rate for every target.
func (p *Practice) FeeRate(ctx context.Context, _ int) (server.FeeRate, error) {
	if err := p.enter(ctx); err != nil {
		return 0, err
	}
	defer p.mu.Unlock()
	return p.rate, nil
}

// Changes implements [server.Chain].
func (p *Practice) Changes(ctx context.Context, changed func(server.Change)) error {
	return p.hub.listen(ctx, changed)
}
