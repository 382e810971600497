package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"till/protocol"
)

// Deadlines of questions to the chain, and how often its pulse is taken.
const (
	chainDeadline = 10 * time.Second
	probeEvery    = 5 * time.Second
	floorBlocks   = 6
	settingTip    = "tip"
)

// followChain takes the chain's word that something may be different.
func (s *Server) followChain(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.o.Chain.Changes(ctx, func(c Change) {
			if len(c.Scripts) == 0 && !c.TipMoved {
				s.watch.reconnected()
			}
			s.watch.changed(c)
		})
		if ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "chain does not report changes", "error", err)
			s.sleep(ctx, s.o.Clock().Add(probeEvery), nil)
		}
	}
}

// evaluate is the one place where facts of the chain are stored: rounds follow
// one another, so that what was asked for later is stored later.
func (s *Server) evaluate(ctx context.Context) {
	pause := time.Duration(0)
	for {
		now := s.o.Clock()
		t := s.watch.take(now)
		err := s.round(ctx, &t)
		if t.payouts {
			if fault := s.roundPayouts(ctx); fault != nil {
				s.watch.again(todo{payouts: true}, nil)
				err = errors.Join(err, fault)
			}
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, errDeposed):
			return
		case err == nil:
			pause = 0
		case errors.Is(err, ErrChainUnavailable):
			s.noteHealth(ctx, Tip{}, err)
			pause = nextPause(pause)
			t.next = now.Add(pause)
		default:
			s.o.Log.ErrorContext(ctx, "payments not compared with the chain", "error", err)
			pause = nextPause(pause)
			if !s.sleep(ctx, now.Add(pause), nil) {
				return
			}
			continue
		}
		if !s.sleep(ctx, t.next, s.watch.wake) {
			return
		}
	}
}

// nextPause doubles from a second up to half a minute.
func nextPause(pause time.Duration) time.Duration {
	return min(max(2*pause, time.Second), 30*time.Second)
}

// round compares what waits with the chain. What it could not do is put back.
func (s *Server) round(ctx context.Context, t *todo) error {
	if t.everything {
		if err := s.loadWatched(ctx); err != nil {
			s.watch.again(*t, nil)
			return err
		}
		more := s.watch.take(s.o.Clock())
		t.sales = append(t.sales, more.sales...)
		t.addresses = append(t.addresses, more.addresses...)
		t.next, t.everything, t.payouts = earlier(t.next, more.next), false, t.payouts || more.payouts
	}
	if len(t.sales)+len(t.addresses) == 0 {
		return nil
	}
	accounts, err := s.accounts(ctx, t)
	if err != nil {
		s.watch.again(*t, nil)
		return err
	}
	var scripts []Script
	for _, a := range accounts {
		scripts = append(scripts, a.scripts()...)
	}
	f, v := facts{}, s.watch.view()
	if len(scripts) > 0 { // cash alone needs no chain
		if f, v, err = s.ask(ctx, scripts); err != nil {
			s.watch.again(*t, scripts)
			return err
		}
	}
	return s.compareAll(ctx, accounts, f, v)
}

// atOnce is how many accounts are settled side by side: their transactions share
// commits.
const atOnce = 16

