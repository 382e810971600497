package chain

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil/v2"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// NodeConfig says where one's own btcd answers and how.
type NodeConfig struct {
	Address     string // host:port of its RPC server
	User        string
	Password    protocol.Secret
	Certificate []byte // PEM of its rpc.cert
	// Plain goes without TLS; only to a loopback address, since the password
	// travels in clear.
	Plain   bool
	Network bitcoin.Network
	// FeeFallback is what FeeRate gives while the node has not seen enough blocks
	// to estimate; 0: it then says ErrChainUnsupported.
	FeeFallback server.FeeRate
}

// Node is a btcd of one's own, run with --addrindex and --txindex. It connects on
// the first call and again after a loss. Safe for concurrent use.
type Node struct {
	config  NodeConfig
	dial    sync.Mutex // one attempt at a time
	hub     hub
	mu      sync.Mutex
	link    *link // nil before the first connection
	closed  bool
	watched map[server.Script]bool
	near    interest
}

var _ server.Chain = (*Node)(nil)

// NewNode checks the configuration; it does not connect.
func NewNode(cfg NodeConfig) (*Node, error) {
	host, _, err := net.SplitHostPort(cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("node address %q: %w", cfg.Address, err)
	}
	if ip := net.ParseIP(host); cfg.Plain && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("node address %q: without TLS only a loopback address is allowed", cfg.Address)
	}
	if cfg.User == "" || cfg.Password.Empty() {
		return nil, errors.New("node: user and password are needed")
	}
	if cfg.Network < bitcoin.Mainnet || cfg.Network > bitcoin.Regtest || cfg.FeeFallback < 0 {
		return nil, errors.New("node: network or fee rate out of range")
	}
	return &Node{config: cfg, watched: map[server.Script]bool{}, near: newInterest()}, nil
}

// Close drops the connection; later calls find the node unavailable.
func (n *Node) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.link != nil {
		n.link.drop()
	}
	return nil
}

// Tip implements [server.Chain].
func (n *Node) Tip(ctx context.Context) (server.Tip, error) {
	l, err := n.current(ctx)
	if err != nil {
		return server.Tip{}, err
	}
	return l.tip(ctx)
}

