package server

import (
	"context"
	"errors"

	"till/protocol"
	"till/protocol/taler"
)

// Script is an output script (scriptPubKey), the raw bytes as a string so that
// it can key a map.
type Script string

// FeeRate is in thousandths of a satoshi per virtual byte: 5000 is 5 sat/vB.
type FeeRate int64

// Tip is the end of the best chain.
type Tip struct {
	Height int64
	Hash   string
	Time   protocol.Time // of the block's header
}

// Payment is one output that pays a script, as the best chain and the mempool
// hold it at this moment. An output that is in neither is not a Payment.
type Payment struct {
	Script Script
	TxID   string
	Vout   uint32
	Amount protocol.Sat
	Height int64 // of its block, 0 in the mempool

	// The two that follow speak of an unconfirmed transaction together with all its
	// unconfirmed ancestors; zero for confirmed ones.
	FeeRate  FeeRate // the lowest among them
	Conflict bool    // one of them has a competitor that spends the same output
	// First is when the backend first saw it, or its block's time; 0 not known.
	First protocol.Time
	// Spent is the transaction that spends this output, "" when none does.
	Spent       string
	SpentHeight int64 // its block, 0 in the mempool
}

// Confirmations of the payment at the tip: 0 in the mempool, 1 in the tip.
func (p Payment) Confirmations(tip Tip) int64 {
	if p.Height == 0 || p.Height > tip.Height {
		return 0
	}
	return tip.Height - p.Height + 1
}

// Change says that something about Scripts, or the tip when TipMoved, may be
// different. It carries no facts: the receiver asks again. Scripts nil with
// TipMoved false means anything may have changed (a reconnect).
type Change struct {
	Scripts  []Script
	TipMoved bool
}

// Errors of a chain.
var (
	// ErrChainUnavailable: the backend does not answer. Nothing is known; nothing has failed.
	ErrChainUnavailable = errors.New("the Bitcoin node does not answer")
	// ErrChainUnsupported: the backend cannot answer this kind of question.
	ErrChainUnsupported = errors.New("the Bitcoin node cannot answer this")
	// ErrRejected: the node refuses the transaction and will go on refusing it.
	ErrRejected = errors.New("the Bitcoin node refuses the transaction")
)

// Chain is a backend that knows the Bitcoin network (bitcoin.md §4). It never
// sees a key. Its state is asked for, its events only say that asking again is
// worth it: a lost event costs time, never truth.
type Chain interface {
	// Tip gives the end of the best chain.
	Tip(ctx context.Context) (Tip, error)

	// Watch follows scripts from now on and answers [Chain.Payments] for them
	// completely from their first use on; it may be repeated.
	Watch(ctx context.Context, scripts []Script) error

	// Payments gives every output that pays one of the scripts, spent ones
	// included, from one consistent moment, with the tip of that moment. A script
	// that is not watched is answered where the backend has an address index;
	// elsewhere ErrChainUnsupported.
	Payments(ctx context.Context, scripts []Script) ([]Payment, Tip, error)

	// Broadcast hands over a signed transaction. nil: the node has it, now or
	// before, in mempool or chain. ErrRejected (wrapped, with the node's words):
	// certainly not. Any other error: unknown.
	Broadcast(ctx context.Context, tx []byte) error

	// FeeRate estimates what a transaction needs to be mined within so many blocks.
	FeeRate(ctx context.Context, blocks int) (FeeRate, error)

	// Changes runs until ctx ends, calling changed for each change, one call at a
	// time. It reconnects by itself; after each reconnect it reports a Change of
	// anything. It returns ctx's error.
	Changes(ctx context.Context, changed func(Change)) error
}

// WalletIdentity is what binds a database to a wallet.
type WalletIdentity struct {
	Network     string // mainnet, testnet3, testnet4, signet, regtest
	Fingerprint string // 8 hex digits of the master key, or of the descriptor's hash
	Hot         bool   // can sign
}

