package boot

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"till/protocol"
	"till/server"
	"till/server/chain"
	"till/server/rates"
)

// shop is what the server stands on outside itself.
type shop struct {
	chain    server.Chain
	wallet   server.Wallet
	rates    server.Rates
	practice *chain.Practice // nil for real money
	fixed    *rates.Fixed    // practice
}

// openShop opens the chain, the wallet and the rates that are configured.
func (s *Server) openShop(ctx context.Context) (*shop, error) {
	if s.o.Practice {
		return s.openPracticeShop()
	}
	return s.openRealShop(ctx)
}

func (s *Server) openPracticeShop() (*shop, error) {
	o := s.o
	practice, err := chain.OpenPractice(chain.PracticeConfig{Dir: filepath.Join(o.Dir, "chain"), Now: o.Clock.Now, Random: o.Random})
	if err != nil {
		return nil, err
	}
	s.closer = append(s.closer, practice.Close)
	w, err := practiceWallet(o.Dir, o.Random)
	if err != nil {
		return nil, err
	}
	rate, err := o.Config.Money(o.Config.Practice.Rate)
	if err != nil || rate == nil {
		return nil, fmt.Errorf("read practice.rate: %w", err)
	}
	fixed := rates.NewFixed(rate.Currency, protocol.Rate(rate.Minor), o.Clock.Time)
	return &shop{chain: practice, wallet: w, rates: fixed, practice: practice, fixed: fixed}, nil
}

// makeWorld gives the control listener and the simulated customer their hands.
func (s *Server) makeWorld(sh *shop) *World {
	return &World{
		Chain: sh.practice, Mint: s.mint, Clock: s.o.Clock, Moved: s.core.ClockMoved,
		SetRate: func(ctx context.Context, c protocol.Currency, r protocol.Rate) error {
			if err := sh.fixed.Set(c, r); err != nil {
				return err
			}
			return s.core.Requote(ctx)
		},
		NoRate: func(ctx context.Context) error {
			sh.fixed.Remove()
			return s.core.Requote(ctx)
		},
	}
}

// MineEvery mines a block now and then until ctx ends; 0 never.
func (wd *World) MineEvery(ctx context.Context, every time.Duration) {
	if every <= 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = wd.Chain.Mine(ctx, 1) // a closed chain ends with ctx
		case <-ctx.Done():
			return
		}
	}
}

// Balance is what the practice shop's wallet holds, unconfirmed coins included.
func (s *Server) Balance(ctx context.Context) (protocol.Sat, error) {
	const gap = 50 // unused addresses in a row after which nothing is expected
	var sum protocol.Sat
	for _, branch := range []uint32{server.BranchReceive, server.BranchChange} {
		for index, unused := uint32(0), 0; unused < gap; index++ {
			a, err := s.shop.wallet.Derive(branch, index)
			if err != nil {
				return 0, err
			}
			f, err := s.shop.practice.Address(ctx, a.Text)
			if err != nil {
				return 0, err
			}
			sum += f.Confirmed + f.Pending
			unused++
			if len(f.TxIDs) > 0 {
				unused = 0
			}
		}
	}
	return sum, nil
}
