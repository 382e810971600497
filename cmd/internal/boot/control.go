package boot

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/protocol/taler"
	"till/server"
	"till/server/chain"
	"till/server/mint"
)

// World is what the control listener moves: the practice chain with its
// customer, the practice mint, the price, the clock.
type World struct {
	Chain   *chain.Practice
	Mint    *mint.Mint // nil when it is another process's
	Clock   *Clock
	SetRate func(ctx context.Context, currency protocol.Currency, rate protocol.Rate) error // CodeInvalidParams for a foreign currency
	NoRate  func(ctx context.Context) error
	Moved   func() // the clock jumped
}

const (
	maxControlBody = 64 << 10
	maxAdvance     = 10 * 365 * 24 * time.Hour
)

// Handler is the practice control listener of cli.md: plain HTTP and JSON, for
// loopback only. Errors are 400, 404 and 409 with {"error":TEXT}.
func (wd *World) Handler() http.Handler {
	mux := http.NewServeMux()
	control(mux, "POST /mine", wd.mine)
	control(mux, "POST /pay", wd.pay)
	control(mux, "POST /replace", wd.replace)
	control(mux, "POST /reorg", wd.reorg)
	control(mux, "POST /rate", wd.rate)
	control(mux, "POST /node", wd.node)
	control(mux, "POST /reserve", wd.reserve)
	control(mux, "POST /mint", wd.mint)
	control(mux, "POST /clock", wd.clock)
	mux.HandleFunc("GET /tx/{txid}", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(wd.tx(r.Context(), r.PathValue("txid")))
	})
	mux.HandleFunc("GET /address/{address}", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(wd.address(r.Context(), r.PathValue("address")))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(nil, fmt.Errorf("%w: %s %s is not a call of the control listener", chain.ErrNotFound, r.Method, r.URL.Path))
	})
	return mux
}

// control serves one call: its body is decoded strictly, {} when it is empty.
func control[P any](mux *http.ServeMux, pattern string, call func(context.Context, P) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
		if err == nil && len(body) == 0 {
			body = []byte("{}")
		}
		var p P
		if err == nil {
			err = protocol.Decode(body, &p)
		}
		if err != nil {
			reply(w)(nil, fmt.Errorf("%w: %w", chain.ErrArgument, err))
			return
		}
		reply(w)(call(r.Context(), p))
	})
}

func reply(w http.ResponseWriter) func(result any, err error) {
	return func(result any, err error) {
		status := http.StatusOK
		switch {
		case err == nil:
		case errors.Is(err, chain.ErrNotFound):
			status = http.StatusNotFound
		case errors.Is(err, chain.ErrRefused):
			status = http.StatusConflict
		case errors.Is(err, chain.ErrArgument):
			status = http.StatusBadRequest
		default:
			status = http.StatusInternalServerError
		}
		if err != nil {
			result = map[string]string{"error": err.Error()}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(result) // the caller may have left
	}
}

type mineParams struct {
	Blocks *int64 `json:"blocks,omitempty"`
}

func (wd *World) mine(ctx context.Context, p mineParams) (any, error) {
	blocks := int64(1)
	if p.Blocks != nil {
		blocks = *p.Blocks
	}
	height, err := wd.Chain.Mine(ctx, int(blocks))
	return map[string]int64{"height": height}, err
}

type payParams struct {
	URI         string          `json:"uri,omitempty"`
	Address     string          `json:"address,omitempty"`
	AmountSat   protocol.Sat    `json:"amount_sat,omitempty"`
	FeeRate     json.RawMessage `json:"fee_rate,omitempty"` // sat/vB, at most three decimals
	Replaceable *bool           `json:"replaceable,omitempty"`
}

// PayLink pays, as the simulated customer, what a payment link asks for, or
// amount where that is not 0.
func (wd *World) PayLink(ctx context.Context, link string, amount protocol.Sat, rate server.FeeRate) (txid string, err error) {
	address, asked, err := readLink(link)
	if err != nil {
		return "", err
	}
	if amount == 0 {
		amount = asked
	}
	return wd.Chain.Pay(ctx, address, amount, rate, true)
}

func readLink(link string) (address string, amount protocol.Sat, err error) {
	u, err := bitcoin.ParseURI(link, bitcoin.Regtest)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", chain.ErrArgument, err)
	}
	if len(u.Addresses) == 0 {
		return "", 0, fmt.Errorf("%w: the uri has no address", chain.ErrArgument)
	}
	return u.Addresses[0].String(), u.Amount, nil
}

