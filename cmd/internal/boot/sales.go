package boot

import (
	"context"
	"encoding/json"
	"fmt"

	"till/protocol"
	"till/server"
)

// SalesAsked are the params of sale.list; see [server.SaleFilter].
type SalesAsked struct {
	Terminal string             `json:"terminal,omitempty"` // its name or id, "" all
	State    protocol.SaleState `json:"state,omitempty"`
	Since    protocol.Time      `json:"since,omitempty"`
	Until    protocol.Time      `json:"until,omitempty"`
	Text     string             `json:"text,omitempty"`
	Oldest   bool               `json:"oldest,omitempty"`
	After    server.Mark        `json:"after,omitzero"`
	Most     int                `json:"most"`
}

// SaleLine is one sale of `till sales`.
type SaleLine struct {
	Sale     protocol.SaleID                  `json:"sale"`
	Number   string                           `json:"number"`
	Terminal string                           `json:"terminal"` // its name
	User     string                           `json:"user,omitempty"`
	Opened   protocol.Time                    `json:"opened"`
	State    protocol.SaleState               `json:"state"`
	Said     string                           `json:"said,omitempty"` // by the cashier: paid, cancelled, parked
	Flags    []protocol.Flag                  `json:"flags"`
	Total    protocol.Money                   `json:"total"`
	Tip      *protocol.Money                  `json:"tip,omitempty"`
	Tax      protocol.List[protocol.TaxShare] `json:"tax,omitempty"`
	Lines    protocol.List[protocol.Line]     `json:"lines,omitempty"`
	Note     string                           `json:"note,omitempty"`
	Received protocol.Sat                     `json:"received_sat"`
	TxIDs    []string                         `json:"txids"`
	Tenders  []TenderLine                     `json:"tenders"`
	Refunds  []RefundLine                     `json:"refunds"`
}

// TenderLine is one means of paying of a sale.
type TenderLine struct {
	Tender  protocol.TenderID   `json:"tender"`
	Kind    protocol.TenderKind `json:"kind"`
	At      protocol.Time       `json:"at"`
	Amount  protocol.Money      `json:"amount"`
	DueSat  protocol.Sat        `json:"due_sat,omitempty"`
	Rate    protocol.Rate       `json:"rate,omitempty"` // at the sale
	Address string              `json:"address,omitempty"`
	Removed bool                `json:"removed,omitempty"`
	Refused string              `json:"refused,omitempty"`
}

// RefundLine is money of a sale that went back. AtSale is what its bitcoin
// counted at the sale, AtPayout what it counted when it left, the network's fee
// included; both are absent for other money.
type RefundLine struct {
	Refund     protocol.RefundID    `json:"refund"`
	Sale       protocol.SaleID      `json:"sale"`
	Number     string               `json:"number,omitempty"`
	Terminal   string               `json:"terminal"`
	At         protocol.Time        `json:"at"`
	Kind       protocol.TenderKind  `json:"kind"`
	Amount     protocol.Money       `json:"amount"`
	User       string               `json:"user,omitempty"`
	ApprovedBy string               `json:"approved_by,omitempty"`
	Dispense   protocol.PayoutID    `json:"dispense,omitempty"`
	State      protocol.PayoutState `json:"state,omitempty"` // of the dispense
	AmountSat  protocol.Sat         `json:"amount_sat,omitempty"`
	FeeSat     protocol.Sat         `json:"fee_sat,omitempty"`
	AtSale     *protocol.Money      `json:"value_at_sale,omitempty"`
	AtPayout   *protocol.Money      `json:"value_at_payout,omitempty"`
	TxID       string               `json:"txid,omitempty"`
}

// terminalNames gives the names of all terminals, revoked ones too.
func terminalNames(ctx context.Context, s *server.Server) (map[protocol.TerminalID]string, error) {
	all, err := s.Terminals(ctx)
	names := map[protocol.TerminalID]string{}
	for _, t := range all {
		names[t.ID] = t.Name
	}
	return names, err
}

