package server

import (
	"context"
	"fmt"

	"till/protocol"
)

// settingChange is the next index of the change branch.
const settingChange = "next_change"

// mostCoins bounds how many coins a payout chooses from: the largest.
const mostCoins = 500

// reserve is what a payout can be built from: coins as the chain tells them now.
type reserve struct {
	coins []Coin
	tip   Tip
	rate  FeeRate
}

// total is what the coins are worth together.
func (r *reserve) total() (sum protocol.Sat) {
	for _, c := range r.coins {
		sum += c.Amount
	}
	return sum
}

// without drops the coins that living payouts hold.
func (r *reserve) without(held map[Outpoint]protocol.PayoutID) *reserve {
	free := &reserve{tip: r.tip, rate: r.rate}
	for _, c := range r.coins {
		if _, taken := held[Outpoint{c.TxID, c.Vout}]; !taken {
			free.coins = append(free.coins, c)
		}
	}
	return free
}

// reserve asks the chain what the wallet can spend: confirmed outputs, and own
// change.
func (s *Server) reserve(ctx context.Context) (*reserve, error) {
	own := map[Script]*LeasedAddress{}
	var scripts []Script
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		clear(own)
		scripts = nil
		texts, err := spendable(tx)
		if err != nil {
			return err
		}
		for _, text := range texts {
			a, err := tx.Addresses.Get(text)
			if err != nil {
				return fmt.Errorf("find address: %w", err)
			}
			if own[a.Script] == nil {
				own[a.Script] = a
				scripts = append(scripts, a.Script)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, chainDeadline)
	defer cancel()
	r := &reserve{}
	if r.rate, err = s.payoutRate(ctx); err != nil {
		return nil, err
	}
	payments, tip, err := s.paymentsOf(ctx, scripts)
	if err != nil {
		return nil, chainRefusal(ctx, "ask for coins", err)
	}
	r.tip = tip
	for _, p := range payments {
		a := own[p.Script]
		confirmed := p.Confirmations(tip) > 0
		if p.Spent != "" || !confirmed && (a.Branch != BranchChange || p.Conflict) {
			continue
		}
		r.coins = append(r.coins, Coin{TxID: p.TxID, Vout: p.Vout, Amount: p.Amount, Script: p.Script, Branch: a.Branch, Index: a.Index, Height: p.Height})
	}
	return r, nil
}

// spendable gives the addresses that may hold coins: those of unspent payments,
// and the change of payouts that are under way.
func spendable(tx *Tx) (addresses []string, err error) {
	unspent, err := tx.Payments.Unspent()
	if err != nil {
		return nil, fmt.Errorf("list unspent outputs: %w", err)
	}
	for _, p := range unspent[:min(len(unspent), mostCoins)] {
		addresses = append(addresses, p.Address)
	}
	payouts, err := tx.Payouts.Unsettled()
	if err != nil {
		return nil, fmt.Errorf("list payouts: %w", err)
	}
	for _, p := range payouts {
		if p.Of == protocol.PayoutDispense && p.Change != "" {
			addresses = append(addresses, p.Change)
		}
	}
	return addresses, nil
}

// paymentsOf has the chain follow the scripts and gives what pays them.
func (s *Server) paymentsOf(ctx context.Context, scripts []Script) ([]Payment, Tip, error) {
	if untold := s.watch.untold(scripts); len(untold) > 0 {
		if err := s.o.Chain.Watch(ctx, untold); err != nil {
			return nil, Tip{}, err
		}
		s.watch.tell(untold)
	}
	return s.o.Chain.Payments(ctx, scripts)
}

// change gives the next address of the change branch; the caller keeps it with
// keepChange where the transaction has change.
func (w *work) change() (*LeasedAddress, error) {
	next, err := numberSetting(w.Tx, settingChange, 0)
	if err != nil {
		return nil, err
	}
	return w.own(BranchChange, next)
}

func (w *work) keepChange(a *LeasedAddress) error {
	if err := setNumber(w.Tx, settingChange, int64(a.Index)+1); err != nil {
		return fmt.Errorf("count change addresses: %w", err)
	}
	return w.keep(a)
}

// own derives an address of the wallet that is leased to no one.
func (w *work) own(branch uint32, index int64) (*LeasedAddress, error) {
	address, err := w.s.o.Wallet.Derive(branch, uint32(index))
	if err != nil {
		return nil, fmt.Errorf("derive address %d/%d: %w", branch, index, err)
	}
	return &LeasedAddress{Address: address, Branch: branch, Index: uint32(index), Leased: w.now, WatchUntil: w.now.Add(watchFor)}, nil
}

// keep stores and watches an address.
func (w *work) keep(a *LeasedAddress) error {
	if err := w.Addresses.Insert(a); err != nil {
		return fmt.Errorf("store address: %w", err)
	}
	w.leased = append(w.leased, a.Address)
	return nil
}

// next takes the next index of the receiving branch, within the gap limit or
// not: for money that comes for certain.
func (w *work) next() (*LeasedAddress, error) {
	next, err := numberSetting(w.Tx, settingNext, 0)
	if err != nil {
		return nil, err
	}
	a, err := w.own(BranchReceive, next)
	if err != nil {
		return nil, err
	}
	return a, setNumber(w.Tx, settingNext, next+1)
}

// ReceiveAddress gives a fresh address of the merchant's wallet that is leased to
// no terminal: for filling the wallet.
func (s *Server) ReceiveAddress(ctx context.Context) (Address, error) {
	var a *LeasedAddress
	err := s.write(ctx, func(w *work) (err error) {
		if a, err = w.next(); err != nil {
			return err
		}
		return w.keep(a)
	})
	if err != nil {
		return Address{}, fmt.Errorf("take a receiving address: %w", err)
	}
	return a.Address, nil
}

// Rescan looks for money on both branches of the wallet, as far as the gap limit
// reaches beyond the last index that holds any, and follows what it finds. It
// gives how many addresses were found that were not known.
func (s *Server) Rescan(ctx context.Context) (found int, err error) {
	for _, branch := range []uint32{BranchReceive, BranchChange} {
		n, err := s.rescanBranch(ctx, branch)
		if err != nil {
			return found, fmt.Errorf("rescan wallet: %w", err)
		}
		found += n
	}
	return found, nil
}

// rescanStep is how many addresses are asked about at once.
const rescanStep = 100

func (s *Server) rescanBranch(ctx context.Context, branch uint32) (found int, err error) {
	for from, end := int64(0), s.rules().GapLimit; from < end; {
		var scripts []Script
		index := map[Script]int64{}
		to := min(from+rescanStep, end)
		for i := from; i < to; i++ {
			a, err := s.o.Wallet.Derive(branch, uint32(i))
			if err != nil {
				return found, fmt.Errorf("derive address %d/%d: %w", branch, i, err)
			}
			scripts = append(scripts, a.Script)
			index[a.Script] = i
		}
		payments, _, err := s.paymentsOf(ctx, scripts)
		if err != nil {
			return found, chainRefusal(ctx, "ask for payments", err)
		}
		paid := map[int64]bool{}
		for _, p := range payments {
			paid[index[p.Script]] = true
			end = max(end, index[p.Script]+1+s.rules().GapLimit)
		}
		from = to
		n, err := s.keepPaid(ctx, branch, paid)
		if err != nil {
			return found, err
		}
		found += n
	}
	return found, nil
}

// keepPaid stores the paid indexes of a branch that are not known and moves its
// next index beyond them.
func (s *Server) keepPaid(ctx context.Context, branch uint32, paid map[int64]bool) (found int, err error) {
	if len(paid) == 0 {
		return 0, nil
	}
	counter := settingNext
	if branch == BranchChange {
		counter = settingChange
	}
	err = s.write(ctx, func(w *work) error {
		found = 0
		next, err := numberSetting(w.Tx, counter, 0)
		if err != nil {
			return err
		}
		for i := range paid {
			next = max(next, i+1)
			a, err := w.own(branch, i)
			if err != nil {
				return err
			}
			if _, err := w.Addresses.Get(a.Text); err == nil {
				continue
			} else if !isNotFound(err) {
				return fmt.Errorf("find address: %w", err)
			}
			found++
			if err := w.keep(a); err != nil {
				return err
			}
		}
		return setNumber(w.Tx, counter, next)
	})
	return found, err
}
