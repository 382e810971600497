package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/server"
)

const (
	payTries     = 10
	pageSize     = 500
	maxHistory   = 20_000 // transactions of one address
	maxAncestors = 200
)

// errMoved: chain or mempool changed while it was looked at. Look again.
var errMoved = errors.New("the chain moved while it was looked at")

// Payments implements [server.Chain] for every script that has an address. btcd
// answers one question at a time, so the answers are taken again until tip and
// mempool were the same before and after. Conflict is always false: btcd's
// mempool holds no two spends of an output and does not tell of those it
// refuses. A payment that is replaced is no payment any more.
func (n *Node) Payments(ctx context.Context, scripts []server.Script) ([]server.Payment, server.Tip, error) {
	asked := map[server.Script]string{}
	for _, s := range scripts {
		address, err := n.addressOf(s)
		if err != nil {
			return nil, server.Tip{}, err
		}
		asked[s] = address
	}
	l, err := n.current(ctx)
	if err != nil {
		return nil, server.Tip{}, err
	}
	for range payTries {
		found, tip, err := n.look(ctx, l, asked)
		if !errors.Is(err, errMoved) {
			return found, tip, err
		}
	}
	return nil, server.Tip{}, fmt.Errorf("%w: %w", server.ErrChainUnavailable, errMoved)
}

// look takes one picture; errMoved when it is blurred.
func (n *Node) look(ctx context.Context, l *link, asked map[server.Script]string) ([]server.Payment, server.Tip, error) {
	tip, err := l.tip(ctx)
	if err != nil {
		return nil, tip, err
	}
	view := &view{link: l, tip: tip, txs: map[chainhash.Hash]*sighting{}}
	addresses := make([]string, 0, len(asked))
	for _, address := range asked {
		addresses = append(addresses, address)
	}
	if err := each(len(addresses), func(i int) error { return view.history(ctx, addresses[i]) }); err != nil {
		return nil, tip, err
	}
	found := view.payments(asked)
	graphs, err := view.stand(ctx, found)
	if err != nil {
		return nil, tip, err
	}
	n.mu.Lock()
	for s := range asked {
		if n.watched[s] {
			n.near.set(s, pointsOf(found, graphs, s))
		}
	}
	n.mu.Unlock()
	// What happens to these transactions from here on is heard; what happened
	// until here is seen now.
	if err := view.confirm(ctx, graphs); err != nil {
		return nil, tip, err
	}
	sortPayments(found)
	return found, tip, nil
}

// view is what one look collects.
type view struct {
	link *link
	tip  server.Tip
	mu   sync.Mutex
	txs  map[chainhash.Hash]*sighting
}

// history collects the transactions that pay an address or spend from it.
func (v *view) history(ctx context.Context, address string) error {
	for skip := 0; skip < maxHistory; skip += pageSize {
		var page []located
		err := v.link.ask(ctx, &page, "searchrawtransactions", address, 1, skip, pageSize)
		if refusal := rpcError(err); refusal != nil {
			switch refusal.Code {
			case codeNoInfo:
				return nil
			case codeNoIndex:
				return fmt.Errorf("%w: %s", server.ErrChainUnsupported, refusal.Message)
			}
			return errMoved // a block of the answer was disconnected meanwhile
		}
		if err != nil {
			return err
		}
		for _, shown := range page {
			seen, err := shown.parse()
			if err != nil {
				return err
			}
			if seen.confirmations > v.tip.Height {
				return errMoved
			}
			v.mu.Lock()
			v.txs[*seen.tx.Hash()] = seen
			v.mu.Unlock()
		}
		if len(page) < pageSize {
			return nil
		}
	}
	return fmt.Errorf("%w: the address has more than %d transactions", server.ErrChainUnsupported, maxHistory)
}

func (v *view) height(s *sighting) int64 {
	if s.confirmations == 0 {
		return 0
	}
	return v.tip.Height - s.confirmations + 1
}

// payments picks the outputs that pay an asked script out of all transactions,
// whichever address they were found by, and the inputs that spend them.
func (v *view) payments(asked map[server.Script]string) []server.Payment {
	spends := map[wire.OutPoint]*sighting{}
	for _, seen := range v.txs {
		for _, in := range seen.tx.MsgTx().TxIn {
			spends[in.PreviousOutPoint] = seen
		}
	}
	var found []server.Payment
	for id, seen := range v.txs {
		for vout, out := range seen.tx.MsgTx().TxOut {
			s := server.Script(out.PkScript)
			if asked[s] == "" {
				continue
			}
			pay := server.Payment{Script: s, TxID: id.String(), Vout: uint32(vout), Amount: protocol.Sat(out.Value), Height: v.height(seen)}
			if by := spends[wire.OutPoint{Hash: id, Index: uint32(vout)}]; by != nil {
				pay.Spent, pay.SpentHeight = by.tx.Hash().String(), v.height(by)
			}
			found = append(found, pay)
		}
	}
	return found
}