func listSales(ctx context.Context, s *server.Server, p SalesAsked) (any, error) {
	names, err := terminalNames(ctx, s)
	if err != nil {
		return nil, err
	}
	f := server.SaleFilter{State: p.State, Since: p.Since, Until: p.Until, Text: p.Text, Oldest: p.Oldest, After: p.After, Most: p.Most}
	if p.Terminal != "" {
		if f.Terminal, err = namedTerminal(names, p.Terminal); err != nil {
			return nil, err
		}
	}
	records, err := s.SaleRecords(ctx, f)
	if err != nil {
		return nil, err
	}
	lines := []SaleLine{}
	for _, r := range records {
		line, err := saleLine(r, names)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// namedTerminal finds a terminal by its id or name, the newest of that name.
func namedTerminal(names map[protocol.TerminalID]string, text string) (found protocol.TerminalID, err error) {
	for id, name := range names {
		if id == protocol.TerminalID(text) {
			return id, nil
		}
		if name == text && id > found { // UUIDv7 rises with time
			found = id
		}
	}
	if found == "" {
		return "", fmt.Errorf("%w: there is no terminal %q", ErrInput, text)
	}
	return found, nil
}

func saleLine(r server.SaleRecord, names map[protocol.TerminalID]string) (SaleLine, error) {
	o := r.Opening
	line := SaleLine{Sale: r.ID, Number: r.Number, Terminal: names[r.Terminal], User: r.User, Opened: r.Opened, State: r.State, Said: r.Said,
		Flags: list(r.Flags), Total: r.Total, Tip: o.Tip, Tax: o.Tax, Lines: o.Lines, Note: o.Note, TxIDs: []string{}, Tenders: []TenderLine{}, Refunds: []RefundLine{}}
	if r.Status != nil {
		var status protocol.SaleStatus
		if err := json.Unmarshal(r.Status, &status); err != nil {
			return line, fmt.Errorf("read state of sale %s: %w", r.ID, err)
		}
		line.Received, line.TxIDs = status.ReceivedSat, list(status.TxIDs)
	}
	for _, t := range r.Tenders {
		line.Tenders = append(line.Tenders, TenderLine{t.ID, t.Kind, t.Added, t.Amount, t.DueSat, r.Rates[t.Quote], t.Address, t.Removed, t.Refused})
	}
	for _, f := range r.Refunds {
		line.Refunds = append(line.Refunds, RefundLine{Refund: f.Refund.Refund, Sale: r.ID, Number: r.Number, Terminal: names[f.Terminal], At: f.At,
			Kind: f.Kind, Amount: f.Amount, User: f.User, ApprovedBy: f.ApprovedBy, Dispense: f.Dispense})
	}
	return line, nil
}

// StepLine is one step of the replay of a sale.
type StepLine struct {
	At    protocol.Time      `json:"at"`
	What  string             `json:"what"`            // the kind of a journal entry, or state
	Entry int64              `json:"entry,omitempty"` // its number
	Body  json.RawMessage    `json:"body,omitempty"`
	State protocol.SaleState `json:"state"` // of the sale after the step
	Flags []protocol.Flag    `json:"flags"`
	Cause string             `json:"cause,omitempty"` // of a change of state
}

// Replay is the answer of sale.replay.
type Replay struct {
	SaleLine
	Steps []StepLine `json:"steps"`
}

// SaleName is the params of sale.replay: an id or a number.
type SaleName struct {
	Sale string `json:"sale"`
}

func replaySale(ctx context.Context, s *server.Server, p SaleName) (any, error) {
	names, err := terminalNames(ctx, s)
	if err != nil {
		return nil, err
	}
	record, steps, err := s.Replay(ctx, p.Sale)
	if err != nil {
		return nil, err
	}
	line, err := saleLine(record, names)
	if err != nil {
		return nil, err
	}
	r := Replay{SaleLine: line, Steps: []StepLine{}}
	state, flags := protocol.SaleOpen, []protocol.Flag{}
	for _, step := range steps {
		if step.Entry != nil {
			r.Steps = append(r.Steps, StepLine{At: step.Entry.At, What: string(step.Entry.Kind), Entry: step.Entry.Seq, Body: step.Entry.Body, State: state, Flags: flags})
			continue
		}
		state, flags = step.State.To, list(step.State.Flags)
		r.Steps = append(r.Steps, StepLine{At: step.State.At, What: "state", State: state, Flags: flags, Cause: step.State.Cause})
	}
	return r, nil
}
