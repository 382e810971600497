package chain

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// outputIndex finds the outputs of the best chain by their script, and
// transactions by their id. It lives in the chain's own database and changes in
// the same commit as the chain: btcd calls it as an index manager. btcd's own
// address index knows neither spenders nor scripts without an address.
//
// Bucket till-outputs: key SHA-256(script) ‖ state ‖ txid ‖ vout (32, 1, 32, 4
// bytes), state 0 unspent, 1 spent; value height ‖ amount ‖ coinbase (4, 8, 1),
// for a spent one also spender's txid ‖ its height (32, 4). Numbers big-endian.
// Bucket till-transactions: txid to height.
type outputIndex struct{ db database.DB }

var (
	outputBucket = []byte("till-outputs")
	txBucket     = []byte("till-transactions")
)

const (
	unspent byte = 0
	spent   byte = 1

	outputKeySize   = 32 + 1 + 32 + 4
	unspentSize     = 4 + 8 + 1
	spentOutputSize = unspentSize + 32 + 4
)

// indexed is one output of the best chain.
type indexed struct {
	point       wire.OutPoint
	height      int32
	amount      int64
	coinbase    bool
	spender     chainhash.Hash
	spentHeight int32 // 0: unspent
}

// Init makes the buckets; the genesis block has nothing that can be spent.
func (x outputIndex) Init(*blockchain.BlockChain, <-chan struct{}) error {
	ready := false
	if err := x.db.View(func(tx database.Tx) error {
		ready = tx.Metadata().Bucket(txBucket) != nil
		return nil
	}); err != nil || ready {
		return err
	}
	return x.db.Update(func(tx database.Tx) error {
		for _, name := range [][]byte{outputBucket, txBucket} {
			if _, err := tx.Metadata().CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("create index: %w", err)
			}
		}
		return nil
	})
}

// ConnectBlock adds the block's outputs and marks those it spends.
func (x outputIndex) ConnectBlock(dbtx database.Tx, block *btcutil.Block, spentOutputs []blockchain.SpentTxOut) error {
	outputs, txs := dbtx.Metadata().Bucket(outputBucket), dbtx.Metadata().Bucket(txBucket)
	height := uint32(block.Height())
	next := 0
	for i, tx := range block.Transactions() {
		if err := txs.Put(tx.Hash()[:], binary.BigEndian.AppendUint32(nil, height)); err != nil {
			return fmt.Errorf("index transaction: %w", err)
		}
		for vout, out := range tx.MsgTx().TxOut {
			if txscript.IsUnspendable(out.PkScript) {
				continue
			}
			key := outputKey(out.PkScript, unspent, wire.OutPoint{Hash: *tx.Hash(), Index: uint32(vout)})
			if err := outputs.Put(key, unspentValue(height, out.Value, i == 0)); err != nil {
				return fmt.Errorf("index output: %w", err)
			}
		}
		if i == 0 {
			continue
		}
		for _, in := range tx.MsgTx().TxIn {
			from := spentOutputs[next]
			next++
			value := unspentValue(uint32(from.Height), from.Amount, from.IsCoinBase)
			value = binary.BigEndian.AppendUint32(append(value, tx.Hash()[:]...), height)
			if err := move(outputs, from.PkScript, in.PreviousOutPoint, unspent, spent, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// DisconnectBlock undoes ConnectBlock, last transaction first.
func (x outputIndex) DisconnectBlock(dbtx database.Tx, block *btcutil.Block, spentOutputs []blockchain.SpentTxOut) error {
	outputs, txs := dbtx.Metadata().Bucket(outputBucket), dbtx.Metadata().Bucket(txBucket)
	next := len(spentOutputs)
	all := block.Transactions()
	for i := len(all) - 1; i >= 0; i-- {
		tx := all[i]
		for vout, out := range tx.MsgTx().TxOut {
			key := outputKey(out.PkScript, unspent, wire.OutPoint{Hash: *tx.Hash(), Index: uint32(vout)})
			if err := outputs.Delete(key); err != nil {
				return fmt.Errorf("unindex output: %w", err)
			}
		}
		if err := txs.Delete(tx.Hash()[:]); err != nil {
			return fmt.Errorf("unindex transaction: %w", err)
		}
		if i == 0 {
			continue
		}
		ins := tx.MsgTx().TxIn
		for j := len(ins) - 1; j >= 0; j-- {
			next--
			from := spentOutputs[next]
			value := unspentValue(uint32(from.Height), from.Amount, from.IsCoinBase)
			if err := move(outputs, from.PkScript, ins[j].PreviousOutPoint, spent, unspent, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func outputKey(script []byte, state byte, point wire.OutPoint) []byte {
	hash := sha256.Sum256(script)
	key := append(make([]byte, 0, outputKeySize), hash[:]...)
	key = append(key, state)
	key = append(key, point.Hash[:]...)
	return binary.BigEndian.AppendUint32(key, point.Index)
}

func unspentValue(height uint32, amount int64, coinbase bool) []byte {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, spentOutputSize), height)
	value = binary.BigEndian.AppendUint64(value, uint64(amount))
	if coinbase {
		return append(value, 1)
	}
	return append(value, 0)
}

func move(outputs database.Bucket, script []byte, point wire.OutPoint, from, to byte, value []byte) error {
	if err := outputs.Delete(outputKey(script, from, point)); err != nil {
		return fmt.Errorf("index spend: %w", err)
	}
	if err := outputs.Put(outputKey(script, to, point), value); err != nil {
		return fmt.Errorf("index spend: %w", err)
	}
	return nil
}

// outputs calls found for each output of the script, unspent ones first, until
// it returns false. With unspentOnly the others are left out.
func (x outputIndex) outputs(script []byte, unspentOnly bool, found func(indexed) bool) error {
	prefix := outputKey(script, unspent, wire.OutPoint{})[:33]
	if !unspentOnly {
		prefix = prefix[:32]
	}
	return x.db.View(func(tx database.Tx) error {
		cursor := tx.Metadata().Bucket(outputBucket).Cursor()
		for ok := cursor.Seek(prefix); ok && bytes.HasPrefix(cursor.Key(), prefix); ok = cursor.Next() {
			out, err := readOutput(cursor.Key(), cursor.Value())
			if err != nil {
				return err
			}
			if !found(out) {
				return nil
			}
		}
		return nil
	})
}

var errIndex = errors.New("the index of the practice chain is damaged")

func readOutput(key, value []byte) (indexed, error) {
	if len(key) != outputKeySize || len(value) != unspentSize && len(value) != spentOutputSize {
		return indexed{}, errIndex
	}
	out := indexed{
		height:   int32(binary.BigEndian.Uint32(value)),
		amount:   int64(binary.BigEndian.Uint64(value[4:])),
		coinbase: value[12] == 1,
	}
	copy(out.point.Hash[:], key[33:65])
	out.point.Index = binary.BigEndian.Uint32(key[65:])
	if len(value) == spentOutputSize {
		copy(out.spender[:], value[unspentSize:])
		out.spentHeight = int32(binary.BigEndian.Uint32(value[unspentSize+32:]))
	}
	return out, nil
}

// height finds the block of a confirmed transaction, 0 when there is none.
func (x outputIndex) height(txid chainhash.Hash) (height int32, err error) {
	err = x.db.View(func(tx database.Tx) error {
		switch value := tx.Metadata().Bucket(txBucket).Get(txid[:]); len(value) {
		case 0:
		case 4:
			height = int32(binary.BigEndian.Uint32(value))
		default:
			return errIndex
		}
		return nil
	})
	return height, err
}
