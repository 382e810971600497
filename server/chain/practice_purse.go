package chain

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"till/protocol"
	"till/server"
)

// purse holds the keys of the simulated customer and of the miner who fills it.
// They are worth nothing, and still print [secret].
type purse struct {
	customer, miner owner
}

// owner is one key with the P2WPKH script it can spend.
type owner struct {
	key     *btcec.PrivateKey
	address address.Address
	script  []byte
}

// Format hides the keys in every verb.
func (p *purse) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

func newPurse(seed []byte) (*purse, error) {
	if len(seed) != 32 {
		return nil, errors.New("make purse: the seed is not 32 bytes")
	}
	customer, err := newOwner(seed, "customer")
	if err != nil {
		return nil, err
	}
	miner, err := newOwner(seed, "miner")
	return &purse{customer, miner}, err
}

func newOwner(seed []byte, name string) (owner, error) {
	secret := sha256.Sum256(append([]byte(name), seed...))
	key, public := btcec.PrivKeyFromBytes(secret[:])
	addr, err := address.NewAddressWitnessPubKeyHash(address.Hash160(public.SerializeCompressed()), &chaincfg.RegressionNetParams)
	if err != nil {
		return owner{}, fmt.Errorf("derive purse: %w", err)
	}
	script, err := txscript.PayToAddrScript(addr)
	if err != nil {
		return owner{}, fmt.Errorf("derive purse: %w", err)
	}
	return owner{key, addr, script}, nil
}

// ownerOf finds whose output it is.
func (p *purse) ownerOf(script []byte) (owner, bool) {
	for _, o := range []owner{p.customer, p.miner} {
		if string(o.script) == string(script) {
			return o, true
		}
	}
	return owner{}, false
}

// purseCoin is an output the purse can spend.
type purseCoin struct {
	point  wire.OutPoint
	amount int64
	owner  owner
}

const (
	// maxCoins bounds how many coins of one kind a payment looks through.
	maxCoins = 2000
	// inputWitness is the most a P2WPKH input adds in weight beyond its stripped
	// size: two counts and lengths, a 72-byte signature, a 33-byte key.
	inputWitness = 1 + 1 + 72 + 1 + 33
)

// draft is a payment of the purse to be built.
type draft struct {
	coins     []purseCoin // spent in any case
	outs      []*wire.TxOut
	rate      server.FeeRate
	replaced  int64 // fees of what it replaces and must at least pay; 0: as rate says
	sequence  uint32
	confirmed bool // take no unconfirmed coin
}

var errPurse = errors.New("the customer's purse does not hold that much: mine blocks to fill it")

// build completes, pays for and signs a draft. What is left goes to the customer.
func (p *Practice) build(d draft) (*wire.MsgTx, error) {
	var due, total int64
	tx := wire.NewMsgTx(2)
	tx.TxOut = append(slices.Clone(d.outs), wire.NewTxOut(0, p.purse.customer.script))
	for _, out := range d.outs {
		due += out.Value
	}
	coins := slices.Clone(d.coins)
	for _, c := range coins {
		total += c.amount
	}
	more, err := p.supply(d, due)
	if err != nil {
		return nil, err
	}
	var fee int64
	for {
		size := signedSize(tx, len(coins))
		fee = ceilDiv(size*int64(d.rate), 1000)
		if d.replaced > 0 { // BIP125, rules 3 and 4
			fee = max(fee, d.replaced+ceilDiv(size*practiceRelayFee, 1000))
		}
		if len(coins) > 0 && total >= due+fee {
			break
		}
		if len(more) == 0 {
			return nil, errPurse
		}
		coins, total, more = append(coins, more[0]), total+more[0].amount, more[1:]
	}
	change := tx.TxOut[len(tx.TxOut)-1]
	change.Value = total - due - fee
	if mempool.IsDust(change, dustFee) {
		tx.TxOut = tx.TxOut[:len(tx.TxOut)-1]
	}
	return tx, sign(tx, coins, d.sequence)
}

// supply lists the coins to add in the order in which a draft takes them: one
// that suffices alone if there is one, then the largest.
func (p *Practice) supply(d draft, due int64) ([]purseCoin, error) {
	enough := due + int64(d.rate) + d.replaced // 1000 vbytes at the rate
	coins, err := p.coins(p.purse.customer, d.coins)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(coins, func(c purseCoin) bool { return c.amount >= enough }); i >= 0 {
		return coins[i : i+1], nil
	}
	slices.Reverse(coins)
	mined, err := p.coins(p.purse.miner, d.coins)
	if err != nil {
		return nil, err
	}
	coins = append(coins, mined...)
	if !d.confirmed {
		coins = append(coins, p.unconfirmedCoins()...)
	}
	return coins, nil
}

