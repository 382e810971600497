package chain

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// Errors of the practice world, for its control listener.
var (
	// ErrArgument: the call makes no sense (400).
	ErrArgument = errors.New("cannot do that")
	// ErrNotFound: no such transaction in chain, mempool or among rivals (404).
	ErrNotFound = errors.New("no such transaction")
	// ErrRefused: understood, and not possible as things stand (409).
	ErrRefused = errors.New("not possible now")
)

const (
	richBlocks    = 10 // whose rewards are cut for the customer
	coinsPerBlock = 50 // of one bitcoin each: the whole reward
	foundedHeight = richBlocks + 100
	maxMine       = 1000
	maxReorg      = 100
	maxRivals     = 100
	maxFeeRate    = server.FeeRate(1_000_000_000) // 1,000,000 sat/vB
	// DefaultPayRate is what the simulated customer pays: 5 sat/vB.
	DefaultPayRate = server.FeeRate(5000)
)

// world locks for a call of the world's side; with a nil error the caller
// unlocks. The shop's node may be down: the world goes on.
func (p *Practice) world(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return server.ErrChainUnavailable
	}
	return nil
}

// Mine puts what waits in the mempool into n blocks (1 … 1000) and gives the new
// height. A rival that pays a higher fee rate than what it competes with is
// mined in its place, as miners do since Bitcoin Core replaces without a signal.
func (p *Practice) Mine(ctx context.Context, n int) (int64, error) {
	if n < 1 || n > maxMine {
		return 0, fmt.Errorf("%w: blocks must be 1 to %d", ErrArgument, maxMine)
	}
	if err := p.world(ctx); err != nil {
		return 0, err
	}
	defer p.mu.Unlock()
	err := p.ledger.settle()
	if err != nil {
		return 0, err
	}
	for range n {
		if err = p.mineOne(); err != nil {
			break
		}
	}
	err = errors.Join(err, p.commit(true))
	return int64(p.ledger.chain.BestSnapshot().Height), err
}

func (p *Practice) mineOne() error {
	p.preferRivals()
	block, err := p.ledger.mine(p.purse.miner.address)
	if err != nil {
		return err
	}
	for _, tx := range block.Transactions() {
		p.touch(tx)
		p.forgetRival(tx.Hash())
	}
	p.ledger.confirmed(block)
	return p.note(block)
}

// extend submits a block that only consensus rules judge.
func (p *Practice) extend(block *btcutil.Block) error {
	if err := p.ledger.extend(block); err != nil {
		return err
	}
	return p.note(block)
}

// note writes a block into the journal.
func (p *Practice) note(block *btcutil.Block) error {
	raw, err := btcutil.NewBlock(block.MsgBlock()).Bytes()
	if err != nil {
		return fmt.Errorf("encode block: %w", err)
	}
	p.journal.add(recordBlock, raw)
	return nil
}

// reward is a block's only output when it holds nothing else.
func (p *Practice) reward(height int32) []*wire.TxOut {
	return []*wire.TxOut{wire.NewTxOut(blockchain.CalcBlockSubsidy(height, p.ledger.params), p.purse.miner.script)}
}

// Pay lets the simulated customer pay an address and gives the txid once the
// mempool has it. A rate of 0 is [DefaultPayRate]. The customer uses confirmed
// coins as long as there are any, so that payments do not depend on each other.
func (p *Practice) Pay(ctx context.Context, address string, amount protocol.Sat, rate server.FeeRate, replaceable bool) (string, error) {
	script, err := practiceScript(address)
	if err != nil {
		return "", err
	}
	if amount <= 0 || !amount.Valid() || rate < 0 || rate > maxFeeRate {
		return "", fmt.Errorf("%w: amount or fee rate out of range", ErrArgument)
	}
	if err := p.world(ctx); err != nil {
		return "", err
	}
	defer p.mu.Unlock()
	d := draft{
		outs: []*wire.TxOut{wire.NewTxOut(int64(amount), script)},
		rate: cmp.Or(rate, DefaultPayRate), sequence: wire.MaxTxInSequenceNum - 1,
	}
	if replaceable {
		d.sequence = mempool.MaxRBFSequence
	}
	msg, err := p.build(d)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	tx := btcutil.NewTx(msg)
	if err := p.take(tx); err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return tx.Hash().String(), p.commit(false)
}

func practiceScript(address string) ([]byte, error) {
	a, err := bitcoin.ParseAddress(address, bitcoin.Regtest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArgument, err)
	}
	return a.Script(), nil
}

// take offers a transaction to the mempool and notes whose money it moves, that
// of the transactions it replaces included.
func (p *Practice) take(tx *btcutil.Tx) error {
	replaced := p.competitors(tx)
	if err := p.ledger.accept(tx); err != nil {
		return err
	}
	p.touch(tx)
	for _, old := range replaced {
		p.touch(old)
	}
	return nil
}

