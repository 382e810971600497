package chain

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"till/protocol"
	"till/server"
)

// ancestry is the mempool as acceptance looks at it: what each transaction pays,
// on which unconfirmed ones it stands, and whether it has a competitor.
type ancestry map[chainhash.Hash]unconfirmed

type unconfirmed struct {
	rate      server.FeeRate
	parents   []chainhash.Hash // also confirmed ones; they are not in the map
	contested bool
}

// worst gives the lowest fee rate among a transaction and all its unconfirmed
// ancestors, and whether any of them is contested.
func (a ancestry) worst(txid chainhash.Hash) (lowest server.FeeRate, contested bool) {
	lowest = a[txid].rate
	seen := map[chainhash.Hash]bool{txid: true}
	for queue := []chainhash.Hash{txid}; len(queue) > 0; queue = queue[1:] {
		tx, ok := a[queue[0]]
		if !ok {
			continue
		}
		lowest, contested = min(lowest, tx.rate), contested || tx.contested
		for _, parent := range tx.parents {
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	return lowest, contested
}

// rateOf is a fee over a virtual size, rounded down to a thousandth of a satoshi
// per vbyte.
func rateOf(fee protocol.Sat, vsize int64) server.FeeRate {
	if vsize <= 0 {
		return 0
	}
	return server.FeeRate(int64(fee) * 1000 / vsize)
}
