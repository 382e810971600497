package boot

import (
	"context"

	"till/protocol"
	"till/server"
)

// PageAsked are the params of refund.list and payout.list: rows of a time,
// oldest first, beyond a mark.
type PageAsked struct {
	Since protocol.Time `json:"since,omitempty"`
	Until protocol.Time `json:"until,omitempty"`
	After server.Mark   `json:"after,omitzero"`
	Most  int           `json:"most"`
}

func (p PageAsked) page() server.Page {
	return server.Page{Since: p.Since, Until: p.Until, After: p.After, Most: p.Most}
}

// PayoutLine is money that left as bitcoin, or came by a key.
type PayoutLine struct {
	ID       protocol.PayoutID    `json:"id"`
	Of       protocol.PayoutKind  `json:"of"`
	Terminal string               `json:"terminal"`
	At       protocol.Time        `json:"at"`
	State    protocol.PayoutState `json:"state"`
	Method   protocol.Method      `json:"method,omitempty"`
	Sale     protocol.SaleID      `json:"sale,omitempty"`
	Refund   protocol.RefundID    `json:"refund,omitempty"`
	Approver string               `json:"approver,omitempty"`
	Price    *protocol.Money      `json:"price,omitempty"` // that coins were sold for
	Sat      protocol.Sat         `json:"amount_sat"`
	FeeSat   protocol.Sat         `json:"fee_sat"`
	AtPayout *protocol.Money      `json:"value_at_payout,omitempty"` // the network's fee included
	Address  string               `json:"address,omitempty"`
	TxID     string               `json:"txid,omitempty"`
}

// Books is the answer of books.begin: what an export is of.
type Books struct {
	Shop     string            `json:"shop"`
	Currency protocol.Currency `json:"currency"`
	Now      protocol.Time     `json:"now"`
}

func beginBooks(_ context.Context, s *server.Server, _ struct{}) (any, error) {
	c := s.Config()
	return Books{c.Shop.Name, c.Currency, s.Now()}, nil
}

func listRefunds(ctx context.Context, s *server.Server, p PageAsked) (any, error) {
	names, err := terminalNames(ctx, s)
	if err != nil {
		return nil, err
	}
	records, err := s.RefundRecords(ctx, p.page())
	lines := []RefundLine{}
	for _, r := range records {
		line := RefundLine{Refund: r.Refund.Refund.Refund, Sale: r.Sale, Number: r.Number, Terminal: names[r.Terminal], At: r.At, Kind: r.Kind,
			Amount: r.Amount, User: r.User, ApprovedBy: r.ApprovedBy, Dispense: r.Dispense}
		if out := r.Payout; out != nil {
			line.State, line.AmountSat, line.FeeSat, line.TxID = out.State, out.Amount, out.Fee, out.TxID
			line.AtPayout = &out.Value
			if value, err := r.Rate.Value(out.Amount); err == nil {
				line.AtSale = &protocol.Money{Currency: r.Amount.Currency, Minor: value}
			}
		}
		lines = append(lines, line)
	}
	return lines, err
}

func listPayouts(ctx context.Context, s *server.Server, p PageAsked) (any, error) {
	names, err := terminalNames(ctx, s)
	if err != nil {
		return nil, err
	}
	all, err := s.Payouts(ctx, p.page())
	lines := []PayoutLine{}
	for _, o := range all {
		line := PayoutLine{ID: o.ID, Of: o.Of, Terminal: names[o.Terminal], At: o.Created, State: o.State, Method: o.Method, Sale: o.Sale,
			Refund: o.Refund, Approver: o.Approver, Price: o.Price, Sat: o.Amount, FeeSat: o.Fee, Address: o.Address, TxID: o.TxID}
		if o.Of == protocol.PayoutSweep {
			line.Sat = o.Received
		} else if o.Value.Minor != 0 {
			line.AtPayout = &o.Value
		}
		lines = append(lines, line)
	}
	return lines, err
}