// compareAll settles accounts; what fails is put back.
func (s *Server) compareAll(ctx context.Context, accounts []*account, f facts, v view) error {
	errs := make([]error, len(accounts))
	var all sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i, a := range accounts {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			if errs[i] = s.compare(ctx, a, f, v); errs[i] == nil {
				return
			}
			s.watch.again(todo{}, a.scripts())
			if a.sale != nil {
				s.watch.look(map[protocol.SaleID]struct{}{a.sale.ID: {}})
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// loadWatched reads every watched address, and the sales whose time runs.
func (s *Server) loadWatched(ctx context.Context) error {
	sales := map[protocol.SaleID]struct{}{}
	var addresses []*LeasedAddress
	s.watch.reload()
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		ids, err := tx.Sales.Live()
		if err != nil {
			return fmt.Errorf("list open sales: %w", err)
		}
		for _, id := range ids {
			sales[id] = struct{}{}
		}
		if addresses, err = tx.Addresses.Watched(s.o.Clock()); err != nil {
			return fmt.Errorf("list watched addresses: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.watch.load(addresses, s.o.Clock())
	s.watch.look(sales)
	return nil
}

// accounts reads what a round is about, each account once.
func (s *Server) accounts(ctx context.Context, t *todo) (accounts []*account, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		accounts = nil
		seen := map[protocol.SaleID]bool{}
		add := func(a *account, err error) error {
			if errors.Is(err, ErrNotFound) {
				return nil // rolled back meanwhile
			}
			if err != nil || a.sale != nil && seen[a.sale.ID] {
				return err
			}
			if a.sale != nil {
				seen[a.sale.ID] = true
			}
			accounts = append(accounts, a)
			return nil
		}
		for _, id := range t.sales {
			if err := add(tx.loadSale(id)); err != nil {
				return err
			}
		}
		for _, address := range t.addresses {
			if err := add(tx.loadAddress(address)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sales to compare: %w", err)
	}
	return accounts, nil
}

// ask gets the present facts about scripts from the chain.
func (s *Server) ask(ctx context.Context, scripts []Script) (facts, view, error) {
	ctx, cancel := context.WithTimeout(ctx, chainDeadline)
	defer cancel()
	f := facts{asked: map[Script]struct{}{}, payments: map[Script][]Payment{}}
	if untold := s.watch.untold(scripts); len(untold) > 0 {
		if err := s.o.Chain.Watch(ctx, untold); err != nil {
			return f, view{}, chainError(ctx, "watch addresses", err)
		}
		s.watch.tell(untold)
	}
	payments, tip, err := s.o.Chain.Payments(ctx, scripts)
	if err != nil {
		if errors.Is(err, ErrChainUnsupported) {
			s.watch.reconnected() // it forgot what it was asked to follow
		}
		return f, view{}, chainError(ctx, "ask for payments", err)
	}
	for _, script := range scripts {
		f.asked[script] = struct{}{}
	}
	mempool := false
	for _, p := range payments {
		f.payments[p.Script] = append(f.payments[p.Script], p)
		mempool = mempool || p.Height == 0
	}
	v := view{tip: tip, fresh: true, behind: s.tipOld(tip)}
	if mempool {
		v.floor = s.feeFloor(ctx)
	}
	return f, v, s.adopt(ctx, v)
}

// adopt keeps the view for what is settled between two rounds. The tip is stored
// before any payment seen from it: confirmations are never counted from an older one.
func (s *Server) adopt(ctx context.Context, v view) error {
	before, now := s.watch.view(), v
	if now.floor == 0 {
		now.floor = before.floor
	}
	now.fresh = false
	// Alone nobody else needs to know more than the tip.
	if v.tip.Hash != before.tip.Hash || s.fellows.peers != nil && now != before {
		text, err := json.Marshal(storedView{now.tip, now.floor, now.behind})
		if err != nil {
			return fmt.Errorf("store tip: %w", err)
		}
		err = s.write(ctx, func(w *work) error {
			w.tells.set(newsTip)
			return errors.Join(w.inTerm(), w.Settings.Set(settingTip, text))
		})
		if err != nil {
			return fmt.Errorf("store tip: %w", err)
		}
	}
	s.watch.see(v)
	return nil
}

// chainError tells a chain that does not answer, in time or at all, from other faults.
func chainError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ErrChainUnavailable) {
		return fmt.Errorf("%s: %w: %w", what, ErrChainUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// feeFloor is what the next six blocks ask for, 0 where the chain cannot tell.
func (s *Server) feeFloor(ctx context.Context) FeeRate {
	rate, err := s.o.Chain.FeeRate(ctx, floorBlocks)
	if err != nil {
		s.o.Log.WarnContext(ctx, "fee rate not known", "error", err)
		return 0
	}
	return rate
}

func (s *Server) tipOld(tip Tip) bool {
	limit := s.rules().MaxTipAge
	return limit > 0 && s.o.Clock().Sub(tip.Time) > limit
}

// compare stores what the facts mean for an account. The first look, on what was
// read before asking, only finds whether there is anything to write.
func (s *Server) compare(ctx context.Context, a *account, f facts, v view) error {
	c, err := s.conclude(a, f, v, s.o.Clock())
	if err != nil {
		return err
	}
	if c.empty() {
		s.watch.settled(a, v.tip)
		if a.sale != nil {
			s.watch.remind(map[protocol.SaleID]protocol.Time{a.sale.ID: c.next})
		}
		return nil
	}
	var settled *account
	err = s.write(ctx, func(w *work) (err error) {
		if err := w.inTerm(); err != nil {
			return err
		}
		if settled, err = w.reload(a); err != nil {
			return err
		}
		c, err := s.conclude(settled, f, v, w.now)
		if err != nil {
			return err
		}
		return w.record(settled, c, "chain")
	})
	if err != nil {
		return err
	}
	s.watch.settled(settled, v.tip)
	return nil
}

func (tx *Tx) reload(a *account) (*account, error) {
	if a.sale != nil {
		return tx.loadSale(a.sale.ID)
	}
	return tx.loadAddress(a.parts[0].address.Text)
}

// probeChain takes the chain's pulse, so that its silence is told even when
// nobody pays, and a block whose event was lost is found.
func (s *Server) probeChain(ctx context.Context) {
	for {
		look, cancel := context.WithTimeout(ctx, chainDeadline)
		tip, err := s.o.Chain.Tip(look)
		if err != nil {
			err = chainError(look, "ask for tip", err)
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.noteHealth(ctx, tip, err)
		if err == nil && tip.Hash != s.watch.view().tip.Hash {
			s.watch.changed(Change{TipMoved: true})
		}
		if !s.sleep(ctx, s.o.Clock().Add(probeEvery), nil) {
			return
		}
	}
}

// Words of node_behind alerts.
const (
	nodeSilent = "chain_unavailable"
	nodeBack   = "chain_back"
	nodeOld    = "tip_old"
	nodeNew    = "tip_new"
)

// noteHealth tells every terminal when the chain falls silent, falls behind, or
// is back.
func (s *Server) noteHealth(ctx context.Context, tip Tip, fault error) {
	now := s.o.Clock()
	notice := s.watch.health(now, fault != nil, fault == nil && s.tipOld(tip))
	if notice.Reason == "" {
		return
	}
	s.o.Log.WarnContext(ctx, "state of the chain", "reason", notice.Reason, "error", fault)
	if notice.Reason == nodeBack {
		s.watch.reconnected()
	}
	if notice.Reason == nodeOld {
		notice.Since = tip.Time
	}
	ring(s.guard.bell)
	err := s.write(ctx, func(w *work) error { return w.alertAll(protocol.AlertNodeBehind, notice) })
	if err != nil {
		s.o.Log.ErrorContext(ctx, "state of the chain not told", "error", err)
	}
}