// Watch implements [server.Chain]. It needs no connection: the node tells of
// every transaction, and its address index reaches back to the first block.
func (n *Node) Watch(ctx context.Context, scripts []server.Script) error {
	for _, s := range scripts {
		if _, err := n.addressOf(s); err != nil {
			return err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range scripts {
		n.watched[s] = true
	}
	return ctx.Err()
}

// addressOf gives the form under which btcd indexes a script.
func (n *Node) addressOf(s server.Script) (string, error) {
	a, err := bitcoin.AddressOfScript([]byte(s), n.config.Network)
	if err != nil || a.Form() == bitcoin.WitnessUnknown {
		return "", fmt.Errorf("%w: btcd indexes no script %x", server.ErrChainUnsupported, s[:min(len(s), 8)])
	}
	return a.String(), nil
}

// Error codes of btcd's RPC server (btcjson/jsonrpcerr.go).
const (
	codeNoInfo       = btcjson.ErrRPCNoTxInfo            // -5
	codeDecode       = btcjson.ErrRPCDeserialization     // -22
	codeTxError      = btcjson.ErrRPCTxError             // -25: consensus rules, and unknown inputs
	codeTxRejected   = btcjson.ErrRPCTxRejected          // -26: policy
	codeNoIndex      = btcjson.ErrRPCMisc                // -1
	orphanWords      = "orphan transaction"              // handleSendRawTransaction tells -25s apart by it
	inMempoolAlready = "output already spent in mempool" // mempool.checkPoolDoubleSpend
)

// Broadcast implements [server.Chain].
func (n *Node) Broadcast(ctx context.Context, raw []byte) error {
	tx, err := parseTx(raw)
	if err != nil {
		return err
	}
	l, err := n.current(ctx)
	if err != nil {
		return err
	}
	_, err = l.call(ctx, "sendrawtransaction", hex.EncodeToString(raw))
	if err == nil {
		return nil
	}
	refusal := rpcError(err)
	if refusal == nil {
		return err
	}
	// A transaction that is known is refused too, and as an orphan once all it
	// paid is spent. Only its id tells.
	if known, askErr := l.transaction(ctx, *tx.Hash()); askErr != nil {
		return fmt.Errorf("ask about transaction: %w", askErr)
	} else if known != nil {
		return nil
	}
	certain := refusal.Code == codeTxError || refusal.Code == codeTxRejected || refusal.Code == codeDecode
	switch {
	case strings.Contains(refusal.Message, inMempoolAlready):
		certain = false // the other one may vanish
	case strings.Contains(refusal.Message, orphanWords):
		if certain, err = l.lostInput(ctx, tx); err != nil {
			return fmt.Errorf("ask about inputs: %w", err)
		}
	}
	if certain {
		return fmt.Errorf("%w: %s", server.ErrRejected, refusal.Message)
	}
	return fmt.Errorf("broadcast transaction: %w", refusal)
}

// lostInput reports whether the chain itself spent an input of tx.
func (l *link) lostInput(ctx context.Context, tx *btcutil.Tx) (bool, error) {
	for _, in := range tx.MsgTx().TxIn {
		from, err := l.transaction(ctx, in.PreviousOutPoint.Hash)
		if err != nil {
			return false, err
		}
		if from == nil || from.confirmations == 0 {
			continue
		}
		out, err := l.call(ctx, "gettxout", in.PreviousOutPoint.Hash.String(), in.PreviousOutPoint.Index, false)
		if err != nil {
			return false, err
		}
		if string(out) == "null" {
			return true, nil
		}
	}
	return false, nil
}

// FeeRate implements [server.Chain].
func (n *Node) FeeRate(ctx context.Context, blocks int) (server.FeeRate, error) {
	if blocks < 1 {
		return 0, fmt.Errorf("estimate fee for %d blocks: at least one", blocks)
	}
	l, err := n.current(ctx)
	if err != nil {
		return 0, err
	}
	answer, err := l.call(ctx, "estimatefee", blocks)
	refusal := rpcError(err)
	switch {
	case err != nil && refusal == nil:
		return 0, err
	case err == nil && string(answer) != "0": // 0: no transactions to learn from
		return parseFeeRate(string(answer))
	case n.config.FeeFallback > 0:
		return n.config.FeeFallback, nil
	case refusal != nil:
		return 0, fmt.Errorf("%w: estimate fee: %s", server.ErrChainUnsupported, refusal.Message)
	}
	return 0, fmt.Errorf("%w: estimate fee: the node has seen too few transactions", server.ErrChainUnsupported)
}

// parseFeeRate reads a JSON number of bitcoin per 1000 vbytes, which is a rate in
// thousandths of a satoshi per vbyte times 10^-8, rounded up.
func parseFeeRate(text string) (server.FeeRate, error) {
	bad := fmt.Errorf("estimate fee: %.40q is no fee rate", text)
	mantissa, exponent, found := strings.Cut(strings.ToLower(text), "e")
	if len(mantissa) > 40 || found && len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return 0, bad
	}
	rate, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsAny(text, "/_xXpP") || rate.Sign() <= 0 {
		return 0, bad
	}
	rate.Mul(rate, big.NewRat(int64(protocol.SatPerBitcoin), 1))
	up, rest := new(big.Int).QuoRem(rate.Num(), rate.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		up.Add(up, big.NewInt(1))
	}
	if !up.IsInt64() || up.Int64() > int64(maxFeeRate) {
		return 0, bad
	}
	return server.FeeRate(up.Int64()), nil
}

// Changes implements [server.Chain]. While it runs the connection is kept and
// proved alive.
func (n *Node) Changes(ctx context.Context, changed func(server.Change)) error {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.keep(ctx)
	}()
	defer func() {
		stop()
		<-done
	}()
	return n.hub.listen(ctx, changed)
}

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 30 * time.Second
	pingEvery  = 30 * time.Second
)

// keep connects with back-off and asks the node for a sign of life now and then,
// until ctx ends. Each new connection reports a change of anything.
func (n *Node) keep(ctx context.Context) {
	var delay time.Duration
	for ctx.Err() == nil {
		var lost <-chan struct{}
		l, err := n.current(ctx)
		if err == nil {
			_, err = l.call(ctx, "getbestblock")
		}
		wait := pingEvery
		if err == nil {
			lost, delay = l.lost, 0
		} else {
			delay = min(max(2*delay, firstRetry), lastRetry)
			wait = delay
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-lost:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// tip asks for the end of the best chain.
func (l *link) tip(ctx context.Context) (server.Tip, error) {
	var best struct {
		Hash   string `json:"hash"`
		Height int64  `json:"height"`
	}
	if err := l.ask(ctx, &best, "getbestblock"); err != nil {
		return server.Tip{}, err
	}
	var header struct {
		Time int64 `json:"time"`
	}
	if err := l.ask(ctx, &header, "getblockheader", best.Hash, true); err != nil {
		return server.Tip{}, err
	}
	return server.Tip{Height: best.Height, Hash: best.Hash, Time: protocol.TimeOf(time.Unix(header.Time, 0))}, nil
}

// rpcError gives the node's own refusal, nil when err is something else.
func rpcError(err error) *btcjson.RPCError {
	var refusal *btcjson.RPCError
	if errors.As(err, &refusal) {
		return refusal
	}
	return nil
}

// ask calls and reads the result into to.
func (l *link) ask(ctx context.Context, to any, method string, params ...any) error {
	answer, err := l.call(ctx, method, params...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, to); err != nil {
		return fmt.Errorf("%w: %s answers what is not understood: %w", server.ErrChainUnavailable, method, err)
	}
	return nil
}

// unavailable wraps what keeps the node from answering; a caller's own end or
// deadline stays what it is.
func unavailable(ctx context.Context, err error) error {
	return cmp.Or(ctx.Err(), fmt.Errorf("%w: %w", server.ErrChainUnavailable, err))
}
