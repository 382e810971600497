package chain

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"

	"till/server"
)

// PracticeConfig says where a practice chain lives and what stands for the world.
type PracticeConfig struct {
	Dir    string           // kept between runs; made with mode 0700 when missing
	Now    func() time.Time // the practice clock: block times
	Random io.Reader        // the customer's key, and what tells two blocks apart
	// FeeRate is what the chain answers to every question for an estimate; 0 is
	// 1 sat/vB.
	FeeRate server.FeeRate
}

// Practice is a regtest chain inside the process (bitcoin.md §4). Consensus,
// mempool policy and mining are btcd's own. It is a [server.Chain] and at the same
// time the world around the shop: miner, customer and thief. Safe for
// concurrent use; one process at a time holds its directory.
type Practice struct {
	random io.Reader
	rate   server.FeeRate
	hub    hub

	mu      sync.Mutex
	ledger  *ledger
	index   outputIndex
	journal *journal
	seed    []byte // of the purse
	purse   *purse
	saved   map[chainhash.Hash]bool // the mempool as the journal has it
	rivals  []*btcutil.Tx           // known competitors that the mempool refused
	watched map[server.Script]bool
	touched map[server.Script]bool // by the operation that runs
	down    bool
	closed  bool
}

var _ server.Chain = (*Practice)(nil)

// OpenPractice opens the practice chain in cfg.Dir or makes one with a rich
// customer. It fails when another process has it open.
func OpenPractice(cfg PracticeConfig) (*Practice, error) {
	if cfg.Dir == "" || cfg.Now == nil || cfg.Random == nil || cfg.FeeRate < 0 {
		return nil, errors.New("open practice chain: directory, clock and randomness are needed")
	}
	l, err := openLedger(cfg.Dir, cfg.Now)
	if err != nil {
		return nil, fmt.Errorf("open practice chain: %w", err)
	}
	p := &Practice{
		random: cfg.Random, rate: cmp.Or(cfg.FeeRate, 1000),
		ledger: l, index: outputIndex{l.db},
		saved: map[chainhash.Hash]bool{}, watched: map[server.Script]bool{}, touched: map[server.Script]bool{},
	}
	if err := p.load(cfg.Dir); err != nil {
		if p.journal != nil {
			err = errors.Join(err, p.journal.close())
		}
		return nil, fmt.Errorf("open practice chain: %w", errors.Join(err, l.close()))
	}
	return p, nil
}

func (p *Practice) load(dir string) error {
	var records []record
	var err error
	if p.journal, records, err = openJournal(dir); err != nil {
		return err
	}
	if err := p.openPurse(records); err != nil {
		return err
	}
	if err := p.replay(records); err != nil {
		return err
	}
	return errors.Join(p.found(), p.commit(false))
}

// openPurse finds the purse's seed in the journal or draws one.
func (p *Practice) openPurse(records []record) (err error) {
	p.seed = make([]byte, 32)
	if len(records) > 0 && records[0].kind == recordSeed {
		p.seed = records[0].payload
	} else if _, err := io.ReadFull(p.random, p.seed); err != nil {
		return fmt.Errorf("draw purse: %w", err)
	} else {
		p.journal.add(recordSeed, p.seed)
	}
	p.purse, err = newPurse(p.seed)
	return err
}

// replay brings chain and mempool to where the journal says they were.
func (p *Practice) replay(records []record) error {
	var pool []*btcutil.Tx
	without := func(txs []*btcutil.Tx, id []byte) []*btcutil.Tx {
		return slices.DeleteFunc(txs, func(tx *btcutil.Tx) bool { return bytes.Equal(tx.Hash()[:], id) })
	}
	for i, r := range records {
		var err error
		switch r.kind {
		case recordSeed:
		case recordBlock:
			err = p.replayBlock(r.payload)
		case recordTx, recordRival:
			var tx *btcutil.Tx
			if tx, err = btcutil.NewTxFromBytes(r.payload); err == nil && r.kind == recordTx {
				pool = append(pool, tx)
			} else if err == nil {
				p.rivals = append(p.rivals, tx)
			}
		case recordGone:
			pool = without(pool, r.payload)
		case recordForget:
			p.rivals = without(p.rivals, r.payload)
		default:
			err = fmt.Errorf("unknown kind %q", r.kind)
		}
		if err != nil {
			return fmt.Errorf("replay practice journal, record %d: %w", i, err)
		}
	}
	for _, tx := range pool {
		p.saved[*tx.Hash()] = true
	}
	// A parent may stand after its child when a reorganisation brought it back.
	for before := -1; len(pool) != before; {
		before = len(pool)
		pool = slices.DeleteFunc(pool, func(tx *btcutil.Tx) bool {
			missing, _, err := p.ledger.pool.MaybeAcceptTransaction(tx, false, false)
			return err == nil && len(missing) == 0
		})
	}
	return nil
}

func (p *Practice) replayBlock(raw []byte) error {
	block, err := btcutil.NewBlockFromBytes(raw)
	if err != nil {
		return err
	}
	if have, err := p.ledger.chain.HaveBlock(block.Hash()); err != nil || have {
		return err
	}
	return p.ledger.submit(block)
}

// commit makes durable what the operation did to the mempool, and only then
// tells the listeners.
func (p *Practice) commit(moved bool) error {
	now := map[chainhash.Hash]bool{}
	for _, desc := range p.ledger.pool.TxDescs() {
		id := *desc.Tx.Hash()
		now[id] = true
		if !p.saved[id] {
			raw, err := rawTx(desc.Tx)
			if err != nil {
				return err
			}
			p.journal.add(recordTx, raw)
		}
	}
	for id := range p.saved {
		if !now[id] {
			p.journal.add(recordGone, id[:])
		}
	}
	p.saved = now
	if err := p.journal.sync(); err != nil {
		return err
	}
	change := server.Change{TipMoved: moved}
	for s := range p.touched {
		if p.watched[s] {
			change.Scripts = append(change.Scripts, s)
		}
	}
	clear(p.touched)
	if moved || len(change.Scripts) > 0 {
		p.hub.publish(change)
	}
	return nil
}

// Close ends the chain in good order; calls that come later find it unavailable.
func (p *Practice) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	if err := errors.Join(p.journal.sync(), p.ledger.close()); err != nil {
		return fmt.Errorf("close practice chain: %w", errors.Join(err, p.journal.close()))
	}
	// The database holds every block now; what it does not hold needs the journal.
	records := []record{{recordSeed, p.seed}}
	for _, desc := range p.ledger.pool.TxDescs() {
		raw, err := rawTx(desc.Tx)
		if err != nil {
			return err
		}
		records = append(records, record{recordTx, raw})
	}
	for _, tx := range p.rivals {
		raw, err := rawTx(tx)
		if err != nil {
			return err
		}
		records = append(records, record{recordRival, raw})
	}
	if err := p.journal.rewrite(records); err != nil {
		return fmt.Errorf("close practice chain: %w", err)
	}
	return nil
}

func rawTx(tx *btcutil.Tx) ([]byte, error) {
	var b bytes.Buffer
	if err := tx.MsgTx().Serialize(&b); err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	return b.Bytes(), nil
}
