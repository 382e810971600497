package boot

import (
	"context"

	"till/protocol"
	"till/server"
)

// DebtLine is one line of `till debts list`: either an amount in satoshi or one
// in e-cash.
type DebtLine struct {
	ID        protocol.ID     `json:"id"`
	Sale      protocol.SaleID `json:"sale,omitempty"`
	Address   string          `json:"address,omitempty"`
	Bill      string          `json:"bill,omitempty"` // transaction_id of e-cash
	Reason    string          `json:"reason"`
	AmountSat protocol.Sat    `json:"amount_sat,omitempty"`
	Amount    *protocol.Money `json:"amount,omitempty"`
	Since     protocol.Time   `json:"since"`
}

// DebtName is the params of debt.settle.
type DebtName struct {
	ID protocol.ID `json:"id"`
}

func listDebts(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	debts, err := s.Debts(ctx)
	lines := []DebtLine{}
	for _, d := range debts {
		line := DebtLine{d.ID, d.Sale, d.Address, d.Bill, d.Reason, d.Open(), nil, d.Since}
		if d.Bill != "" {
			line.Amount = &d.Amount
		}
		lines = append(lines, line)
	}
	return lines, err
}

// Repayment is the params of debt.pay.
type Repayment struct {
	ID       protocol.ID `json:"id"`
	Address  string      `json:"address"`
	Approval string      `json:"approval"` // USER:CODE, good once
}

func payDebt(ctx context.Context, s *server.Server, p Repayment) (any, error) {
	code := protocol.NewSecret(p.Approval)
	defer code.Wipe()
	return s.Repay(ctx, server.Repayment{Debt: p.ID, Address: p.Address, Authcode: code})
}

func settleDebt(ctx context.Context, s *server.Server, p DebtName) (any, error) {
	return nil, s.SettleDebt(ctx, p.ID)
}
