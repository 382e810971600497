package store

import (
	"encoding/json"
	"fmt"

	"till/protocol"
	"till/server"
)

type payouts struct{ rows }

const (
	payoutColumns = "id, kind, terminal, state, digest, created, day, approver, by_pin, amount, fee, currency, value, sale, refund, detail, raw, depth, version"
	// poisoned is the kind of a row that only makes an id void.
	poisoned = "poisoned"
)

// payoutDetail is what no statement looks for.
type payoutDetail struct {
	Method   protocol.Method    `json:"method,omitempty"`
	Address  string             `json:"address,omitempty"`
	Script   []byte             `json:"script,omitempty"`
	Change   string             `json:"change,omitempty"`
	Tender   protocol.TenderID  `json:"tender,omitempty"`
	Quote    protocol.QuoteID   `json:"quote,omitempty"`
	Price    *protocol.Money    `json:"price,omitempty"`
	Due      *protocol.Sat      `json:"due,omitempty"`
	TxID     string             `json:"txid,omitempty"`
	Received protocol.Sat       `json:"received,omitempty"`
	ChangeTo protocol.Sat       `json:"change_to,omitempty"`
	Owed     protocol.Sat       `json:"owed,omitempty"`
	Spends   []server.Outpoint  `json:"spends,omitempty"`
	From     []string           `json:"from,omitempty"`
	Debts    []server.DebtShare `json:"debts,omitempty"`
	Earlier  []server.Attempt   `json:"earlier,omitempty"`
	Reason   string             `json:"reason,omitempty"`
	Message  string             `json:"message,omitempty"`
}

func scanPayout(row scanner) (*server.Payout, error) {
	p := &server.Payout{}
	var text string
	err := row.Scan(&p.ID, &p.Of, &p.Terminal, &p.State, &p.Digest, &p.Created, &p.Day, &p.Approver, &p.ByPIN,
		&p.Amount, &p.Fee, &p.Value.Currency, &p.Value.Minor, &p.Sale, &p.Refund, &text, &p.Raw, &p.Depth, &p.Version)
	if err != nil {
		return nil, err
	}
	var d payoutDetail
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("unpack payout %s: %w", p.ID, err)
	}
	p.Method, p.Address, p.Script, p.Change, p.Tender = d.Method, d.Address, server.Script(d.Script), d.Change, d.Tender
	p.Quote, p.Price, p.Due, p.TxID, p.Received, p.ChangeTo = d.Quote, d.Price, d.Due, d.TxID, d.Received, d.ChangeTo
	p.Owed, p.Spends, p.From, p.Debts, p.Earlier, p.Reason, p.Message = d.Owed, d.Spends, d.From, d.Debts, d.Earlier, d.Reason, d.Message
	return p, nil
}

func packPayout(p *server.Payout) (string, error) {
	text, err := json.Marshal(payoutDetail{
		Method: p.Method, Address: p.Address, Script: []byte(p.Script), Change: p.Change, Tender: p.Tender,
		Quote: p.Quote, Price: p.Price, Due: p.Due, TxID: p.TxID, Received: p.Received, ChangeTo: p.ChangeTo,
		Owed: p.Owed, Spends: p.Spends, From: p.From, Debts: p.Debts, Earlier: p.Earlier, Reason: p.Reason, Message: p.Message,
	})
	if err != nil {
		return "", fmt.Errorf("pack payout %s: %w", p.ID, err)
	}
	return string(text), nil
}

func (r payouts) Insert(p *server.Payout) error {
	detail, err := packPayout(p)
	if err != nil {
		return err
	}
	err = r.exec("INSERT INTO payouts ("+payoutColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		p.ID, p.Of, p.Terminal, p.State, p.Digest, p.Created, p.Day, p.Approver, bit(p.ByPIN),
		p.Amount, p.Fee, p.Value.Currency, p.Value.Minor, p.Sale, p.Refund, detail, p.Raw, p.Depth, p.Version)
	if err != nil {
		return err
	}
	return r.reserve(p)
}

func (r payouts) Get(id protocol.PayoutID) (*server.Payout, error) {
	return first(r.rows, scanPayout, "SELECT "+payoutColumns+" FROM payouts WHERE id = $1", id)
}