// Address is one address of the merchant's wallet, or one form of a foreign key.
type Address struct {
	Text   string
	Script Script
	Path   string // "84'/0'/0'/0/57"; "" for a foreign key's
}

// Branches of a wallet.
const (
	BranchReceive uint32 = 0
	BranchChange  uint32 = 1
)

// Coin is an output that the wallet can spend.
type Coin struct {
	TxID   string
	Vout   uint32
	Amount protocol.Sat
	Script Script
	Branch uint32
	Index  uint32
	Height int64 // 0 unconfirmed (own change only)
}

// Spend asks for a transaction out of the wallet's coins.
type Spend struct {
	Coins    []Coin // to choose from
	To       Script
	Amount   protocol.Sat
	Change   Script // where the rest goes
	FeeRate  FeeRate
	FeeLimit protocol.Sat // refuse rather than pay more
	Height   int64        // for nLockTime
	// Replaces, when set, is the raw transaction whose fee is raised (BIP125):
	// the new one spends at least its inputs and pays To the same Amount.
	Replaces []byte
}

// KeyCoin is an output that a foreign key can spend.
type KeyCoin struct {
	TxID   string
	Vout   uint32
	Amount protocol.Sat
	Script Script
}

// Take asks for a transaction that takes all of Coins with foreign keys.
// Of total − fee, Due (all when nil or when Change is "") goes to Merchant and
// the rest to Change; a rest below dust joins the merchant's.
type Take struct {
	Keys     []protocol.Secret // WIF
	Coins    []KeyCoin
	Merchant Script
	Due      *protocol.Sat
	Change   Script
	FeeRate  FeeRate
	FeeLimit protocol.Sat
	Height   int64
	// Replaces, when set, is the raw transaction of the same coins whose fee is
	// raised (BIP125); ErrFeeEnough where FeeRate does not pay for that.
	Replaces []byte
}

// Signed is a complete transaction that passed the script engine.
type Signed struct {
	TxID     string
	Raw      []byte
	Fee      protocol.Sat
	Received protocol.Sat // to the merchant (Take) or to To (Spend)
	Change   protocol.Sat
	Spends   []Outpoint
}

// Outpoint names an output.
type Outpoint struct {
	TxID string
	Vout uint32
}

// Wallet derives the merchant's addresses and builds and signs transactions.
// It never sees the network and keeps no count: indexes and coins are arguments.
// Errors that a terminal may see are protocol codes: address_invalid,
// wrong_network, key_invalid, no_hot_wallet, insufficient_reserve, no_funds,
// below_dust, fee_too_high.
type Wallet interface {
	Identity() WalletIdentity

	// Derive gives the address at branch and index.
	Derive(branch, index uint32) (Address, error)

	// Script reads an address of the wallet's network.
	Script(address string) (Script, error)

	// KeyForms gives every address form of a private key in WIF.
	KeyForms(wif protocol.Secret) ([]Address, error)

	// Spend builds and signs a payment; a watch-only wallet says no_hot_wallet.
	Spend(ctx context.Context, s Spend) (*Signed, error)

	// Take builds and signs a sweep of foreign keys.
	Take(ctx context.Context, t Take) (*Signed, error)
}

// Rates gives the present price of a bitcoin.
type Rates interface {
	// Current gives the median of the usable sources, before spread, or why there
	// is none.
	Current(now protocol.Time) (Price, *protocol.NoQuote)
}

// Price is a median rate with where it came from.
type Price struct {
	Currency protocol.Currency
	Rate     protocol.Rate
	Sources  []protocol.Source
}

// Mint is one mint as a merchant asks it (taler.MintClient, whose errors it gives).
type Mint interface {
	Keys(ctx context.Context) (*taler.Keys, error)
	Refresh(ctx context.Context) (*taler.Keys, error)
	Deposit(ctx context.Context, r *taler.DepositRequest) (*taler.DepositAnswer, error)
	Lock(ctx context.Context, l *taler.Lock) (*taler.LockAnswer, error)
	Unlock(ctx context.Context, u *taler.Unlock) error
}
