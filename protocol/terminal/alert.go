package terminal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"till/protocol"
)

// keepAlerts is how many alerts stay after a person needs them no more.
const keepAlerts = 5000

// Alert is a stored alert. ID is this terminal's own number for it: the server's
// Seq begins anew with a new log.
type Alert struct {
	ID int64
	protocol.Alert
	Urgent       bool          // needs a person
	Acknowledged protocol.Time // by a person, 0 not yet
}

// Alerts gives the urgent alerts that nobody has acknowledged, oldest first.
func (t *Terminal) Alerts(ctx context.Context) ([]Alert, error) {
	return t.alerts(ctx, `WHERE urgent = 1 AND acknowledged = 0 ORDER BY id`)
}

// AlertLog gives all kinds of alerts, newest first: at most so many with an ID
// below before (0: from the newest).
func (t *Terminal) AlertLog(ctx context.Context, before int64, most int) ([]Alert, error) {
	return t.alerts(ctx, `WHERE $1 = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, most)
}

func (t *Terminal) alerts(ctx context.Context, where string, args ...any) ([]Alert, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT id, seq, at, kind, body, urgent, acknowledged FROM alerts `+where, args...)
	found, err := all(rows, err, func(rows *sql.Rows) (Alert, error) {
		var a Alert
		var body string
		err := rows.Scan(&a.ID, &a.Seq, &a.At, &a.Kind, &body, &a.Urgent, &a.Acknowledged)
		a.Body = json.RawMessage(body)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", storage(err))
	}
	return found, nil
}

// Acknowledge notes that a person has seen the alerts with these IDs.
func (t *Terminal) Acknowledge(ctx context.Context, ids ...int64) error {
	_, err := t.write(ctx, func(ctx context.Context, c *change) error {
		for _, id := range ids {
			err := c.must(ctx, `UPDATE alerts SET acknowledged = CASE acknowledged WHEN 0 THEN $1 ELSE acknowledged END WHERE id = $2`, max(c.now, 1), id)
			if err != nil {
				return fmt.Errorf("acknowledge alert %d: %w", id, err)
			}
		}
		return nil
	})
	return err
}

// storeAlert keeps an alert with what follows from it. One that is stored already
// is not stored again; another with its number, of a server that lost the end of
// its log, takes its place.
func (c *change) storeAlert(ctx context.Context, log protocol.LogID, a protocol.Alert) error {
	urgent, err := c.applyAlert(ctx, a)
	if err != nil {
		return fmt.Errorf("store %s alert %d: %w", a.Kind, a.Seq, err)
	}
	err = c.exec(ctx, `DELETE FROM alerts WHERE log = $1 AND seq = $2 AND body <> $3`, log, a.Seq, string(a.Body))
	if err != nil {
		return fmt.Errorf("store %s alert %d: %w", a.Kind, a.Seq, err)
	}
	stored := Alert{Alert: a, Urgent: urgent}
	err = c.get(ctx, `INSERT INTO alerts (log, seq, at, kind, body, urgent) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (log, seq) DO NOTHING RETURNING id`, []any{log, a.Seq, a.At, a.Kind, string(a.Body), urgent}, &stored.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store %s alert %d: %w", a.Kind, a.Seq, err)
	}
	c.fact.Alerts = append(c.fact.Alerts, stored)
	return c.exec(ctx, `DELETE FROM alerts WHERE id <= $1 AND (urgent = 0 OR acknowledged > 0)`, stored.ID-keepAlerts)
}

// applyAlert brings the sale or payout up to date and tells whether a person is
// needed. An alert that is not understood changes nothing and is kept.
func (c *change) applyAlert(ctx context.Context, a protocol.Alert) (urgent bool, err error) {
	switch a.Kind {
	case protocol.AlertSale:
		return applied(ctx, a, c.saleStatus)
	case protocol.AlertIncoming:
		return applied(ctx, a, c.incoming)
	case protocol.AlertContract:
		return applied(ctx, a, func(ctx context.Context, b protocol.ContractReady, body string) (bool, error) {
			c.touch(b.Sale)
			return false, errors.Join(
				c.exec(ctx, `UPDATE tenders SET contract = $1 WHERE id = $2`, body, b.Tender),
				c.exec(ctx, `UPDATE tabs SET contract = $1 WHERE id = $2`, body, b.Tender))
		})
	case protocol.AlertInvoice:
		return applied(ctx, a, func(ctx context.Context, b protocol.InvoiceReady, body string) (bool, error) {
			c.touch(b.Sale)
			return false, c.exec(ctx, `UPDATE tenders SET invoice = $1 WHERE id = $2`, body, b.Tender)
		})
	case protocol.AlertDeposit:
		return applied(ctx, a, c.depositStatus)
	case protocol.AlertTab:
		return applied(ctx, a, c.tabStatus)
	case protocol.AlertPayout:
		return applied(ctx, a, c.payoutStatus)
	case protocol.AlertReserveLow, protocol.AlertCertificate:
		return true, nil
	}
	return false, nil
}

func applied[B any](ctx context.Context, a protocol.Alert, do func(context.Context, B, string) (bool, error)) (bool, error) {
	var body B
	if err := a.Decode(&body); err != nil {
		return true, nil // kept as it is and shown to a person
	}
	return do(ctx, body, string(a.Body))
}

// onScreen reports whether the sale is open, so that the cashier sees its state.
func (c *change) onScreen(ctx context.Context, id protocol.SaleID) (bool, error) {
	var n int64
	err := c.get(ctx, `SELECT count(*) FROM sales WHERE id = $1 AND said = 'open'`, []any{id}, &n)
	return n > 0, err
}

// saleStatus: a sale that is not on the screen any more needs a person when its
// money is not what was believed.
func (c *change) saleStatus(ctx context.Context, s protocol.SaleStatus, body string) (bool, error) {
	c.touch(s.Sale)
	if err := c.exec(ctx, `UPDATE sales SET status = $1 WHERE id = $2`, body, s.Sale); err != nil {
		return false, err
	}
	open, err := c.onScreen(ctx, s.Sale)
	given := s.State == protocol.SaleCancelled && len(s.Flags) == 0 // up by the cashier: no news
	return !open && !given && (s.Verdict == protocol.VerdictRefuse || troubling(s.Flags)), err
}

func troubling(flags []protocol.Flag) bool {
	return slices.ContainsFunc(flags, func(f protocol.Flag) bool {
		return f == protocol.FlagLate || f == protocol.FlagReplaced || f == protocol.FlagConflict
	})
}

// incoming: money that belongs to a sale or is flagged, once a transaction.
func (c *change) incoming(ctx context.Context, in protocol.Incoming, _ string) (bool, error) {
	if in.Sale == "" && len(in.Flags) == 0 {
		return false, nil
	}
	if in.Sale != "" {
		c.touch(in.Sale)
	}
	var told int64
	err := c.get(ctx, `SELECT count(*) FROM alerts WHERE kind = 'incoming' AND urgent = 1 AND json_extract(body, '$.txid') = $1`, []any{in.TxID}, &told)
	return told == 0, err
}

func (c *change) depositStatus(ctx context.Context, d protocol.DepositStatus, body string) (bool, error) {
	c.touch(d.Sale)
	err := errors.Join(
		c.exec(ctx, `UPDATE tenders SET deposit = $1 WHERE id = $2`, body, d.Tender),
		c.exec(ctx, `UPDATE tabs SET deposit = $1 WHERE id = $2`, body, d.Tender))
	if err != nil {
		return false, err
	}
	open, err := c.onScreen(ctx, d.Sale)
	return !open && d.State == "rejected", err
}

func (c *change) tabStatus(ctx context.Context, s protocol.TabStatus, body string) (bool, error) {
	c.touch(s.Sale)
	err := c.exec(ctx, `UPDATE tabs SET status = $1 WHERE id = $2`, body, s.Tender)
	return s.State == "lapsing" || s.State == "lost", err
}

func (c *change) payoutStatus(ctx context.Context, s protocol.PayoutStatus, _ string) (bool, error) {
	urgent := s.State == protocol.PayoutRefused || s.State == protocol.PayoutUnknown
	return urgent, c.putPayout(ctx, s, false)
}
