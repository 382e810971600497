package chain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // the one database driver of btcd
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

const (
	// practiceRelayFee is the least fee rate that enters the practice mempool, in
	// satoshi per 1000 vbytes. It lies below the estimate (as Bitcoin Core's 0.1
	// sat/vB does since version 30), so that a payment can be seen and yet be too
	// cheap for zero confirmations.
	practiceRelayFee = 100
	// dustFee is the fee rate that decides what is dust (Bitcoin Core's
	// DUST_RELAY_TX_FEE is three times it; btcd's formula multiplies by three).
	dustFee = 1000
	// driver is how btcd's database package calls its driver.
	driver = "ffldb"
)

// practiceParams are those of regtest with the subsidy of mainnet: regtest
// halves every 150 blocks and would leave the miner nothing within a day. The
// deployments are copied because each chain sets its own clock in them.
func practiceParams() *chaincfg.Params {
	p := chaincfg.RegressionNetParams
	p.SubsidyReductionInterval = chaincfg.MainNetParams.SubsidyReductionInterval
	for i := range p.Deployments {
		p.Deployments[i].DeploymentStarter = chaincfg.NewMedianTimeDeploymentStarter(time.Time{})
		p.Deployments[i].DeploymentEnder = chaincfg.NewMedianTimeDeploymentEnder(time.Time{})
	}
	return &p
}

// blockClock is the time source of btcd's rules: the practice clock, but never
// behind the chain's own tip. A practice clock that was moved forward and then
// lost does not make the chain's blocks "too far in the future".
type blockClock struct {
	now func() time.Time
	tip atomic.Int64 // seconds
}

func (c *blockClock) AdjustedTime() time.Time {
	return time.Unix(max(c.now().Unix(), c.tip.Load()), 0)
}

func (c *blockClock) AddTimeSample(string, time.Time) {}
func (c *blockClock) Offset() time.Duration           { return 0 }

// ledger is btcd's chain, mempool and miner over one database. It is not safe
// for concurrent use.
type ledger struct {
	params *chaincfg.Params
	db     database.DB
	chain  *blockchain.BlockChain
	pool   *mempool.TxPool
	miner  *mining.BlkTmplGenerator
	clock  *blockClock
}