func (r payouts) Update(p *server.Payout, at protocol.Time) error {
	detail, err := packPayout(p)
	if err != nil {
		return err
	}
	var old protocol.PayoutState
	if err := r.one("SELECT state FROM payouts WHERE id = $1", []any{p.ID}, &old); err != nil {
		return err
	}
	err = r.execOne(`UPDATE payouts SET state = $1, amount = $2, fee = $3, value = $4, detail = $5, raw = $6, depth = $7,
		version = version + 1 WHERE id = $8 AND version = $9`, p.State, p.Amount, p.Fee, p.Value.Minor, detail, p.Raw, p.Depth, p.ID, p.Version)
	if err != nil {
		return err
	}
	p.Version++
	if err := r.reserve(p); err != nil || old == p.State {
		return err
	}
	return r.exec("INSERT INTO payout_events (payout, version, at, from_state, to_state, reason) VALUES ($1, $2, $3, $4, $5, $6)",
		p.ID, p.Version, at, old, p.State, p.Reason)
}

// reserve holds the payout's inputs, or lets them go when it is refused. An
// input that another payout holds fails the transaction.
func (r payouts) reserve(p *server.Payout) error {
	if err := r.exec("DELETE FROM payout_spends WHERE payout = $1", p.ID); err != nil || p.State == protocol.PayoutRefused {
		return err
	}
	for _, o := range p.Spends {
		if err := r.exec("INSERT INTO payout_spends (txid, vout, payout) VALUES ($1, $2, $3)", o.TxID, o.Vout, p.ID); err != nil {
			return fmt.Errorf("reserve output %s:%d: %w", o.TxID, o.Vout, err)
		}
	}
	return nil
}

func (r payouts) Unsettled() ([]*server.Payout, error) {
	return all(r.rows, scanPayout, "SELECT "+payoutColumns+` FROM payouts
		WHERE state IN ('reserved', 'signed', 'broadcast', 'unknown') OR state = 'confirmed' AND depth < $1 ORDER BY created, id`, server.SettledDepth)
}

func (r payouts) Spent() (map[server.Outpoint]protocol.PayoutID, error) {
	type spend struct {
		at server.Outpoint
		by protocol.PayoutID
	}
	scan := func(row scanner) (s spend, err error) { return s, row.Scan(&s.at.TxID, &s.at.Vout, &s.by) }
	list, err := all(r.rows, scan, "SELECT txid, vout, payout FROM payout_spends")
	spent := make(map[server.Outpoint]protocol.PayoutID, len(list))
	for _, s := range list {
		spent[s.at] = s.by
	}
	return spent, err
}

func (r payouts) Limits() server.LimitRows { return limits(r) }

type limits struct{ rows }

func (r limits) sum(where string, args ...any) (s server.PayoutSums, err error) {
	err = r.one("SELECT COALESCE(SUM(amount + fee), 0), COALESCE(SUM(value), 0) FROM payouts WHERE kind = 'dispense' AND state <> 'refused' AND "+where,
		args, &s.Sat, &s.Minor)
	return s, err
}

func (r limits) OfTerminal(id protocol.TerminalID, day string) (server.PayoutSums, error) {
	return r.sum("terminal = $1 AND day = $2", id, day)
}

func (r limits) OfUser(user, day string) (server.PayoutSums, error) {
	return r.sum("approver = $1 AND day = $2", user, day)
}

func (r limits) OfUserByPIN(user, day string) (server.PayoutSums, error) {
	return r.sum("approver = $1 AND day = $2 AND by_pin = 1", user, day)
}

func (r limits) OfShop(day string) (server.PayoutSums, error) { return r.sum("day = $1", day) }

func (r limits) OfSale(sale protocol.SaleID) (sum protocol.Sat, err error) {
	err = r.one("SELECT COALESCE(SUM(amount), 0) FROM payouts WHERE kind = 'dispense' AND state <> 'refused' AND sale = $1", []any{sale}, &sum)
	return sum, err
}

func (r limits) Poisoned(id protocol.TerminalID, since protocol.Time) (n int64, err error) {
	err = r.one("SELECT COUNT(*) FROM payouts WHERE kind = $1 AND terminal = $2 AND created >= $3", []any{poisoned, id, since}, &n)
	return n, err
}
