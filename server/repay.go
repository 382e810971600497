package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// ErrSettled: nothing of the debt is open.
var ErrSettled = errors.New("this debt is settled")

// ErrEcashDebt: what is owed of e-cash is paid back from the drawer.
var ErrEcashDebt = errors.New("what is owed of e-cash is paid back by hand")

// DebtShare is what a payout pays of a debt.
type DebtShare struct {
	Debt protocol.ID  `json:"debt"`
	Sat  protocol.Sat `json:"sat"`
}

// Repayment asks to pay a debt out to an address of the customer.
type Repayment struct {
	Debt     protocol.ID
	Address  string
	Authcode protocol.Secret // USER:CODE, a TOTP (terminal.md §8)
}

// repaymentContent is what binds the id of a repayment.
type repaymentContent struct {
	Debt    protocol.ID `json:"debt"`
	Address string      `json:"address"`
}

// Repay pays all that is open of a debt out of the wallet, by the path of every
// payout: approved, within the limits, settled in the same transaction; refused
// later, it is open again. Unknown: [ErrNotFound]; else [ErrSettled], [ErrEcashDebt]
// or the refusals of [Server.Dispense].
func (s *Server) Repay(ctx context.Context, r Repayment) (*protocol.DispenseResult, error) {
	var owed *Debt
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		owed, err = tx.Debts.Get(r.Debt)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("repay debt: %w", err)
	case owed.Bill != "":
		return nil, ErrEcashDebt
	case owed.Open() <= 0:
		return nil, ErrSettled
	}
	script, err := s.o.Wallet.Script(r.Address)
	if err != nil {
		return nil, fmt.Errorf("repay debt: %w", err)
	}
	digest, err := digestOf(repaymentContent{r.Debt, r.Address})
	if err != nil {
		return nil, fmt.Errorf("repay debt: %w", err)
	}
	id, err := protocol.NewID(s.o.Clock().Time(), s.o.Random)
	if err != nil {
		return nil, fmt.Errorf("repay debt: %w", err)
	}
	paid, err := s.payOut(ctx, order{
		Dispense: protocol.Dispense{ID: protocol.PayoutID(id), AmountSat: owed.Open(), Method: protocol.MethodAddress, Address: r.Address, Authcode: r.Authcode},
		debt:     owed.ID, digest: digest, script: script,
	})
	if err != nil {
		return nil, fmt.Errorf("repay debt: %w", err)
	}
	return paid.dispenseResult(), nil
}

// owed checks that the debt is open to the full amount, and that its sale's money
// covers it.
func (o *order) owed() error {
	d, err := o.Debts.Get(o.debt)
	switch {
	case err != nil:
		return fmt.Errorf("find debt: %w", err)
	case d.Open() < o.AmountSat:
		return ErrSettled // by another meanwhile, in part at least
	}
	if d.Sale != "" {
		o.payout.Sale = d.Sale
		if err := o.covered(d.Sale); err != nil {
			return err
		}
	}
	return o.value()
}

// payDebts has an accepted payout pay what is owed: one debt, or those of the
// refund's sale, the oldest first.
func (w *work) payDebts(p *Payout, debt protocol.ID) (err error) {
	switch {
	case debt != "":
		d, err := w.Debts.Get(debt)
		if err != nil {
			return fmt.Errorf("find debt: %w", err)
		}
		p.Debts = []DebtShare{{debt, p.Amount}}
		return w.payDebt(d, p.Amount)
	case p.Refund != "":
		p.Debts, err = w.payOldest(p.Sale, p.Amount)
	}
	return err
}

// payOldest pays so much of what is open of a sale, the oldest first.
func (w *work) payOldest(sale protocol.SaleID, sat protocol.Sat) (shares []DebtShare, err error) {
	if sat <= 0 {
		return nil, nil
	}
	debts, err := w.Debts.OfSale(sale)
	if err != nil {
		return nil, fmt.Errorf("list debts: %w", err)
	}
	for _, d := range debts {
		share := min(sat, d.Open())
		if share <= 0 {
			continue
		}
		if err := w.payDebt(d, share); err != nil {
			return nil, err
		}
		sat -= share
		shares = append(shares, DebtShare{d.ID, share})
	}
	return shares, nil
}

func (w *work) payDebt(d *Debt, sat protocol.Sat) error {
	if d.Paid += sat; d.Paid == d.Sat {
		d.Settled = w.now
	}
	if err := w.Debts.Put(d); err != nil {
		return fmt.Errorf("pay debt: %w", err)
	}
	return nil
}

// reopenDebts takes back what a payout paid that is certainly never mined.
func (w *work) reopenDebts(p *Payout) error {
	for _, share := range p.Debts {
		d, err := w.Debts.Get(share.Debt)
		if err != nil {
			return fmt.Errorf("find debt: %w", err)
		}
		d.Paid = max(0, d.Paid-share.Sat)
		if d.Settled = 0; d.Sale != "" {
			w.sales[d.Sale] = struct{}{} // its money may have changed meanwhile
		}
		if err := w.Debts.Put(d); err != nil {
			return fmt.Errorf("open debt again: %w", err)
		}
	}
	return nil
}
