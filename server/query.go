package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// Sizes of a sweep in virtual bytes, by the kind of the output it spends: of an
// input with its signature (BIP141; a signature is counted with 72 bytes, an
// uncompressed key with 65), and of the rest with two outputs.
const (
	vsizeP2PKHOld  = 180 // uncompressed key: it cannot be told from the address
	vsizeP2SH      = 91
	vsizeP2WPKH    = 68
	vsizeP2TR      = 58
	vsizeSweepRest = 11 + 43 + 43
)

// QueryAddress tells what foreign addresses hold (terminal.md §6).
func (s *Server) QueryAddress(ctx context.Context, id protocol.TerminalID, p protocol.QueryAddress) (*protocol.QueryAddressResult, error) {
	if len(p.Addresses) < 1 || len(p.Addresses) > protocol.MaxQuery {
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "addresses", Message: "must be 1 to 16"}
	}
	if err := s.o.Store.Read(ctx, func(tx *Tx) error { return tx.living(id) }); err != nil {
		return nil, err
	}
	var scripts []Script
	for _, text := range p.Addresses {
		script, err := s.o.Wallet.Script(text)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, script)
	}
	ctx, cancel := context.WithTimeout(ctx, chainDeadline)
	defer cancel()
	payments, tip, err := s.o.Chain.Payments(ctx, scripts)
	if err != nil {
		return nil, chainRefusal(ctx, "ask for funds", err)
	}
	rate, err := s.payoutRate(ctx)
	if err != nil {
		return nil, err
	}
	return fundsOf(p.Addresses, scripts, payments, tip, rate), nil
}

// fundsOf sums what each address holds; an address that stands twice counts once
// in the sums.
func fundsOf(addresses []string, scripts []Script, payments []Payment, tip Tip, rate FeeRate) *protocol.QueryAddressResult {
	result := &protocol.QueryAddressResult{Funds: make([]protocol.Funds, len(addresses)), PendingSat: new(protocol.Sat)}
	size := int64(vsizeSweepRest)
	summed := map[Script]bool{}
	for i, script := range scripts {
		f := &result.Funds[i]
		*f = protocol.Funds{Address: addresses[i], PendingSat: new(protocol.Sat)}
		inputs := int64(0)
		for _, p := range payments {
			switch {
			case p.Script != script || p.Spent != "" && p.SpentHeight > 0:
				continue
			case p.Confirmations(tip) == 0:
				if p.Spent == "" {
					*f.PendingSat += p.Amount
					f.Outputs++
				}
			case p.Spent != "":
				f.ContestedSat += p.Amount
				f.Outputs++
			default:
				f.ConfirmedSat += p.Amount
				f.Outputs++
				inputs += inputSize(script)
			}
		}
		if summed[script] {
			continue
		}
		summed[script] = true
		size += inputs
		result.ConfirmedSat += f.ConfirmedSat
		result.ContestedSat += f.ContestedSat
		*result.PendingSat += *f.PendingSat
	}
	if result.ConfirmedSat > 0 {
		result.SweepFeeSat = rate.fee(size)
		result.UsableSat = max(0, result.ConfirmedSat-result.SweepFeeSat)
	}
	return result
}

// inputSize gives the virtual bytes of an input that spends the script.
func inputSize(script Script) int64 {
	switch {
	case len(script) == 22 && script[0] == 0:
		return vsizeP2WPKH
	case len(script) == 34 && script[0] == 0x51:
		return vsizeP2TR
	case len(script) == 23 && script[0] == 0xa9:
		return vsizeP2SH
	}
	return vsizeP2PKHOld
}

// fee is what so many virtual bytes cost, rounded up.
func (r FeeRate) fee(vsize int64) protocol.Sat { return protocol.Sat((int64(r)*vsize + 999) / 1000) }

// payoutRate is the rate at which the server builds transactions: the chain's
// for the shop's target, not below the shop's floor; above its ceiling fee_too_high.
func (s *Server) payoutRate(ctx context.Context) (FeeRate, error) {
	rate, err := s.o.Chain.FeeRate(ctx, s.rules().FeeTarget)
	if err != nil {
		return 0, chainRefusal(ctx, "ask for the fee rate", err)
	}
	rate = max(rate, s.rules().FeeFloor)
	if rate > s.rules().FeeCeiling {
		return 0, protocol.Errorf(protocol.CodeFeeTooHigh, "the network asks for %s, above the shop's ceiling of %s", rate, s.rules().FeeCeiling)
	}
	return rate, nil
}

// chainRefusal turns a chain's error into the word a terminal knows.
func chainRefusal(ctx context.Context, what string, err error) error {
	err = chainError(ctx, what, err)
	switch {
	case errors.Is(err, ErrChainUnavailable):
		return fmt.Errorf("%w: %w", &protocol.Error{Code: protocol.CodeChainUnavailable}, err)
	case errors.Is(err, ErrChainUnsupported):
		return fmt.Errorf("%w: %w", &protocol.Error{Code: protocol.CodeChainUnsupported}, err)
	}
	return err
}
