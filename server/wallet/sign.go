package wallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/btcutil/v2/txsort"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/btcsuite/btcwallet/wallet/txrules"
	"github.com/btcsuite/btcwallet/wallet/txsizes"

	"till/protocol"
	"till/server"
)

const (
	// replaceable is the sequence number that signals BIP125 and keeps the lock
	// time in force.
	replaceable = wire.MaxTxInSequenceNum - 2
	// lockTimeIsTime is the first lock time that is not a height.
	lockTimeIsTime = txscript.LockTimeThreshold
	// txVersion is the version of the transactions made here.
	txVersion = 2
)

// signer is a private key and which of its public keys an output asks for.
type signer struct {
	priv       *btcec.PrivateKey
	compressed bool
}

// inputs are the outputs that a transaction may spend, with who can sign.
type inputs struct {
	outputs map[wire.OutPoint]*wire.TxOut
	signer  func(wire.OutPoint) (signer, error)
	wipe    func() // of keys derived by signer; nil for a ring, which wipes its own
}

// ownInputs are coins of the wallet. Keys are derived when they sign.
func (w *Wallet) ownInputs(coins []server.Coin) (*inputs, error) {
	byPoint := map[wire.OutPoint]server.Coin{}
	in := &inputs{outputs: map[wire.OutPoint]*wire.TxOut{}}
	for _, c := range coins {
		point, err := outPoint(c.TxID, c.Vout)
		if err != nil {
			return nil, err
		}
		if _, twice := byPoint[point]; twice || c.Amount <= 0 || !c.Amount.Valid() {
			return nil, fmt.Errorf("%w: coin %s stands twice or is worth nothing", errSpend, point)
		}
		byPoint[point] = c
		in.outputs[point] = wire.NewTxOut(int64(c.Amount), []byte(c.Script))
	}
	var used []*btcec.PrivateKey
	in.wipe = func() {
		for _, k := range used {
			k.Zero()
		}
	}
	in.signer = func(point wire.OutPoint) (signer, error) {
		c := byPoint[point]
		a, err := w.Derive(c.Branch, c.Index)
		if err != nil {
			return signer{}, err
		}
		if a.Script != c.Script {
			return signer{}, fmt.Errorf("%w: coin %s does not belong to %d/%d", errSpend, point, c.Branch, c.Index)
		}
		priv, err := w.account.key(c.Branch, c.Index)
		if err != nil {
			return signer{}, err
		}
		used = append(used, priv)
		return signer{priv, true}, nil
	}
	return in, nil
}

// finish orders, signs and verifies tx, whose inputs are of in.
func (in *inputs) finish(ctx context.Context, tx *wire.MsgTx, height int64) (*server.Signed, error) {
	tx.Version = txVersion
	tx.LockTime = uint32(height)
	for _, i := range tx.TxIn {
		i.Sequence = replaceable
	}
	txsort.InPlaceSort(tx)

	fetcher := txscript.NewMultiPrevOutFetcher(in.outputs)
	hashes := txscript.NewTxSigHashes(tx, fetcher)
	signed := &server.Signed{}
	for i, txIn := range tx.TxIn {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("sign transaction: %w", err)
		}
		point := txIn.PreviousOutPoint
		out := in.outputs[point]
		s, err := in.signer(point)
		if err != nil {
			return nil, fmt.Errorf("sign input %d: %w", i, err)
		}
		if err := signInput(tx, i, out, s, hashes); err != nil {
			return nil, fmt.Errorf("sign input %d: %w", i, err)
		}
		signed.Fee += protocol.Sat(out.Value)
		signed.Spends = append(signed.Spends, server.Outpoint{TxID: point.Hash.String(), Vout: point.Index})
	}
	for _, out := range tx.TxOut {
		signed.Fee -= protocol.Sat(out.Value)
	}
	if signed.Fee < 0 {
		return nil, fmt.Errorf("%w: it spends more than it takes", errSpend)
	}
	if err := verify(tx, fetcher, hashes, height); err != nil {
		return nil, err
	}
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	signed.TxID, signed.Raw = tx.TxID(), raw.Bytes()
	return signed, nil
}