func (wd *World) pay(ctx context.Context, p payParams) (any, error) {
	if p.URI != "" {
		if p.Address != "" {
			return nil, fmt.Errorf("%w: give uri or address, not both", chain.ErrArgument)
		}
		address, asked, err := readLink(p.URI)
		if err != nil {
			return nil, err
		}
		p.Address = address
		if p.AmountSat == 0 {
			p.AmountSat = asked
		}
	}
	rate, err := feeRate(p.FeeRate, chain.DefaultPayRate)
	if err != nil {
		return nil, err
	}
	txid, err := wd.Chain.Pay(ctx, p.Address, p.AmountSat, rate, p.Replaceable == nil || *p.Replaceable)
	return map[string]string{"txid": txid}, err
}

type replaceParams struct {
	TxID    string          `json:"txid" wire:"required"`
	Address string          `json:"address,omitempty"`
	FeeRate json.RawMessage `json:"fee_rate,omitempty"`
}

func (wd *World) replace(ctx context.Context, p replaceParams) (any, error) {
	rate, err := feeRate(p.FeeRate, 0)
	if err != nil {
		return nil, err
	}
	txid, err := wd.Chain.Replace(ctx, p.TxID, p.Address, rate)
	return map[string]string{"txid": txid}, err
}

type reorgParams struct {
	Depth int64 `json:"depth" wire:"required"`
	Drop  bool  `json:"drop,omitempty"`
}

func (wd *World) reorg(ctx context.Context, p reorgParams) (any, error) {
	height, err := wd.Chain.Reorg(ctx, int(p.Depth), p.Drop)
	return map[string]int64{"height": height}, err
}

type rateParams struct {
	Currency protocol.Currency `json:"currency,omitempty"`
	Rate     protocol.Rate     `json:"rate,omitempty"`
	Down     bool              `json:"down,omitempty"`
}

func (wd *World) rate(ctx context.Context, p rateParams) (any, error) {
	if p.Down {
		return struct{}{}, wd.NoRate(ctx)
	}
	if p.Currency == "" || p.Rate == 0 {
		return nil, fmt.Errorf("%w: give currency and rate, or down", chain.ErrArgument)
	}
	err := wd.SetRate(ctx, p.Currency, p.Rate)
	if errors.Is(err, protocol.CodeInvalidParams) {
		err = fmt.Errorf("%w: %w", chain.ErrArgument, err)
	}
	return struct{}{}, err
}

type downParams struct {
	Down bool `json:"down" wire:"required"`
}

func (wd *World) node(_ context.Context, p downParams) (any, error) {
	wd.Chain.NodeDown(p.Down)
	return struct{}{}, nil
}

type reserveParams struct {
	ReservePub string       `json:"reserve_pub" wire:"required"`
	Amount     amountParams `json:"amount" wire:"required"`
}

type amountParams struct {
	Currency protocol.Currency `json:"currency" wire:"required"`
	Value    int64             `json:"value" wire:"required"`
	Fraction int64             `json:"fraction" wire:"required"`
}

var errNoMint = fmt.Errorf("%w: the mint is a process of its own: ask it", chain.ErrNotFound)

// reserve funds a reserve of the practice mint.
func (wd *World) reserve(ctx context.Context, p reserveParams) (any, error) {
	if wd.Mint == nil {
		return nil, errNoMint
	}
	pub, err := taler.ParsePublicKey(p.ReservePub)
	if err != nil {
		return nil, fmt.Errorf("%w: reserve_pub: %w", chain.ErrArgument, err)
	}
	a := p.Amount
	if a.Value < 0 || a.Value > math.MaxUint32 || a.Fraction < 0 || a.Fraction > math.MaxUint32 {
		return nil, fmt.Errorf("%w: amount is out of range", chain.ErrArgument)
	}
	err = wd.Mint.Fund(ctx, taler.Incoming{Reserve: pub, Amount: taler.Amount{Currency: a.Currency, Value: uint32(a.Value), Fraction: uint32(a.Fraction)}})
	if errors.Is(err, &taler.Error{Status: http.StatusBadRequest}) {
		err = fmt.Errorf("%w: %w", chain.ErrArgument, err)
	}
	return struct{}{}, err
}