// coins lists an owner's confirmed, mature coins that nothing spends, smallest
// first.
func (p *Practice) coins(o owner, without []purseCoin) (coins []purseCoin, err error) {
	next := p.ledger.chain.BestSnapshot().Height + 1
	err = p.index.outputs(o.script, true, func(out indexed) bool {
		ripe := !out.coinbase || next-out.height >= int32(p.ledger.params.CoinbaseMaturity)
		used := slices.ContainsFunc(without, func(c purseCoin) bool { return c.point == out.point })
		if ripe && !used && p.ledger.pool.CheckSpend(out.point) == nil {
			coins = append(coins, purseCoin{out.point, out.amount, o})
		}
		return len(coins) < maxCoins
	})
	slices.SortStableFunc(coins, func(a, b purseCoin) int { return cmp.Compare(a.amount, b.amount) })
	return coins, err
}

// unconfirmedCoins are the customer's change that waits for a block.
func (p *Practice) unconfirmedCoins() (coins []purseCoin) {
	for _, desc := range p.ledger.pool.TxDescs() {
		for vout, out := range desc.Tx.MsgTx().TxOut {
			point := wire.OutPoint{Hash: *desc.Tx.Hash(), Index: uint32(vout)}
			if string(out.PkScript) == string(p.purse.customer.script) && p.ledger.pool.CheckSpend(point) == nil {
				coins = append(coins, purseCoin{point, out.Value, p.purse.customer})
			}
		}
	}
	slices.SortFunc(coins, func(a, b purseCoin) int { return cmp.Compare(b.amount, a.amount) })
	return coins
}

func sign(tx *wire.MsgTx, coins []purseCoin, sequence uint32) error {
	prev := txscript.NewMultiPrevOutFetcher(nil)
	for _, c := range coins {
		in := wire.NewTxIn(&c.point, nil, nil)
		in.Sequence = sequence
		tx.AddTxIn(in)
		prev.AddPrevOut(c.point, wire.NewTxOut(c.amount, c.owner.script))
	}
	hashes := txscript.NewTxSigHashes(tx, prev)
	for i, c := range coins {
		witness, err := txscript.WitnessSignature(tx, hashes, i, c.amount, c.owner.script, txscript.SigHashAll, c.owner.key, true)
		if err != nil {
			return fmt.Errorf("sign input %d: %w", i, err)
		}
		tx.TxIn[i].Witness = witness
	}
	return nil
}

// signedSize is the most virtual bytes tx has once it spends n coins.
func signedSize(tx *wire.MsgTx, n int) int64 {
	const stripped = 32 + 4 + 1 + 4 // outpoint, empty script, sequence
	count := wire.VarIntSerializeSize(uint64(n)) - wire.VarIntSerializeSize(uint64(len(tx.TxIn)))
	weight := 4*(tx.SerializeSizeStripped()+count+n*stripped) + 2 + n*inputWitness
	return ceilDiv(int64(weight), 4)
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

// found mines the blocks that make the customer rich: the rewards of the first
// are cut into many coins and ripened by as many blocks as btcd asks for.
func (p *Practice) found() error {
	best := p.ledger.chain.BestSnapshot()
	if best.Height >= foundedHeight {
		return nil
	}
	prev, err := p.ledger.tipHeader()
	if err != nil {
		return err
	}
	for height := best.Height + 1; height <= foundedHeight; height++ {
		outs := p.reward(height)
		if height <= richBlocks {
			outs = nil
			for range coinsPerBlock {
				outs = append(outs, wire.NewTxOut(int64(protocol.SatPerBitcoin), p.purse.customer.script))
			}
		}
		at := p.ledger.clock.now().Unix() - int64(foundedHeight-height)*600
		block, err := p.ledger.empty(&prev, height, time.Unix(max(at, prev.Timestamp.Unix()+1), 0), 0, outs)
		if err != nil {
			return fmt.Errorf("found practice chain: %w", err)
		}
		if err := p.extend(block); err != nil {
			return fmt.Errorf("found practice chain: %w", err)
		}
		prev = block.MsgBlock().Header
	}
	return nil
}