// signInput puts the signature for one input: P2PKH, P2SH-P2WPKH, P2WPKH, or P2TR
// by its key (BIP86).
func signInput(tx *wire.MsgTx, i int, out *wire.TxOut, s signer, hashes *txscript.TxSigHashes) error {
	in := tx.TxIn[i]
	var err error
	switch {
	case txscript.IsPayToPubKeyHash(out.PkScript):
		in.SignatureScript, err = txscript.SignatureScript(tx, i, out.PkScript, txscript.SigHashAll, s.priv, s.compressed)
	case txscript.IsPayToWitnessPubKeyHash(out.PkScript):
		in.Witness, err = txscript.WitnessSignature(tx, hashes, i, out.Value, out.PkScript, txscript.SigHashAll, s.priv, true)
	case txscript.IsPayToTaproot(out.PkScript):
		in.Witness, err = txscript.TaprootWitnessSignature(tx, hashes, i, out.Value, out.PkScript, txscript.SigHashDefault, s.priv)
	case txscript.IsPayToScriptHash(out.PkScript):
		program := append([]byte{txscript.OP_0, txscript.OP_DATA_20}, address.Hash160(s.priv.PubKey().SerializeCompressed())...)
		in.SignatureScript = append([]byte{byte(len(program))}, program...)
		in.Witness, err = txscript.WitnessSignature(tx, hashes, i, out.Value, program, txscript.SigHashAll, s.priv, true)
	default:
		err = fmt.Errorf("%w: no signature is known for script %x", errSpend, out.PkScript)
	}
	return err
}

// verify runs what a node will run: consensus sanity, every script with the rules
// of relay, and the policy for standard transactions.
func verify(tx *wire.MsgTx, fetcher txscript.PrevOutputFetcher, hashes *txscript.TxSigHashes, height int64) error {
	if err := blockchain.CheckTransactionSanity(btcutil.NewTx(tx)); err != nil {
		return fmt.Errorf("check transaction: %w", err)
	}
	for i, in := range tx.TxIn {
		out := fetcher.FetchPrevOutput(in.PreviousOutPoint)
		engine, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, fetcher)
		if err != nil {
			return fmt.Errorf("verify input %d: %w", i, err)
		}
		if err := engine.Execute(); err != nil {
			return fmt.Errorf("verify input %d: %w", i, err)
		}
	}
	return checkStandard(tx, height)
}

// checkStandard asks btcd's relay policy for the block after height. btcd does not
// relay to witness programs of the future; Bitcoin Core does, so those outputs are
// judged here, by size alone.
func checkStandard(tx *wire.MsgTx, height int64) error {
	policy := tx.Copy()
	policy.TxOut = nil
	for _, out := range tx.TxOut {
		if txscript.IsWitnessProgram(out.PkScript) && txscript.GetScriptClass(out.PkScript) == txscript.NonStandardTy {
			if isDust(out) {
				return fmt.Errorf("check relay policy: %w", errors.New("an output is dust"))
			}
			continue
		}
		policy.TxOut = append(policy.TxOut, out)
	}
	err := mempool.CheckTransactionStandard(btcutil.NewTx(policy), int32(height)+1, time.Time{}, txrules.DefaultRelayFeePerKb, txVersion)
	if err != nil {
		return fmt.Errorf("check relay policy: %w", err)
	}
	return nil
}

// inputCount counts inputs by what their signatures weigh.
type inputCount struct {
	legacy, uncompressed, taproot, segwit, nested int
}

func (n *inputCount) add(script []byte, compressed bool) {
	switch {
	case txscript.IsPayToWitnessPubKeyHash(script):
		n.segwit++
	case txscript.IsPayToTaproot(script):
		n.taproot++
	case txscript.IsPayToScriptHash(script):
		n.nested++
	default:
		n.legacy++
		if !compressed {
			n.uncompressed++
		}
	}
}

// vsize is the largest virtual size of a signed transaction with these outputs.
// txsizes counts compressed public keys; an uncompressed one has 32 bytes more.
func (n inputCount) vsize(outputs []*wire.TxOut) int64 {
	return int64(txsizes.EstimateVirtualSize(n.legacy, n.taproot, n.segwit, n.nested, outputs, 0) + 32*n.uncompressed)
}