type mintParams struct {
	Down    *bool  `json:"down,omitempty"`
	DelayMS *int64 `json:"delay_ms,omitempty"`
}

// maxDelay bounds how slow the practice mint can be made.
const maxDelay = time.Minute

func (wd *World) mint(_ context.Context, p mintParams) (any, error) {
	if wd.Mint == nil {
		return nil, errNoMint
	}
	f := wd.Mint.Fault()
	if p.Down != nil {
		f.Down = *p.Down
	}
	if p.DelayMS != nil {
		if *p.DelayMS < 0 || *p.DelayMS > maxDelay.Milliseconds() {
			return nil, fmt.Errorf("%w: delay_ms is 0 to a minute", chain.ErrArgument)
		}
		f.Delay = time.Duration(*p.DelayMS) * time.Millisecond
	}
	wd.Mint.SetFault(f)
	return struct{}{}, nil
}

type clockParams struct {
	AdvanceS int64 `json:"advance_s" wire:"required"`
}

func (wd *World) clock(_ context.Context, p clockParams) (any, error) {
	if p.AdvanceS < 0 || p.AdvanceS > int64(maxAdvance/time.Second) {
		return nil, fmt.Errorf("%w: advance_s is 0 to ten years; the clock runs forward only", chain.ErrArgument)
	}
	wd.Clock.Advance(time.Duration(p.AdvanceS) * time.Second)
	wd.Moved()
	return map[string]protocol.Time{"time": wd.Clock.Time()}, nil
}

type txInput struct {
	TxID      string       `json:"txid"`
	Vout      uint32       `json:"vout"`
	Address   string       `json:"address"`
	AmountSat protocol.Sat `json:"amount_sat"`
}

type txOutput struct {
	Address   string       `json:"address"`
	AmountSat protocol.Sat `json:"amount_sat"`
}

func (wd *World) tx(ctx context.Context, txid string) (any, error) {
	t, err := wd.Chain.Tx(ctx, txid)
	if err != nil {
		return nil, err
	}
	view := struct {
		TxID          string       `json:"txid"`
		Confirmations int64        `json:"confirmations"`
		Hex           string       `json:"hex"`
		FeeSat        protocol.Sat `json:"fee_sat"`
		Inputs        []txInput    `json:"inputs"`
		Outputs       []txOutput   `json:"outputs"`
	}{t.TxID, t.Confirmations, hex.EncodeToString(t.Raw), t.Fee, []txInput{}, []txOutput{}}
	for _, in := range t.Inputs {
		view.Inputs = append(view.Inputs, txInput{in.TxID, in.Vout, in.Address, in.Amount})
	}
	for _, out := range t.Outputs {
		view.Outputs = append(view.Outputs, txOutput{out.Address, out.Amount})
	}
	return view, nil
}

func (wd *World) address(ctx context.Context, address string) (any, error) {
	f, err := wd.Chain.Address(ctx, address)
	if f.TxIDs == nil {
		f.TxIDs = []string{}
	}
	return struct {
		ConfirmedSat protocol.Sat `json:"confirmed_sat"`
		PendingSat   protocol.Sat `json:"pending_sat"`
		TxIDs        []string     `json:"txids"`
	}{f.Confirmed, f.Pending, f.TxIDs}, err
}

// feeRate reads a JSON number of sat/vB with at most three decimals, exactly.
func feeRate(raw json.RawMessage, def server.FeeRate) (server.FeeRate, error) {
	if raw == nil {
		return def, nil
	}
	whole, fraction, _ := strings.Cut(string(raw), ".")
	n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil || len(fraction) > 3 || n <= 0 {
		return 0, fmt.Errorf("%w: fee_rate is sat/vB above 0 with at most three decimals", chain.ErrArgument)
	}
	return server.FeeRate(n), nil
}
