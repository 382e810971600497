package chain

import (
	"context"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// Tx is a transaction as the control listener shows it. A coinbase has neither
// inputs nor fee.
type Tx struct {
	TxID          string
	Confirmations int64
	Raw           []byte
	Fee           protocol.Sat
	Inputs        []TxInput
	Outputs       []TxOutput
}

// TxInput is an output that a transaction spends.
type TxInput struct {
	TxID    string
	Vout    uint32
	Address string // "" for a script without one
	Amount  protocol.Sat
}

// TxOutput is an output of a transaction.
type TxOutput struct {
	Address string // "" for a script without one
	Amount  protocol.Sat
}

// Funds is what the chain knows of an address.
type Funds struct {
	Confirmed protocol.Sat // in the chain and not spent, not even in the mempool
	Pending   protocol.Sat // in the mempool and not spent there
	TxIDs     []string     // that pay it or spend from it, in the order of the chain
}

// Tx finds a transaction in chain, mempool or among the known rivals; the error
// wraps [ErrNotFound] when there is none.
func (p *Practice) Tx(ctx context.Context, txid string) (Tx, error) {
	id, err := chainhash.NewHashFromStr(txid)
	if err != nil || len(txid) != 64 {
		return Tx{}, fmt.Errorf("%w: a txid has 64 hex digits", ErrNotFound)
	}
	if err := p.world(ctx); err != nil {
		return Tx{}, err
	}
	defer p.mu.Unlock()
	tx, height, err := p.lookup(*id)
	if err != nil {
		return Tx{}, err
	}
	raw, err := rawTx(tx)
	if err != nil {
		return Tx{}, err
	}
	shown := Tx{TxID: id.String(), Raw: raw}
	if height > 0 {
		shown.Confirmations = int64(p.ledger.chain.BestSnapshot().Height-height) + 1
	}
	for _, out := range tx.MsgTx().TxOut {
		shown.Outputs = append(shown.Outputs, TxOutput{addressOf(out), protocol.Sat(out.Value)})
	}
	if blockchain.IsCoinBase(tx) {
		return shown, nil
	}
	if shown.Fee, err = p.fee(tx); err != nil {
		return Tx{}, err
	}
	for _, in := range tx.MsgTx().TxIn {
		out := p.output(in.PreviousOutPoint)
		shown.Inputs = append(shown.Inputs, TxInput{
			in.PreviousOutPoint.Hash.String(), in.PreviousOutPoint.Index, addressOf(out), protocol.Sat(out.Value),
		})
	}
	return shown, nil
}

func addressOf(out *wire.TxOut) string {
	a, err := bitcoin.AddressOfScript(out.PkScript, bitcoin.Regtest)
	if err != nil {
		return ""
	}
	return a.String()
}

// Address tells what an address received and holds; an error that is none of the
// chain's wraps [ErrArgument].
func (p *Practice) Address(ctx context.Context, address string) (Funds, error) {
	script, err := practiceScript(address)
	if err != nil {
		return Funds{}, err
	}
	if err := p.world(ctx); err != nil {
		return Funds{}, err
	}
	defer p.mu.Unlock()
	s := server.Script(script)
	var payments []server.Payment
	if err := p.index.outputs(script, false, func(out indexed) bool {
		payments = append(payments, p.confirmedPayment(s, out))
		return true
	}); err != nil {
		return Funds{}, fmt.Errorf("look at address: %w", err)
	}
	payments = append(payments, p.pendingPayments(map[server.Script]bool{s: true})...)
	sortPayments(payments)
	return fundsOf(payments), nil
}

func fundsOf(payments []server.Payment) (f Funds) {
	var later []string // spenders stand after what they spend
	seen := map[string]bool{}
	for _, pay := range payments {
		if !seen[pay.TxID] {
			seen[pay.TxID] = true
			f.TxIDs = append(f.TxIDs, pay.TxID)
		}
		switch {
		case pay.Spent != "":
			later = append(later, pay.Spent)
		case pay.Height > 0:
			f.Confirmed += pay.Amount
		default:
			f.Pending += pay.Amount
		}
	}
	for _, id := range later {
		if !seen[id] {
			seen[id] = true
			f.TxIDs = append(f.TxIDs, id)
		}
	}
	return f
}