// touch notes the scripts that tx pays and spends from.
func (p *Practice) touch(tx *btcutil.Tx) {
	for _, out := range tx.MsgTx().TxOut {
		p.touched[server.Script(out.PkScript)] = true
	}
	if blockchain.IsCoinBase(tx) {
		return
	}
	for _, in := range tx.MsgTx().TxIn {
		if out := p.output(in.PreviousOutPoint); out != nil {
			p.touched[server.Script(out.PkScript)] = true
		}
	}
}

// competitors lists the mempool transactions, with all that descend from them,
// that spend an output which tx spends.
func (p *Practice) competitors(tx *btcutil.Tx) (all []*btcutil.Tx) {
	seen := map[chainhash.Hash]bool{*tx.Hash(): true}
	visit := func(point wire.OutPoint) {
		if other := p.ledger.pool.CheckSpend(point); other != nil && !seen[*other.Hash()] {
			seen[*other.Hash()] = true
			all = append(all, other)
		}
	}
	for _, in := range tx.MsgTx().TxIn {
		visit(in.PreviousOutPoint)
	}
	for i := 0; i < len(all); i++ {
		for vout := range all[i].MsgTx().TxOut {
			visit(wire.OutPoint{Hash: *all[i].Hash(), Index: uint32(vout)})
		}
	}
	return all
}

// Reorg replaces the last depth blocks (1 … 100) by one more that are empty, and
// gives the new height. Their payments return to the mempool or, with drop, are
// gone for good with all that spends them.
func (p *Practice) Reorg(ctx context.Context, depth int, drop bool) (int64, error) {
	if err := p.world(ctx); err != nil {
		return 0, err
	}
	defer p.mu.Unlock()
	height := p.ledger.chain.BestSnapshot().Height
	if most := min(maxReorg, int(height)-foundedHeight); depth < 1 || depth > most {
		return 0, fmt.Errorf("%w: depth must be 1 to %d", ErrArgument, most)
	}
	fork := height - int32(depth)
	var old []*btcutil.Tx
	for h := fork + 1; h <= height; h++ {
		block, err := p.ledger.blockAt(h)
		if err != nil {
			return 0, err
		}
		old = append(old, block.Transactions()[1:]...)
	}
	for _, tx := range old {
		p.touch(tx)
	}
	err := p.ledger.settle()
	if err != nil {
		return 0, err
	}
	err = p.overtake(fork, depth+1)
	if p.ledger.chain.BestSnapshot().Height > height {
		for _, tx := range old {
			if drop {
				p.ledger.pool.RemoveTransaction(tx, true)
			} else {
				p.ledger.readmit(tx)
			}
		}
	}
	err = errors.Join(err, p.commit(true))
	return int64(p.ledger.chain.BestSnapshot().Height), err
}

// overtake mines n empty blocks on the block at height fork.
func (p *Practice) overtake(fork int32, n int) error {
	block, err := p.ledger.blockAt(fork)
	if err != nil {
		return err
	}
	prev := block.MsgBlock().Header
	var random [4]byte
	if _, err := io.ReadFull(p.random, random[:]); err != nil {
		return fmt.Errorf("draw block: %w", err)
	}
	extra := int64(binary.BigEndian.Uint32(random[:])) + 1
	for i := range n {
		height := fork + 1 + int32(i)
		block, err := p.ledger.empty(&prev, height, p.ledger.clock.AdjustedTime(), extra, p.reward(height))
		if err != nil {
			return err
		}
		median, err := p.ledger.chain.PastMedianTime(&block.MsgBlock().Header)
		if err != nil {
			return fmt.Errorf("read median time: %w", err)
		}
		if header := &block.MsgBlock().Header; !header.Timestamp.After(median) {
			header.Timestamp = median.Add(time.Second)
		}
		if err := p.extend(block); err != nil {
			return err
		}
		prev = block.MsgBlock().Header
	}
	return nil
}

// NodeDown makes every call of the shop's server fail with
// [server.ErrChainUnavailable], or ends that.
func (p *Practice) NodeDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down && !down {
		p.hub.publish(anything)
	}
	p.down = down
}

// output finds an output by its place, in mempool, chain or among rivals,
// whether spent or not; nil when unknown.
func (p *Practice) output(point wire.OutPoint) *wire.TxOut {
	tx, _, err := p.lookup(point.Hash)
	if err != nil || int(point.Index) >= len(tx.MsgTx().TxOut) {
		return nil
	}
	return tx.MsgTx().TxOut[point.Index]
}

// lookup finds a transaction and its height, 0 when unconfirmed.
func (p *Practice) lookup(id chainhash.Hash) (*btcutil.Tx, int32, error) {
	if tx, err := p.ledger.pool.FetchTransaction(&id); err == nil {
		return tx, 0, nil
	}
	height, err := p.index.height(id)
	if err != nil {
		return nil, 0, err
	}
	txs := p.rivals
	if height > 0 {
		block, err := p.ledger.blockAt(height)
		if err != nil {
			return nil, 0, err
		}
		txs = block.Transactions()
	}
	if i := slices.IndexFunc(txs, func(tx *btcutil.Tx) bool { return *tx.Hash() == id }); i >= 0 {
		return txs[i], height, nil
	}
	return nil, 0, fmt.Errorf("%w: %s", ErrNotFound, id)
}