// standing is an unconfirmed transaction with what it stands on.
type standing struct {
	id       chainhash.Hash
	ancestry ancestry
	inputs   []wire.OutPoint // of all in the ancestry
}

// stand finds the ancestry of each unconfirmed payment and fills in its rate.
func (v *view) stand(ctx context.Context, found []server.Payment) (map[string]*standing, error) {
	graphs := map[string]*standing{}
	for _, pay := range found {
		if pay.Height == 0 {
			graphs[pay.TxID] = nil
		}
	}
	ids := make([]string, 0, len(graphs))
	for id := range graphs {
		ids = append(ids, id)
	}
	var mu sync.Mutex
	err := each(len(ids), func(i int) error {
		s, err := v.link.standing(ctx, ids[i])
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		graphs[ids[i]] = s
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, pay := range found {
		if s := graphs[pay.TxID]; s != nil {
			found[i].FeeRate, _ = s.ancestry.worst(s.id)
		}
	}
	return graphs, nil
}

// standing walks from an unconfirmed transaction to all its unconfirmed
// ancestors. One that stands on more than [maxAncestors] gets the rate 0.
func (l *link) standing(ctx context.Context, txid string) (*standing, error) {
	id, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		return nil, fmt.Errorf("read txid: %w", err)
	}
	s := &standing{id: *id, ancestry: ancestry{}}
	known := map[chainhash.Hash]*sighting{}
	find := func(id chainhash.Hash) (*sighting, error) {
		seen := known[id]
		if seen == nil {
			if seen, err = l.transaction(ctx, id); err != nil {
				return nil, err
			}
		}
		if seen == nil {
			return nil, errMoved
		}
		known[id] = seen
		return seen, nil
	}
	for queue := []chainhash.Hash{*id}; len(queue) > 0; queue = queue[1:] {
		seen, err := find(queue[0])
		if err != nil {
			return nil, err
		}
		if seen.confirmations > 0 {
			if queue[0] == *id {
				return nil, errMoved
			}
			continue
		}
		if _, done := s.ancestry[queue[0]]; done {
			continue
		}
		if len(s.ancestry) == maxAncestors {
			s.ancestry[*id] = unconfirmed{}
			return s, nil
		}
		u, err := judge(seen, find)
		if err != nil {
			return nil, err
		}
		s.ancestry[queue[0]] = u
		queue = append(queue, u.parents...)
		for _, in := range seen.tx.MsgTx().TxIn {
			s.inputs = append(s.inputs, in.PreviousOutPoint)
		}
	}
	return s, nil
}

// judge reads an unconfirmed transaction's fee off what it spends.
func judge(seen *sighting, find func(chainhash.Hash) (*sighting, error)) (unconfirmed, error) {
	var u unconfirmed
	var fee int64
	for _, in := range seen.tx.MsgTx().TxIn {
		from, err := find(in.PreviousOutPoint.Hash)
		if err != nil {
			return u, err
		}
		outs := from.tx.MsgTx().TxOut
		if int64(in.PreviousOutPoint.Index) >= int64(len(outs)) {
			return u, fmt.Errorf("%w: an input of %s does not exist", server.ErrChainUnavailable, seen.tx.Hash())
		}
		fee += outs[in.PreviousOutPoint.Index].Value
		u.parents = append(u.parents, in.PreviousOutPoint.Hash)
	}
	for _, out := range seen.tx.MsgTx().TxOut {
		fee -= out.Value
	}
	u.rate = rateOf(protocol.Sat(fee), mempool.GetTxVirtualSize(seen.tx))
	return u, nil
}

// confirm proves that the tip is still the same and every unconfirmed payment
// still unconfirmed, so that all was true at one moment.
func (v *view) confirm(ctx context.Context, graphs map[string]*standing) error {
	ids := make([]chainhash.Hash, 0, len(graphs))
	for _, s := range graphs {
		ids = append(ids, s.id)
	}
	if err := each(len(ids), func(i int) error {
		seen, err := v.link.transaction(ctx, ids[i])
		if err == nil && (seen == nil || seen.confirmations > 0) {
			return errMoved
		}
		return err
	}); err != nil {
		return err
	}
	tip, err := v.link.tip(ctx)
	if err == nil && tip != v.tip {
		return errMoved
	}
	return err
}
