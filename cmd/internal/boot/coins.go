package boot

import (
	"context"

	"till/protocol"
	"till/server"
)

// Raise is the params of wallet.bump.
type Raise struct {
	ID   protocol.PayoutID `json:"id"`   // or a transaction of it
	Rate server.FeeRate    `json:"rate"` // 0: what the network asks
}

// Rescanned is the answer of wallet.rescan.
type Rescanned struct {
	Found int `json:"found"` // addresses with money that were not known
}

func rescan(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	found, err := s.Rescan(ctx)
	return Rescanned{found}, err
}

func bump(ctx context.Context, s *server.Server, p Raise) (any, error) {
	const txid = 64
	if len(p.ID) == txid {
		id, err := s.PayoutOf(ctx, string(p.ID))
		if err != nil {
			return nil, err
		}
		p.ID = id
	}
	return s.Bump(ctx, p.ID, p.Rate)
}

// ParseFeeRate reads sat/vB with at most three decimals.
func ParseFeeRate(text string) (server.FeeRate, error) { return feeRate([]byte(text), 0) }