// openLedger opens the chain in dir or makes one that holds the genesis block.
func openLedger(dir string, now func() time.Time) (*ledger, error) {
	params := practiceParams()
	path := filepath.Join(dir, "chain")
	db, err := database.Open(driver, path, params.Net)
	if isDatabase(err, database.ErrDbDoesNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			db, err = database.Create(driver, path, params.Net)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open chain database: %w", err)
	}
	l := &ledger{params: params, db: db, clock: &blockClock{now: now}}
	signatures, hashes := txscript.NewSigCache(10_000), txscript.NewHashCache(1_000)
	l.chain, err = blockchain.New(&blockchain.Config{
		DB: db, ChainParams: params, TimeSource: l.clock, IndexManager: outputIndex{db},
		SigCache: signatures, HashCache: hashes, UtxoCacheMaxSize: 1 << 20,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open chain: %w", err), db.Close())
	}
	l.pool = mempool.New(&mempool.Config{
		Policy: mempool.Policy{
			MaxTxVersion:         2,
			DisableRelayPriority: true,
			MaxSigOpCostPerTx:    blockchain.MaxBlockSigOpsCost / 4,
			MinRelayTxFee:        practiceRelayFee,
		},
		ChainParams:        params,
		FetchUtxoView:      l.chain.FetchUtxoView,
		BestHeight:         func() int32 { return l.chain.BestSnapshot().Height },
		MedianTimePast:     func() time.Time { return l.chain.BestSnapshot().MedianTime },
		IsDeploymentActive: l.chain.IsDeploymentActive,
		CalcSequenceLock: func(tx *btcutil.Tx, view *blockchain.UtxoViewpoint) (*blockchain.SequenceLock, error) {
			return l.chain.CalcSequenceLock(tx, view, true)
		},
		SigCache:  signatures,
		HashCache: hashes,
	})
	l.miner = mining.NewBlkTmplGenerator(&mining.Policy{BlockMaxWeight: blockchain.MaxBlockWeight - 4000},
		params, l.pool, l.chain, l.clock, signatures, hashes)
	tip, err := l.tipHeader()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	l.clock.tip.Store(tip.Timestamp.Unix())
	return l, nil
}

func isDatabase(err error, code database.ErrorCode) bool {
	var e database.Error
	return errors.As(err, &e) && e.ErrorCode == code
}

func (l *ledger) tipHeader() (wire.BlockHeader, error) {
	hash := l.chain.BestSnapshot().Hash
	header, err := l.chain.HeaderByHash(&hash)
	if err != nil {
		return header, fmt.Errorf("read tip: %w", err)
	}
	return header, nil
}

// settle brings the set of unspent outputs to the tip. ffldb writes to disk on
// its own accord every five minutes, within whatever commit comes next: settled
// before an operation, that commit is this one, and what reaches the disk never
// stands in the middle of a block or a reorganisation.
func (l *ledger) settle() error {
	if err := l.chain.FlushUtxoCache(blockchain.FlushRequired); err != nil {
		return fmt.Errorf("settle chain: %w", err)
	}
	return nil
}

func (l *ledger) close() error {
	return errors.Join(l.settle(), l.db.Close())
}

// accept offers a transaction to the mempool by its policy and, beyond btcd's,
// refuses dust at the usual fee rate rather than at [practiceRelayFee].
func (l *ledger) accept(tx *btcutil.Tx) error {
	for i, out := range tx.MsgTx().TxOut {
		if !txscript.IsNullData(out.PkScript) && mempool.IsDust(out, dustFee) {
			return mempool.RuleError{Err: mempool.TxRuleError{
				RejectCode:  wire.RejectDust,
				Description: fmt.Sprintf("output %d of %d satoshi is dust", i, out.Value),
			}}
		}
	}
	_, err := l.pool.ProcessTransaction(tx, false, true, 0)
	return err
}

// mine puts what the mempool holds into a block that pays its reward to to.
func (l *ledger) mine(to address.Address) (*btcutil.Block, error) {
	template, err := l.miner.NewBlockTemplate(to)
	if err != nil {
		return nil, fmt.Errorf("assemble block: %w", err)
	}
	block := btcutil.NewBlock(template.Block)
	return block, l.extend(block)
}

// empty makes a block on prev that holds nothing but a reward for outs. extra
// tells blocks at one height apart.
func (l *ledger) empty(prev *wire.BlockHeader, height int32, at time.Time, extra int64, outs []*wire.TxOut) (*btcutil.Block, error) {
	version, err := l.chain.CalcNextBlockVersion()
	if err != nil {
		return nil, fmt.Errorf("make block version: %w", err)
	}
	coinbase, err := newCoinbase(height, extra, outs)
	if err != nil {
		return nil, err
	}
	block := wire.NewMsgBlock(&wire.BlockHeader{
		Version:    version,
		PrevBlock:  prev.BlockHash(),
		MerkleRoot: blockchain.CalcMerkleRoot([]*btcutil.Tx{btcutil.NewTx(coinbase)}, false),
		Timestamp:  at,
		Bits:       l.params.PowLimitBits,
	})
	return btcutil.NewBlock(block), block.AddTransaction(coinbase)
}

// newCoinbase makes the first transaction of a block (BIP34: height first).
func newCoinbase(height int32, extra int64, outs []*wire.TxOut) (*wire.MsgTx, error) {
	script, err := txscript.NewScriptBuilder().AddInt64(int64(height)).AddInt64(extra).AddData([]byte("practice")).Script()
	if err != nil {
		return nil, fmt.Errorf("make coinbase script: %w", err)
	}
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	coinbase.TxOut = outs
	return coinbase, nil
}

// solve finds the proof of work, which costs two tries on average.
func solve(header *wire.BlockHeader) {
	target := blockchain.CompactToBig(header.Bits)
	for {
		hash := header.BlockHash()
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return
		}
		header.Nonce++
	}
}

// extend solves a block and submits it to the consensus rules.
func (l *ledger) extend(block *btcutil.Block) error {
	solve(&block.MsgBlock().Header)
	return l.submit(btcutil.NewBlock(block.MsgBlock())) // the hash was cached before
}

// submit hands a solved block to the consensus rules.
func (l *ledger) submit(block *btcutil.Block) error {
	if _, orphan, err := l.chain.ProcessBlock(block, blockchain.BFNone); err != nil {
		return fmt.Errorf("connect block: %w", err)
	} else if orphan {
		return errors.New("connect block: its parent is unknown")
	}
	tip, err := l.tipHeader()
	if err != nil {
		return err
	}
	l.clock.tip.Store(tip.Timestamp.Unix())
	return nil
}

// confirmed clears the mempool of a block's transactions and of what they
// conflict with.
func (l *ledger) confirmed(block *btcutil.Block) {
	for _, tx := range block.Transactions()[1:] {
		l.pool.RemoveTransaction(tx, false)
		l.pool.RemoveDoubleSpends(tx)
	}
}

// readmit offers a transaction of a disconnected block to the mempool again;
// one that is no longer valid goes, with all that spend it.
func (l *ledger) readmit(tx *btcutil.Tx) {
	if _, _, err := l.pool.MaybeAcceptTransaction(tx, false, false); err != nil {
		l.pool.RemoveTransaction(tx, true)
	}
}

// blockAt reads a block of the best chain.
func (l *ledger) blockAt(height int32) (*btcutil.Block, error) {
	block, err := l.chain.BlockByHeight(height)
	if err != nil {
		return nil, fmt.Errorf("read block %d: %w", height, err)
	}
	return block, nil
}
